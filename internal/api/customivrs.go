package api

import (
	"cmp"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/store"
)

// MaxUploads is how many uploads one prompt of one target may have.
const MaxUploads = 20

// promptBody is a CustomIVRDetails of the document.
type promptBody struct {
	ID          callcenter.PromptID `json:"id"`
	Name        string              `json:"name,omitzero"`
	Description string              `json:"description,omitzero"`
	Selected    bool                `json:"selected"`
	Added       int64               `json:"date_added"`
}

// promptsBody is a CustomIVR of the document.
type promptsBody struct {
	Type string       `json:"ivr_type"`
	IVRs []promptBody `json:"ivrs"`
}

// promptCreate is a CustomIVRCreate of the document.
type promptCreate struct {
	File       string                `json:"file"`
	Type       string                `json:"ivr_type"`
	TargetID   int64                 `json:"target_id"`
	TargetType callcenter.TargetType `json:"target_type"`
	promptUpdate
}

type promptUpdate struct {
	Name        *string `json:"name"`
	Description *string `json:"description"`
}

// promptChoice is a CustomIVRAssign or CustomIVRRemove of the document.
type promptChoice struct {
	ID *callcenter.PromptID `json:"ivr_id"`
}

func showPrompt(p *callcenter.CustomPrompt) promptBody {
	return promptBody{p.ID, p.Name, p.Description, p.Selected, millis(p.CreatedAt)}
}

func ignorePath(*call, string) error { return nil }

// ivrTarget says whether a target type can have uploads.
func ivrTarget(kind string) bool {
	return slices.Contains([]callcenter.TargetType{
		callcenter.TargetCallCenter, callcenter.TargetOffice, callcenter.TargetUser,
	}, callcenter.TargetType(kind))
}

func findIVRTarget(c *call, text string) error {
	c.target = callcenter.Target{ID: positive(text), Type: callcenter.TargetType(c.r.PathValue("target_type"))}
	if !exists(c.snapshot, c.target) {
		return problem.NotFound(string(c.target.Type), c.target.ID)
	}
	return nil
}

func findPrompt(c *call, text string) error {
	id, ok := callcenter.PromptID(positive(text)), false
	if c.prompt, ok = c.snapshot.CustomPrompt(id); !ok {
		return problem.NotFound("customivr", id)
	}
	return nil
}

// promptsOf are the uploads of one target and type, oldest first.
func promptsOf(list []*callcenter.CustomPrompt, target callcenter.Target, kind string) []*callcenter.CustomPrompt {
	var found []*callcenter.CustomPrompt
	for _, p := range list {
		if p.Target == target && p.Type == kind {
			found = append(found, p)
		}
	}
	return found
}

// listPrompts pages by type: there are few of them.
func listPrompts(c *call) (answer, error) {
	target := callcenter.Target{
		ID: c.query.Int("target_id", 0), Type: callcenter.TargetType(c.query["target_type"]),
	}
	var missing []problem.Field
	for _, name := range []string{"target_id", "target_type"} {
		if !c.query.Has(name) {
			missing = append(missing, problem.Field{Name: name, In: problem.InQuery, Message: "is required"})
		}
	}
	if len(missing) > 0 {
		return answer{}, problem.Invalid(missing...)
	}
	types := map[string]promptsBody{}
	for _, p := range c.snapshot.CustomPrompts() {
		if p.Target == target {
			body := types[p.Type]
			body.Type, body.IVRs = p.Type, append(body.IVRs, showPrompt(p))
			types[p.Type] = body
		}
	}
	list := slices.SortedFunc(maps.Values(types), func(a, b promptsBody) int { return cmp.Compare(a.Type, b.Type) })
	return showPage(c, list, func(b promptsBody) int64 { return int64(slices.Index(ivrTypes, b.Type)) + 1 }, nil,
		func(b promptsBody) promptsBody { return b })
}

