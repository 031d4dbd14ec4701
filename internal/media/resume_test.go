package media

import (
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/audio"
)

const (
	pauseRuns    = 1000
	mostSlip     = 1800 * time.Millisecond // that a phone's timestamps come to lag behind its words
	mostStall    = 3 * time.Second         // of the network, over the moment of going on
	mostJitter   = 30 * time.Millisecond
	slowestWrite = 900 * time.Millisecond
	frameTime    = time.Duration(frameNanos)
	testStep     = frameTime / 2
)

// What is said before, in and after a pause, as it decodes.
const (
	wordsBefore = 1000
	wordsDuring = 9000
	wordsAfter  = 4000
)

// slowDisk keeps a file, and takes its time over a write now and then.
type slowDisk struct {
	random *rand.Rand
	file   []byte
}

func (d *slowDisk) WriteAt(b []byte, at int64) (int, error) {
	if d.random.IntN(3) == 0 {
		time.Sleep(time.Duration(d.random.Int64N(int64(slowestWrite))))
	}
	d.reach(at + int64(len(b)))
	return copy(d.file[at:], b), nil
}

func (d *slowDisk) Truncate(size int64) error {
	d.reach(size)
	d.file = d.file[:size]
	return nil
}

func (d *slowDisk) reach(size int64) {
	if more := size - int64(len(d.file)); more > 0 {
		d.file = append(d.file, make([]byte, more)...)
	}
}

func (d *slowDisk) Sync() error  { return nil }
func (d *slowDisk) Close() error { return nil }

// talker is a phone, and the network between it and one side of a tape.
type talker struct {
	frames *frames
	random *rand.Rand
	stamp  uint32
	slip   time.Duration // yet to pass, in which it neither speaks nor counts
	queue  []underway
	came   int // frames of what is said after the pause
}

type underway struct {
	stamp uint32
	sound []byte
	after bool
	due   time.Duration
}

var sounds = map[int16][]byte{
	wordsBefore: level(wordsBefore, frameSize), wordsDuring: level(wordsDuring, frameSize),
	wordsAfter: level(wordsAfter, frameSize),
}

// say sends one frame, which comes not before earliest.
func (k *talker) say(now, earliest time.Duration, words int16) {
	due := max(now+time.Duration(k.random.Int64N(int64(mostJitter))), earliest)
	if n := len(k.queue); n > 0 {
		due = max(due, k.queue[n-1].due)
	}
	k.queue = append(k.queue, underway{k.stamp, sounds[words], words == wordsAfter, due})
}

// deliver lets come what is due.
func (k *talker) deliver(now time.Duration, clock int64) {
	for ; len(k.queue) > 0 && k.queue[0].due <= now; k.queue = k.queue[1:] {
		k.frames.tap(k.queue[0].sound, k.queue[0].stamp, audio.ULaw, clock)
		if k.queue[0].after {
			k.came++
		}
	}
}

// pauseRun is a call that is recorded, paused, resumed and soon over.
type pauseRun struct {
	pause, resume, hangup time.Duration
	slips                 map[time.Duration]time.Duration // of the first phone: at -> how long
	stall                 [2]time.Duration                // from, to: what the second says between them comes at the end
}

func drawRun(random *rand.Rand) pauseRun {
	whole := func(from, to time.Duration) time.Duration {
		return (from + time.Duration(random.Int64N(int64(to-from)))).Truncate(frameTime)
	}
	r := pauseRun{pause: whole(100*time.Millisecond, time.Second), slips: map[time.Duration]time.Duration{}}
	r.resume = r.pause + whole(100*time.Millisecond, 3*time.Second)
	r.hangup = r.resume + whole(60*time.Millisecond, time.Second)
	for _, until := range []time.Duration{r.resume, r.hangup} {
		r.slips[whole(0, until)] = whole(0, mostSlip/2)
	}
	r.stall[0] = max(0, r.resume-whole(0, mostStall))
	r.stall[1] = r.resume + whole(0, 500*time.Millisecond)
	return r
}

