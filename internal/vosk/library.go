// Package vosk serves a Vosk model over the protocol of Vosk's own server: library.go binds libvosk without cgo,
// server.go speaks to clients. It is all that the program switchboard-speech has.
//
// It refuses to run inside the server of the calls: a fault in the library ends the process that loaded it. It keeps no
// audio and no text, and logs neither.
package vosk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/ebitengine/purego"
)

// ErrModel says that a folder holds no model that libvosk can load.
var ErrModel = errors.New("no Vosk model")

// modelParts are files that every model has (docs/reference/speech.md, Models). Without them libvosk would end the
// process instead of refusing.
var modelParts = []string{"am/final.mdl", "conf/mfcc.conf"}

// graphs are the two forms that a model's grammar comes in; one of them must be there.
var graphs = [][]string{{"graph/HCLG.fst"}, {"graph/HCLr.fst", "graph/Gr.fst"}}

// Library is a loaded libvosk.
type Library struct {
	setLogLevel func(level int32)
	modelNew    func(path string) uintptr
	modelFree   func(model uintptr)
	newStream   func(model uintptr, rate float32) uintptr
	newGrammar  func(model uintptr, rate float32, grammar string) uintptr
	freeStream  func(stream uintptr)
	setWords    func(stream uintptr, on int32)
	accept      func(stream uintptr, pcm *int16, samples int32) int32
	result      func(stream uintptr) string
	partial     func(stream uintptr) string
	final       func(stream uintptr) string
}

// Load opens libvosk at a path. It stays loaded until the process ends.
func Load(path string) (*Library, error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		// The loader's own words may be none, or several lines.
		return nil, fmt.Errorf("load libvosk: %s cannot be loaded (--library says where it is): %s",
			path, strings.Join(strings.Fields(err.Error()), " "))
	}
	l := &Library{}
	for name, function := range map[string]any{
		"vosk_set_log_level": &l.setLogLevel, "vosk_model_new": &l.modelNew, "vosk_model_free": &l.modelFree,
		"vosk_recognizer_new": &l.newStream, "vosk_recognizer_new_grm": &l.newGrammar,
		"vosk_recognizer_free": &l.freeStream, "vosk_recognizer_set_words": &l.setWords,
		"vosk_recognizer_accept_waveform_s": &l.accept, "vosk_recognizer_result": &l.result,
		"vosk_recognizer_partial_result": &l.partial, "vosk_recognizer_final_result": &l.final,
	} {
		address, err := purego.Dlsym(handle, name)
		if err != nil {
			return nil, fmt.Errorf("%s is no libvosk: %w", filepath.Base(path), err)
		}
		purego.RegisterFunc(function, address)
	}
	l.setLogLevel(-1) // it logs what it hears
	return l, nil
}

// Model is a loaded model. Streams of it may be used from several goroutines, one goroutine a stream.
type Model struct {
	library *Library
	handle  uintptr
	close   sync.Once
}

// CheckFolder says what a folder lacks to be a model; the error wraps ErrModel.
func CheckFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrModel, err)
	}
	if !info.IsDir() {
		return fmt.Errorf("%w: %s is no folder", ErrModel, dir)
	}
	has := func(parts []string) (missing string) {
		for _, part := range parts {
			if file, err := os.Stat(filepath.Join(dir, part)); err != nil || file.Size() == 0 {
				return part
			}
		}
		return ""
	}
	if part := has(modelParts); part != "" {
		return fmt.Errorf("%w: %s has no %s", ErrModel, dir, part)
	}
	if has(graphs[0]) != "" && has(graphs[1]) != "" {
		return fmt.Errorf("%w: %s has neither graph/HCLG.fst nor graph/HCLr.fst with graph/Gr.fst", ErrModel, dir)
	}
	return nil
}

// Open loads a model folder. It takes seconds, and about twice the folder's size of memory.
func (l *Library) Open(dir string) (*Model, error) {
	if err := CheckFolder(dir); err != nil {
		return nil, err
	}
	handle := l.modelNew(dir)
	if handle == 0 {
		return nil, fmt.Errorf("%w: libvosk refuses %s", ErrModel, dir)
	}
	return &Model{library: l, handle: handle}, nil
}

// Close frees the model. Its streams keep what they need of it until they are closed.
func (m *Model) Close() { m.close.Do(func() { m.library.modelFree(m.handle) }) }

// Stream recognises one voice.
type Stream struct {
	library *Library
	handle  uintptr
}

// Stream starts to listen at a sampling rate in Hz. grammar, where not empty, is a JSON list of the phrases that can be
// recognised; models without a runtime grammar take no notice of it.
func (m *Model) Stream(rate float64, grammar string) (*Stream, error) {
	var handle uintptr
	if grammar == "" {
		handle = m.library.newStream(m.handle, float32(rate))
	} else {
		handle = m.library.newGrammar(m.handle, float32(rate), grammar)
	}
	if handle == 0 {
		return nil, errors.New("libvosk gives no recogniser")
	}
	m.library.setWords(handle, 1)
	return &Stream{library: m.library, handle: handle}, nil
}

// Accept listens to samples and answers with JSON: the partial text so far, or the result of an utterance that ended.
func (s *Stream) Accept(pcm []int16) (answer string, err error) {
	if len(pcm) == 0 {
		return s.library.partial(s.handle), nil
	}
	ended := s.library.accept(s.handle, &pcm[0], int32(len(pcm)))
	runtime.KeepAlive(pcm)
	switch {
	case ended < 0:
		return "", errors.New("libvosk failed on this audio")
	case ended > 0:
		return s.library.result(s.handle), nil
	}
	return s.library.partial(s.handle), nil
}

// Finish answers with the result of what was not answered yet.
func (s *Stream) Finish() string { return s.library.final(s.handle) }

// Close frees the stream.
func (s *Stream) Close() { s.library.freeStream(s.handle) }
