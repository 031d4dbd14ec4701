package speech

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// piece is some audio in one go.
type piece struct {
	at    time.Duration // of its first sample in the call
	pcm   []int16
	fresh bool // there is a hole before it
	lost  bool // and the hole is there because audio was dropped
}

func (p *piece) end(rate int) time.Duration {
	return p.at + time.Duration(len(p.pcm))*time.Second/time.Duration(rate)
}

// ring holds the audio that an engine has not taken yet. When it is full, all of it is dropped at once: one gap is
// better than a thousand, and the engine is back at what is being said.
type ring struct {
	rate    int
	limit   int // samples
	dropped atomic.Int64

	mu      sync.Mutex
	pieces  []piece
	samples int
	next    time.Duration // where the audio so far ends
	begun   bool
	lost    bool // audio was dropped since the last piece
	closed  bool
	wake    chan struct{} // one place: there is something, or the end
}

func newRing(rate int, length time.Duration) *ring {
	return &ring{rate: rate, limit: int(length * time.Duration(rate) / time.Second), wake: make(chan struct{}, 1)}
}

// put takes a copy of a frame. It never waits for anybody but the few who copy, as it does.
func (r *ring) put(at time.Duration, pcm []int16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(pcm) == 0 {
		return
	}
	hole := at - r.next
	switch {
	case !r.begun || hole >= longestFill || hole <= -longestFill:
		r.open(at)
	case hole > jitter:
		r.fill(int(hole * time.Duration(r.rate) / time.Second))
	case hole < -jitter:
		return // it was there already
	}
	r.append(pcm)
	select {
	case r.wake <- struct{}{}:
	default: // a wake-up is already pending
	}
}

func (r *ring) open(at time.Duration) {
	r.pieces = append(r.pieces, piece{at: at, fresh: true, lost: r.lost})
	r.begun, r.next, r.lost = true, at, false
}

// fill puts silence in the place of frames that never came.
func (r *ring) fill(samples int) {
	silence := make([]int16, r.rate/50)
	for ; samples > 0; samples -= len(silence) {
		r.append(silence[:min(samples, len(silence))])
	}
}

func (r *ring) append(pcm []int16) {
	if len(pcm) > r.limit {
		pcm = pcm[:r.limit] // no frame is so long
	}
	if r.samples+len(pcm) > r.limit {
		r.dropped.Add(int64(r.samples))
		r.pieces, r.samples, r.lost = nil, 0, true
		r.open(r.next)
	}
	most := int(pieceLength * time.Duration(r.rate) / time.Second)
	if n := len(r.pieces); n == 0 || len(r.pieces[n-1].pcm)+len(pcm) > most {
		if n == 0 || len(r.pieces[n-1].pcm) > 0 {
			r.pieces = append(r.pieces, piece{at: r.next})
		}
	}
	last := &r.pieces[len(r.pieces)-1]
	if last.pcm == nil {
		last.pcm = make([]int16, 0, max(most, len(pcm)))
	}
	last.pcm = append(last.pcm, pcm...)
	r.samples += len(pcm)
	r.next = last.end(r.rate)
}

// close ends it; what is in it can still be taken.
func (r *ring) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	select {
	case r.wake <- struct{}{}:
	default: // a wake-up is already pending
	}
}

// take waits for a piece. ended: there will be none; neither: the context is over. A piece is given out when it is
// full, when another follows, or at the end.
func (r *ring) take(ctx context.Context) (p piece, ok, ended bool) {
	for {
		if p, ok, ended = r.look(); ok || ended {
			return p, ok, ended
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
			return piece{}, false, false
		}
	}
}

// look gives the next piece, if there is one, and takes it out.
func (r *ring) look() (p piece, ok, ended bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pieces) == 0 {
		return piece{}, false, r.closed
	}
	p = r.pieces[0]
	whole := len(p.pcm)+r.rate/50 > int(pieceLength*time.Duration(r.rate)/time.Second)
	if !whole && len(r.pieces) == 1 && !r.closed {
		return piece{}, false, false
	}
	r.pieces = r.pieces[1:]
	r.samples -= len(p.pcm)
	return p, true, false
}

// follows says whether the next piece, when there is one, goes on where the last one ended.
func (r *ring) follows() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pieces) == 0 || !r.pieces[0].fresh
}

func (r *ring) droppedTime() time.Duration {
	return time.Duration(r.dropped.Load()) * time.Second / time.Duration(r.rate)
}

func (r *ring) waiting() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Duration(r.samples) * time.Second / time.Duration(r.rate)
}

// end is where the audio so far ends.
func (r *ring) end() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next
}

// over says that there is no more audio to come.
func (r *ring) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}
