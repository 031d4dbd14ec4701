package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"switchboard/internal/app"
	"switchboard/test/lab"
)

// office is a company of a server of its own, and a browser that is signed in to it.
type office struct {
	*tab
	lab     *lab.Lab
	support *lab.Center
}

func openOffice(t *testing.T, change func(*app.Config)) *office {
	t.Helper()
	browser := startBrowser(t)
	l := lab.New(t, change)
	support := l.Center("Support", `{"ring_seconds":20}`)
	link, err := l.App.SignInLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	o := &office{&tab{T: t, ctx: ctx}, l, support}
	o.do(chromedp.EmulateViewport(1440, 1000), chromedp.Navigate(link))
	o.until(`document.querySelector("[data-link=live]") !== null && document.querySelector(".card") !== null`)
	return o
}

// click clicks what a selector finds first, once it is there and can be clicked.
func (o *office) click(selector string) {
	o.Helper()
	o.until(fmt.Sprintf(`(e => e !== null && !e.disabled)(document.querySelector(%q))`, selector))
	value[bool](o.tab, fmt.Sprintf(`document.querySelector(%q).click() === undefined`, selector))
}

// fill replaces what is in a field with text, typed by keys.
func (o *office) fill(selector, text string) {
	o.Helper()
	o.until(fmt.Sprintf("document.querySelector(%q) !== null", selector))
	value[bool](o.tab, fmt.Sprintf(`(e => { e.focus(); e.select(); return true })(document.querySelector(%q))`, selector))
	o.do(chromedp.KeyEvent(text))
}

func (o *office) has(selector, text string) {
	o.Helper()
	o.until(fmt.Sprintf(`[...document.querySelectorAll(%q)].some(e => e.innerText.includes(%q))`, selector, text))
}

func (o *office) goTo(path string) {
	o.Helper()
	o.do(chromedp.Navigate(o.lab.App.URL() + path))
	o.until(`document.querySelector("main") !== null`)
}

func (o *office) ringSeconds() string {
	return o.lab.MustAPI("GET", "/api/v2/callcenters/"+o.support.ID, "").Text("ring_seconds")
}

// The way of somebody new: find an API, read its reference, prepare the request, test it, put it in a workflow, run it.
func TestFromASearchToARunningWorkflow(t *testing.T) {
	o := openOffice(t, nil)
	o.has(".card", "rings 20 s")
	o.click(`a[href="/automation"]`)
	o.until(`location.pathname === "/automation" && document.querySelector("#add-workflow") !== null`)
	o.shoot("1-no-workflows")
	o.click("#add-workflow")
	o.fill("#workflow-name", "longer_ring")
	o.click("#add-http")
	o.fill("#find", "call center update")
	const operation = `[data-operation="PATCH /api/v2/callcenters/{id}"]`
	o.until(`document.querySelector("#found li")?.dataset.operation === "PATCH /api/v2/callcenters/{id}"`)
	o.shoot("2-found")
	o.click(operation)
	o.has(".reference h2", "/api/v2/callcenters/{id}")
	o.has(".reference", "ring_seconds")
	o.shoot("3-reference-and-request")

	o.fill("#path-id", o.support.ID)
	o.click(`[data-tab="body"]`)
	o.fill(`[data-field="ring_seconds"]`, "33")
	o.click("#body-json")
	o.until(`document.querySelector(".json-field").shadowRoot?.textContent.includes('"ring_seconds": 33')`)
	o.click("#test-request")
	o.has("dialog", "This will change data at "+strings.TrimPrefix(o.lab.App.URL(), "http://"))
	o.shoot("4-asked-once")
	if o.ringSeconds() != "20" {
		t.Error("sent before somebody agreed")
	}
	o.click("#send-it")
	o.until(`document.querySelector("[data-result='200']") !== null`)
	o.has(".verdict", "Response fits the document")
	o.has(`[data-expression$=".output.response.body.ring_seconds}"]`, "33")
	if o.ringSeconds() != "33" {
		t.Error("the test changed nothing")
	}
	o.click(`[data-expression$=".output.response.body.ring_seconds}"]`)
	o.has(".toast", ".output.response.body.ring_seconds}")
	o.shoot("5-tested")

	o.click(`#body-json`)
	o.click(`.choice button[aria-pressed="false"]`)
	o.fill(`[data-field="ring_seconds"]`, "45")
	o.click("#use-request")
	o.until(`document.querySelector("[data-task]") !== null && document.querySelector("dialog[open]") === null`)
	o.has("#checked", "No problems")
	o.shoot("6-in-the-workflow")
	o.click("#save-workflow")
	o.has(".toast", "longer_ring is saved")
	o.click("#run-workflow")
	o.has("dialog code", "id")
	if got := value[string](o.tab, `document.querySelector("[data-input=id]").value`); got != o.support.ID {
		t.Errorf("the test's id is not offered, but %q", got)
	}
	o.shoot("7-run")
	o.click("#start-run")
	o.until(`document.querySelector("[data-run-state=COMPLETED]") !== null`)
	o.until(`document.querySelector(".task.run-good[data-state=COMPLETED]") !== null`)
	o.shoot("8-green")
	green := value[string](o.tab, variable("--good-tint"))
	if shown := value[string](o.tab, colourOf(".task")); shown != green {
		t.Errorf("the task's colour is %s, not %s", shown, green)
	}
	if o.ringSeconds() != "45" {
		t.Errorf("the run left %s s", o.ringSeconds())
	}
	o.click(".brand")
	o.has(".card", "rings 45 s")
	o.shoot("9-on-the-live-page")
}

