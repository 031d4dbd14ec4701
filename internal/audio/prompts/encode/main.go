// Command encode turns one WAV file into a built-in prompt: 8 kHz mu-law, trimmed, levelled. It is run by render.sh
// when the sentences change, and is no part of the product.
package main

import (
	"fmt"
	"os"

	"switchboard/internal/audio"
)

const margin = audio.Rate / 20 // samples of silence kept at both ends

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: encode IN.wav OUT.ulaw")
		os.Exit(2)
	}
	if err := encode(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "encode:", err)
		os.Exit(1)
	}
}

func encode(in, out string) error {
	file, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	sound, err := audio.ReadWAV(file)
	if err != nil {
		return fmt.Errorf("read %s: %w", in, err)
	}
	samples, err := audio.Resample(sound)
	if err != nil {
		return fmt.Errorf("read %s: %w", in, err)
	}
	samples = audio.Trim(samples, margin)
	audio.Level(samples, audio.SpeechLevel)
	return os.WriteFile(out, audio.EncodeAll(samples, audio.ULaw), 0o644)
}
