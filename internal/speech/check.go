package speech

import (
	"context"
	"errors"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/transcript"
)

// Sample is something to recognise whose words are known: samples at 8 kHz.
type Sample struct {
	Name, Text string
	PCM        []int16
}

// Score is what an engine made of samples.
type Score struct {
	Samples, Perfect int
	Words, Errors    int
	Audio            time.Duration
	Confidence       float64 // of the words, on average
	Gaps             int
}

// WER is the share of words that are wrong, missing or too many.
func (s Score) WER() float64 { return float64(s.Errors) / float64(max(1, s.Words)) }

// apart is the silence that is left between two samples, so that each is recognised by itself.
const apart = longestFill + time.Second

// mostWaiting is how far Check runs ahead of an engine.
const mostWaiting = RingLength / 4

// Check has a streaming engine recognise samples as fast as it can, and compares. heard is told of each.
func Check(ctx context.Context, engine Recognizer, samples []Sample, heard func(s Sample, text string)) (Score, error) {
	var score Score
	stream, err := engine.Open(StreamOpts{Rate: audio.Rate})
	if err != nil {
		return score, err
	}
	paced, ok := stream.(interface{ Waiting() time.Duration })
	if !ok {
		return score, errors.New("this engine cannot be checked")
	}
	ends := make([]time.Duration, len(samples))
	written := make(chan struct{})
	go func() {
		defer close(written)
		defer stream.Close(ctx)
		at := time.Duration(0)
		for i, sample := range samples {
			for len(sample.PCM) > 0 && ctx.Err() == nil {
				n := min(audio.Rate/10, len(sample.PCM))
				for paced.Waiting() > mostWaiting && ctx.Err() == nil {
					time.Sleep(time.Millisecond)
				}
				stream.Write(at, sample.PCM[:n])
				sample.PCM = sample.PCM[n:]
				at += time.Duration(n) * time.Second / audio.Rate
			}
			ends[i] = at
			at += apart
		}
	}()
	var all []Result
	for r := range stream.Results() {
		if r.Final {
			all = append(all, r)
		}
	}
	<-written
	words := 0
	for i, sample := range samples {
		text := ""
		for ; len(all) > 0 && all[0].Start < ends[i]+apart/2; all = all[1:] {
			if all[0].Gap != "" {
				score.Gaps++
			}
			text += " " + all[0].Text
			for _, w := range all[0].Words {
				score.Confidence += w.Conf
				words++
			}
		}
		score.add(sample, text)
		heard(sample, text)
	}
	score.Confidence /= float64(max(1, words))
	return score, ctx.Err()
}

func (s *Score) add(sample Sample, heard string) {
	said := transcript.Words(sample.Text)
	errs := transcript.WordErrors(said, transcript.Words(heard))
	s.Samples++
	s.Words += len(said)
	s.Errors += errs
	s.Audio += time.Duration(len(sample.PCM)) * time.Second / audio.Rate
	if errs == 0 {
		s.Perfect++
	}
}
