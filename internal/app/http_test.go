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
	api := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Side", "api") })
	both := bySide{rest: api, pages: says("pages")}
	for path, want := range map[string]string{
		"/": "pages", "/calls": "pages", "/apical": "pages", "/openapi.jsonx": "pages",
		"/openapi.json": "api", "/api": "api", "/api/": "api", "/api/v2/callcenters": "api",
		"//api/v2/callcenters": "api", "/./api/v2": "api", "/x/../api/v2": "api", "/api/../x": "api",
		"//openapi.json": "api", "/api//v2": "api",
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
