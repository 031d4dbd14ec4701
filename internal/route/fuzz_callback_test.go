package route

import (
	"fmt"
	"slices"
	"time"

	"switchboard/internal/callcenter"
)

// next is any event, those of callbacks, calls to numbers, recordings and kept places among them.
func (s *soup) next() Event {
	if s.n(4) == 0 {
		return s.laterEvent()
	}
	e := s.event()
	if c, ok := e.(CenterChanged); ok {
		q, a := &c.Center.Settings.HoldQueue, &c.Center.Settings.AdvancedSettings
		q.AllowQueueCallback = s.n(4) > 0
		q.QueueCallbackThreshold = s.n(3)
		a.AutoCallRecording.Outbound = s.n(2) == 0
		a.AutoCallRecording.AllowPause = s.n(2) == 0
		c.Center.Settings.Alerts.ServiceLevelPercent = s.n(3) * 40
	}
	return e
}

func (s *soup) laterEvent() Event {
	call, op, at := CallID(s.n(12)), callcenter.OperatorID(s.n(6)), callcenter.ID(s.n(4))
	if s.n(3) == 0 {
		call = CallbackCall(call)
	}
	number := fmt.Sprintf("+155501%02d", s.n(8))
	switch s.n(14) {
	case 0, 1:
		return CallArrived{Call: call, Center: at, From: number, To: "+15550000"}
	case 2:
		return CallbackAsked{Call: call, Center: at, Number: number, DryRun: s.n(4) == 0}
	case 3:
		return CallAsked{Call: call, Operator: op, Center: at, To: number}
	case 4, 5:
		return FarAnswered{call}
	case 6:
		return FarFailed{call, []int{408, 486, 487, 503, 603}[s.n(5)]}
	case 7:
		if s.n(2) == 0 {
			return VoiceSet{op, s.n(2) == 0}
		}
		return RecordingSet{op, s.n(2) == 0}
	case 8:
		return OperatorDigit{LegID{call, s.n(6)}, "*23"[s.n(3)]}
	case 9:
		return HangupAsked{call}
	case 10:
		return RestoreCallback{Callback{
			Call: call, Center: at, Number: number, Entered: s.now.Add(-time.Minute), Tries: s.n(4),
			After: s.now.Add(time.Duration(s.n(3)) * time.Minute),
		}}
	case 11:
		return RestorePlace{Place: Place{Call: call, Center: at, From: number, Entered: s.now.Add(-time.Minute)}}
	case 12:
		return Digit{call, "91*"[s.n(3)]}
	}
	return LegAnswered{LegID{call, s.n(6)}}
}

// ledger counts how often each call began and ended.
type ledger struct{ began, ended map[CallID]int }

func newLedger() *ledger { return &ledger{map[CallID]int{}, map[CallID]int{}} }

// note takes in one step: the calls before and after it, and its orders. Whatever ended or is there now, and was not
// there before, began in it; callbacks that a stopping machine leaves to the disk never did.
func (l *ledger) note(before, after []CallID, e Event, effects []Effect) error {
	for _, id := range before {
		l.began[id]--
	}
	for _, f := range effects {
		if end, ok := f.Order.(End); ok {
			l.ended[end.Record.Visit]++
			l.began[end.Record.Visit]++
		}
	}
	for _, id := range after {
		l.began[id]++
	}
	for id, n := range l.began {
		if live := n - l.ended[id]; live < 0 || live > 1 || (live == 1) != slices.Contains(after, id) {
			return fmt.Errorf("after %T call %d began %d times and ended %d times", e, id, n, l.ended[id])
		}
	}
	return nil
}
