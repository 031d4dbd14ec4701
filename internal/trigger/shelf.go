package trigger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"

	"github.com/go-json-experiment/json"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// What callers tell apart, with errors.Is.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("conflict")
	ErrInvalid  = errors.New("invalid")
)

// Error is an error that its reader may do something about. It is an ErrNotFound, ErrConflict or ErrInvalid.
type Error struct {
	Kind     error
	Message  string         // a sentence
	Problems []flow.Problem // of ErrInvalid: all of them, by place
}

func (e *Error) Error() string { return e.Message }

// Unwrap makes errors.Is tell the kind.
func (e *Error) Unwrap() error { return e.Kind }

func notFound(kind, name string) error {
	return &Error{Kind: ErrNotFound, Message: fmt.Sprintf("there is no %s %s", kind, name)}
}

// problems collects what is wrong.
type problems []flow.Problem

func (p *problems) add(path, format string, args ...any) {
	*p = append(*p, flow.Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// err is the ErrInvalid that they amount to; nil: nothing is wrong.
func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return &Error{Kind: ErrInvalid, Message: p[0].Path + ": " + p[0].Message, Problems: p}
}

func invalid(field, format string, args ...any) error {
	var p problems
	p.add("/"+field, format, args...)
	return p.err()
}

// nameForm keeps names to what a path and an idempotency key can hold.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,100}$`)

func (p *problems) name(name string) {
	if !nameForm.MatchString(name) {
		p.add("/name", "letters, digits and _ . : - only, from 1 to 100 of them")
	}
}

// MaxText bounds descriptions, conditions and other texts of triggers, in bytes.
const MaxText = 10_000

func (p *problems) text(path, text string) {
	if len(text) > MaxText {
		p.add(path, "may have %d bytes", MaxText)
	}
}

// MaxInput bounds the input that a trigger gives, as it is written in it, in bytes of JSON.
const MaxInput = 256 << 10

// request checks what a trigger starts.
func (p *problems) request(path string, req flow.StartRequest) {
	switch {
	case req.Name == "" && req.Definition == nil:
		p.add(path+"/name", "is required")
	case req.Definition != nil:
		p.add(path+"/workflowDef", "register the workflow and name it here")
	}
	p.text(path+"/name", req.Name)
	p.text(path+"/correlationId", req.CorrelationID)
	if req.Version < 0 {
		p.add(path+"/version", "must not be negative")
	}
	if req.IdempotencyKey != "" || req.IdempotencyStrategy != "" {
		p.add(path+"/idempotencyKey", "is made from what caused the run")
	}
	if len(flow.Encode(req.Input)) > MaxInput {
		p.add(path+"/input", "may have %d bytes", MaxInput)
	}
}

// shelf holds all triggers of a kind in memory. What is on it is never written to.
type shelf[T any] struct {
	mu sync.RWMutex
	by map[string]*T
}

func (s *shelf[T]) read(d store.TriggerDef) error {
	one := new(T)
	if err := json.Unmarshal(d.Doc, one, flow.JSON); err != nil {
		return err
	}
	s.set(d.Name, one)
	return nil
}

func (s *shelf[T]) set(name string, one *T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = map[string]*T{}
	}
	s.by[name] = one
}

func (s *shelf[T]) drop(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.by, name)
}

func (s *shelf[T]) get(name string) (*T, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	one, ok := s.by[name]
	return one, ok
}

// all lists by name.
func (s *shelf[T]) all() []*T {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]*T, 0, len(s.by))
	for _, name := range slices.Sorted(maps.Keys(s.by)) {
		list = append(list, s.by[name])
	}
	return list
}

// list is a copy of all.
func (s *shelf[T]) list() []T {
	list := []T{}
	for _, one := range s.all() {
		list = append(list, *one)
	}
	return list
}

// put keeps triggers durably, all or none; t.writing is held.
func put[T any](ctx context.Context, t *Triggers, s *shelf[T], kind string, list map[string]*T) error {
	var change store.TriggerChange
	fresh := 0
	for _, name := range slices.Sorted(maps.Keys(list)) {
		if _, exists := s.get(name); !exists {
			fresh++
		}
		doc, err := docOf(kind, name, list[name])
		if err != nil {
			return err
		}
		change.Put = append(change.Put, doc)
	}
	if fresh > 0 && len(s.all())+fresh > MaxTriggers {
		return &Error{Kind: ErrConflict, Message: fmt.Sprintf("there may be %d %ss", MaxTriggers, kind)}
	}
	if err := t.cfg.Store.WriteTriggers(ctx, change); err != nil {
		return err
	}
	for name, one := range list {
		s.set(name, one)
	}
	return nil
}

// remove forgets a trigger durably.
func remove[T any](ctx context.Context, t *Triggers, s *shelf[T], kind, name string) error {
	t.writing.Lock()
	defer t.writing.Unlock()
	if _, ok := s.get(name); !ok {
		return notFound(kind, name)
	}
	err := t.cfg.Store.WriteTriggers(ctx, store.TriggerChange{Drop: []store.TriggerDef{{Kind: kind, Name: name}}})
	if err != nil {
		return err
	}
	s.drop(name)
	return nil
}
