package runner

import (
	"errors"
	"fmt"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// What callers tell apart, with errors.Is.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("conflict")
	ErrInvalid  = errors.New("invalid")
	ErrClosed   = store.ErrClosed
)

// Error is an error that its reader may do something about. It is an ErrNotFound, ErrConflict or ErrInvalid.
type Error struct {
	Kind     error
	Message  string         // a sentence
	Problems []flow.Problem // of ErrInvalid: all of them, by place; may be empty
	Run      flow.RunID     // of ErrConflict about an idempotency key: the run that has it
}

func (e *Error) Error() string { return e.Message }

// Unwrap makes errors.Is tell the kind.
func (e *Error) Unwrap() error { return e.Kind }

func notFound(format string, args ...any) error {
	return &Error{Kind: ErrNotFound, Message: fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) error {
	return &Error{Kind: ErrConflict, Message: fmt.Sprintf(format, args...)}
}

func invalid(field, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	return &Error{
		Kind: ErrInvalid, Message: field + ": " + text, Problems: []flow.Problem{{Path: "/" + field, Message: text}},
	}
}

// found turns what the store does not find into an Error.
func found(err error, format string, args ...any) error {
	if errors.Is(err, store.ErrNotFound) {
		return notFound(format, args...)
	}
	return err
}

// refusal turns why a run does not take an order into an Error.
func refusal(err error) error {
	kind := ErrConflict
	if errors.Is(err, flow.ErrUnknown) {
		kind = ErrNotFound
	}
	return &Error{Kind: kind, Message: err.Error()}
}
