package voice

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"switchboard/internal/audio"
)

// planned is what a leg says: one built-in sentence from a time on.
type planned struct {
	leg    Leg
	at     time.Duration
	prompt string
}

// script is a conversation of about three minutes of which all is known. In it are a question that is answered at once,
// an interruption, two talking at a time, and one dead air.
var script = []planned{
	{Operator, time.Second, "HOLD_INTRO"},
	{Customer, 10 * time.Second, "VM_UNAVAILABLE"},
	{Operator, 19 * time.Second, "HOLD_POSITION_MORE"},
	{Customer, 23 * time.Second, "MESSAGE"},
	{Operator, 26 * time.Second, "NOT_FOUND"}, // while the customer speaks
	{Customer, 32 * time.Second, "VM_FULL"},
	// 12 s or so in which nobody speaks
	{Operator, 52 * time.Second, "CLOSED"},
	{Customer, 61 * time.Second, "DIRECTORY"},
	{Operator, 68 * time.Second, "EXTENSION"},
	{Customer, 72 * time.Second, "AUTO_RECORDING"},
	{Operator, 77 * time.Second, "HOLD_INTERRUPT"},
}

const scriptLength = 84 * time.Second

// conversation renders both legs through G.711, in white noise of a level in dBFS (0: none).
func conversation(noise float64) (legs [Legs][]int16) {
	random := rand.New(rand.NewPCG(1, 2))
	for leg := range legs {
		legs[leg] = make([]int16, int64(scriptLength/nanosInSample))
	}
	for _, p := range script {
		sound, ok := audio.Prompt(p.prompt)
		if !ok {
			panic("no prompt " + p.prompt)
		}
		for i, b := range sound {
			legs[p.leg][int64(p.at/nanosInSample)+int64(i)] = audio.DecodeULaw(b)
		}
	}
	if noise == 0 {
		return legs
	}
	rms := 32768 * math.Pow(10, noise/20)
	for leg := range legs {
		for i, s := range legs[leg] {
			v := max(-32768, min(32767, float64(s)+random.NormFloat64()*rms))
			legs[leg][i] = audio.DecodeULaw(audio.EncodeULaw(int16(v)))
		}
	}
	return legs
}

// truth is judged on the clean sound, by another rule than the detector's: a slot within 30 dB of the leg's loudest is
// speech, and so are pauses that are short enough.
func truth(legs [Legs][]int16) (speech [Legs][]bool) {
	for leg, samples := range legs {
		slots := len(samples) / slotFrame
		speech[leg] = make([]bool, slots)
		var loudest float64
		for i := range slots {
			loudest = max(loudest, audio.RMS(samples[i*slotFrame:(i+1)*slotFrame]))
		}
		last := -1
		for i := range slots {
			if audio.RMS(samples[i*slotFrame:(i+1)*slotFrame]) < loudest/31.6 {
				continue
			}
			if last >= 0 && int64(i-last-1) <= hangSlots {
				for j := last + 1; j < i; j++ {
					speech[leg][j] = true
				}
			}
			speech[leg][i], last = true, i
		}
	}
	return speech
}

// play gives a meter both legs as a line does: frames of 20 ms, in turn, with the clock behind.
func play(m *Meter, legs [Legs][]int16) Report {
	for i := 0; i+slotFrame <= len(legs[0]); i += slotFrame {
		now := time.Duration(i) * nanosInSample
		for leg := range Leg(Legs) {
			m.Frame(leg, now, legs[leg][i:i+slotFrame])
		}
		m.Tick(now)
	}
	m.End(time.Duration(len(legs[0])) * nanosInSample)
	return m.Report()
}

