package speech

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"mime/multipart"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"

	"switchboard/internal/audio"
)

// The bounds of a transcription server.
const (
	openAITimeout = time.Minute      // for one segment
	openAIRing    = 30 * time.Second // of audio that waits while one is transcribed
)

// OpenAIConfig is where a transcription server is that answers POST /v1/audio/transcriptions.
type OpenAIConfig struct {
	URL      string // of that operation
	Key      string // sent as a bearer token; "": none is
	Model    string // "": whisper-1
	Language string // ISO 639-1; "": the engine guesses
	Client   *http.Client
	Log      *slog.Logger
}

// OpenAI is an engine that transcribes segments.
type OpenAI struct {
	cfg     OpenAIConfig
	timeout time.Duration
}

// NewOpenAI checks the address; nothing is sent before the first segment.
func NewOpenAI(cfg OpenAIConfig) (*OpenAI, error) {
	at, err := url.Parse(cfg.URL)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, fmt.Errorf("%q is no URL such as http://127.0.0.1:8080/v1/audio/transcriptions", cfg.URL)
	}
	if cfg.Model == "" {
		cfg.Model = "whisper-1"
	}
	return &OpenAI{cfg: cfg, timeout: openAITimeout}, nil
}

// Caps implements Recognizer.
func (e *OpenAI) Caps() Caps { return Caps{Name: "openai-http", Streaming: true} }

// Open implements Recognizer.
func (e *OpenAI) Open(o StreamOpts) (Stream, error) {
	if err := checkRate(o.Rate); err != nil {
		return nil, err
	}
	s := &openAIStream{leg: newLeg(o.Rate, openAIRing), engine: e, cutter: cutter{rate: o.Rate}}
	go s.run(s.work)
	return s, nil
}

type openAIStream struct {
	*leg
	engine *OpenAI
	cutter cutter
	end    time.Duration // of the audio so far
}

func (s *openAIStream) work() {
	for {
		p, ok, ended := s.ring.take(s.ctx)
		if ended {
			s.transcribe(s.cutter.flush())
		}
		if !ok {
			return
		}
		if p.lost {
			s.transcribe(s.cutter.flush())
			s.tell(Result{Start: s.end, End: p.at, Final: true, Gap: GapSlow})
		}
		s.end = p.end(s.ring.rate)
		s.transcribe(s.cutter.add(p))
	}
}

func (s *openAIStream) transcribe(segments []segment) {
	for _, seg := range segments {
		end := seg.at + time.Duration(len(seg.pcm))*time.Second/time.Duration(s.ring.rate)
		results, err := s.engine.post(s.ctx, seg, s.ring.rate)
		if err != nil {
			s.engine.cfg.Log.Warn("the transcription server failed", "error", err)
			results = []Result{{Start: seg.at, End: end, Final: true, Gap: GapEngine}}
		}
		for _, r := range results {
			r.Start, r.End = min(r.Start, end), min(r.End, end)
			s.tell(r)
		}
	}
}

// post has a segment transcribed.
func (e *OpenAI) post(ctx context.Context, seg segment, rate int) ([]Result, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	body, kind, err := e.form(seg, rate)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.cfg.URL, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", kind)
	if e.cfg.Key != "" {
		request.Header.Set("Authorization", "Bearer "+e.cfg.Key)
	}
	response, err := e.cfg.Client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, MaxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("it answers %s", response.Status)
	case len(text) > MaxAnswer:
		return nil, fmt.Errorf("its answer is longer than %d bytes", MaxAnswer)
	}
	return understand(text, seg.at)
}

// form is the request's body: the segment as a WAV file.
func (e *OpenAI) form(seg segment, rate int) (*bytes.Buffer, string, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "call.wav")
	if err == nil {
		_, err = part.Write(audio.EncodeWAV(audio.Sound{Rate: rate, Samples: seg.pcm}))
	}
	fields := [][2]string{{"model", e.cfg.Model}, {"response_format", "verbose_json"}}
	if e.cfg.Language != "" {
		fields = append(fields, [2]string{"language", e.cfg.Language})
	}
	for _, field := range fields {
		err = errors.Join(err, form.WriteField(field[0], field[1]))
	}
	err = errors.Join(err, form.Close())
	return &body, form.FormDataContentType(), err
}

// openAIAnswer is a verbose_json answer.
type openAIAnswer struct {
	Text     *string `json:"text"`
	Duration float64 `json:"duration"`
	Segments []struct {
		Start      float64 `json:"start"`
		End        float64 `json:"end"`
		Text       string  `json:"text"`
		LogProb    float64 `json:"avg_logprob"`
		NoSpeech   float64 `json:"no_speech_prob"`
		Compressed float64 `json:"compression_ratio"`
	} `json:"segments"`
}

// What engines of this kind make up where nobody spoke: such parts are left out, as the engines themselves advise.
const (
	mostNoSpeech   = 0.6
	leastLogProb   = -1.0
	mostRepetition = 2.4
)

func understand(text []byte, at time.Duration) ([]Result, error) {
	var a openAIAnswer
	if err := json.Unmarshal(text, &a); err != nil || a.Text == nil {
		return nil, errors.New("its answer is no verbose_json")
	}
	var results []Result
	for _, s := range a.Segments[:min(len(a.Segments), MaxWords)] {
		made := s.NoSpeech > mostNoSpeech && s.LogProb < leastLogProb || s.Compressed > mostRepetition
		if words := clean(s.Text); words != "" && !made {
			start := seconds(s.Start)
			results = append(results, Result{
				Start: at + start, End: at + max(start, seconds(s.End)), Text: words, Final: true,
				Conf: share(math.Exp(s.LogProb)),
			})
		}
	}
	if words := clean(*a.Text); words != "" && len(a.Segments) == 0 {
		results = append(results, Result{Start: at, End: at + MaxSegment, Text: words, Final: true})
	}
	return results, nil
}

// seconds bounds what an engine says of time.
func seconds(v float64) time.Duration {
	if !(v > 0) {
		return 0
	}
	return time.Duration(min(v, longest.Seconds()) * float64(time.Second))
}
