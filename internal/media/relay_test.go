package media

import (
	"testing"
	"time"

	"switchboard/internal/audio"
)

// pair is two phones on two connected ports.
func pair(t *testing.T, a, b audio.Law) (x, y *phone, px, py *Port, ex, ey *ears) {
	t.Helper()
	p := newPool(t, PoolConfig{})
	ex, ey = newEars(), newEars()
	px, py = openPort(t, p, ex), openPort(t, p, ey)
	x, y = newPhone(t, a), newPhone(t, b)
	x.call(px)
	y.dial(py.Offer(px.Law()))
	if err := py.Complete(y.sdp()); err != nil {
		t.Fatal(err)
	}
	px.Connect(py)
	return x, y, px, py, ex, ey
}

func TestRelayCarriesSoundBothWays(t *testing.T) {
	for _, laws := range [][2]audio.Law{
		{audio.ULaw, audio.ULaw}, {audio.ALaw, audio.ALaw}, {audio.ULaw, audio.ALaw}, {audio.ALaw, audio.ULaw},
	} {
		t.Run(laws[0].String()+" "+laws[1].String(), func(t *testing.T) {
			x, y, _, _, _, _ := pair(t, laws[0], laws[1])
			x.say(audio.Sine(40*frameSize, -20, 400))
			got, packets := y.hear(40)
			wantTone(t, got, 400, -20)
			wantContinuous(t, packets)
			y.say(audio.Sine(40*frameSize, -26, 1000))
			got, packets = x.hear(40)
			wantTone(t, got, 1000, -26)
			wantContinuous(t, packets)
		})
	}
}

func TestPlayedSoundAndRelayAreOneStream(t *testing.T) {
	x, y, px, py, _, _ := pair(t, audio.ULaw, audio.ALaw)
	px.Disconnect()
	done := make(chan struct{})
	px.Play([][]byte{audio.Beep(), audio.Beep()}, func() { close(done) })
	got, packets := x.hear(40)
	wantTone(t, got, 1000, audio.SpeechLevel)
	<-done
	px.Loop(NewTrack(audio.Music()))
	_, more := x.hear(50)
	packets = append(packets, more...)
	px.Ringback()
	got, more = x.hear(50)
	packets = append(packets, more...)
	if tone := audio.ToneRMS(got[10*frameSize:], 440); tone < 1000 {
		t.Errorf("ringback has %.0f of 440 Hz", tone)
	}
	px.Connect(py)
	for range 10 {
		y.say(audio.Sine(frameSize, -20, 600))
	}
	_, more = x.hear(10) // the first ones may still be ringback that was on its way
	packets = append(packets, more...)
	wantContinuous(t, packets)
	markers := 0
	for _, p := range more {
		if p.marker {
			markers++
		}
	}
	if !packets[0].marker || markers != 1 {
		t.Errorf("the switch to the relay has %d marker bits, want 1", markers)
	}
}

func TestLateAndRepeatedPacketsKeepTheirPlace(t *testing.T) {
	x, y, _, _, _, _ := pair(t, audio.ULaw, audio.ULaw)
	var sent [][]byte
	for range 6 {
		sent = append(sent, x.packet(0, x.stamp, make([]byte, frameSize)))
		x.stamp += frameSize
	}
	for _, i := range []int{0, 1, 3, 2, 3, 5} { // 2 late, 3 twice, 4 lost
		x.send(append([]byte(nil), sent[i]...))
		time.Sleep(time.Millisecond)
	}
	_, got := y.hear(5)
	for i, want := range []uint16{0, 1, 3, 2, 5} {
		if d := got[i].seq - got[0].seq; d != want || got[i].stamp-got[0].stamp != uint32(want)*frameSize {
			t.Errorf("packet %d: step %d, want %d", i, d, want)
		}
	}
}
