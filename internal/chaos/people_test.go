package chaos

import (
	"math/rand/v2"
	"strings"
	"time"

	"switchboard/internal/route"
	"switchboard/internal/sipd"
)

// party is somebody at a phone: a caller, an operator, or who answers at a number.
type party struct {
	world *world
	leg   *sipd.Leg
	port  *port
	heard chan string // prompts; upText, overText
}

// What a party hears besides prompts and voice.
const (
	upText   = "UP"
	overText = "OVER"
	deadText = "DEAD" // nothing comes from the far side any more
)

func (w *world) party() *party {
	p := &party{world: w, heard: make(chan string, 256)}
	p.port = w.ether.phone(p.tell, func() { p.tell(deadText) })
	return p
}

func (p *party) tell(what string) {
	select {
	case p.heard <- what:
	default:
	}
}

// Ringing implements sipd.Handler, as the methods below do.
func (p *party) Ringing([]byte) {}

func (p *party) Answered(sdp []byte) {
	if err := p.port.Complete(sdp); err != nil { // an offer, where we had made none: there is no answer to it any more
		return
	}
	p.port.begin()
	p.tell(upText)
}

func (p *party) Failed(int)         { p.tell(overText) }
func (p *party) Ended(string, bool) { p.tell(overText) }
func (p *party) Digit(byte)         {}

func (p *party) Offer(sdp []byte) ([]byte, int) {
	answer, err := p.port.Accept(sdp)
	if err != nil {
		return nil, 488
	}
	return answer, 0
}

// stay is on the line until it is over or nothing happened for patience; react may change how much is left.
func (p *party) stay(patience time.Duration, react func(heard string) (patience time.Duration, changed bool)) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			p.leave()
			return
		case heard := <-p.heard:
			switch heard {
			case overText:
				p.port.Close()
				return
			case deadText:
				p.leave()
				return
			}
			if left, changed := react(heard); changed {
				timer.Reset(left)
			}
		}
	}
}

func (p *party) leave() {
	p.leg.Hangup(false)
	p.port.Close()
}

// type presses keys, one after the other.
func (p *party) typeKeys(d *rand.Rand, keys string) {
	after := between(d, 100*time.Millisecond, 4*time.Second)
	for _, key := range []byte(keys) {
		time.AfterFunc(after, func() { p.port.press(key) })
		after += between(d, 200*time.Millisecond, 2*time.Second)
	}
}

// flow is one caller's visit, or more than one when they call again.
type flow struct {
	n      int
	from   string
	to     string
	offer  bool // with a description in the INVITE
	speaks bool // a codec that the server knows
}

func (w *world) plan(n int) flow {
	d := dice(w.seed, "flow", n)
	f := flow{n: n, from: farNumber(2000 + n), offer: true, speaks: true}
	at := []string{
		numberOf(line), numberOf(line), numberOf(line), numberOf(ringAll), numberOf(ringAll), numberOf(menu),
		numberOf(menu), numberOf(box), numberOf(program), numberOf(directly), "+12025559999",
	}
	f.to = at[d.IntN(len(at))]
	if chance(d, 0.05) {
		f.from = ""
	}
	f.offer, f.speaks = !chance(d, 0.03), !chance(d, 0.03)
	return f
}

// patience is from no time at all, so that CANCEL meets every state of an INVITE, to longer than any queue.
func patience(d *rand.Rand) time.Duration {
	switch d.IntN(6) {
	case 0:
		return between(d, 0, 300*time.Millisecond)
	case 1:
		return between(d, 1500*time.Millisecond, 2500*time.Millisecond) // around the moment of the answer
	case 2:
		return between(d, 0, 30*time.Second)
	default:
		return between(d, 30*time.Second, 4*time.Minute)
	}
}

// talk is from too short to be one to longer than session timers.
func talk(d *rand.Rand) time.Duration {
	if chance(d, 0.3) {
		return between(d, 0, 2*time.Second)
	}
	return between(d, time.Second, 4*time.Minute)
}

