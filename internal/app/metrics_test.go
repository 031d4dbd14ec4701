package app

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestMetricsNeedAKeyAndCountWhatIsDropped(t *testing.T) {
	server, err := New(t.Context(), Config{DataDir: t.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", RTPPorts: "0-0"})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	key, err := server.NewAdminKey(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	ask := func(authorization string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), "GET", metricsPath, nil)
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		server.metrics().ServeHTTP(w, r)
		return w
	}
	for _, wrong := range []string{"", "Bearer", "Bearer sb_x", "Basic " + key, "Bearer " + key[:len(key)-1] + "!"} {
		if w := ask(wrong); w.Code != http.StatusUnauthorized {
			t.Errorf("%.12q got %d", wrong, w.Code)
		}
	}
	w := ask("Bearer " + key)
	for _, name := range []string{"sip_malformed", "sip_rejected", "media_strangers", "media_rtcp", "store_dropped"} {
		if !regexp.MustCompile(`(?m)^switchboard_` + name + ` 0$`).MatchString(w.Body.String()) {
			t.Errorf("no switchboard_%s in\n%s", name, w.Body)
		}
	}
	if strings.Contains(w.Body.String(), "last_error") {
		t.Error("an error is no metric")
	}
}
