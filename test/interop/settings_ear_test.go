package interop

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"switchboard/internal/audio"
	"switchboard/internal/softphone"
)

const (
	frame       = audio.Rate / 50 // samples of 20 ms, as packets carry them
	frameTime   = 20 * time.Millisecond
	eventType   = 101 // telephone events, in test/sipp/heard.xml
	voiceLevel  = -16.0
	probeFrames = 20  // of a prompt that are looked for
	enoughHeard = 0.7 // of them: a busy machine loses packets
)

// ear is the far end of a sipp caller's audio: a plain socket, none of the server's own code for media.
type ear struct {
	t    testing.TB
	conn *net.UDPConn
	wg   sync.WaitGroup

	mu     sync.Mutex
	server netip.AddrPort
	heard  []byte // mu-law, in order of arrival
	more   chan struct{}
	out    rtp.Header
	busy   bool // says or presses something; else it sends silence, as phones do
}

func newEar(t testing.TB) *ear {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	e := &ear{t: t, conn: conn, more: make(chan struct{})}
	e.out = rtp.Header{Version: 2, SSRC: rand.Uint32(), SequenceNumber: uint16(rand.Uint32())}
	e.wg.Go(e.listen)
	t.Cleanup(func() {
		_ = conn.Close()
		e.wg.Wait()
	})
	return e
}

func (e *ear) port() int { return e.conn.LocalAddr().(*net.UDPAddr).Port }

func (e *ear) listen() {
	buffer := make([]byte, 2048)
	for {
		n, from, err := e.conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		var packet rtp.Packet
		if packet.Unmarshal(buffer[:n]) != nil || packet.PayloadType != 0 {
			continue
		}
		e.mu.Lock()
		e.server = from
		e.heard = append(e.heard, packet.Payload...)
		close(e.more)
		e.more = make(chan struct{})
		if !e.busy {
			e.send(0, false, audio.Pause(frame))
			e.out.Timestamp += frame
		}
		e.mu.Unlock()
	}
}

// speak sends a packet every 20 ms in place of silence, once it is known where to.
func (e *ear) speak(packets int, next func(i int)) {
	e.until("anything", func([]byte) bool { return e.server.IsValid() })
	e.mu.Lock()
	e.busy = true
	e.mu.Unlock()
	ticker := time.NewTicker(frameTime)
	defer ticker.Stop()
	for i := range packets {
		<-ticker.C
		e.mu.Lock()
		next(i)
		e.mu.Unlock()
	}
	e.mu.Lock()
	e.busy = false
	e.mu.Unlock()
}

// until waits for audio that satisfies.
func (e *ear) until(what string, holds func(heard []byte) bool) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), patience)
	defer cancel()
	for {
		e.mu.Lock()
		ok, more, n := holds(e.heard), e.more, len(e.heard)
		e.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-more:
			time.Sleep(5 * frameTime) // look at what came in the meantime at once
		case <-ctx.Done():
			e.t.Fatalf("heard %.1f s of audio, but waited in vain for %s", float64(n)/audio.Rate, what)
		}
	}
}

// hears waits until a prompt was heard to its end.
func (e *ear) hears(prompt string) {
	e.t.Helper()
	e.until(prompt, func(heard []byte) bool { return contains(e.t, heard, prompt) })
}

// hearsPartOf waits until the first words of a prompt were heard.
func (e *ear) hearsPartOf(prompt string) {
	e.t.Helper()
	sound, ok := soundOf(prompt)
	if !ok {
		e.t.Fatalf("there is no prompt %s", prompt)
	}
	e.until("the beginning of "+prompt, func(heard []byte) bool { return has(heard, sound[:audio.Rate/2]) })
}

// forget turns to what is heard from now on.
func (e *ear) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = nil
}

// leavesMessage speaks for three seconds after the beep, then presses #.
func (e *ear) leavesMessage() {
	e.t.Helper()
	e.hears("BEEP")
	e.say(700, 3*time.Second)
	e.press('#')
}

// neverHeard checks that none of some prompts was heard so far.
func (e *ear) neverHeard(prompts ...string) {
	e.t.Helper()
	e.mu.Lock()
	heard := bytes.Clone(e.heard)
	e.mu.Unlock()
	for _, prompt := range prompts {
		if contains(e.t, heard, prompt) {
			e.t.Errorf("the caller heard %s", prompt)
		}
	}
}

