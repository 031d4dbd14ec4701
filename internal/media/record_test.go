package media

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"switchboard/internal/audio"
)

func readSound(t *testing.T, path string) []int16 {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sound, err := audio.ReadWAV(file)
	if err != nil || sound.Rate != audio.Rate {
		t.Fatalf("%d Hz, %v", sound.Rate, err)
	}
	return sound.Samples
}

func TestRecordUntilPound(t *testing.T) {
	x, y, px, _, ex, _ := pair(t, audio.ALaw, audio.ULaw)
	path := filepath.Join(t.TempDir(), "message.wav")
	done := make(chan Recording, 2)
	if err := px.Record(path, time.Minute, func(r Recording) { done <- r }); err != nil {
		t.Fatal(err)
	}
	if err := px.Record(path+"2", time.Minute, nil); !errors.Is(err, ErrRecording) {
		t.Errorf("a second recording: %v", err)
	}
	if got := readSound(t, path); len(got) != 0 {
		t.Errorf("begins with %d samples", len(got))
	}
	x.say(audio.Sine(50*frameSize, -20, 700))
	y.hear(50)
	x.press('5')
	<-ex.heard
	x.press('#')
	r := <-done
	if r.Err != nil || r.Duration != time.Second || r.Dropped != 0 || r.Path != path {
		t.Errorf("%+v", r)
	}
	got := readSound(t, path)
	if len(got) != audio.Rate {
		t.Fatalf("%d samples", len(got))
	}
	wantTone(t, got, 700, -20)
	if got := ex.pressed(); got != "5" {
		t.Errorf("told %q; the key that ends a recording goes no further", got)
	}
	if px.stopRecord() {
		t.Error("still recording")
	}
}

func TestRecordEndsByStopAndByClose(t *testing.T) {
	x, _, px, _, _, _ := pair(t, audio.ULaw, audio.ULaw)
	dir := t.TempDir()
	for _, end := range []func(){px.StopRecord, px.Close} {
		path := filepath.Join(dir, fmt.Sprint(px.closed.Load(), px.Stats().Received))
		done := make(chan Recording, 1)
		if err := px.Record(path, time.Minute, func(r Recording) { done <- r }); err != nil {
			t.Fatal(err)
		}
		before := px.Stats().Received
		x.say(audio.Sine(10*frameSize, -20, 700))
		eventually(t, "frames received", func() bool { return px.Stats().Received == before+10 })
		x.send(x.packet(13, x.stamp, []byte{60})) // taken after the last frame was put aside
		eventually(t, "the frames before it taken", func() bool { return px.Stats().Received == before+11 })
		end()
		if r := <-done; r.Err != nil || r.Duration != 200*time.Millisecond {
			t.Errorf("%+v", r)
		}
		wantTone(t, readSound(t, path), 700, -20)
	}
	if err := px.Record(filepath.Join(dir, "closed"), time.Second, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("record on a closed port: %v", err)
	}
}

func TestRecordEndsAtItsLimit(t *testing.T) {
	pt := openPort(t, newPool(t, PoolConfig{}), nil)
	done := make(chan Recording, 1)
	path := filepath.Join(t.TempDir(), "empty.wav")
	if err := pt.Record(path, 10*time.Millisecond, func(r Recording) { done <- r }); err != nil {
		t.Fatal(err)
	}
	if r := <-done; r.Err != nil || r.Duration != 0 {
		t.Errorf("%+v", r)
	}
	if got := readSound(t, path); len(got) != 0 {
		t.Errorf("%d samples of nothing", len(got))
	}
}

func TestRecordRefuses(t *testing.T) {
	pt := openPort(t, newPool(t, PoolConfig{}), nil)
	path := filepath.Join(t.TempDir(), "a.wav")
	for _, limit := range []time.Duration{0, -1, MaxRecording + 1} {
		if err := pt.Record(path, limit, nil); err == nil || !strings.Contains(err.Error(), "limit") {
			t.Errorf("limit %s: %v", limit, err)
		}
	}
	if err := pt.Record(filepath.Join(path, "b"), MaxRecording, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := pt.Record(path, MaxRecording, nil); !errors.Is(err, os.ErrExist) {
		t.Errorf("over another file: %v", err)
	}
}

// writerOf is a recorder without port or goroutine.
func writerOf(t *testing.T, limit time.Duration) (*recorder, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.wav")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return newRecorder(file, limit), path
}

// level is a frame whose every sample decodes to about v.
func level(v int16, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = audio.EncodeULaw(v)
	}
	return b
}

