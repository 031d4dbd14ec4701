package app

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"switchboard/internal/auth"
	"switchboard/internal/console"
)

// oneSession knows one cookie.
type oneSession struct{ console.Sessions }

func (oneSession) Valid(_ context.Context, cookie string) bool { return cookie == "good" }

func TestPagesUseTheAPIWithTheirSession(t *testing.T) {
	var asked bool
	var who auth.Principal
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { who, asked = auth.From(r.Context()) })
	b := ofBrowsers{next, oneSession{}, http.NewCrossOriginProtection()}
	for name, test := range map[string]struct {
		method, path, cookie string
		headers              map[string]string
		want                 bool
	}{
		"our page reads":         {"GET", "/", "good", map[string]string{"Sec-Fetch-Site": "same-origin"}, true},
		"our page writes":        {"PATCH", "/", "good", map[string]string{"Sec-Fetch-Site": "same-origin"}, true},
		"an old browser":         {"PATCH", "/", "good", map[string]string{"Origin": "http://example.com"}, true},
		"an old browser's other": {"PATCH", "/", "good", map[string]string{"Origin": "http://evil.example"}, false},
		"another site writes":    {"PATCH", "/", "good", map[string]string{"Sec-Fetch-Site": "cross-site"}, false},
		"a sibling site reads":   {"GET", "/", "good", map[string]string{"Sec-Fetch-Site": "same-site"}, false},
		"a typed address":        {"GET", "/", "good", map[string]string{"Sec-Fetch-Site": "none"}, false},
		"a session that is over": {"GET", "/", "bad", map[string]string{"Sec-Fetch-Site": "same-origin"}, false},
		"no session":             {"GET", "/", "", map[string]string{"Sec-Fetch-Site": "same-origin"}, false},
		"a key decides alone":    {"GET", "/", "good", map[string]string{"Authorization": "Bearer x"}, false},
		"a token decides alone":  {"GET", "/", "good", map[string]string{"X-Authorization": "x"}, false},
		"so does one in the URL": {"GET", "/?apikey=x", "good", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, "http://example.com"+test.path, nil)
			for header, value := range test.headers {
				r.Header.Set(header, value)
			}
			if test.cookie != "" {
				r.AddCookie(&http.Cookie{Name: "switchboard", Value: test.cookie})
			}
			who, asked = auth.Principal{}, false
			b.ServeHTTP(httptest.NewRecorder(), r)
			if asked != test.want || asked && !who.CompanyAdmin() {
				t.Errorf("acts as %+v (%v), want rights: %v", who, asked, test.want)
			}
		})
	}
}
