package media

import (
	"sync"
	"time"
)

const (
	// slotsPerFrame: each port has its turn in one slot of ten. Slots of 2 ms, because a full one keeps a processor
	// busy until it is through: 100 packets are less than 1 ms in which signalling waits, and each sound is as even.
	slotsPerFrame = 10
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

// run plays until stop is closed, and sleeps until the next slot in which somebody listens.
func (c *clock) run(stop <-chan struct{}, now func() int64) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	slot := now() / slotNanos
	for {
		c.admit(slot)
		if next, some := c.next(slot); some {
			timer.Reset(time.Duration((next+1)*slotNanos - now()))
		} else {
			timer.Stop()
		}
		select {
		case <-stop:
			return
		case <-c.wake:
		case <-timer.C:
		}
		due := now() / slotNanos
		for slot = max(slot, due-maxCatchUp); slot < due; slot++ {
			c.turn(int(slot%slotsPerFrame), now)
		}
	}
}

// admit gives new ports the emptiest slots, so that the load is even, and of those the next to come.
func (c *clock) admit(slot int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, pt := range c.pending {
		least := int(slot % slotsPerFrame)
		for i := range c.slots {
			if at := int((slot + int64(i)) % slotsPerFrame); len(c.slots[at]) < len(c.slots[least]) {
				least = at
			}
		}
		c.slots[least] = append(c.slots[least], pt)
	}
	clear(c.pending)
	c.pending = c.pending[:0]
}

// next is the first slot from this one on in which a port has its turn.
func (c *clock) next(slot int64) (next int64, some bool) {
	for next = slot; next < slot+slotsPerFrame; next++ {
		if len(c.slots[next%slotsPerFrame]) > 0 {
			return next, true
		}
	}
	return 0, false
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
