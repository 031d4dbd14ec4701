package conductor

import "strconv"

var otherRoutes = []route{
	{method: "POST", path: "/api/token", handle: (*API).token, open: true},
	{method: "GET", path: "/api/token/userInfo", handle: (*API).userInfo},
	{method: "GET", path: "/health", handle: (*API).health, open: true},
	{method: "GET", path: "/api/health", handle: (*API).health, open: true},
	{method: "GET", path: "/api/version", handle: (*API).version},
}

func itoa(n int) string { return strconv.Itoa(n) }

func (a *API) health(*request) (any, error) { return map[string]any{"healthy": true}, nil }

func (a *API) version(*request) (any, error) { return text(a.Version), nil }