func TestFiguresOfAKnownConversation(t *testing.T) {
	known := truth(conversation(0))
	var talk [Legs]float64
	silence, longest := 0, 0
	for i := range known[0] {
		for leg := range known {
			if known[leg][i] {
				talk[leg]++
			}
		}
		if silence++; known[0][i] || known[1][i] {
			silence = 0
		}
		longest = max(longest, silence)
	}
	wantShare := talk[Customer] / (talk[Customer] + talk[Operator])
	wantDead := time.Duration(longest) * Slot
	for _, noise := range []float64{0, -55, -42} {
		r := play(new(Meter), conversation(noise))
		share, ok := r.Share(Customer)
		if !ok || math.Abs(share-wantShare) > 0.03 {
			t.Errorf("noise %g: the customer's share is %.3f, want %.3f", noise, share, wantShare)
		}
		if off := (r.LongestDead - wantDead).Abs(); off > 500*time.Millisecond || r.DeadAirs != 1 {
			t.Errorf("noise %g: %d dead airs, the longest %s, want %s", noise, r.DeadAirs, r.LongestDead, wantDead)
		}
		if r.Interruptions != 1 {
			t.Errorf("noise %g: %d interruptions", noise, r.Interruptions)
		}
		if r.Legs[Customer].Turns < 5 || r.Legs[Operator].Turns < 6 || r.Measured != scriptLength {
			t.Errorf("noise %g: %+v", noise, r.Figures)
		}
		t.Logf("noise %g: share %.3f of %.3f, dead %s of %s, overlap %s, turns %d/%d, response %s", noise, share,
			wantShare, r.LongestDead, wantDead, r.Overlap, r.Legs[0].Turns, r.Legs[1].Turns, r.ResponseTotal)
	}
}

// tone is a steady sound of a leg.
func tone(length time.Duration, amplitude float64) []int16 {
	out := make([]int16, int64(length/nanosInSample))
	for i := range out {
		out[i] = int16(amplitude * math.Sin(2*math.Pi*440*float64(i)/audio.Rate))
	}
	return out
}

// legsOf puts sounds on both legs of a conversation.
func legsOf(customer, operator []int16) [Legs][]int16 { return [Legs][]int16{customer, operator} }

// bounded holds a report to what no sound may break.
func bounded(t *testing.T, what string, r Report, length time.Duration) {
	t.Helper()
	f := r.Figures
	if f.Measured+f.Paused+f.Held != length {
		t.Errorf("%s: measured %s, paused %s, held %s of %s", what, f.Measured, f.Paused, f.Held, length)
	}
	both := f.Legs[0].Talk + f.Legs[1].Talk - f.Overlap + f.Silence
	if both != f.Measured || f.DeadAir > f.Silence || f.LongestDead > f.DeadAir || f.Overlap > f.Legs[0].Talk {
		t.Errorf("%s: %+v do not add up", what, f)
	}
	if a, ok := r.Share(Customer); ok {
		if b, _ := r.Share(Operator); math.Abs(a+b-1) > 1e-9 {
			t.Errorf("%s: shares %g and %g", what, a, b)
		}
	}
	for i, turn := range r.Turns {
		if turn.End <= turn.Start || turn.Start < 0 || turn.End > length || i > 0 && turn.Start < r.Turns[i-1].Start {
			t.Errorf("%s: turn %d is %v", what, i, turn)
		}
	}
}

