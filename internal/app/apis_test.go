package app

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"switchboard/internal/store"
)

// askDirectory sends a request to a server and gives the decoded answer.
func askDirectory(t *testing.T, a *App, key, method, path, body string, status int) map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, a.URL()+"/api/v2/x/directory/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	var answer map[string]any
	if err := json.Unmarshal(text, &answer); err != nil || response.StatusCode != status {
		t.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, text, err)
	}
	return answer
}

// TestFromASearchToARequest goes the way of the page: search, open what came first, send the prepared request.
func TestFromASearchToARequest(t *testing.T) {
	a := withACenter(t)
	key, _ := keyIn(t, a, store.RoleCompanyAdmin, 0)
	items := askDirectory(t, a, key, "GET", "search?q=call+center+update&limit=1", "", 200)["items"].([]any)
	found := items[0].(map[string]any)
	if found["path"] != "/api/v2/callcenters/{id}" || found["method"] != "PATCH" || found["summary"] == "" {
		t.Fatalf("%v", found)
	}
	query := url.Values{}
	for _, name := range []string{"document_url", "method", "path"} {
		query.Set(name, found[name].(string))
	}
	operation := askDirectory(t, a, key, "GET", "operation?"+query.Encode(), "", 200)
	prepared := operation["prepared"].(map[string]any)
	if operation["state"] != "ready" || prepared["url"] != "https://calls.example.com/api/v2/callcenters/{id}" ||
		prepared["own"] != true || len(prepared["auth"].([]any)) != 0 {
		t.Fatalf("%v", prepared)
	}
	task := prepared["task"].(map[string]any)
	request := task["inputParameters"].(map[string]any)["http_request"].(map[string]any)
	if task["type"] != "HTTP" || request["uri"] != "https://calls.example.com/api/v2/callcenters/${workflow.input.id}" {
		t.Errorf("%v", task)
	}
	base, _, _ := strings.Cut(prepared["url"].(string), "/api/")
	if status, reason := patch(t, a, base, "page", 44, nil); status != int64(200) || ringSeconds(a) != 44 {
		t.Errorf("%v %s", status, reason)
	}
}

func TestDocumentsComeAndGo(t *testing.T) {
	a := withACenter(t)
	key, _ := keyIn(t, a, store.RoleCompanyAdmin, 0)
	text, _ := json.Marshal(map[string]string{
		"name":    "pets.yaml",
		"content": "openapi: 3.0.0\ninfo: {title: Pets}\npaths: {/pets: {get: {summary: All pets, responses: {}}}}",
	})
	added := askDirectory(t, a, key, "POST", "documents", string(text), 200)["document"].(map[string]any)
	id := added["id"].(string)
	list := askDirectory(t, a, key, "GET", "documents?limit=1", "", 200)
	rest := askDirectory(t, a, key, "GET", "documents?cursor="+list["cursor"].(string), "", 200)["items"].([]any)
	if len(rest) != 1 || rest[0].(map[string]any)["id"] != id {
		t.Errorf("%v", rest)
	}
	one := askDirectory(t, a, key, "GET", "documents/"+id, "", 200)
	if one["operations"].([]any)[0].(map[string]any)["summary"] != "All pets" {
		t.Errorf("%v", one)
	}
	askDirectory(t, a, key, "POST", "documents/"+id+"/refresh", "", 409)
	askDirectory(t, a, key, "POST", "documents", `{"content":"<html>"}`, 400)
	askDirectory(t, a, key, "GET", "documents?cursor=nowhere", "", 400)
	failed := askDirectory(t, a, key, "POST", "documents", `{"url":"http://127.0.0.1:9/x"}`, 200)
	if failed["state"] != "failed" || !strings.Contains(failed["message"].(string), "not on the public internet") {
		t.Errorf("%v", failed)
	}
	askDirectory(t, a, key, "DELETE", "documents/"+id, "", 200)
	askDirectory(t, a, key, "GET", "documents/"+id, "", 404)
	askDirectory(t, a, key, "DELETE", "documents/switchboard", "", 409)
	askDirectory(t, a, key, "GET", "operation?document_url=nowhere&method=GET&path=/", "", 404)
}
