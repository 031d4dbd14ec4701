package runner

import (
	"context"

	"switchboard/internal/flow"
)

// EngineConductor is the engine of definitions that a cluster runs.
const EngineConductor = "conductor"

// Elsewhere is a cluster that runs definitions of EngineConductor.
type Elsewhere interface {
	// Register registers a definition there, in the place of one of its name and version.
	Register(ctx context.Context, def *flow.Definition) error
	// Start starts a run there, and gives its id there.
	Start(ctx context.Context, req flow.StartRequest) (flow.RunID, error)
}

// elsewhere says whether a request asks for a run on the cluster.
func (r *Runner) elsewhere(req flow.StartRequest) bool {
	def := req.Definition
	if def == nil {
		def, _ = r.book.definition(req.Name, req.Version)
	}
	return def != nil && def.Engine == EngineConductor
}

// startElsewhere hands a request over. What bounds requests here holds for it too.
func (r *Runner) startElsewhere(ctx context.Context, req flow.StartRequest) (flow.RunID, error) {
	if _, err := r.asked(&req, false); err != nil {
		return "", err
	}
	if r.cfg.Elsewhere == nil {
		return "", noCluster()
	}
	return r.cfg.Elsewhere.Start(ctx, req)
}

func noCluster() error {
	return invalid("engine", "no cluster is set: --conductor-url does that")
}

// registerElsewhere registers those of the definitions that the cluster runs.
func (r *Runner) registerElsewhere(ctx context.Context, defs []*flow.Definition) error {
	for _, def := range defs {
		if def.Engine != EngineConductor {
			continue
		}
		if r.cfg.Elsewhere == nil {
			return noCluster()
		}
		if err := r.cfg.Elsewhere.Register(ctx, def); err != nil {
			return err
		}
	}
	return nil
}

// startChildElsewhere starts a run on the cluster for a START_WORKFLOW task. Asked again after a crash it gives the
// same idempotency key.
func (l *lane) startChildElsewhere(lv *live, e flow.StartRun) {
	if e.Wait {
		l.notStarted(lv, e, conflict("%s runs on the cluster: nothing here can wait for it", e.Request.Name))
		return
	}
	req, task := e.Request, e.Task
	if req.IdempotencyKey == "" && task != "" {
		req.IdempotencyKey, req.IdempotencyStrategy = string(task), strategyReturn
	}
	l.errand(lv, task, func(ctx context.Context) flow.Event {
		id, err := l.r.startElsewhere(ctx, req)
		if err != nil {
			return flow.ChildEnded{Task: task, State: flow.Failed, Reason: err.Error()}
		}
		return flow.ChildStarted{Task: task, Child: id}
	})
}
