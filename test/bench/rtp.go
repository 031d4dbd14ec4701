package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// RTP as it is sent here: 12 bytes of header, 20 ms of G.711 (RFC 3550, 5.1; RFC 3551, 4.5.14).
const (
	rtpHeader  = 12
	rtpPayload = 160
	rtpEvery   = 20 * time.Millisecond
)

// sink takes audio for any number of calls on one port, and measures how evenly each stream comes.
type sink struct {
	well *well
	done atomic.Bool
	wg   sync.WaitGroup

	mu      sync.Mutex
	on      bool
	last    map[uint32]time.Time // by SSRC
	gaps    times
	packets int
}

func openSink() (*sink, error) {
	w, err := openWell()
	if err != nil {
		return nil, err
	}
	k := &sink{well: w, last: map[uint32]time.Time{}}
	k.wg.Go(k.read)
	return k, nil
}

func (k *sink) port() uint16 { return k.well.port }

func (k *sink) close() {
	k.done.Store(true)
	k.wg.Wait()
	k.well.close()
}

func (k *sink) read() {
	for !k.done.Load() {
		k.mu.Lock()
		k.well.empty(k.take)
		k.mu.Unlock()
		time.Sleep(wellEvery)
	}
}

// take counts a packet; called with the lock held.
func (k *sink) take(b []byte, at time.Time) {
	if !k.on || len(b) < rtpHeader {
		return
	}
	source := binary.BigEndian.Uint32(b[8:])
	if last, ok := k.last[source]; ok {
		k.gaps = append(k.gaps, at.Sub(last))
	}
	k.last[source] = at
	k.packets++
}

// listen begins to measure, or ends it and gives what was found.
func (k *sink) listen(on bool) (times, int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.on = on
	gaps, packets := k.gaps, k.packets
	clear(k.last)
	k.gaps, k.packets = make(times, 0, 1<<20), 0
	return gaps, packets
}

// relayTime is how long audio flows at each number of calls.
const relayTime = 8 * time.Second

// measureRelay bridges calls whose operators send back what they hear, as the peer was measured.
func measureRelay(ctx context.Context, r *report) error {
	aims := map[int]string{
		50: "peer 43 us", 100: "peer 38 us", 200: "peer 28 us, RTT p99 2.8 ms",
		400: "<= 23 us, 0 lost, RTT p99 <= 10 ms; peer 23 us, 58 ms",
	}
	for _, n := range []int{50, 100, 200, 400} {
		if _, err := runRelay(ctx, r, n, aims[n], taken{}); err != nil {
			return err
		}
	}
	return nil
}

// measureRecorded relays as many calls not recorded and recorded, twice, since the machine's mood is part of a figure.
func measureRecorded(ctx context.Context, r *report) error {
	const calls, runs = 400, 2
	var us [2]float64
	for range runs {
		for i, recorded := range []bool{false, true} {
			each, err := runRelay(ctx, r, calls, "", taken{recorded: recorded})
			if err != nil {
				return err
			}
			us[i] += each
		}
	}
	r.add("recorded relay against relay", "<= 1.2 x; peer 1.8-1.9 x", "%.2f x: %.1f against %.1f us a packet",
		us[1]/us[0], us[1]/runs, us[0]/runs)
	return nil
}

// measureVoice relays as many calls without and with figures of their conversations, twice each.
func measureVoice(ctx context.Context, r *report) error {
	const calls, runs, packets = 400, 2, 400 * 2 * 50 // packets a second
	var us [2]float64
	for range runs {
		for i, measured := range []bool{false, true} {
			each, err := runRelay(ctx, r, calls, "", taken{measured: measured})
			if err != nil {
				return err
			}
			us[i] += each
		}
	}
	r.add("figures of 400 conversations", "<= 5 % of a core", "%.1f %% of a core: %.1f against %.1f us a packet",
		(us[1]-us[0])/runs*packets/1e6*100, us[1]/runs, us[0]/runs)
	return nil
}

// taken says what is taken of the audio besides the relay.
type taken struct {
	recorded bool
	measured bool // for the figures of the conversation
}

// noticeTime is how long a caller hears that the call is recorded, and no operator.
const noticeTime = 8 * time.Second

