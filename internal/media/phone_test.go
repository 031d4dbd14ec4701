package media

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/audio"
)

var loopback = netip.MustParseAddr("127.0.0.1")

func newPool(t testing.TB, c PoolConfig) *Pool {
	t.Helper()
	if !c.Host.IsValid() {
		c.Host = loopback
	}
	p, err := NewPool(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// ears is a Handler that remembers.
type ears struct {
	mu     sync.Mutex
	digits string
	silent int
	heard  chan struct{}
}

func newEars() *ears { return &ears{heard: make(chan struct{}, 100)} }

func (e *ears) Digit(d byte) {
	e.mu.Lock()
	e.digits += string(d)
	e.mu.Unlock()
	e.heard <- struct{}{}
}

func (e *ears) Silent() {
	e.mu.Lock()
	e.silent++
	e.mu.Unlock()
	e.heard <- struct{}{}
}

func (e *ears) pressed() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.digits
}

func openPort(t testing.TB, p *Pool, h Handler) *Port {
	t.Helper()
	pt, err := p.Open(h)
	if err != nil {
		t.Fatal(err)
	}
	return pt
}

// phone is a far side: one socket that speaks RTP.
type phone struct {
	t     testing.TB
	conn  *net.UDPConn
	port  netip.AddrPort // of ours that it talks to
	law   audio.Law
	event uint8
	ssrc  uint32
	seq   uint16
	stamp uint32
}

func newPhone(t testing.TB, law audio.Law) *phone {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &phone{t: t, conn: conn, law: law, event: 101, ssrc: 7, seq: 65530, stamp: 1 << 31}
}

func (f *phone) addr() netip.AddrPort { return f.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (f *phone) kind() uint8 { return [...]uint8{0, 8}[f.law] }

// sdp is the phone's description, with extra lines in its media.
func (f *phone) sdp(extra ...string) []byte {
	return fmt.Appendf(nil, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"+
		"m=audio %d RTP/AVP %d %d\r\na=rtpmap:%d telephone-event/8000\r\n%s",
		f.addr().Port(), f.kind(), f.event, f.event, strings.Join(extra, ""))
}

// call lets the phone offer and the port accept.
func (f *phone) call(pt *Port, extra ...string) string {
	f.t.Helper()
	answer, err := pt.Accept(f.sdp(extra...))
	if err != nil {
		f.t.Fatal(err)
	}
	f.dial(answer)
	return string(answer)
}

func (f *phone) dial(theirs []byte) {
	f.t.Helper()
	d, err := parseSDP(theirs)
	if err != nil {
		f.t.Fatal(err)
	}
	f.port = netip.AddrPortFrom(d.media[0].addr, uint16(d.media[0].port))
}

func (f *phone) packet(kind uint8, stamp uint32, payload []byte) []byte {
	b := make([]byte, headerSize, headerSize+len(payload))
	putHeader(b, false, kind, f.seq, stamp, f.ssrc)
	f.seq++
	return append(b, payload...)
}

func (f *phone) send(b []byte) {
	f.t.Helper()
	if _, err := f.conn.WriteToUDPAddrPort(b, f.port); err != nil {
		f.t.Fatal(err)
	}
}

// say sends samples in frames of 20 ms, faster than real time.
func (f *phone) say(samples []int16) {
	f.t.Helper()
	for ; len(samples) >= frameSize; samples = samples[frameSize:] {
		f.send(f.packet(f.kind(), f.stamp, audio.EncodeAll(samples[:frameSize], f.law)))
		f.stamp += frameSize
		time.Sleep(time.Millisecond / 2)
	}
}

// press sends a key as phones do: three times down, three times the end.
func (f *phone) press(digit byte) {
	f.t.Helper()
	code := byte(strings.IndexByte(keyNames, digit))
	for i := range 6 {
		payload := []byte{code, 10, 0, 0}
		if i >= 3 {
			payload[1] |= 0x80
		}
		binary.BigEndian.PutUint16(payload[2:], uint16(min(i+1, 3)*frameSize))
		f.send(f.packet(f.event, f.stamp, payload))
	}
	f.stamp += 6 * frameSize
}

type heard struct {
	packet
	payload []byte
	from    netip.AddrPort
}

// next waits for a packet.
func (f *phone) next() heard {
	f.t.Helper()
	buf := make([]byte, 2000)
	f.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, from, err := f.conn.ReadFromUDPAddrPort(buf)
	if err != nil {
		f.t.Fatalf("phone hears nothing: %v", err)
	}
	p, ok := parsePacket(buf[:n])
	if !ok {
		f.t.Fatalf("phone gets no RTP: % x", buf[:n])
	}
	return heard{p, buf[p.start:p.end], from}
}

// hear waits for n packets of speech and gives their samples.
func (f *phone) hear(n int) (samples []int16, packets []heard) {
	f.t.Helper()
	for len(packets) < n {
		h := f.next()
		if h.kind == f.event {
			continue
		}
		if h.kind != f.kind() {
			f.t.Fatalf("payload type %d, want %d", h.kind, f.kind())
		}
		samples = append(samples, audio.DecodeAll(h.payload, f.law)...)
		packets = append(packets, h)
	}
	return samples, packets
}

// wantTone checks that samples are a tone of one frequency at a level within 1 dB.
func wantTone(t *testing.T, samples []int16, hz, dbfs float64) {
	t.Helper()
	tone, all := audio.ToneRMS(samples, hz), audio.RMS(samples)
	if tone < 0.9*all {
		t.Errorf("tone of %g Hz is %.0f of %.0f RMS", hz, tone, all)
	}
	if got := audio.DBFS(all); got < dbfs-1 || got > dbfs+1 {
		t.Errorf("level %.1f dBFS, want %.1f", got, dbfs)
	}
}

// wantContinuous checks that packets are one stream without a leap.
func wantContinuous(t *testing.T, packets []heard) {
	t.Helper()
	for i := 1; i < len(packets); i++ {
		a, b := packets[i-1], packets[i]
		if b.ssrc != a.ssrc || b.seq != a.seq+1 || int32(b.stamp-a.stamp) < frameSize || b.stamp-a.stamp > 60*audio.Rate {
			t.Fatalf("packet %d: %d/%d/%d after %d/%d/%d", i, b.ssrc, b.seq, b.stamp, a.ssrc, a.seq, a.stamp)
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("never: " + what)
}

func portOf(t *testing.T, sdp string) int {
	t.Helper()
	_, rest, _ := strings.Cut(sdp, "m=audio ")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
