package media

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/voice"
)

// cpu is what this process has used so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const (
	relayCalls    = 50
	musicHearers  = 1000
	musicSeconds  = 3
	gapsMeasured  = 20 // listeners whose gaps are taken
	relayDeadline = 10 * time.Second
)

// BenchmarkRelay measures CPU per relayed packet, the sending and receiving phones' included: one operation is one
// packet through the relay.
func BenchmarkRelay(b *testing.B) {
	p := newPool(b, PoolConfig{})
	var talkers, hearers []*phone
	for range relayCalls {
		px, py := openPort(b, p, nil), openPort(b, p, nil)
		x, y := newPhone(b, audio.ULaw), newPhone(b, audio.ULaw)
		x.call(px)
		y.call(py)
		px.Connect(py)
		talkers, hearers = append(talkers, x), append(hearers, y)
	}
	payload := make([]byte, frameSize)
	sent, began := 0, cpu()
	b.ResetTimer()
	for i := 0; i < b.N; i += relayCalls {
		for _, x := range talkers {
			buf := x.packet(0, x.stamp, payload)
			x.stamp += frameSize
			x.send(buf)
			sent++
		}
		for _, y := range hearers {
			y.drain(b)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64((cpu()-began).Microseconds())/float64(sent), "cpu-us/packet")
	if s := p.Stats(); s.Sent != uint64(sent) {
		b.Errorf("%d of %d packets were relayed", s.Sent, sent)
	}
}

// Calls of BenchmarkRecord, and how long they talk.
const (
	recordCalls   = 100
	recordSeconds = 4
)

// BenchmarkRecord has calls talk both ways in real time, not recorded and recorded, and reports the CPU per packet that
// each takes, the phones' included: recording must not cost more than a fifth of the relay.
func BenchmarkRecord(b *testing.B) {
	for _, recorded := range []bool{false, true} {
		b.Run(fmt.Sprintf("recorded=%t", recorded), func(b *testing.B) {
			for b.Loop() {
				talk(b, recorded)
			}
		})
	}
}

func talk(b *testing.B, recorded bool) {
	p, dir := newPool(b, PoolConfig{}), b.TempDir()
	var phones []*phone
	dropped := make(chan uint64, recordCalls)
	for i := range recordCalls {
		px, py := openPort(b, p, nil), openPort(b, p, nil)
		x, y := newPhone(b, audio.ULaw), newPhone(b, audio.ULaw)
		x.call(px)
		y.call(py)
		px.Connect(py)
		phones = append(phones, x, y)
		if recorded {
			path := filepath.Join(dir, fmt.Sprint(i))
			if _, err := p.RecordPair(path, px, py, func(r Recording) { dropped <- r.Dropped }); err != nil {
				b.Fatal(err)
			}
		}
	}
	payload := make([]byte, frameSize)
	began := cpu()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for range recordSeconds * 50 {
		<-ticker.C
		for _, x := range phones {
			x.send(x.packet(0, x.stamp, payload))
			x.stamp += frameSize
		}
	}
	used, sent := cpu()-began, p.Stats().Sent
	if err := p.Close(); err != nil {
		b.Fatal(err)
	}
	lost := uint64(0)
	for recorded && len(dropped) > 0 {
		lost += <-dropped
	}
	b.ReportMetric(float64(used.Microseconds())/float64(sent), "cpu-us/packet")
	b.ReportMetric(float64(lost), "frames-lost")
}

// drain waits for one packet.
func (f *phone) drain(b *testing.B) {
	var buf [MaxPacket]byte
	if err := f.conn.SetReadDeadline(time.Now().Add(relayDeadline)); err != nil {
		b.Fatal(err)
	}
	if _, _, err := f.conn.ReadFromUDPAddrPort(buf[:]); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkTake is the relay's own work and the kernel's for sending, without the phones.
func BenchmarkTake(b *testing.B) {
	p := newPool(b, PoolConfig{})
	px, py := openPort(b, p, nil), openPort(b, p, nil)
	x, y := newPhone(b, audio.ULaw), newPhone(b, audio.ULaw)
	x.call(px)
	y.call(py)
	px.Connect(py)
	from := x.addr()
	work := make([]byte, headerSize+frameSize)
	seq, stamp := uint16(0), uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		putHeader(work, false, 0, seq, stamp, 7)
		seq++
		stamp += frameSize
		px.take(work, from)
	}
}

// BenchmarkMusic lets many callers hear music in real time for some seconds, and reports what share of a core that
// takes and how even the packets come.
func BenchmarkMusic(b *testing.B) {
	for b.Loop() {
		music(b)
	}
}

func music(b *testing.B) {
	p := newPool(b, PoolConfig{})
	track := NewTrack(audio.Music())
	sink, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer sink.Close()
	var ports []*Port
	var wg sync.WaitGroup
	gaps := make([][]time.Duration, gapsMeasured)
	for i := range musicHearers {
		pt := openPort(b, p, nil)
		ports = append(ports, pt)
		to := sink.LocalAddr().(*net.UDPAddr).AddrPort() // nobody reads it: the kernel drops what it has no room for
		if i < gapsMeasured {
			x := newPhone(b, audio.ULaw)
			to = x.addr()
			wg.Go(func() { gaps[i] = x.gaps() })
		}
		pt.agree(&terms{
			remote: netip.AddrPortFrom(loopback, to.Port()), law: audio.ULaw, speaks: true, hears: true,
			theirs: offered, ours: offered, present: true,
		})
	}
	for _, pt := range ports {
		pt.Loop(track)
	}
	began, at := cpu(), time.Now()
	time.Sleep(musicSeconds * time.Second)
	used, took := cpu()-began, time.Since(at)
	sent := p.Stats().Sent
	for _, pt := range ports {
		pt.Close()
	}
	wg.Wait()
	all := slices.Concat(gaps...)
	slices.Sort(all)
	b.ReportMetric(100*used.Seconds()/took.Seconds(), "%core")
	b.ReportMetric(float64(sent)/took.Seconds(), "packets/s")
	b.ReportMetric(float64(used.Nanoseconds())/1000/float64(sent), "cpu-us/packet")
	b.ReportMetric(all[len(all)/2].Seconds()*1000, "gap-p50-ms")
	b.ReportMetric(all[len(all)*99/100].Seconds()*1000, "gap-p99-ms")
}

// gaps listens until nothing comes for a while, and gives the times between packets.
func (f *phone) gaps() (gaps []time.Duration) {
	var buf [MaxPacket]byte
	var last time.Time
	for {
		if err := f.conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			return gaps
		}
		if _, _, err := f.conn.ReadFromUDPAddrPort(buf[:]); err != nil {
			return gaps
		}
		now := time.Now()
		if !last.IsZero() {
			gaps = append(gaps, now.Sub(last))
		}
		last = now
	}
}

