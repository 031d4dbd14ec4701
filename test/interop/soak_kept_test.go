package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// kept is what the server acknowledged: a later process must still have it.
type kept struct {
	mu         sync.Mutex
	voicemails map[string]bool
	recordings map[string]bool
	calls      map[string]string // how each ended
	callbacks  map[string]bool   // by number
	duty       string            // of the clerk: the reason that was set last
	asked      []string          // that were sent after it: any of them may have been written
	clerk      *lab.Operator
	cut        int       // recordings that went on when the server died
	figures    int       // calls that the figures of a call center began with
	written    time.Time // what the server knew then is on its disk, which is slow now and then
}

func (k *kept) writtenUntil() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.written
}

func newKept() kept {
	return kept{
		voicemails: map[string]bool{}, recordings: map[string]bool{}, calls: map[string]string{},
		callbacks: map[string]bool{},
	}
}

func (k *kept) String() string {
	return fmt.Sprintf("%d voicemails, %d recordings, %d cut off by a kill, %d legs of calls, figures of %d calls, "+
		"%d callbacks, duty %q", len(k.voicemails), len(k.recordings), k.cut, len(k.calls), k.figures, len(k.callbacks),
		k.duty)
}

func (k *kept) empty() bool {
	return len(k.voicemails) == 0 || len(k.recordings) == 0 || k.cut == 0 || len(k.calls) == 0 || k.figures == 0 ||
		len(k.callbacks) == 0 || k.duty == ""
}

// request is API for a server that may be down: status 0 then, as where it died over the answer.
func (s *soak) request(method, path, body string) (status int, answer []byte) {
	ctx, cancel := context.WithTimeout(s.T.Context(), bound)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, strings.NewReader(body))
	if err != nil {
		panic(err) // a bug of the test
	}
	req.Header.Set("Authorization", "Bearer "+s.Key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil
	}
	defer res.Body.Close()
	if answer, err = io.ReadAll(res.Body); err != nil {
		return 0, nil
	}
	return res.StatusCode, answer
}

// acknowledged says whether a request was; other statuses than those expected fail the test.
func (s *soak) acknowledged(method, path, body string, expected ...int) bool {
	status, answer := s.request(method, path, body)
	for _, other := range append(expected, 0, http.StatusOK) {
		if status == other {
			return status == http.StatusOK
		}
	}
	s.T.Errorf("%s %s: %d %s", method, path, status, answer)
	return false
}

// changeDuty writes a new reason again and again. Its change goes to the disk with what waits for that already.
func (s *soak) changeDuty(clerk *lab.Operator) {
	k := &s.kept
	k.mu.Lock()
	k.clerk = clerk
	k.mu.Unlock()
	for n := 0; s.pause(rand.N(100 * time.Millisecond)); n++ {
		reason, asked := fmt.Sprintf("reason %d", n), time.Now()
		k.mu.Lock()
		k.asked = append(k.asked, reason)
		k.mu.Unlock()
		if s.acknowledged("PATCH", "/api/v2/callcenters/operators/"+clerk.ID+"/dutystatus",
			fmt.Sprintf(`{"on_duty": false, "duty_status_reason": %q}`, reason)) {
			k.mu.Lock()
			k.duty, k.asked, k.written = reason, nil, asked
			k.mu.Unlock()
		}
	}
}

// bookCallbacks books for one number after the other, each with a phone that will answer.
func (s *soak) bookCallbacks() {
	for n := 0; s.pause(rand.N(1500 * time.Millisecond)); n++ {
		number := fmt.Sprintf("+1303555%04d", n)
		s.station.Static(number, func(c *softphone.Call) { s.operate(c) })
		if s.acknowledged("POST", "/api/v2/callback",
			fmt.Sprintf(`{"call_center_id": %q, "phone_number": %q}`, s.line.ID, number), http.StatusConflict) {
			s.kept.mu.Lock()
			s.kept.callbacks[number] = true
			s.kept.mu.Unlock()
		}
	}
}

// readLists notes what the lists show: that is acknowledged.
func (s *soak) readLists() {
	k := &s.kept
	for s.pause(500 * time.Millisecond) {
		voicemails, recordings := s.list("/api/v2/x/voicemails"), s.list("/api/v2/x/recordings")
		_, first := s.request("GET", "/api/v2/call?limit=50", "")
		k.mu.Lock()
		for _, v := range voicemails {
			k.voicemails[v.text("id")] = true
		}
		for _, r := range recordings {
			k.recordings[r.text("id")] = true
		}
		for _, c := range items(first) {
			k.calls[c.text("call_id")] = ending(c)
		}
		k.mu.Unlock()
	}
}

// ending is what of a call's leg never changes any more.
func ending(c thing) string {
	return fmt.Sprint(c["state"], c["date_started"], c["date_connected"], c["date_ended"], c["external_number"])
}

// thing is one JSON object of a list.
type thing map[string]any

func (t thing) text(key string) string {
	s, _ := t[key].(string)
	return s
}

type listing struct {
	Items  []thing `json:"items"`
	Cursor string  `json:"cursor"`
}

