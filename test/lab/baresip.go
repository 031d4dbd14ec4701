package lab

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/audio"
)

// Account is the line of a baresip.
type Account struct {
	Server             netip.AddrPort
	Username, Password string // Password "": it does not register
	TCP                bool   // instead of UDP
	Codec              string // "pcmu" or "pcma"; "": both, mu-law first
	At                 netip.Addr
	Says               float64 // the frequency it speaks, in Hz; 0: 1000
}

// Baresip is a running baresip. It speaks a tone, writes down what it hears, and is driven over its control socket.
type Baresip struct {
	t       testing.TB
	dir     string
	control net.Conn
	output  output
	stop    func()

	mu     sync.Mutex
	events []BaresipEvent
	more   chan struct{} // closed and replaced at each event
}

// output is what a program wrote, which may be read while it writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String is all of it so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// BaresipEvent is what baresip says once its control socket is open: CALL_INCOMING, CALL_RINGING, CALL_ESTABLISHED,
// CALL_CLOSED and more.
type BaresipEvent struct {
	Event bool   `json:"event"`
	Type  string `json:"type"`
	Param string `json:"param"`
}

const baresipConfig = `poll_method epoll
sip_listen %[1]s:%[2]d
sip_trans_def udp
net_interface %[1]s
call_local_timeout 120
call_max_calls 4
module_path %[3]s
audio_player aubridge,ear
audio_source aufile,%[4]s/says.wav
audio_alert aubridge,bell
snd_path %[4]s
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports %[5]d-%[6]d
rtp_timeout 0
ctrl_tcp_listen %[1]s:%[7]d
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
`

// baresipModules are the places where distributions put them.
var baresipModules = []string{"/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules"}

// StartBaresip runs baresip with one account until the test ends.
func StartBaresip(t testing.TB, account Account) *Baresip {
	t.Helper()
	Need(t, "baresip")
	if !account.At.IsValid() {
		account.At = loopback
	}
	b := &Baresip{t: t, dir: t.TempDir(), more: make(chan struct{})}
	control := freePort(t, account.At)
	b.configure(account, control)
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, "baresip", "-4", "-f", b.dir)
	command.Dir, command.Stdout, command.Stderr = b.dir, &b.output, &b.output
	if err := command.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() { _ = command.Wait() }) // killed: its status says nothing
	b.stop = func() {
		if b.control != nil {
			_ = b.control.Close()
		}
		cancel()
		work.Wait()
	}
	t.Cleanup(func() {
		b.stop()
		if t.Failed() {
			t.Logf("baresip: %s\n%s", b.types(), lastLines(b.output.String(), 40))
		}
	})
	b.connect(netip.AddrPortFrom(account.At, control))
	work.Go(b.listen)
	return b
}

// Stop kills it, as a power cut would: it does not unregister.
func (b *Baresip) Stop() { b.stop() }

func (b *Baresip) configure(account Account, control uint16) {
	b.t.Helper()
	modules := baresipModules[0]
	for _, dir := range baresipModules {
		if _, err := os.Stat(dir); err == nil {
			modules = dir
		}
	}
	if account.Says == 0 {
		account.Says = 1000
	}
	transport, codec := "udp", account.Codec
	if account.TCP {
		transport = "tcp"
	}
	if codec == "" {
		codec = "pcmu,pcma"
	}
	register := 60
	if account.Password == "" {
		register = 0
	}
	sip, rtp := freePort(b.t, account.At), freePort(b.t, account.At)
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(b.dir, name), content, 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
	write("config", fmt.Appendf(nil, baresipConfig,
		account.At, sip, modules, b.dir, rtp, rtp+sparse-2, control))
	write("accounts", fmt.Appendf(nil,
		"<sip:%s@%s;transport=%s>;auth_user=%s;auth_pass=%s;regint=%d;audio_codecs=%s;ptime=20\n",
		account.Username, account.Server, transport, account.Username, account.Password, register, codec))
	write("says.wav", audio.WriteWAV(audio.Sine(60*audio.Rate, audio.SpeechLevel, account.Says)))
	write("contacts", nil)
}

