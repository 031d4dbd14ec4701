package media

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"switchboard/internal/audio"
)

func readPair(t *testing.T, path string) (left, right []int16) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l, r, err := audio.ReadStereoWAV(file)
	if err != nil || l.Rate != audio.Rate {
		t.Fatalf("%d Hz, %v", l.Rate, err)
	}
	return l.Samples, r.Samples
}

// tapeOf is a tape without ports or goroutine, begun at 0 on a pool whose clock stands still enough for a test.
func tapeOf(t *testing.T) (*Tape, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.wav")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	tape := newTape(&Pool{began: time.Now()}, file)
	tape.began, tape.ends[0].began, tape.ends[1].began = 0, 0, 0
	return tape, path
}

func near(got int16, want int) bool { return int(got)-want < 200 && want-int(got) < 200 }

func TestATapeHasTheCallerLeftAndTheOperatorRight(t *testing.T) {
	x, y, px, py, _, _ := pair(t, audio.ALaw, audio.ULaw)
	path := filepath.Join(t.TempDir(), "call.wav")
	done := make(chan Recording, 1)
	tape, err := px.pool.RecordPair(path, px, py, func(r Recording) { done <- r })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := px.pool.RecordPair(path+"2", py, px, nil); !errors.Is(err, ErrRecording) {
		t.Errorf("a second tape: %v", err)
	}
	x.say(audio.Sine(50*frameSize, -20, 400))
	y.say(audio.Sine(50*frameSize, -26, 1000))
	eventually(t, "both heard", func() bool { return px.Stats().Received+py.Stats().Received == 100 })
	tape.Stop()
	r := <-done
	if r.Err != nil || r.Dropped != 0 || r.Path != path || r.Duration < time.Second {
		t.Errorf("%+v", r)
	}
	left, right := readPair(t, path)
	wantTone(t, spoken(left), 400, -20)
	wantTone(t, spoken(right), 1000, -26)
	if len(left) != len(right) {
		t.Errorf("%d samples left, %d right", len(left), len(right))
	}
	if _, err := px.pool.RecordPair(path+"3", px, py, func(Recording) {}); err != nil {
		t.Errorf("another tape after the first: %v", err)
	}
}

// spoken is what is between the first and the last sound.
func spoken(samples []int16) []int16 { return audio.Trim(samples, 0) }

func TestAPausedTapeHasSilenceOfTheSameLength(t *testing.T) {
	tape, path := tapeOf(t)
	const ms = 1_000_000
	say := func(side int, frame int, value int16) {
		tape.ends[side].tap(level(value, frameSize), uint32(frame*frameSize), audio.ULaw, int64(frame)*frameNanos)
	}
	for frame := range 10 {
		say(0, frame, 1000)
		say(1, frame, 2000)
	}
	tape.Pause(true)
	for frame := 10; frame < 40; frame++ {
		say(0, frame, 9000)
		say(1, frame, 9000)
	}
	tape.Pause(true)
	tape.Pause(false)
	tape.ends[0].floor.Store(samplesIn(800 * ms)) // the pool's clock, as it would be
	tape.ends[1].floor.Store(samplesIn(800 * ms))
	say(0, 39, 9000) // said during the pause, and late
	for frame := 40; frame < 50; frame++ {
		say(0, frame, 3000)
		say(1, frame, 4000)
	}
	if err := tape.finish(); err != nil {
		t.Fatal(err)
	}
	left, right := readPair(t, path)
	if len(left) < 50*frameSize {
		t.Fatalf("%d samples", len(left))
	}
	for at := range 50 * frameSize {
		wantLeft, wantRight := 1000, 2000
		switch {
		case at >= 40*frameSize:
			wantLeft, wantRight = 3000, 4000
		case at >= 10*frameSize:
			wantLeft, wantRight = 0, 0
		}
		if !near(left[at], wantLeft) || !near(right[at], wantRight) {
			t.Fatalf("sample %d is %d and %d, want %d and %d", at, left[at], right[at], wantLeft, wantRight)
		}
	}
}