func items(answer []byte) []thing {
	var page listing
	if json.Unmarshal(answer, &page) != nil { // of a server that is down
		return nil
	}
	return page.Items
}

// list reads all pages; what came before the server died counts.
func (s *soak) list(path string) (all []thing) {
	for cursor := ""; ; {
		_, answer := s.request("GET", path+"?cursor="+url.QueryEscape(cursor), "")
		var page listing
		if json.Unmarshal(answer, &page) != nil {
			return all
		}
		all = append(all, page.Items...)
		if cursor = page.Cursor; cursor == "" {
			return all
		}
	}
}

// missing are the ids that a list lacks.
func (s *soak) missing(path string, ids map[string]bool) (lost []string) {
	there := map[string]bool{}
	for _, item := range s.list(path) {
		there[item.text("id")] = true
	}
	for id := range ids {
		if !there[id] {
			lost = append(lost, id)
		}
	}
	return lost
}

// lookups bounds how many calls and how much audio is asked for after each restart.
const lookups = 20

// stillThere looks for everything that was acknowledged, and for what the killed process had begun to write.
func (s *soak) stillThere(killed time.Time) {
	s.T.Helper()
	k := &s.kept
	k.mu.Lock()
	defer k.mu.Unlock()
	for path, ids := range map[string]map[string]bool{
		"/api/v2/x/voicemails": k.voicemails, "/api/v2/x/recordings": k.recordings,
	} {
		if lost := s.missing(path, ids); len(lost) > 0 {
			s.T.Errorf("%s: %v are lost", path, lost)
		}
		s.plays(path, ids)
	}
	looked := 0
	for id, want := range k.calls { // a different few each time
		if looked++; looked > lookups {
			break
		}
		status, answer := s.request("GET", "/api/v2/call/"+id, "")
		var got thing
		if err := json.Unmarshal(answer, &got); status != http.StatusOK || err != nil || ending(got) != want {
			s.T.Errorf("call %s: %d %s, was %s", id, status, answer, want)
		}
	}
	duty := s.MustAPI("GET", "/api/v2/callcenters/operators/"+k.clerk.ID+"/dutystatus", "")
	if got := duty.Text("duty_status_reason"); got != k.duty && !slices.Contains(k.asked, got) {
		s.T.Errorf("the clerk's duty says %q; %q was acknowledged, then %q asked for", got, k.duty, k.asked)
	}
	if n := s.unfinished(killed); n != 0 {
		s.T.Errorf("%d messages and recordings that the kill cut off are neither listed nor discarded", n)
	}
	s.callbacksKept()
	s.figuresKept()
	s.tapesKept(killed)
	sound(s.T, s.dir)
}

// plays gets the audio of one of them.
func (s *soak) plays(path string, ids map[string]bool) {
	s.T.Helper()
	for id := range ids {
		status, wav := s.request("GET", path+"/"+id+"/audio", "")
		if status != http.StatusOK || len(wav) < 44 {
			s.T.Errorf("play %s/%s: %d, %d bytes", path, id, status, len(wav))
		}
		return
	}
}

// callbacksKept looks for each callback that was booked: it waits, or it is over.
func (s *soak) callbacksKept() {
	s.T.Helper()
	db := open(s.T, s.dir)
	defer db.Close()
	for number := range s.kept.callbacks {
		eventually(s.T, "the callback to "+number, func() bool {
			var waits, over int
			err := db.QueryRow(`SELECT (SELECT count(*) FROM callback WHERE doc LIKE '%' || ? || '%'),
				(SELECT count(*) FROM call WHERE doc ->> 'To' = ? AND doc ->> 'Callback')`, number, number).Scan(&waits, &over)
			if err != nil {
				s.T.Fatal(err)
			}
			if over > 1 {
				s.T.Errorf("the callback to %s is over %d times", number, over)
			}
			return waits+over > 0
		})
	}
}

// unfinished counts the messages and recordings that were begun before and are not complete.
func (s *soak) unfinished(before time.Time) (n int) {
	s.T.Helper()
	db := open(s.T, s.dir)
	defer db.Close()
	if err := db.QueryRow(`SELECT (SELECT count(*) FROM voicemail WHERE NOT complete AND at < ?) +
		(SELECT count(*) FROM recording WHERE NOT complete AND at < ?)`, before.UnixNano(), before.UnixNano(),
	).Scan(&n); err != nil {
		s.T.Fatal(err)
	}
	return n
}

// balance holds the outcomes to the arrivals, once nobody calls any more: each visit that was journalled has one.
func (s *soak) balance() {
	s.T.Helper()
	db := open(s.T, s.dir)
	defer db.Close()
	eventually(s.T, "an outcome of every call that arrived", func() bool {
		var open int
		if err := db.QueryRow(`SELECT count(*) FROM journal WHERE event = 'CallArrived' AND
			CAST(json(body) ->> 'Call' AS INTEGER) NOT IN (SELECT id FROM call)`).Scan(&open); err != nil {
			s.T.Fatal(err)
		}
		return open == 0
	})
}
