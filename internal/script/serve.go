package script

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"
	"github.com/itchyny/gojq"

	"switchboard/internal/flow"
)

// How a child that ends itself tells why.
const (
	exitMemory = 97
	exitTime   = 98
)

const (
	watchEvery = 2 * time.Millisecond
	softHeap   = MaxHeap / 2 // from here on the collector works harder, so that garbage does not count as use
	maxStack   = 64 << 20    // bytes, of natively nested calls
	maxError   = 2 << 10     // bytes
	kept       = 64          // compiled scripts that a child remembers
)

// init turns the process into a child when its parent marked it as one. It is done here so that every program with this
// package in it, tests as well, can start children of itself.
func init() {
	if os.Getenv(childMark) == "" {
		return
	}
	debug.SetMemoryLimit(softHeap)
	debug.SetMaxStack(maxStack)
	c := &server{}
	for {
		var r request
		if err := readFrame(os.Stdin, &r); err != nil {
			if errors.Is(err, io.EOF) {
				os.Exit(0)
			}
			os.Exit(1)
		}
		stop := c.watch(r.Limit)
		a := c.run(r)
		stop()
		if err := writeFrame(os.Stdout, a); err != nil {
			os.Exit(1)
		}
	}
}

// server is the inside of a child.
type server struct {
	programs map[string]*goja.Program
	queries  map[string]*gojq.Code
}

// watch ends the process when the script that begins now holds too much, or does not stop when it is told to. No code
// of the script can keep it from looking: it runs beside it.
func (s *server) watch(limit time.Duration) (stop func()) {
	var over atomic.Bool
	deadline := time.Now().Add(limit + overtime)
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	var look func()
	look = func() {
		if over.Load() {
			return
		}
		metrics.Read(sample)
		if sample[0].Value.Uint64() > MaxHeap {
			os.Exit(exitMemory)
		}
		if time.Now().After(deadline) {
			os.Exit(exitTime)
		}
		time.AfterFunc(watchEvery, look)
	}
	time.AfterFunc(watchEvery, look)
	return func() { over.Store(true) }
}

// run answers one request. What a script makes an interpreter panic with is an error of the script.
func (s *server) run(r request) (a answer) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case *goja.InterruptedError: // while an error was put into words, which may be the script's own doing
			a = answer{Error: "stopped", Cause: causeTime}
		default:
			a = answer{Error: fmt.Sprintf("the script cannot be run: %v", cause)}
		}
	}()
	var value []byte
	var err error
	if r.Language == flow.JQ {
		value, err = s.jq(r)
	} else {
		value, err = s.javaScript(r)
	}
	var interrupted *goja.InterruptedError
	switch {
	case errors.As(err, &interrupted), errors.Is(err, context.DeadlineExceeded):
		return answer{Error: "stopped", Cause: causeTime}
	case err != nil:
		return answer{Error: clipped(err.Error())}
	case len(value) > MaxResult:
		return answer{Error: fmt.Sprintf("%d bytes of JSON, at most %d", len(value), MaxResult), Cause: causeLarge}
	}
	return answer{Value: value}
}

// clipped keeps an error, of which a script may choose the text, at a length to be read.
func clipped(text string) string {
	if len(text) <= maxError {
		return text
	}
	return strings.ToValidUTF8(text[:maxError], "") + "..."
}

// javaScript runs in a fresh world, so that no script finds what another one left.
func (s *server) javaScript(r request) ([]byte, error) {
	program := s.programs[r.Text]
	if program == nil {
		var err error
		if program, err = goja.Compile("script", r.Text, false); err != nil {
			return nil, err
		}
		if len(s.programs) >= kept || s.programs == nil {
			s.programs = map[string]*goja.Program{}
		}
		s.programs[r.Text] = program
	}
	if r.OnlyCompile {
		return nil, nil
	}
	vm := goja.New()
	vm.SetMaxCallStackSize(MaxDepth)
	tools := vm.Get("JSON").ToObject(vm) // taken before the script can change them
	parse, _ := goja.AssertFunction(tools.Get("parse"))
	stringify, _ := goja.AssertFunction(tools.Get("stringify"))
	input, err := parse(goja.Undefined(), vm.ToValue(string(r.Input)))
	if err != nil {
		return nil, err
	}
	if err := vm.Set("$", input); err != nil {
		return nil, err
	}
	defer time.AfterFunc(r.Limit, func() { vm.Interrupt("time") }).Stop()
	value, err := vm.RunProgram(program)
	if err != nil {
		return nil, inWords(err)
	}
	if value, err = settled(value); err != nil {
		return nil, err
	}
	text, err := stringify(goja.Undefined(), value)
	if err != nil {
		return nil, inWords(err)
	}
	if goja.IsUndefined(text) { // a function, or nothing at all
		return []byte("null"), nil
	}
	return []byte(text.String()), nil
}

// inWords leaves the stack trace out of a script's error.
func inWords(err error) error {
	var thrown *goja.Exception
	var deep *goja.StackOverflowError
	switch {
	case errors.As(err, &deep):
		return fmt.Errorf("functions call one another more than %d deep", MaxDepth)
	case errors.As(err, &thrown):
		return errors.New(thrown.Error())
	}
	return err
}

// settled is what a promise was resolved to; anything else is itself.
func settled(value goja.Value) (goja.Value, error) {
	if value == nil || value.ExportType() != reflect.TypeFor[*goja.Promise]() {
		return value, nil
	}
	promise := value.Export().(*goja.Promise)
	switch promise.State() {
	case goja.PromiseStateFulfilled:
		return promise.Result(), nil
	case goja.PromiseStateRejected:
		return nil, fmt.Errorf("the promise was rejected: %s", promise.Result())
	}
	return nil, errors.New("the promise never settles: nothing happens later in a script")
}

func (s *server) jq(r request) ([]byte, error) {
	code := s.queries[r.Text]
	if code == nil {
		query, err := gojq.Parse(r.Text)
		if err != nil {
			return nil, err
		}
		if code, err = gojq.Compile(query); err != nil {
			return nil, err
		}
		if len(s.queries) >= kept || s.queries == nil {
			s.queries = map[string]*gojq.Code{}
		}
		s.queries[r.Text] = code
	}
	if r.OnlyCompile {
		return nil, nil
	}
	input, err := flow.Decode(r.Input)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.Limit)
	defer cancel()
	outputs := []any{}
	for iter := code.RunWithContext(ctx, forJQ(input)); ; {
		v, ok := iter.Next()
		if !ok {
			return gojq.Marshal(outputs)
		}
		var halt *gojq.HaltError
		switch err, bad := v.(error); {
		case bad && errors.As(err, &halt) && halt.Value() == nil:
			return gojq.Marshal(outputs)
		case bad:
			return nil, err
		}
		outputs = append(outputs, v)
	}
}

// forJQ makes of every int64 an int, the only whole number that jq knows here.
func forJQ(v any) any {
	switch v := v.(type) {
	case int64:
		return int(v)
	case []any:
		for i := range v {
			v[i] = forJQ(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = forJQ(v[k])
		}
	}
	return v
}
