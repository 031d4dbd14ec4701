package browser

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"switchboard/internal/engine"
	"switchboard/internal/route"
)

func TestLivePage(t *testing.T) {
	browser := startBrowser(t)
	for _, test := range []struct {
		name string
		run  func(*tab)
	}{
		{"shows the company", showsTheCompany},
		{"is pushed, never reloaded", isPushed},
		{"calls end and are remembered", callsEnd},
		{"keys", keys},
		{"TV view hides callers", tvView},
		{"a thousand calls", aThousandCalls},
		{"a lost connection is seen and mended", lostConnection},
		{"signing out", signingOut},
		{"a notice is shown and put away", notice},
		{"an alert is raised, chimes and is cleared", alert},
		{"mute is remembered", mute},
		{"voicemails are played, and whoever does is noted", voicemails},
		{"recordings go on in pages", recordings},
		{"accessible", accessible},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(open(t, browser))
		})
	}
}

func showsTheCompany(p *tab) {
	body := p.text("body")
	for _, want := range []string{
		"Analytical Engines", "Support", "71.4 %", "below goal", "of goal 80 % in 20 s", "on goal", "no data",
		"Closed · Labour Day", "Longest idle", "Round robin", "All at once", "Ada Lovelace", "do not disturb", "no device",
		"off duty after this", "1 missed", "Missed call", "Rang Grace Hopper: idle longest (4m10s)", "Number withheld",
		"number 2", "sip:demo@127.0.0.1:5060", "Callback", "+1 555 010 0155", "1 callback", "recording", "recording paused",
		"Menu", "may add 0:30",
	} {
		if !strings.Contains(body, want) {
			p.Errorf("the page does not show %q", want)
		}
	}
	order := value[string](p, `[...document.querySelectorAll("[data-call]")].map(e => e.dataset.call).join(" ")`)
	if order != "5001 5008 5002 5006 5003 5007 5009 5004 5005" {
		p.Errorf("calls are in the order %s", order)
	}
	p.do(chromedp.Click(chromedp.CSS(`[data-call="5001"] summary`)))
	if path := p.text(`[data-call="5001"] .path`); !strings.Contains(path, "did not answer within 20 s") {
		p.Errorf("the opened path is %q", path)
	}
	p.shoot("path-open")
}

func isPushed(p *tab) {
	value[bool](p, "window.stays = true")
	before := value[string](p, `document.querySelector("[data-waiting='101']").innerText`)
	s := p.company.center(support)
	s.Waiting = 17
	start := time.Now()
	p.company.tell(engine.Update{Centers: []route.CenterView{s}})
	p.until(`document.querySelector("[data-waiting='101']").innerText === "17"`)
	p.Logf("waiting went from %s to 17 in the page within %v", before, time.Since(start).Round(time.Millisecond))
	if !value[bool](p, "window.stays === true") {
		p.Error("the page was loaded again")
	}
	was := value[string](p, longestWait)
	p.until(longestWait + ` !== "` + was + `"`) // it counts by itself
}

// longestWait is Support's figure in the page.
const longestWait = `document.querySelector("[data-center='101']").closest(".card").querySelector(
	".figure:nth-child(2) .num").innerText`

// over is the record of an answered call.
func over(id route.CallID) route.CallRecord {
	now := time.Now()
	return route.CallRecord{
		Call: id, Center: 101, From: "+15550300001", Outcome: route.Answered, Operator: 1, Arrived: now.Add(-time.Minute),
		Entered: now.Add(-time.Minute), Connected: now.Add(-50 * time.Second), Ended: now,
	}
}

func callsEnd(p *tab) {
	call := someCalls(time.Now())[3]
	record := over(call.ID)
	record.Path = append(call.Path, route.PathStep{At: time.Now(), Rule: "hangup", Text: "The caller hung up after 1m23s"})
	p.company.tell(engine.Update{Ended: []route.CallRecord{record}})
	p.until(`document.querySelector("[data-call='5004']") === null`)
	if over := p.text(".ended"); !strings.Contains(over, "Answered") ||
		!strings.Contains(over, "The caller hung up after 1m23s") {
		p.Errorf("just ended: %q", over)
	}
}

func keys(p *tab) {
	focused := func() string {
		return value[string](p, `(e => e.dataset.center ?? e.dataset.operator ?? e.id)(document.activeElement)`)
	}
	p.do(chromedp.KeyEvent("3"))
	p.until(`document.querySelector(".card.chosen .card-name")?.innerText === "Support"`)
	if focused() != "101" {
		p.Errorf("3 focused %q", focused())
	}
	if n := value[int](p, `document.querySelectorAll("[data-call]").length`); n != 5 {
		p.Errorf("Support shows %d calls, want its 5", n)
	}
	p.do(chromedp.KeyEvent(kb.ArrowLeft))
	if focused() != "102" { // Night desk, Sales, Support
		p.Errorf("arrow left focused %q", focused())
	}
	p.do(chromedp.KeyEvent(kb.Escape), slash)
	if focused() != "search" {
		p.Errorf("/ focused %q", focused())
	}
	p.do(chromedp.KeyEvent("grace"))
	if typed := value[string](p, `document.getElementById("search").value`); typed != "grace" {
		p.Errorf("the search holds %q", typed)
	}
	p.until(`document.querySelectorAll("[data-operator]").length === 1`)
	if n := value[int](p, `document.querySelectorAll("[data-call]").length`); n != 1 {
		p.Errorf("the search shows %d calls, want the one that rings Grace", n)
	}
	p.do(chromedp.KeyEvent(kb.Escape))
	p.until(`document.querySelectorAll("[data-operator]").length === 10`)
	p.do(chromedp.KeyEvent("?"))
	p.until(`document.querySelector("dialog[open]") !== null`)
}

