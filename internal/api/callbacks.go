package api

import (
	"sync"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/limit"
	"switchboard/internal/problem"
	"switchboard/internal/route"
)

// How many callbacks may be asked for in a minute, at the usual rate limit (ownLimits says how that scales).
const (
	CallbacksPerNumber  = 5
	CallbacksPerCenter  = 100
	CallbacksPerCompany = 1000
)

// callbackLimits count what is asked for, by whomever.
type callbackLimits struct {
	mu      *sync.Mutex
	numbers *limit.Log[string]
	centers *limit.Log[callcenter.ID]
	company *limit.Log[struct{}]
}

func newCallbackLimits(perMinute int) callbackLimits {
	return callbackLimits{
		mu:      &sync.Mutex{},
		numbers: limit.NewLog[string](scaled(CallbacksPerNumber, perMinute), time.Minute),
		centers: limit.NewLog[callcenter.ID](scaled(CallbacksPerCenter, perMinute), time.Minute),
		company: limit.NewLog[struct{}](scaled(CallbacksPerCompany, perMinute), time.Minute),
	}
}

// pass counts in all three or in none.
func (l callbackLimits) pass(now time.Time, number string, center callcenter.ID) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for of, verdict := range map[string]limit.Verdict{
		"this number":      l.numbers.Peek(now, number),
		"this call center": l.centers.Peek(now, center),
		"the company":      l.company.Peek(now, struct{}{}),
	} {
		if !verdict.OK {
			return problem.Limited("Too many callbacks of "+of+" were asked for within a minute.", verdict.RetryAfter)
		}
	}
	l.numbers.Allow(now, number)
	l.centers.Allow(now, center)
	l.company.Allow(now, struct{}{})
	return nil
}

// refusals in words, by what the core says.
var callbackRefused = map[string]string{
	route.RefusedClosed:     "The call center is closed.",
	route.RefusedFull:       "The queue of the call center is full.",
	route.RefusedNotAllowed: "The call center takes no callbacks.",
	route.RefusedDuplicate:  "This number waits for a callback already.",
}

func createCallback(c *call) (answer, error) {
	position, err := c.askCallback(false)
	if err != nil {
		return answer{}, err
	}
	return show(struct {
		Position int `json:"position"`
	}{position})
}

func validateCallback(c *call) (answer, error) {
	if _, err := c.askCallback(true); err != nil {
		return answer{}, err
	}
	return show(struct {
		Success bool `json:"success"`
	}{true})
}

func (c *call) askCallback(dryRun bool) (int, error) {
	body, err := decode[struct {
		Center *callcenter.ID `json:"call_center_id"`
		Number string         `json:"phone_number"`
	}](c)
	if err != nil {
		return 0, err
	}
	var fields []problem.Field
	if body.Center != nil && !exists(c.snapshot, centerTarget(*body.Center)) {
		fields = append(fields, problem.Field{
			Name: "call_center_id", In: problem.InBody, Message: "is no callcenter of the company",
		})
	}
	if body.Number != "" && !c.api.dialable(body.Number) {
		fields = append(fields, problem.Field{
			Name: "phone_number", In: problem.InBody, Message: "is not one that calls to are allowed",
		})
	}
	if err := c.refuse(fields); err != nil {
		return 0, err
	}
	if err := c.api.callbacks.pass(c.now, body.Number, *body.Center); err != nil {
		return 0, err
	}
	position, refused, err := c.api.Callbacks.Ask(c.context(), *body.Center, body.Number, dryRun)
	if err != nil {
		return 0, err
	}
	if position > 0 {
		return position, nil
	}
	words, ok := callbackRefused[refused]
	if !ok {
		words = "The callback was refused: " + refused + "."
	}
	return 0, problem.Conflicts(words)
}
