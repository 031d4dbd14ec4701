package media

import "time"

// resumeDoubt is how long after a pause frames are set aside before it is decided which of them were said in it: a
// network that stood still brings what it held back well within that, and then is as quick as ever.
const resumeDoubt = int64(200 * time.Millisecond)

// doubt is what came first after a pause of one side. The clock alone cannot tell when it was said: timestamps lag
// behind the clock where a phone stood still, which is for good, as well as where the network did, which passes.
type doubt struct {
	floor  int64 // the pause that frames are set aside for
	frames []recorded
}

// lane is one side's way from the line to where both sides of a call come together in time.
type lane struct {
	frames
	timeline
	after int64 // the sample behind the last
	doubt doubt
	lay   func(*recorded) error // takes a frame whose time is sure
}

// put takes a frame from the line.
func (l *lane) put(slot *recorded) error {
	if !l.begun {
		l.begun = true
		l.base = slot.stamp - uint32(samplesIn(time.Duration(slot.at-l.began)))
	}
	if slot.floor != l.doubt.floor {
		if err := l.decide(); err != nil { // there was another pause in between
			return err
		}
	}
	if l.doubts(slot) {
		return nil
	}
	return l.lay(slot)
}

// doubts sets a frame aside when it came shortly after a pause.
func (l *lane) doubts(slot *recorded) bool {
	d := &l.doubt
	if slot.floor != d.floor {
		d.floor, d.frames = slot.floor, append(d.frames[:0], *slot)
		return true
	}
	if len(d.frames) == 0 {
		return false
	}
	d.frames = append(d.frames, *slot)
	return true
}

// settle decides about what was set aside for long enough.
func (l *lane) settle(now int64) error {
	frames := l.doubt.frames
	if len(frames) == 0 || len(frames) < ringSlots && now-frames[0].at < resumeDoubt {
		return nil
	}
	return l.decide()
}

// decide takes the least lag of the frames set aside for the phone's, and what is more for the network's: less that, a
// timestamp says when a frame was said. The side's timeline is put right by it.
func (l *lane) decide() error {
	frames := l.doubt.frames
	l.doubt.frames = nil
	if len(frames) == 0 {
		return nil
	}
	least := l.lag(&frames[0])
	for i := range frames {
		least = min(least, l.lag(&frames[i]))
	}
	l.base -= uint32(least)
	for i := range frames {
		if said := int64(int32(frames[i].stamp - l.base)); said < frames[i].floor {
			continue
		}
		if err := l.lay(&frames[i]); err != nil {
			return err
		}
	}
	return nil
}

// lag is how many samples later than its timestamp says a frame came.
func (t *timeline) lag(slot *recorded) int64 {
	return samplesIn(time.Duration(slot.at-t.began)) - int64(int32(slot.stamp-t.base))
}
