package conductor

import (
	"context"

	"switchboard/internal/flow"
)

// MaxBulk is how many runs one request may name.
const MaxBulk = 1000

var bulkRoutes = []route{
	{method: "PUT", path: "/api/workflow/bulk/pause", handle: bulkOrder(flow.Pause{})},
	{method: "PUT", path: "/api/workflow/bulk/resume", handle: bulkOrder(flow.Resume{})},
	{method: "POST", path: "/api/workflow/bulk/retry", handle: bulkOrder(flow.Retry{})},
	{method: "POST", path: "/api/workflow/bulk/restart", handle: (*API).bulkRestart},
	{method: "POST", path: "/api/workflow/bulk/terminate", handle: (*API).bulkTerminate},
	{method: "POST", path: "/api/workflow/bulk/delete", handle: (*API).bulkRemove},
	{method: "POST", path: "/api/workflow/bulk/remove", handle: (*API).bulkRemove},
	{method: "DELETE", path: "/api/workflow/bulk/remove", handle: (*API).bulkRemove},
}

// each does one thing to every run that the body names.
func (a *API) each(r *request, do func(context.Context, flow.RunID) error) (any, error) {
	var ids []flow.RunID
	if err := r.decode(&ids, true); err != nil {
		return nil, err
	}
	if len(ids) == 0 || len(ids) > MaxBulk {
		return nil, badRequest("the list must have from 1 to %d ids", MaxBulk)
	}
	done := newBulk()
	for _, id := range ids {
		if err := do(r.Context(), id); err != nil {
			done.Bad[string(id)] = failureOf(err).message
			continue
		}
		done.Good = append(done.Good, string(id))
	}
	return done, nil
}

func bulkOrder(event flow.Event) handle {
	return func(a *API, r *request) (any, error) {
		return a.each(r, func(ctx context.Context, id flow.RunID) error { return a.Runner.Do(ctx, id, event) })
	}
}

func (a *API) bulkRestart(r *request) (any, error) {
	latest, err := r.yes("useLatestDefinitions", false)
	if err != nil {
		return nil, err
	}
	return a.each(r, func(ctx context.Context, id flow.RunID) error {
		if latest {
			return a.Runner.RestartLatest(ctx, id)
		}
		return a.Runner.Do(ctx, id, flow.Restart{})
	})
}

func (a *API) bulkTerminate(r *request) (any, error) {
	failure, err := r.yes("triggerFailureWorkflow", false)
	if err != nil {
		return nil, err
	}
	return a.each(r, func(ctx context.Context, id flow.RunID) error {
		return a.Runner.Do(ctx, id, flow.Terminate{Reason: r.query.Get("reason"), Failure: failure})
	})
}

func (a *API) bulkRemove(r *request) (any, error) { return a.each(r, a.Runner.Remove) }