func colourOf(selector string) string {
	return fmt.Sprintf(`getComputedStyle(document.querySelector(%q)).backgroundColor`, selector)
}

// variable is a colour of the style sheet as browsers compute it.
func variable(name string) string {
	return fmt.Sprintf(`(e => { e.style.backgroundColor = "var(%s)"; document.body.append(e);
		const c = getComputedStyle(e).backgroundColor; e.remove(); return c })(document.createElement("i"))`, name)
}

// The search answers to the keys alone, and a chosen operation has an address of its own.
func TestDirectoryByKeys(t *testing.T) {
	o := openOffice(t, nil)
	o.goTo("/automation/directory")
	o.fill("#find", "callcenters")
	o.until(`document.querySelectorAll("#found li").length > 2`)
	first := value[string](o.tab, `document.querySelector("#found li[aria-selected=true]").dataset.operation`)
	o.do(chromedp.KeyEvent(kb.ArrowDown))
	second := value[string](o.tab, `document.querySelector("#found li[aria-selected=true]").dataset.operation`)
	if first == second {
		t.Errorf("the arrow stays at %s", first)
	}
	o.do(chromedp.KeyEvent(kb.Enter))
	o.until(`document.querySelector(".reference") !== null && location.search.includes("path=")`)
	value[bool](o.tab, `location.reload() === undefined`)
	o.until(`document.querySelector(".reference") !== null`)
	o.fill("#find", "stripe charges create")
	o.has("#found", "stripe.com")
	o.do(chromedp.EmulateViewport(390, 844))
	o.shoot("phone")
	if value[bool](o.tab, `(top => top(".wide-search") > top("#found"))(
		selector => document.querySelector(selector).getBoundingClientRect().top)`) {
		t.Error("on a phone the field is below what it finds")
	}
}

const petsDocument = `{"openapi":"3.0.3","info":{"title":"Pets","version":"1"},"servers":[{"url":"%s"}],
"components":{"securitySchemes":{"token":{"type":"http","scheme":"bearer"}},"schemas":{
	"Pet":{"type":"object","required":["name"],"properties":{"name":{"type":"string","example":"Rex"},
		"kind":{"type":"string","enum":["cat","dog"]},"parent":{"$ref":"#/components/schemas/Pet"},
		"home":{"oneOf":[{"title":"Flat","type":"object","properties":{"floor":{"type":"integer"}}},
			{"title":"Street","type":"string"}]},
		"age":{"type":"integer","minimum":2,"exclusiveMinimum":true,"maximum":9},
		"food":{"oneOf":[{"$ref":"#/components/schemas/Bone"},{"$ref":"#/components/schemas/Fish"}],
			"discriminator":{"propertyName":"made_of","mapping":{"calcium":"#/components/schemas/Bone"}}}}},
	"Bone":{"type":"object","properties":{"made_of":{"type":"string"}}},
	"Fish":{"type":"object","properties":{"made_of":{"type":"string"}}}}},
"security":[{"token":[]}],
"paths":{"/pets/{id}":{"get":{"operationId":"getPet","summary":"Get a pet",
	"description":"Some **bold** words <script>alert(1)</script>",
	"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"integer","minimum":1}}],
	"responses":{"200":{"description":"The pet","content":{"application/json":{
		"schema":{"$ref":"#/components/schemas/Pet"}}}}}},
	"put":{"operationId":"putPet","summary":"Replace a pet",
	"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"integer"}}],
	"requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Pet"}}}},
	"responses":{"200":{"description":"Done"}}}}}}`

