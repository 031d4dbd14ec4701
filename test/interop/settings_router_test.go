package interop

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"switchboard/internal/route"
)

// program is a call router of the company, or whatever else is sent JSON: it remembers what it was told.
type program struct {
	*httptest.Server
	mu   sync.Mutex
	told []map[string]any

	hook string // its id as a webhook; "": it is none
}

// newProgram runs until the test ends. answer gives the body for what it was told.
func newProgram(t testing.TB, answer func(told map[string]any) string) *program {
	t.Helper()
	p := &program{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Errorf("%s: %v", r.URL, err)
		}
		p.mu.Lock()
		p.told = append(p.told, body)
		p.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, answer(body)) // fails when the server gave up, which shows elsewhere
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *program) all() []map[string]any {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]map[string]any(nil), p.told...)
}

// webhook subscribes to call events of some states, each by name, "all" or "alert".
func (h *hall) webhook(states ...string) *program {
	h.T.Helper()
	p := newProgram(h.T, func(map[string]any) string { return "{}" })
	p.hook = h.MustAPI("POST", "/api/v2/webhooks", fmt.Sprintf(`{"hook_url": %q}`, p.URL)).Text("id")
	for _, state := range states {
		h.MustAPI("POST", "/api/v2/subscriptions/call",
			fmt.Sprintf(`{"endpoint_id": %q, "call_states": [%q]}`, p.hook, state))
	}
	return p
}

// tellsDuty also subscribes a webhook to duty events.
func (h *hall) tellsDuty(p *program) {
	h.T.Helper()
	h.MustAPI("POST", "/api/v2/subscriptions/agent_status",
		fmt.Sprintf(`{"endpoint_id": %q, "agent_type": "callcenter"}`, p.hook))
}

// waits gives the first thing that the program is told of and that holds.
func (p *program) waits(t testing.TB, what string, holds func(map[string]any) bool) (found map[string]any) {
	t.Helper()
	eventually(t, "a program is told of "+what, func() bool {
		for _, told := range p.all() {
			if holds(told) {
				found = told
				return true
			}
		}
		return false
	})
	return found
}

func TestActionScriptedIVRAsksTheCallRouterWhereTheCallerGoes(t *testing.T) {
	h := newHall(t)
	center := h.Center("Support", routing("longestidle"))
	ada, ben := h.desk("Ada", talks), h.desk("Ben", talks)
	router := newProgram(t, func(told map[string]any) string {
		switch told["order"] {
		case nil:
			return `{"action": "ask", "message": "Your order number?", "hint_name": "order", "num_digits": 4}`
		case "4711":
			return fmt.Sprintf(`{"action": "route", "target_type": "user", "target_id": %s}`, ada.ID)
		case "9999":
			return `{"action": "end", "message": "Goodbye."}`
		}
		return "not JSON"
	})
	made := h.MustAPI("POST", "/api/v2/callrouters", fmt.Sprintf(`{"name": "Orders", "office_id": %q,
		"routing_url": %q, "default_target_id": %q, "default_target_type": "user"}`, h.Office, router.URL, ben.ID))
	opens(center, "scripted_ivr", made.Text("id"), "callrouter")

	order := func(number string) *caller {
		c := h.caller(center)
		h.reads(c, "The call router asks for 4 digits")
		c.hearsSound(time.Second / 2) // the question
		c.dials(number)
		return c
	}
	one := order("4711")
	served := ada.next()
	one.hearsFrom(served, 850)
	served.Hangup()
	h.ended(one, route.Forwarded, "router")
	if first := router.all()[0]; first["external_number"] != one.from || first["internal_number"] != center.Number {
		t.Errorf("the router was told %v", first)
	}
	h.ended(order("9999"), route.Message, "router")
	three := order("1234") // it fails: the default target
	served = ben.next()
	three.hearsFrom(served, 1000)
	served.Hangup()
	h.passes(three, "router_failed")
	h.ended(three, route.Forwarded, "router")
}
