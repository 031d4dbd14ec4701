// Package browser drives the live page in a real Chromium against a made-up company: what a supervisor sees, the keys,
// a lost connection, accessibility (axe), phone width and the dark scheme. Screenshots land in the test's artifacts.
//
// It refuses to start a telephone or a database: the whole product in a browser is tested elsewhere. To look at the
// page by hand: go test ./test/browser -look 127.0.0.1:8088
package browser
