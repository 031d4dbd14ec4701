package flow

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

func (s *steps) name(id TaskID) string {
	if a := s.r.attempt(id); a != nil {
		return label(a)
	}
	return string(id)
}

func label(a *Attempt) string {
	if a.Retry > 0 {
		return fmt.Sprintf("%s#%d", a.Ref, a.Retry)
	}
	return a.Ref
}

func (s *steps) effects(effects []Effect) {
	for _, e := range effects {
		s.printf("  %s\n", s.effect(e))
	}
}

func (s *steps) effect(e Effect) string {
	switch e := e.(type) {
	case Call:
		return fmt.Sprintf("call %s %s", label(e.Task), Encode(e.Task.Input))
	case Evaluate:
		return fmt.Sprintf("evaluate %s %s %q %s", s.name(e.Task), e.Language, e.Script, Encode(e.Input))
	case Offer:
		from := ""
		if !e.Task.DueAt.IsZero() {
			from = " from " + e.Task.DueAt.Format("15:04:05.999")
		}
		if e.Task.Domain != "" {
			from += " domain " + e.Task.Domain
		}
		return fmt.Sprintf("offer %s to %s%s %s", label(e.Task), e.Queue, from, Encode(e.Task.Input))
	case Withdraw:
		return "withdraw " + s.name(e.Task)
	case StartRun:
		return s.startRun(e)
	case Order:
		return fmt.Sprintf("order %s %T %+v", e.Run, e.Event, e.Event)
	case Publish:
		return fmt.Sprintf("publish %s %s %s", s.name(e.Task), e.Sink, Encode(e.Payload))
	case Fetch:
		return fmt.Sprintf("fetch %s %s tasks=%v", s.name(e.Task), e.Run, e.IncludeTasks)
	case Update:
		return fmt.Sprintf("update %s target=%s run=%s ref=%s %s %s",
			s.name(e.Task), e.Target, e.Run, e.Ref, e.Status, Encode(e.Output))
	case Ended:
		return fmt.Sprintf("ended %s%s", e.State, s.why())
	}
	return fmt.Sprintf("%T", e)
}

func (s *steps) why() string {
	out := " " + string(Encode(s.r.Output))
	if s.r.Reason != "" {
		out += " because " + s.r.Reason
	}
	return out
}

func (s *steps) startRun(e StartRun) string {
	text, err := json.Marshal(e.Request, JSON)
	s.must(err)
	who := s.name(e.Task)
	if who == "" {
		who = "(nobody)"
	}
	if e.Wait {
		who += " waiting"
	}
	return fmt.Sprintf("start for %s %s", who, text)
}

// show prints the run and its attempts.
func (s *steps) show() {
	r := s.r
	fmt.Fprintf(s.out, "%s", r.State)
	if r.State.Final() {
		fmt.Fprint(s.out, s.why())
	}
	if len(r.Variables) > 0 {
		fmt.Fprintf(s.out, " variables %s", Encode(r.Variables))
	}
	if len(r.FailedRefs) > 0 {
		fmt.Fprintf(s.out, " failed %s", strings.Join(r.FailedRefs, ","))
	}
	fmt.Fprintln(s.out)
	for _, a := range r.Tasks {
		fmt.Fprintf(s.out, "%d %s %s %s", a.Seq, label(a), a.Type, a.Status)
		if !a.Status.Final() && !a.DueAt.IsZero() {
			fmt.Fprintf(s.out, " due %s", a.DueAt.Format("Mon 15:04:05.999"))
		}
		if len(a.Output) > 0 {
			fmt.Fprintf(s.out, " %s", Encode(a.Output))
		}
		if a.Reason != "" {
			fmt.Fprintf(s.out, " because %s", a.Reason)
		}
		fmt.Fprintln(s.out)
	}
	if next := r.Next(); !next.IsZero() {
		fmt.Fprintf(s.out, "next %s (in %s)\n", next.Format("Mon 15:04:05.999"), next.Sub(s.now).Round(time.Millisecond))
	}
}