func (b *Baresip) connect(at netip.AddrPort) {
	b.t.Helper()
	deadline := time.Now().Add(Patience)
	for {
		conn, err := net.Dial("tcp", at.String())
		if err == nil {
			b.control = conn
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("baresip does not open its control socket: %v\n%s", err, b.output.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// listen reads netstrings of JSON: events, and answers to commands.
func (b *Baresip) listen() {
	in := bufio.NewReader(b.control)
	for {
		size, err := in.ReadString(':')
		if err != nil {
			return
		}
		length, err := strconv.Atoi(strings.TrimSuffix(size, ":"))
		if err != nil {
			return
		}
		body := make([]byte, length+1) // and a comma
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		var e BaresipEvent
		if json.Unmarshal(body[:length], &e) != nil || !e.Event {
			continue
		}
		b.mu.Lock()
		b.events = append(b.events, e)
		close(b.more)
		b.more = make(chan struct{})
		b.mu.Unlock()
	}
}

// Do gives a command: "accept", "hangup", "hold", "resume", "dial" with a SIP address.
func (b *Baresip) Do(command, params string) {
	b.t.Helper()
	body := encode(map[string]string{"command": command, "params": params, "token": command})
	if _, err := fmt.Fprintf(b.control, "%d:%s,", len(body), body); err != nil {
		b.t.Fatalf("baresip %s: %v", command, err)
	}
}

// Wait waits until baresip has said an event of the type n times, and answers the last one.
func (b *Baresip) Wait(kind string, n int) BaresipEvent {
	b.t.Helper()
	patience := time.NewTimer(Patience)
	defer patience.Stop()
	for {
		b.mu.Lock()
		more, seen := b.more, 0
		for _, e := range b.events {
			if e.Type == kind {
				if seen++; seen == n {
					b.mu.Unlock()
					return e
				}
			}
		}
		b.mu.Unlock()
		select {
		case <-more:
		case <-patience.C:
			b.t.Fatalf("baresip did not say %s %d times", kind, n)
		}
	}
}

// Prints waits until baresip has written a text to its terminal: what it says before its control socket is open.
func (b *Baresip) Prints(text string) {
	b.t.Helper()
	for deadline := time.Now().Add(Patience); !strings.Contains(b.output.String(), text); {
		if time.Now().After(deadline) {
			b.t.Fatalf("baresip does not print %q:\n%s", text, b.output.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (b *Baresip) types() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	types := make([]string, len(b.events))
	for i, e := range b.events {
		types[i] = e.Type + " " + e.Param
	}
	return types
}

// Heard is what it wrote down in its calls so far, 8 kHz, one after the other; each is complete after its end.
func (b *Baresip) Heard() []int16 {
	b.t.Helper()
	names, err := filepath.Glob(filepath.Join(b.dir, "*-dec.wav"))
	if err != nil {
		b.t.Fatal(err)
	}
	var all []int16
	for _, name := range names {
		all = append(all, Recording(b.t, name)...)
	}
	return all
}

// Recording reads a WAV file of 8 kHz.
func Recording(t testing.TB, path string) []int16 {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return Samples(t, file)
}

// Samples are those of a WAV file of 8 kHz.
func Samples(t testing.TB, file []byte) []int16 {
	t.Helper()
	sound, err := audio.ReadWAV(file)
	if err != nil {
		t.Fatal(err)
	}
	if sound.Rate != audio.Rate {
		t.Fatalf("a recording of %d Hz", sound.Rate)
	}
	return sound.Samples
}

// Hears says whether a tone makes up most of the second of a recording in which it is loudest.
func Hears(samples []int16, hz float64) bool {
	for at := 0; at+audio.Rate <= len(samples); at += audio.Rate / 4 {
		second := samples[at : at+audio.Rate]
		if level := audio.RMS(second); level > 100 && audio.ToneRMS(second, hz) > 0.8*level {
			return true
		}
	}
	return false
}
