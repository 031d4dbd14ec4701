package interop

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// soakEnv is how long TestKillSoak goes on, as "10m". Without it: short, and longer where all peers are driven.
const (
	soakEnv     = "SWITCHBOARD_SOAK"
	shortSoak   = 20 * time.Second
	interopSoak = 60 * time.Second
)

// What a soak is made of.
const (
	soakCallers   = 10
	soakOperators = 6
	leastLife     = 3 * time.Second // of a process, from its readiness to its end
	mostLife      = 6 * time.Second
	settled       = 300 * time.Millisecond // so long a message takes to the server's disk queue at most
)

func soakLength(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv(soakEnv)
	switch {
	case text == "" && os.Getenv("SWITCHBOARD_INTEROP") != "":
		return interopSoak
	case text == "":
		return shortSoak
	}
	length, err := time.ParseDuration(text)
	if err != nil || length <= 0 {
		t.Fatalf("%s=%q is no duration", soakEnv, text)
	}
	return length
}

// soak is a server that is killed again and again under load, and what was acknowledged by its processes.
type soak struct {
	*lab.Company
	dir     string
	process *lab.Process
	station *softphone.Station
	line    *lab.Center // operators, callbacks, recordings
	box     *lab.Center // messages
	staff   []*lab.Operator
	tapes   []tape // of the process that was killed last
	started int64  // ns: when the present one was, at the earliest

	// gate is shut while the server is down and until those who lost their call were hung up on: nobody hangs up
	// themselves then.
	gate  sync.RWMutex
	quit  chan struct{}
	once  sync.Once
	load  sync.WaitGroup
	calls atomic.Int64

	mu    sync.Mutex
	lines map[*soakLine]struct{}
	kept  kept
}

// soakLine is one softphone's side of a call.
type soakLine struct {
	call  *softphone.Call
	known bool      // the server has a dialog, not only a request
	lost  bool      // or it died before it could write that down
	since time.Time // when known last changed
	over  chan struct{}
}

// TestKillSoak kills the server at random under load. After each restart everybody who was in a call is hung up on in
// time, and what was acknowledged is there.
func TestKillSoak(t *testing.T) {
	t.Parallel()
	length := soakLength(t)
	s := newSoak(t)
	began, kills, behind := time.Now(), 0, 0
	for ; time.Since(began) < length && !t.Failed(); kills++ {
		time.Sleep(leastLife + rand.N(mostLife-leastLife))
		behind += s.killAndCheck()
	}
	s.end()
	s.balance()
	t.Logf("%d kills, %d dialogs ended after them; %d calls; acknowledged and kept: %s", kills, behind, s.calls.Load(),
		&s.kept)
	if behind == 0 || s.kept.empty() {
		t.Error("too little happened to prove anything")
	}
}

// end ends the load.
func (s *soak) end() {
	s.once.Do(func() { close(s.quit) })
	s.load.Wait()
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	dir := t.TempDir()
	process := lab.Serve(t, dir, soakFlags(t)...)
	s := &soak{
		Company: process.Company(), dir: dir, process: process, quit: make(chan struct{}),
		lines: map[*soakLine]struct{}{}, kept: newKept(),
	}
	s.station = s.Station()
	t.Cleanup(s.end) // before the softphones close
	s.MustAPI("POST", "/api/v2/x/trunks",
		fmt.Sprintf(`{"name": "loopback", "addresses": ["127.0.0.0/8"], "outbound": "sip:%s"}`, s.station.Addr()))
	s.line = s.Center("Line", `{"advanced_settings": {"auto_call_recording": {"call_recording_inbound": true}},
		"hold_queue": {"allow_queue_callback": true, "announce_position": true}}`)
	s.box = s.Center("Box", `{"routing_options": {"open": {"action": "voicemail", "try_dial_operators": false},
		"closed": {"action": "voicemail", "try_dial_operators": false}}}`)
	for i := range soakOperators {
		name := fmt.Sprintf("operator%d", i)
		o := s.Operator(name)
		s.line.Add(o, 50)
		s.station.Static(name, s.operate)
		o.StaticPhone(name, s.station.Addr())
		s.staff = append(s.staff, o)
	}
	for i := range soakCallers {
		s.load.Go(func() { s.callAgainAndAgain(i) })
	}
	clerk := s.Operator("Clerk") // in no call center: only the API puts them on and off duty
	s.load.Go(func() { s.changeDuty(clerk) })
	s.load.Go(s.bookCallbacks)
	s.load.Go(s.readLists)
	return s
}

