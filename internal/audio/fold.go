package audio

import "math"

// WideRate is the sampling rate in Hz that speech recognisers listen at.
const WideRate = 2 * Rate

// The bounds of how far a Folder lets the mirror image lie below the speech, and what is right for most engines, in dB
// (docs/reference/speech.md, Upsampling).
const (
	MinFold     = 0.0
	MaxFold     = 60.0
	DefaultFold = 5.0
)

// foldTaps is how many input samples the half-band filter looks at, to both sides together.
const foldTaps = 16

// Folder brings sound from 8 to 16 kHz and leaves a mirror image of the speech above 4 kHz, quieter by so many dB: an
// engine that learnt from wideband speech hears energy where it expects that of s, f and t. It keeps what it needs of
// one piece for the next; it delays by half of foldTaps input samples. Not safe for concurrent use.
type Folder struct {
	between float64 // gain of the samples that are put between those of the piece
	past    [foldTaps]float64
	filter  [foldTaps]float64
}

// NewFolder makes one whose image lies db below the speech; what is outside MinFold to MaxFold counts as the bound.
//
// Samples with zeros between them (s, 0) are speech and image at half strength each; samples with the values of a
// half-band filter between them (s, h) are the speech alone. (1-g) of these and 2g of those are speech at full strength
// with an image at g; all of it is divided by 1+g, so that no sample grows.
func NewFolder(db float64) *Folder {
	g := math.Pow(10, -max(MinFold, min(MaxFold, db))/20)
	f := &Folder{between: (1 - g) / (1 + g)}
	sum := 0.0
	for k := range f.filter {
		x := float64(k) - float64(foldTaps-1)/2
		f.filter[k] = sinc(x) * kaiser(x/(foldTaps/2))
		sum += f.filter[k]
	}
	for k := range f.filter {
		f.filter[k] *= f.between / sum
	}
	return f
}

// Fold appends two samples to out for each one of the piece.
func (f *Folder) Fold(out, piece []int16) []int16 {
	for _, s := range piece {
		copy(f.past[:], f.past[1:])
		f.past[foldTaps-1] = float64(s)
		between := 0.0
		for k, c := range f.filter {
			between += c * f.past[k]
		}
		out = append(out, int16(f.past[foldTaps/2-1]), clip(between))
	}
	return out
}

func clip(v float64) int16 { return int16(math.Round(max(-fullScale, min(fullScale-1, v)))) }
