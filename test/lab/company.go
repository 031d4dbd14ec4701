package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"switchboard/internal/callcenter"
	"switchboard/internal/softphone"
)

// Company is what its admin has of a running server: the API, with a key, and where phones and trunks reach it.
type Company struct {
	T      testing.TB
	URL    string
	SIP    netip.AddrPort
	Key    string // a company admin's
	Office string // its id

	numbers atomic.Int32
}

// NewCompany is the company of the server at url.
func NewCompany(t testing.TB, url string, sip netip.AddrPort, key string) *Company {
	t.Helper()
	l := &Company{T: t, URL: url, SIP: sip, Key: key}
	l.Office = l.MustAPI("GET", "/api/v2/offices", "").Items()[0].Text("id")
	return l
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
func (l *Company) API(method, path, body string) Answer {
	l.T.Helper()
	req, err := http.NewRequestWithContext(l.T.Context(), method, l.URL+path, strings.NewReader(body))
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
func (l *Company) MustAPI(method, path, body string) Answer {
	l.T.Helper()
	a := l.API(method, path, body)
	if a.Status != http.StatusOK {
		l.T.Fatalf("%s %s %s: %d %s", method, path, body, a.Status, a.Raw)
	}
	return a
}

// Center is a call center of the lab with its number.
type Center struct {
	lab    *Company
	ID     string
	Number string // E.164
}

// Center makes a call center with the settings given as a JSON object ("{}" for the defaults) and a number.
func (l *Company) Center(name, settings string) *Center {
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
	lab  *Company
	ID   string
	Name string
}

// Operator makes a person, on duty, without a phone.
func (l *Company) Operator(name string) *Operator {
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
func (l *Company) Station() *softphone.Station {
	l.T.Helper()
	station, err := softphone.Open(softphone.Config{Server: l.SIP, Log: testLog(l.T)})
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
func (l *Company) Trunk() {
	l.T.Helper()
	l.MustAPI("POST", "/api/v2/x/trunks", `{"name": "loopback", "addresses": ["127.0.0.0/8"]}`)
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
