package console

import (
	"errors"
	"net/http"
	"time"
)

// cookieName is prefixed with __Host- where the cookie is Secure: a browser then takes it from this host only, and
// another site below the same domain cannot plant one (RFC 6265bis, section 4.1.3.2).
func cookieName(secure bool) string {
	if secure {
		return "__Host-switchboard"
	}
	return "switchboard"
}

func (c *console) cookie(value string, expires time.Time) *http.Cookie {
	return &http.Cookie{
		Name: cookieName(c.Secure), Value: value, Path: "/", Expires: expires,
		HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteLaxMode,
	}
}

// Session is the cookie of a request, "" where there is none that could be a session's. secure: the pages are reached
// over HTTPS only.
func Session(r *http.Request, secure bool) string {
	cookie, err := r.Cookie(cookieName(secure))
	if err != nil || len(cookie.Value) > MaxTokenBytes {
		return ""
	}
	return cookie.Value
}

func (c *console) signedIn(r *http.Request) bool {
	s := Session(r, c.Secure)
	return s != "" && c.Sessions.Valid(r.Context(), s)
}

// newLink is what a person without a link can do: a sentence, then the command where one is known.
func (c *console) newLink() string {
	if c.LinkHelp == "" {
		return "For a new one, ask whoever runs this server."
	}
	return "For a new one, run this on the server and open what it prints:"
}

func (c *console) needSignIn(w http.ResponseWriter, r *http.Request) {
	c.page(w, r, http.StatusUnauthorized, "plain.html", plainPage{
		Title: "Sign in to see the live page",
		Lines: []string{
			"The server printed a sign-in link at its first start. Open such a link in this browser.",
			"Each link works once. " + c.newLink(),
		},
		Code: c.LinkHelp,
	})
}

func (c *console) signIn(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method == http.MethodHead { // a link preview must not spend the link
		w.WriteHeader(http.StatusOK)
		return
	}
	token := r.URL.Query().Get("token")
	if token == "" || len(token) > MaxTokenBytes {
		c.badLink(w, r)
		return
	}
	value, expires, err := c.Sessions.SignIn(r.Context(), token)
	if errors.Is(err, ErrLink) {
		c.badLink(w, r)
		return
	}
	if err != nil {
		c.Log.Error("open session", "error", err)
		c.page(w, r, http.StatusInternalServerError, "plain.html", plainPage{
			Title: "Signing in did not work",
			Lines: []string{"The server could not keep the session. Its log says why."},
		})
		return
	}
	http.SetCookie(w, c.cookie(value, expires))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (c *console) badLink(w http.ResponseWriter, r *http.Request) {
	if c.signedIn(r) { // opened twice in the same browser: it is in already
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	c.page(w, r, http.StatusForbidden, "plain.html", plainPage{
		Title: "This sign-in link does not work any more",
		Lines: []string{
			"Each link signs one browser in, once, and only for a short while. This one is used, expired or incomplete.",
			c.newLink(),
		},
		Code: c.LinkHelp,
	})
}

func (c *console) signOut(w http.ResponseWriter, r *http.Request) {
	if s := Session(r, c.Secure); s != "" {
		if err := c.Sessions.SignOut(r.Context(), s); err != nil {
			c.Log.Error("end session", "error", err)
			c.page(w, r, http.StatusInternalServerError, "plain.html", plainPage{
				Title: "Signing out did not work",
				Lines: []string{"The server could not end the session. Its log says why. This browser is still signed in."},
				Link:  "/", LinkText: "Back to the live page",
			})
			return
		}
	}
	gone := c.cookie("", time.Unix(1, 0))
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