// Somebody else's API: its document is added as text, its secret stored, the answer compared and two answers with each
// other. The secret is nowhere in the page.
func TestForeignAPI(t *testing.T) {
	age := 0
	pets := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		age++
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"name": age, "token": r.Header.Get("Authorization"), "odd name": []int{age},
		})
	}))
	t.Cleanup(pets.Close)
	o := openOffice(t, func(c *app.Config) { c.EgressAllow = []string{strings.TrimPrefix(pets.URL, "http://")} })
	body, _ := json.Marshal(map[string]string{"content": fmt.Sprintf(petsDocument, pets.URL), "name": "pets.json"})
	o.lab.MustAPI("POST", "/api/v2/x/directory/documents", string(body))
	o.goTo("/automation/directory")
	o.fill("#find", "getPet")
	o.click(`[data-operation="GET /pets/{id}"]`)
	o.has(".reference .words", "Some bold words")
	if value[bool](o.tab, `document.querySelector(".reference script") !== null`) {
		t.Error("a script of the document is in the page")
	}
	o.click(".answer summary")
	o.until(`document.querySelector(".answer .tree") !== null`)
	value[bool](o.tab, `[...document.querySelectorAll(".answer .tree summary")].every(e => e.click() === undefined)`)
	o.has(".answer .tree", "age integer > 2 ≤ 9")
	o.has(".answer .tree summary", "Bone object made_of calcium")
	o.fill("#path-id", "7")
	o.click(`[data-tab="auth"]`)
	o.fill(`.inline-form input`, "very-secret-token")
	o.click(`.inline-form button`)
	o.until(`document.querySelector(".inline-form") === null`)
	o.click("#test-request")
	o.until(`document.querySelector("[data-result='200']") !== null`)
	o.has(".verdict", "1 finding")
	o.has(".faults", "/name")
	o.has(".json-tree", "***")
	if strings.Contains(value[string](o.tab, "document.documentElement.outerHTML"), "very-secret-token") {
		t.Error("the secret is in the page")
	}
	o.has(".json-tree", "odd name")
	o.click("#test-request")
	o.has(".history summary", "(2)")
	o.click(".history summary")
	o.click(".history li:nth-child(1) input")
	o.click(".history li:nth-child(2) input")
	o.click(".history > button")
	o.has(".diff .plus", `"name": 2`)
	o.has(".diff .minus", `"name": 1`)
	o.shoot("two-answers")
}

// A definition that is wrong says where, as it is typed, and cannot be saved.
func TestEditorShowsProblemsAtTheirPlace(t *testing.T) {
	o := openOffice(t, nil)
	o.goTo("/automation/workflows/new")
	o.fill("#workflow-name", "branches")
	for _, kind := range []string{"SWITCH", "FORK_JOIN", "DO_WHILE"} {
		o.click("#add-task")
		o.click(fmt.Sprintf(`[data-type="%s"]`, kind))
	}
	o.has("#checked", "No problems")
	o.shoot("branches")
	for _, ref := range []string{"switch", "switch_yes", "fork_join_one", "join", "do_while_turn"} {
		o.until(fmt.Sprintf(`document.querySelector("[data-task='%s']") !== null`, ref))
	}
	o.click("[data-task=switch_yes]")
	o.click("#add-task")
	o.click(`[data-type="SUB_WORKFLOW"]`) // it names no workflow yet
	o.has("#checked", "1 problem")
	o.until(`document.querySelector(".task.faulty[data-task=sub_workflow]") !== null`)
	o.has(".task-form .faults", "/subWorkflowParam")
	o.click("#save-workflow")
	o.has(".banner", "has problems")
	o.click("#show-json")
	o.until(`!!document.querySelector(".json-field.tall").shadowRoot?.querySelector(".cm-lint-marker-error")`)
	o.shoot("a-problem")
	o.click("#show-json")
	o.click(`.task-form [title="Remove the task"]`)
	o.has("#checked", "No problems")
	o.click("#save-workflow")
	o.has(".toast", "branches is saved")
}

