package hooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// How call routers are asked (docs/reference/events.md, "Call routers").
const (
	RouterTimeout  = 5 * time.Second
	MaxRouterCalls = 1000 // questions that wait for an answer at a time
	MaxDigits      = 30   // that a router can ask for
	maxHintName    = 64
	maxMessage     = 2000 // characters that are said
	errorWindow    = time.Hour
)

// routerActor is who the history names when errors disabled a router.
const routerActor store.Actor = "rule router_errors"

// AskRouter asks a call router. answered is called once, from another goroutine; when the router fails, does not exist
// or is switched off, Err says so and DefaultTarget where the caller goes.
func (h *Hooks) AskRouter(order route.AskRouter, answered func(route.RouterAnswered)) {
	h.wg.Go(func() {
		result := route.RouterAnswered{Call: order.Call}
		router, ok := h.cfg.Settings.Snapshot().CallRouter(order.Router)
		if !ok {
			result.Err = "there is no such call router"
			answered(result)
			return
		}
		result.DefaultTarget = router.DefaultTarget
		if !router.Enabled {
			result.Err = "the call router is switched off"
			answered(result)
			return
		}
		answer, err := h.exchange(order, router)
		if err != nil {
			result.Err = err.Error()
		} else {
			result.Answer = answer
		}
		answered(result) // the caller waits; the count may take its time
		if err != nil && h.ctx.Err() == nil {
			h.cfg.Log.Warn("a call router failed", "router", router.ID, "call", order.Call, "error", err)
			h.countError(router.ID)
		}
	})
}

// exchange is one question and its answer.
func (h *Hooks) exchange(order route.AskRouter, router *callcenter.CallRouter) (route.RouterAnswer, error) {
	select {
	case h.asking <- struct{}{}:
		defer func() { <-h.asking }()
	default:
		return route.RouterAnswer{}, errors.New("too many routers are being asked")
	}
	ctx, cancel := context.WithTimeout(h.ctx, RouterTimeout)
	defer cancel()
	body, contentType := sealed(h.question(order), router.Secret)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, router.RoutingURL, bytes.NewReader(body))
	if err != nil {
		return route.RouterAnswer{}, err
	}
	dress(r, contentType)
	r.Header.Set("Accept", typeJSON)
	res, err := h.cfg.Routers.Do(r)
	if err != nil {
		return route.RouterAnswer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return route.RouterAnswer{}, err
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return route.RouterAnswer{}, fmt.Errorf("answered %d", res.StatusCode)
	}
	return h.readAnswer(text)
}

// question is what a router is sent. Digits of its last question come back under the name that it gave them.
func (h *Hooks) question(order route.AskRouter) []byte {
	w := writer{h.cfg.Settings.Snapshot()}
	fields := map[string]any{
		"call_id": int64(order.Call), "master_call_id": int64(order.Call), "date": h.cfg.Now().UnixMilli(),
		"external_number": some(order.From), "internal_number": some(order.To), "contact": party{},
		"target": w.center(order.Center), "call_router_id": int64(order.Router),
	}
	if order.From != "" {
		fields["contact"] = party{ID: []byte("null"), Type: "local", Phone: &order.From}
	}
	if order.Hint != "" {
		if _, taken := fields[order.Hint]; !taken {
			fields[order.Hint] = order.Digits
		}
	}
	return encode(fields)
}

// lines is a text, or a list of them.
type lines string

// UnmarshalJSON reads both.
func (l *lines) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*l = lines(one)
		return nil
	}
	var many []string
	if err := json.Unmarshal(data, &many); err != nil {
		return errors.New("message is neither a text nor a list of texts")
	}
	*l = lines(strings.Join(many, " "))
	return nil
}

// whole is an integer, written as one or as a text.
type whole int64

// UnmarshalJSON reads both.
func (n *whole) UnmarshalJSON(data []byte) error {
	id, err := strconv.ParseInt(strings.Trim(string(data), `"`), 10, 64)
	if err != nil {
		return fmt.Errorf("%s is no integer", data)
	}
	*n = whole(id)
	return nil
}

