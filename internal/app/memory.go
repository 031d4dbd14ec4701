package app

import (
	"context"
	"runtime"
	"runtime/metrics"
	"time"
)

const (
	quietCollect = 20 * time.Second // without a collection
	smallHeap    = 48 << 20         // bytes that are not worth one
)

// giveBack collects garbage that nobody else would. Go collects when something allocates, so that after a rush a quiet
// server would keep the memory of its busiest minute: transactions end 32 s after their calls.
func giveBack(ctx context.Context) {
	tick := time.NewTicker(quietCollect)
	defer tick.Stop()
	figures := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	var seen uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(figures)
		cycles, held := figures[0].Value.Uint64(), uint64(0)
		for _, f := range figures[1:] {
			held += f.Value.Uint64()
		}
		if cycles == seen && held > smallHeap {
			// What may be given back is reckoned from the heap of the collection before (runtime, mgcscavenge.go), so that
			// the first alone would give back nothing. This way it goes bit by bit, beside the calls;
			// debug.FreeOSMemory would stop them meanwhile.
			runtime.GC()
			runtime.GC()
			cycles += 2
		}
		seen = cycles
	}
}