// Calls of BenchmarkListen, and how much of each is listened to.
const (
	listenCalls   = 400
	listenSeconds = 10
)

// meter listens for figures.
type meter struct{ voice.Meter }

func (m *meter) Ended(at time.Duration, _ uint64) { m.End(at) }

// BenchmarkListen is what the figures of conversations cost besides the calls themselves, as a share of a core: frames
// of both sides on their way from the line to the figures. It may be 5 %.
func BenchmarkListen(b *testing.B) {
	p := newPool(b, PoolConfig{})
	first, second := openPort(b, p, nil), openPort(b, p, nil)
	prompt, _ := audio.Prompt("HOLD_INTRO")
	for b.Loop() {
		ears := make([]*Ear, listenCalls)
		for i := range ears {
			ears[i] = newEar(p, &meter{})
			ears[i].began = 0
			for leg := range ears[i].ends {
				ears[i].ends[leg].port, ears[i].ends[leg].began = []*Port{first, second}[leg], 0
			}
		}
		began := cpu()
		for slot := range int64(listenSeconds * 50) {
			from := slot * frameSize % int64(len(prompt)-frameSize)
			for _, e := range ears {
				for leg := range e.ends {
					e.ends[leg].tap(prompt[from:from+frameSize], uint32(slot*frameSize), audio.ULaw, slot*frameNanos)
				}
			}
			if slot%5 == 4 {
				for _, e := range ears {
					e.deliver(slot * frameNanos)
				}
			}
		}
		used := cpu() - began
		for _, e := range ears {
			e.Stop()
			e.deliver(listenSeconds * int64(time.Second))
			if got := e.listener.(*meter).Report().Legs[voice.Customer].Talk; got == 0 {
				b.Fatal("nothing was heard")
			}
		}
		b.ReportMetric(100*used.Seconds()/listenSeconds, "%core")
	}
}
