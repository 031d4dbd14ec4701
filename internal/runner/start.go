package runner

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

// What bounds a request to start a run.
const (
	MaxInput       = 1 << 20 // bytes of the input as JSON
	MaxKey         = 255     // bytes of correlation and idempotency keys
	MaxPriority    = 99
	MaxExecuteWait = 60 * time.Second
)

// origin is where a run comes from.
type origin struct {
	identity   string
	event      string
	parent     flow.RunID
	parentTask flow.TaskID
	hurried    bool // it cannot wait for another run with the same key to become durable: errKeyBusy
}

var errKeyBusy = errors.New("another run with this idempotency key is just being started")

// Start starts a run and returns once it is durable. Identity is with whose rights it calls our own API, event what
// started it ("" if people did). What is wrong with the request is an ErrInvalid, an unknown workflow an ErrNotFound,
// an idempotency key that was used an ErrConflict, or with RETURN_EXISTING the run that has it.
func (r *Runner) Start(ctx context.Context, req flow.StartRequest, identity, event string) (flow.RunID, error) {
	if r.elsewhere(req) {
		return r.startElsewhere(ctx, req)
	}
	lv, existing, release, err := r.make(ctx, req, origin{identity: identity, event: event})
	if err != nil || existing != "" {
		return existing, err
	}
	defer release()
	return lv.run.ID, r.launch(ctx, lv, nil)
}

// Execute starts a run and waits until it is over, or until a task with one of the reference names is over or waits for
// somebody, but not longer than wait. It answers the run as it is then.
func (r *Runner) Execute(
	ctx context.Context, req flow.StartRequest, identity string, until []string, wait time.Duration,
) (*flow.Run, error) {
	return r.ExecuteUntil(ctx, req, identity, Until{Refs: until}, wait)
}