// A simple recorder that has all the time and memory in the world says what must be on the tape, whatever the order,
// loss and lateness of frames and the moments at which the disk is reached.
func TestATapeIsWhatWasSaidWhenItWasSaid(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		tape, path := tapeOf(t)
		const frames = 1000
		var want [2][frames * frameSize]int
		for frame := range frames {
			for side := range 2 {
				if random.IntN(10) == 0 {
					continue // lost
				}
				late := int64(random.IntN(3)) * 3 * frameNanos / 2
				value := int16(1000 + 100*random.IntN(100))
				base := uint32(1<<32-5000) * uint32(side)
				tape.ends[side].tap(level(value, frameSize), base+uint32(frame*frameSize), audio.ULaw,
					int64(frame)*frameNanos+late)
				for i := range frameSize {
					want[side][frame*frameSize+i] = int(audio.DecodeULaw(audio.EncodeULaw(value)))
				}
			}
			if random.IntN(50) == 0 || frame%200 == 0 {
				if err := tape.flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
		// The first frame to come sets where a side begins, so that one may be late by as much.
		if err := tape.finish(); err != nil {
			t.Fatal(err)
		}
		left, right := readPair(t, path)
		for side, got := range [][]int16{left, right} {
			if dropped := tape.ends[side].dropped.Load(); dropped > 0 {
				t.Fatalf("seed %d: %d dropped", seed, dropped)
			}
			wantShifted(t, fmt.Sprintf("seed %d side %d", seed, side), got, want[side][:])
		}
	}
}

// wantShifted compares a side with what was said, up to the lateness of its first frame.
func wantShifted(t *testing.T, what string, got []int16, want []int) {
	t.Helper()
	first := 0
	for want[first] == 0 {
		first++
	}
	begin := first
	for begin < len(got) && got[begin] == 0 {
		begin++
	}
	shift := begin - first
	if shift < 0 || shift > 3*frameSize {
		t.Fatalf("%s: begins %d samples late", what, shift)
	}
	for at, w := range want {
		if at+shift < len(got) && int(got[at+shift]) != w {
			t.Fatalf("%s: sample %d is %d, want %d", what, at, got[at+shift], w)
		}
	}
}

func TestATapeSurvivesALongSilence(t *testing.T) {
	tape, path := tapeOf(t)
	tape.ends[0].tap(level(1000, frameSize), 5, audio.ULaw, 0)
	tape.ends[1].tap(level(2000, frameSize), 77, audio.ALaw, 60_000_000_000) // another's first word after a minute
	tape.ends[0].tap(level(3000, frameSize), 5+60*audio.Rate, audio.ULaw, 60_000_000_000)
	if err := tape.finish(); err != nil {
		t.Fatal(err)
	}
	left, right := readPair(t, path)
	if len(left) != 60*audio.Rate+frameSize || !near(left[0], 1000) || !near(left[60*audio.Rate], 3000) ||
		right[0] != 0 || right[60*audio.Rate] == 0 || left[30*audio.Rate] != 0 {
		t.Errorf("%d samples", len(left))
	}
}

func TestATapeNeverWaitsForTheDiskAndCountsWhatItLost(t *testing.T) {
	tape, path := tapeOf(t)
	for frame := range ringSlots + 7 {
		tape.ends[1].tap(level(1000, frameSize), uint32(frame*frameSize), audio.ULaw, int64(frame)*frameNanos)
	}
	if err := tape.flush(); err != nil { // the disk is back
		t.Fatal(err)
	}
	tape.ends[1].tap(level(2000, frameSize), 300*frameSize, audio.ULaw, 300*frameNanos)
	if err := tape.finish(); err != nil {
		t.Fatal(err)
	}
	_, right := readPair(t, path)
	if got := tape.ends[1].dropped.Load(); got != 7 {
		t.Errorf("%d dropped, want 7", got)
	}
	if right[ringSlots*frameSize] != 0 || !near(right[300*frameSize], 2000) {
		t.Error("what was lost is not silence of its length")
	}
}

func TestATapeReportsADiskThatFails(t *testing.T) {
	tape, _ := tapeOf(t)
	tape.file.Close()
	tape.ends[0].tap(level(1000, frameSize), 0, audio.ULaw, 0)
	if err := tape.run(); err == nil || !strings.Contains(err.Error(), "write recording") {
		t.Errorf("run ended with %v", err)
	}
}

func TestATapeEndsWithEitherPort(t *testing.T) {
	for _, second := range []bool{false, true} {
		_, _, px, py, _, _ := pair(t, audio.ULaw, audio.ULaw)
		done := make(chan Recording, 1)
		path := filepath.Join(t.TempDir(), "a.wav")
		if _, err := px.pool.RecordPair(path, px, py, func(r Recording) { done <- r }); err != nil {
			t.Fatal(err)
		}
		if second {
			px = py
		}
		px.Close()
		if r := <-done; r.Err != nil {
			t.Error(r.Err)
		}
		if _, err := px.pool.RecordPair(path+"2", px, py, nil); !errors.Is(err, ErrClosed) {
			t.Errorf("a tape of a closed port: %v", err)
		}
	}
}

// What a kill would leave behind is what is in the file while the recording goes on.
func TestATapeIsPlayableWhileItRuns(t *testing.T) {
	x, _, px, py, _, _ := pair(t, audio.ULaw, audio.ULaw)
	path := filepath.Join(t.TempDir(), "a.wav")
	done := make(chan Recording, 1)
	tape, err := px.pool.RecordPair(path, px, py, func(r Recording) { done <- r })
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := readPair(t, path); len(left) != 0 {
		t.Errorf("begins with %d samples", len(left))
	}
	x.say(audio.Sine(50*frameSize, -20, 400))
	eventually(t, "a second on disk", func() bool {
		left, _ := readPair(t, path)
		return len(left) >= audio.Rate
	})
	left, _ := readPair(t, path)
	wantTone(t, spoken(left), 400, -20)
	tape.Stop()
	<-done
}