func TestNoSoundBreaksTheFigures(t *testing.T) {
	const length = 30 * time.Second
	n := int64(length / nanosInSample)
	silence, noise, clipped := make([]int16, n), make([]int16, n), make([]int16, n)
	random := rand.New(rand.NewPCG(3, 4))
	for i := range noise {
		noise[i] = int16(random.NormFloat64() * 260) // -42 dBFS
	}
	speech := conversation(0)[Customer][int64(10*time.Second/nanosInSample):][:n]
	for i, s := range speech {
		clipped[i] = int16(max(-32768, min(32767, 40*int(s))))
	}
	offset := make([]int16, n)
	for i := range offset {
		offset[i] = 9000
	}
	music := make([]int16, n)
	for i := range music {
		ulaw := audio.Music()
		music[i] = audio.DecodeULaw(ulaw[i%len(ulaw)])
	}
	babble := make([]int16, n) // four people at a time, far away
	for i := range babble {
		sum := 0
		for j := range 4 {
			sum += int(speech[(i+j*31_000)%len(speech)])
		}
		babble[i] = int16(sum / 16)
	}
	talk := map[string]time.Duration{}
	for what, sound := range map[string][]int16{
		"silence": silence, "noise": noise, "clipped": clipped, "speech": speech, "offset": offset, "music": music,
		"babble": babble, "hum": tone(length, 1000),
	} {
		r := play(new(Meter), legsOf(sound, silence))
		bounded(t, what, r, length)
		talk[what] = r.Legs[Customer].Talk
		if r.Legs[Operator].Talk != 0 {
			t.Errorf("%s: the other leg speaks for %s", what, r.Legs[Operator].Talk)
		}
	}
	for _, quiet := range []string{"silence", "noise", "offset"} {
		if talk[quiet] != 0 {
			t.Errorf("%s is speech for %s", quiet, talk[quiet])
		}
	}
	if off := (talk["clipped"] - talk["speech"]).Abs(); off > length/20 {
		t.Errorf("clipped, %s of speech are %s", talk["speech"], talk["clipped"])
	}
	// A sound without pauses is taken for noise once the quietest part of it is all there was.
	if most := floorParts*partSlots*Slot + time.Second; talk["hum"] > most {
		t.Errorf("a hum is speech for %s, more than %s", talk["hum"], most)
	}
	t.Logf("speech found in %s of each: %v", length, talk)
}

// slots is a conversation by what is spoken in each slot: c the customer, o the operator, b both, a dot nobody; p is
// paused and h on hold. A digit repeats the letter behind it as many times, in parentheses: (50)c.
func slots(t *testing.T, text string) *counting {
	t.Helper()
	c := &counting{}
	slot := int64(0)
	for repeat := 0; text != ""; text = text[1:] {
		if text[0] == '(' {
			for text = text[1:]; text[0] != ')'; text = text[1:] {
				repeat = repeat*10 + int(text[0]-'0')
			}
			continue
		}
		state := Open
		switch text[0] {
		case 'p':
			state = Paused
		case 'h':
			state = Held
		}
		for range max(repeat, 1) {
			b := text[0] == 'b'
			c.slot(slot, state, [Legs]bool{b || text[0] == 'c', b || text[0] == 'o'})
			slot++
		}
		repeat = 0
	}
	return c
}

func TestEachRuleAtItsEdge(t *testing.T) {
	type want struct {
		turns, interruptions, responses, deadAirs int
		monologue                                 int64 // of the customer, in slots
	}
	for text, w := range map[string]want{
		"c(49).c":            {turns: 1, monologue: 51},
		"c(50).c":            {turns: 2, monologue: 52},
		"(15)co":             {turns: 2, responses: 1, monologue: 15},
		"(15)cb":             {turns: 2, interruptions: 1, monologue: 16},
		"c(20).o":            {turns: 2, responses: 1, monologue: 1},
		"o(20).c(60).c":      {turns: 3, monologue: 62},
		"c(20).o(60).o":      {turns: 3, responses: 1, monologue: 1}, // the second turn of one who spoke last answers nobody
		"(60)c(49)o(9)c":     {turns: 2, responses: 1, monologue: 118},
		"(60)c(50)o(9)c":     {turns: 3, responses: 1, monologue: 60},
		"c(249).c":           {turns: 2, monologue: 251},
		"c(250).c":           {turns: 2, monologue: 1, deadAirs: 1},
		"c(249)hc":           {turns: 2, monologue: 1},
		"c(200).(9)p(200).c": {turns: 2, monologue: 1},
		"cph.o":              {turns: 2, monologue: 1}, // an answer across a gap is none
	} {
		c := slots(t, text)
		r := c.report(0, Open)
		got := want{
			len(r.Turns), r.Interruptions, r.Responses, r.DeadAirs, int64(r.Legs[Customer].Monologue / Slot),
		}
		if got != w {
			t.Errorf("%s: %+v, want %+v", text, got, w)
		}
	}
	c := slots(t, "(20)c(10).(30)o(5)b(251).(7)p(3)h(100)o")
	f := c.report(0, Open).Figures
	expected := Figures{
		Measured: 416 * Slot, Paused: 7 * Slot, Held: 3 * Slot, Overlap: 5 * Slot, Silence: 261 * Slot,
		DeadAir: 251 * Slot, DeadAirs: 1, LongestDead: 251 * Slot,
		Responses: 1, ResponseTotal: 10 * Slot, LongestResponse: 10 * Slot,
		Legs: [Legs]LegFigures{{25 * Slot, 1, 65 * Slot}, {135 * Slot, 2, 100 * Slot}},
	}
	if f != expected {
		t.Errorf("%+v\nwant %+v", f, expected)
	}
}

