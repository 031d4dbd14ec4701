package audio

import (
	"math"
	"math/rand/v2"
	"sync"
)

// The hold music: 16 bars of four beats, 53 s in all, rendered round a circle so that it has no seam.
const (
	musicBars  = 16
	musicBeats = musicBars * 4
	beatLength = 53 * Rate / musicBeats // samples
	musicTotal = musicBeats * beatLength

	lowestHz  = 110.0 // telephone lines carry little below
	highestHz = 3300.0
	musicSeed = 20240611

	tableSize = 1024
)

// timbre is how a note sounds: its overtones' strengths and how it swells and fades.
type timbre struct {
	overtones []float64
	attack    float64 // s
	decay     float64 // s, until it has fallen to a third
	loudness  float64
}

var (
	padTimbre   = timbre{[]float64{1, 0.35, 0.2, 0.08}, 0.4, 3, 0.5}
	bassTimbre  = timbre{[]float64{1, 0.5, 0.25, 0.12, 0.06}, 0.02, 0.9, 0.8}
	pluckTimbre = timbre{[]float64{1, 0.4, 0.18, 0.1, 0.05}, 0.006, 0.6, 0.55}

	// Semitones above A2 (110 Hz): root and chord of each of four bars.
	progression = [][]int{{3, 15, 19, 22, 26}, {0, 12, 15, 19, 22}, {8, 15, 20, 24, 27}, {10, 17, 22, 26, 29}}
	// The melody keeps to five tones, which go with all four chords.
	scale = []int{24, 27, 29, 31, 34, 36, 39}
)

// Music is the built-in music on hold, mu-law, 53 s; it may be repeated without a gap. Rendered at the first use.
var Music = sync.OnceValue(func() []byte { return EncodeAll(renderMusic(), ULaw) })

func renderMusic() []int16 {
	band := &ensemble{circle: make([]float64, musicTotal), tables: map[tableKey][]float64{}}
	random := rand.New(rand.NewPCG(musicSeed, 0))
	for bar := range musicBars {
		chord, at := progression[bar%len(progression)], bar*4*beatLength
		for _, note := range chord[1:] {
			band.play(&padTimbre, note, at, 5*beatLength, 1)
		}
		band.play(&bassTimbre, chord[0], at, 2*beatLength, 1)
		band.play(&bassTimbre, chord[0]+12, at+2*beatLength, 2*beatLength, 0.6)
		for half := range 8 {
			// Every fourth bar rests, and so does about every other half beat: a tune that never breathes tires.
			if bar%4 != 3 && random.IntN(100) < 42 {
				note := scale[random.IntN(len(scale))]
				band.play(&pluckTimbre, note, at+half*beatLength/2, 3*beatLength, 0.7+0.3*random.Float64())
			}
		}
	}
	var sum float64
	for _, v := range band.circle {
		sum += v * v
	}
	gain := fullScale * math.Pow(10, MusicLevel/20) / math.Sqrt(sum/musicTotal)
	out := make([]int16, musicTotal)
	for i, v := range band.circle {
		out[i] = soften(v * gain)
	}
	return out
}

type tableKey struct {
	timbre *timbre
	note   int
}

type ensemble struct {
	circle []float64
	tables map[tableKey][]float64
}

// play adds a note of length samples; what goes past the end is heard at the beginning.
func (e *ensemble) play(t *timbre, note, at, length int, loudness float64) {
	hz := noteHz(note)
	table := e.table(tableKey{t, note}, hz)
	step := hz * tableSize / Rate
	attack, release := int(t.attack*Rate), length/5
	fall, level := math.Exp(-1/(t.decay*Rate)), t.loudness*loudness
	place := at % len(e.circle)
	for i, phase := 0, 0.0; i < length; i++ {
		v := table[int(phase)] * level
		switch {
		case i < attack:
			v *= float64(i) / float64(attack)
		case length-i < release:
			v *= float64(length-i) / float64(release)
		}
		e.circle[place] += v
		level *= fall
		if phase += step; phase >= tableSize {
			phase -= tableSize
		}
		if place++; place == len(e.circle) {
			place = 0
		}
	}
}

// table is one period of a note, with only those overtones that a telephone line carries.
func (e *ensemble) table(key tableKey, hz float64) []float64 {
	if table, ok := e.tables[key]; ok {
		return table
	}
	table := make([]float64, tableSize)
	for k, strength := range key.timbre.overtones {
		if hz*float64(k+1) > highestHz {
			break
		}
		for i := range table {
			table[i] += strength * math.Sin(2*math.Pi*float64((k+1)*i)/tableSize)
		}
	}
	e.tables[key] = table
	return table
}

func noteHz(note int) float64 { return lowestHz * math.Pow(2, float64(note)/12) }
