package api

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// recordingBody is a Recording of the document.
type recordingBody struct {
	ID         int64                 `json:"id"`
	Call       route.CallID          `json:"call_id"`
	TargetID   callcenter.ID         `json:"target_id,omitzero"`
	TargetType callcenter.TargetType `json:"target_type,omitzero"`
	User       callcenter.OperatorID `json:"user_id,omitzero"`
	Number     string                `json:"external_number,omitzero"`
	Direction  string                `json:"direction"`
	Date       int64                 `json:"date"`
	Duration   int64                 `json:"duration"` // milliseconds
}

func showRecording(r store.RecordingRecord) recordingBody {
	body := recordingBody{
		ID: r.ID, Call: r.Call, TargetID: r.Center, User: r.Operator, Number: r.Number, Direction: r.Direction,
		Date: millis(r.At), Duration: r.Duration.Milliseconds(),
	}
	if r.Center != 0 {
		body.TargetType = callcenter.TargetCallCenter
	}
	return body
}

// findRecording finds a recording that does not go on any more.
func findRecording(c *call, text string) error {
	id := positive(text)
	found, ok, err := c.api.Recordings.Recording(c.context(), id)
	if err != nil {
		return err
	}
	if !ok || !found.Complete {
		return problem.NotFound("recording", id)
	}
	c.recording = found
	return nil
}

// listRecordings pages from the newest on; those that go on are left out.
func listRecordings(c *call) (answer, error) {
	limit := int(min(c.query.Int("limit", MaxPage), MaxPage))
	q := store.RecordingQuery{
		Center: callcenter.ID(c.query.Int("call_center_id", 0)), Call: route.CallID(c.query.Int("call_id", 0)),
		Limit: limit + 1, Complete: true,
	}
	var err error
	if q.Behind, err = c.behindRecording(); err != nil {
		return answer{}, err
	}
	list, err := c.api.Recordings.Recordings(c.context(), q)
	if err != nil {
		return answer{}, err
	}
	p := page[recordingBody]{Items: []recordingBody{}}
	for i, r := range list {
		if i == limit {
			p.Cursor = c.recordingCursor(list[i-1])
			break
		}
		p.Items = append(p.Items, showRecording(r))
	}
	return show(p)
}

func (c *call) recordingCursor(r store.RecordingRecord) string {
	return base64.RawURLEncoding.EncodeToString([]byte(
		c.route.ID + ":" + strconv.FormatInt(r.At.UnixNano(), 36) + ":" + strconv.FormatInt(r.ID, 36)))
}

func (c *call) behindRecording() (*store.RecordingRecord, error) {
	if !c.query.Has("cursor") {
		return nil, nil
	}
	at, id, err := c.behindLeg()
	if err != nil {
		return nil, err
	}
	return &store.RecordingRecord{ID: int64(id), At: at}, nil
}

func getRecording(c *call) (answer, error) { return show(showRecording(c.recording)) }

func listAccesses(c *call) (answer, error) {
	list, err := c.api.Recordings.RecordingAccesses(c.context(), c.recording.ID)
	if err != nil {
		return answer{}, err
	}
	return showAccesses(list)
}

func showAccesses(list []store.Access) (answer, error) {
	type access struct {
		Date  int64                 `json:"date"`
		Actor store.Actor           `json:"actor,omitzero"`
		User  callcenter.OperatorID `json:"user_id,omitzero"`
	}
	items := make([]access, 0, len(list))
	for _, one := range list {
		items = append(items, access{millis(one.At), one.By, one.Operator})
	}
	return show(struct {
		Items []access `json:"items"`
	}{items})
}

// playRecording sends the audio. Who fetches it is on disk before the first byte leaves, also for a part of it.
func playRecording(c *call) (answer, error) {
	return c.sendAudio("recording", c.recording.ID, c.recording.Path, c.recording.At, func() error {
		return c.api.Recordings.RecordingAccessed(c.context(), c.recording.ID, c.who.Actor())
	})
}

// sendAudio answers with a WAV file below the data directory, or the part that Range asks for. A complete file never
// changes, so its id is its version. heard is told before anything is sent to who may listen.
func (c *call) sendAudio(kind string, id int64, path string, at time.Time, heard func() error) (answer, error) {
	root, err := os.OpenRoot(c.api.DataDir)
	if err != nil {
		return answer{}, err
	}
	defer root.Close()
	file, err := root.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return answer{}, problem.New(problem.Missing, "The audio of this "+kind+" is gone.")
	}
	if err != nil {
		return answer{}, err
	}
	defer file.Close()
	if c.r.Method == http.MethodGet {
		if err := heard(); err != nil {
			return answer{}, err
		}
	}
	name := kind + "-" + strconv.FormatInt(id, 10)
	header := c.w.Header()
	header.Set("Content-Type", "audio/wav")
	header.Set("Cache-Control", "private, no-cache")
	header.Set("ETag", `"`+strconv.FormatInt(id, 10)+`"`)
	header.Set("Content-Disposition", `inline; filename="`+name+`.wav"`)
	http.ServeContent(&refusals{ResponseWriter: c.w, r: c.r}, c.r, "", at, file)
	return answer{}, nil
}
