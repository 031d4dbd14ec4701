package console

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
)

func TestNoPageWithoutSession(t *testing.T) {
	w := start(t, nil)
	resp, body := w.do(t, "GET", "/")
	if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(body, "switchboard link") {
		t.Errorf("/ answered %d without saying how to sign in:\n%s", resp.StatusCode, body)
	}
	if resp, _ := w.do(t, "GET", "/events"); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("/events answered %d, want 401", resp.StatusCode)
	}
	resp, _ = w.do(t, "GET", "/", "Cookie", "switchboard="+strings.Repeat("x", MaxTokenBytes+1))
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("an overlong cookie got %d, want 401", resp.StatusCode)
	}
	if asked := w.feed.after(); len(asked) != 0 {
		t.Errorf("the feed was opened %d times without a session", len(asked))
	}
}

func TestSignInWorksOnce(t *testing.T) {
	w := start(t, nil)
	resp, _ := w.do(t, "HEAD", "/signin?token=good")
	if resp.StatusCode != http.StatusOK || len(resp.Cookies()) != 0 {
		t.Errorf("a link preview got %d and %d cookies", resp.StatusCode, len(resp.Cookies()))
	}
	resp, _ = w.do(t, "GET", "/signin?token=good")
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/" {
		t.Fatalf("sign-in answered %d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	c := resp.Cookies()[0]
	if c.Name != "switchboard" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Secure {
		t.Errorf("cookie is %+v", c)
	}
	resp, body := w.do(t, "GET", "/")
	if resp.StatusCode != http.StatusOK || !strings.Contains(body, `src="/assets/main-AB.js"`) ||
		!strings.Contains(body, w.instance) || !strings.Contains(body, "sip:127.0.0.1:5060") {
		t.Errorf("signed in, / answered %d:\n%s", resp.StatusCode, body)
	}
	if resp, _ = w.do(t, "GET", "/signin?token=good"); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("the same browser opening its link again got %d, want to be sent to the page", resp.StatusCode)
	}
	w.client.Jar = nil
	resp, body = w.do(t, "GET", "/signin?token=good")
	if resp.StatusCode != http.StatusForbidden || !strings.Contains(body, "does not work any more") {
		t.Errorf("another browser with a used link got %d:\n%s", resp.StatusCode, body)
	}
}

func TestBadLinksAreRefused(t *testing.T) {
	w := start(t, nil)
	for _, query := range []string{"", "?token=", "?token=bad", "?token=" + strings.Repeat("g", MaxTokenBytes+1)} {
		resp, _ := w.do(t, "GET", "/signin"+query)
		if resp.StatusCode != http.StatusForbidden || len(resp.Cookies()) != 0 {
			t.Errorf("/signin%.20s answered %d with %d cookies", query, resp.StatusCode, len(resp.Cookies()))
		}
	}
	w.sessions.broken = true
	if resp, _ := w.do(t, "GET", "/signin?token=good"); resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("a session that cannot be kept got %d", resp.StatusCode)
	}
}

func TestSecureCookie(t *testing.T) {
	w := start(t, func(c *console) { c.Secure = true })
	resp, _ := w.do(t, "GET", "/signin?token=good")
	if c := resp.Cookies()[0]; c.Name != "__Host-switchboard" || !c.Secure || c.Domain != "" {
		t.Errorf("cookie is %+v", c)
	}
	if resp.Header.Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS over HTTPS")
	}
}

func TestSignOut(t *testing.T) {
	w := start(t, nil)
	w.signIn(t)
	if resp, _ := w.do(t, "POST", "/signout", "Sec-Fetch-Site", "cross-site"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("another site signed this browser out: %d", resp.StatusCode)
	}
	w.sessions.broken = true
	if resp, _ := w.do(t, "POST", "/signout"); resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("a sign-out that did not work answered %d", resp.StatusCode)
	}
	w.sessions.broken = false
	resp, _ := w.do(t, "POST", "/signout", "Sec-Fetch-Site", "same-origin")
	if resp.StatusCode != http.StatusSeeOther || resp.Cookies()[0].MaxAge >= 0 {
		t.Errorf("sign-out answered %d with cookie %+v", resp.StatusCode, resp.Cookies())
	}
	if w.sessions.Valid(t.Context(), "c0ffee") {
		t.Error("the session outlived the sign-out")
	}
	if resp, _ = w.do(t, "GET", "/signout"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("GET /signout answered %d", resp.StatusCode)
	}
}

