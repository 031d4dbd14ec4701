package conductor

import (
	"errors"
	"net/http"

	"switchboard/internal/vault"
)

var secretRoutes = []route{
	{method: "GET", path: "/api/secrets", handle: (*API).listSecrets},
	{method: "POST", path: "/api/secrets", handle: (*API).listSecrets},
	{method: "GET", path: "/api/secrets-v2", handle: (*API).listSecretsWhole},
	{method: "GET", path: "/api/secrets/{key}", handle: (*API).getSecret},
	{method: "PUT", path: "/api/secrets/{key}", handle: (*API).putSecret},
	{method: "DELETE", path: "/api/secrets/{key}", handle: (*API).dropSecret},
	{method: "GET", path: "/api/secrets/{key}/exists", handle: (*API).hasSecret},
	{method: "GET", path: "/api/environment", handle: (*API).listVariables},
	{method: "GET", path: "/api/environment/{key}", handle: (*API).getVariable},
	{method: "PUT", path: "/api/environment/{key}", handle: (*API).putVariable},
	{method: "DELETE", path: "/api/environment/{key}", handle: (*API).dropVariable},
}

func (a *API) listSecrets(*request) (any, error) {
	names := []string{}
	for _, s := range a.Secrets.List() {
		names = append(names, s.Name)
	}
	return names, nil
}

// listSecretsWhole tells all that may be known of them.
func (a *API) listSecretsWhole(r *request) (any, error) {
	type secret struct {
		Name    string   `json:"name"`
		Hosts   []string `json:"hosts"`
		Created int64    `json:"createTime"`
		Updated int64    `json:"updateTime"`
		Used    int64    `json:"lastUsedTime"`
		Tags    []tag    `json:"tags"`
	}
	tags, err := a.tagsOf(r.Context(), kindSecret)
	if err != nil {
		return nil, err
	}
	found := []secret{}
	for _, s := range a.Secrets.List() {
		found = append(found, secret{
			s.Name, s.Hosts, millis(s.Created), millis(s.Updated), millis(s.Used), tags[s.Name],
		})
	}
	return found, nil
}

// getSecret never gives the value: a secret goes into requests to its hosts, and nowhere else.
func (a *API) getSecret(r *request) (any, error) {
	if !a.Secrets.Has(r.path["key"]) {
		return nil, noSecret(r.path["key"])
	}
	return nil, &failure{
		status: http.StatusForbidden, code: "FORBIDDEN",
		message: "secrets can be written and used, not read",
	}
}

func noSecret(name string) error { return missing("there is no secret %s", name) }

// putSecret takes the value as the body and, of ours, where it may be sent as ?hosts=.
func (a *API) putSecret(r *request) (any, error) {
	value, err := r.plain()
	if err != nil {
		return nil, err
	}
	err = a.Secrets.Put(r.Context(), r.path["key"], value, list(r.query["hosts"]))
	var wrong vault.Invalid
	if errors.Is(err, vault.ErrFull) || errors.As(err, &wrong) {
		return nil, badRequest("%v", err)
	}
	return nothing{}, err
}

func (a *API) dropSecret(r *request) (any, error) {
	deleted, err := a.Secrets.Delete(r.Context(), r.path["key"])
	if err != nil {
		return nil, err
	}
	if !deleted {
		return nil, noSecret(r.path["key"])
	}
	return nothing{}, a.Shelf.DropTags(r.Context(), kindSecret, r.path["key"], nil)
}

func (a *API) hasSecret(r *request) (any, error) { return a.Secrets.Has(r.path["key"]), nil }
