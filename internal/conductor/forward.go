package conductor

import (
	"bytes"
	"errors"
	"io"

	"switchboard/internal/runner"
)

// orElsewhere hands what is about a run that is not here to the cluster, if there is one.
func orElsewhere(here handle) handle {
	return func(a *API, r *request) (any, error) {
		if a.Cluster == nil {
			return here(a, r)
		}
		body, err := r.body()
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer, err := here(a, r)
		if !errors.Is(err, runner.ErrNotFound) {
			return answer, err
		}
		if _, lost := a.Runner.Run(r.Context(), r.run(), false); !errors.Is(lost, runner.ErrNotFound) {
			return answer, err // something else is not there
		}
		return a.forward(r, body)
	}
}

// forward sends a request on as it is.
func (a *API) forward(r *request, body []byte) (any, error) {
	query := r.query
	query.Del("apikey")
	return a.Cluster.ask(r.Context(), r.Method, r.URL.EscapedPath(), query.Encode(), body)
}

// searchElsewhere hands a search for runs of one workflow to the cluster that runs it; false: it is for here.
func (a *API) searchElsewhere(r *request, q runner.Query) (any, bool, error) {
	if a.Cluster == nil || len(q.Names) != 1 {
		return nil, false, nil
	}
	def, ok := a.Runner.Definition(q.Names[0], q.Version)
	if !ok || def.Engine != runner.EngineConductor {
		return nil, false, nil
	}
	answer, err := a.forward(r, nil)
	return answer, true, err
}
