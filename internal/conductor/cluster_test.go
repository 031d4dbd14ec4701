package conductor

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"switchboard/internal/flow"
)

// stub answers as a cluster does.
type stub struct {
	mu    sync.Mutex
	asked []string
	token string // that it takes; "": it takes any
	given int
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Method+" "+r.URL.RequestURI()+" "+string(body))
	if r.URL.Path == "/api/token" {
		s.given++
		s.token = fmt.Sprint("token-", s.given)
		_, _ = io.WriteString(w, `{"token":"`+s.token+`"}`)
		return
	}
	if s.token != "" && r.Header.Get("X-Authorization") != s.token {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"status":401,"error":"EXPIRED_TOKEN","message":"over"}`)
		return
	}
	switch {
	case r.Method == "POST" && r.URL.Path == "/api/workflow":
		_, _ = io.WriteString(w, "run-there")
	case strings.HasPrefix(r.URL.Path, "/api/workflow/run-there"):
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"workflowId":"run-there","status":"RUNNING"}`)
	case r.URL.Path == "/api/workflow/search":
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"totalHits":1,"results":[{"workflowId":"run-there"}]}`)
	case r.Method == "PUT":
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"status":404,"code":"NOT_FOUND","message":"No such workflow found, key-secret-text"}`)
	}
}

func (s *stub) heard(t *testing.T, what string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.asked, func(a string) bool { return strings.HasPrefix(a, what) }) {
		t.Errorf("the cluster was not asked %s, but\n%s", what, strings.Join(s.asked, "\n"))
	}
}

// clustered is a world with a cluster at its side.
func clustered(t *testing.T) (*world, *stub) {
	t.Helper()
	there := &stub{}
	server := httptest.NewServer(there)
	t.Cleanup(server.Close)
	return newWorld(t, func(c *Config) {
		var err error
		if c.Cluster, err = NewCluster(server.URL+"/api", server.Client(), c.Secrets, "conductor"); err != nil {
			t.Fatal(err)
		}
	}), there
}

const far = `{"name":"far","version":1,"schemaVersion":2,"engine":"conductor",
	"tasks":[{"name":"a","taskReferenceName":"a","type":"SIMPLE"}]}`

func TestClusterRunsWhatIsHandedOver(t *testing.T) {
	w, there := clustered(t)
	pair := flow.Map{"keyId": "key-id-text", "keySecret": "key-secret-text"}
	if err := w.vault.Put(t.Context(), "conductor", pair, []string{"127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	if answer := w.call("POST", "/api/metadata/workflow", far, nil); answer.Code != http.StatusOK {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	there.heard(t, `POST /api/token {"keyId":"key-id-text","keySecret":"key-secret-text"}`)
	there.heard(t, `PUT /api/metadata/workflow [{"name":"far"`)
	there.mu.Lock()
	there.token = "renewed elsewhere" // ours is over: the next request gets another
	there.mu.Unlock()
	answer := w.call("POST", "/api/workflow", `{"name":"far","input":{"n":1}}`, nil)
	if answer.Code != http.StatusOK || answer.Body.String() != "run-there" {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	there.heard(t, `POST /api/workflow {"name":"far","input":{"n":1}`)
	for path, want := range map[string]string{
		"GET /api/workflow/run-there?includeTasks=true":                          `"status":"RUNNING"`,
		"GET /api/workflow/search?query=workflowType%3Dfar":                      `"totalHits":1`,
		"GET /api/workflow/search-v2?query=workflowType%3Dfar&freeText=nothing*": `NOT_FOUND`,
		"PUT /api/workflow/run-there/pause":                                      `"workflowId":"run-there"`,
		"DELETE /api/workflow/run-there?reason=enough":                           `"workflowId":"run-there"`,
	} {
		method, path, _ := strings.Cut(path, " ")
		if answer := w.call(method, path, "", nil); !strings.Contains(answer.Body.String(), want) {
			t.Errorf("%s: %d %s", path, answer.Code, answer.Body)
		}
		there.heard(t, method+" "+strings.Split(path, "?")[0])
	}
	answer = w.call("GET", "/api/workflow/nobody", "", nil)
	message, _ := errorOf(t, answer.Body.String())
	if answer.Code != http.StatusNotFound || !strings.HasPrefix(message, "the cluster: No such workflow found") ||
		strings.Contains(message, "key-secret-text") {
		t.Errorf("%d %s", answer.Code, message)
	}
	answer = w.call("POST", "/api/workflow/execute/far/1", "{}", nil)
	if message, _ := errorOf(t, answer.Body.String()); answer.Code != 409 || !strings.Contains(message, "cluster") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestRunsOfOursStartRunsOnTheCluster(t *testing.T) {
	w, there := clustered(t)
	near := `{"name":"near","version":1,"schemaVersion":2,"tasks":[{"name":"s","taskReferenceName":"s",
		"type":"START_WORKFLOW","inputParameters":{"startWorkflow":{"name":"far","version":1}}}]}`
	child := `{"name":"child","version":1,"schemaVersion":2,"tasks":[{"name":"s","taskReferenceName":"s",
		"type":"SUB_WORKFLOW","subWorkflowParam":{"name":"far","version":1}}]}`
	for _, doc := range []string{far, near, child} {
		if answer := w.call("POST", "/api/metadata/workflow", doc, nil); answer.Code != http.StatusOK {
			t.Fatalf("%d %s", answer.Code, answer.Body)
		}
	}
	answer := w.call("POST", "/api/workflow/execute/near/1", "{}", nil)
	if !strings.Contains(answer.Body.String(), `"status":"COMPLETED"`) ||
		!strings.Contains(answer.Body.String(), `run-there`) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	there.heard(t, `POST /api/workflow {"name":"far"`)
	answer = w.call("POST", "/api/workflow/execute/child/1", "{}", nil)
	if !strings.Contains(answer.Body.String(), "nothing here can wait for it") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestWithoutAClusterNothingIsHandedOver(t *testing.T) {
	w := newWorld(t, nil)
	answer := w.call("POST", "/api/metadata/workflow", far, nil)
	message, _ := errorOf(t, answer.Body.String())
	if answer.Code != http.StatusBadRequest || !strings.Contains(message, "--conductor-url") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestAClusterThatIsGone(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	w := newWorld(t, func(c *Config) {
		c.Cluster, _ = NewCluster(server.URL, http.DefaultClient, c.Secrets, "conductor")
	})
	answer := w.call("POST", "/api/metadata/workflow", far, nil)
	if answer.Code != http.StatusBadGateway || !strings.Contains(answer.Body.String(), `"retryable":true`) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if _, ok := w.runner.Definition("far", 1); ok {
		t.Error("it is registered here all the same")
	}
	for _, base := range []string{"", "host", "ftp://host", "http://host?x=1"} {
		if _, err := NewCluster(base, nil, nil, ""); err == nil {
			t.Errorf("%q is taken as an address", base)
		}
	}
}
