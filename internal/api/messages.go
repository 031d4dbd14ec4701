package api

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/store"
)

func showMessage(m store.VoicemailRecord) messageBody {
	box := callcenter.Target{ID: int64(m.Center), Type: callcenter.TargetCallCenter}
	if m.User != 0 {
		box = callcenter.Target{ID: int64(m.User), Type: callcenter.TargetUser}
	}
	return messageBody{
		ID: m.ID, Call: m.Call, TargetID: box.ID, TargetType: box.Type, From: m.From,
		Date: millis(m.At), Duration: m.Duration.Milliseconds(), Reason: m.Reason, ListenedBy: m.ListenedBy,
	}
}

// listMessages pages by when messages became complete. Those that end later come behind, whenever they began, and those
// that are dropped were never listed.
func listMessages(c *call) (answer, error) {
	all, err := c.api.Voicemails.Voicemails(c.context())
	if err != nil {
		return answer{}, err
	}
	all = slices.DeleteFunc(all, func(m store.VoicemailRecord) bool { return !m.Complete })
	slices.SortFunc(all, func(a, b store.VoicemailRecord) int { return cmp.Compare(a.Seq, b.Seq) })
	return showPage(c, all, func(m store.VoicemailRecord) int64 { return m.Seq }, nil, showMessage)
}

func getMessage(c *call) (answer, error) { return show(showMessage(c.message)) }

// playMessage sends the audio and notes who listened: the person of the key, or else the key.
func playMessage(c *call) (answer, error) {
	return c.sendAudio("voicemail", c.message.ID, c.message.Path, c.message.At, func() error {
		if c.who.User == 0 {
			return c.api.Voicemails.VoicemailAccessed(c.context(), c.message.ID, c.who.Actor())
		}
		return c.api.Voicemails.Listened(c.context(), c.message.ID, c.who.User)
	})
}

// listListeners lists who heard a voicemail.
func listListeners(c *call) (answer, error) {
	list, err := c.api.Voicemails.VoicemailAccesses(c.context(), c.message.ID)
	if err != nil {
		return answer{}, err
	}
	return showAccesses(list)
}

// refusals gives the refusals of http.ServeContent the body that all of ours have.
type refusals struct {
	http.ResponseWriter
	r       *http.Request
	refused bool
}

// WriteHeader answers in our own way from 400 on.
func (w *refusals) WriteHeader(status int) {
	switch status {
	case http.StatusRequestedRangeNotSatisfiable:
		w.refuse(problem.RangeNotSatisfiable)
	case http.StatusPreconditionFailed:
		w.refuse(problem.PreconditionFailed)
	default:
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *refusals) refuse(reason problem.Reason) {
	w.refused = true
	w.Header().Del("Content-Length")
	problem.New(reason, "").Write(w.ResponseWriter, w.r)
}

// Write drops the text that http.ServeContent would give.
func (w *refusals) Write(body []byte) (int, error) {
	if w.refused {
		return len(body), nil
	}
	return w.ResponseWriter.Write(body)
}

// centerHistory shows what a call center was before and after each change, oldest first.
func centerHistory(c *call) (answer, error) {
	revisions, err := c.api.History.History(c.context(), store.KindCenter, strconv.FormatInt(int64(c.center.ID), 10))
	if err != nil {
		return answer{}, err
	}
	slices.Reverse(revisions)
	p, err := paged(c, revisions, func(r store.Revision) int64 { return r.Seq }, nil,
		func(r store.Revision) store.Revision { return r })
	if err != nil {
		return answer{}, err
	}
	shown := page[revisionBody]{Cursor: p.Cursor, Items: make([]revisionBody, 0, len(p.Items))}
	for _, r := range p.Items {
		body := revisionBody{ID: r.Seq, Date: millis(r.At), Actor: string(r.By)}
		if body.Before, err = c.historyBody(r.Before); err != nil {
			return answer{}, err
		}
		if body.After, err = c.historyBody(r.After); err != nil {
			return answer{}, err
		}
		shown.Items = append(shown.Items, body)
	}
	return show(shown)
}

func (c *call) historyBody(doc []byte) (*historyBody, error) {
	if doc == nil {
		return nil, nil
	}
	var center callcenter.Center
	if err := json.Unmarshal(doc, &center); err != nil {
		return nil, err
	}
	office, _ := c.snapshot.Office(center.OfficeID)
	body := &historyBody{
		ID: center.ID, OfficeID: center.OfficeID, State: center.State,
		Patch: shown(center.Settings, zone(&center, office)), Operators: []memberBody{},
	}
	for _, m := range center.Members {
		body.Operators = append(body.Operators, memberBody{m.Operator, m.Role, m.SkillLevel, m.DoNotDisturb})
	}
	return body, nil
}
