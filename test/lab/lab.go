// Package lab is a real server for end-to-end tests: a fresh company on loopback with free ports, phones to register,
// sipp and baresip to call, the API and the live feed to look at. It refuses to reach into the server for what the
// network can tell; settings that no API of today can make are the exception, and named so.
package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/callcenter"
	"switchboard/internal/engine"
	"switchboard/internal/softphone"
)

// Lab is one server with its company.
type Lab struct {
	T      testing.TB
	App    *app.App
	Key    string // a company admin's
	Office string // its id

	numbers atomic.Int32
	watch   watch
}

// Patience is how long a test waits for what must happen.
const Patience = 20 * time.Second

// New starts a server that stops with the test. Change adjusts its Config; nil leaves it.
func New(t testing.TB, change func(*app.Config)) *Lab {
	t.Helper()
	cfg := app.Config{
		DataDir: t.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", RTPPorts: "0-0", Timezone: "UTC",
		RateLimit: 1_000_000, CompanyRateLimit: 1_000_000, Drain: time.Second, Log: testLog(t),
	}
	if change != nil {
		change(&cfg)
	}
	server, err := app.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("close the server: %v", err)
		}
	})
	l := &Lab{T: t, App: server}
	l.watch.start(t, server.Engine())
	if l.Key, err = server.NewAdminKey(t.Context(), "lab"); err != nil {
		t.Fatal(err)
	}
	l.Office = l.MustAPI("GET", "/api/v2/offices", "").Items()[0].Text("id")
	return l
}

