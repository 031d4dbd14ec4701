package console

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// The limits of listening.
const (
	// MaxTapes is how many voicemails or recordings one listing holds, and DefaultTapes how many unless asked.
	MaxTapes     = 100
	DefaultTapes = 20
	// MaxPlaceBytes is the longest place in a listing that is looked at.
	MaxPlaceBytes = 64
	// OneListening is the longest pause between two requests of one listening: a browser asks for a tape piece by
	// piece, and whoever pauses or goes back is still the same listener.
	OneListening = 10 * time.Minute
	// maxListening bounds the listenings that are remembered. With more, one of them may be noted twice.
	maxListening = 10_000
)

// ErrNoTape says that there is no such voicemail or recording, or not any more, or none that is complete.
var ErrNoTape = errors.New("no such tape")

// ErrPlace says that a listing cannot go on from there.
var ErrPlace = errors.New("no such place in the listing")

// Shelf keeps one kind of recorded audio: voicemails, or recordings of calls.
type Shelf interface {
	// List gives tapes, newest first: at most limit of those behind a place, of all for "". The place of the next page
	// is "" where there is none. The error is ErrPlace for a place that no listing gave.
	List(ctx context.Context, behind string, limit int) (tapes []Tape, next string, err error)
	// Open opens the audio, a WAV file, of a complete tape; else the error is ErrNoTape.
	Open(ctx context.Context, id int64) (io.ReadSeekCloser, error)
	// Heard notes durably that somebody listens: it comes before the first byte is sent.
	Heard(ctx context.Context, id int64, by string) error
}

// Tape is a voicemail or a recording, as the page lists it. Zero fields do not apply.
type Tape struct {
	ID        int64
	Call      route.CallID
	Center    callcenter.ID
	Operator  callcenter.OperatorID // who talked, or whose box it is
	Number    string                // of the far side; "": withheld
	Direction string                // of a recorded call: route.Inbound or route.Outbound
	Reason    string                // of a voicemail: why the caller came to leave it
	At        time.Time             // when it began
	Length    time.Duration
	Complete  bool // false: going on
	Heard     []Hearing
}

// Hearing is one time that somebody listened, oldest first in a list.
type Hearing struct {
	At time.Time
	By string
}

type (
	wireTapes struct {
		You   string     `json:"you"` // as this session is named among those who heard
		Items []wireTape `json:"items"`
		Next  string     `json:"next,omitzero"`
	}
	wireTape struct {
		ID        string        `json:"id"`
		Call      string        `json:"call,omitzero"`
		Center    string        `json:"center,omitzero"`
		Operator  string        `json:"operator,omitzero"`
		Number    string        `json:"number,omitzero"`
		Direction string        `json:"direction,omitzero"`
		Reason    string        `json:"reason,omitzero"`
		At        int64         `json:"at"`
		LengthMS  int64         `json:"length_ms"`
		Complete  bool          `json:"complete"`
		Heard     []wireHearing `json:"heard"`
	}
	wireHearing struct {
		At int64  `json:"at"`
		By string `json:"by"`
	}
)

func toTape(t Tape) wireTape {
	return wireTape{
		ID: id(t.ID), Call: id(t.Call), Center: id(t.Center), Operator: id(t.Operator), Number: t.Number,
		Direction: t.Direction, Reason: t.Reason, At: millis(t.At), LengthMS: t.Length.Milliseconds(),
		Complete: t.Complete,
		Heard:    each(t.Heard, func(h Hearing) wireHearing { return wireHearing{At: millis(h.At), By: h.By} }),
	}
}

// listener names a session among those who listened: enough of a hash to tell browsers apart, too little to be one.
func listener(session string) string {
	sum := sha256.Sum256([]byte("listener " + session))
	return "page " + hex.EncodeToString(sum[:4])
}

// listenings remembers who listens to what, so that the pieces of one listening are noted once.
type listenings struct {
	mu   sync.Mutex
	last map[listening]time.Time
}

type listening struct {
	shelf, by string
	id        int64
}

// begins says whether a request is the first of a listening. A listening that could not be noted is to be forgotten.
func (l *listenings) begins(which listening, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil || len(l.last) >= maxListening {
		l.last = map[listening]time.Time{}
	}
	before, known := l.last[which]
	l.last[which] = now
	return !known || now.Sub(before) >= OneListening
}

func (l *listenings) forget(which listening) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.last, which)
}

// listTapes answers one page of a shelf.
func (c *console) listTapes(shelf Shelf) http.HandlerFunc {
	return c.signedInOnly(func(w http.ResponseWriter, r *http.Request, session string) {
		query := r.URL.Query()
		limit := DefaultTapes
		if asked := query.Get("limit"); asked != "" {
			n, err := strconv.Atoi(asked)
			if err != nil || n < 1 || n > MaxTapes {
				http.Error(w, "limit: a whole number from 1 to "+strconv.Itoa(MaxTapes), http.StatusBadRequest)
				return
			}
			limit = n
		}
		behind := query.Get("behind")
		var tapes []Tape
		var next string
		err := ErrPlace
		if len(behind) <= MaxPlaceBytes {
			tapes, next, err = shelf.List(r.Context(), behind, limit)
		}
		if err != nil {
			c.shelfFailed(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		answer := wireTapes{You: listener(session), Items: each(tapes, toTape), Next: next}
		if err := json.MarshalWrite(w, answer, jsontext.AllowInvalidUTF8(true)); err != nil {
			c.Log.Debug("write a listing of tapes", "error", err)
		}
	})
}

// playTape sends the audio, or the range of it that is asked for, and notes who listens.
func (c *console) playTape(name string, shelf Shelf) http.HandlerFunc {
	return c.signedInOnly(func(w http.ResponseWriter, r *http.Request, session string) {
		number, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil {
			c.shelfFailed(w, ErrNoTape)
			return
		}
		audio, err := shelf.Open(r.Context(), number)
		if err != nil {
			c.shelfFailed(w, err)
			return
		}
		defer func() { _ = audio.Close() }() // it was only read
		by := listener(session)
		which := listening{shelf: name, by: by, id: number}
		if r.Method == http.MethodGet && c.listens.begins(which, time.Now()) {
			if err := shelf.Heard(r.Context(), number, by); err != nil {
				c.listens.forget(which)
				c.shelfFailed(w, err)
				return
			}
		}
		h := w.Header()
		h.Set("Content-Type", "audio/wav")
		h.Set("Cache-Control", "private, no-cache")
		h.Set("ETag", `"`+strconv.FormatInt(number, 10)+`"`) // a complete tape never changes
		h.Set("Content-Disposition", `inline; filename="`+name+"-"+strconv.FormatInt(number, 10)+`.wav"`)
		http.ServeContent(w, r, "", time.Time{}, audio)
	})
}

func (c *console) shelfFailed(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, ErrPlace):
		http.Error(w, "behind: "+ErrPlace.Error(), http.StatusBadRequest)
	case errors.Is(err, ErrNoTape):
		http.Error(w, "there is no such voicemail or recording", http.StatusNotFound)
	default:
		c.Log.Error("read voicemails or recordings", "error", err)
		http.Error(w, "it cannot be read now; the server's log says why", http.StatusInternalServerError)
	}
}

// signedInOnly lets a request through with the session that it carries.
func (c *console) signedInOnly(next func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		session := Session(r, c.Secure)
		if session == "" || !c.Sessions.Valid(r.Context(), session) {
			http.Error(w, "sign in first", http.StatusUnauthorized)
			return
		}
		next(w, r, session)
	}
}
