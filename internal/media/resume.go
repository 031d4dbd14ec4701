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

// doubts sets a frame aside when it came shortly after a pause.
func (end *tapeEnd) doubts(slot *recorded) bool {
	d := &end.doubt
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
func (t *Tape) settle(now int64) error {
	for i := range t.ends {
		end := &t.ends[i]
		frames := end.doubt.frames
		if len(frames) == 0 || len(frames) < ringSlots && now-frames[0].at < resumeDoubt {
			continue
		}
		if err := t.decide(end); err != nil {
			return err
		}
	}
	return nil
}

// decide takes the least lag of the frames set aside for the phone's, and what is more for the network's: less that, a
// timestamp says when a frame was said. The side's timeline is put right by it.
func (t *Tape) decide(end *tapeEnd) error {
	frames := end.doubt.frames
	end.doubt.frames = nil
	if len(frames) == 0 {
		return nil
	}
	least := end.lag(&frames[0])
	for i := range frames {
		least = min(least, end.lag(&frames[i]))
	}
	end.base -= uint32(least)
	for i := range frames {
		if said := int64(int32(frames[i].stamp - end.base)); said < frames[i].floor {
			continue
		}
		if err := t.lay(end, &frames[i]); err != nil {
			return err
		}
	}
	return nil
}

// lag is how many samples later than its timestamp says a frame came.
func (t *timeline) lag(slot *recorded) int64 {
	return samplesIn(time.Duration(slot.at-t.began)) - int64(int32(slot.stamp-t.base))
}
