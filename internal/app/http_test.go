package app

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestPathsOfTheAPIAreNeverRedirected(t *testing.T) {
	says := func(name string) http.Handler {
		mux := http.NewServeMux()
		mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Side", name) })
		return mux
	}
	plain := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Side", name) })
	}
	both := bySide{rest: plain("api"), automation: plain("automation"), pages: says("pages")}
	for path, want := range map[string]string{
		"/": "pages", "/calls": "pages", "/apical": "pages", "/openapi.jsonx": "pages",
		"/openapi.json": "api", "/api": "automation", "/api/": "automation", "/api/v2/callcenters": "api",
		"//api/v2/callcenters": "api", "/./api/v2": "api", "/x/../api/v2": "api", "/api/../x": "automation",
		"//openapi.json": "api", "/api//v2": "api", "/api/v2x": "automation", "/api/workflow": "automation",
		"/health": "automation", "/healthy": "pages",
	} {
		seen := httptest.NewRecorder()
		r := httptest.NewRequest("PATCH", "/", nil)
		r.URL.Path = path
		both.ServeHTTP(seen, r)
		if got := seen.Header().Get("Side"); got != want || seen.Code != http.StatusOK {
			t.Errorf("%s: %q with %d, want %s", path, got, seen.Code, want)
		}
	}
}