func TestHeadersOnEveryAnswer(t *testing.T) {
	w := start(t, nil)
	for _, path := range []string{"/", "/signin", "/events", "/assets/none", "/healthz", "/nowhere"} {
		resp, _ := w.do(t, "GET", path)
		policy := resp.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: headers %v", path, resp.Header)
		}
	}
	if resp, body := w.do(t, "GET", "/healthz"); resp.StatusCode != http.StatusOK || body != "ok\n" {
		t.Errorf("/healthz answered %d %q", resp.StatusCode, body)
	}
	if resp, _ := w.do(t, "GET", "/nowhere"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("/nowhere answered %d", resp.StatusCode)
	}
}

func TestNothingInlineInThePages(t *testing.T) {
	w := start(t, nil)
	_, plain := w.do(t, "GET", "/")
	w.signIn(t)
	_, index := w.do(t, "GET", "/")
	for _, body := range []string{plain, index} {
		for _, bad := range []string{"<style", "style=", "onclick", "javascript:", "<script>"} {
			if strings.Contains(body, bad) {
				t.Errorf("page holds %s, which the policy forbids:\n%s", bad, body)
			}
		}
	}
}

func TestAssets(t *testing.T) {
	w := start(t, nil)
	resp, body := w.do(t, "GET", "/assets/main-AB.js", "Accept-Encoding", "identity")
	if body != "console.log(1)" || resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("plain asset: %q, encoding %q", body, resp.Header.Get("Content-Encoding"))
	}
	if !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") ||
		!strings.HasPrefix(resp.Header.Get("Content-Type"), "text/javascript") {
		t.Errorf("headers %v", resp.Header)
	}
	resp, body = w.do(t, "GET", "/assets/main-AB.js", "Accept-Encoding", "br, GZIP;q=0.5")
	if resp.Header.Get("Content-Encoding") != "gzip" || !strings.HasPrefix(body, "\x1f\x8b") {
		t.Errorf("gzip asset: encoding %q", resp.Header.Get("Content-Encoding"))
	}
	if resp, _ = w.do(t, "GET", "/assets/main-AB.js", "Accept-Encoding", "gzip;q=0"); resp.Header.Get(
		"Content-Encoding") != "" {
		t.Error("gzip was sent to a client that refuses it")
	}
	if resp, _ = w.do(t, "GET", ownAsset("plain.css")); resp.StatusCode != http.StatusOK ||
		!strings.HasPrefix(resp.Header.Get("Content-Type"), "text/css") {
		t.Errorf("own style answered %d %v", resp.StatusCode, resp.Header)
	}
	for _, path := range []string{"/assets/manifest.json", "/assets/main-AB.js.gz", "/assets/..%2fgo.mod"} {
		if resp, _ = w.do(t, "GET", path); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s answered %d", path, resp.StatusCode)
		}
	}
}

func TestWithoutBundleThePageSaysHowToBuild(t *testing.T) {
	broken := fstest.MapFS{"manifest.json": built["manifest.json"]}
	for _, dist := range []fstest.MapFS{{".placeholder": {}}, broken, {"manifest.json": {Data: []byte("{")}}} {
		w := start(t, func(c *console) { c.bundle = loadBundle(dist) })
		w.signIn(t)
		resp, body := w.do(t, "GET", "/")
		if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "npm --prefix web run build") {
			t.Errorf("answered %d:\n%s", resp.StatusCode, body)
		}
	}
	if loadBundle(nil) != nil {
		t.Error("no file system gave a bundle")
	}
}

func TestNewIsWired(t *testing.T) {
	w := start(t, nil)
	w.server.Config.Handler = New(w.Config)
	if resp, _ := w.do(t, "GET", "/healthz"); resp.StatusCode != http.StatusOK {
		t.Errorf("answered %d", resp.StatusCode)
	}
}
