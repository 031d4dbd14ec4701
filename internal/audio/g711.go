// Package audio holds the sounds of a telephone line as pure functions: G.711 in both laws, WAV files, tones, levels,
// resampling, generated hold music and the built-in prompts. It opens no socket, writes no file, starts no goroutine
// and keeps no state but what it renders once; it refuses to decode compressed formats and to choose what is played.
package audio

import "math/bits"

// Rate is the sampling rate of everything that leaves this package, in samples a second (RFC 3551, 4.5.14).
const Rate = 8000

// Law is one of the two G.711 codings.
type Law uint8

// The laws.
const (
	ULaw Law = iota
	ALaw
)

// Encoded silence.
const (
	ULawSilence byte = 0xff
	ALawSilence byte = 0xd5
)

const (
	ulawBias = 0x84
	ulawClip = 0x7fff - ulawBias
)

var (
	ulawLinear [256]int16
	alawLinear [256]int16
	toALaw     [256]byte
	toULaw     [256]byte
)

func init() {
	for i := range 256 {
		ulawLinear[i] = expandULaw(byte(i))
		alawLinear[i] = expandALaw(byte(i))
	}
	for i := range 256 {
		toALaw[i] = EncodeALaw(ulawLinear[i])
		toULaw[i] = EncodeULaw(alawLinear[i])
	}
}

func expandULaw(b byte) int16 {
	b = ^b
	v := (int(b&0x0f)<<3 + ulawBias) << (b >> 4 & 7)
	if b&0x80 != 0 {
		return int16(ulawBias - v)
	}
	return int16(v - ulawBias)
}

func expandALaw(b byte) int16 {
	b ^= 0x55
	v := int(b&0x0f)<<4 + 8
	if segment := b >> 4 & 7; segment > 0 {
		v = (v + 0x100) << (segment - 1)
	}
	if b&0x80 == 0 {
		v = -v
	}
	return int16(v)
}

// DecodeULaw gives the 16-bit sample of a mu-law byte (ITU-T G.711, table 2).
func DecodeULaw(b byte) int16 { return ulawLinear[b] }

// DecodeALaw gives the 16-bit sample of an A-law byte (ITU-T G.711, table 1).
func DecodeALaw(b byte) int16 { return alawLinear[b] }

// EncodeULaw gives the mu-law byte of a 16-bit sample, by G.711's decision values.
func EncodeULaw(s int16) byte {
	v, sign := int(s), byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, ulawClip) + ulawBias
	segment := bits.Len(uint(v)) - 8
	return ^(sign | byte(segment<<4) | byte(v>>(segment+3)&0x0f))
}

// EncodeALaw gives the A-law byte of a 16-bit sample, by G.711's decision values.
func EncodeALaw(s int16) byte {
	v, sign := int(s), byte(0x80)
	if v < 0 {
		v, sign = -v-1, 0
	}
	code := byte(v >> 4)
	if segment := bits.Len(uint(v)) - 8; segment > 0 {
		code = byte(segment<<4) | byte(v>>(segment+3)&0x0f)
	}
	return (sign | code) ^ 0x55
}

// Decode gives the 16-bit sample of a byte in this law.
func (l Law) Decode(b byte) int16 {
	if l == ALaw {
		return alawLinear[b]
	}
	return ulawLinear[b]
}

// Encode gives the byte of a 16-bit sample in this law.
func (l Law) Encode(s int16) byte {
	if l == ALaw {
		return EncodeALaw(s)
	}
	return EncodeULaw(s)
}

// Silence is the byte of a zero sample in this law.
func (l Law) Silence() byte {
	if l == ALaw {
		return ALawSilence
	}
	return ULawSilence
}

// String names the law as SDP does (RFC 3551, table 4).
func (l Law) String() string {
	if l == ALaw {
		return "PCMA"
	}
	return "PCMU"
}

// Convert copies src in law from to dst in law to; dst is at least as long as src and may be src itself.
func Convert(dst, src []byte, from, to Law) {
	if from == to {
		copy(dst, src)
		return
	}
	table := &toALaw
	if to == ULaw {
		table = &toULaw
	}
	dst = dst[:len(src)]
	for i, b := range src {
		dst[i] = table[b]
	}
}

// EncodeAll encodes samples in a law.
func EncodeAll(samples []int16, l Law) []byte {
	out := make([]byte, len(samples))
	for i, s := range samples {
		out[i] = l.Encode(s)
	}
	return out
}

// DecodeAll decodes bytes of a law.
func DecodeAll(encoded []byte, l Law) []int16 {
	out := make([]int16, len(encoded))
	for i, b := range encoded {
		out[i] = l.Decode(b)
	}
	return out
}