// slash presses / as a keyboard does whose page takes the key for itself: no character follows.
var slash = chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{
		Type: input.DispatchKeyEventTypeRawKeyDown, Key: "/", Code: "Slash",
	})
	return err
})

func tvView(p *tab) {
	p.do(chromedp.KeyEvent("t"))
	p.until(`document.querySelector(".page.tv") !== null && location.hash === "#tv"`)
	page := value[string](p, `document.documentElement.outerHTML`)
	for _, call := range someCalls(time.Now()) {
		for _, number := range []string{call.From, call.To} {
			if number != "" && strings.Contains(page, number) {
				p.Errorf("the TV view holds the number %s", number)
			}
		}
	}
	if strings.Contains(page, "0142") || !strings.Contains(page, "Grace Hopper") {
		p.Error("the TV view shows too much or too little")
	}
	p.do(chromedp.EmulateViewport(1920, 1080))
	p.shoot("tv")
	if size := value[float64](p, `parseFloat(getComputedStyle(document.querySelector("[data-waiting]")).fontSize)`); size <
		0.08*1080 {
		p.Errorf("the waiting numerals are %v px high, want 8 %% of the screen", size)
	}
}

func aThousandCalls(p *tab) {
	p.company.tell(engine.Update{Calls: crowd(1000)})
	p.until(`document.querySelectorAll("[data-call]").length === 200`)
	if text := p.text("#calls-title + span"); text != "200 of 1,009 calls shown" {
		p.Errorf("the list says %q", text)
	}
	const frames = `new Promise(done => { let n = 0, start = performance.now();
		const next = () => ++n === 30 ? done((performance.now() - start) / n) : requestAnimationFrame(next); next() })`
	p.Logf("%.1f ms a frame with 1,009 calls", value[float64](p, frames))
}

func lostConnection(p *tab) {
	address := p.address
	p.close()
	p.until(`/The data is [0-9]+ s old/.test(document.querySelector("[data-stale]")?.innerText)`)
	if !value[bool](p, `document.querySelector(".page.stale") !== null`) {
		p.Error("old data do not look old")
	}
	frozen := value[string](p, longestWait)
	p.until(`/The data is [4-9] s old/.test(document.querySelector("[data-stale]")?.innerText)`)
	if now := value[string](p, longestWait); now != frozen {
		p.Errorf("a wait counted on from %s to %s without a connection", frozen, now)
	}
	p.shoot("stale")
	p.company.tell(engine.Update{Ended: []route.CallRecord{over(5001)}})
	if err := p.serve(address); err != nil {
		p.Fatal(err)
	}
	p.until(`document.querySelector("[data-link=live]") !== null && document.querySelector("[data-stale]") === null`)
	p.until(`document.querySelector("[data-call='5001']") === null`)
	p.until(`document.querySelector("[data-notices]")?.innerText.includes("The connection is back")`)
}

func signingOut(p *tab) {
	p.shoot("before-sign-out")
	p.do(chromedp.Click(chromedp.CSS(`form[action="/signout"] button`)))
	p.until(`document.querySelector("h1")?.innerText === "Sign in to see the live page"`)
	if text := p.text("pre"); text != "switchboard link" {
		p.Errorf("the page says %q", text)
	}
	p.axe("sign-in")
	p.shoot("sign-in")
}

func notice(p *tab) {
	p.company.tell(engine.Update{Notices: []engine.Notice{{
		At: time.Now(), Level: "warning", Text: "192.0.2.7 is refused for a minute: 10 failed sign-ins of phones",
	}}})
	p.until(`document.querySelector("[data-notices]")?.innerText.includes("192.0.2.7 is refused")`)
	p.axe("notice")
	p.shoot("notice")
	p.do(chromedp.Click(chromedp.CSS(`[data-notices] button`)))
	p.until(`document.querySelector("[data-notices]") === null`)
}

func accessible(p *tab) {
	p.company.tell(engine.Update{Ended: []route.CallRecord{over(5004)}})
	p.until(`document.querySelector(".ended") !== null`)
	for _, scheme := range []string{"light", "dark"} {
		p.scheme(scheme)
		for _, view := range []struct {
			name          string
			width, height int64
		}{{"desk", 1440, 900}, {"zoom-200", 720, 450}, {"phone", 360, 740}} {
			p.do(chromedp.EmulateViewport(view.width, view.height))
			p.axe(scheme + " " + view.name)
			if over := value[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				p.Errorf("%s %s: the page is %d px too wide", scheme, view.name, over)
			}
			p.shoot(scheme + "-" + view.name)
		}
	}
}

// axe fails the test for every violation that axe-core finds in the page as it is.
func (p *tab) axe(where string) {
	p.Helper()
	source, err := os.ReadFile("../../web/node_modules/axe-core/axe.min.js")
	if err != nil {
		p.Fatalf("axe-core is missing: npm --prefix web ci (%v)", err)
	}
	if err := chromedp.Do(p.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Evaluate[chromedp.Void](string(source))(ctx, t)
		return err
	})); err != nil {
		p.Fatal(err)
	}
	found := value[[]string](p, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
		"best-practice"]}).then(r => r.violations.map(v => v.id + ": " + v.help + " " +
		v.nodes.slice(0, 3).map(n => n.html + " " + n.failureSummary).join(" | ")))`)
	for _, violation := range found {
		p.Errorf("%s: %s", where, violation)
	}
}
