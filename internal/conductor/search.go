package conductor

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/runner"
	"switchboard/internal/store"
)

var searchRoutes = []route{
	{method: "GET", path: "/api/workflow/search", handle: (*API).search},
	{method: "GET", path: "/api/workflow/search-v2", handle: (*API).searchWhole},
	{method: "GET", path: "/api/workflow/search-by-tasks", handle: (*API).searchByTasks},
	{method: "GET", path: "/api/workflow/search-by-tasks-v2", handle: (*API).searchByTasks},
	{method: "GET", path: "/api/workflow/running/{name}", handle: (*API).running},
	{method: "GET", path: "/api/workflow/{id}/correlated/{correlation}", handle: (*API).correlatedOne},
	{method: "POST", path: "/api/workflow/{id}/correlated", handle: (*API).correlated},
	{method: "POST", path: "/api/workflow/correlated/batch", handle: (*API).correlatedBatch},
	{method: "GET", path: "/api/tasks/search", handle: (*API).searchTasks},
	{method: "GET", path: "/api/tasks/search-v2", handle: (*API).searchTasksWhole},
}

// page is what all searches have in common.
type page struct {
	start, size int
	ascending   bool
	sort        string
	text        string
	conditions  []condition
}

func (r *request) page() (p page, err error) {
	if p.start, err = r.number("start", 0); err != nil {
		return p, err
	}
	if p.size, err = r.number("size", runner.DefaultSearch); err != nil {
		return p, err
	}
	if p.size == 0 {
		p.size = runner.DefaultSearch
	}
	if text := r.query.Get("freeText"); text != "*" {
		p.text = text
	}
	field, direction, _ := strings.Cut(r.query.Get("sort"), ":")
	p.sort, p.ascending = field, field != "" && !strings.EqualFold(direction, "DESC")
	if p.conditions, err = parseQuery(r.query.Get("query")); err != nil {
		return p, invalid("query", "%v", err)
	}
	return p, nil
}

var orders = map[string]runner.Query{
	"": {}, "startTime": {}, "createTime": {}, "workflowId": {},
	"updateTime": {Sort: store.OrderUpdated}, "modifiedTime": {Sort: store.OrderUpdated},
	"endTime": {Sort: store.OrderEnded}, "workflowType": {Sort: store.OrderName}, "name": {Sort: store.OrderName},
	"status": {Sort: store.OrderState},
}

// runs is a search for runs as the runner takes it.
func (r *request) runs() (runner.Query, error) {
	p, err := r.page()
	if err != nil {
		return runner.Query{}, err
	}
	q, ok := orders[p.sort]
	if !ok {
		return q, invalid("sort", "%q is none of startTime, updateTime, endTime, workflowType and status", p.sort)
	}
	q.Start, q.Size, q.Ascending, q.Text = p.start, p.size, p.ascending, p.text
	for _, c := range p.conditions {
		if err := aboutRun(&q, c); err != nil {
			return q, err
		}
	}
	return q, nil
}

func aboutRun(q *runner.Query, c condition) error {
	switch c.field {
	case "startTime", "createTime":
		return within(&q.From, &q.To, c)
	case "updateTime", "modifiedTime":
		return within(&q.UpdatedFrom, &q.UpdatedTo, c)
	}
	if c.op != "=" && c.op != "IN" {
		return invalid("query", "%s takes = and IN", c.field)
	}
	switch c.field {
	case "workflowType", "workflowName", "name":
		q.Names = both(q.Names, c.values)
	case "status":
		q.States = both(q.States, c.values)
	case "correlationId":
		q.Correlations = both(q.Correlations, c.values)
	case "workflowId":
		q.IDs = both(q.IDs, c.values)
	case "parentWorkflowId", "version":
		if len(c.values) > 1 {
			return invalid("query", "%s takes one value", c.field)
		}
		if c.field == "parentWorkflowId" {
			q.Parent = c.values[0]
			return nil
		}
		n, err := strconv.Atoi(c.values[0])
		if err != nil || n < 1 {
			return invalid("query", "version must be a number")
		}
		q.Version = n
	default:
		return invalid("query", "%s is none of workflowType, version, status, workflowId, correlationId, "+
			"parentWorkflowId, startTime and updateTime", c.field)
	}
	return nil
}

