package speech

import (
	"context"
	"time"
)

// leg is what all streams have in common: audio in, results out, and a goroutine in between that Close waits for.
type leg struct {
	ring    *ring
	results chan Result
	ctx     context.Context
	cancel  context.CancelFunc
	done    chan struct{}
}

func newLeg(rate int, length time.Duration) *leg {
	l := &leg{ring: newRing(rate, length), results: make(chan Result, resultsKept), done: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

func (l *leg) run(work func()) {
	defer close(l.done)
	defer close(l.results)
	work()
}

// Write implements Stream.
func (l *leg) Write(at time.Duration, pcm []int16) { l.ring.put(at, pcm) }

// Results implements Stream.
func (l *leg) Results() <-chan Result { return l.results }

// Dropped implements Stream.
func (l *leg) Dropped() time.Duration { return l.ring.droppedTime() }

// Close implements Stream.
func (l *leg) Close(ctx context.Context) {
	l.ring.close()
	select {
	case <-l.done:
	case <-ctx.Done():
		l.cancel()
		<-l.done
	}
	l.cancel()
}

// tell hands on a result. A partial one that nobody has read in time is of no use any more.
func (l *leg) tell(r Result) {
	select {
	case l.results <- r:
		return
	default: // nobody reads yet
	}
	if !r.Final {
		return // the next one says more
	}
	select {
	case l.results <- r:
	case <-l.ctx.Done():
	}
}
