package conductor

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/flow"
)

// Scheduler starts workflows at times. Errors are those of trigger.
type Scheduler interface {
	Schedules() []flow.Schedule // by name
	PutSchedule(ctx context.Context, by string, s flow.Schedule) error
	DropSchedule(ctx context.Context, name string) error
	PauseSchedule(ctx context.Context, name string, paused bool, reason string) error
	// NextTimes are the next count times of a cron expression in a time zone, within bounds; a zero bound is none.
	NextTimes(cron, zone string, from, to time.Time, count int) ([]time.Time, error)
	// Executions lists what schedules started, newest first, and how many there are beyond the page.
	Executions(ctx context.Context, q ExecutionQuery) ([]Execution, int, error)
}

// Events does something about events. Errors are those of trigger.
type Events interface {
	Handlers() []flow.EventHandler // by name
	PutHandlers(ctx context.Context, by string, handlers []flow.EventHandler, replace bool) error
	DropHandler(ctx context.Context, name string) error
	// Publish tells the handlers of an event, PROVIDER:NAME. The same id is heard once.
	Publish(ctx context.Context, id, event string, payload flow.Map) error
}

// ExecutionQuery says which executions are looked for; what is empty does not matter.
type ExecutionQuery struct {
	Schedule, Workflow, State string
	Start, Size               int
	Ascending                 bool
}

// Execution is one time that a schedule was due. Times are Unix milliseconds.
type Execution struct {
	ID        string            `json:"executionId"`
	Schedule  string            `json:"scheduleName"`
	Scheduled int64             `json:"scheduledTime"`
	Executed  int64             `json:"executionTime"`
	Workflow  string            `json:"workflowName"`
	Run       flow.RunID        `json:"workflowId,omitzero"`
	Reason    string            `json:"reason,omitzero"`
	State     string            `json:"state"` // POLLED, FAILED, EXECUTED
	Request   flow.StartRequest `json:"startWorkflowRequest"`
	Zone      string            `json:"zoneId,omitzero"`
}

// MaxNextTimes bounds a preview of a cron expression.
const (
	MaxNextTimes     = 100
	defaultNextTimes = 3
)

var scheduleRoutes = append(tagsAt(kindSchedule, "/api/scheduler/schedules/{name}/tags"), []route{
	{method: "GET", path: "/api/scheduler/schedules", handle: (*API).listSchedules},
	{method: "POST", path: "/api/scheduler/schedules", handle: (*API).putSchedule},
	{method: "GET", path: "/api/scheduler/schedules/tags", handle: (*API).schedulesByTag},
	{method: "GET", path: "/api/scheduler/schedules/search", handle: (*API).searchSchedules},
	{method: "GET", path: "/api/scheduler/schedules/{name}", handle: (*API).getSchedule},
	{method: "DELETE", path: "/api/scheduler/schedules/{name}", handle: (*API).dropSchedule},
	{method: "PUT", path: "/api/scheduler/schedules/{name}/pause", handle: pauseSchedule(true)},
	{method: "GET", path: "/api/scheduler/schedules/{name}/pause", handle: pauseSchedule(true)},
	{method: "PUT", path: "/api/scheduler/schedules/{name}/resume", handle: pauseSchedule(false)},
	{method: "GET", path: "/api/scheduler/schedules/{name}/resume", handle: pauseSchedule(false)},
	{method: "GET", path: "/api/scheduler/admin/pause", handle: pauseAll(true)},
	{method: "PUT", path: "/api/scheduler/admin/pause", handle: pauseAll(true)},
	{method: "GET", path: "/api/scheduler/admin/resume", handle: pauseAll(false)},
	{method: "PUT", path: "/api/scheduler/admin/resume", handle: pauseAll(false)},
	{method: "GET", path: "/api/scheduler/nextFewSchedules", handle: (*API).nextTimes},
	{method: "GET", path: "/api/scheduler/search/executions", handle: (*API).executions},
}...)

// wireSchedule is a schedule as clients see it.
type wireSchedule struct {
	flow.Schedule
	Tags []tag `json:"tags"`
}

func (a *API) schedules(r *request, good func(flow.Schedule) bool) ([]wireSchedule, error) {
	tags, err := a.tagsOf(r.Context(), kindSchedule)
	if err != nil {
		return nil, err
	}
	found := []wireSchedule{}
	for _, s := range a.Scheduler.Schedules() {
		if good(s) {
			found = append(found, wireSchedule{s, tags[s.Name]})
		}
	}
	return found, nil
}

