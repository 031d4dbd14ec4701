// Package runner drives workflow runs: it steps them, makes what they did durable, performs what they order once it is,
// wakes them when time is due, and hands tasks to outside workers. Runs are spread over lanes, each a goroutine that
// owns its runs; what only waits is left on disk.
//
// It refuses to decide what a run does next: that is flow. It sends no request and runs no script itself, and it
// performs nothing that could be seen outside before what ordered it is on disk, so that after a crash each run goes on
// where it was, with the same task ids.
package runner

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// Doer performs the requests of HTTP tasks. It may block as long as it bounds itself; a withdrawn request's context
// ends. The run comes without its tasks; neither it nor the attempt may be written to.
type Doer interface {
	Do(ctx context.Context, run *flow.Run, attempt *flow.Attempt) flow.Reported
}

// Evaluator runs scripts, bounded in time and memory. Its errors are told to whoever reads the run.
type Evaluator interface {
	Evaluate(ctx context.Context, language flow.Language, script string, input flow.Map) (flow.Value, error)
}

// Publisher hands an event of an EVENT task to whom its sink names. The same id may come twice after a crash.
type Publisher func(ctx context.Context, id flow.TaskID, sink string, payload flow.Map) error

// Config is what a runner needs.
type Config struct {
	Store     *store.Store
	Doer      Doer
	Evaluator Evaluator
	Publish   Publisher                                         // nil: no sink is known
	Compiles  func(language flow.Language, script string) error // is a script one at all; nil: nobody asks
	Elsewhere Elsewhere                                         // a cluster; nil: there is none
	Env       func() flow.Map                                   // ${workflow.env.NAME}; nil: there is none
	Limits    Limits
	Log       *slog.Logger
}

// Limits bound what a runner does at once. Zero means the default.
type Limits struct {
	Calls         int           // HTTP requests under way; DefaultCalls
	Scripts       int           // scripts under way; as many as processors
	Loaded        int           // runs that wait for others and are kept in memory all the same; DefaultLoaded
	Lanes         int           // goroutines that step runs; as many as processors, two at least
	Retention     time.Duration // of ended runs; DefaultRetention
	BodyRetention time.Duration // of the bodies of HTTP answers in ended runs; DefaultBodyRetention
}

// The defaults of Limits.
const (
	DefaultCalls         = 64
	DefaultLoaded        = 1024
	DefaultRetention     = 30 * 24 * time.Hour
	DefaultBodyRetention = 7 * 24 * time.Hour
)

func (l Limits) withDefaults() Limits {
	number := func(n *int, otherwise int) {
		if *n <= 0 {
			*n = otherwise
		}
	}
	number(&l.Calls, DefaultCalls)
	number(&l.Scripts, runtime.GOMAXPROCS(0))
	number(&l.Loaded, DefaultLoaded)
	number(&l.Lanes, max(2, runtime.GOMAXPROCS(0)))
	if l.Retention <= 0 {
		l.Retention = DefaultRetention
	}
	if l.BodyRetention <= 0 {
		l.BodyRetention = DefaultBodyRetention
	}
	return l
}

// Runner drives all runs of one database. Safe for concurrent use.
type Runner struct {
	cfg     Config
	limits  Limits
	lanes   []*lane
	seed    maphash.Seed
	num     atomic.Int64 // of the last run made
	book    book
	keys    keys
	gates   gates
	brakes  *brakes
	queues  *queues
	calls   *pool
	scripts *pool
	errands *pool // everything else that may wait: reading runs, publishing
	feed    *feed
	counts  counts

	ctx  context.Context // ends when Close begins
	stop context.CancelFunc
	wg   sync.WaitGroup // of what reads and tidies; pools and lanes have their own
	once sync.Once
}

// maxErrands bounds the other work under way.
const maxErrands = 16

// New reads the definitions and takes up the runs under way in the background: it is ready at once, and a run that is
// asked for before its turn is taken up then.
func New(ctx context.Context, cfg Config) (*Runner, error) {
	if cfg.Publish == nil {
		cfg.Publish = func(context.Context, flow.TaskID, string, flow.Map) error {
			return fmt.Errorf("there is nowhere to send events to")
		}
	}
	if cfg.Env == nil {
		cfg.Env = func() flow.Map { return nil }
	}
	r := &Runner{cfg: cfg, limits: cfg.Limits.withDefaults(), seed: maphash.MakeSeed(), feed: newFeed()}
	last, err := cfg.Store.LastRun(ctx)
	if err != nil {
		return nil, err
	}
	r.num.Store(last)
	if err := r.book.read(ctx, cfg.Store); err != nil {
		return nil, err
	}
	if err := r.readGates(ctx); err != nil {
		return nil, err
	}
	r.ctx, r.stop = context.WithCancel(context.Background())
	r.keys.starting = map[string]*claim{}
	r.brakes = newBrakes(r.released)
	r.brakes.reading = true // until takeUp is through
	r.queues = newQueues(r.brakes)
	r.calls, r.scripts = newPool(r.ctx, r.limits.Calls, r.brakes), newPool(r.ctx, r.limits.Scripts, nil)
	r.errands = newPool(r.ctx, maxErrands, nil)
	for range r.limits.Lanes {
		l := newLane(r, max(1, r.limits.Loaded/r.limits.Lanes))
		r.lanes = append(r.lanes, l)
		l.wg.Go(l.run)
	}
	r.wg.Go(r.takeUp)
	r.wg.Go(r.sweep)
	r.wg.Go(func() { r.feed.run(r.ctx) })
	return r, nil
}

// Close stops everything: requests under way are given up and are sent again by the next process, with the same task
// ids. It waits until what was done is on disk. The store must still be open.
func (r *Runner) Close() {
	r.once.Do(func() {
		r.stop()
		r.wg.Wait()
		for _, p := range []*pool{r.calls, r.scripts, r.errands} {
			p.close()
		}
		for _, l := range r.lanes {
			l.close()
		}
		r.brakes.close()
	})
}

// lane is where a run is stepped.
func (r *Runner) lane(id flow.RunID) *lane {
	return r.lanes[maphash.String(r.seed, string(id))%uint64(len(r.lanes))]
}

// released is told that attempts of a task name may begin that were held back.
func (r *Runner) released(name string) {
	r.calls.kick(name)
	r.queues.kick(name)
}
