package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// WAVHeaderSize is the length in bytes of what WAVHeader makes.
const WAVHeaderSize = 44

// MaxWAV is the longest file in bytes that ReadWAV looks at.
const MaxWAV = 64 << 20

// ErrWAV says that a file is not a WAV file we read: 8 or 16 bit PCM, mu-law or A-law, one or two channels.
var ErrWAV = errors.New("not a WAV file of PCM or G.711")

// WAV format tags.
const (
	wavPCM        = 1
	wavALaw       = 6
	wavULaw       = 7
	wavExtensible = 0xfffe
)

// Sound is decoded audio, one channel.
type Sound struct {
	Rate    int // samples a second
	Samples []int16
}

// WAVHeader makes the header of a mono 16-bit 8 kHz file with that many bytes of samples behind it.
func WAVHeader(dataBytes uint32) [WAVHeaderSize]byte { return wavHeader(1, Rate, dataBytes) }

// StereoWAVHeader makes the header of a two-channel 16-bit 8 kHz file, left and right sample by turns, with that many
// bytes behind it.
func StereoWAVHeader(dataBytes uint32) [WAVHeaderSize]byte { return wavHeader(2, Rate, dataBytes) }

// HeaderOf makes the header of a mono 16-bit file of that rate in Hz with so many samples behind it.
func HeaderOf(rate, samples int) []byte {
	h := wavHeader(1, uint32(rate), uint32(2*samples))
	return h[:]
}

func wavHeader(channels uint16, rate, dataBytes uint32) [WAVHeaderSize]byte {
	var h [WAVHeaderSize]byte
	le := binary.LittleEndian
	copy(h[0:], "RIFF")
	le.PutUint32(h[4:], WAVHeaderSize-8+dataBytes)
	copy(h[8:], "WAVEfmt ")
	le.PutUint32(h[16:], 16)
	le.PutUint16(h[20:], wavPCM)
	le.PutUint16(h[22:], channels)
	le.PutUint32(h[24:], rate)
	le.PutUint32(h[28:], rate*2*uint32(channels))
	le.PutUint16(h[32:], 2*channels)
	le.PutUint16(h[34:], 16)
	copy(h[36:], "data")
	le.PutUint32(h[40:], dataBytes)
	return h
}

// WriteWAV makes a whole mono 16-bit 8 kHz file.
func WriteWAV(samples []int16) []byte {
	return EncodeWAV(Sound{Rate: Rate, Samples: samples})
}

// EncodeWAV makes a whole mono 16-bit file.
func EncodeWAV(s Sound) []byte {
	return AppendPCM(HeaderOf(s.Rate, len(s.Samples)), s.Samples)
}

// AppendPCM appends samples as a WAV file and most engines have them: 16 bits, the low byte first.
func AppendPCM(to []byte, samples []int16) []byte {
	for _, s := range samples {
		to = binary.LittleEndian.AppendUint16(to, uint16(s))
	}
	return to
}

// ReadStereoWAV decodes a file of two channels, both as long as each other. Errors are those of ReadWAV.
func ReadStereoWAV(file []byte) (left, right Sound, err error) {
	format, data, err := wavParts(file)
	if err != nil {
		return Sound{}, Sound{}, err
	}
	if format.channels != 2 {
		return Sound{}, Sound{}, fmt.Errorf("%w: %d channels, want 2", ErrWAV, format.channels)
	}
	sides := [2]Sound{{Rate: format.rate}, {Rate: format.rate}}
	width := format.bits / 8
	for ; len(data) >= 2*width; data = data[2*width:] {
		sides[0].Samples = append(sides[0].Samples, format.sample(data))
		sides[1].Samples = append(sides[1].Samples, format.sample(data[width:]))
	}
	return sides[0], sides[1], nil
}

type wavFormat struct {
	tag, channels, bits int
	rate                int
}

// ReadWAV decodes a file; two channels are mixed into one. A header that promises more than there is, as a recording
// cut short has, is taken for what is there. Errors wrap ErrWAV and say what is wrong.
func ReadWAV(file []byte) (Sound, error) {
	format, data, err := wavParts(file)
	if err != nil {
		return Sound{}, err
	}
	return Sound{Rate: format.rate, Samples: format.samples(data)}, nil
}

// wavParts finds the format and the samples of a file.
func wavParts(file []byte) (wavFormat, []byte, error) {
	if len(file) > MaxWAV {
		return wavFormat{}, nil, fmt.Errorf("%w: longer than %d bytes", ErrWAV, MaxWAV)
	}
	if len(file) < 12 || string(file[:4]) != "RIFF" || string(file[8:12]) != "WAVE" {
		return wavFormat{}, nil, fmt.Errorf("%w: no RIFF header", ErrWAV)
	}
	var format *wavFormat
	for rest := file[12:]; len(rest) >= 8; {
		name, size := string(rest[:4]), int64(binary.LittleEndian.Uint32(rest[4:]))
		body := rest[8:]
		chunk := body[:min(size, int64(len(body)))]
		switch name {
		case "fmt ":
			f, err := readFormat(chunk)
			if err != nil {
				return wavFormat{}, nil, err
			}
			format = &f
		case "data":
			if format == nil {
				return wavFormat{}, nil, fmt.Errorf("%w: samples before their format", ErrWAV)
			}
			return *format, chunk, nil
		}
		rest = body[min(size+size&1, int64(len(body))):]
	}
	return wavFormat{}, nil, fmt.Errorf("%w: no samples", ErrWAV)
}

func readFormat(chunk []byte) (wavFormat, error) {
	if len(chunk) < 16 {
		return wavFormat{}, fmt.Errorf("%w: short format", ErrWAV)
	}
	le := binary.LittleEndian
	f := wavFormat{
		tag:      int(le.Uint16(chunk)),
		channels: int(le.Uint16(chunk[2:])),
		rate:     int(le.Uint32(chunk[4:])),
		bits:     int(le.Uint16(chunk[14:])),
	}
	if f.tag == wavExtensible && len(chunk) >= 26 {
		f.tag = int(le.Uint16(chunk[24:]))
	}
	known := f.tag == wavPCM && (f.bits == 8 || f.bits == 16) || (f.tag == wavALaw || f.tag == wavULaw) && f.bits == 8
	switch {
	case !known:
		return f, fmt.Errorf("%w: format %d with %d bits", ErrWAV, f.tag, f.bits)
	case f.channels < 1 || f.channels > 2:
		return f, fmt.Errorf("%w: %d channels", ErrWAV, f.channels)
	case f.rate < minRate || f.rate > maxRate:
		return f, fmt.Errorf("%w: %d samples a second", ErrWAV, f.rate)
	}
	return f, nil
}

func (f wavFormat) samples(data []byte) []int16 {
	width := f.bits / 8
	out := make([]int16, 0, len(data)/(width*f.channels))
	for ; len(data) >= width*f.channels; data = data[width*f.channels:] {
		sum := 0
		for c := range f.channels {
			sum += int(f.sample(data[c*width:]))
		}
		out = append(out, int16(sum/f.channels))
	}
	return out
}

func (f wavFormat) sample(b []byte) int16 {
	switch {
	case f.tag == wavALaw:
		return DecodeALaw(b[0])
	case f.tag == wavULaw:
		return DecodeULaw(b[0])
	case f.bits == 8:
		return int16(b[0])<<8 ^ -0x8000
	default:
		return int16(binary.LittleEndian.Uint16(b))
	}
}

// Length is how long it plays.
func (s Sound) Length() time.Duration {
	return time.Duration(len(s.Samples)) * time.Second / time.Duration(s.Rate)
}