// ExecuteUntil is Execute for all that may be waited for.
func (r *Runner) ExecuteUntil(
	ctx context.Context, req flow.StartRequest, identity string, until Until, wait time.Duration,
) (*flow.Run, error) {
	if r.elsewhere(req) {
		return nil, conflict("%s runs on the cluster: it can be started, not waited for", req.Name)
	}
	lv, existing, release, err := r.make(ctx, req, origin{identity: identity})
	if err != nil {
		return nil, err
	}
	if existing != "" {
		return r.Run(ctx, existing, true)
	}
	timer := time.NewTimer(min(max(wait, 0), MaxExecuteWait))
	defer timer.Stop()
	ready := make(chan *flow.Run, 1)
	w := &waiter{until: until, told: func(run *flow.Run) { ready <- run }}
	id := lv.run.ID
	err = r.launch(ctx, lv, w)
	release()
	if err != nil {
		return nil, err
	}
	select {
	case run := <-ready:
		if run != nil {
			return run, nil
		}
	case <-timer.C:
	case <-ctx.Done():
	}
	durable, l := make(chan struct{}), r.lane(id)
	taken := l.put(func() {
		l.unwait(id, w)
		l.hold(func() { close(durable) })
	})
	if !taken {
		return nil, ErrClosed
	}
	select {
	case <-durable:
		return r.Run(ctx, id, true)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// waiter waits for the end of a run, or for one of its tasks.
type waiter struct {
	until Until
	told  func(*flow.Run) // once, on the lane's goroutine: the run if it is over, else nil
}

// reached gives what is to be done for the waiters whose wait is over with what is being written.
func (lv *live) reached() (told []func()) {
	run := lv.run
	lv.waiters = slices.DeleteFunc(lv.waiters, func(w *waiter) bool {
		if run.State.Final() {
			// Nobody steps it any more: it is read from disk again if it is revived.
			told = append(told, func() { w.told(run) })
			return true
		}
		if w.until.Reached(run) {
			told = append(told, func() { w.told(nil) })
			return true
		}
		return false
	})
	return told
}

func (l *lane) unwait(id flow.RunID, w *waiter) {
	lv := l.runs[id]
	if lv == nil {
		return
	}
	lv.waiters = slices.DeleteFunc(lv.waiters, func(other *waiter) bool { return other == w })
	l.settle(lv)
}

// launch hands a run that was made to its lane and waits until it is durable. With w nobody waits for that: the run is
// answered later, once more of it is.
func (r *Runner) launch(ctx context.Context, lv *live, w *waiter) error {
	l := r.lane(lv.run.ID)
	durable := make(chan struct{})
	taken := l.put(func() {
		l.adopt(lv)
		if w != nil {
			lv.waiters = append(lv.waiters, w)
			close(durable)
		} else {
			l.hold(func() { close(durable) })
		}
		l.begin(lv)
	})
	if !taken {
		return ErrClosed
	}
	select {
	case <-durable:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin begins a run, unless its limit has it wait.
func (l *lane) begin(lv *live) {
	if l.r.enter(lv) {
		l.step(lv, flow.Begin{})
	}
}

// make makes a run that is nowhere but in memory yet, or finds the existing one that an idempotency key asks for. Once
// the run is durable release must be called.
func (r *Runner) make(
	ctx context.Context, req flow.StartRequest, from origin,
) (lv *live, existing flow.RunID, release func(), err error) {
	snap, err := r.asked(&req, from.parent != "")
	if err != nil {
		return nil, "", nil, err
	}
	id := newRunID()
	release = func() {}
	if req.IdempotencyKey != "" {
		existing, release, err = r.claim(ctx, snap.def.Name, req, id, from)
		if err != nil || existing != "" {
			return nil, existing, nil, err
		}
	}
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails (crypto/rand)
	run := flow.New(id, req, snap.def, snap.defs, binary.LittleEndian.Uint64(seed[:]), time.Now())
	run.Identity, run.Event, run.Parent, run.ParentTask = from.identity, from.event, from.parent, from.parentTask
	r.counts.Started.Add(1)
	return &live{run: run, num: r.num.Add(1), snap: snap, gate: gateOf(run), fresh: true}, "", release, nil
}

// asked checks a request and finds what it asks for.
func (r *Runner) asked(req *flow.StartRequest, child bool) (*snapshot, error) {
	switch {
	case len(req.CorrelationID) > MaxKey:
		return nil, invalid("correlationId", "may have %d bytes", MaxKey)
	case len(req.IdempotencyKey) > MaxKey:
		return nil, invalid("idempotencyKey", "may have %d bytes", MaxKey)
	case req.Priority < 0 || req.Priority > MaxPriority:
		return nil, invalid("priority", "must be from 0 to %d", MaxPriority)
	case req.Version < 0:
		return nil, invalid("version", "must not be negative")
	case !slices.Contains([]string{"", strategyFail, strategyReturn, strategyRunning}, req.IdempotencyStrategy):
		return nil, invalid("idempotencyStrategy", "must be %s, %s or %s", strategyFail, strategyReturn, strategyRunning)
	case !child && len(flow.Encode(req.Input)) > MaxInput: // of a child: its parent is bounded
		return nil, invalid("input", "may have %d bytes", MaxInput)
	}
	def := req.Definition
	if def == nil {
		if req.Name == "" {
			return nil, invalid("name", "is required")
		}
		var ok bool
		if def, ok = r.book.definition(req.Name, req.Version); !ok {
			return nil, unknownWorkflow(req.Name, req.Version)
		}
		return r.book.snapshot(def)
	}
	if err := r.Check(def); err != nil {
		return nil, err
	}
	return r.book.snapshot(def)
}

func unknownWorkflow(name string, version int) error {
	if version == 0 {
		return notFound("there is no workflow %s", name)
	}
	return notFound("there is no workflow %s, version %d", name, version)
}

// The strategies for an idempotency key that was used already.
const (
	strategyFail    = "FAIL"            // the default
	strategyReturn  = "RETURN_EXISTING" // the run that has it is the answer
	strategyRunning = "FAIL_ON_RUNNING" // only while that run is under way
)

// keys are the idempotency keys of runs that are being made.
type keys struct {
	mu       sync.Mutex
	starting map[string]*claim
}

type claim struct {
	run  flow.RunID
	over chan struct{} // closed once the run is durable, or was not made
}

// claim takes an idempotency key for a run, or finds the run that has it. Nobody else can take it until release.
func (r *Runner) claim(
	ctx context.Context, name string, req flow.StartRequest, id flow.RunID, from origin,
) (existing flow.RunID, release func(), err error) {
	key := name + "\x00" + req.IdempotencyKey
	mine := &claim{run: id, over: make(chan struct{})}
	for {
		r.keys.mu.Lock()
		other := r.keys.starting[key]
		if other == nil {
			r.keys.starting[key] = mine
		}
		r.keys.mu.Unlock()
		if other == nil {
			break
		}
		if from.hurried {
			return "", nil, errKeyBusy
		}
		select {
		case <-other.over:
		case <-ctx.Done():
			return "", nil, ctx.Err()
		}
	}
	release = sync.OnceFunc(func() {
		r.keys.mu.Lock()
		delete(r.keys.starting, key)
		r.keys.mu.Unlock()
		close(mine.over)
	})
	row, ok, err := r.cfg.Store.RunByKey(ctx, name, req.IdempotencyKey)
	if err == nil && ok {
		existing, err = taken(req, row)
	}
	if err != nil || existing != "" {
		release()
		return existing, nil, err
	}
	return "", release, nil
}

// taken applies the strategy to a key that a run has.
func taken(req flow.StartRequest, row store.RunRow) (flow.RunID, error) {
	id := flow.RunID(row.ID)
	switch {
	case req.IdempotencyStrategy == strategyReturn:
		return id, nil
	case req.IdempotencyStrategy == strategyRunning && flow.State(row.State).Final():
		return "", nil
	}
	return "", &Error{
		Kind: ErrConflict, Run: id,
		Message: fmt.Sprintf("the idempotency key %s was used for the run %s", req.IdempotencyKey, id),
	}
}

// newRunID is a UUID of version 7 (RFC 9562 5.7): in the order of time, so that runs lie together on disk.
func newRunID() flow.RunID {
	var b [16]byte
	_, _ = rand.Read(b[6:]) // never fails (crypto/rand)
	ms := time.Now().UnixMilli()
	binary.BigEndian.PutUint32(b[0:], uint32(ms>>16))
	binary.BigEndian.PutUint16(b[4:], uint16(ms))
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return flow.RunID(fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:]))
}

// startRun starts another run that a run ordered: it is written together with its parent, so that after a crash both
// are there or neither.
func (l *lane) startRun(lv *live, e flow.StartRun) {
	parent := lv.run
	if e.Task != "" {
		switch a := attemptOf(parent, e.Task); {
		case a == nil:
			return
		case a.Child != "":
			l.look(lv, e, a.Child)
			return
		}
	}
	if l.r.elsewhere(e.Request) {
		l.startChildElsewhere(lv, e)
		return
	}
	from := origin{identity: parent.Identity, event: parent.Event, hurried: true}
	if e.Wait {
		from.parent, from.parentTask = parent.ID, e.Task
	}
	child, existing, release, err := l.r.make(context.Background(), e.Request, from)
	switch {
	case errors.Is(err, errKeyBusy):
		l.startLater(lv, e, from)
	case err != nil:
		l.notStarted(lv, e, err)
	case existing != "":
		l.started(lv, e, existing)
		l.look(lv, e, existing)
	default:
		l.births = append(l.births, child)
		l.started(lv, e, child.run.ID)
		l.hold(func() {
			release()
			l.r.lane(child.run.ID).receive(child)
		})
	}
}

// receive takes a run that another lane made and wrote.
func (l *lane) receive(lv *live) {
	l.put(func() {
		l.runs[lv.run.ID] = lv
		l.begin(lv)
		l.settle(lv)
	})
}

// startLater starts a run whose idempotency key another run is just about to take.
func (l *lane) startLater(lv *live, e flow.StartRun, from origin) {
	from.hurried = false
	l.errand(lv, e.Task, func(ctx context.Context) flow.Event {
		child, existing, release, err := l.r.make(ctx, e.Request, from)
		if err == nil && existing == "" {
			existing = child.run.ID
			err = l.r.launch(ctx, child, nil)
			release()
		}
		if err != nil {
			return flow.ChildEnded{Task: e.Task, State: flow.Failed, Reason: err.Error()}
		}
		return flow.ChildStarted{Task: e.Task, Child: existing}
	})
}

func (l *lane) started(lv *live, e flow.StartRun, child flow.RunID) {
	if e.Task != "" {
		l.todo = append(l.todo, todo{lv, flow.ChildStarted{Task: e.Task, Child: child}})
	}
}

func (l *lane) notStarted(lv *live, e flow.StartRun, err error) {
	if e.Task == "" {
		l.r.cfg.Log.Warn("a failure workflow could not be started", "run", lv.run.ID, "workflow", e.Request.Name,
			"error", err)
		return
	}
	l.todo = append(l.todo, todo{lv, flow.ChildEnded{Task: e.Task, State: flow.Failed, Reason: err.Error()}})
}

// look finds out how a run stands that a task waits for and that was started before. One that was started for somebody
// else tells only those who ask.
func (l *lane) look(lv *live, e flow.StartRun, id flow.RunID) {
	if !e.Wait {
		return
	}
	r, parent := l.r, lv.run.ID
	r.lane(id).put(func() {
		child, err := r.lane(id).get(id)
		ended := func(run *flow.Run) {
			r.tell(order{run: parent, event: flow.ChildEnded{
				Task: e.Task, Child: id, State: run.State, Output: run.Output, Reason: run.Reason,
			}})
		}
		switch {
		case err != nil:
			r.tell(order{run: parent, event: flow.ChildEnded{
				Task: e.Task, Child: id, State: flow.Failed, Reason: err.Error(),
			}})
		case child.run.State.Final():
			ended(child.run)
		case child.run.Parent != parent:
			child.waiters = append(child.waiters, &waiter{told: ended})
			r.lane(id).unrest(child)
		}
	})
}