func createPrompt(c *call) (answer, error) {
	body, err := decode[promptCreate](c)
	if err != nil {
		return answer{}, err
	}
	target := callcenter.Target{ID: body.TargetID, Type: body.TargetType}
	file, err := base64.StdEncoding.DecodeString(strings.TrimSpace(body.File))
	notBase64 := err != nil
	rules := func(db records) []problem.Field {
		var fields []problem.Field
		if !ivrTarget(string(target.Type)) || !exists(db, target) {
			fields = append(fields, problem.Field{
				Name: "target_id", In: problem.InBody, Message: "is no " + string(target.Type) + " of the company",
			})
		}
		if notBase64 {
			fields = append(fields, problem.Field{Name: "file", In: problem.InBody, Message: "is not valid Base64"})
		}
		return fields
	}
	if err := c.refuse(rules(c.snapshot)); err != nil {
		return answer{}, err
	}
	made := body.onto(callcenter.CustomPrompt{
		ID: newPromptID(), Target: target, Type: body.Type, Selected: true,
	})
	if made.Path, err = c.api.Uploads.Save(c.context(), made.ID, file); err != nil {
		return answer{}, problem.InvalidBody("file", err.Error())
	}
	err = c.change(rules, func(tx *store.Tx) error {
		others := promptsOf(tx.CustomPrompts(), target, made.Type)
		if len(others) >= MaxUploads {
			return problem.Conflicts("This prompt has 20 uploads, which is the most.")
		}
		if err := unselect(tx, others, 0); err != nil {
			return err
		}
		return tx.PutCustomPrompt(&made)
	})
	if err != nil {
		return answer{}, errors.Join(err, c.api.Uploads.Remove(made.Path))
	}
	return show(showPrompt(&made))
}

// newPromptID names an upload before its record is made, since its file comes first.
func newPromptID() callcenter.PromptID { return callcenter.PromptID(store.RandomID()) }

func (u promptUpdate) onto(p callcenter.CustomPrompt) callcenter.CustomPrompt {
	set(&p.Name, u.Name)
	set(&p.Description, u.Description)
	return p
}

// unselect takes the choice from all uploads but one.
func unselect(tx *store.Tx, list []*callcenter.CustomPrompt, keep callcenter.PromptID) error {
	for _, p := range list {
		if p.Selected != (p.ID == keep) {
			changed := *p
			changed.Selected = p.ID == keep
			if err := tx.PutCustomPrompt(&changed); err != nil {
				return err
			}
		}
	}
	return nil
}

func renamePrompt(c *call) (answer, error) {
	body, err := decode[promptUpdate](c)
	if err != nil {
		return answer{}, err
	}
	made := c.prompt
	err = c.change(noRules, func(tx *store.Tx) error {
		found, ok := tx.CustomPrompt(c.prompt.ID)
		if !ok {
			return problem.NotFound("customivr", c.prompt.ID)
		}
		if err := c.ifMatch(found.Version); err != nil {
			return err
		}
		made = found
		next := body.onto(*found)
		if next == *found {
			return nil
		}
		made = &next
		return tx.PutCustomPrompt(made)
	})
	if err != nil {
		return answer{}, err
	}
	return showVersion(showPrompt(made), made.Version)
}

