package interop

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the database is looked at as another program would

	"switchboard/test/lab"
)

// writers fire patches at the call center, each with a value of its own, until patches were answered or the server is
// gone. They answer, for each writer, how many of its patches were answered with 200: writer 3's second one says
// "w3-1".
func writers(c *lab.Company, center *lab.Center, patches int, after func(answered int)) []int {
	const several = 10
	var (
		mu       sync.Mutex
		answered int
		group    sync.WaitGroup
	)
	each := make([]int, several)
	for w := range several {
		group.Go(func() {
			for i := range patches / several {
				req, err := http.NewRequest("PATCH", c.URL+"/api/v2/callcenters/"+center.ID,
					strings.NewReader(fmt.Sprintf(`{"group_description": "w%d-%d"}`, w, i)))
				if err != nil {
					panic(err) // a bug of the test
				}
				req.Header.Set("Authorization", "Bearer "+c.Key)
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					return // killed
				}
				_ = res.Body.Close()
				if res.StatusCode != http.StatusOK {
					c.T.Errorf("PATCH: %s", res.Status)
					return
				}
				each[w] = i + 1
				mu.Lock()
				answered++
				after(answered)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return each
}

func TestNoAnsweredPatchIsLostByKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := lab.Serve(t, dir)
	company := first.Company()
	company.Trunk()
	center := company.Center("Support", `{}`)
	each := writers(company, center, 500, func(answered int) {
		if answered == 250 {
			first.Kill()
		}
	})

	second := lab.Serve(t, dir)
	if second.Ready > 2*time.Second {
		t.Errorf("ready only after %s", second.Ready)
	}
	t.Logf("killed after %d answered PATCHes; ready again in %s", sum(each), second.Ready)
	again := lab.NewCompany(t, second.URL, second.SIP, first.Key)
	written := descriptions(again, center.ID)
	for w, n := range each {
		for i := range n {
			if !slices.Contains(written, fmt.Sprintf("w%d-%d", w, i)) {
				t.Errorf("the answered PATCH w%d-%d is not in the history", w, i)
			}
		}
	}
	last := again.MustAPI("GET", "/api/v2/callcenters/"+center.ID, "").Text("group_description")
	if want := written[len(written)-1]; last != want {
		t.Errorf("the call center says %q, the last change was to %q", last, want)
	}
	again.MustAPI("PATCH", "/api/v2/callcenters/"+center.ID, `{"group_description": "goes on"}`)
	sound(t, dir)
}

// descriptions are what each change of the call center left as its description, oldest first.
func descriptions(c *lab.Company, center string) (all []string) {
	c.T.Helper()
	path := "/api/v2/x/callcenters/" + center + "/history"
	for cursor := ""; ; {
		page := c.MustAPI("GET", path+"?cursor="+url.QueryEscape(cursor), "")
		for _, revision := range page.Items() {
			after, _ := revision.Body["after"].(map[string]any)
			text, _ := after["group_description"].(string)
			all = append(all, text)
		}
		if cursor = page.Text("cursor"); cursor == "" {
			return all
		}
	}
}

func sum(numbers []int) (total int) {
	for _, n := range numbers {
		total += n
	}
	return total
}

func open(t testing.TB, dir string) *sql.DB {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil || len(files) != 1 {
		t.Fatalf("databases in the data directory: %v, %v", files, err)
	}
	db, err := sql.Open("sqlite", "file:"+files[0]+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// sound runs SQLite's own check.
func sound(t testing.TB, dir string) {
	t.Helper()
	var verdict string
	if err := open(t, dir).QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity_check: %s, %v", verdict, err)
	}
}

// A voicemail whose recording a crash cuts off is kept, up to the crash.
func TestVoicemailSurvivesKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := lab.Serve(t, dir)
	company := first.Company()
	company.Trunk()
	center := company.Center("Support", `{"routing_options": {
		"open": {"action": "voicemail", "try_dial_operators": false},
		"closed": {"action": "voicemail", "try_dial_operators": false}}}`)
	lab.Scenario(t, "call_talk", company.SIP, bound, "-m", "1", "-s", center.Number, "-d", "30000")
	file := filepath.Join(dir, "voicemail", "*.wav")
	eventually(t, "four seconds of message", func() bool { return largest(t, file) > 4*2*8000 })
	first.Kill()

	second := lab.Serve(t, dir)
	again := lab.NewCompany(t, second.URL, second.SIP, first.Key)
	list := again.MustAPI("GET", "/api/v2/x/voicemails", "").Items()
	if len(list) != 1 || list[0].Text("target_id") != center.ID {
		t.Fatalf("voicemails after the crash: %v", list)
	}
	sound(t, dir)
	audio := again.API("GET", "/api/v2/x/voicemails/"+list[0].Text("id")+"/audio", "")
	if audio.Status != http.StatusOK || audio.Header.Get("Content-Type") != "audio/wav" {
		t.Fatalf("play: %d %s", audio.Status, audio.Header)
	}
	samples := lab.Samples(t, audio.Raw)
	if seconds := len(samples) / 8000; seconds < 3 || !lab.Hears(samples, lab.Tone) {
		t.Errorf("%d s of message, and the caller's tone in it: %t", seconds, lab.Hears(samples, lab.Tone))
	}
}

// largest is the size of the largest file of a pattern, in bytes.
func largest(t *testing.T, pattern string) (size int64) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			size = max(size, info.Size())
		}
	}
	return size
}