// runRelay gives the CPU of a packet in us.
func runRelay(ctx context.Context, r *report, n int, aim string, of taken) (each float64, err error) {
	s, c, err := startCenter(ctx, "Relay", object{
		"advanced_settings":  object{"auto_call_recording": object{"call_recording_inbound": of.recorded}},
		"voice_intelligence": object{"auto_start": of.measured},
	})
	if err != nil {
		return 0, err
	}
	desk, err := openPhones(s.sip)
	if err != nil {
		return 0, err
	}
	defer desk.close()
	callers, err := openPhones(s.sip)
	if err != nil {
		return 0, err
	}
	defer callers.close()
	t := &talkers{targets: make([]netip.AddrPort, n)}
	if err := t.open(); err != nil {
		return 0, err
	}
	defer t.close()
	desk.audio, callers.audio = portOf(t.far), portOf(t.near)
	callers.up = func(d *dialog, _ time.Time) { t.targets[d.index] = d.media }
	idle := s.usage()
	if err := s.hire(c, n, "op", desk.addr()); err != nil {
		return 0, err
	}
	dialAtRate(ctx, callers, c.number, n, rampRate/2)
	sleep(ctx, 2*time.Second)
	figure := "relay, bridged calls: %d"
	if of.measured {
		figure = "measured " + figure
	}
	if of.recorded {
		sleep(ctx, noticeTime)
		figure = "recorded " + figure
	}
	callers.mu.Lock() // the targets are written under it
	bridged := desk.Live()
	callers.mu.Unlock()
	before, read := s.usage(), s.written()
	if err := t.talk(ctx, relayTime); err != nil {
		return 0, err
	}
	after := s.usage()
	cpu, percent := after.since(before)
	each = float64(cpu.Microseconds()) / float64(max(1, t.sent+t.echoed))
	r.add(fmt.Sprintf(figure, bridged), aim,
		"CPU %.0f%%, %.1f us a packet, lost %d of %d, RTT p50 %s, p99 %s, RSS %.2f MB a call, %s written", percent, each,
		t.sent-len(t.rtt), t.sent, ms(t.rtt.at(0.5)), ms(t.rtt.at(0.99)), float64(after.rss-idle.rss)/1e6/float64(n),
		megabytes(s.written()-read))
	callers.HangUpAll()
	sleep(ctx, time.Second)
	return each, s.stop()
}

// talkers are the callers' and the operators' ends of the audio: near sends, far sends back what it hears.
type talkers struct {
	near, far *net.UDPConn
	targets   []netip.AddrPort // where the server listens to each caller

	sent, echoed int
	rtt          times
	done         atomic.Bool
	wg           sync.WaitGroup
}

func portOf(c *net.UDPConn) uint16 { return uint16(c.LocalAddr().(*net.UDPAddr).Port) }

func (t *talkers) open() (err error) {
	for _, conn := range []**net.UDPConn{&t.near, &t.far} {
		if *conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			return err
		}
		_ = (*conn).SetReadBuffer(bufferBytes)
	}
	t.wg.Go(t.echo)
	t.wg.Go(t.hear)
	return nil
}

func (t *talkers) close() {
	if t.done.Swap(true) {
		return
	}
	_ = t.near.Close()
	_ = t.far.Close()
	t.wg.Wait()
}

// packetMark stands before the time of sending, so that music and ringback are not taken for answers.
const packetMark = 0x6265_6e63

func (t *talkers) echo() {
	buf := make([]byte, 2048)
	for {
		n, from, err := t.far.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if n == rtpHeader+rtpPayload && binary.BigEndian.Uint32(buf[rtpHeader:]) == packetMark {
			if _, err := t.far.WriteToUDPAddrPort(buf[:n], from); err == nil {
				t.echoed++
			}
		}
	}
}

var epoch = time.Now()

func (t *talkers) hear() {
	buf := make([]byte, 2048)
	for {
		n, _, err := t.near.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if n == rtpHeader+rtpPayload && binary.BigEndian.Uint32(buf[rtpHeader:]) == packetMark {
			sent := time.Duration(binary.BigEndian.Uint64(buf[rtpHeader+4:]))
			t.rtt = append(t.rtt, time.Since(epoch)-sent)
		}
	}
}

// talk sends 50 packets a second to every target, spread over the 20 ms, and waits for the last answers.
func (t *talkers) talk(ctx context.Context, d time.Duration) error {
	packet := make([]byte, rtpHeader+rtpPayload)
	packet[0] = 2 << 6
	binary.BigEndian.PutUint32(packet[rtpHeader:], packetMark)
	began := time.Now()
	for frame := 0; time.Since(began) < d && ctx.Err() == nil; frame++ {
		for i, target := range t.targets {
			due := began.Add(time.Duration(frame)*rtpEvery + time.Duration(i)*rtpEvery/time.Duration(len(t.targets)))
			if wait := time.Until(due); wait > time.Millisecond/4 {
				time.Sleep(wait)
			}
			if !target.IsValid() {
				continue
			}
			binary.BigEndian.PutUint16(packet[2:], uint16(frame))
			binary.BigEndian.PutUint32(packet[4:], uint32(frame*rtpPayload))
			binary.BigEndian.PutUint32(packet[8:], uint32(i+1))
			binary.BigEndian.PutUint64(packet[rtpHeader+4:], uint64(time.Since(epoch)))
			if _, err := t.near.WriteToUDPAddrPort(packet, target); err != nil {
				return err
			}
			t.sent++
		}
	}
	sleep(ctx, time.Second/2)
	t.close()
	return nil
}
