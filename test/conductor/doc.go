// Package conductor drives a real server with Conductor's own JavaScript client, as its package is, unchanged. It
// refuses to change or to stand in for any part of the client: what the client cannot do with the server is a fault of
// the server.
package conductor
