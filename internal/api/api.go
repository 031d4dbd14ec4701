// Package api answers the REST API: it checks who asks, how often and with what, turns bodies into changes of the
// settings, and records into answers, exactly as docs/reference/api.md and openapi/openapi.json say.
//
// It refuses to hold rules of call centers (package callcenter has them), to remember anything between two requests but
// the counts of its rate limits, and to answer before a change is on disk.
package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"path"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/limit"
	"switchboard/internal/problem"
	"switchboard/internal/route"
	"switchboard/internal/schema"
	"switchboard/internal/store"
	"switchboard/openapi"
)

// Settings are the stored settings and the keys.
type Settings interface {
	Snapshot() *store.Snapshot
	Update(ctx context.Context, by store.Actor, change func(*store.Tx) error) error
	Key(ctx context.Context, id string) (*store.Key, bool, error)
}

// Voicemails are the messages that callers left.
type Voicemails interface {
	Voicemails(ctx context.Context) ([]store.VoicemailRecord, error)
	Voicemail(ctx context.Context, id int64) (store.VoicemailRecord, bool, error)
	Listened(ctx context.Context, id int64, operator callcenter.OperatorID) error
	VoicemailAccessed(ctx context.Context, id int64, by store.Actor) error
	VoicemailAccesses(ctx context.Context, id int64) ([]store.Access, error)
}

// History is the history of the settings, newest first.
type History interface {
	History(ctx context.Context, kind store.Kind, id string) ([]store.Revision, error)
}

// Live is what only the running core knows. Say gives it a fact; views asked for afterwards have seen it.
type Live interface {
	CenterLive(ctx context.Context, id callcenter.ID) (route.CenterView, bool)
	OperatorLive(ctx context.Context, id callcenter.OperatorID) (route.OperatorView, bool)
	CallLive(ctx context.Context, id route.CallID) (route.CallView, bool)
	LegLive(ctx context.Context, id route.CallID) (view route.CallView, place int, ok bool) // as route.Machine.Leg
	Say(event route.Event)
}

// Calls are the legs of calls that are over, and what was attached to calls.
type Calls interface {
	CallLegs(ctx context.Context, q store.LegQuery) ([]store.CallLeg, error)
	CallLeg(ctx context.Context, id route.CallID) (store.CallLeg, bool, error)
	CallNotes(ctx context.Context, call route.CallID) (store.CallNotes, error)
	SetCallNotes(ctx context.Context, call route.CallID, notes store.CallNotes) error
	CallLabels(ctx context.Context, limit int) ([]string, error)
	VoicemailOf(ctx context.Context, call route.CallID) (store.VoicemailRecord, bool, error)
}

// Recordings are the recordings of calls.
type Recordings interface {
	Recordings(ctx context.Context, q store.RecordingQuery) ([]store.RecordingRecord, error)
	Recording(ctx context.Context, id int64) (store.RecordingRecord, bool, error)
	RecordingAccessed(ctx context.Context, id int64, by store.Actor) error
	RecordingAccesses(ctx context.Context, id int64) ([]store.Access, error)
}

// Callbacks asks the core that a number be called back in its turn. A callback that was refused has position 0, and
// refused is one of the Refused constants of package route. With dryRun nothing is queued.
type Callbacks interface {
	Ask(ctx context.Context, center callcenter.ID, number string, dryRun bool) (position int, refused string, err error)
}

// Uploads turns uploaded files into audio that callers can hear. An error of Save is about the file, and says what is
// wrong with it in words that follow its name: "is neither MP3 nor WAV". Save gives the path below the data directory.
type Uploads interface {
	Save(ctx context.Context, id callcenter.PromptID, file []byte) (path string, err error)
	Remove(path string) error
}

// DeadLetters are the events that no webhook took. Replay sends one again; false: there is none.
type DeadLetters interface {
	DeadDeliveries(ctx context.Context, after int64, limit int) ([]store.Delivery, error)
	Delivery(ctx context.Context, id int64) (store.Delivery, bool, error)
	Replay(ctx context.Context, id int64) (bool, error)
	DropDelivery(ctx context.Context, id int64) (bool, error)
}

