package route

import (
	"strconv"
	"strings"
	"time"

	"switchboard/internal/callcenter"
)

// target reads "user:ada", "callcenter:sales", "callrouter:7", "office:1".
func (s *script) target(v string) callcenter.Target {
	kind, who, ok := strings.Cut(v, ":")
	if !ok {
		return callcenter.Target{}
	}
	t := callcenter.Target{Type: callcenter.TargetType(kind)}
	switch o, c := s.operators[who], s.centers[who]; {
	case t.Type == callcenter.TargetUser && o != nil:
		t.ID = int64(o.ID)
	case t.Type == callcenter.TargetCallCenter && c != nil:
		t.ID = int64(c.ID)
	default:
		id, err := strconv.Atoi(who)
		s.must(err)
		t.ID = int64(id)
	}
	return t
}

// menu reads "1=message,2=person@user:ada".
func (s *script) menu(v string) (keys []callcenter.MenuKey) {
	for option := range strings.SplitSeq(v, ",") {
		input, action, _ := strings.Cut(option, ":")
		action, target, _ := strings.Cut(action, "@")
		keys = append(keys, callcenter.MenuKey{
			Input: input, Action: callcenter.Action(action), Target: s.target(target),
		})
	}
	return keys
}

// holiday reads "2026-12-25..2026-12-26,Christmas,09:00-12:00"; without hours it is closed.
func (s *script) holiday(v string) callcenter.Holiday {
	f := strings.Split(v, ",")
	first, last, ranged := strings.Cut(f[0], "..")
	if !ranged {
		last = first
	}
	day := func(text string) callcenter.Date {
		at, err := time.Parse(time.DateOnly, text)
		s.must(err)
		return callcenter.DateOf(at)
	}
	h := callcenter.Holiday{Name: f[1], First: day(first), Last: day(last)}
	if len(f) > 2 {
		from, to, _ := strings.Cut(f[2], "-")
		h.Hours = callcenter.DayHours{from, to}
	}
	return h
}

func prompts(names []string) (list []Prompt) {
	for _, n := range names {
		list = append(list, Prompt(n))
	}
	return list
}

// routerAnswer reads "router CALL error|route|forward|ask|end ...".
func (s *script) routerAnswer(call CallID, what string, kv map[string]string) Event {
	e := RouterAnswered{Call: call, DefaultTarget: s.target(kv["default"])}
	if what == "error" {
		e.Err = "timeout"
		return e
	}
	e.Answer = RouterAnswer{
		Action: RouterAction(what), Target: s.target(kv["to"]), ForwardTo: kv["number"],
		Message: kv["say"], HintName: kv["hint"],
	}
	if n := kv["digits"]; n != "" {
		e.Answer.NumDigits = s.number(n)
	}
	return e
}
