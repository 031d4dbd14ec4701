package route

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"switchboard/internal/callcenter"
)

// TestScripts plays testdata/*.txt: facts in, orders out, one script a sentence of docs/reference/routing.md. Blocks:
// given (orders are not shown), when (shown), show (views). `-rewrite` writes what happened; the diff is the review.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := newScript(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t, s.out = t, &strings.Builder{}
			s.quiet = d.Cmd == "given"
			for line := range strings.Lines(d.Input) {
				s.line(d, strings.Fields(line))
			}
			return s.out.String()
		})
	})
}

// scriptStart is a Monday.
var scriptStart = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

type script struct {
	t         *testing.T
	m         *Machine
	now       time.Time
	out       *strings.Builder
	quiet     bool
	centers   map[string]*callcenter.Center
	operators map[string]*Operator
	names     map[callcenter.OperatorID]string
	titles    map[callcenter.ID]string
	plays     map[CallID]int
	entries   map[CallID]int // legs that were passed on
	notices   map[CallID]int // the play that says that calls are recorded
	told      map[CallID]int
	extras    callcenter.Extras
	ended     map[CallID]bool
	derived   map[string]string
	places    bool // shown
}

func newScript(t *testing.T) *script {
	return &script{
		t: t, m: New(Config{Company: 1, Seed: 1}), now: scriptStart,
		centers: map[string]*callcenter.Center{}, operators: map[string]*Operator{},
		names: map[callcenter.OperatorID]string{}, titles: map[callcenter.ID]string{},
		extras: callcenter.DefaultExtras(), plays: map[CallID]int{}, told: map[CallID]int{},
		entries: map[CallID]int{}, notices: map[CallID]int{},
		ended: map[CallID]bool{}, derived: map[string]string{},
	}
}

func (s *script) line(d *datadriven.TestData, f []string) {
	if len(f) == 0 {
		return
	}
	switch {
	case d.Cmd == "show":
		s.quiet = true
		s.step(Tick{}) // views are of the last step
		s.show(f)
	case f[0] == "advance":
		s.advance(f[1])
	case f[0] == "rules":
		s.rules(f[1:])
	case f[0] == "places":
		s.places = true
	case f[0] == "until":
		clock, err := time.Parse("Mon 15:04", f[1]+" "+f[2])
		s.must(err)
		to := time.Date(2026, 11, 22, clock.Hour(), clock.Minute(), 0, 0, time.UTC)
		for to.Weekday().String()[:3] != f[1] || to.Before(s.now) {
			to = to.AddDate(0, 0, 1)
		}
		s.advance(to.Sub(s.now).String())
	default:
		s.step(s.event(f))
	}
}

func (s *script) rules(f []string) {
	for k, v := range pairs(f) {
		switch k {
		case "max_missed":
			s.extras.MaxMissedCalls = s.number(v)
		case "short":
			s.extras.ShortAbandonSeconds = int(s.duration(v) / time.Second)
		case "extend":
			s.extras.WrapUpExtensionSeconds = s.number(v)
		case "announce":
			s.extras.AnnounceCenterName = v == "true"
		default:
			s.t.Fatalf("unknown rule %s", k)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.centers)) {
		c := s.centers[name]
		s.extras.AlertMinCalls = c.Extras.AlertMinCalls
		c.Extras = s.extras
		s.step(s.center(name, nil))
	}
}

func (s *script) must(err error) {
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *script) number(v string) int {
	n, err := strconv.Atoi(v)
	s.must(err)
	return n
}

func (s *script) duration(v string) time.Duration {
	d, err := time.ParseDuration(v)
	s.must(err)
	return d
}

func (s *script) advance(by string) {
	to := s.now.Add(s.duration(by))
	for next := s.m.Next(); !next.IsZero() && !next.After(to); next = s.m.Next() {
		s.now = next
		s.step(Tick{})
	}
	s.now = to
}

func (s *script) step(e Event) {
	for i, f := range s.m.Step(s.now, e) {
		if f.ID != (EffectID{1, s.m.Steps(), i}) {
			s.t.Fatalf("effect id %v at step %d, index %d", f.ID, s.m.Steps(), i)
		}
		s.note(f.Order)
		if !s.quiet && !s.hidden(f.Order) {
			fmt.Fprintf(s.out, "%8s %s\n", s.clock(s.now), s.named(s.text(f)))
		}
	}
	s.must(s.m.Check())
}