// words is what is said at a moment; 0: nothing, where nobody could tell on which side of the moment it was said.
func (r *pauseRun) words(now time.Duration) int16 {
	switch {
	case now < r.pause:
		return wordsBefore
	case now < r.resume-mostJitter-frameTime:
		return wordsDuring
	case now < r.resume:
		return 0
	}
	return wordsAfter
}

// step is 20 ms of a phone.
func (r *pauseRun) step(k *talker, now time.Duration, stalls bool) {
	if k.slip > 0 {
		k.slip -= frameTime
		return
	}
	var earliest time.Duration
	if stalls && now >= r.stall[0] && now < r.stall[1] {
		earliest = r.stall[1]
	}
	if words := r.words(now); words != 0 {
		k.say(now, earliest, words)
	}
	k.stamp += frameSize
}

// Whatever phone, network and disk do: what is said after a pause is in the file, however soon the call ends, and what
// was said in the pause is not, however late it comes.
func TestWordsAfterAPauseAreKeptAndThoseInItAreNot(t *testing.T) {
	for seed := range uint64(pauseRuns) {
		synctest.Test(t, func(t *testing.T) { playPause(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func playPause(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 4))
	run := drawRun(random)
	file := &slowDisk{random: rand.New(rand.NewPCG(seed, 5))}
	tape := newTape(&Pool{began: time.Now()}, file)
	ended := make(chan error)
	go func() { ended <- errors.Join(tape.run(), tape.finish()) }()
	var talkers [2]talker
	for i := range talkers {
		talkers[i] = talker{frames: &tape.ends[i].frames, random: random, stamp: random.Uint32()}
	}
	began := time.Now()
	for now := time.Duration(0); now < run.hangup; now += testStep {
		time.Sleep(time.Until(began.Add(now)))
		switch now {
		case run.pause:
			tape.Pause(true)
		case run.resume:
			tape.Pause(false)
		}
		talkers[0].slip += run.slips[now]
		for i := range talkers {
			if now%frameTime == 0 {
				run.step(&talkers[i], now, i == 1)
			}
			talkers[i].deliver(now, tape.pool.now())
		}
	}
	tape.Stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	left, right, err := audio.ReadStereoWAV(file.file)
	if err != nil {
		t.Fatal(err)
	}
	for i, side := range []audio.Sound{left, right} {
		run.check(t, i, side.Samples, talkers[i].came*frameSize)
	}
}

// check counts the words of one side, and looks where they are.
func (r *pauseRun) check(t *testing.T, side int, samples []int16, want int) {
	t.Helper()
	got := 0
	for at, value := range samples {
		switch {
		case near(value, wordsDuring):
			t.Errorf("side %d, sample %d: said in the pause", side, at)
			return
		case near(value, wordsAfter):
			got++
			if int64(at) < samplesIn(r.resume) {
				t.Errorf("side %d, sample %d: said after the pause, which ends at %d", side, at, samplesIn(r.resume))
				return
			}
		}
	}
	if got != want {
		t.Errorf("side %d: %d samples of what was said after the pause, want %d", side, got, want)
	}
}

// What is set aside after a pause is decided 200 ms after it came, and before it takes more room than a ring.
func TestADoubtAfterAPauseEnds(t *testing.T) {
	for _, step := range []struct {
		frames int
		at     int64 // of the last frame, after the first
		open   bool
	}{
		{2, resumeDoubt - 1, true},
		{2, resumeDoubt, false},
		{ringSlots - 1, resumeDoubt - 1, true},
		{ringSlots, resumeDoubt - 1, false},
	} {
		tape, _ := tapeOf(t)
		end := &tape.ends[0]
		end.floor.Store(1)
		for i := range step.frames {
			at := int64(frameNanos)
			if i == step.frames-1 {
				at += step.at
			}
			end.tap(sounds[wordsAfter], uint32(i*frameSize), audio.ULaw, at)
			if err := tape.flush(); err != nil {
				t.Fatal(err)
			}
		}
		if open := len(end.doubt.frames) > 0; open != step.open {
			t.Errorf("%d frames, the last %s after the first: still in doubt: %t", step.frames, time.Duration(step.at), open)
		}
	}
}
