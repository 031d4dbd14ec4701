package runner

import (
	"context"
	"testing"
	"time"
)

// A loop asks for its next condition under the same task, before the worker is back from the last one.
func TestNextJobOfATaskOutlivesTheLastOne(t *testing.T) {
	p := newPool(t.Context(), 2, nil)
	defer p.close()
	var second context.Context
	begun, stay, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	p.put(job{task: "loop", do: func(context.Context) {
		p.put(job{task: "loop", do: func(ctx context.Context) {
			second = ctx
			close(begun)
			<-stay
			close(left)
		}})
		<-begun
	}})
	<-begun
	for busy := 2; busy > 1; busy, _ = p.figures() {
		time.Sleep(time.Millisecond)
	}
	if second.Err() != nil {
		t.Fatal("the end of the first job stopped the second")
	}
	if p.cancel("loop") || second.Err() == nil {
		t.Error("the job under way is not stopped")
	}
	close(stay)
	<-left
}
