package browser

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/chromedp"

	"switchboard/internal/audio"
	"switchboard/internal/console"
	"switchboard/internal/route"
)

// shelf holds made-up tapes, newest first, all with the same sound.
type shelf struct {
	sound []byte
	mu    sync.Mutex
	tapes []console.Tape
}

func (s *shelf) List(_ context.Context, behind string, limit int) ([]console.Tape, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := 0
	if behind != "" {
		if _, err := fmt.Sscanf(behind, "%d", &from); err != nil {
			return nil, "", console.ErrPlace
		}
	}
	end := min(from+limit, len(s.tapes))
	next := ""
	if end < len(s.tapes) {
		next = fmt.Sprint(end)
	}
	return slices.Clone(s.tapes[from:end]), next, nil
}

type reading struct{ *bytes.Reader }

func (reading) Close() error { return nil }

func (s *shelf) Open(context.Context, int64) (io.ReadSeekCloser, error) {
	return reading{bytes.NewReader(s.sound)}, nil
}

func (s *shelf) Heard(_ context.Context, id int64, by string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.tapes, func(t console.Tape) bool { return t.ID == id })
	s.tapes[i].Heard = append(slices.Clone(s.tapes[i].Heard), console.Hearing{At: time.Now(), By: by})
	return nil
}

func (s *shelf) add(t console.Tape) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tapes = append([]console.Tape{t}, s.tapes...)
}

func (s *shelf) heard(id int64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.tapes, func(t console.Tape) bool { return t.ID == id })
	return len(s.tapes[i].Heard)
}

func someVoicemails(now time.Time) *shelf {
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	return &shelf{sound: audio.WriteWAV(audio.Sine(3*audio.Rate, -20, 440)), tapes: []console.Tape{
		{
			ID: 801, Center: support, Number: "+1 555 010 0190", Reason: "timeout", At: ago(4 * time.Minute),
			Length: 3 * time.Second, Complete: true,
		},
		{
			ID: 802, Center: night, Reason: "closed", At: ago(3 * time.Hour), Length: 48 * time.Second, Complete: true,
			Heard: []console.Hearing{
				{At: ago(2 * time.Hour), By: "Ada Lovelace"},
				{At: ago(100 * time.Minute), By: "page 0badcafe"},
				{At: ago(time.Hour), By: "Grace Hopper"},
			},
		},
	}}
}

func someRecordings(now time.Time) *shelf {
	s := &shelf{sound: audio.WriteWAV(audio.Sine(2*audio.Rate, -20, 330))}
	for i := range 45 {
		s.tapes = append(s.tapes, console.Tape{
			ID: int64(900 + i), Center: sales, Operator: 4, Number: fmt.Sprintf("+44 20 7946 0%03d", i),
			Direction: route.Inbound, At: now.Add(-time.Duration(i) * 11 * time.Minute),
			Length: time.Duration(30+i) * time.Second, Complete: i > 0,
		})
	}
	s.tapes[1].Complete, s.tapes[1].Call = false, 5004 // which is paused
	s.tapes[2].Direction = route.Outbound
	return s
}

func voicemails(p *tab) {
	const row = `document.querySelector("[data-shelf=voicemails] [data-tape='801']")`
	p.until(row + ` !== null && ` + row + `.querySelector("[data-new]") !== null`)
	if text := p.text("[data-tape='802']"); !strings.Contains(text, "Number withheld") ||
		!strings.Contains(text, "heard by Grace Hopper") || !strings.Contains(text, "and 1 other") {
		p.Errorf("an old voicemail shows %q", text)
	}
	if p.left.heard(801) != 0 {
		p.Error("it was heard before anybody played it")
	}
	p.do(chromedp.Click(chromedp.CSS(`[data-tape="801"] button`)))
	p.until(row + `.querySelector("audio")?.duration > 2.9`)
	p.until(row + `.querySelector("audio").currentTime > 0`)
	p.until(row + `.querySelector("[data-new]") === null && ` + row + `.innerText.includes("heard by this browser")`)
	if n := p.left.heard(801); n != 1 {
		p.Errorf("one listening was noted %d times", n)
	}
	if at := value[float64](p, `(a => { a.pause(); a.currentTime = 2; return a.currentTime })(`+row+
		`.querySelector("audio"))`); at != 2 {
		p.Errorf("it cannot be wound: at %v s", at)
	}
	p.axe("player open")
	p.shoot("voicemail-played")
	p.left.add(console.Tape{ID: 803, Center: support, Number: "+1 555 010 0191", At: time.Now(), Complete: true})
	p.company.tell(updateEnding(5002))
	p.until(`document.querySelector("[data-shelf=voicemails] [data-tape]").dataset.tape === "803"`)
}

func recordings(p *tab) {
	const rows = `document.querySelectorAll("[data-shelf=recordings] [data-tape]")`
	p.until(rows + `.length === 8`)
	if text := p.text("[data-tape='900']"); !strings.Contains(text, "being recorded") {
		p.Errorf("a recording that goes on shows %q", text)
	}
	if text := p.text("[data-tape='901']"); !strings.Contains(text, "recording paused") ||
		strings.Contains(text, "being recorded") {
		p.Errorf("a recording that is paused shows %q", text)
	}
	if !value[bool](p, `document.querySelector("[data-tape='900'] button").disabled`) {
		p.Error("a recording that goes on can be played")
	}
	for _, n := range []string{"16", "24", "32", "40", "45"} {
		value[bool](p, `document.querySelector("[data-shelf=recordings] .more").click() === undefined`)
		p.until(rows + `.length === ` + n)
	}
	if value[bool](p, `document.querySelector("[data-shelf=recordings] .more") !== null`) {
		p.Error("there are older ones than all")
	}
	p.do(chromedp.Click(chromedp.CSS(`[data-tape="902"] button`)))
	p.until(`document.querySelector("[data-tape='902'] audio")?.duration > 1.9`)
	p.until(rows + `.length === 45 && document.querySelector("[data-tape='902']").innerText.includes("this browser")`)
}
