package console

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"switchboard/internal/engine"
	"switchboard/internal/route"
)

func TestStreamSendsResetThenUpdates(t *testing.T) {
	w := start(t, nil)
	w.signIn(t)
	resp := w.open(t, "GET", "/events?page="+w.instance)
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || kind != "text/event-stream" {
		t.Fatalf("answered %d %s", resp.StatusCode, kind)
	}
	r := bufio.NewReader(resp.Body)
	if got := block(t, r); got != "retry: 1000\n" {
		t.Errorf("opening is %q", got)
	}
	w.feed.updates <- engine.Update{Seq: 7, At: time.UnixMilli(1000), Reset: true}
	if got, want := block(t, r), "event: reset\nid: 7\ndata: {\"seq\":7,\"at\":1000}\n"; got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	over := route.CallRecord{Call: 5, Outcome: route.Answered}
	w.feed.updates <- engine.Update{Seq: 8, At: time.UnixMilli(2000), Ended: []route.CallRecord{over}}
	if got, want := block(t, r), "event: update\nid: 8\ndata: {\"seq\":8,\"at\":2000,\"ended\":[{\"id\":\"5\","+
		"\"at\":0,\"outcome\":\"answered\",\"wait_ms\":0,\"path\":[]}]}\n"; got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	close(w.feed.updates)
	if rest, err := r.ReadString('\n'); err == nil {
		t.Errorf("the feed closed and the stream went on: %q", rest)
	}
}

func TestStreamResumes(t *testing.T) {
	w := start(t, nil)
	for _, c := range []struct {
		name, query, last string
		want              uint64
	}{
		{"a new page", "?page=" + w.instance, "", 0},
		{"the browser reconnects", "?page=" + w.instance, "41", 41},
		{"the page reconnects", "?page=" + w.instance + "&after=42", "", 42},
		{"the newer of both is the browser's", "?page=" + w.instance + "&after=42", "50", 50},
		{"a page of another start of the server", "?page=OTHER&after=42", "50", 0},
		{"a client that is no page", "", "43", 43},
		{"garbage", "?after=-3", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), "GET", "http://host/events"+c.query, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.last != "" {
				req.Header.Set("Last-Event-ID", c.last)
			}
			if got := w.resumeAfter(req); got != c.want {
				t.Errorf("resumes after %d, want %d", got, c.want)
			}
		})
	}
	w.signIn(t)
	resp := w.open(t, "GET", "/events?page="+w.instance, "Last-Event-ID", "41")
	defer resp.Body.Close()
	r := bufio.NewReader(resp.Body)
	block(t, r)
	w.feed.updates <- engine.Update{Seq: 42}
	block(t, r)
	if asked := w.feed.after(); len(asked) != 1 || asked[0] != 41 {
		t.Errorf("the feed was asked for what follows %v, want 41", asked)
	}
}

func TestSilenceIsFilledWithHeartbeats(t *testing.T) {
	w := start(t, func(c *console) { c.heartbeat = 5 * time.Millisecond })
	w.signIn(t)
	resp := w.open(t, "GET", "/events")
	defer resp.Body.Close()
	r := bufio.NewReader(resp.Body)
	block(t, r)
	for range 3 {
		if got := block(t, r); !strings.HasPrefix(got, ": heartbeat\nevent: beat\ndata: {\"at\":") {
			t.Fatalf("got %q", got)
		}
	}
	if err := w.sessions.SignOut(t.Context(), "c0ffee"); err != nil {
		t.Fatal(err)
	}
	for {
		got := block(t, r)
		if strings.HasPrefix(got, "event: signed-out\n") {
			break
		}
		if !strings.HasPrefix(got, ": heartbeat\n") {
			t.Fatalf("got %q", got)
		}
	}
	if rest, err := r.ReadString('\n'); err == nil {
		t.Errorf("the session ended and the stream went on: %q", rest)
	}
}

func TestSlowReaderIsDropped(t *testing.T) {
	w := start(t, func(c *console) { c.writeTimeout = 20 * time.Millisecond })
	w.signIn(t)
	conn, err := net.Dial("tcp", w.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := "GET /events HTTP/1.1\r\nHost: host\r\nCookie: switchboard=c0ffee\r\n\r\n"
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	big := engine.Update{Calls: []route.CallView{{ID: 1, From: strings.Repeat("9", 1<<20)}}}
	for fed := false; ; { // never read: the socket's buffers fill, a write times out, the stream leaves
		select {
		case w.feed.updates <- big:
			fed = true
			continue
		case <-time.After(10 * time.Millisecond):
		}
		if fed && w.streams.Load() == 0 {
			return // the test's own limit ends the wait for a stream that stays
		}
	}
}

func TestStreamsAreLimited(t *testing.T) {
	w := start(t, func(c *console) { c.maxStreams = 2 })
	w.signIn(t)
	for range 2 {
		resp := w.open(t, "GET", "/events")
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("a stream within the limit got %d", resp.StatusCode)
		}
	}
	resp, _ := w.do(t, "GET", "/events")
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("the stream past the limit got %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	if n := w.streams.Load(); n != 2 {
		t.Errorf("%d streams counted, want 2", n)
	}
}