// Phones knows which registered phones can be reached now.
type Phones interface {
	Registered(id callcenter.DeviceID) bool
}

// Config is what the API stands on. The fields up to DeadLetters are required.
type Config struct {
	Settings   Settings
	Voicemails Voicemails
	History    History
	Live       Live
	Phones     Phones
	DataDir    string // where voicemails and recordings are

	Calls         Calls
	Recordings    Recordings
	Callbacks     Callbacks
	Uploads       Uploads
	DeadLetters   DeadLetters
	Directory     Directory
	Conversations Conversations
	Tests         TestRequests
	Transcripts   Transcripts
	Speech        Speech
	PublicURL     func() string            // where a browser reaches the pages
	Dialable      func(number string) bool // whether calls to it are allowed; nil: to all

	RateLimit        int              // requests a minute per operation and key; 0: limit.DefaultPerMinute
	CompanyRateLimit int              // requests a second of the company; 0: limit.DefaultCompanyPerSecond
	Failures         *limit.Guard     // of failed authentications; nil: its own, limit.MaxAPIFailures
	Now              func() time.Time // nil: time.Now
	Log              *slog.Logger     // nil: nowhere
}

// API is the handler of /api/v2/ and /openapi.json. Safe for concurrent use.
type API struct {
	Config
	schema *schema.Schema
	mux    *http.ServeMux
	gate   *gate

	callbacks callbackLimits
	zones     sync.Map // name to *time.Location
	numbers   atomic.Pointer[numberIndex]
	bodies    sync.Map // callcenter.ID to *centerCache
}

// New makes the handler. It panics when the document and the handlers do not have the same operations: that is a
// mistake in the program.
func New(config Config) *API {
	if config.RateLimit == 0 {
		config.RateLimit = limit.DefaultPerMinute
	}
	if config.CompanyRateLimit == 0 {
		config.CompanyRateLimit = limit.DefaultCompanyPerSecond
	}
	if config.Failures == nil {
		config.Failures = limit.NewGuard(limit.MaxAPIFailures)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	document, err := schema.Load(openapi.JSON)
	if err != nil {
		panic(fmt.Sprintf("api: %v", err))
	}
	a := &API{Config: config, schema: document, mux: http.NewServeMux()}
	a.gate = newGate(config.RateLimit, config.CompanyRateLimit)
	a.callbacks = newCallbackLimits(config.RateLimit)
	a.mount()
	return a
}

// ServeHTTP answers one request. A panic below becomes a 500 and a line in the log, and harms no other request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := a.Now()
	seen := &recorder{ResponseWriter: w}
	who := new(string)
	defer func() {
		if cause := recover(); cause != nil {
			if cause == http.ErrAbortHandler {
				panic(cause)
			}
			a.Log.Error("a request panicked", "method", r.Method, "path", r.URL.Path, "cause", cause,
				"stack", string(debug.Stack()))
			if seen.status == 0 {
				problem.New(problem.Internal, "").Write(seen, r)
			}
		}
		// Neither the query, which may hold the key, nor any header.
		a.Log.Info("request", "method", r.Method, "path", r.URL.Path, "status", seen.status,
			"duration", a.Now().Sub(started), "key", *who)
	}()
	r = r.WithContext(context.WithValue(r.Context(), keyOfLog{}, who))
	if path.Clean(r.URL.Path) != r.URL.Path {
		a.serve(seen, r, nil) // ServeMux would redirect, and a redirected PATCH becomes a GET
		return
	}
	a.mux.ServeHTTP(seen, r)
}

// keyOfLog finds where the id of the request's key goes for the log.
type keyOfLog struct{}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write notes that the status is 200 when none was set.
func (r *recorder) Write(body []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(body)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func addressOf(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // a listener without addresses: all of its clients count as one
	}
	return at.Addr()
}

// location loads a time zone once. A zone that this host does not know counts as UTC.
func (a *API) location(name string) *time.Location {
	if known, ok := a.zones.Load(name); ok {
		return known.(*time.Location)
	}
	loc, err := callcenter.ParseTimezone(name)
	if err != nil {
		loc = time.UTC
	}
	a.zones.Store(name, loc)
	return loc
}
