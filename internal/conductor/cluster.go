package conductor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/flow"
	"switchboard/internal/vault"
)

// What bounds talking to a cluster.
const (
	ClusterTimeout   = 30 * time.Second
	MaxClusterAnswer = 8 << 20 // bytes
	// clusterTokenLife is how long a token of the cluster is used: less than the hour that it is usually good for.
	clusterTokenLife = 45 * time.Minute
	maxQuoted        = 500 // bytes of an answer that is no JSON
)

// Cluster is a Conductor cluster that runs definitions of engine "conductor" (docs/reference/automation-api.md, Handing
// over). Safe for concurrent use. Its own refusals come through with their status and sentence.
type Cluster struct {
	base    *url.URL
	client  *http.Client
	secrets *vault.Vault
	secret  string

	mu       sync.Mutex
	token    string
	red      *vault.Redactor
	obtained time.Time
}

// NewCluster makes the client of the cluster at base, with or without /api at its end. secret names a secret that is
// {"keyId": ..., "keySecret": ...}; while there is none of the name the cluster is asked without a token.
func NewCluster(base string, client *http.Client, secrets *vault.Vault, secret string) (*Cluster, error) {
	u, err := url.Parse(strings.TrimSuffix(strings.TrimSuffix(base, "/"), "/api"))
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" {
		return nil, fmt.Errorf("%q is no address such as https://conductor.example.com", base)
	}
	return &Cluster{base: u, client: client, secrets: secrets, secret: secret}, nil
}

// Register implements runner.Elsewhere.
func (c *Cluster) Register(ctx context.Context, def *flow.Definition) error {
	doc, err := json.Marshal([]*flow.Definition{def}, flow.JSON)
	if err != nil {
		return fmt.Errorf("encode definition %s: %w", def.Name, err)
	}
	_, err = c.ask(ctx, "PUT", "/api/metadata/workflow", "", doc)
	return err
}

// Start implements runner.Elsewhere.
func (c *Cluster) Start(ctx context.Context, req flow.StartRequest) (flow.RunID, error) {
	doc, err := json.Marshal(req, flow.JSON)
	if err != nil {
		return "", fmt.Errorf("encode the request: %w", err)
	}
	answer, err := c.ask(ctx, "POST", "/api/workflow", "", doc)
	if err != nil {
		return "", err
	}
	id := strings.Trim(strings.TrimSpace(string(answer.body)), `"`)
	if id == "" || len(id) > MaxTagText {
		return "", badGateway("the cluster gave no id for the run")
	}
	return flow.RunID(id), nil
}

// raw is an answer that goes on as it came.
type raw struct {
	kind string // Content-Type
	body []byte
}

func badGateway(format string, args ...any) error {
	return &failure{
		status: http.StatusBadGateway, code: "CLUSTER_UNAVAILABLE", retryable: true, message: fmt.Sprintf(format, args...),
	}
}

// ask sends one request, with a token if the cluster takes any; one that it says is bad is renewed once.
func (c *Cluster) ask(ctx context.Context, method, path, query string, body []byte) (raw, error) {
	ctx, cancel := context.WithTimeout(ctx, ClusterTimeout)
	defer cancel()
	for again := false; ; again = true {
		token, err := c.authorization(ctx, again)
		if err != nil {
			return raw{}, err
		}
		answer, status, err := c.send(ctx, method, path, query, body, token)
		switch {
		case err != nil:
			return raw{}, err
		case status == http.StatusUnauthorized && token != "" && !again:
		case status >= 300:
			return raw{}, c.refusal(status, answer)
		default:
			return answer, nil
		}
	}
}

func (c *Cluster) send(
	ctx context.Context, method, path, query string, body []byte, token string,
) (raw, int, error) {
	u := *c.base
	u.RawPath = ""
	full := strings.TrimSuffix(u.String(), "/") + path
	if query != "" {
		full += "?" + query
	}
	req, err := http.NewRequestWithContext(ctx, method, full, bytes.NewReader(body))
	if err != nil {
		return raw{}, 0, badRequest("the path cannot be sent on: %v", err)
	}
	req.Header.Set("Accept", "application/json, text/plain")
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("X-Authorization", token)
	}
	res, err := c.client.Do(req)
	if err != nil {
		return raw{}, 0, badGateway("the cluster cannot be reached: %v", err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, MaxClusterAnswer+1))
	if err != nil {
		return raw{}, 0, badGateway("the cluster's answer broke off: %v", err)
	}
	if len(answer) > MaxClusterAnswer {
		return raw{}, 0, badGateway("the cluster's answer has more than %d bytes", MaxClusterAnswer)
	}
	return raw{res.Header.Get("Content-Type"), answer}, res.StatusCode, nil
}

// refusal is what the cluster refused, in its words but for secrets.
func (c *Cluster) refusal(status int, answer raw) error {
	var said struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(answer.body, &said, flow.JSON); err != nil || said.Message == "" {
		said.Message = cut(strings.TrimSpace(string(answer.body)), maxQuoted)
	}
	c.mu.Lock()
	red := c.red
	c.mu.Unlock()
	if red != nil {
		said.Message = red.Text(said.Message)
	}
	f := &failure{status: status, code: said.Code, message: "the cluster: " + said.Message}
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden || status < 400:
		// Not the caller's doing: the cluster does not take our key.
		f.status, f.code = http.StatusBadGateway, "CLUSTER_REFUSED"
		f.message = fmt.Sprintf("the cluster answered %d: %s", status, said.Message)
	case status >= 500:
		f.status, f.code, f.retryable = http.StatusBadGateway, "CLUSTER_UNAVAILABLE", true
	case f.code == "":
		f.code = strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_"))
	}
	return f
}

// authorization gives a token, "" where none is needed.
func (c *Cluster) authorization(ctx context.Context, renew bool) (string, error) {
	if !c.secrets.Has(c.secret) {
		return "", nil
	}
	c.mu.Lock()
	token, fresh := c.token, time.Since(c.obtained) < clusterTokenLife
	c.mu.Unlock()
	if fresh && !renew {
		return token, nil
	}
	reference := "${workflow.secrets." + c.secret
	filled, red, err := c.secrets.Fill(flow.Map{
		"keyId": reference + ".keyId}", "keySecret": reference + ".keySecret}",
	}, vault.Destination{Host: c.base.Hostname(), Port: portOf(c.base)})
	if err != nil {
		return "", badRequest("the key of the cluster: %v", err)
	}
	answer, status, err := c.send(ctx, "POST", "/api/token", "", flow.Encode(filled), "")
	if err != nil {
		return "", err
	}
	var got struct {
		Token string `json:"token"`
	}
	switch {
	case status == http.StatusNotFound: // it takes no tokens
	case status != http.StatusOK || json.Unmarshal(answer.body, &got, flow.JSON) != nil || got.Token == "":
		return "", badGateway("the cluster gave no token: it answered %d", status)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token, c.red, c.obtained = got.Token, red, time.Now()
	return got.Token, nil
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}
