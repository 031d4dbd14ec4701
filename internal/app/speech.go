package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/audio"
	"switchboard/internal/egress"
	"switchboard/internal/route"
	"switchboard/internal/speech"
	"switchboard/internal/store"
	"switchboard/internal/transcript"
	"switchboard/internal/trigger"
)

// The speech engines by the names of SpeechConfig.Engine.
const (
	engineNone   = "none"
	engineWorker = "worker"
	engineVosk   = "vosk-ws"
	engineOpenAI = "openai-http"
	engineExec   = "exec"
)

// SpeechConfig says what turns calls into text. The zero value: nothing does.
type SpeechConfig struct {
	Engine   string   // none, worker, vosk-ws, openai-http, exec; "": none
	URL      string   // of vosk-ws or openai-http
	Model    string   // worker: the folder; openai-http: the name
	Library  string   // worker: path of libvosk
	Worker   string   // worker: path of switchboard-speech; "": beside this program
	Program  []string // exec
	Key      string   // openai-http
	Language string   // openai-http
	Fold     *float64 // dB, see audio.Folder; nil: audio.DefaultFold
	Streams  int      // at a time; 0: speech.DefaultStream
}

// check says what cannot work.
func (c SpeechConfig) check() error {
	needs := map[string]bool{
		engineWorker: c.Model != "", engineVosk: c.URL != "", engineOpenAI: c.URL != "", engineExec: len(c.Program) > 0,
		engineNone: true, "": true,
	}
	complete, known := needs[c.Engine]
	switch {
	case !known:
		return fmt.Errorf("speech-engine: %q is none of none, worker, vosk-ws, openai-http, exec", c.Engine)
	case !complete && c.Engine == engineWorker:
		return errors.New("speech-model: the worker needs a folder")
	case !complete && c.Engine == engineExec:
		return errors.New("speech-program: exec needs one")
	case !complete:
		return fmt.Errorf("speech-url: %s needs one", c.Engine)
	case c.Fold != nil && (*c.Fold < audio.MinFold || *c.Fold > audio.MaxFold):
		return fmt.Errorf("speech-fold: must be from %g to %g", audio.MinFold, audio.MaxFold)
	case c.Streams < 0:
		return errors.New("speech-streams: must be positive")
	}
	return nil
}

// openSpeech makes the engine, and what keeps its words. The worker is started beside: calls do not wait for it.
func (a *App) openSpeech(ctx, background context.Context) error {
	engine, err := a.recognizer(background)
	if err != nil {
		return fmt.Errorf("speech-engine: %w", err)
	}
	streams := a.cfg.Speech.Streams
	if streams == 0 {
		streams = speech.DefaultStream
	}
	a.words, err = newTranscripts(ctx, a.cfg.DataDir, a.store, speech.Capped(engine, streams), a.cfg.Log, a.moment)
	return err
}

// eventMoment is the event of a phrase that was heard (docs/reference/triggers.md, "Events").
const eventMoment = "switchboard:call.moment"

// heardPhrase is that event as workflows get it: ids and times are numbers.
type heardPhrase struct {
	Event      string  `json:"event"` // always moment
	Call       int64   `json:"call_id"`
	Center     int64   `json:"call_center_id"`
	Operator   int64   `json:"operator_id"`
	Direction  string  `json:"direction"`
	External   string  `json:"external_number"`
	Class      string  `json:"class"`
	Phrase     string  `json:"phrase"`
	Leg        string  `json:"leg"`
	Offset     int64   `json:"offset"` // milliseconds from the start of listening
	Confidence float64 `json:"confidence"`
	Engine     string  `json:"engine"`
	Timestamp  int64   `json:"event_timestamp"`
}

