package media

import "testing"

// Ports are spread evenly over the slots, the first into the slot that comes next, so that nobody waits for sound.
func TestClockSpreadsPorts(t *testing.T) {
	const slot = 7*slotsPerFrame + 3
	c := clock{wake: make(chan struct{}, 1)}
	if next, some := c.next(slot); some {
		t.Errorf("slot %d is next of nothing", next)
	}
	c.add(&Port{})
	c.admit(slot)
	if next, some := c.next(slot); !some || next != slot {
		t.Errorf("the first port plays in slot %d, %t", next, some)
	}
	if next, _ := c.next(slot + 1); next != slot+slotsPerFrame {
		t.Errorf("and again in slot %d, a frame later is %d", next, slot+slotsPerFrame)
	}
	for range 2*slotsPerFrame + 4 {
		c.add(&Port{})
	}
	c.admit(slot)
	for i, ports := range c.slots {
		after := (i - slot%slotsPerFrame + slotsPerFrame) % slotsPerFrame
		want := 2
		if after < 5 {
			want = 3
		}
		if len(ports) != want {
			t.Errorf("slot %d, %d after the present one: %d ports, want %d", i, after, len(ports), want)
		}
	}
}