// note holds the orders to what every script promises: one end a call, positions that never rise.
func (s *script) note(o Order) {
	switch o := o.(type) {
	case Play:
		s.plays[o.Call] = o.ID
		if o.Phrases[0].Prompt == PromptRecordingNotice {
			s.notices[o.Call] = o.ID
		}
		for _, p := range o.Phrases {
			if p.Prompt == PromptHoldPosition {
				if was := s.told[o.Call]; was > 0 && p.Number > was {
					s.t.Fatalf("call %d was told %d, then %d", o.Call, was, p.Number)
				}
				s.told[o.Call] = p.Number
			}
		}
	case Pass:
		s.entries[o.Record.Visit]++
		s.derived[fmt.Sprint(o.Next)] = fmt.Sprintf("%d, entry %d", o.Record.Visit, s.entries[o.Record.Visit]+1)
	case End:
		if s.ended[o.Record.Visit] {
			s.t.Fatalf("call %d ended twice", o.Record.Visit)
		}
		s.ended[o.Record.Visit] = true
	}
}

func (s *script) clock(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.Sub(scriptStart).String()
}

func pairs(f []string) map[string]string {
	kv := map[string]string{}
	for _, p := range f {
		k, v, _ := strings.Cut(p, "=")
		kv[k] = v
	}
	return kv
}

func (s *script) event(f []string) Event {
	switch f[0] {
	case "center":
		return s.center(f[1], pairs(f[2:]))
	case "operator":
		return s.operator(f[1], pairs(f[2:]))
	case "member":
		return s.member(f[1], f[2], pairs(f[3:]))
	case "delete":
		if c := s.centers[f[1]]; c != nil {
			return CenterDeleted{c.ID}
		}
		return OperatorDeleted{s.operators[f[1]].ID}
	case "duty":
		return DutySet{
			Operator: s.operators[f[1]].ID, On: f[2] == "on", Reason: strings.Join(f[3:], " "), ChangedBy: "script",
		}
	case "device":
		o := s.operators[f[1]]
		return DeviceReachable{o.ID, callcenter.DeviceID(int(o.ID)*10 + s.number(f[2])), f[3] == "up"}
	case "wrapup":
		if f[2] == "end" {
			return WrapUpEnded{s.operators[f[1]].ID}
		}
		return WrapUpExtended{s.operators[f[1]].ID, s.duration(f[2])}
	case "drain":
		return Draining{}
	case "uploads":
		return PromptsUploaded{Center: s.centers[f[1]].ID, Prompts: prompts(f[2:])}
	}
	if e := s.laterEvent(f); e != nil {
		return e
	}
	return s.callEvent(f)
}

func (s *script) callEvent(f []string) Event {
	switch id := s.callOrLeg(f[1]); f[0] {
	case "call":
		var at callcenter.ID
		if c := s.centers[f[2]]; c != nil {
			at = c.ID
		}
		s.derived[strconv.Itoa(int(CallbackCall(id.Call)))] = f[1] + "b"
		e := CallArrived{Call: id.Call, Center: at, From: "+1555010" + f[1], To: "+15550000"}
		if from, ok := pairs(f[3:])["from"]; ok {
			e.From = from
		}
		return e
	case "hangup":
		if id.N > 0 {
			return LegHungUp{id}
		}
		return CallerHungUp{Call: id.Call}
	case "lost":
		return CallerHungUp{Call: id.Call, Lost: true}
	case "broken":
		return CallFailed{id.Call, "no_codec"}
	case "digit":
		return Digit{id.Call, f[2][0]}
	case "router":
		return s.routerAnswer(id.Call, f[2], pairs(f[3:]))
	case "noticed":
		return PlayDone{id.Call, s.notices[id.Call]}
	case "played":
		return PlayDone{id.Call, s.plays[id.Call]}
	case "ringing":
		return LegRinging{id}
	case "answered":
		return LegAnswered{id}
	case "failed":
		return LegFailed{id, s.number(f[2])}
	case "recorded":
		if f[2] == "error" {
			return RecordingEnded{Call: id.Call, Err: "disk full"}
		}
		d := s.duration(f[2])
		return RecordingEnded{Call: id.Call, Duration: d, Kept: d >= 2*time.Second}
	}
	s.t.Fatalf("unknown command %s", f[0])
	return nil
}