// moment tells workflows of a phrase that was heard.
func (a *App) moment(call route.CallID, of store.Transcript, m transcript.Moment) {
	if !a.triggers.Wanted(eventMoment) {
		return
	}
	at := of.At.Add(m.At)
	payload, err := json.Marshal(heardPhrase{
		Event: "moment", Call: int64(call), Center: int64(of.Center), Operator: int64(of.Operator),
		Direction: of.Direction, External: of.Number, Class: m.Class, Phrase: m.Phrase, Leg: string(m.Leg),
		Offset: m.At.Milliseconds(), Confidence: m.Confidence, Engine: m.Engine, Timestamp: at.UnixMilli(),
	})
	if err != nil {
		panic("app: " + err.Error()) // our own type: it cannot fail
	}
	a.triggers.Tell(trigger.Event{
		ID:   fmt.Sprintf("%s:%d:%d:%s:%s", eventMoment, call, m.At.Milliseconds(), m.Leg, m.Phrase),
		Name: eventMoment, At: at, Payload: payload,
	})
}

func (a *App) recognizer(background context.Context) (speech.Recognizer, error) {
	c := a.cfg.Speech
	fold := audio.DefaultFold
	if c.Fold != nil {
		fold = *c.Fold
	}
	switch c.Engine {
	case engineVosk:
		client, err := a.speechClient(c.URL)
		if err != nil {
			return nil, err
		}
		return speech.NewVosk(speech.VoskConfig{URL: c.URL, Client: client, Fold: fold, Log: a.cfg.Log})
	case engineOpenAI:
		client, err := a.speechClient(c.URL)
		if err != nil {
			return nil, err
		}
		return speech.NewOpenAI(speech.OpenAIConfig{
			URL: c.URL, Key: c.Key, Model: c.Model, Language: c.Language, Client: client, Log: a.cfg.Log,
		})
	case engineExec:
		return speech.NewExec(speech.ExecConfig{Program: c.Program, Spool: a.cfg.DataDir, Log: a.cfg.Log})
	case engineWorker:
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		a.wg.Go(func() { a.keepWorker(background, address) })
		return speech.NewVosk(speech.VoskConfig{
			URL: "ws://" + address, Client: http.DefaultClient, Fold: fold, Log: a.cfg.Log,
		})
	}
	return speech.None{}, nil
}

// speechClient goes through the address guard. What the owner names on this host's loopback is allowed by that: nobody
// else chose the address.
func (a *App) speechClient(address string) (*http.Client, error) {
	at, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	allow := a.cfg.EgressAllow
	host := at.Hostname()
	ip, err := netip.ParseAddr(host)
	if local := host == "localhost" || err == nil && ip.IsLoopback(); local && at.Port() != "" {
		allow = append([]string{net.JoinHostPort(host, at.Port())}, allow...)
	}
	guard, err := egress.New(allow)
	if err == nil {
		guard, err = guard.Through(a.cfg.EgressProxy)
	}
	if err != nil {
		return nil, err
	}
	return guard.Client(0), nil
}

// freeAddress is one of loopback that the worker can have, also when it is started again.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// How soon a worker that ended is started again.
const (
	workerSoon  = time.Second
	workerLater = time.Minute
	workerGood  = time.Minute // who ran so long is started again soon
)

// keepWorker has a worker run until the context ends.
func (a *App) keepWorker(ctx context.Context, address string) {
	wait := workerSoon
	for ctx.Err() == nil {
		began := time.Now()
		worker, err := speech.StartWorker(ctx, speech.WorkerConfig{
			Program: a.cfg.Speech.Worker, Library: a.cfg.Speech.Library, Model: a.cfg.Speech.Model, Listen: address,
			Streams: a.cfg.Speech.Streams, Errors: os.Stderr,
		})
		if err == nil {
			a.worker.Store(worker)
			select {
			case <-worker.Ended():
				err = errors.New("it ended")
			case <-ctx.Done():
			}
			a.worker.Store(nil)
			worker.Close()
		}
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > workerGood {
			wait = workerSoon
		}
		a.cfg.Log.Error("the speech worker does not run", "error", err, "again", wait)
		a.warn("The speech worker does not run: calls have no text meanwhile. " + strings.TrimSuffix(err.Error(), ".") + ".")
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		wait = min(2*wait, workerLater)
	}
}

// SpeechWorker is the process of the worker, 0 while there is none.
func (a *App) SpeechWorker() int {
	if worker := a.worker.Load(); worker != nil {
		return worker.PID()
	}
	return 0
}
