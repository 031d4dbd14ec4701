package browser

import (
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"switchboard/internal/engine"
	"switchboard/internal/route"
)

const tooSlow = "Support answered 71 % of the last 34 calls within 20 s; goal 80 %"

// listenForChimes counts the tones that the page makes.
const listenForChimes = `(() => {
	window.tones = 0;
	const real = OscillatorNode.prototype.start;
	OscillatorNode.prototype.start = function (...at) { window.tones++; return real.apply(this, at) };
	return true;
})()`

func (p *tab) raise() {
	s := p.company.center(support)
	s.Alert = route.AlertView{Since: time.Now().Add(-40 * time.Second), Text: tooSlow}
	p.company.tell(engine.Update{Centers: []route.CenterView{s}, Notices: []engine.Notice{{
		At: time.Now(), Level: "warning", Text: tooSlow, Alert: route.AlertRaised,
	}}})
	p.until(`document.querySelector("[data-alert='101']") !== null`)
}

func updateEnding(id route.CallID) engine.Update {
	return engine.Update{Ended: []route.CallRecord{over(id)}}
}

func alert(p *tab) {
	value[bool](p, listenForChimes)
	p.raise()
	if text := p.text("[data-alert='101']"); !strings.Contains(text, tooSlow) || !strings.Contains(text, "Since") {
		p.Errorf("the banner says %q", text)
	}
	if n := value[int](p, "window.tones"); n != 2 {
		p.Errorf("%d tones, want the chime's two", n)
	}
	if text := p.text(".card.alarm"); !strings.Contains(text, tooSlow) {
		p.Errorf("the card says %q", text)
	}
	if value[bool](p, `document.querySelector("[data-notices]") !== null`) {
		p.Error("the alert is told a second time, among the notices")
	}
	for _, scheme := range []string{"light", "dark"} {
		p.scheme(scheme)
		p.axe("alert " + scheme)
		p.shoot("alert-" + scheme)
	}
	p.do(chromedp.EmulateViewport(360, 740))
	p.axe("alert phone")
	if over := value[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
		p.Errorf("with an alert the page is %d px too wide", over)
	}
	p.shoot("alert-phone")

	s := p.company.center(support)
	s.Alert = route.AlertView{}
	p.company.tell(engine.Update{Centers: []route.CenterView{s}, Notices: []engine.Notice{{
		At: time.Now(), Level: "info", Text: "Support answered 84 % of the last 40 calls within 20 s; goal 80 %",
		Alert: route.AlertCleared,
	}}})
	p.until(`document.querySelector("[data-alert]") === null && document.querySelector(".card.alarm") === null`)
	if text := p.text("[data-cleared]"); !strings.Contains(text, "Alert over. Support answered 84 %") {
		p.Errorf("cleared: %q", text)
	}
	p.axe("alert cleared")
	p.shoot("alert-cleared")
}

func mute(p *tab) {
	p.do(chromedp.KeyEvent("m"))
	p.until(`document.querySelector("#mute[aria-pressed=true]") !== null`)
	p.do(chromedp.Reload())
	p.until(`document.querySelector("[data-link=live]") !== null`)
	if !value[bool](p, `document.querySelector("#mute[aria-pressed=true]") !== null`) {
		p.Error("the page forgot that it is to be quiet")
	}
	value[bool](p, listenForChimes)
	p.raise()
	if n := value[int](p, "window.tones"); n != 0 {
		p.Errorf("%d tones from a muted page", n)
	}
	p.do(chromedp.KeyEvent("t"))
	p.until(`document.querySelector(".page.tv") !== null`)
	p.do(chromedp.EmulateViewport(1920, 1080))
	p.shoot("alert-tv")
	if !value[bool](p, `document.querySelector("[data-alert='101']") !== null`) {
		p.Error("the TV view hides the alert")
	}
	if value[bool](p, `document.querySelector("[data-shelf]") !== null`) {
		p.Error("the TV view shows who left messages")
	}
}
