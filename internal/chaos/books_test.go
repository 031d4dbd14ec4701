package chaos

import (
	"strings"
	"testing"
	"time"

	"switchboard/internal/route"
)

// TestTheBooksObject cooks the books: a judge that never objects proves nothing.
func TestTheBooksObject(t *testing.T) {
	for wanted, cook := range map[string]func(*books){
		"no outcome":    func(b *books) { b.Journal(2, time.Time{}, route.CallArrived{Call: 2}) },
		"2 outcomes":    func(b *books) { b.SaveCall(route.CallRecord{Call: 1, Outcome: route.Failed}) },
		"voicemails":    func(b *books) { b.boxes[1]++ },
		"recordings":    func(b *books) { b.tapes[1]++ },
		"talks":         func(b *books) { b.talks[1]++ },
		"callbacks":     func(b *books) { b.SaveCallback(route.Callback{Call: 1}) },
		"places":        func(b *books) { b.SavePlace(route.Place{Call: 1}) },
		"after nothing": func(b *books) { b.object("after %s", "nothing") },
	} {
		b := newBooks(1)
		b.Journal(1, time.Time{}, route.CallArrived{Call: 1})
		b.SaveCall(route.CallRecord{Call: 1, Outcome: route.Answered})
		if wrong := b.unbalanced(); len(wrong) != 0 {
			t.Fatalf("honest books: %v", wrong)
		}
		cook(b)
		if wrong := strings.Join(b.unbalanced(), "\n"); !strings.Contains(wrong, wanted) {
			t.Errorf("%q is not objected to: %q", wanted, wrong)
		}
	}
}

// TestFatesRepeat sends one message through two networks of one seed.
func TestFatesRepeat(t *testing.T) {
	for seed := range uint64(20) {
		var said [2]string
		for i := range said {
			w := forecast(seed, time.Minute, trunkAddr)
			for range 50 {
				for _, p := range w.filter(packet("INVITE sip:1@10.0.0.1 SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\ntalk 1")) {
					said[i] += p.After.String() + string(p.Data)
				}
				said[i] += ";"
			}
		}
		if said[0] != said[1] {
			t.Errorf("seed %d:\n%s\n%s", seed, said[0], said[1])
		}
	}
}