func (a *API) listSchedules(r *request) (any, error) {
	workflow := r.query.Get("workflowName")
	return a.schedules(r, func(s flow.Schedule) bool { return workflow == "" || s.Start.Name == workflow })
}

func (a *API) schedulesByTag(r *request) (any, error) {
	wanted := r.query.Get("tag")
	all, err := a.schedules(r, func(flow.Schedule) bool { return true })
	return slices.DeleteFunc(all, func(s wireSchedule) bool {
		return !slices.ContainsFunc(s.Tags, func(t tag) bool { return t.Key+":"+t.Value == wanted })
	}), err
}

// searchSchedules finds schedules by workflow, name and whether they are paused.
func (a *API) searchSchedules(r *request) (any, error) {
	p, err := r.page()
	if err != nil {
		return nil, err
	}
	found, err := a.schedules(r, func(s flow.Schedule) bool {
		for field, value := range map[string]string{
			"workflowName": s.Start.Name, "name": s.Name, "paused": strconv.FormatBool(s.Paused),
		} {
			if want := r.query.Get(field); want != "" && want != value {
				return false
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	return pageOf(found, p)
}

// pageOf cuts one page out of what was found.
func pageOf[T any](found []T, p page) (any, error) {
	if p.start < 0 || p.size < 0 {
		return nil, invalid("start, size", "must not be negative")
	}
	rest := found[min(p.start, len(found)):]
	return hits[T]{len(found), rest[:min(p.size, len(rest))]}, nil
}

func (a *API) schedule(name string) (flow.Schedule, bool) {
	all := a.Scheduler.Schedules()
	if i := slices.IndexFunc(all, func(s flow.Schedule) bool { return s.Name == name }); i >= 0 {
		return all[i], true
	}
	return flow.Schedule{}, false
}

func (a *API) getSchedule(r *request) (any, error) {
	found, err := a.schedules(r, func(s flow.Schedule) bool { return s.Name == r.path["name"] })
	if err == nil && len(found) == 0 {
		err = missing("there is no schedule %s", r.path["name"])
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

func (a *API) putSchedule(r *request) (any, error) {
	var s flow.Schedule
	if err := r.decode(&s, true); err != nil {
		return nil, err
	}
	s.Identity = r.identity()
	if err := a.Scheduler.PutSchedule(r.Context(), r.by(), s); err != nil {
		return nil, err
	}
	return nothing{}, nil
}

func (a *API) dropSchedule(r *request) (any, error) {
	if err := a.Scheduler.DropSchedule(r.Context(), r.path["name"]); err != nil {
		return nil, err
	}
	return nothing{}, a.Shelf.DropTags(r.Context(), kindSchedule, r.path["name"], nil)
}

func pauseSchedule(paused bool) handle {
	return func(a *API, r *request) (any, error) {
		return nothing{}, a.Scheduler.PauseSchedule(r.Context(), r.path["name"], paused, r.query.Get("reason"))
	}
}

func pauseAll(paused bool) handle {
	return func(a *API, r *request) (any, error) {
		done := 0
		for _, s := range a.Scheduler.Schedules() {
			if s.Paused == paused {
				continue
			}
			if err := a.Scheduler.PauseSchedule(r.Context(), s.Name, paused, r.query.Get("reason")); err != nil {
				return nil, err
			}
			done++
		}
		return map[string]any{"schedules": done}, nil
	}
}

func (a *API) nextTimes(r *request) (any, error) {
	count, err := r.number("limit", defaultNextTimes)
	if err != nil {
		return nil, err
	}
	if count < 1 || count > MaxNextTimes {
		return nil, invalid("limit", "must be from 1 to %d", MaxNextTimes)
	}
	bounds := map[string]time.Time{}
	for _, name := range []string{"scheduleStartTime", "scheduleEndTime"} {
		ms, err := r.number(name, 0)
		if err != nil {
			return nil, err
		}
		if ms > 0 {
			bounds[name] = time.UnixMilli(int64(ms))
		}
	}
	times, err := a.Scheduler.NextTimes(r.query.Get("cronExpression"), r.query.Get("zoneId"),
		bounds["scheduleStartTime"], bounds["scheduleEndTime"], count)
	if err != nil {
		return nil, err
	}
	list := []int64{}
	for _, t := range times {
		list = append(list, t.UnixMilli())
	}
	return list, nil
}

func (a *API) executions(r *request) (any, error) {
	p, err := r.page()
	if err != nil {
		return nil, err
	}
	q := ExecutionQuery{Start: p.start, Size: p.size, Ascending: p.ascending}
	for _, c := range p.conditions {
		to := map[string]*string{
			"scheduleName": &q.Schedule, "workflowName": &q.Workflow, "workflowType": &q.Workflow, "state": &q.State,
		}[c.field]
		if to == nil || c.op != "=" && c.op != "IN" || len(c.values) != 1 {
			return nil, invalid("query", "%s: scheduleName, workflowName and state take one value each", c.field)
		}
		*to = c.values[0]
	}
	found, total, err := a.Scheduler.Executions(r.Context(), q)
	return hits[Execution]{total, found}, err
}

var eventRoutes = append(tagsAt(kindEvent, "/api/event/{name}/tags"), []route{
	{method: "GET", path: "/api/event", handle: (*API).listHandlers},
	{method: "POST", path: "/api/event", handle: (*API).addHandlers},
	{method: "PUT", path: "/api/event", handle: (*API).changeHandler},
	{method: "GET", path: "/api/event/{name}", handle: (*API).handlersOf},
	{method: "DELETE", path: "/api/event/{name}", handle: (*API).dropHandler},
	{method: "GET", path: "/api/event/handler/{name}", handle: (*API).getHandler},
	{method: "POST", path: "/api/event/handleIncomingEvent", handle: (*API).incoming},
	{method: "GET", path: "/api/event/queue/config", handle: noQueues},
}...)

// noQueues: events come from this server and through it, never from message queues.
func noQueues(*API, *request) (any, error) { return map[string]any{}, nil }

// wireHandler is an event handler as clients see it.
type wireHandler struct {
	flow.EventHandler
	Tags []tag `json:"tags"`
}

func (a *API) handlers(r *request, good func(flow.EventHandler) bool) ([]wireHandler, error) {
	tags, err := a.tagsOf(r.Context(), kindEvent)
	if err != nil {
		return nil, err
	}
	found := []wireHandler{}
	for _, h := range a.Events.Handlers() {
		if good(h) {
			found = append(found, wireHandler{h, tags[h.Name]})
		}
	}
	return found, nil
}

func (a *API) listHandlers(r *request) (any, error) {
	return a.handlers(r, func(flow.EventHandler) bool { return true })
}

func (a *API) handlersOf(r *request) (any, error) {
	active, err := r.yes("activeOnly", true)
	if err != nil {
		return nil, err
	}
	return a.handlers(r, func(h flow.EventHandler) bool { return h.Event == r.path["name"] && (h.Active || !active) })
}

func (a *API) getHandler(r *request) (any, error) {
	found, err := a.handlers(r, func(h flow.EventHandler) bool { return h.Name == r.path["name"] })
	if err == nil && len(found) == 0 {
		err = missing("there is no event handler %s", r.path["name"])
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// addHandlers takes one handler or a list of them.
func (a *API) addHandlers(r *request) (any, error) { return a.putHandlers(r, false) }

func (a *API) changeHandler(r *request) (any, error) { return a.putHandlers(r, true) }

func (a *API) putHandlers(r *request, replace bool) (any, error) {
	data, err := r.body()
	if err != nil {
		return nil, err
	}
	var given []flow.EventHandler
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		err = json.Unmarshal(data, &given, flow.JSON)
	} else {
		given = make([]flow.EventHandler, 1)
		err = json.Unmarshal(data, &given[0], flow.JSON)
	}
	if err != nil {
		return nil, badJSON(err)
	}
	if len(given) == 0 || len(given) > MaxDefinitions {
		return nil, badRequest("there must be from 1 to %d event handlers", MaxDefinitions)
	}
	for i := range given {
		given[i].Identity = r.identity()
	}
	return nothing{}, a.Events.PutHandlers(r.Context(), r.by(), given, replace)
}

func (a *API) dropHandler(r *request) (any, error) {
	if err := a.Events.DropHandler(r.Context(), r.path["name"]); err != nil {
		return nil, err
	}
	return nothing{}, a.Shelf.DropTags(r.Context(), kindEvent, r.path["name"], nil)
}

// incoming takes an event from outside: {event, id, ...}; all of it is the payload.
func (a *API) incoming(r *request) (any, error) {
	payload, err := r.object()
	if err != nil {
		return nil, err
	}
	event, _ := payload["event"].(string)
	if event == "" {
		return nil, invalid("event", "is required: PROVIDER:NAME")
	}
	id, _ := payload["id"].(string)
	return nothing{}, a.Events.Publish(r.Context(), id, event, payload)
}
