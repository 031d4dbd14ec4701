package media

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/voice"
)

// notes is a Listener that remembers.
type notes struct {
	mu      sync.Mutex
	sound   [voice.Legs][]int16 // at their times
	turns   []string
	open    bool
	ticks   int
	dropped uint64
	ended   chan struct{}
	bad     string
}

func newNotes() *notes { return &notes{open: true, ended: make(chan struct{})} }

func (n *notes) Frame(leg voice.Leg, at time.Duration, pcm []int16) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.open {
		n.bad = fmt.Sprintf("a frame at %s of leg %d in a gap", at, leg)
	}
	from := int(samplesIn(at))
	if more := from + len(pcm) - len(n.sound[leg]); more > 0 {
		n.sound[leg] = append(n.sound[leg], make([]int16, more)...)
	}
	copy(n.sound[leg][from:], pcm)
}

func (n *notes) Turn(_ time.Duration, state voice.State) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.turns, n.open = append(n.turns, state.Word()), state == voice.Open
}

func (n *notes) Tick(time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ticks++
}

func (n *notes) Ended(_ time.Duration, dropped uint64) {
	n.dropped = dropped
	close(n.ended)
}

func (n *notes) ticked() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ticks
}

func TestAListenerHearsBothSidesAtTheirTimes(t *testing.T) {
	x, y, px, py, _, _ := pair(t, audio.ALaw, audio.ULaw)
	n := newNotes()
	ear, err := px.pool.Listen(px, py, n)
	if err != nil {
		t.Fatal(err)
	}
	for _, ports := range [][2]*Port{{py, px}, {px, py}} {
		if _, err := px.pool.Listen(ports[0], ports[1], newNotes()); !errors.Is(err, ErrRecording) {
			t.Errorf("a second ear: %v", err)
		}
	}
	x.say(audio.Sine(50*frameSize, -20, 400))
	y.say(audio.Sine(50*frameSize, -26, 1000))
	eventually(t, "both heard", func() bool { return px.Stats().Received+py.Stats().Received == 100 })
	ear.Stop()
	<-n.ended
	if n.dropped != 0 || n.bad != "" || len(n.turns) != 0 {
		t.Errorf("dropped %d, %s, turns %v", n.dropped, n.bad, n.turns)
	}
	wantTone(t, spoken(n.sound[voice.Customer]), 400, -20)
	wantTone(t, spoken(n.sound[voice.Operator]), 1000, -26)
	again := newNotes()
	if _, err := px.pool.Listen(px, py, again); err != nil {
		t.Errorf("another ear after the first: %v", err)
	}
	py.Close()
	<-again.ended
	if _, err := px.pool.Listen(px, py, newNotes()); !errors.Is(err, ErrClosed) {
		t.Errorf("an ear on a closed port: %v", err)
	}
}

func TestWhatIsPausedIsNeverHeard(t *testing.T) {
	x, y, px, py, _, _ := pair(t, audio.ULaw, audio.ULaw)
	n := newNotes()
	ear, err := px.pool.Listen(px, py, n)
	if err != nil {
		t.Fatal(err)
	}
	say := func(hz float64) {
		before := px.Stats().Received + py.Stats().Received
		x.say(audio.Sine(10*frameSize, -20, hz))
		y.say(audio.Sine(10*frameSize, -20, hz))
		eventually(t, "both came", func() bool { return px.Stats().Received+py.Stats().Received == before+20 })
	}
	say(400)
	ear.Pause(true)
	ear.Pause(true)
	say(1000)
	ear.Pause(false)
	eventually(t, "told", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return slices.Equal(n.turns, []string{"paused", ""})
	})
	if _, err := px.Accept(x.sdp("a=sendonly\r\n")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "held", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return !n.open
	})
	say(1000)
	ear.Stop()
	<-n.ended
	if n.bad != "" || !slices.Equal(n.turns, []string{"paused", "", "held"}) {
		t.Errorf("%s, turns %q", n.bad, n.turns)
	}
	for leg, sound := range n.sound {
		if part := audio.ToneRMS(sound, 1000) * math.Sqrt(float64(len(sound))); part > 2000 {
			t.Errorf("leg %d: what was said in a gap was heard", leg)
		}
		wantTone(t, spoken(sound)[:5*frameSize], 400, -20)
	}
}

// stuck is a listener that stands still until it is let go.
type stuck struct {
	*notes
	wait chan struct{}
}

func (s stuck) Tick(at time.Duration) {
	<-s.wait
	s.notes.Tick(at)
}

func TestAListenerThatStandsStillCostsFramesNotTheCall(t *testing.T) {
	x, _, px, py, _, _ := pair(t, audio.ULaw, audio.ULaw)
	n := stuck{newNotes(), make(chan struct{})}
	ear, err := px.pool.Listen(px, py, n)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it stands still", func() bool { n.wait <- struct{}{}; return n.ticked() > 0 })
	const frames = 4 * earSlots
	for range frames / 16 {
		before := px.Stats().Received
		x.say(audio.Sine(16*frameSize, -20, 400))
		eventually(t, "frames came", func() bool { return px.Stats().Received == before+16 })
	}
	if got := py.Stats().Sent; got != frames {
		t.Errorf("%d of %d frames went on to the other side", got, frames)
	}
	ear.Stop()
	close(n.wait)
	<-n.ended
	if n.dropped < frames-2*earSlots || n.dropped > frames-earSlots {
		t.Errorf("%d frames dropped", n.dropped)
	}
}

func TestClosingThePoolEndsTheListening(t *testing.T) {
	_, _, px, py, _, _ := pair(t, audio.ULaw, audio.ULaw)
	n := newNotes()
	if _, err := px.pool.Listen(px, py, n); err != nil {
		t.Fatal(err)
	}
	px.pool.Close()
	<-n.ended
	if _, err := px.pool.Listen(px, py, newNotes()); !errors.Is(err, ErrClosed) {
		t.Errorf("an ear on a closed pool: %v", err)
	}
}
