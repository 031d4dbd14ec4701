package app

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// Why a number is not called, as a SIP status.
const (
	lineNotFound  = http.StatusNotFound           // it is no phone number
	lineForbidden = http.StatusForbidden          // the destination is not allowed, or the cap of the hour is reached
	lineNone      = http.StatusServiceUnavailable // no trunk takes calls out
)

// capWindow is the time over which Config.DialCap counts.
const capWindow = time.Hour

// lines lead to the telephone network: over the first trunk that takes calls out, to allowed destinations only, and so
// many an hour. Each call out costs somebody money, so a stolen key must not be able to make many.
type lines struct {
	store  *store.Store
	allow  []string // prefixes; none: ordinary numbers of the offices' countries
	cap    int
	notice func(text string)
	log    *slog.Logger

	mu   sync.Mutex
	made []time.Time // calls of the last hour, oldest first
}

// Line implements exchange.Lines.
func (l *lines) Line(order route.DialFar) (to, from string, status int) {
	snapshot := l.store.Snapshot()
	trunk := outboundTrunk(snapshot)
	switch {
	case !callcenter.ValidE164(order.To):
		return "", "", lineNotFound
	case !l.allowed(snapshot, order.To):
		return l.refuse(order, lineForbidden, "Calls to "+order.To+" are not allowed (--dial-allow); one was refused.")
	case trunk == "":
		return l.refuse(order, lineNone, "No trunk takes calls out: one to "+order.To+" could not be made.")
	case !l.count(time.Now()):
		text := fmt.Sprintf("%d calls went out within an hour (--dial-cap); the one to %s was refused.", l.cap, order.To)
		return l.refuse(order, lineForbidden, text)
	}
	from = order.From
	if from == "" {
		from = ownNumber(snapshot, order)
	}
	return "sip:" + order.To + "@" + strings.TrimPrefix(trunk, "sip:"), from, 0
}

func (l *lines) refuse(order route.DialFar, status int, text string) (string, string, int) {
	l.log.Warn("a call out was refused", "call", order.Call, "status", status)
	l.notice(text)
	return "", "", status
}

// Allowed says whether calls to a number are allowed at all, whatever the cap of the hour says.
func (l *lines) Allowed(number string) bool { return l.allowed(l.store.Snapshot(), number) }

func (l *lines) allowed(snapshot *store.Snapshot, number string) bool {
	for _, prefix := range l.allow {
		if strings.HasPrefix(number, prefix) {
			return true
		}
	}
	if len(l.allow) > 0 {
		return false
	}
	for _, office := range snapshot.Offices() {
		if callcenter.Domestic(office.Country, number) {
			return true
		}
	}
	return false
}

// count takes one call of the hour's; false: there is none left.
func (l *lines) count(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.made) > 0 && now.Sub(l.made[0]) >= capWindow {
		l.made = l.made[1:]
	}
	if len(l.made) >= l.cap {
		return false
	}
	l.made = append(l.made, now)
	return true
}

func outboundTrunk(snapshot *store.Snapshot) string {
	for _, trunk := range snapshot.Trunks() {
		if trunk.Outbound != "" {
			return trunk.Outbound
		}
	}
	return ""
}

// ownNumber is the primary number of the call center, or else of the operator, on whose behalf a call is made.
func ownNumber(snapshot *store.Snapshot, order route.DialFar) string {
	owners := []callcenter.Target{
		{ID: int64(order.Center), Type: callcenter.TargetCallCenter},
		{ID: int64(order.Operator), Type: callcenter.TargetUser},
	}
	for _, owner := range owners {
		var found *callcenter.Number
		for _, n := range snapshot.Numbers() {
			if owner.ID != 0 && n.Target == owner && (found == nil || n.Rank < found.Rank) {
				found = n
			}
		}
		if found != nil {
			return found.E164
		}
	}
	return ""
}
