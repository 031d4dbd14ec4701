package app

import (
	"net/http"

	"switchboard/internal/auth"
	"switchboard/internal/console"
)

// ofBrowsers lets the scripts of our pages use the API with the browser's session: a request without a key, from a page
// of this very origin, with a session that is open, has the rights of an admin of the company.
type ofBrowsers struct {
	next     http.Handler
	sessions console.Sessions
	origin   *http.CrossOriginProtection
}

// ServeHTTP implements http.Handler.
func (b ofBrowsers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if b.fromOurPage(r) {
		if cookie := console.Session(r, false); cookie != "" && b.sessions.Valid(r.Context(), cookie) {
			r = r.WithContext(auth.With(r.Context(), auth.Page()))
		}
	}
	b.next.ServeHTTP(w, r)
}

// fromOurPage says whether the browser vouches for a page of this origin having asked. Cookies go along with what other
// sites make a browser ask for, keys do not: a request with a key is judged by its key alone.
func (b ofBrowsers) fromOurPage(r *http.Request) bool {
	if r.Header.Get("Authorization") != "" || r.Header.Get("X-Authorization") != "" || r.URL.Query().Has("apikey") {
		return false
	}
	site := r.Header.Get("Sec-Fetch-Site")
	return (site == "" || site == "same-origin") && b.origin.Check(r) == nil
}
