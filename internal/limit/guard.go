package limit

import (
	"net/netip"
	"sync"
	"time"
)

// The guard's own bounds.
const (
	MaxGuarded   = 65_536      // addresses remembered; beyond them the one that failed longest ago is forgotten
	GuardWindow  = time.Minute // failures are counted over this long
	GuardRefusal = time.Minute // and an address is refused for this long
)

// Limits of the places that use a Guard.
const (
	MaxAPIFailures = 20 // failed API authentications of one address in a minute
	MaxSIPFailures = 10 // failed SIP authentications of one address in a minute
)

// Guard refuses an address for a minute once it failed too often within a minute. An IPv6 address counts as its /64,
// because one host has that many. Safe for concurrent use.
type Guard struct {
	limit int

	mu    sync.Mutex
	hosts map[netip.Prefix]*host
}

type host struct {
	failures ring
	refused  int64 // until when, Unix nanoseconds
	last     int64 // its last failure
}

// NewGuard makes a guard that refuses an address after limit failures in a minute. It panics when limit is not
// positive.
func NewGuard(limit int) *Guard {
	if limit < 1 {
		panic("limit: a guard's limit must be positive")
	}
	return &Guard{limit: limit, hosts: make(map[netip.Prefix]*host)}
}

// Refused says how much longer an address is refused; 0: it is not.
func (g *Guard) Refused(now time.Time, addr netip.Addr) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.hosts[network(addr)]
	if h == nil {
		return 0
	}
	left := time.Duration(h.refused - now.UnixNano())
	if left > GuardRefusal { // the clock was set back
		h.refused = 0
	}
	return clamp(left)
}

func clamp(left time.Duration) time.Duration {
	if left < 0 || left > GuardRefusal {
		return 0
	}
	return left
}

// Fail counts a failed attempt. It answers true for the one that gets the address refused.
func (g *Guard) Fail(now time.Time, addr netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := now.UnixNano()
	key := network(addr)
	h := g.hosts[key]
	if h == nil {
		g.makeRoom(at)
		h = &host{failures: ring{times: make([]int64, min(smallestRing, g.limit))}}
		g.hosts[key] = h
	}
	h.last = at
	if clamp(time.Duration(h.refused-at)) > 0 {
		return false
	}
	h.failures.expire(at, int64(GuardWindow))
	h.failures.push(at, g.limit)
	if h.failures.count < g.limit {
		return false
	}
	h.failures.count = 0
	h.refused = at + int64(GuardRefusal)
	return true
}

// makeRoom forgets the idle addresses when the table is full, and the one that failed longest ago when none is idle.
func (g *Guard) makeRoom(at int64) {
	if len(g.hosts) < MaxGuarded {
		return
	}
	var oldest netip.Prefix
	oldestAt := int64(0)
	for key, h := range g.hosts {
		if h.refused <= at && h.last+int64(GuardWindow) <= at {
			delete(g.hosts, key)
			continue
		}
		if oldestAt == 0 || h.last < oldestAt {
			oldest, oldestAt = key, h.last
		}
	}
	if len(g.hosts) >= MaxGuarded {
		delete(g.hosts, oldest)
	}
}

func network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	prefix, _ := addr.Prefix(bits) // fails for the zero address only: those share one entry
	return prefix
}
