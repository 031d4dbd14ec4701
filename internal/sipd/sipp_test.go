package sipd

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

const anSDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"

// sippBuffer is room for a burst in sipp's socket: what finds none is lost, and sipp aborts a call whose ACK is late.
const sippBuffer = "1048576"

// sipp runs the program that nobody here wrote. It fails the test when sipp saw a call fail.
func sipp(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("sipp")
	if err != nil {
		t.Skip("sipp is not installed: apt-get install sip-tester")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, append(args, "-i", "127.0.0.1", "-nostdin", "-buff_size", sippBuffer)...)
	cmd.Dir = t.TempDir()
	return cmd
}

// freePort is a port that nobody has, neither over UDP nor over TCP: sipp takes both, whatever it sends over.
func freePort(t *testing.T) int {
	t.Helper()
	for range 20 {
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		port := c.LocalAddr().(*net.UDPAddr).Port
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		_ = c.Close()
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free over both UDP and TCP")
	return 0
}

func TestSippCalls(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"u1", "t1"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			const n = 200
			in := &calls{on: func(leg *Leg) { leg.Progress(); leg.Answer([]byte(anSDP)) }}
			server := loopback(t, func(c *Config) { c.OnCall = in.onCall })
			cmd := sipp(t, "-sn", "uac", "-t", transport, "-m", fmt.Sprint(n), "-r", "200", "-d", "50",
				"-p", fmt.Sprint(freePort(t)), server.Addr().String())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("sipp: %v\n%s", err, out)
			}
			eventually(t, "the end of all calls", func() bool { return server.Stats().Legs == 0 })
			for _, callee := range in.ears {
				callee.want(t, "ended the far side hung up")
			}
			if len(in.legs) != n {
				t.Errorf("%d calls, want %d", len(in.legs), n)
			}
		})
	}
}

func TestSippAnswers(t *testing.T) {
	t.Parallel()
	const n = 100
	server := loopback(t, nil)
	port := freePort(t)
	cmd := sipp(t, "-sn", "uas", "-m", fmt.Sprint(n), "-p", fmt.Sprint(port))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var up atomic.Int64
	for i := range n {
		legs := make(chan *Leg, 1)
		caller := &ear{on: func(text string) {
			if len(text) > 8 && text[:8] == "answered" {
				up.Add(1)
				(<-legs).Hangup(false)
			}
		}}
		to := "sip:" + strconv.Itoa(i) + "@127.0.0.1:" + strconv.Itoa(port)
		legs <- server.Invite(Invitation{To: to, From: "100", SDP: []byte(anSDP)}, caller)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("sipp: %v\n%s", err, out.String())
	}
	eventually(t, "all answers", func() bool { return up.Load() == n && server.Stats().Legs == 0 })
}

// BenchmarkCall is a call from INVITE to BYE between two servers over loopback: both ends' work.
func BenchmarkCall(b *testing.B) {
	server := loopback(b, func(c *Config) {
		c.MaxNewCalls = 1_000_000
		c.OnCall = func(leg *Leg) {
			leg.Handle(&ear{})
			leg.Progress()
			leg.Answer([]byte(anSDP))
		}
	})
	client := loopback(b, nil)
	slots := make(chan bool, 50)
	b.ReportAllocs()
	for b.Loop() {
		slots <- true
		legs := make(chan *Leg, 1)
		caller := &ear{on: func(text string) {
			if text[0] == 'a' {
				(<-legs).Hangup(false)
				<-slots
			}
		}}
		legs <- client.Invite(Invitation{To: uriOf(server.Addr().String()), SDP: []byte(anSDP)}, caller)
	}
	b.ReportMetric(float64(server.Stats().CallsIn)/b.Elapsed().Seconds(), "calls/s")
}
