package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzPatchBody sends any bytes as the body of a PATCH. Whatever comes, the server answers 200 or 400 in JSON, a 400
// changes nothing, and what the center is afterwards can be sent back without changing it.
func FuzzPatchBody(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"ring_seconds":"20"}`, `{"ring_seconds":1e400}`, `{"name":"\ud800"}`, `{"a":{"b":[[]]}}`,
		`{"hold_queue":{"max_hold_seconds":60,"announce_position":null}}`, `{"monday_hours":["08:00","24:00"]}`,
		`{"name":"a","name":"b"}`, `{"timezone":"Europe/Berlin","hours_on":true}`, "{\"name\":\"\xff\"}", `{"name":" "}`,
		`{"routing_options":{"open":{"action":"menu","try_dial_operators":true,"dtmf":[{"input":"1","options":` +
			`{"action":"person","action_target_id":"1","action_target_type":"user"}}]},"closed":{"action":"disabled",` +
			`"try_dial_operators":false}}}`,
	} {
		f.Add([]byte(seed))
	}
	co := newCompany(f)
	id := co.center("Support")
	target := centers + "/" + id
	patch := func(t *testing.T, body string) (int, []byte) {
		r := httptest.NewRequest(http.MethodPatch, target, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+co.admin)
		w := httptest.NewRecorder()
		co.api.ServeHTTP(w, r)
		if !json.Valid(w.Body.Bytes()) {
			t.Fatalf("the answer is no JSON: %q", w.Body)
		}
		return w.Code, w.Body.Bytes()
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before, _ := co.store.Snapshot().Center(centerID(t, id))
		status, answer := patch(t, string(body))
		after, _ := co.store.Snapshot().Center(centerID(t, id))
		switch status {
		case http.StatusOK:
			if again, same := patch(t, string(answer)); again != http.StatusOK || string(same) != string(answer) {
				t.Fatalf("%d: sent back, %s became %s", again, answer, same)
			}
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
			if before != after {
				t.Fatalf("%d changed the center", status)
			}
		default:
			t.Fatalf("status %d: %s", status, answer)
		}
	})
}

func request(b *testing.B, co *company, method, target, body string) {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+co.admin)
	w := httptest.NewRecorder()
	co.api.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Fatalf("%d %s", w.Code, w.Body)
	}
}

func fast(c *Config) { c.RateLimit, c.CompanyRateLimit = 1<<30, 1<<30 }

func BenchmarkGetCenter(b *testing.B) {
	co := newCompany(b, fast)
	target := centers + "/" + co.center("Support")
	b.ReportAllocs()
	for b.Loop() {
		request(b, co, http.MethodGet, target, "")
		co.later(1e9) // so that the limits' memory stays small
	}
}

func BenchmarkListHundredCenters(b *testing.B) {
	co := newCompany(b, fast)
	for range MaxPage {
		co.center("Support")
	}
	b.ReportAllocs()
	for b.Loop() {
		request(b, co, http.MethodGet, centers, "")
		co.later(1e9)
	}
}

func BenchmarkPatchCenter(b *testing.B) {
	co := newCompany(b, fast)
	target := centers + "/" + co.center("Support")
	bodies := [2]string{`{"ring_seconds":20}`, `{"ring_seconds":"21"}`}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		request(b, co, http.MethodPatch, target, bodies[n%2])
		co.later(1e9)
	}
}

func BenchmarkRefusedPatch(b *testing.B) {
	co := newCompany(b, fast)
	target := centers + "/" + co.center("Support")
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPatch, target, strings.NewReader(`{"ring_seconds":9}`))
		r.Header.Set("Authorization", "Bearer "+co.admin)
		w := httptest.NewRecorder()
		co.api.ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest {
			b.Fatal(w.Code)
		}
		co.later(1e9)
	}
}