// both is what two conditions on one field leave.
func both(had, more []string) []string {
	if had == nil {
		return more
	}
	left := keep(had, func(s string) bool { return slices.Contains(more, s) })
	if left == nil {
		return []string{"\x00"} // nothing is called that
	}
	return left
}

// within reads a bound in Unix milliseconds.
func within(from, to *time.Time, c condition) error {
	ms, err := strconv.ParseInt(c.values[0], 10, 64)
	if err != nil {
		return invalid("query", "%s must be in Unix milliseconds", c.field)
	}
	switch c.op {
	case ">":
		*from = time.UnixMilli(ms + 1)
	case ">=":
		*from = time.UnixMilli(ms)
	case "<":
		*to = time.UnixMilli(ms)
	case "<=":
		*to = time.UnixMilli(ms + 1)
	case "=":
		*from, *to = time.UnixMilli(ms), time.UnixMilli(ms+1)
	default:
		return invalid("query", "%s takes =, <, >, <= and >=", c.field)
	}
	return nil
}

// hits is one page of what was found.
type hits[T any] struct {
	Total   int `json:"totalHits"`
	Results []T `json:"results"`
}

func (a *API) search(r *request) (any, error) {
	q, err := r.runs()
	if err != nil {
		return nil, err
	}
	if answer, done, err := a.searchElsewhere(r, q); done {
		return answer, err
	}
	found, total, err := a.Runner.Search(r.Context(), q)
	if err != nil {
		return nil, err
	}
	page := hits[wireSummary]{Total: total}
	for _, s := range found {
		page.Results = append(page.Results, summaryOf(s))
	}
	return page, nil
}

// MaxWhole bounds the runs that are answered whole.
const MaxWhole = 100

func (a *API) searchWhole(r *request) (any, error) {
	q, err := r.runs()
	if err != nil {
		return nil, err
	}
	if q.Size > MaxWhole {
		return nil, invalid("size", "may be %d at most where runs are answered whole", MaxWhole)
	}
	if answer, done, err := a.searchElsewhere(r, q); done {
		return answer, err
	}
	found, total, err := a.Runner.Search(r.Context(), q)
	if err != nil {
		return nil, err
	}
	runs, err := a.whole(r, found, true)
	return hits[wireRun]{total, runs}, err
}

// whole reads found runs.
func (a *API) whole(r *request, found []runner.Summary, tasks bool) ([]wireRun, error) {
	runs := make([]wireRun, 0, len(found))
	for _, s := range found {
		run, err := a.Runner.Run(r.Context(), s.ID, tasks)
		if err != nil {
			return nil, err
		}
		runs = append(runs, runOf(run))
	}
	return runs, nil
}

// tasksQuery is a search for attempts as the runner takes it.
func (r *request) tasksQuery() (runner.TaskQuery, error) {
	p, err := r.page()
	if err != nil {
		return runner.TaskQuery{}, err
	}
	q := runner.TaskQuery{Start: p.start, Size: p.size, Ascending: p.ascending, Text: p.text}
	switch p.sort {
	case "", "startTime", "scheduledTime", "createTime", "updateTime", "taskId":
	default:
		return q, invalid("sort", "tasks are found in the order of startTime")
	}
	for _, c := range p.conditions {
		if err := aboutTask(&q, c); err != nil {
			return q, err
		}
	}
	return q, nil
}

func aboutTask(q *runner.TaskQuery, c condition) error {
	if c.op != "=" && c.op != "IN" {
		return invalid("query", "%s takes = and IN", c.field)
	}
	switch c.field {
	case "status":
		q.Statuses = both(q.Statuses, c.values)
		return nil
	case "taskType":
		q.Types = both(q.Types, c.values)
		return nil
	}
	fields := map[string]*string{
		"taskId": &q.ID, "taskDefName": &q.Name, "taskName": &q.Name, "referenceTaskName": &q.Ref,
		"taskReferenceName": &q.Ref, "workflowId": &q.Run, "workflowType": &q.Workflow,
	}
	to := fields[c.field]
	switch {
	case to == nil:
		return invalid("query", "%s is none of taskId, taskType, taskDefName, taskReferenceName, status, workflowId "+
			"and workflowType", c.field)
	case len(c.values) > 1:
		return invalid("query", "%s takes one value", c.field)
	}
	*to = c.values[0]
	return nil
}

