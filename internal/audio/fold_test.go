package audio

import (
	"math"
	"testing"
)

// A tone of 1 kHz, folded, is a tone of 1 kHz and one of 7 kHz that many dB below.
func TestFoldingLeavesTheImageAsFarBelowAsAsked(t *testing.T) {
	tone := make([]int16, Rate)
	for i := range tone {
		tone[i] = int16(10000 * math.Sin(2*math.Pi*1000*float64(i)/Rate))
	}
	for _, db := range []float64{0, 3, 6, 20} {
		wide := NewFolder(db).Fold(nil, tone)
		if len(wide) != 2*len(tone) {
			t.Fatalf("%d samples of %d", len(wide), len(tone))
		}
		// ToneRMS thinks in 8 kHz: at 16 kHz a tone is at half its frequency.
		speech, image := ToneRMS(wide[1000:], 500), ToneRMS(wide[1000:], 3500)
		if got := 20 * math.Log10(speech/image); math.Abs(got-db) > 0.3 {
			t.Errorf("the image is %.1f dB below, want %.1f", got, db)
		}
	}
}

func TestFoldingBoundsItsSettingAndNeverClips(t *testing.T) {
	for _, same := range [][2]float64{{MinFold - 1, MinFold}, {MaxFold + 1, MaxFold}} {
		if NewFolder(same[0]).between != NewFolder(same[1]).between {
			t.Errorf("%v dB is not %v dB", same[0], same[1])
		}
	}
	loud := make([]int16, 200)
	for i := range loud {
		loud[i] = math.MaxInt16
		if i%3 == 0 {
			loud[i] = math.MinInt16
		}
	}
	for i, s := range NewFolder(MinFold).Fold(nil, loud) {
		if i%2 == 1 && s != 0 {
			t.Fatalf("sample %d is %d: at 0 dB there is nothing between the samples", i, s)
		}
	}
}

func TestFoldingInPiecesIsFoldingAtOnce(t *testing.T) {
	sound := make([]int16, 1000)
	for i := range sound {
		sound[i] = int16(i*7919%20000 - 10000)
	}
	want := NewFolder(DefaultFold).Fold(nil, sound)
	pieces := NewFolder(DefaultFold)
	var got []int16
	for at := 0; at < len(sound); at += 160 {
		got = pieces.Fold(got, sound[at:min(at+160, len(sound))])
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("sample %d: %d, want %d", i, got[i], want[i])
		}
	}
}
