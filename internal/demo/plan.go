package demo

import "time"

// How the demo's callers set out. They cannot hear what they are told, so the number they dial decides what they do.
const (
	toDesk  = 0.35 // of the callers; the others dial Support or Sales
	toSales = 0.25

	menuToSupport = 0.5 // of those at the menu
	menuToSales   = 0.35
	menuToName    = 0.08 // the others ask for the hours

	wantsCallback = 0.35 // of those who may wait in Support
	wantsEscape   = 0.08 // of all who wait

	menuTime    = 4 * time.Second  // until somebody at the menu decides
	boredTime   = 14 * time.Second // until somebody in the line does
	confirmTime = 4 * time.Second  // until the number is confirmed
	messageTime = 16 * time.Second // with what comes before the tone
	keyTime     = 300 * time.Millisecond

	// callbackTries is how often a caller presses the key for a callback: it works once it was offered.
	callbackTries = 3

	directoryName = "62774#" // MARSH
)

// deed is keys that a caller presses, and how long after the deed before.
type deed struct {
	after time.Duration
	keys  string
}

// plan is what a caller will do.
type plan struct {
	number string
	deeds  []deed
	leaves bool // a voicemail, and then hangs up
}

// planFor draws a plan by three numbers from 0 to 1: where to, what at the menu, what in the line.
func planFor(where, menu, line float64) plan {
	p := plan{number: supportNumber}
	waits, support := true, true
	switch {
	case where < toDesk:
		p.number = deskNumber
		waits, support = p.atMenu(menu)
	case where < toDesk+toSales:
		p.number, support = salesNumber, false
	}
	switch {
	case !waits:
	case line < wantsEscape:
		p.deeds = append(p.deeds, deed{boredTime, string(escapeKey)})
		p.leaves = true
	case support && line < wantsEscape+wantsCallback:
		for range callbackTries {
			p.deeds = append(p.deeds,
				deed{boredTime, string(callbackKey)}, deed{confirmTime, string(confirmKey)})
		}
	}
	return p
}

// atMenu says whether the caller will wait in a line, and whether that is Support's.
func (p *plan) atMenu(menu float64) (waits, support bool) {
	switch {
	case menu < menuToSupport:
		p.deeds = append(p.deeds, deed{menuTime, string(menuSupport)})
		return true, true
	case menu < menuToSupport+menuToSales:
		p.deeds = append(p.deeds, deed{menuTime, string(menuSales)})
		return true, false
	case menu < menuToSupport+menuToSales+menuToName:
		p.deeds = append(p.deeds, deed{menuTime, string(menuNames)}, deed{menuTime, directoryName})
	default:
		p.deeds = append(p.deeds, deed{menuTime, string(menuHours)})
	}
	return false, false
}

// length is how long the deeds take.
func (p plan) length() time.Duration {
	var total time.Duration
	for _, d := range p.deeds {
		total += d.after + time.Duration(len(d.keys))*keyTime
	}
	return total
}