// contains looks for the frames of a prompt, in their order. They come through unchanged, as all is mu-law.
func contains(t testing.TB, heard []byte, prompt string) bool {
	t.Helper()
	sound, ok := soundOf(prompt)
	if !ok {
		t.Fatalf("there is no prompt %s", prompt)
	}
	return has(heard, sound)
}

// has looks for pieces of a sound, in their order.
func has(heard, sound []byte) bool {
	var probes [][]byte
	step := max(len(sound)/probeFrames, frame/2)
	for at := 0; at+frame/2 <= len(sound); at += step {
		probe := sound[at : at+frame/2]
		if audio.RMS(audio.DecodeAll(probe, audio.ULaw)) > 300 {
			probes = append(probes, probe)
		}
	}
	found, rest := 0, heard
	for _, probe := range probes {
		if at := bytes.Index(rest, probe); at >= 0 {
			found++
			rest = rest[at+len(probe):]
		}
	}
	return len(probes) > 0 && float64(found) >= enoughHeard*float64(len(probes))
}

func soundOf(prompt string) ([]byte, bool) {
	if prompt == "BEEP" {
		return audio.Beep(), true
	}
	return audio.Prompt(prompt)
}

// hearsSound waits for so much audio that is not silence, such as music.
func (e *ear) hearsSound(length time.Duration) {
	e.t.Helper()
	e.mu.Lock()
	from := len(e.heard)
	e.mu.Unlock()
	want := int(length/frameTime) * frame
	e.until(fmt.Sprintf("%s of sound", length), func(heard []byte) bool {
		fresh := heard[from:]
		return len(fresh) >= want && audio.RMS(audio.DecodeAll(fresh, audio.ULaw)) > 300
	})
}

// send sends one packet to where the audio came from. The lock is held.
func (e *ear) send(kind uint8, marker bool, payload []byte) {
	e.out.PayloadType, e.out.Marker = kind, marker
	e.out.SequenceNumber++
	packet := rtp.Packet{Header: e.out, Payload: payload}
	wire, err := packet.Marshal()
	if err != nil {
		e.t.Error(err)
		return
	}
	_, _ = e.conn.WriteToUDPAddrPort(wire, e.server) // a server that hung up shows elsewhere
}

// say talks a tone.
func (e *ear) say(hz float64, length time.Duration) {
	packets := int(length / frameTime)
	sound := audio.EncodeAll(audio.Sine(packets*frame, voiceLevel, hz), audio.ULaw)
	e.speak(packets, func(i int) {
		e.send(0, i == 0, sound[i*frame:(i+1)*frame])
		e.out.Timestamp += frame
	})
}

// press sends a digit as RFC 4733 has it: updates while it is held, the end three times.
func (e *ear) press(digit byte) {
	event := byte(bytes.IndexByte([]byte("0123456789*#"), digit))
	e.speak(7, func(i int) {
		held, end := uint16(min(i+1, 5)*frame), byte(0)
		if i >= 4 {
			end = 0x80
		}
		e.send(eventType, i == 0, []byte{event, end | 10, byte(held >> 8), byte(held)})
		if i == 6 {
			e.out.Timestamp += 8 * frame
		}
	})
}

// hearsFrom has an operator speak a tone until the caller hears it: the two are connected.
func (e *ear) hearsFrom(operator *softphone.Call, hz float64) {
	e.t.Helper()
	operator.Loop(note(hz))
	e.hearsTone(hz)
}

// hearsTone waits until the last half second heard is a tone.
func (e *ear) hearsTone(hz float64) {
	e.t.Helper()
	e.until(fmt.Sprintf("a tone of %.0f Hz", hz), func(heard []byte) bool { return endsInTone(heard, hz) })
}

// isTone says that most of what is heard is of one frequency.
func isTone(samples []int16, hz float64) bool {
	all := audio.RMS(samples)
	return all > 300 && audio.ToneRMS(samples, hz) > 0.8*all
}

func TestTheEarTellsPromptsApart(t *testing.T) {
	t.Parallel()
	for _, said := range audio.PromptNames() {
		sound, _ := audio.Prompt(said)
		for _, other := range audio.PromptNames() {
			if contains(t, sound, other) != (said == other) {
				t.Errorf("hearing %s, the ear took it for %s: %t", said, other, said != other)
			}
		}
	}
}