func TestClicksAndShortPauses(t *testing.T) {
	const level = 3000
	for name, c := range map[string]struct {
		sound []bool
		want  int
	}{
		"a click":              {pattern(10, 2, 40), 0},
		"an onset":             {pattern(10, 3, 40), 3},
		"a pause within":       {pattern(10, 5, 12, 5, 40), 22},
		"a pause that is none": {pattern(10, 5, 13, 5, 40), 10},
	} {
		m := new(Meter)
		for i, on := range c.sound {
			frame := make([]int16, slotFrame)
			if on {
				copy(frame, tone(Slot, level))
			}
			m.Frame(Customer, time.Duration(i)*Slot, frame)
		}
		m.End(time.Duration(len(c.sound)) * Slot)
		if got := int(m.Report().Legs[Customer].Talk / Slot); got != c.want {
			t.Errorf("%s: %d slots of speech, want %d", name, got, c.want)
		}
	}
}

// pattern alternates silence and sound, in slots.
func pattern(lengths ...int) (sound []bool) {
	for i, n := range lengths {
		for range n {
			sound = append(sound, i%2 == 1)
		}
	}
	return sound
}

// TestFramesOfAnyKind: what a line brings late, twice, in other sizes or out of order moves nothing.
func TestFramesOfAnyKind(t *testing.T) {
	whole := conversation(-55)
	want := play(new(Meter), whole)
	random := rand.New(rand.NewPCG(5, 6))
	m := new(Meter)
	length := len(whole[0])
	for i := 0; i < length; {
		n := min(length-i, []int{80, 160, 240, 480}[random.IntN(4)])
		now := time.Duration(i) * nanosInSample
		for leg := range Leg(Legs) {
			m.Frame(leg, now, whole[leg][i:i+n])
			m.Frame(leg, now-2*Lag, whole[leg][i:i+n]) // far too late
		}
		m.Tick(now)
		i += n
	}
	m.Frame(Customer, -1, whole[0][:160])
	m.Frame(Customer, MaxLength, whole[0][:160])
	m.Frame(Customer, scriptLength, nil)
	m.End(scriptLength)
	got := m.Report()
	for leg := range Legs {
		if off := (got.Legs[leg].Talk - want.Legs[leg].Talk).Abs(); off > time.Second {
			t.Errorf("leg %d speaks for %s, want %s", leg, got.Legs[leg].Talk, want.Legs[leg].Talk)
		}
	}
	bounded(t, "mixed", got, scriptLength)
}