func soakFlags(t testing.TB) []string {
	t.Helper()
	prompts := t.TempDir() // the built-in request for a message is longer than most lives
	short := audio.WriteWAV(audio.Sine(audio.Rate/4, -20, 500))
	if err := os.WriteFile(filepath.Join(prompts, "vm-intro.wav"), short, 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--prompts", prompts, "--dial-cap", "100000"}
}

// killAndCheck ends the process in the middle of whatever it does, starts the next one and looks at what that knows. It
// answers how many dialogs it had to end.
func (s *soak) killAndCheck() int {
	s.T.Helper()
	s.gate.Lock()
	defer s.gate.Unlock()
	killed := time.Now()
	s.process.Kill()
	s.tapes, s.started = s.openTapes(), time.Now().UnixNano()
	left := s.knownAt(s.kept.writtenUntil().Add(-settled))
	address := strings.TrimPrefix(s.process.URL, "http://")
	flags := append(soakFlags(s.T), "--http", address, "--sip", s.SIP.String())
	s.process = lab.Serve(s.T, s.dir, flags...)
	deadline := time.NewTimer(orphanBound)
	defer deadline.Stop()
	for i, l := range left {
		select {
		case <-l.over:
		case <-deadline.C:
			for _, l := range left[i:] {
				select {
				case <-l.over:
				default:
					s.T.Errorf("the call of %s, known for %s before the kill, was not ended within %s of the restart",
						l.call.From, killed.Sub(l.since), orphanBound)
				}
			}
			return i
		}
	}
	s.stillThere(killed)
	for _, o := range s.staff { // who missed a call by the kill went off duty
		o.Duty(true)
	}
	return len(left)
}

// knownAt are the lines that were then as they are now. The others are lost with the process that knew them: it may
// have had no time to write them down.
func (s *soak) knownAt(then time.Time) (left []*soakLine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.lines {
		if l.known && !l.lost && l.since.Before(then) {
			left = append(left, l)
		}
		l.lost = true
	}
	return left
}

// follow listens to a call until it is over.
func (s *soak) follow(call *softphone.Call, known bool) *soakLine {
	l := &soakLine{call: call, known: known, since: time.Now(), over: make(chan struct{})}
	s.calls.Add(1)
	s.mu.Lock()
	s.lines[l] = struct{}{}
	s.mu.Unlock()
	s.load.Go(func() {
		for {
			event, ok := call.Next(s.T.Context())
			if ok && event.Kind == softphone.AnsweredEvent {
				s.changed(l)
			}
			if !ok || event.Kind == softphone.EndedEvent {
				break
			}
		}
		s.mu.Lock()
		delete(s.lines, l)
		s.mu.Unlock()
		close(l.over)
	})
	return l
}

func (s *soak) changed(l *soakLine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.known, l.since = true, time.Now()
}

// while waits; false: the call is over.
func (l *soakLine) while(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.over:
		return false
	}
}

// act does something at a phone, unless the server is down: then when it is back.
func (s *soak) act(l *soakLine, do func()) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	select {
	case <-l.over:
	default:
		s.changed(l)
		do()
	}
}

// operate is how operators, and who is called back, behave: they pick up, talk, and mostly hang up themselves.
func (s *soak) operate(c *softphone.Call) {
	if !s.pause(0) {
		c.Decline(480)
		return
	}
	l := s.follow(c, true)
	if !l.while(rand.N(time.Second)) {
		return
	}
	s.act(l, c.Answer)
	c.Say(fiveSecondsOf(1000), fiveSecondsOf(1000))
	if l.while(time.Second + rand.N(4*time.Second)) {
		s.act(l, c.Hangup)
	}
}

// callAgainAndAgain is one caller after the other: who waits for an operator, and who leaves a message.
func (s *soak) callAgainAndAgain(i int) {
	for n := 0; s.pause(rand.N(500 * time.Millisecond)); n++ {
		to, stays := s.line, 5*time.Second+rand.N(8*time.Second)
		if i%3 == 0 {
			to, stays = s.box, 3*time.Second+rand.N(3*time.Second)
		}
		s.gate.RLock()
		call, err := s.station.Call(fmt.Sprintf("+1415%03d%04d", 200+i, n), to.Number)
		s.gate.RUnlock()
		if err != nil {
			s.T.Errorf("call: %v", err)
			return
		}
		l := s.follow(call, false)
		call.Say(fiveSecondsOf(400), fiveSecondsOf(400))
		if l.while(stays) {
			s.act(l, call.Hangup)
		}
	}
}

// pause waits; false: the load ends.
func (s *soak) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.quit:
		return false
	case <-timer.C:
	}
	select {
	case <-s.quit:
		return false
	default:
		return true
	}
}
