package api

import (
	"context"
	"reflect"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/store"
)

// webhookBody is a Webhook of the document.
type webhookBody struct {
	ID        callcenter.WebhookID `json:"id"`
	URL       string               `json:"hook_url"`
	Signature *signatureBody       `json:"signature,omitzero"`
}

type webhookUpdate struct {
	URL    *string `json:"hook_url"`
	Secret *string `json:"secret"`
}

func showWebhook(h *callcenter.Webhook) webhookBody {
	return webhookBody{h.ID, h.URL, signature(h.Secret)}
}

func findWebhook(c *call, text string) (err error) {
	c.webhook, err = webhookIn(c.snapshot, callcenter.WebhookID(positive(text)))
	return err
}

func webhookIn(db records, id callcenter.WebhookID) (*callcenter.Webhook, error) {
	hook, ok := db.Webhook(id)
	if !ok {
		return nil, problem.NotFound("webhook", id)
	}
	return hook, nil
}

func listWebhooks(c *call) (answer, error) {
	return showPage(c, c.snapshot.Webhooks(), func(h *callcenter.Webhook) int64 { return h.Seq }, nil, showWebhook)
}

func getWebhook(c *call) (answer, error) {
	return showVersion(showWebhook(c.webhook), c.webhook.Version)
}

func (u webhookUpdate) rules(records) []problem.Field {
	if u.URL == nil {
		return nil
	}
	if message := badURL(*u.URL); message != "" {
		return []problem.Field{{Name: "hook_url", In: problem.InBody, Message: message}}
	}
	return nil
}

func (u webhookUpdate) onto(h callcenter.Webhook) callcenter.Webhook {
	set(&h.URL, u.URL)
	set(&h.Secret, u.Secret)
	return h
}

func createWebhook(c *call) (answer, error) {
	body, err := decode[webhookUpdate](c)
	if err != nil {
		return answer{}, err
	}
	made := body.onto(callcenter.Webhook{})
	err = c.change(body.rules, func(tx *store.Tx) error {
		made.ID = callcenter.WebhookID(tx.NewID())
		return tx.PutWebhook(&made)
	})
	if err != nil {
		return answer{}, err
	}
	return show(showWebhook(&made))
}

func updateWebhook(c *call) (answer, error) {
	body, err := decode[webhookUpdate](c)
	if err != nil {
		return answer{}, err
	}
	made := c.webhook
	err = c.change(body.rules, func(tx *store.Tx) error {
		hook, err := webhookIn(tx, c.webhook.ID)
		if err != nil {
			return err
		}
		if err := c.ifMatch(hook.Version); err != nil {
			return err
		}
		made = hook
		next := body.onto(*hook)
		if next == *hook {
			return nil
		}
		made = &next
		return tx.PutWebhook(made)
	})
	if err != nil {
		return answer{}, err
	}
	return showVersion(showWebhook(made), made.Version)
}

