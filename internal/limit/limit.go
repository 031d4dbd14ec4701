// Package limit counts requests and failed attempts over a sliding window and says when to come back.
//
// It refuses to read the clock (time is an argument), to trust fixed windows (which let twice the limit through at
// their border), and to grow without bound.
package limit

import (
	"sync"
	"time"
)

// Defaults of the API (docs/reference/api.md, Rate limits).
const (
	DefaultPerMinute        = 1200 // requests per operation and key
	DefaultCompanyPerSecond = 20   // requests of one company
)

// smallestRing is the first size of a key's ring; it doubles as needed, up to the limit.
const smallestRing = 16

// Verdict says whether one more request is within the limit.
type Verdict struct {
	OK         bool
	Limit      int
	Remaining  int           // requests left now, after this one if it was counted
	RetryAfter time.Duration // not OK: when the next one will be
	Reset      time.Duration // when the whole limit will be free again
}

// Log is an exact sliding log: at most limit requests of one key in any window, whatever their rhythm. It keeps one
// int64 per counted request, so a busy key costs 8 bytes times its limit; an idle one costs nothing. Safe for
// concurrent use.
type Log[K comparable] struct {
	limit  int
	window time.Duration

	mu    sync.Mutex
	rings map[K]*ring
	swept int64
}

// ring holds the times of the counted requests, oldest first, from head.
type ring struct {
	times []int64
	head  int
	count int
}

// NewLog makes a log that allows limit requests of a key in any window. It panics when either is not positive.
func NewLog[K comparable](limit int, window time.Duration) *Log[K] {
	if limit < 1 || window <= 0 {
		panic("limit: a limit and its window must be positive")
	}
	return &Log[K]{limit: limit, window: window, rings: make(map[K]*ring)}
}

// Allow counts a request of key if it is within the limit. One that is refused is not counted.
func (l *Log[K]) Allow(now time.Time, key K) Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := now.UnixNano()
	l.sweep(at)
	r := l.rings[key]
	if r == nil {
		r = &ring{times: make([]int64, min(smallestRing, l.limit))}
		l.rings[key] = r
	}
	r.expire(at, int64(l.window))
	if r.count < l.limit {
		r.push(at, l.limit)
		return l.verdict(r, at, true)
	}
	return l.verdict(r, at, false)
}

// Peek says what Allow would say, and counts nothing.
func (l *Log[K]) Peek(now time.Time, key K) Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.rings[key]
	if r == nil {
		return Verdict{OK: true, Limit: l.limit, Remaining: l.limit}
	}
	at := now.UnixNano()
	r.expire(at, int64(l.window))
	return l.verdict(r, at, r.count < l.limit)
}

// Keys is how many keys hold memory.
func (l *Log[K]) Keys() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.rings)
}

func (l *Log[K]) verdict(r *ring, at int64, ok bool) Verdict {
	v := Verdict{OK: ok, Limit: l.limit, Remaining: l.limit - r.count}
	if r.count > 0 {
		v.Reset = time.Duration(r.newest() + int64(l.window) - at)
	}
	if !ok {
		v.RetryAfter = time.Duration(r.times[r.head] + int64(l.window) - at)
	}
	return v
}

// sweep frees the rings of idle keys, once a window.
func (l *Log[K]) sweep(at int64) {
	if at-l.swept < int64(l.window) && at >= l.swept {
		return
	}
	l.swept = at
	for key, r := range l.rings {
		if r.expire(at, int64(l.window)); r.count == 0 {
			delete(l.rings, key)
		}
	}
}

func (r *ring) newest() int64 { return r.times[(r.head+r.count-1)%len(r.times)] }

// expire forgets the requests that left the window. After the clock was set back by more than a window it forgets all,
// so that nobody is locked out until the old time comes again.
func (r *ring) expire(at, window int64) {
	if r.count > 0 && r.newest()-at > window {
		r.count = 0
	}
	for r.count > 0 && r.times[r.head]+window <= at {
		r.head = (r.head + 1) % len(r.times)
		r.count--
	}
}

func (r *ring) push(at int64, limit int) {
	if r.count == len(r.times) {
		grown := make([]int64, min(2*r.count, limit))
		n := copy(grown, r.times[r.head:])
		copy(grown[n:], r.times[:r.head])
		r.times, r.head = grown, 0
	}
	r.times[(r.head+r.count)%len(r.times)] = at
	r.count++
}
