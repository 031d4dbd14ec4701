package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/audio"
	"switchboard/internal/speech"
)

// speechKeyVariable is no flag, as anybody on the host can see those.
const speechKeyVariable = "SWITCHBOARD_SPEECH_KEY"

// speechFlags say what turns calls into text.
type speechFlags struct {
	Engine   string   `default:"none" help:"What turns calls into text: none, worker, vosk-ws, openai-http, exec."`
	URL      string   `name:"url" help:"Address of vosk-ws or openai-http."`
	Model    string   `help:"Folder of a Vosk model (worker), or a model's name (openai-http)."`
	Library  string   `help:"Path of libvosk (worker)."`
	Worker   string   `help:"Path of switchboard-speech (worker; default: beside this program)."`
	Program  []string `sep:" " help:"Program and arguments (exec)."`
	Language string   `help:"Language of the calls, two letters (openai-http)."`
	Fold     float64  `default:"5" help:"dB by which the mirror image above 4 kHz is quieter."`
	Streams  int      `default:"32" help:"Legs recognised at a time; a call has two."`
}

func (f speechFlags) config() app.SpeechConfig {
	return app.SpeechConfig{
		Engine: f.Engine, URL: f.URL, Model: f.Model, Library: f.Library, Worker: f.Worker, Program: f.Program,
		Key: os.Getenv(speechKeyVariable), Language: f.Language, Fold: &f.Fold, Streams: f.Streams,
	}
}

type speechCommands struct {
	Check speechCheckCommand `cmd:"" help:"Try a Vosk model on the built-in prompts."`
}

type speechCheckCommand struct {
	Model   string  `arg:"" name:"dir" type:"path" help:"Folder of a Vosk model."`
	Library string  `help:"Path of libvosk (default: by the system's rules)."`
	Worker  string  `type:"path" help:"Path of switchboard-speech (default: beside this program)."`
	Fold    float64 `default:"5" help:"dB by which the mirror image above 4 kHz is quieter."`
	Verbose bool    `short:"v" help:"Print what was said and heard."`
}

// checkTime bounds a check.
const checkTime = 15 * time.Minute

// Run starts a worker with the model and has it recognise. The prompts are synthetic: people do worse or better.
func (c *speechCheckCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	began := time.Now()
	fmt.Fprintln(os.Stderr, "Loading the model...")
	worker, err := speech.StartWorker(ctx, speech.WorkerConfig{Program: c.Worker, Library: c.Library, Model: c.Model})
	if err != nil {
		return err
	}
	defer worker.Close()
	fmt.Printf("Model loaded in %s.\n", time.Since(began).Round(10*time.Millisecond))
	engine, err := speech.NewVosk(speech.VoskConfig{
		URL: worker.URL, Client: http.DefaultClient, Fold: c.Fold, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	samples := builtIn()
	before, began, n := worker.CPU(), time.Now(), 0
	score, err := speech.Check(ctx, engine, samples, func(s speech.Sample, text string) {
		if n++; c.Verbose {
			fmt.Printf("%3d/%d  said   %s\n         heard %s\n", n, len(samples), s.Text, text)
		}
	})
	if err != nil {
		return err
	}
	fmt.Printf("%d prompts, %d words, %s of speech at 8 kHz.\n",
		score.Samples, score.Words, score.Audio.Round(time.Second))
	fmt.Printf("Word error rate %.1f %%, real-time factor %.3f (one processor), mean confidence %.2f.\n",
		100*score.WER(), (worker.CPU()-before).Seconds()/score.Audio.Seconds(), score.Confidence)
	fmt.Printf("It took %s.\n", time.Since(began).Round(100*time.Millisecond))
	if score.Gaps > 0 {
		return errors.New("the worker failed on the way: the figures are not worth much")
	}
	return nil
}

// builtIn are the prompts of at least four words.
func builtIn() (samples []speech.Sample) {
	const leastWords = 4
	for _, name := range audio.PromptNames() {
		sample := speech.Sample{Name: name, Text: audio.PromptText(name)}
		if len(strings.Fields(sample.Text)) < leastWords {
			continue
		}
		sound, _ := audio.Prompt(name)
		for _, b := range sound {
			sample.PCM = append(sample.PCM, audio.DecodeULaw(b))
		}
		samples = append(samples, sample)
	}
	return samples
}