// deleteWebhook takes the subscriptions along. What was on its way to the webhook is dropped by who sends it.
func deleteWebhook(c *call) (answer, error) {
	err := c.api.Settings.Update(c.context(), c.who.Actor(), func(tx *store.Tx) error {
		found, err := tx.DeleteWebhook(c.webhook.ID)
		if err == nil && !found {
			return problem.NotFound("webhook", c.webhook.ID)
		}
		if err != nil {
			return err
		}
		for _, s := range tx.Subscriptions() {
			if s.Webhook == c.webhook.ID {
				if _, err := tx.DeleteSubscription(s.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return show(showWebhook(c.webhook))
}

// callSubscriptionBody is a CallSubscription of the document.
type callSubscriptionBody struct {
	ID         callcenter.SubscriptionID `json:"id"`
	Enabled    bool                      `json:"enabled"`
	GroupOnly  bool                      `json:"group_calls_only"`
	States     []string                  `json:"call_states"`
	TargetID   int64                     `json:"target_id,omitzero"`
	TargetType callcenter.TargetType     `json:"target_type,omitzero"`
	Webhook    webhookBody               `json:"webhook"`
}

// dutySubscriptionBody is an AgentStatusSubscription of the document.
type dutySubscriptionBody struct {
	ID        callcenter.SubscriptionID `json:"id"`
	AgentType string                    `json:"agent_type"`
	Enabled   bool                      `json:"enabled"`
	Webhook   webhookBody               `json:"webhook"`
}

// callSubscriptionUpdate is a CallSubscriptionUpdate of the document.
type callSubscriptionUpdate struct {
	Endpoint   *callcenter.WebhookID  `json:"endpoint_id"`
	Enabled    *bool                  `json:"enabled"`
	GroupOnly  *bool                  `json:"group_calls_only"`
	States     *[]string              `json:"call_states"`
	TargetID   *int64                 `json:"target_id"`
	TargetType *callcenter.TargetType `json:"target_type"`
}

// dutySubscriptionUpdate is an AgentStatusSubscriptionUpdate of the document.
type dutySubscriptionUpdate struct {
	AgentType *string               `json:"agent_type"`
	Endpoint  *callcenter.WebhookID `json:"endpoint_id"`
	Enabled   *bool                 `json:"enabled"`
}

func (u dutySubscriptionUpdate) asCall() callSubscriptionUpdate {
	return callSubscriptionUpdate{Endpoint: u.Endpoint, Enabled: u.Enabled}
}

// findSubscription finds a subscription of one kind.
func findSubscription(kind callcenter.SubscriptionKind) func(c *call, text string) error {
	return func(c *call, text string) error {
		id, ok := callcenter.SubscriptionID(positive(text)), false
		if c.subscription, ok = c.snapshot.Subscription(id); !ok || c.subscription.Kind != kind {
			return problem.NotFound("subscription", id)
		}
		return nil
	}
}

// subscriptionBody is what the document has for the subscription's kind.
func (c *call) subscriptionBody(s *callcenter.Subscription) any {
	var hook webhookBody
	if found, ok := c.api.Settings.Snapshot().Webhook(s.Webhook); ok {
		hook = showWebhook(found)
	}
	if s.Kind == callcenter.AgentStatusEvents {
		return dutySubscriptionBody{s.ID, string(callcenter.TargetCallCenter), s.Enabled, hook}
	}
	return callSubscriptionBody{
		s.ID, s.Enabled, s.GroupCallsOnly, slices.Concat([]string{}, s.States), s.Target.ID, s.Target.Type, hook,
	}
}

func (c *call) showSubscription(s *callcenter.Subscription) (answer, error) {
	return showVersion(c.subscriptionBody(s), s.Version)
}

func getSubscription(c *call) (answer, error) { return c.showSubscription(c.subscription) }

func listCallSubscriptions(c *call) (answer, error) {
	id, kind := c.query.Int("target_id", 0), callcenter.TargetType(c.query["target_type"])
	return c.listSubscriptions(func(s *callcenter.Subscription) bool {
		return s.Kind == callcenter.CallEvents && (id == 0 || s.Target.ID == id) && (kind == "" || s.Target.Type == kind)
	})
}

func listDutySubscriptions(c *call) (answer, error) {
	return c.listSubscriptions(func(s *callcenter.Subscription) bool { return s.Kind == callcenter.AgentStatusEvents })
}

func (c *call) listSubscriptions(want func(*callcenter.Subscription) bool) (answer, error) {
	return showPage(c, c.snapshot.Subscriptions(), func(s *callcenter.Subscription) int64 { return s.Seq }, want,
		func(s *callcenter.Subscription) jsontext.Value { return jsontext.Value(encode(c.subscriptionBody(s))) })
}

// onto is the subscription with what the update says. Target and type belong together and are replaced together.
func (u callSubscriptionUpdate) onto(s callcenter.Subscription) callcenter.Subscription {
	set(&s.Webhook, u.Endpoint)
	set(&s.Enabled, u.Enabled)
	set(&s.GroupCallsOnly, u.GroupOnly)
	if u.States != nil {
		s.States = slices.Clone(*u.States)
	}
	if u.TargetID != nil && u.TargetType != nil {
		s.Target = callcenter.Target{ID: *u.TargetID, Type: *u.TargetType}
	}
	return s
}

func (u callSubscriptionUpdate) rules(db records) []problem.Field {
	var fields []problem.Field
	bad := func(name, message string) {
		fields = append(fields, problem.Field{Name: name, In: problem.InBody, Message: message})
	}
	if u.Endpoint != nil {
		if _, ok := db.Webhook(*u.Endpoint); !ok {
			bad("endpoint_id", "is no webhook of the company")
		}
	}
	switch {
	case u.TargetID == nil && u.TargetType != nil:
		bad("target_id", "is required with target_type")
	case u.TargetID != nil && u.TargetType == nil:
		bad("target_type", "is required with target_id")
	case u.TargetID != nil && !exists(db, callcenter.Target{ID: *u.TargetID, Type: *u.TargetType}):
		bad("target_id", "is no "+string(*u.TargetType)+" of the company")
	}
	return fields
}

func createCallSubscription(c *call) (answer, error) {
	body, err := decode[callSubscriptionUpdate](c)
	if err != nil {
		return answer{}, err
	}
	return c.createSubscription(callcenter.CallEvents, body)
}

func createDutySubscription(c *call) (answer, error) {
	body, err := decode[dutySubscriptionUpdate](c)
	if err != nil {
		return answer{}, err
	}
	return c.createSubscription(callcenter.AgentStatusEvents, body.asCall())
}

func (c *call) createSubscription(kind callcenter.SubscriptionKind, body callSubscriptionUpdate) (answer, error) {
	made := body.onto(callcenter.Subscription{Kind: kind, Enabled: true})
	err := c.change(body.rules, func(tx *store.Tx) error {
		made.ID = callcenter.SubscriptionID(tx.NewID())
		return tx.PutSubscription(&made)
	})
	if err != nil {
		return answer{}, err
	}
	return show(c.subscriptionBody(&made))
}

func updateCallSubscription(c *call) (answer, error) {
	body, err := decode[callSubscriptionUpdate](c)
	if err != nil {
		return answer{}, err
	}
	return c.updateSubscription(body)
}

func updateDutySubscription(c *call) (answer, error) {
	body, err := decode[dutySubscriptionUpdate](c)
	if err != nil {
		return answer{}, err
	}
	return c.updateSubscription(body.asCall())
}

func (c *call) updateSubscription(body callSubscriptionUpdate) (answer, error) {
	made := c.subscription
	err := c.change(body.rules, func(tx *store.Tx) error {
		found, ok := tx.Subscription(c.subscription.ID)
		if !ok {
			return problem.NotFound("subscription", c.subscription.ID)
		}
		if err := c.ifMatch(found.Version); err != nil {
			return err
		}
		made = found
		next := body.onto(*found)
		if reflect.DeepEqual(next, *found) {
			return nil
		}
		made = &next
		return tx.PutSubscription(made)
	})
	if err != nil {
		return answer{}, err
	}
	return c.showSubscription(made)
}

func deleteSubscription(c *call) (answer, error) {
	body := c.subscriptionBody(c.subscription)
	err := c.api.Settings.Update(c.context(), c.who.Actor(), func(tx *store.Tx) error {
		found, err := tx.DeleteSubscription(c.subscription.ID)
		if err == nil && !found {
			return problem.NotFound("subscription", c.subscription.ID)
		}
		return err
	})
	if err != nil {
		return answer{}, err
	}
	return show(body)
}

// letterBody is a DeadLetter of the document.
type letterBody struct {
	ID       int64                `json:"id"`
	Webhook  callcenter.WebhookID `json:"webhook_id"`
	Event    string               `json:"event"`
	Date     int64                `json:"date"`
	Attempts int                  `json:"attempts"`
	Error    string               `json:"error"`
	Payload  string               `json:"payload"`
}

func showLetter(d store.Delivery) letterBody {
	return letterBody{d.ID, d.Webhook, d.Event, millis(d.Created), d.Attempts, d.Error, string(d.Body)}
}

func findLetter(c *call, text string) error {
	id := positive(text)
	found, ok, err := c.api.DeadLetters.Delivery(c.context(), id)
	if err != nil {
		return err
	}
	if !ok || !found.Dead {
		return problem.NotFound("deadletter", id)
	}
	c.letter = found
	return nil
}

func listLetters(c *call) (answer, error) {
	after, err := c.after()
	if err != nil {
		return answer{}, err
	}
	limit := int(min(c.query.Int("limit", MaxPage), MaxPage))
	dead, err := c.api.DeadLetters.DeadDeliveries(c.context(), after, limit+1)
	if err != nil {
		return answer{}, err
	}
	p := page[letterBody]{Items: []letterBody{}}
	for i, d := range dead {
		if i == limit {
			p.Cursor = c.cursor(dead[i-1].ID)
			break
		}
		full, ok, err := c.api.DeadLetters.Delivery(c.context(), d.ID)
		if err != nil {
			return answer{}, err
		}
		if ok {
			p.Items = append(p.Items, showLetter(full))
		}
	}
	return show(p)
}

func replayLetter(c *call) (answer, error) { return c.settleLetter(c.api.DeadLetters.Replay) }

func deleteLetter(c *call) (answer, error) { return c.settleLetter(c.api.DeadLetters.DropDelivery) }

func (c *call) settleLetter(settle func(context.Context, int64) (bool, error)) (answer, error) {
	found, err := settle(c.context(), c.letter.ID)
	if err == nil && !found {
		err = problem.NotFound("deadletter", c.letter.ID)
	}
	if err != nil {
		return answer{}, err
	}
	return show(showLetter(c.letter))
}
