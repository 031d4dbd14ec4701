package runner

import (
	"sync"
	"time"

	"switchboard/internal/flow"
)

// brakes keep the limits of task definitions: how many attempts of a name are under way (concurrentExecLimit), and how
// many begin within a window (rateLimitPerFrequency in rateLimitFrequencyInSeconds). Both hold for requests and for
// what outside workers poll.
type brakes struct {
	released func(name string) // called without the lock, from anywhere

	mu      sync.Mutex
	byName  map[string]*brake
	closed  bool
	reading bool // what an earlier process left under way is not all counted yet
}

type brake struct {
	running map[flow.TaskID]bool
	window  time.Time // when it began
	begun   int       // in it
	alarm   *time.Timer
	waited  bool // somebody was held back
}

func newBrakes(released func(name string)) *brakes {
	return &brakes{released: released, byName: map[string]*brake{}}
}

func limited(def *flow.TaskDef) bool {
	return def != nil && (def.ConcurrentExecLimit > 0 || def.RateLimitPerFreq > 0)
}

func (b *brakes) of(name string) *brake {
	k := b.byName[name]
	if k == nil {
		k = &brake{running: map[flow.TaskID]bool{}}
		b.byName[name] = k
	}
	return k
}

// take says whether an attempt may begin now, and counts it if so. Who is held back is told of by released.
func (b *brakes) take(name string, def *flow.TaskDef, task flow.TaskID) bool {
	if !limited(def) {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.of(name)
	if k.running[task] {
		return true // it was begun before a restart, or is tried again
	}
	if def.ConcurrentExecLimit > 0 && (b.reading || len(k.running) >= def.ConcurrentExecLimit) {
		k.waited = true
		return false
	}
	if def.RateLimitPerFreq > 0 {
		length := time.Duration(max(def.RateLimitFreqSeconds, 1)) * time.Second
		now := time.Now()
		if now.Sub(k.window) >= length {
			k.window, k.begun = now, 0
		}
		if k.begun >= def.RateLimitPerFreq {
			k.waited = true
			b.wakeAt(name, k, k.window.Add(length))
			return false
		}
		k.begun++
	}
	k.running[task] = true
	return true
}

// counted says that all that was left under way is counted: who was held back until then may begin.
func (b *brakes) counted() {
	b.mu.Lock()
	b.reading = false
	var wake []string
	for name, k := range b.byName {
		if k.waited {
			k.waited = false
			wake = append(wake, name)
		}
	}
	b.mu.Unlock()
	for _, name := range wake {
		b.released(name)
	}
}

// wakeAt tells those held back when the window is over. Held: mu.
func (b *brakes) wakeAt(name string, k *brake, at time.Time) {
	if k.alarm != nil || b.closed {
		return
	}
	k.alarm = time.AfterFunc(max(time.Until(at), 0), func() {
		b.mu.Lock()
		k.alarm, k.waited = nil, false
		closed := b.closed
		b.mu.Unlock()
		if !closed {
			b.released(name)
		}
	})
}

// hold counts an attempt that is under way already.
func (b *brakes) hold(name string, def *flow.TaskDef, task flow.TaskID) {
	if !limited(def) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.of(name).running[task] = true
}

// release counts an attempt off that is over; one that was not counted is no error.
func (b *brakes) release(name string, task flow.TaskID) {
	b.mu.Lock()
	k := b.byName[name]
	if k == nil || !k.running[task] {
		b.mu.Unlock()
		return
	}
	delete(k.running, task)
	wake := k.waited
	k.waited = false
	if len(k.running) == 0 && k.alarm == nil && k.begun == 0 {
		delete(b.byName, name)
	}
	b.mu.Unlock()
	if wake {
		b.released(name)
	}
}

func (b *brakes) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, k := range b.byName {
		if k.alarm != nil {
			k.alarm.Stop()
		}
	}
}