func TestRecordingPlacesFramesByTimestamp(t *testing.T) {
	r, path := writerOf(t, time.Second)
	const ms = 1_000_000
	base := uint32(1<<32 - 100)
	r.tap(level(1000, 160), base, audio.ULaw, 0)
	r.tap(level(3000, 160), base+320, audio.ULaw, 40*ms) // overtakes
	r.tap(level(2000, 160), base+160, audio.ULaw, 41*ms)
	r.tap(level(4000, 400), base+800, audio.ULaw, 100*ms) // 480..800 lost; a long packet
	if err := r.flush(); err != nil {
		t.Fatal(err)
	}
	r.tap(level(5000, 160), base+480, audio.ULaw, 120*ms)         // very late
	r.tap(level(6000, 160), base+1<<30, audio.ULaw, 200*ms)       // a source set its clock
	r.tap(level(7000, 160), base+1<<30+8000, audio.ULaw, 1200*ms) // past the limit
	if err := r.finish(); err != nil {
		t.Fatal(err)
	}
	got := readSound(t, path)
	if len(got) != 1760 {
		t.Fatalf("%d samples", len(got))
	}
	for at, want := range map[int]int{
		0: 1000, 160: 2000, 320: 3000, 480: 5000, 640: 0, 799: 0, 800: 4000, 1199: 4000,
		1200: 0, 1599: 0, 1600: 6000, 1759: 6000,
	} {
		if d := int(got[at]) - want; d > 200 || d < -200 {
			t.Errorf("sample %d is %d, want %d", at, got[at], want)
		}
	}
}

func TestRecordingNeverWaitsForTheDisk(t *testing.T) {
	r, path := writerOf(t, time.Minute)
	for i := range uint32(ringSlots + 3) {
		r.tap(level(1000, 160), i*160, audio.ULaw, int64(i)*frameNanos)
	}
	if got := r.dropped.Load(); got != 3 {
		t.Errorf("%d dropped, want 3", got)
	}
	if err := r.finish(); err != nil {
		t.Fatal(err)
	}
	if got := len(readSound(t, path)); got != ringSlots*160 {
		t.Errorf("%d samples", got)
	}
}

func TestRecordingReportsADiskThatFails(t *testing.T) {
	r, _ := writerOf(t, time.Minute)
	r.file.Close()
	r.tap(level(1000, 160), 0, audio.ULaw, 0)
	if err := r.run(time.Minute); err == nil || !strings.Contains(err.Error(), "write recording") {
		t.Errorf("run ended with %v", err)
	}
}

const recordInChild = "MEDIA_TEST_RECORD_TO"

// TestMain turns the test program into a recording that never ends, for the test below to kill.
func TestMain(m *testing.M) {
	path := os.Getenv(recordInChild)
	if path == "" {
		os.Exit(m.Run())
	}
	p, err := NewPool(PoolConfig{Host: loopback})
	if err != nil {
		panic(err)
	}
	pt, err := p.Open(nil)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s\n", strings.ReplaceAll(string(pt.Offer(PCMU)), "\r\n", "|"))
	answer, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		panic(err)
	}
	if err := pt.Complete([]byte(strings.ReplaceAll(answer, "|", "\r\n"))); err != nil {
		panic(err)
	}
	if err := pt.Record(path, MaxRecording, func(Recording) {}); err != nil {
		panic(err)
	}
	fmt.Println("recording")
	select {}
}

func TestRecordingOutlivesAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "message.wav")
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), recordInChild+"="+path)
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	offer, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	x := newPhone(t, audio.ULaw)
	x.dial([]byte(strings.ReplaceAll(offer, "|", "\r\n")))
	fmt.Fprintln(in, strings.ReplaceAll(string(x.sdp()), "\r\n", "|"))
	if line, err := lines.ReadString('\n'); err != nil || line != "recording\n" {
		t.Fatalf("%q, %v", line, err)
	}
	x.say(audio.Sine(100*frameSize, -20, 700))
	eventually(t, "sound on disk", func() bool {
		file, err := os.ReadFile(path)
		if err != nil {
			return false
		}
		sound, err := audio.ReadWAV(file)
		return err == nil && sound.Length() >= time.Second
	})
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait()
	got := readSound(t, path)
	if len(got) < audio.Rate {
		t.Fatalf("%d samples", len(got))
	}
	wantTone(t, got, 700, -20)
}
