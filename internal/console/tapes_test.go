package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// shelf holds tapes 1 to 3; tape 2 is still being recorded.
type shelf struct {
	mu     sync.Mutex
	heard  map[int64][]Hearing
	broken bool
}

var sound = []byte("RIFF 16 bytes of sound")

func (s *shelf) List(_ context.Context, behind string, limit int) ([]Tape, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := int64(3)
	if behind != "" {
		if _, err := fmt.Sscanf(behind, "after-%d", &from); err != nil {
			return nil, "", ErrPlace
		}
		from--
	}
	var tapes []Tape
	for n := from; n > 0 && len(tapes) < limit; n-- {
		tapes = append(tapes, Tape{
			ID: n, Call: 50, Center: 4, Number: "+1555", At: time.UnixMilli(n), Length: time.Second, Complete: n != 2,
			Heard: s.heard[n],
		})
	}
	if left := from - int64(len(tapes)); left > 0 {
		return tapes, fmt.Sprintf("after-%d", left+1), nil
	}
	return tapes, "", nil
}

type closer struct{ *bytes.Reader }

func (closer) Close() error { return nil }

func (s *shelf) Open(_ context.Context, id int64) (io.ReadSeekCloser, error) {
	if id != 1 && id != 3 {
		return nil, ErrNoTape
	}
	return closer{bytes.NewReader(sound)}, nil
}

func (s *shelf) Heard(_ context.Context, id int64, by string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return errors.New("disk full")
	}
	if s.heard == nil {
		s.heard = map[int64][]Hearing{}
	}
	s.heard[id] = append(s.heard[id], Hearing{At: time.UnixMilli(9), By: by})
	return nil
}

func (s *shelf) times(id int64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.heard[id])
}

func startShelf(t *testing.T) (*world, *shelf) {
	t.Helper()
	s := new(shelf)
	w := start(t, func(c *console) { c.Voicemails, c.Recordings = s, new(shelf) })
	w.signIn(t)
	return w, s
}

func TestTapesNeedASession(t *testing.T) {
	w := start(t, func(c *console) { c.Voicemails, c.Recordings = new(shelf), new(shelf) })
	for _, path := range []string{"/voicemails", "/voicemails/1/audio", "/recordings", "/recordings/1/audio"} {
		if resp, _ := w.do(t, "GET", path); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a session answered %d", path, resp.StatusCode)
		}
	}
}

func TestTapesAreListedInPages(t *testing.T) {
	w, _ := startShelf(t)
	resp, body := w.do(t, "GET", "/voicemails?limit=2")
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("answered %d %v", resp.StatusCode, resp.Header)
	}
	want := `{"you":"` + listener("c0ffee") + `","items":[` +
		`{"id":"3","call":"50","center":"4","number":"+1555","at":3,"length_ms":1000,"complete":true,"heard":[]},` +
		`{"id":"2","call":"50","center":"4","number":"+1555","at":2,"length_ms":1000,"complete":false,"heard":[]}],` +
		`"next":"after-2"}`
	if body != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
	if _, body = w.do(t, "GET", "/voicemails?behind=after-2"); !strings.Contains(body, `"items":[{"id":"1"`) ||
		strings.Contains(body, "next") {
		t.Errorf("the second page is %s", body)
	}
	for query, status := range map[string]int{
		"limit=0": 400, "limit=1": 200, "limit=100": 200, "limit=101": 400, "limit=x": 400, "behind=nowhere": 400,
		"behind=" + strings.Repeat("1", MaxPlaceBytes+1): 400,
	} {
		if resp, body := w.do(t, "GET", "/recordings?"+query); resp.StatusCode != status {
			t.Errorf("%s answered %d %s, want %d", query, resp.StatusCode, body, status)
		}
	}
}

func TestListeningIsNotedOnceHoweverManyPieces(t *testing.T) {
	w, s := startShelf(t)
	if resp, _ := w.do(t, "HEAD", "/voicemails/1/audio"); resp.StatusCode != http.StatusOK || s.times(1) != 0 {
		t.Errorf("HEAD answered %d and was noted %d times", resp.StatusCode, s.times(1))
	}
	resp, body := w.do(t, "GET", "/voicemails/1/audio", "Range", "bytes=5-8")
	if resp.StatusCode != http.StatusPartialContent || body != string(sound[5:9]) ||
		resp.Header.Get("Content-Type") != "audio/wav" {
		t.Errorf("a range answered %d %q %v", resp.StatusCode, body, resp.Header)
	}
	if resp, body = w.do(t, "GET", "/voicemails/1/audio"); resp.StatusCode != http.StatusOK || body != string(sound) {
		t.Errorf("the whole answered %d %q", resp.StatusCode, body)
	}
	if s.times(1) != 1 {
		t.Errorf("noted %d times, want once", s.times(1))
	}
	w.do(t, "GET", "/voicemails/3/audio")
	if s.times(3) != 1 {
		t.Errorf("another tape was noted %d times, want once", s.times(3))
	}
	_, body = w.do(t, "GET", "/voicemails?limit=1")
	if !strings.Contains(body, `"heard":[{"at":9,"by":"`+listener("c0ffee")+`"}]`) {
		t.Errorf("the listing does not say who heard it: %s", body)
	}
}

func TestAListeningEnds(t *testing.T) {
	var l listenings
	now := time.Unix(1000, 0)
	which := listening{"voicemail", "page 1", 1}
	for _, step := range []struct {
		after time.Duration
		begin bool
	}{{0, true}, {OneListening - 1, false}, {OneListening - 1, false}, {OneListening, true}} {
		now = now.Add(step.after)
		if got := l.begins(which, now); got != step.begin {
			t.Errorf("%s after the request before: begins %v", step.after, got)
		}
	}
	for i := range int64(maxListening) {
		l.begins(listening{"voicemail", "page 1", i + 2}, now)
	}
	if len(l.last) > maxListening {
		t.Errorf("%d listenings are remembered", len(l.last))
	}
}

func TestNothingIsPlayedThatCannotBeNoted(t *testing.T) {
	w, s := startShelf(t)
	s.broken = true
	if resp, body := w.do(t, "GET", "/voicemails/1/audio"); resp.StatusCode != http.StatusInternalServerError ||
		strings.Contains(body, "RIFF") {
		t.Errorf("answered %d %q", resp.StatusCode, body)
	}
	s.broken = false
	if w.do(t, "GET", "/voicemails/1/audio"); s.times(1) != 1 {
		t.Errorf("the next try was noted %d times, want once", s.times(1))
	}
	for _, path := range []string{"/voicemails/2/audio", "/voicemails/9/audio", "/recordings/x/audio"} {
		if resp, _ := w.do(t, "GET", path); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s answered %d", path, resp.StatusCode)
		}
	}
}
