package sipd

import (
	"net/netip"
	"sync"
	"time"
)

const (
	maxStrangers = 65_536 // addresses whose packets are counted one by one; the rest share one count
	noticeEvery  = time.Minute
	maxNotices   = 1_024 // kinds of notices remembered, to say each once a minute
)

// gate bounds what strangers and callers may cost: packets of an address, new calls of all.
type gate struct {
	mu       sync.Mutex
	buckets  map[netip.Addr]*bucket
	rest     bucket
	maxCalls int
	second   int64
	calls    int
	notices  map[noticeKey]time.Time
}

type noticeKey struct {
	addr netip.Addr
	text string
}

// bucket holds tokens, one a packet. It fills at StrangerRate up to StrangerBurst.
type bucket struct {
	tokens float64
	at     time.Time
}

func (g *gate) init(maxCalls int) {
	g.buckets = make(map[netip.Addr]*bucket)
	g.notices = make(map[noticeKey]time.Time)
	g.rest = bucket{tokens: StrangerBurst}
	g.maxCalls = maxCalls
}

func (b *bucket) take(now time.Time) bool {
	if !b.at.IsZero() {
		b.tokens = min(b.tokens+now.Sub(b.at).Seconds()*StrangerRate, StrangerBurst)
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// mayRead takes a token of an address.
func (g *gate) mayRead(addr netip.Addr, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.buckets[addr]
	if b == nil {
		if len(g.buckets) >= maxStrangers && !g.sweep(now) {
			return g.rest.take(now)
		}
		b = &bucket{tokens: StrangerBurst}
		g.buckets[addr] = b
	}
	return b.take(now)
}

// sweep forgets the addresses whose buckets are full again. It answers whether that made room.
func (g *gate) sweep(now time.Time) bool {
	if now.Sub(g.rest.at) < time.Second && !g.rest.at.IsZero() {
		return false // swept, or full of live ones, a moment ago
	}
	g.rest.at = now
	for addr, b := range g.buckets {
		if now.Sub(b.at).Seconds()*StrangerRate >= StrangerBurst {
			delete(g.buckets, addr)
		}
	}
	return len(g.buckets) < maxStrangers
}

// mayCall counts a new call of this second.
func (g *gate) mayCall(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if second := now.Unix(); second != g.second {
		g.second, g.calls = second, 0
	}
	if g.calls >= g.maxCalls {
		return false
	}
	g.calls++
	return true
}

// mayNotice says whether a notice is due again.
func (g *gate) mayNotice(addr netip.Addr, text string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := noticeKey{addr, text}
	if last, ok := g.notices[key]; ok && now.Sub(last) < noticeEvery {
		return false
	}
	if len(g.notices) >= maxNotices {
		for k, last := range g.notices {
			if now.Sub(last) >= noticeEvery {
				delete(g.notices, k)
			}
		}
		if len(g.notices) >= maxNotices {
			return false
		}
	}
	g.notices[key] = now
	return true
}
