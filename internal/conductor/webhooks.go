package conductor

import (
	"context"
	"slices"

	"switchboard/internal/flow"
	"switchboard/internal/runner"
	"switchboard/internal/trigger"
	"switchboard/workflows"
)

// Webhooks takes requests of other programs, which start workflows or complete tasks. Errors are those of trigger.
type Webhooks interface {
	Webhooks() []trigger.Webhook // by name
	PutWebhook(ctx context.Context, by string, h trigger.Webhook) error
	DropWebhook(ctx context.Context, name string) error
}

var webhookRoutes = []route{
	{method: "GET", path: "/api/metadata/webhook", handle: (*API).listWebhooks},
	{method: "POST", path: "/api/metadata/webhook", handle: (*API).putWebhook},
	{method: "GET", path: "/api/metadata/webhook/{name}", handle: (*API).getWebhook},
	{method: "PUT", path: "/api/metadata/webhook/{name}", handle: (*API).putWebhook},
	{method: "DELETE", path: "/api/metadata/webhook/{name}", handle: (*API).dropWebhook},
}

// wireWebhook is an incoming webhook as clients see it. Its name is its id.
type wireWebhook struct {
	trigger.Webhook
	ID      string   `json:"id"`
	Path    string   `json:"path"` // where requests go
	Headers flow.Map `json:"headers,omitzero"`
	Value   string   `json:"secretValue,omitzero"`
}

func showWebhook(h trigger.Webhook) wireWebhook {
	return wireWebhook{Webhook: h, ID: h.Name, Path: trigger.PathIn + h.Name}
}

func (a *API) listWebhooks(*request) (any, error) {
	found := []wireWebhook{}
	for _, h := range a.Webhooks.Webhooks() {
		found = append(found, showWebhook(h))
	}
	return found, nil
}

func (a *API) getWebhook(r *request) (any, error) {
	all := a.Webhooks.Webhooks()
	i := slices.IndexFunc(all, func(h trigger.Webhook) bool { return h.Name == r.path["name"] })
	if i < 0 {
		return nil, missing("there is no webhook %s", r.path["name"])
	}
	return showWebhook(all[i]), nil
}

func (a *API) putWebhook(r *request) (any, error) {
	var given wireWebhook
	if err := r.decode(&given, true); err != nil {
		return nil, err
	}
	name := r.path["name"]
	switch {
	case len(given.Headers) > 0:
		return nil, invalid("headers", "put the value into a secret; name that in secretKey, the header in headerKey")
	case given.Value != "":
		return nil, invalid("secretValue", "put it into a secret, and name that in secretKey")
	case name != "" && given.Name != "" && given.Name != name:
		return nil, invalid("name", "is not the one of the path")
	case name != "":
		given.Name = name
	}
	given.Identity = r.identity()
	if err := a.Webhooks.PutWebhook(r.Context(), r.by(), given.Webhook); err != nil {
		return nil, err
	}
	r.path["name"] = given.Name
	return a.getWebhook(r)
}

func (a *API) dropWebhook(r *request) (any, error) {
	return nothing{}, a.Webhooks.DropWebhook(r.Context(), r.path["name"])
}

var templateRoutes = []route{
	{method: "GET", path: "/api/templates", handle: (*API).listTemplates},
	{method: "POST", path: "/api/templates/{name}", handle: (*API).installTemplate},
}

func (a *API) listTemplates(*request) (any, error) { return workflows.All(), nil }

// installTemplate registers all that a template has; without overwrite only if nothing of it is there.
func (a *API) installTemplate(r *request) (any, error) {
	all := workflows.All()
	i := slices.IndexFunc(all, func(t workflows.Template) bool { return t.Name == r.path["name"] })
	if i < 0 {
		return nil, missing("there is no template %s", r.path["name"])
	}
	t := all[i]
	overwrite, err := r.yes("overwrite", false)
	if err != nil {
		return nil, err
	}
	if !overwrite {
		if err := a.isNew(t); err != nil {
			return nil, err
		}
	}
	if err := a.Runner.PutDefinitions(r.Context(), r.by(), t.Workflows, overwrite); err != nil {
		return nil, err
	}
	if len(t.Handlers) > 0 {
		for i := range t.Handlers {
			t.Handlers[i].Identity = r.identity()
		}
		if err := a.Events.PutHandlers(r.Context(), r.by(), t.Handlers, overwrite); err != nil {
			return nil, err
		}
	}
	for _, s := range t.Schedules {
		s.Identity = r.identity()
		if err := a.Scheduler.PutSchedule(r.Context(), r.by(), s); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// isNew says what of a template is there already.
func (a *API) isNew(t workflows.Template) error {
	exists := func(kind, name string) error {
		return &runner.Error{Kind: runner.ErrConflict, Message: "the " + kind + " " + name + " exists already"}
	}
	for _, def := range t.Workflows {
		if _, ok := a.Runner.Definition(def.Name, def.Version); ok {
			return exists("workflow", def.Name)
		}
	}
	for _, h := range a.Events.Handlers() {
		if slices.ContainsFunc(t.Handlers, func(mine flow.EventHandler) bool { return mine.Name == h.Name }) {
			return exists("event handler", h.Name)
		}
	}
	for _, s := range a.Scheduler.Schedules() {
		if slices.ContainsFunc(t.Schedules, func(mine flow.Schedule) bool { return mine.Name == s.Name }) {
			return exists("schedule", s.Name)
		}
	}
	return nil
}
