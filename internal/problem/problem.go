// Package problem is the catalogue of errors that a caller of Switchboard may act on: for each a stable reason, the
// HTTP status, the SIP status, a sentence and where the documentation explains it; and the bodies that carry them.
//
// It refuses to carry causes: what went wrong inside belongs into the log, never into an answer.
package problem

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Where says which part of a request a Field names.
type Where string

// The parts of a request.
const (
	InBody   Where = "body"
	InQuery  Where = "query"
	InPath   Where = "path"
	InHeader Where = "header"
)

// Field is one thing that is wrong with a request.
type Field struct {
	Name    string // dotted path, list places as numbers: "routing_options.open.dtmf.1.input"; "" for the whole part
	In      Where
	Message string
}

// Error is an error from the catalogue. The zero values of the optional parts mean there is nothing to say.
type Error struct {
	Reason     Reason
	Message    string
	Fields     []Field       // every bad field, in the order of the request
	RetryAfter time.Duration // when the same request may succeed
	Allow      []string      // the methods of the path, for MethodNotAllowed
	ETag       string        // the current one, for PreconditionFailed
}

// Error says the reason and the message.
func (e *Error) Error() string { return string(e.Reason) + ": " + e.Message }

// Entry is the error's place in the catalogue.
func (e *Error) Entry() Entry { return Lookup(e.Reason) }

// Status is the HTTP status.
func (e *Error) Status() int { return e.Entry().HTTP }

// RetrySeconds is RetryAfter as the Retry-After header says it: whole seconds, rounded up, at least 1.
func (e *Error) RetrySeconds() int {
	return max(1, int((e.RetryAfter+time.Second-1)/time.Second))
}

// New makes an error with its own message; an empty one stands for the catalogue's sentence.
func New(reason Reason, message string) *Error {
	if message == "" {
		message = Lookup(reason).Sentence
	}
	return &Error{Reason: reason, Message: message}
}

// NotFound says that there is no such record, by the API's name of its kind.
func NotFound[ID ~int64 | ~string](kind string, id ID) *Error {
	return New(Missing, fmt.Sprintf("There is no %s %v.", kind, id))
}

// Invalid lists the bad fields of a request. It panics without one.
func Invalid(fields ...Field) *Error {
	first := fields[0]
	message := first.Message
	if first.Name != "" {
		message = first.Name + ": " + first.Message
	}
	if more := len(fields) - 1; more > 0 {
		message += " (and " + strconv.Itoa(more) + " more)"
	}
	return &Error{Reason: BadRequest, Message: message, Fields: fields}
}

// InvalidBody is Invalid for one field of the body.
func InvalidBody(name, message string) *Error {
	return Invalid(Field{Name: name, In: InBody, Message: message})
}

// InvalidQuery is Invalid for one query parameter.
func InvalidQuery(name, message string) *Error {
	return Invalid(Field{Name: name, In: InQuery, Message: message})
}

// Conflicts says that the request cannot be done to what is there.
func Conflicts(message string) *Error { return New(Conflict, message) }

// Limited says that a limit was met and when to come back.
func Limited(message string, retryAfter time.Duration) *Error {
	err := New(RateLimited, message)
	err.RetryAfter = retryAfter
	return err
}

// From finds the catalogue's error in err, or stands an Internal one in for it; known says which.
func From(err error) (found *Error, known bool) {
	if errors.As(err, &found) {
		return found, true
	}
	return New(Internal, ""), false
}