func (a *API) searchTasks(r *request) (any, error) {
	q, err := r.tasksQuery()
	if err != nil {
		return nil, err
	}
	found, total, err := a.Runner.SearchTasks(r.Context(), q)
	if err != nil {
		return nil, err
	}
	page := hits[wireTaskSummary]{Total: total}
	for _, f := range found {
		page.Results = append(page.Results, taskSummaryOf(f))
	}
	return page, nil
}

func (a *API) searchTasksWhole(r *request) (any, error) {
	q, err := r.tasksQuery()
	if err != nil {
		return nil, err
	}
	found, total, err := a.Runner.SearchTasks(r.Context(), q)
	if err != nil {
		return nil, err
	}
	page := hits[wireTask]{Total: total}
	for _, f := range found {
		t := taskOf(f.Attempt, nil)
		t.WorkflowType = f.Workflow
		page.Results = append(page.Results, t)
	}
	return page, nil
}

// searchByTasks finds runs by what their tasks are like: each once, on the page of its first task found.
func (a *API) searchByTasks(r *request) (any, error) {
	q, err := r.tasksQuery()
	if err != nil {
		return nil, err
	}
	found, total, err := a.Runner.SearchTasks(r.Context(), q)
	if err != nil {
		return nil, err
	}
	page := hits[wireSummary]{Total: total}
	seen := map[flow.RunID]bool{}
	for _, f := range found {
		if seen[f.Run] {
			continue
		}
		seen[f.Run] = true
		one, _, err := a.Runner.Search(r.Context(), runner.Query{ID: string(f.Run), Size: 1})
		if err != nil {
			return nil, err
		}
		for _, s := range one {
			page.Results = append(page.Results, summaryOf(s))
		}
	}
	return page, nil
}

// open are the states of runs that have not ended.
var open = []string{string(flow.Running), string(flow.Paused)}

func (a *API) running(r *request) (any, error) {
	q := runner.Query{Name: r.path["name"], States: open, Size: runner.MaxSearch}
	var err error
	if q.Version, err = r.number("version", 0); err != nil {
		return nil, err
	}
	for name, at := range map[string]*time.Time{"startTime": &q.From, "endTime": &q.To} {
		ms, err := r.number(name, 0)
		if err != nil {
			return nil, err
		}
		if ms > 0 {
			*at = time.UnixMilli(int64(ms))
		}
	}
	found, _, err := a.Runner.Search(r.Context(), q)
	if err != nil {
		return nil, err
	}
	ids := make([]flow.RunID, 0, len(found))
	for _, s := range found {
		ids = append(ids, s.ID)
	}
	return ids, nil
}

// byCorrelation finds the runs of some workflows with some correlation ids.
func (a *API) byCorrelation(r *request, names, ids []string) ([]wireRun, error) {
	closed, err := r.yes("includeClosed", false)
	if err != nil {
		return nil, err
	}
	tasks, err := r.yes("includeTasks", false)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 || len(ids) > MaxConditions || len(names) > MaxConditions {
		return nil, invalid("correlationIds", "there must be from 1 to %d", MaxConditions)
	}
	q := runner.Query{Names: names, Correlations: ids, Size: runner.MaxSearch, Ascending: true}
	if !closed {
		q.States = open
	}
	found, _, err := a.Runner.Search(r.Context(), q)
	if err != nil {
		return nil, err
	}
	return a.whole(r, found, tasks)
}

func (a *API) correlatedOne(r *request) (any, error) {
	return a.byCorrelation(r, []string{r.path["id"]}, []string{r.path["correlation"]})
}

func (a *API) correlated(r *request) (any, error) {
	var ids []string
	if err := r.decode(&ids, true); err != nil {
		return nil, err
	}
	return a.sorted(r, []string{r.path["id"]}, ids)
}

func (a *API) correlatedBatch(r *request) (any, error) {
	var in struct {
		IDs   []string `json:"correlationIds"`
		Names []string `json:"workflowNames"`
	}
	if err := r.decode(&in, true); err != nil {
		return nil, err
	}
	return a.sorted(r, in.Names, in.IDs)
}

// sorted answers runs by correlation id.
func (a *API) sorted(r *request, names, ids []string) (any, error) {
	runs, err := a.byCorrelation(r, names, ids)
	if err != nil {
		return nil, err
	}
	by := map[string][]wireRun{}
	for _, id := range ids {
		by[id] = []wireRun{}
	}
	for _, run := range runs {
		by[run.CorrelationID] = append(by[run.CorrelationID], run)
	}
	return by, nil
}
