package media

import (
	"testing"
	"time"

	"switchboard/internal/audio"
)

// listener is a phone that only hears, on a port of its own.
func listener(t *testing.T) (*phone, *Port) {
	t.Helper()
	pt := openPort(t, newPool(t, PoolConfig{}), nil)
	x := newPhone(t, audio.ULaw)
	x.call(pt)
	return x, pt
}

func TestPlayGoesOnFromClipToClipAndReportsOnce(t *testing.T) {
	x, pt := listener(t)
	clips := [][]byte{
		audio.EncodeAll(audio.Sine(100, -20, 500), audio.ULaw),
		{},
		audio.EncodeAll(audio.Sine(3000, -20, 500), audio.ULaw),
		{},
	}
	done := make(chan struct{}, 2)
	pt.Play(clips, func() { done <- struct{}{} })
	got, packets := x.hear(20)
	<-done
	if len(clips[0]) != 100 || len(clips) != 4 {
		t.Error("the caller's clips were changed")
	}
	wantContinuous(t, packets)
	if tail := got[3100:]; audio.RMS(tail) != 0 {
		t.Error("the last frame is not filled with silence")
	}
	pt.Play(nil, func() { done <- struct{}{} })
	<-done
	eventually(t, "off the clock", func() bool { pt.out.mu.Lock(); defer pt.out.mu.Unlock(); return !pt.out.active })
	if sent := pt.Stats().Sent; sent > 21 {
		t.Errorf("%d packets for 20 frames", sent)
	}
}

func TestReplacedPlayDoesNotReport(t *testing.T) {
	x, pt := listener(t)
	music := NewTrack(audio.Music())
	replaced, done := make(chan string, 4), make(chan struct{})
	for _, stop := range []func(){
		pt.Silence, pt.Ringback, func() { pt.Loop(music) },
		func() { pt.Play([][]byte{audio.Beep()}, func() { close(done) }) },
	} {
		pt.Play([][]byte{audio.Music()}, func() { replaced <- "told" })
		x.hear(2)
		stop()
	}
	<-done
	if len(replaced) != 0 {
		t.Errorf("%d replaced plays reported", len(replaced))
	}
}

func TestPlayEndsWithoutAFarSide(t *testing.T) {
	pt := openPort(t, newPool(t, PoolConfig{}), nil)
	done := make(chan struct{})
	pt.Play([][]byte{make([]byte, 3*frameSize)}, func() { close(done) })
	<-done
	if sent := pt.Stats().Sent; sent != 0 {
		t.Errorf("%d packets to nowhere", sent)
	}
}

// frames plays n frames without clock or socket.
func (p *player) frames(n int) (sound []byte, done func()) {
	for range n {
		frame := make([]byte, frameSize)
		if d := p.frame(frame); d != nil {
			done = d
		}
		sound = append(sound, frame...)
	}
	return sound, done
}

func TestMusicGoesOnWhereItStoppedAndFades(t *testing.T) {
	ramp := make([]byte, 70*frameSize+37)
	tone := audio.EncodeAll(audio.Sine(len(ramp), -20, 500), audio.ULaw)
	copy(ramp, tone)
	music := NewTrack(ramp)
	var p player
	p.loop(music)
	in, _ := p.frames(fadeSteps + 10)
	samples := audio.DecodeAll(in, audio.ULaw)
	quarter := audio.RMS(samples[10*frameSize : 11*frameSize])
	full := audio.RMS(samples[45*frameSize : 46*frameSize])
	if first := audio.RMS(samples[:frameSize]); first != 0 || quarter < full/5 || quarter > full/3 {
		t.Errorf("fades in by %.0f, %.0f, %.0f", first, quarter, full)
	}
	p.play([][]byte{tone[:frameSize]}, func() {})
	out, done := p.frames(fadeSteps/fadeOutStep + 1)
	if done == nil || p.busy() {
		t.Error("the clip did not follow the fade at once")
	}
	samples = audio.DecodeAll(out, audio.ULaw)
	if before := audio.RMS(samples[9*frameSize : 10*frameSize]); before > full/5 || before == 0 {
		t.Errorf("fades out to %.0f of %.0f", before, full)
	}
	place := (fadeSteps + 10 + fadeSteps/fadeOutStep) * frameSize
	if p.restAt != place {
		t.Errorf("rests at %d, want %d", p.restAt, place)
	}
	p.loop(music)
	p.volume = fadeSteps
	back, _ := p.frames(20)
	for i := range back {
		if want := ramp[(place+i)%len(ramp)]; back[i] != want {
			t.Fatalf("byte %d is %#x, want %#x", i, back[i], want)
		}
	}
	p.loop(NewTrack(ramp))
	if p.at != 0 {
		t.Error("other music does not begin at its start")
	}
}

func TestConnectStopsWhatIsHeard(t *testing.T) {
	x, y, px, py, _, _ := pair(t, audio.ULaw, audio.ULaw)
	px.Disconnect()
	told := make(chan struct{}, 1)
	px.Loop(NewTrack(audio.Music()))
	py.Play([][]byte{audio.Music()}, func() { told <- struct{}{} })
	x.hear(3)
	y.hear(3)
	px.Connect(py)
	if px.out.player.busy() || py.out.player.busy() || len(told) != 0 {
		t.Error("something still plays, or said that it ended")
	}
	if px.peer.Load() != py || py.peer.Load() != px {
		t.Error("not connected")
	}
}

func TestConnectElsewhereLeavesTheOldPeer(t *testing.T) {
	p := newPool(t, PoolConfig{})
	a, b, c := openPort(t, p, nil), openPort(t, p, nil), openPort(t, p, nil)
	a.Connect(b)
	c.Connect(a)
	if b.peer.Load() != nil || a.peer.Load() != c || c.peer.Load() != a {
		t.Error("a port has two peers, or an old one")
	}
	c.Close()
	if a.peer.Load() != nil {
		t.Error("connected to a closed port")
	}
	a.Connect(c)
	if a.peer.Load() != nil {
		t.Error("a closed port was connected")
	}
	c.Close()
	c.Play([][]byte{audio.Beep()}, nil)
	c.SendDigit('1')
	if c.out.active {
		t.Error("a closed port is on the clock")
	}
}

func TestTrackShorterThanAFrameIsRefused(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	NewTrack(make([]byte, frameSize))
	NewTrack(make([]byte, frameSize-1))
}

func TestClockSleepsWhileNobodyListens(t *testing.T) {
	x, pt := listener(t)
	for range 3 {
		pt.Play([][]byte{make([]byte, frameSize)}, nil)
		x.hear(1)
		time.Sleep(3 * slotNanos)
	}
	if got := pt.Stats().Sent; got != 3 {
		t.Errorf("%d packets, want 3", got)
	}
}
