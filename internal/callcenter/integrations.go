package callcenter

// WebhookID names a webhook.
type WebhookID int64

// Webhook is an address of the company's that events are sent to.
type Webhook struct {
	Record
	ID     WebhookID
	URL    string
	Secret string // signs what we send; "": nothing is signed
}

// SubscriptionID names a subscription.
type SubscriptionID int64

// SubscriptionKind is what a subscription is about: one of the constants below.
type SubscriptionKind string

// The kinds of subscription.
const (
	CallEvents        SubscriptionKind = "call"
	AgentStatusEvents SubscriptionKind = "agent_status"
)

// Subscription says which events go to a webhook.
type Subscription struct {
	Record
	ID             SubscriptionID
	Kind           SubscriptionKind
	Webhook        WebhookID
	Enabled        bool
	GroupCallsOnly bool     // calls of call centers only
	States         []string // of calls; empty: all
	Target         Target   // whose calls; zero: all
}

// MaxRouterErrors is how many errors within an hour a call router may make; one more disables it.
const MaxRouterErrors = 10
