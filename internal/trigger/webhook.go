package trigger

import (
	"context"
	"regexp"

	"switchboard/internal/flow"
)

// Webhook takes requests of other programs at /hooks/in/NAME: each starts workflows, or completes tasks that wait for
// it (WAIT_FOR_WEBHOOK).
type Webhook struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitzero"`
	Start       map[string]int `json:"workflowsToStart,omitzero"`                // versions by name; 0: the latest
	Receivers   map[string]int `json:"receiverWorkflowNamesToVersions,omitzero"` // in whose runs tasks wait; 0: of any
	Verifier    string         `json:"verifier"`                                 // one of the Verifier constants
	HeaderKey   string         `json:"headerKey"`                                // name of the header that proves who asks
	SecretKey   string         `json:"secretKey"`                                // name of the secret that it proves

	EvaluatorType string `json:"evaluatorType,omitzero"`
	Expression    string `json:"expression,omitzero"` // a condition on the body; empty: always
	Identity      string `json:"identity,omitzero"`   // whose rights its runs have; not set by clients
	CreatedBy     string `json:"createdBy,omitzero"`
	UpdatedBy     string `json:"updatedBy,omitzero"`
	CreateTime    int64  `json:"createTime,omitzero"` // Unix milliseconds
	UpdateTime    int64  `json:"updateTime,omitzero"`
}

// How a request proves that it may come.
const (
	VerifierHeader = "HEADER_BASED" // the header holds the secret
	VerifierHMAC   = "HMAC_BASED"   // the header holds the HMAC-SHA-256 of the body, in hexadecimal or base64
)

// MaxTargets is how many workflows a webhook may start, and in how many it may look for tasks.
const MaxTargets = 20

// headerForm is a token (RFC 9110 5.1).
var headerForm = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")

func (t *Triggers) checkWebhook(h *Webhook) error {
	var p problems
	p.name(h.Name)
	p.text("/description", h.Description)
	p.text("/expression", h.Expression)
	if h.Verifier != VerifierHeader && h.Verifier != VerifierHMAC {
		p.add("/verifier", "must be %s or %s", VerifierHeader, VerifierHMAC)
	}
	if !headerForm.MatchString(h.HeaderKey) {
		p.add("/headerKey", "is no name of a header")
	}
	if h.SecretKey == "" {
		p.add("/secretKey", "must name a secret")
	} else if _, err := t.cfg.Secrets.Judge(h.SecretKey, func(string) bool { return true }); err != nil {
		p.add("/secretKey", "%v", err)
	}
	if len(h.Start)+len(h.Receivers) == 0 {
		p.add("/workflowsToStart", "is required, or receiverWorkflowNamesToVersions")
	}
	p.targets("/workflowsToStart", h.Start)
	p.targets("/receiverWorkflowNamesToVersions", h.Receivers)
	switch language, ok := languageOf(h.EvaluatorType); {
	case !ok:
		p.add("/evaluatorType", "%q is none of javascript, graaljs, jq, value-param", h.EvaluatorType)
	case h.Expression != "" && language != "":
		if err := t.cfg.Compiles(language, h.Expression); err != nil {
			p.add("/expression", "%v", err)
		}
	}
	return p.err()
}

func (p *problems) targets(path string, versions map[string]int) {
	if len(versions) > MaxTargets {
		p.add(path, "may have %d members", MaxTargets)
	}
	for name, version := range versions {
		if name == "" || len(name) > MaxText || version < 0 {
			p.add(path, "must be versions, 0 or more, by the names of workflows")
			return
		}
	}
}

// PutWebhook registers an incoming webhook, in the place of the one of its name; what is wrong with it is an
// ErrInvalid.
func (t *Triggers) PutWebhook(ctx context.Context, by string, h Webhook) error {
	if err := t.checkWebhook(&h); err != nil {
		return err
	}
	t.writing.Lock()
	defer t.writing.Unlock()
	h.CreatedBy, h.UpdatedBy, h.CreateTime = by, by, t.cfg.Now().UnixMilli()
	h.UpdateTime = h.CreateTime
	if old, ok := t.webhooks.get(h.Name); ok {
		h.CreatedBy, h.CreateTime = old.CreatedBy, old.CreateTime
	}
	return put(ctx, t, &t.webhooks, KindWebhook, map[string]*Webhook{h.Name: &h})
}

// DropWebhook forgets an incoming webhook.
func (t *Triggers) DropWebhook(ctx context.Context, name string) error {
	return remove(ctx, t, &t.webhooks, KindWebhook, name)
}

// Webhooks lists incoming webhooks by name. What they point to must not be written to.
func (t *Triggers) Webhooks() []Webhook { return t.webhooks.list() }

// matches says whether a request is what an attempt waits for: all of its matches are paths into the body and what is
// there.
func matches(wanted, body flow.Map) bool {
	for path, want := range wanted {
		there, err := flow.Filled("${body"+rooted(path)+"}", flow.Map{"body": body})
		if err != nil || string(flow.Encode(there)) != string(flow.Encode(want)) {
			return false
		}
	}
	return true
}

// rooted is a path without its $: $.a.b, $['a']['b'] and a.b are .a.b.
func rooted(path string) string {
	if len(path) > 0 && path[0] == '$' {
		return path[1:]
	}
	return "." + path
}
