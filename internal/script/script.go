// Package script runs the scripts of workflows, JavaScript and jq, in child processes of the same program: whatever a
// script does, it ends within a bound of time and memory, and at worst takes its child with it
// (docs/reference/egress.md, Scripts).
//
// It refuses to give a script anything but its input: no modules, no files, no network, no environment, no memory of
// the script before. Script text is never even parsed outside of a child.
package script

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"switchboard/internal/flow"
)

// The bounds of one script.
const (
	// TimeLimit is how long a script may run. Conductor's is the same.
	TimeLimit = 4 * time.Second
	// MaxText is the longest script, in bytes.
	MaxText = 64 << 10
	// MaxInput and MaxResult are the largest input and result, in bytes of JSON.
	MaxInput  = 5 << 20
	MaxResult = 1 << 20
	// MaxHeap is the memory that a script may hold, in bytes; its child is ended a few milliseconds after it holds more.
	MaxHeap = 256 << 20
	// MaxDepth is how deep functions may call one another.
	MaxDepth = 10_000
	// MaxChildren is how many scripts run at once; the next one waits.
	MaxChildren = 4
)

// What stops a script. The error's text goes on to say more.
var (
	ErrTime     = errors.New("the script ran too long and was stopped")
	ErrMemory   = errors.New("the script used too much memory and was stopped")
	ErrTooLarge = errors.New("too large")
	ErrClosed   = errors.New("scripts are not run any more: the server stops")
)

// Sandbox runs scripts. Safe for concurrent use. The zero value is ready; Close ends its children.
type Sandbox struct {
	limit time.Duration // smaller in tests; 0: TimeLimit

	once   sync.Once
	slots  chan struct{}
	mu     sync.Mutex
	idle   []*child
	busy   map[*child]bool
	closed bool
}

// Evaluate runs a script. JavaScript sees input as $ and gives its last value, as JSON.stringify writes it; a promise
// gives what it was resolved to. jq gets input as its input and gives the list of all its outputs. Numbers follow the
// rule of flow.Value; JavaScript knows integers up to 2^53 only. An error is about the script, or ctx's.
func (s *Sandbox) Evaluate(
	ctx context.Context, language flow.Language, text string, input flow.Map,
) (flow.Value, error) {
	encoded := flow.Encode(input)
	if len(encoded) > MaxInput {
		return nil, fmt.Errorf("the script's input is %w: %d bytes of JSON, at most %d", ErrTooLarge, len(encoded), MaxInput)
	}
	result, err := s.ask(ctx, request{Language: language, Text: text, Input: encoded})
	if err != nil {
		return nil, err
	}
	value, err := flow.Decode(result)
	if err != nil {
		return nil, fmt.Errorf("read the script's result: %w", err)
	}
	return value, nil
}

// Compile says what is wrong with a script's text, without running it; nil: nothing.
func (s *Sandbox) Compile(ctx context.Context, language flow.Language, text string) error {
	_, err := s.ask(ctx, request{Language: language, Text: text, OnlyCompile: true})
	return err
}

// Close ends all children. Scripts that still run end with ErrClosed.
func (s *Sandbox) Close() {
	s.once.Do(s.open)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	idle := s.idle
	s.idle, s.closed = nil, true
	for c := range s.busy {
		c.kill()
	}
	s.mu.Unlock()
	for _, c := range idle {
		c.end()
	}
	for range cap(s.slots) { // those under way hold one each
		s.slots <- struct{}{}
	}
	for range cap(s.slots) {
		<-s.slots
	}
}

func (s *Sandbox) open() { s.slots = make(chan struct{}, MaxChildren) }

// ask has a child answer a request.
func (s *Sandbox) ask(ctx context.Context, r request) (json.RawMessage, error) {
	if len(r.Text) > MaxText {
		return nil, fmt.Errorf("the script is %w: %d bytes, at most %d", ErrTooLarge, len(r.Text), MaxText)
	}
	if r.Language != flow.JavaScript && r.Language != flow.JQ {
		return nil, fmt.Errorf("%q is no language of scripts: javascript, jq", r.Language)
	}
	if r.Limit = s.limit; r.Limit == 0 {
		r.Limit = TimeLimit
	}
	s.once.Do(s.open)
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.slots }()
	c, err := s.take()
	if err != nil {
		return nil, err
	}
	answer, err := c.ask(ctx, r)
	if err = s.put(c, err); err != nil {
		return nil, err
	}
	if answer.Error != "" {
		return nil, stopped(answer)
	}
	return answer.Value, nil
}

func (s *Sandbox) take() (c *child, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if n := len(s.idle); n > 0 {
		c, s.idle = s.idle[n-1], s.idle[:n-1]
	} else if c, err = start(); err != nil {
		return nil, err
	}
	if s.busy == nil {
		s.busy = map[*child]bool{}
	}
	s.busy[c] = true
	return c, nil
}

// put takes a child back; one that failed is ended.
func (s *Sandbox) put(c *child, failed error) error {
	s.mu.Lock()
	delete(s.busy, c)
	closed := s.closed
	if failed == nil && !closed {
		s.idle = append(s.idle, c)
	}
	s.mu.Unlock()
	switch {
	case closed:
		c.end()
		return ErrClosed
	case failed != nil:
		c.end()
	}
	return failed
}

// stopped is the error of an answer that tells of one.
func stopped(a answer) error {
	switch a.Cause {
	case causeTime:
		return ErrTime
	case causeLarge:
		return fmt.Errorf("the script's result is %w: %s", ErrTooLarge, a.Error)
	}
	return errors.New(a.Error)
}