func selectPrompt(c *call) (answer, error) {
	body, err := decode[promptChoice](c)
	if err != nil {
		return answer{}, err
	}
	kind := c.r.PathValue("ivr_type")
	shown := promptsBody{Type: kind, IVRs: []promptBody{}}
	err = c.change(noRules, func(tx *store.Tx) error {
		list := promptsOf(tx.CustomPrompts(), c.target, kind)
		if chosen(list, body) == nil {
			return problem.InvalidBody("ivr_id", "is no upload of this prompt")
		}
		if err := unselect(tx, list, *body.ID); err != nil {
			return err
		}
		for _, p := range promptsOf(tx.CustomPrompts(), c.target, kind) {
			shown.IVRs = append(shown.IVRs, showPrompt(p))
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return show(shown)
}

// chosen is the upload that a request names, or the one that is heard; nil: there is none.
func chosen(list []*callcenter.CustomPrompt, choice promptChoice) *callcenter.CustomPrompt {
	for _, p := range list {
		if choice.ID != nil && p.ID == *choice.ID || choice.ID == nil && p.Selected {
			return p
		}
	}
	return nil
}

// deletePrompt removes an upload. When it was the one that is heard, the latest that is left is heard from then on.
func deletePrompt(c *call) (answer, error) {
	body, err := decode[promptChoice](c)
	if err != nil {
		return answer{}, err
	}
	kind := c.r.PathValue("ivr_type")
	var gone *callcenter.CustomPrompt
	err = c.change(noRules, func(tx *store.Tx) error {
		list := promptsOf(tx.CustomPrompts(), c.target, kind)
		if gone = chosen(list, body); gone == nil {
			return problem.New(problem.Missing, "This prompt has no such upload.")
		}
		if _, err := tx.DeleteCustomPrompt(gone.ID); err != nil {
			return err
		}
		left := promptsOf(tx.CustomPrompts(), c.target, kind)
		if !gone.Selected || len(left) == 0 {
			return nil
		}
		return unselect(tx, left, left[len(left)-1].ID)
	})
	if err != nil {
		return answer{}, err
	}
	if err := c.api.Uploads.Remove(gone.Path); err != nil {
		c.api.Log.Error("the file of an upload could not be removed", "error", err.Error())
	}
	return show(showPrompt(gone))
}

// IVRType says whether a word is one of the API's types of prompt.
func IVRType(word string) bool { return slices.Contains(ivrTypes, word) }

// ivrTypes are the API's types of prompt, in alphabetical order.
var ivrTypes = []string{
	"ASK_FIRST_OPERATOR_NOT_AVAILABLE", "AUTO_RECORDING", "CALLAI_AUTO_RECORDING", "CG_AUTO_RECORDING", "CLOSED",
	"CLOSED_DEPARTMENT_INTRO", "CLOSED_MENU", "CLOSED_MENU_OPTION", "CSAT_INTRO", "CSAT_OUTRO", "CSAT_PREAMBLE",
	"CSAT_QUESTION", "DEPARTMENT_INTRO", "GREETING", "HOLD_AGENT_READY", "HOLD_APPREC", "HOLD_CALLBACK_ACCEPT",
	"HOLD_CALLBACK_ACCEPTED", "HOLD_CALLBACK_CONFIRM", "HOLD_CALLBACK_CONFIRM_NUMBER",
	"HOLD_CALLBACK_DIFFERENT_NUMBER", "HOLD_CALLBACK_DIRECT", "HOLD_CALLBACK_FULFILLED",
	"HOLD_CALLBACK_INVALID_NUMBER", "HOLD_CALLBACK_KEYPAD", "HOLD_CALLBACK_REJECT", "HOLD_CALLBACK_REJECTED",
	"HOLD_CALLBACK_REQUEST", "HOLD_CALLBACK_REQUESTED", "HOLD_CALLBACK_SAME_NUMBER", "HOLD_CALLBACK_TRY_AGAIN",
	"HOLD_CALLBACK_UNDIALABLE", "HOLD_ESCAPE_VM_EIGHT", "HOLD_ESCAPE_VM_FIVE", "HOLD_ESCAPE_VM_FOUR",
	"HOLD_ESCAPE_VM_NINE", "HOLD_ESCAPE_VM_ONE", "HOLD_ESCAPE_VM_POUND", "HOLD_ESCAPE_VM_SEVEN",
	"HOLD_ESCAPE_VM_SIX", "HOLD_ESCAPE_VM_STAR", "HOLD_ESCAPE_VM_TEN", "HOLD_ESCAPE_VM_THREE",
	"HOLD_ESCAPE_VM_TWO", "HOLD_ESCAPE_VM_ZERO", "HOLD_INTERRUPT", "HOLD_INTRO", "HOLD_MUSIC",
	"HOLD_POSITION_EIGHT", "HOLD_POSITION_FIVE", "HOLD_POSITION_FOUR", "HOLD_POSITION_MORE", "HOLD_POSITION_NINE",
	"HOLD_POSITION_ONE", "HOLD_POSITION_SEVEN", "HOLD_POSITION_SIX", "HOLD_POSITION_TEN", "HOLD_POSITION_THREE",
	"HOLD_POSITION_TWO", "HOLD_POSITION_ZERO", "HOLD_WAIT", "MENU", "MENU_OPTION", "NEXT_TARGET",
	"VM_DROP_MESSAGE", "VM_UNAVAILABLE", "VM_UNAVAILABLE_CLOSED",
}