// readAnswer understands what a router said, or says why that cannot be done.
func (h *Hooks) readAnswer(text []byte) (route.RouterAnswer, error) {
	var said struct {
		Action     route.RouterAction    `json:"action"`
		TargetID   whole                 `json:"target_id"`
		TargetType callcenter.TargetType `json:"target_type"`
		ForwardTo  string                `json:"forward_to"`
		Message    lines                 `json:"message"`
		HintName   string                `json:"hint_name"`
		NumDigits  whole                 `json:"num_digits"`
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return route.RouterAnswer{}, fmt.Errorf("its answer is not what was asked for: %w", err)
	}
	answer := route.RouterAnswer{
		Action: said.Action, ForwardTo: said.ForwardTo, Message: cut(string(said.Message), maxMessage),
		HintName: said.HintName, NumDigits: int(said.NumDigits),
	}
	switch said.Action {
	case route.RouterRoute:
		answer.Target = callcenter.Target{ID: int64(said.TargetID), Type: said.TargetType}
		if !exists(h.cfg.Settings.Snapshot(), answer.Target) {
			return route.RouterAnswer{}, fmt.Errorf("it named a target that does not exist: %s %d",
				cut(string(said.TargetType), 20), said.TargetID)
		}
	case route.RouterForward:
		if !callcenter.ValidE164(said.ForwardTo) {
			return route.RouterAnswer{}, errors.New("forward_to is no number in E.164 form")
		}
	case route.RouterAsk:
		if said.NumDigits < 1 || said.NumDigits > MaxDigits || said.HintName == "" || len(said.HintName) > maxHintName {
			return route.RouterAnswer{}, fmt.Errorf("ask needs hint_name and num_digits from 1 to %d", MaxDigits)
		}
	case route.RouterEnd:
	default:
		return route.RouterAnswer{}, fmt.Errorf("%q is no action", cut(string(said.Action), 20))
	}
	return answer, nil
}

// cut bounds a text to so many characters, and makes it valid.
func cut(text string, most int) string {
	text = strings.ToValidUTF8(text, "")
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most])
}

// exists says whether a caller can be led to a target.
func exists(snapshot *store.Snapshot, target callcenter.Target) bool {
	switch target.Type {
	case callcenter.TargetCallCenter:
		center, ok := snapshot.Center(callcenter.ID(target.ID))
		return ok && center.State == callcenter.StateActive
	case callcenter.TargetUser:
		user, ok := snapshot.User(callcenter.OperatorID(target.ID))
		return ok && user.State == callcenter.StateActive
	case callcenter.TargetOffice:
		_, ok := snapshot.Office(callcenter.OfficeID(target.ID))
		return ok
	}
	return false
}

// countError notes an error, and switches the router off when there were too many within an hour.
func (h *Hooks) countError(id callcenter.RouterID) {
	disabled := ""
	err := h.cfg.Settings.Update(h.ctx, routerActor, func(tx *store.Tx) error {
		router, ok := tx.CallRouter(id)
		if !ok {
			return nil
		}
		changed := *router
		changed.Errors = nil
		for _, at := range router.Errors {
			if tx.Now().Sub(at) < errorWindow {
				changed.Errors = append(changed.Errors, at)
			}
		}
		changed.Errors = append(changed.Errors, tx.Now())
		if over := len(changed.Errors) - callcenter.MaxRouterErrors - 1; over > 0 {
			changed.Errors = changed.Errors[over:]
		}
		if router.Enabled && len(changed.Errors) > callcenter.MaxRouterErrors {
			changed.Enabled, disabled = false, router.Name
		}
		return tx.PutCallRouter(&changed)
	})
	if err != nil && h.ctx.Err() == nil {
		h.cfg.Log.Error("an error of a call router could not be counted", "router", id, "error", err)
	}
	if disabled != "" {
		h.cfg.Notice("The call router " + disabled + " failed more than 10 times within an hour and is switched off.")
	}
}
