package interop

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"switchboard/internal/route"
	"switchboard/internal/softphone"
	"switchboard/test/lab"
)

// TestStories plays the stories of test/scripts: whole visits, told in the words below.
//
//	server                            starts a server with a trunk in and out
//	operator ada                      seats Ada, on duty, whose phone rings until the story says otherwise; $ada
//	outside mobile +12125550123       is a phone in the telephone network
//	center support FILE               makes a call center with the settings in the file; $support
//	holiday support FILE              makes the center's holiday, later changes it
//	api METHOD PATH [FILE]            asks the API; "! api" must be refused
//	caller cleo calls support         then: hears PROMPT, hears tone HZ, presses KEYS, says HZ TIME, ends OUTCOME REASON
//	phone ada rings [FROM]            then: answers HZ, hears PROMPT, hears tone HZ, presses KEYS, hangs up
//	until operator ada STATE          or: until waiting support N, until recording ada STATE, until alert support
//	events cleo STATES                waits until these, and no others, were told to the webhook of the caller's own leg
//	events back +12125550123 STATES   the same of the leg of a call back to that number
//	duty ada STATES                   waits until these, among others, were told to the webhook of Ada, in this order
//	alerts support                    waits until the webhook was told of an alert of the center, and prints its text
//	path cleo                         prints the caller's path
//	ended 5                           waits until so many calls have ended, and prints them as they came
//	tape HZ...                        lists which of the tones are in the only recording, as "left 700", "right 850"
func TestStories(t *testing.T) {
	t.Parallel()
	lab.Need(t, "sipp")
	testscript.Run(t, testscript.Params{
		Dir:   "../scripts",
		Setup: setUpStory,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server": told(story.server), "operator": told(story.operator), "outside": told(story.outside),
			"center": told(story.center), "api": storyAPI, "caller": told(story.caller), "phone": told(story.phone),
			"holiday": told(story.holiday),
			"until":   told(story.until), "path": told(story.path), "events": told(story.events),
			"duty": told(story.duty), "alerts": told(story.alerts), "ended": told(story.ended), "tape": told(story.tape),
		},
	})
}

// cast is who plays in a story.
type cast struct {
	t       testing.TB
	hall    *hall
	centers map[string]*lab.Center
	callers map[string]*caller
	phones  map[string]*handset
	webhook *program
}

// handset is a phone and its latest call.
type handset struct {
	*desk
	call  *softphone.Call
	heard earpiece
}

// story is one line of a script, and the cast so far.
type story struct {
	*testscript.TestScript
	*cast
}

type castKey struct{}

func setUpStory(env *testscript.Env) error {
	t, ok := env.T().(testing.TB)
	if !ok {
		return fmt.Errorf("the scripts are run by a %T", env.T())
	}
	env.Values[castKey{}] = &cast{
		t: t, centers: map[string]*lab.Center{}, callers: map[string]*caller{}, phones: map[string]*handset{},
	}
	today := time.Now().UTC()
	env.Setenv("yesterday", today.AddDate(0, 0, -1).Format(time.DateOnly))
	env.Setenv("tomorrow", today.AddDate(0, 0, 1).Format(time.DateOnly))
	return nil
}

func storyOf(ts *testscript.TestScript) story {
	return story{ts, ts.Value(castKey{}).(*cast)}
}

// told is a command that cannot fail on purpose.
func told(do func(story, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("only api can be refused")
		}
		do(storyOf(ts), args)
	}
}

// words checks how many there are, and fills in empty ones.
func (s story) words(args []string, least, most int) []string {
	if len(args) < least || len(args) > most {
		s.Fatalf("%d words, want %d to %d: %s", len(args), least, most, strings.Join(args, " "))
	}
	return append(slices.Clone(args), make([]string, most-len(args))...)
}

func (s story) number(text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	s.Check(err)
	return n
}

// file is a file of the script with its variables filled in.
func (s story) file(name string) string {
	if name == "" {
		return ""
	}
	return os.Expand(s.ReadFile(name), s.Getenv)
}

