package engine

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// AskCallback asks that a number be called back in its turn, or with dryRun only what would be said to that. Position
// is the place in the line, from 1; 0 with refused: one of route's Refused constants. The error is the context's, or
// that of an engine that no longer runs; whether the callback was booked is not known then.
func (e *Engine) AskCallback(
	ctx context.Context, center callcenter.ID, number string, dryRun bool,
) (position int, refused string, err error) {
	call := NewCallID()
	answer := e.waiting.expect(call)
	defer e.waiting.forget(call)
	e.Say(route.CallbackAsked{Call: call, Center: center, Number: number, DryRun: dryRun})
	select {
	case decided := <-answer:
		return decided.Position, decided.Refused, nil
	case <-ctx.Done():
		return 0, "", ctx.Err()
	case <-e.done:
		return 0, "", fmt.Errorf("ask for a callback: the engine of company %d has stopped", e.cfg.Company)
	}
}

// NewCallID picks the id of a call: random and below 2^52, so that it is exact in JavaScript too; never 0.
func NewCallID() route.CallID {
	var b [8]byte
	for {
		_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
		if id := binary.LittleEndian.Uint64(b[:]) & (1<<52 - 1); id != 0 {
			return route.CallID(id)
		}
	}
}

// answers are the requests that wait for a decision of the machine.
type answers struct {
	mu      sync.Mutex
	pending map[route.CallID]chan route.CallbackDecided
}

func (a *answers) expect(call route.CallID) <-chan route.CallbackDecided {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending == nil {
		a.pending = map[route.CallID]chan route.CallbackDecided{}
	}
	answer := make(chan route.CallbackDecided, 1)
	a.pending[call] = answer
	return answer
}

func (a *answers) forget(call route.CallID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.pending, call)
}

func (a *answers) decided(d route.CallbackDecided) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if answer, ok := a.pending[d.Call]; ok {
		answer <- d
		delete(a.pending, d.Call)
	}
}

// alertLevel is how loud the page is about an alert.
func alertLevel(kind route.AlertKind) string {
	if kind == route.AlertCleared {
		return "info"
	}
	return "warning"
}

// forgetful is the Keeper of an engine that has none.
type forgetful struct{}

func (forgetful) SaveCallback(route.Callback) {}
func (forgetful) DropCallback(route.CallID)   {}
func (forgetful) SavePlace(route.Place)       {}
func (forgetful) DropPlace(route.CallID)      {}
