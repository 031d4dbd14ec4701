package console

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"switchboard/internal/engine"
)

// events is the stream of one page: "reset" and "update" events whose id is the sequence number, a "beat" in every
// silence, and "signed-out" when the session ends (docs/guides/console.md).
func (c *console) events(w http.ResponseWriter, r *http.Request, session string) {
	if c.streams.Add(1) > c.maxStreams {
		c.streams.Add(-1)
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many live pages are open", http.StatusServiceUnavailable)
		return
	}
	defer c.streams.Add(-1)

	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	s := &stream{console: c, w: w, ctl: http.NewResponseController(w)}
	if !s.write([]byte("retry: 1000\n\n")) {
		return
	}
	s.run(r.Context(), session, c.Feed(c.resumeAfter(r)))
}

// resumeAfter is the sequence number that a page has seen: 0 when it comes new, or from another start of the server,
// whose numbers mean nothing here.
func (c *console) resumeAfter(r *http.Request) uint64 {
	query := r.URL.Query()
	if page := query.Get("page"); page != "" && page != c.instance {
		return 0
	}
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = query.Get("after")
	}
	after, err := strconv.ParseUint(last, 10, 64)
	if err != nil {
		return 0
	}
	return after
}

type stream struct {
	*console
	w   http.ResponseWriter
	ctl *http.ResponseController
	buf []byte
}

func (s *stream) run(ctx context.Context, session string, feed engine.Reader) {
	checked := time.Now()
	for {
		update, ok, open := s.next(ctx, feed)
		if !open {
			return
		}
		if time.Since(checked) >= s.heartbeat {
			if !s.Sessions.Valid(ctx, session) {
				s.write([]byte("event: signed-out\ndata: {}\n\n"))
				return
			}
			checked = time.Now()
		}
		if !ok {
			s.buf = appendBeat(s.buf[:0], time.Now())
		} else {
			var err error
			if s.buf, err = appendUpdate(s.buf[:0], update); err != nil {
				s.Log.Error("encode update", "seq", update.Seq, "error", err)
				return // the page reconnects and gets the next one, or a reset
			}
		}
		if !s.write(s.buf) {
			return
		}
	}
}

// next waits for an update, at most one heartbeat. Not open: the page left or the feed closed.
func (s *stream) next(ctx context.Context, feed engine.Reader) (update engine.Update, ok, open bool) {
	wait, cancel := context.WithTimeout(ctx, s.heartbeat)
	defer cancel()
	update, ok = feed.Next(wait)
	if ok {
		return update, true, true
	}
	return engine.Update{}, false, ctx.Err() == nil && wait.Err() != nil
}

// write sends and flushes. False: the page is gone, or too slow to be kept.
func (s *stream) write(b []byte) bool {
	if err := s.ctl.SetWriteDeadline(time.Now().Add(s.writeTimeout)); err != nil {
		s.Log.Debug("no write deadline on this connection", "error", err)
	}
	if _, err := s.w.Write(b); err != nil {
		s.Log.Debug("drop live page", "error", err)
		return false
	}
	if err := s.ctl.Flush(); err != nil {
		s.Log.Debug("drop live page", "error", err)
		return false
	}
	return true
}