func TestAPauseLeavesAGap(t *testing.T) {
	legs := conversation(0)
	m := new(Meter)
	for i := 0; i+slotFrame <= len(legs[0]); i += slotFrame {
		now := time.Duration(i) * nanosInSample
		switch now {
		case 9 * time.Second:
			m.Turn(now, Paused)
			m.Turn(now, Paused)
		case 18 * time.Second:
			m.Turn(now, Open)
		case 51 * time.Second:
			m.Turn(now, Held)
		}
		for leg := range Leg(Legs) {
			m.Frame(leg, now, legs[leg][i:i+slotFrame])
		}
		m.Tick(now)
	}
	if live := m.Report(); live.State != Held || live.At >= scriptLength-Lag || live.Speaking != [Legs]bool{} {
		t.Errorf("live: %+v", live)
	}
	m.End(scriptLength)
	r := m.Report()
	bounded(t, "gaps", r, scriptLength)
	if r.Paused != 9*time.Second || r.Held != 33*time.Second {
		t.Errorf("paused %s, held %s", r.Paused, r.Held)
	}
	want := []Gap{{Paused, 9 * time.Second, 18 * time.Second}, {Held, 51 * time.Second, scriptLength}}
	if len(r.Gaps) != 2 || r.Gaps[0] != want[0] || r.Gaps[1] != want[1] {
		t.Errorf("gaps %v", r.Gaps)
	}
	for _, turn := range r.Turns {
		for _, gap := range want {
			if turn.Start < gap.End && gap.Start < turn.End {
				t.Errorf("turn %v is in the gap %v", turn, gap)
			}
		}
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	c := &counting{}
	slot := int64(0)
	for range MaxTurns + 3 {
		c.slot(slot, Open, [Legs]bool{true, false})
		slot++
		for range turnSlots {
			c.slot(slot, Open, [Legs]bool{})
			slot++
		}
	}
	for range MaxGaps + 2 {
		c.slot(slot, Paused, [Legs]bool{})
		c.slot(slot+1, Open, [Legs]bool{})
		slot += 2
	}
	r := c.report(slot, Open)
	if len(r.Turns) != MaxTurns || len(r.Gaps) != MaxGaps || !r.Cut || r.Legs[Customer].Turns != MaxTurns+3 {
		t.Errorf("%d turns, %d gaps, cut %v, %d turns counted", len(r.Turns), len(r.Gaps), r.Cut, r.Legs[0].Turns)
	}
	if r.Paused != Slot*(MaxGaps+2) {
		t.Errorf("paused %s", r.Paused)
	}
	last := c.recent(slot, Open, 5)
	if len(last.Turns) != 5 || last.Turns[4] != r.Turns[MaxTurns-1] || len(last.Gaps) != 5 {
		t.Errorf("the last: %v %v", last.Turns, last.Gaps)
	}
	m := new(Meter)
	m.End(MaxLength + time.Hour)
	if got := m.Report(); got.Measured != MaxLength || got.At != MaxLength {
		t.Errorf("measured %s", got.Measured)
	}
}

func TestNobodySpeaks(t *testing.T) {
	var f Figures
	if _, ok := f.Share(Customer); ok {
		t.Error("there is a share of nothing")
	}
	if _, ok := f.Response(); ok {
		t.Error("there is a response to nothing")
	}
	f.Responses, f.ResponseTotal = 4, time.Second
	if r, ok := f.Response(); !ok || r != time.Second/4 {
		t.Errorf("response %s", r)
	}
	if Open.Word()+Paused.Word()+Held.Word() != "pausedheld" {
		t.Error("the words are others")
	}
}

// BenchmarkLeg measures what a second of one leg costs; rtf is CPU time by sound's time and may be 0.001.
func BenchmarkLeg(b *testing.B) {
	legs := conversation(-55)
	legs[Operator] = make([]int16, len(legs[Customer]))
	sound := legs[Customer]
	for b.Loop() {
		m := new(Meter)
		for i := 0; i+slotFrame <= len(sound); i += slotFrame {
			now := time.Duration(i) * nanosInSample
			m.Frame(Customer, now, sound[i:i+slotFrame])
			m.Tick(now)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/scriptLength.Seconds(), "rtf")
}

func TestALateFrameCountsUntilItIsTooLate(t *testing.T) {
	const now = 10 * time.Second
	for late, want := range map[time.Duration]time.Duration{Lag: 200 * time.Millisecond, Lag + 200*time.Millisecond: 0} {
		m := new(Meter)
		m.Frame(Customer, 0, make([]int16, audio.Rate)) // the noise
		m.Tick(now)
		m.Frame(Customer, now-late, tone(200*time.Millisecond, 3000))
		m.End(now)
		if got := m.Report().Legs[Customer].Talk; got != want {
			t.Errorf("%s late: %s of speech, want %s", late, got, want)
		}
	}
}