// testLog shows the server's log with a failing test, when SWITCHBOARD_TEST_LOG is set.
func testLog(t testing.TB) *slog.Logger {
	if os.Getenv("SWITCHBOARD_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Answer is what the API answered.
type Answer struct {
	Status int
	Header http.Header
	Body   map[string]any
	Raw    []byte
}

// Text is a top-level string of the body; "" where it is none.
func (a Answer) Text(key string) string {
	s, _ := a.Body[key].(string)
	return s
}

// Items is the list of a listing.
func (a Answer) Items() []Answer {
	list, _ := a.Body["items"].([]any)
	items := make([]Answer, len(list))
	for i := range list {
		items[i].Body, _ = list[i].(map[string]any)
	}
	return items
}

// API sends a request with the admin's key.
func (l *Lab) API(method, path, body string) Answer {
	l.T.Helper()
	req, err := http.NewRequestWithContext(l.T.Context(), method, l.App.URL()+path, strings.NewReader(body))
	if err != nil {
		l.T.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+l.Key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		l.T.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		l.T.Fatal(err)
	}
	answer := Answer{Status: res.StatusCode, Header: res.Header, Raw: raw}
	if len(bytes.TrimSpace(raw)) > 0 && strings.Contains(res.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(raw, &answer.Body); err != nil {
			l.T.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
	return answer
}

// MustAPI is API for requests that must answer 200.
func (l *Lab) MustAPI(method, path, body string) Answer {
	l.T.Helper()
	a := l.API(method, path, body)
	if a.Status != http.StatusOK {
		l.T.Fatalf("%s %s %s: %d %s", method, path, body, a.Status, a.Raw)
	}
	return a
}

// Center is a call center of the lab with its number.
type Center struct {
	lab    *Lab
	ID     string
	Number string // E.164
}

// Center makes a call center with the settings given as a JSON object ("{}" for the defaults) and a number.
func (l *Lab) Center(name, settings string) *Center {
	l.T.Helper()
	body := map[string]any{}
	if err := json.Unmarshal([]byte(settings), &body); err != nil {
		l.T.Fatal(err)
	}
	body["name"], body["office_id"] = name, l.Office
	made := l.MustAPI("POST", "/api/v2/callcenters", encode(body))
	c := &Center{lab: l, ID: made.Text("id"), Number: fmt.Sprintf("+1202555%04d", l.numbers.Add(1))}
	l.MustAPI("POST", "/api/v2/x/numbers", encode(map[string]any{"numbers": []string{c.Number}}))
	l.MustAPI("POST", "/api/v2/numbers/"+c.Number+"/assign",
		encode(map[string]any{"target_id": c.ID, "target_type": "callcenter"}))
	return c
}

// Patch changes the call center's settings; the answer must be 200.
func (c *Center) Patch(body string) Answer {
	c.lab.T.Helper()
	return c.lab.MustAPI("PATCH", "/api/v2/callcenters/"+c.ID, body)
}

// Add puts an operator into the call center.
func (c *Center) Add(o *Operator, skill int) {
	c.lab.T.Helper()
	c.lab.MustAPI("POST", "/api/v2/callcenters/"+c.ID+"/operators",
		encode(map[string]any{"user_id": o.ID, "skill_level": skill}))
}

// Status is the call center's live status.
func (c *Center) Status() Answer {
	c.lab.T.Helper()
	return c.lab.MustAPI("GET", "/api/v2/callcenters/"+c.ID+"/status", "")
}

// CenterID is the id as the core has it.
func (c *Center) CenterID() callcenter.ID { return callcenter.ID(number(c.lab.T, c.ID)) }

// Operator is a person of the lab.
type Operator struct {
	lab  *Lab
	ID   string
	Name string
}

// Operator makes a person, on duty, without a phone.
func (l *Lab) Operator(name string) *Operator {
	l.T.Helper()
	made := l.MustAPI("POST", "/api/v2/users", encode(map[string]any{
		"email": strings.ToLower(name) + "@lab.example", "office_id": l.Office, "first_name": name,
	}))
	o := &Operator{lab: l, ID: made.Text("id"), Name: name}
	o.Duty(true)
	return o
}

// Duty puts the operator on or off duty.
func (o *Operator) Duty(on bool) {
	o.lab.T.Helper()
	o.lab.MustAPI("PATCH", "/api/v2/callcenters/operators/"+o.ID+"/dutystatus", fmt.Sprintf(`{"on_duty": %t}`, on))
}

// OperatorID is the id as the core has it.
func (o *Operator) OperatorID() callcenter.OperatorID {
	return callcenter.OperatorID(number(o.lab.T, o.ID))
}

// StaticPhone gives the operator a device with a fixed contact.
func (o *Operator) StaticPhone(user string, at netip.AddrPort) {
	o.lab.T.Helper()
	o.lab.MustAPI("POST", "/api/v2/x/users/"+o.ID+"/devices",
		encode(map[string]any{"kind": "static", "contact": fmt.Sprintf("sip:%s@%s", user, at)}))
}

// SIPDevice gives the operator a device that registers.
func (o *Operator) SIPDevice() (username, password string) {
	o.lab.T.Helper()
	made := o.lab.MustAPI("POST", "/api/v2/x/users/"+o.ID+"/devices", `{"kind": "registered"}`)
	return made.Text("username"), made.Text("password")
}

// Phone registers a softphone for the operator; ring handles its calls.
func (o *Operator) Phone(station *softphone.Station, ring func(*softphone.Call)) {
	o.lab.T.Helper()
	username, password := o.SIPDevice()
	if _, err := station.Register(username, password, ring); err != nil {
		o.lab.T.Fatal(err)
	}
}

// Station opens a socket for softphones that closes with the test.
func (l *Lab) Station() *softphone.Station {
	l.T.Helper()
	station, err := softphone.Open(softphone.Config{Server: l.App.SIPAddr(), Log: testLog(l.T)})
	if err != nil {
		l.T.Fatal(err)
	}
	l.T.Cleanup(func() {
		if err := station.Close(); err != nil {
			l.T.Errorf("close the softphones: %v", err)
		}
	})
	return station
}

// Trunk lets calls from loopback in.
func (l *Lab) Trunk() {
	l.T.Helper()
	l.MustAPI("POST", "/api/v2/x/trunks", `{"name": "loopback", "addresses": ["127.0.0.0/8"]}`)
}

// Until waits for a condition on the live feed's picture, and fails the test with what it was waiting for. The picture
// is that of the server's whole life: it also holds what was over before Until was called.
func (l *Lab) Until(what string, holds func(Picture) bool) Picture {
	l.T.Helper()
	patience := time.NewTimer(Patience)
	defer patience.Stop()
	for {
		seen, changed := l.watch.now()
		if holds(seen) {
			return seen
		}
		select {
		case <-changed:
		case <-patience.C:
			l.T.Fatalf("waited %s for: %s\nthe last picture: %s", Patience, what, seen)
		}
	}
}

// Now is the live feed's picture at this moment.
func (l *Lab) Now() Picture {
	seen, _ := l.watch.now()
	return seen
}

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // a bug of the test
	}
	return string(text)
}

func number(t testing.TB, id string) int64 {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		t.Fatalf("id %q: %v", id, err)
	}
	return n
}

// Feed reads the live feed from its beginning.
func (l *Lab) Feed() engine.Reader { return l.App.Engine().Subscribe(0) }
