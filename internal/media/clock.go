package media

import (
	"sync"
	"time"
)

const (
	slotsPerFrame = 4 // the clock ticks every 5 ms; each port has its turn in one slot of four
	slotNanos     = frameNanos / slotsPerFrame
	maxCatchUp    = 5 * slotsPerFrame // slots made good after the process was held up
)

// clock is the one timer behind all played sound. run owns the slots; others only add.
type clock struct {
	mu      sync.Mutex
	pending []*Port
	wake    chan struct{}

	slots   [slotsPerFrame][]*Port
	scratch [headerSize + frameSize]byte
}

func (c *clock) add(pt *Port) {
	c.mu.Lock()
	c.pending = append(c.pending, pt)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run plays until stop is closed, and sleeps while nobody listens.
func (c *clock) run(stop <-chan struct{}, now func() int64) {
	ticker := time.NewTicker(slotNanos)
	defer ticker.Stop()
	slot := now() / slotNanos
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		due := now() / slotNanos
		for slot = max(slot, due-maxCatchUp); slot < due; slot++ {
			c.admit()
			c.turn(int(slot%slotsPerFrame), now)
		}
		if !c.empty() {
			continue
		}
		ticker.Stop()
		select {
		case <-stop:
			return
		case <-c.wake:
		}
		ticker.Reset(slotNanos)
		slot = now() / slotNanos
	}
}

// admit gives new ports the emptiest slots, so that the load is even.
func (c *clock) admit() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, pt := range c.pending {
		least := 0
		for i := range c.slots {
			if len(c.slots[i]) < len(c.slots[least]) {
				least = i
			}
		}
		c.slots[least] = append(c.slots[least], pt)
	}
	clear(c.pending)
	c.pending = c.pending[:0]
}

func (c *clock) turn(slot int, now func() int64) {
	ports := c.slots[slot]
	for i := 0; i < len(ports); {
		done, idle := ports[i].out.tick(c.scratch[:], now())
		if done != nil {
			done()
		}
		if !idle {
			i++
			continue
		}
		last := len(ports) - 1
		ports[i], ports[last] = ports[last], nil
		ports = ports[:last]
	}
	c.slots[slot] = ports
}

func (c *clock) empty() bool {
	for i := range c.slots {
		if len(c.slots[i]) > 0 {
			return false
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending) == 0
}