// Runs are seen as they go on, and can be paused, resumed, terminated, retried and run again from a task.
func TestRunIsSteered(t *testing.T) {
	var calls atomic.Int32
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	t.Cleanup(target.Close)
	o := openOffice(t, func(c *app.Config) { c.EgressAllow = []string{strings.TrimPrefix(target.URL, "http://")} })
	o.goTo("/automation/workflows")
	definition := fmt.Sprintf(`[{"name":"steered","version":1,"schemaVersion":2,"tasks":[
		{"name":"hold","taskReferenceName":"hold","type":"HUMAN"},
		{"name":"send","taskReferenceName":"send","type":"HTTP","inputParameters":{"uri":%q,"method":"POST"}}]}]`, target.URL)
	o.put("/api/metadata/workflow", definition)
	value[bool](o.tab, `location.reload() === undefined`)
	o.click(`[data-workflow=steered] button`)
	o.click("#start-run")
	o.until(`document.querySelector(".task.run-busy[data-task=hold]") !== null`)
	o.click("#pause")
	o.until(`document.querySelector("[data-run-state=PAUSED]") !== null`)
	o.click("#resume")
	o.until(`document.querySelector("[data-run-state=RUNNING]") !== null`)
	o.click("[data-attempt=hold] summary")
	o.click("[data-attempt=hold] .main")
	o.until(`document.querySelector("[data-run-state=FAILED]") !== null`)
	o.has(".banner", "418")
	o.axe("failed run")
	o.shoot("failed")
	o.click("#retry")
	o.until(`document.querySelector("[data-run-state=COMPLETED]") !== null`)
	o.shoot("retried")
	o.click("[data-attempt=send][data-status=COMPLETED] summary")
	o.click("[data-attempt=send][data-status=COMPLETED] .actions button")
	o.until(`document.querySelector("[data-run-state=COMPLETED]") !== null`)
	for start := time.Now(); calls.Load() < 3; time.Sleep(20 * time.Millisecond) {
		if time.Since(start) > lab.Patience {
			t.Fatalf("the target was asked %d times", calls.Load())
		}
	}
	o.goTo("/automation/runs")
	o.has(".runs", "steered")
}

// A schedule says when it is due next before it is saved; secrets come and go, and are never shown.
func TestSchedulesAndSecrets(t *testing.T) {
	o := openOffice(t, nil)
	o.goTo("/automation/workflows")
	o.put("/api/metadata/workflow", `[{"name":"nightly","version":1,"schemaVersion":2,"tasks":[
		{"name":"nothing","taskReferenceName":"nothing","type":"NOOP"}]}]`)
	o.goTo("/automation/schedules")
	o.click("#add-schedule")
	o.fill("dialog input", "each_night")
	o.until(`document.querySelector("dialog option[value=nightly], dialog select")?.options.length > 1`)
	value[bool](o.tab, `(e => { e.value = "nightly"; return e.dispatchEvent(new Event("change", {bubbles: true})) })(
		document.querySelector("dialog select"))`)
	o.fill("dialog label:nth-of-type(3) input", "0 0 2 ? * *")
	o.has("dialog", "Next:")
	o.fill("dialog label:nth-of-type(3) input", "0 0 99 ? * *")
	o.until(`document.querySelector("dialog .tone-bad") !== null`)
	o.fill("dialog label:nth-of-type(3) input", "0 0 2 ? * *")
	o.until(`document.querySelector("dialog .tone-bad") === null`)
	o.click("dialog .main")
	o.has("[data-schedule=each_night]", "Next:")
	o.click("[data-schedule=each_night] button")
	o.has("[data-schedule=each_night]", "starts nightly paused")
	o.shoot("schedules")
	o.axe("schedules")

	o.goTo("/automation/secrets")
	o.click("#add-secret")
	o.fill("dialog label:nth-of-type(1) input", "pets_token")
	o.fill("dialog label:nth-of-type(2) input", "four-or-more")
	o.fill("dialog label:nth-of-type(3) input", "api.pets.example")
	o.click("dialog .main")
	o.has("[data-secret=pets_token]", "Only to api.pets.example")
	if strings.Contains(value[string](o.tab, "document.documentElement.outerHTML"), "four-or-more") {
		t.Error("the secret is in the page")
	}
}