// call is one visit of a caller.
func (w *world) call(f flow, visit int) {
	d := dice(w.seed, "call", f.n, visit)
	p := w.party()
	sdp := p.port.Offer(nil, trunkAddr.Addr())
	if !f.speaks {
		sdp = []byte("silence")
	}
	if !f.offer {
		sdp = nil
	}
	p.leg = w.trunk.Invite(sipd.Invitation{To: "sip:" + f.to + "@" + pbxAddr.String(), From: f.from, SDP: sdp}, p)
	p.stay(patience(d), func(heard string) (time.Duration, bool) { return p.react(d, heard) })
}

// react is what a caller does about what they hear.
func (p *party) react(d *rand.Rand, heard string) (time.Duration, bool) {
	keys := ""
	switch route.Prompt(heard) {
	case voice:
		return talk(d), true
	case route.PromptVoicemail, route.PromptVoicemailClosed, route.PromptBeep:
		if chance(d, 0.3) {
			p.typeKeys(d, "#")
		}
		return between(d, 0, 20*time.Second), true
	case route.PromptMenu, route.PromptMenuOption, route.PromptClosedMenu, route.PromptClosedMenuOption, route.PromptText:
		keys = string("0123456789*#"[d.IntN(12)])
	case route.PromptHoldEscape:
		if chance(d, 0.2) {
			keys = "*"
		}
	case route.PromptCallbackOffer:
		if chance(d, 0.6) {
			keys = "9"
		}
	case route.PromptCallbackConfirm:
		keys = string("1112"[d.IntN(4)])
	case route.PromptCallbackType:
		keys = strings.TrimPrefix(farNumber(d.IntN(1000)), "+") + "#"
	case route.PromptDirectory:
		keys = []string{"222#", "67#", "999#"}[d.IntN(3)]
	case route.PromptDirectoryPick:
		keys = "1"
	case route.PromptExtension:
		keys = string("1234567"[d.IntN(7)]) + "#"
	}
	if keys != "" && !chance(d, 0.15) {
		p.typeKeys(d, keys)
	}
	return 0, false
}

// rings is a phone that is called: an operator's, or a number's.
func (w *world) rings(leg *sipd.Leg) {
	p := w.party()
	p.leg = leg
	leg.Handle(p)
	sdp, err := p.port.Accept(leg.Offer())
	if err != nil {
		leg.Refuse(488, 0)
		p.port.Close()
		return
	}
	w.mu.Lock()
	kind := leg.To() + " " + leg.From()
	w.rung[kind]++
	d := dice(w.seed, "rings", kind, w.rung[kind])
	w.mu.Unlock()
	w.work.Go(func() { p.pickUp(d, sdp) })
}

// maxRinging is when a phone gives up that nobody answers and whose CANCEL was lost.
const maxRinging = 3 * time.Minute

// pickUp is what is done about a phone that rings.
func (p *party) pickUp(d *rand.Rand, sdp []byte) {
	if chance(d, 0.8) {
		p.leg.Progress()
	}
	wait, answers := between(d, 0, 12*time.Second), true
	switch d.IntN(12) {
	case 0:
		wait = 0
	case 1:
		wait, answers = maxRinging, false
	case 2:
		wait = between(d, 9*time.Second, 31*time.Second) // around the end of the ringing
	case 3, 4:
		answers = false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for ringing := true; ringing; {
		select {
		case <-timer.C:
			ringing = false
		case heard := <-p.heard:
			if heard == overText {
				p.port.Close()
				return
			}
		}
	}
	if !answers {
		p.leg.Refuse([]int{486, 603, 480, 404, 500, 503, 302}[d.IntN(7)], 0)
		p.port.Close()
		return
	}
	p.leg.Answer(sdp)
	p.port.begin()
	if chance(d, 0.3) {
		p.typeKeys(d, "*1*2"[:1+d.IntN(4)])
	}
	p.stay(between(d, time.Minute, 6*time.Minute), func(heard string) (time.Duration, bool) {
		return talk(d), heard == voice
	})
}
