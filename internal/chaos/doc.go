// Package chaos holds signalling, exchange, engine and core together against a network that loses, doubles, delays and
// reorders messages: real user agents on both sides, in virtual time, with pretended audio. It is nothing but its test.
//
// It refuses to be imported, to open a socket and to wait for real seconds.
package chaos