func (s story) server(args []string) {
	s.words(args, 0, 0)
	s.hall = openHall(s.t)
	s.hall.callsOut()
	s.webhook = s.hall.webhook("all", "alert")
	s.hall.tellsDuty(s.webhook)
}

func (s story) operator(args []string) {
	name := s.words(args, 1, 1)[0]
	d := s.hall.desk(name, ringsOn)
	s.phones[name] = &handset{desk: d}
	s.Setenv(name, d.ID)
}

func (s story) outside(args []string) {
	args = s.words(args, 2, 2)
	s.phones[args[0]] = &handset{desk: s.hall.outside(args[1], ringsOn)}
}

func (s story) center(args []string) {
	args = s.words(args, 2, 2)
	name := args[0]
	c := s.hall.Center(strings.ToUpper(name[:1])+name[1:], `{}`)
	s.centers[name] = c
	s.Setenv(name, c.ID)
	c.Patch(s.file(args[1]))
	for _, p := range s.phones {
		if p.ID != "" {
			c.Add(p.Operator, 50)
		}
	}
}

func (s story) holiday(args []string) {
	args = s.words(args, 2, 2)
	list := "/api/v2/x/callcenters/" + s.centers[args[0]].ID + "/holidays"
	if known := s.hall.MustAPI("GET", list, "").Items(); len(known) > 0 {
		s.hall.MustAPI("PATCH", list+"/"+known[0].Text("id"), s.file(args[1]))
		return
	}
	s.hall.MustAPI("POST", list, s.file(args[1]))
}

// storyAPI prints the status and the body.
func storyAPI(ts *testscript.TestScript, neg bool, args []string) {
	s := storyOf(ts)
	args = s.words(args, 2, 3)
	answer := s.hall.API(args[0], args[1], s.file(args[2]))
	fmt.Fprintf(s.Stdout(), "%d %s\n", answer.Status, answer.Raw)
	if refused := answer.Status >= 400; refused != neg {
		s.Fatalf("%s %s: %d %s", args[0], args[1], answer.Status, answer.Raw)
	}
}

func (s story) caller(args []string) {
	args = s.words(args, 3, 4)
	name, does, what, more := args[0], args[1], args[2], args[3]
	if does == "calls" {
		s.callers[name] = s.hall.caller(s.centers[what])
		s.Setenv(name, s.callers[name].from)
		return
	}
	c, ok := s.callers[name]
	if !ok {
		s.Fatalf("%s has not called", name)
	}
	switch does {
	case "hears":
		if what == "tone" {
			c.hearsTone(s.number(more))
		} else {
			c.hears(what)
		}
	case "presses":
		c.dials(what)
	case "says":
		length, err := time.ParseDuration(more)
		s.Check(err)
		c.say(s.number(what), length)
	case "ends":
		s.hall.ended(c, route.Outcome(what), more)
	default:
		s.Fatalf("callers do not know how to %s", does)
	}
}

func (s story) phone(args []string) {
	args = s.words(args, 2, 4)
	p, ok := s.phones[args[0]]
	if !ok {
		s.Fatalf("nobody is called %s", args[0])
	}
	does, what := args[1], args[2]
	if does == "rings" {
		p.call = p.next()
		if what != "" && p.call.From != what {
			s.Fatalf("the phone shows %q", p.call.From)
		}
		return
	}
	if p.call == nil {
		s.Fatalf("the phone of %s did not ring", args[0])
	}
	switch does {
	case "answers":
		p.heard = s.hall.listens(p.call)
		p.call.Answer()
		p.call.Loop(note(s.number(what)))
	case "hears":
		if what == "tone" {
			p.heard.hearsTone(s.number(args[3]))
		} else {
			p.heard.hears(what)
		}
	case "presses":
		for _, key := range []byte(what) {
			p.call.Press(key)
		}
	case "hangs":
		p.call.Hangup()
	default:
		s.Fatalf("phones do not know how to %s", does)
	}
}

