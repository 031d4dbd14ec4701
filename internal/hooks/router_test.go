package hooks

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// routed asks a router whose program gives an answer.
func (co *company) routed(h *Hooks, order route.AskRouter) route.RouterAnswered {
	co.t.Helper()
	answers := make(chan route.RouterAnswered, 1)
	h.AskRouter(order, func(a route.RouterAnswered) { answers <- a })
	select {
	case a := <-answers:
		return a
	case <-co.t.Context().Done():
		co.t.Fatal("no answer")
		return route.RouterAnswered{}
	}
}

func (co *company) router(url, secret string) {
	co.change(func(tx *store.Tx) error {
		return tx.PutCallRouter(&callcenter.CallRouter{
			ID: 51, OfficeID: 1, Name: "script", RoutingURL: url, Enabled: true, Secret: secret,
			DefaultTarget: callcenter.Target{ID: 7, Type: callcenter.TargetUser},
		})
	})
}

func TestWhatACallRouterCanSay(t *testing.T) {
	co := newCompany(t, t.TempDir())
	var mu sync.Mutex
	var asked, says string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		asked = string(body)
		status, text, _ := strings.Cut(says, " ")
		n, _ := strconv.Atoi(status)
		w.WriteHeader(n)
		_, _ = io.WriteString(w, text)
	}))
	defer server.Close()
	co.furnish(server.URL, "", callcenter.Subscription{Kind: callcenter.CallEvents})
	co.router(server.URL, strings.Repeat("k", 32))
	h := start(t, co.config())
	def := callcenter.Target{ID: 7, Type: callcenter.TargetUser}
	for text, want := range map[string]route.RouterAnswered{
		`200 {"action":"route","target_id":5,"target_type":"callcenter"}`: {Answer: route.RouterAnswer{
			Action: route.RouterRoute, Target: callcenter.Target{ID: 5, Type: callcenter.TargetCallCenter},
		}},
		`200 {"action":"route","target_id":"7","target_type":"user"}`: {Answer: route.RouterAnswer{
			Action: route.RouterRoute, Target: def,
		}},
		`201 {"action":"forward","forward_to":"+4930123"}`: {Answer: route.RouterAnswer{
			Action: route.RouterForward, ForwardTo: "+4930123",
		}},
		`200 {"action":"ask","message":["Your","order?"],"hint_name":"order","num_digits":4}`: {Answer: route.RouterAnswer{
			Action: route.RouterAsk, Message: "Your order?", HintName: "order", NumDigits: 4,
		}},
		`200 {"action":"end","message":"Bye"}`: {Answer: route.RouterAnswer{Action: route.RouterEnd, Message: "Bye"}},
		`500 {}`:                               {Err: "answered 500"},
		`302 {}`:                               {Err: "answered 302"},
		`200 <html>`:                           {Err: "not what was asked for"},
		`200 {"action":"up"}`:                  {Err: "is no action"},
		`200 {"action":"route","target_id":99,"target_type":"user"}`: {Err: "does not exist"},
		`200 {"action":"forward","forward_to":"030"}`:                {Err: "E.164"},
		`200 {"action":"ask","hint_name":"x","num_digits":31}`:       {Err: "num_digits"},
		`200 {"action":"ask","num_digits":3}`:                        {Err: "hint_name"},
	} {
		mu.Lock()
		says = text
		mu.Unlock()
		got := co.routed(h, route.AskRouter{
			Call: 1000, Router: 51, Center: 5, From: "+491234", To: "+1415", Hint: "order", Digits: "1234",
		})
		if got.DefaultTarget != def || got.Call != 1000 || got.Answer != want.Answer ||
			(got.Err == "") != (want.Err == "") || !strings.Contains(got.Err, want.Err) {
			t.Errorf("%s: %+v", text, got)
		}
	}
	claims := opened(t, asked, strings.Repeat("k", 32))
	if claims["call_id"] != 1000.0 || claims["external_number"] != "+491234" || claims["order"] != "1234" ||
		claims["target"].(map[string]any)["name"] != "Support" {
		t.Errorf("asked %v", claims)
	}
}

func TestARouterIsSwitchedOffByErrors(t *testing.T) {
	co, to := newCompany(t, t.TempDir()), newReceiver(t)
	to.status = 500
	co.furnish(to.server.URL, "", callcenter.Subscription{Kind: callcenter.CallEvents})
	co.router(to.server.URL, "")
	h := start(t, co.config())
	for n := range callcenter.MaxRouterErrors + 1 {
		if got := co.routed(h, route.AskRouter{Call: 1000, Router: 51}); got.Err != "answered 500" {
			t.Fatalf("error %d: %+v", n+1, got)
		}
		co.counted(n + 1)
	}
	if got := co.routed(h, route.AskRouter{Call: 1000, Router: 51}); !strings.Contains(got.Err, "switched off") ||
		got.DefaultTarget.ID != 7 {
		t.Errorf("%+v", got)
	}
	if got := co.routed(h, route.AskRouter{Call: 1000, Router: 52}); !strings.Contains(got.Err, "no such") {
		t.Errorf("%+v", got)
	}
	h.Close()
	router, _ := co.store.Snapshot().CallRouter(51)
	if router.Enabled || len(co.notices) != 1 {
		t.Errorf("%+v, notices %v", router, co.notices)
	}
	if n := len(to.came); n != callcenter.MaxRouterErrors+1 {
		t.Errorf("asked %d times", n)
	}
}

// counted waits until the store knows of n errors: they are counted behind the answer.
func (co *company) counted(n int) {
	co.t.Helper()
	for co.t.Context().Err() == nil {
		if router, _ := co.store.Snapshot().CallRouter(51); len(router.Errors) == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	co.t.Fatal("the error was not counted")
}

func TestOldErrorsDoNotCount(t *testing.T) {
	co, to := newCompany(t, t.TempDir()), newReceiver(t)
	to.status = 500
	co.furnish(to.server.URL, "", callcenter.Subscription{Kind: callcenter.CallEvents})
	co.router(to.server.URL, "")
	co.change(func(tx *store.Tx) error {
		router, _ := tx.CallRouter(51)
		changed := *router
		for range callcenter.MaxRouterErrors {
			changed.Errors = append(changed.Errors, tx.Now().Add(-errorWindow))
		}
		return tx.PutCallRouter(&changed)
	})
	h := start(t, co.config())
	co.routed(h, route.AskRouter{Call: 1000, Router: 51})
	co.counted(1)
	if router, _ := co.store.Snapshot().CallRouter(51); !router.Enabled {
		t.Error("switched off by errors of an hour ago")
	}
}
