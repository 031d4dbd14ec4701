package softphone

import (
	"context"
	"net/netip"
	"testing"
	"time"
)

// A call to a number that no phone has rings for the others, once there are any.
func TestOthers(t *testing.T) {
	far := openStation(t, netip.MustParseAddrPort("127.0.0.1:9"))
	near := openStation(t, far.Addr())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	call, err := near.Call("+12025550101", "+12025550199")
	if err != nil {
		t.Fatal(err)
	}
	if e, ok := call.Wait(ctx, EndedEvent); !ok || e.Status != 404 {
		t.Fatalf("a number that nobody has ended with %+v", e)
	}
	far.Others(func(c *Call) {
		c.Answer()
		c.Wait(ctx, EndedEvent)
	})
	if call, err = near.Call("+12025550101", "+12025550199"); err != nil {
		t.Fatal(err)
	}
	if _, ok := call.Wait(ctx, AnsweredEvent); !ok {
		t.Error("the others did not answer")
	}
	call.Hangup()
}

func openStation(t *testing.T, server netip.AddrPort) *Station {
	t.Helper()
	s, err := Open(Config{Server: server})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