func (s story) until(args []string) {
	args = s.words(args, 2, 4)
	what, name, state := args[0], args[1], strings.TrimSpace(args[2]+" "+args[3])
	switch what {
	case "operator":
		s.hall.stands(s.phones[name].desk, route.OperatorState(state))
	case "waiting":
		s.hall.waiting(s.centers[name], int(s.number(state)))
	case "recording":
		s.hall.recorded(s.phones[name].desk, state)
	case "alert":
		s.hall.untilLong("an alert is raised", func(p lab.Picture) bool { return p.Center(s.centers[name]).Alert.Text != "" })
		fmt.Fprintln(s.Stdout(), s.hall.Now().Center(s.centers[name]).Alert.Text)
	default:
		s.Fatalf("nobody can wait for %s", what)
	}
}

// hears waits for what the webhook is told.
func (s story) hears(what string, holds func([]map[string]any) bool) {
	for deadline := time.Now().Add(patience); !holds(s.webhook.all()); time.Sleep(5 * frameTime) {
		if time.Now().After(deadline) {
			s.Fatalf("the webhook was never told of %s", what)
		}
	}
}

func (s story) events(args []string) {
	who, number, direction, want := args[0], "", route.Inbound, args[1:]
	if who == "back" {
		number, direction, want = args[1], route.Outbound, args[2:]
	} else {
		number = s.callers[who].from
	}
	s.tells(who, want, true, func(e map[string]any) (any, bool) {
		return e["state"], e["external_number"] == number && e["direction"] == direction && e["entry_point_call_id"] == nil
	})
}

func (s story) duty(args []string) {
	id := s.phones[args[0]].ID
	s.tells(args[0], args[1:], false, func(e map[string]any) (any, bool) {
		target, _ := e["target"].(map[string]any)
		status, of := e["on_duty_status"]
		return status, of && fmt.Sprintf("%.0f", target["id"]) == id
	})
}

// tells waits until the webhook was told these words, in this order: no others in between when they are all.
func (s story) tells(who string, want []string, all bool, word func(map[string]any) (any, bool)) {
	var got []string
	defer func() { s.Logf("the webhook was told of %s: %s", who, strings.Join(got, " ")) }()
	s.hears(strings.Join(want, " "), func(told []map[string]any) bool {
		got = nil
		for _, e := range told {
			if w, ok := word(e); ok {
				got = append(got, fmt.Sprint(w))
			}
		}
		if all {
			return slices.Equal(got, want)
		}
		left := want
		for _, w := range got {
			if len(left) > 0 && w == left[0] {
				left = left[1:]
			}
		}
		return len(left) == 0
	})
}

func (s story) alerts(args []string) {
	id, text := s.centers[s.words(args, 1, 1)[0]].ID, ""
	s.hears("an alert", func(told []map[string]any) bool {
		for _, e := range told {
			target, _ := e["target"].(map[string]any)
			if e["event"] == "alert" && e["kind"] == "raised" && fmt.Sprintf("%.0f", target["id"]) == id {
				text = fmt.Sprint(e["text"])
			}
		}
		return text != ""
	})
	fmt.Fprintln(s.Stdout(), text)
}

func (s story) path(args []string) {
	c := s.callers[s.words(args, 1, 1)[0]]
	for _, step := range s.hall.record(c).Path {
		fmt.Fprintln(s.Stdout(), step.Text)
	}
}

func (s story) ended(args []string) {
	for _, r := range s.hall.records(int(s.number(s.words(args, 1, 1)[0]))) {
		line := fmt.Sprintf("%s %s (%s)", r.Direction, r.Outcome, r.Reason)
		if r.Callback {
			line += " callback"
		}
		fmt.Fprintln(s.Stdout(), line)
	}
}

func (s story) tape(args []string) {
	left, right := s.hall.sides(s.hall.tapes(1)[0])
	for _, text := range args {
		hz := s.number(text)
		if lab.Hears(left, hz) {
			fmt.Fprintln(s.Stdout(), "left", text)
		}
		if lab.Hears(right, hz) {
			fmt.Fprintln(s.Stdout(), "right", text)
		}
	}
}
