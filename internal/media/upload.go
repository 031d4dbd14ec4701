package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hajimehoshi/go-mp3"

	"switchboard/internal/audio"
)

const (
	// MaxUpload is how long an uploaded prompt may be.
	MaxUpload = 5 * time.Minute

	uploadHighPass = 100              // Hz
	uploadFade     = audio.Rate / 125 // 8 ms
)

// ErrUpload says that an uploaded file is nothing that callers could hear. Errors that wrap it say why, in words that
// follow the file's name: "is neither MP3 nor WAV".
var ErrUpload = errors.New("not usable")

// uploadError reads after a file's name.
type uploadError string

func (e uploadError) Error() string        { return string(e) }
func (e uploadError) Is(target error) bool { return target == ErrUpload }

// Upload makes a prompt of an MP3 or WAV file: mu-law at 8 kHz, without hum, at the level of our own prompts, with soft
// ends. It takes seconds for minutes of sound: for when a file is uploaded, never during a call.
func Upload(file []byte) ([]byte, error) {
	sound, err := decodeUpload(file)
	if err != nil {
		return nil, err
	}
	if sound.Rate <= 0 || sound.Length() > MaxUpload {
		return nil, uploadError(fmt.Sprintf("is longer than %d minutes", int(MaxUpload.Minutes())))
	}
	samples, err := audio.Resample(sound)
	if err != nil {
		return nil, uploadError(fmt.Sprintf("has %d samples a second, which is no usual rate", sound.Rate))
	}
	audio.HighPass(samples, uploadHighPass)
	if samples = audio.Trim(samples, trimMargin); len(samples) < frameSize {
		return nil, uploadError("has nothing but silence")
	}
	audio.Level(samples, audio.SpeechLevel)
	audio.Fade(samples, uploadFade)
	return audio.EncodeAll(samples, audio.ULaw), nil
}

func decodeUpload(file []byte) (audio.Sound, error) {
	switch {
	case bytes.HasPrefix(file, []byte("RIFF")):
		sound, err := audio.ReadWAV(file)
		if err != nil {
			return sound, uploadError("is a WAV file that cannot be read: " + err.Error())
		}
		return sound, nil
	case bytes.HasPrefix(file, []byte("ID3")), len(file) > 1 && file[0] == 0xff && file[1]&0xe0 == 0xe0:
		return decodeMP3(file)
	}
	return audio.Sound{}, uploadError("is neither MP3 nor WAV")
}

// decodeMP3 reads at most a little more than MaxUpload. The decoder is somebody else's, and files are anybody's: if it
// panics, the file is at fault.
func decodeMP3(file []byte) (sound audio.Sound, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = uploadError("is an MP3 file that cannot be read")
		}
	}()
	decoder, err := mp3.NewDecoder(bytes.NewReader(file))
	if err != nil {
		return sound, uploadError("is an MP3 file that cannot be read: " + err.Error())
	}
	sound.Rate = decoder.SampleRate()
	const stereo = 2 * sampleBytes // whatever the file has, two channels come out
	most := int64(MaxUpload/time.Second+1) * int64(sound.Rate) * stereo
	pcm, err := io.ReadAll(io.LimitReader(decoder, most))
	if err != nil {
		return sound, uploadError("is an MP3 file that cannot be read: " + err.Error())
	}
	for ; len(pcm) >= stereo; pcm = pcm[stereo:] {
		left, right := int16(binary.LittleEndian.Uint16(pcm)), int16(binary.LittleEndian.Uint16(pcm[sampleBytes:]))
		sound.Samples = append(sound.Samples, int16((int(left)+int(right))/2))
	}
	return sound, nil
}