// put sends a request with the session of the page, as its scripts do.
func (o *office) put(path, body string) {
	o.Helper()
	status := value[int](o.tab, fmt.Sprintf(
		`fetch(%q, {method: "PUT", headers: {"Content-Type": "application/json"}, body: %q}).then(r => r.status)`,
		path, body))
	if status != http.StatusOK {
		o.Fatalf("PUT %s: %d", path, status)
	}
}

// wholeDiagram says whether the diagram's last box at the right can be seen, once scrolled to.
const wholeDiagram = `(box => {
	const right = e => e.getBoundingClientRect().right;
	box.scrollLeft = box.scrollWidth;
	const last = Math.max(...[...box.querySelectorAll(".task")].map(right));
	const whole = last <= right(box);
	box.scrollLeft = 0;
	return whole;
})(document.querySelector(".diagram"))`

// Every page is accessible in light and dark and fits a phone.
func TestAutomationPagesAreAccessible(t *testing.T) {
	o := openOffice(t, nil)
	o.goTo("/automation/workflows")
	o.put("/api/metadata/workflow", `[{"name":"ways","version":1,"schemaVersion":2,"tasks":[
		{"name":"which","taskReferenceName":"which","type":"SWITCH","evaluatorType":"value-param","expression":"x",
			"inputParameters":{"x":"${workflow.input.x}"},"decisionCases":{"a":[
				{"name":"one","taskReferenceName":"one","type":"NOOP"}]},"defaultCase":[
				{"name":"two","taskReferenceName":"two","type":"SET_VARIABLE","inputParameters":{"n":1}}]},
		{"name":"get","taskReferenceName":"get","type":"HTTP","inputParameters":{"http_request":{"method":"GET",
			"uri":"`+o.lab.App.URL()+`/api/v2/callcenters","headers":{"X-One":"two"}}}}]}]`)
	id := value[string](o.tab, `fetch("/api/workflow/ways", {method: "POST", headers: {"Content-Type": "application/json"},
		body: '{"x":"a"}'}).then(r => r.text())`)
	o.put("/api/secrets/pets_token?hosts=pets.example", `"four or more"`)
	views := []struct{ name, path, ready string }{
		{"workflows", "/automation/workflows", `document.querySelector("[data-workflow]") !== null`},
		{"editor", "/automation/workflows/edit/ways", `document.querySelector("[data-task=get]") !== null`},
		{"directory", "/automation/directory", `document.querySelector("#find") !== null`},
		{
			"operation", "/automation/directory?document_url=%2Fopenapi.json&method=PATCH" +
				"&path=%2Fapi%2Fv2%2Fcallcenters%2F%7Bid%7D",
			`document.querySelector(".request") !== null`,
		},
		{"runs", "/automation/runs", `document.querySelector("[data-run]") !== null`},
		{"run", "/automation/runs/" + id, `document.querySelector("[data-run-state=COMPLETED]") !== null`},
		{"schedules", "/automation/schedules", `document.querySelector("#add-schedule") !== null`},
		{"secrets", "/automation/secrets", `document.querySelector("[data-secret]") !== null`},
	}
	for _, view := range views {
		o.scheme("light")
		o.do(chromedp.EmulateViewport(1440, 900))
		o.goTo(view.path)
		o.until(view.ready)
		if view.name == "editor" {
			o.click("[data-task=get]")
			o.until(`document.querySelector(".task-form") !== null`)
		}
		for _, scheme := range []string{"light", "dark"} {
			o.scheme(scheme)
			for _, width := range []int64{1440, 360} {
				o.do(chromedp.EmulateViewport(width, 900))
				where := fmt.Sprintf("%s-%s-%d", view.name, scheme, width)
				o.axe(where)
				if over := value[int](o.tab, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
					t.Errorf("%s: the page is %d px too wide", where, over)
				}
				if view.name == "run" && !value[bool](o.tab, wholeDiagram) {
					t.Errorf("%s: a part of the diagram cannot be scrolled to", where)
				}
				o.shoot(where)
			}
		}
	}
}
