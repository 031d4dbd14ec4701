package script

import (
	"context"
	"errors"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/flow"
)

func TestJavaScript(t *testing.T) {
	s := &Sandbox{}
	defer s.Close()
	input := flow.Map{
		"n": int64(3), "id": int64(1<<53 - 1), "f": 1.5, "text": "hé\u2028llo", "list": []any{int64(1), nil, true},
		"o": flow.Map{"a": flow.Map{"b": "c"}},
	}
	for text, want := range map[string]any{
		"$.n + 1":                       int64(4),
		"$.n / 2":                       1.5,
		"4 / 2":                         int64(2),
		"$.id":                          int64(1<<53 - 1),
		"$.text":                        "hé\u2028llo",
		"$":                             input,
		"(function(){ return $.o; })()": flow.Map{"a": flow.Map{"b": "c"}},
		"function e() { if ($.n > 2) { return true } } e();": true,
		"var x = 1; x":       int64(1),
		"undefined":          nil,
		"":                   nil,
		"(() => 1)":          nil,
		"NaN":                nil,
		"new Date(0)":        "1970-01-01T00:00:00.000Z",
		"Promise.resolve(5)": int64(5),
		"(async () => { const x = await 2; return x + 1 })()": int64(3),
		"$.list.map(x => x)": []any{int64(1), nil, true},
		"$['o']['a'].b":      "c",
		"1e300 * 10":         1e301,
	} {
		got, err := s.Evaluate(t.Context(), flow.JavaScript, text, input)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v; want %#v", text, got, err, want)
		}
	}
}

func TestJQ(t *testing.T) {
	s := &Sandbox{}
	defer s.Close()
	input := flow.Map{"a": int64(1<<60 + 1), "list": []any{int64(2), int64(1)}}
	for text, want := range map[string]any{
		".a":                  []any{int64(1<<60 + 1)},
		".list | sort":        []any{[]any{int64(1), int64(2)}},
		".list[]":             []any{int64(2), int64(1)},
		"empty":               []any{},
		".list | add / 2":     []any{1.5},
		"nan":                 []any{nil},
		"env":                 []any{flow.Map{}},
		"$ENV":                []any{flow.Map{}},
		"1, halt, 2":          []any{int64(1)},
		".a * 1000 | . > 1e3": []any{true},
	} {
		got, err := s.Evaluate(t.Context(), flow.JQ, text, input)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v; want %#v", text, got, err, want)
		}
	}
}

func TestWhatIsWrongWithAScriptIsSaid(t *testing.T) {
	s := &Sandbox{}
	defer s.Close()
	for _, test := range []struct {
		language flow.Language
		text     string
		want     string
		compiles bool
	}{
		{flow.JavaScript, "$.x.y", "TypeError", true},
		{flow.JavaScript, "throw new Error('no')", "no", true},
		{flow.JavaScript, "throw 'x'.repeat(100000)", "...", true},
		{flow.JavaScript, "return 1", "return", false},
		{flow.JavaScript, "var = 3", "SyntaxError", false},
		{flow.JavaScript, "require('fs')", "require is not defined", true},
		{flow.JavaScript, "import('fs')", "reserved word", false},
		{flow.JavaScript, "process.env", "process is not defined", true},
		{flow.JavaScript, "fetch('http://127.0.0.1')", "fetch is not defined", true},
		{flow.JavaScript, "var a = {}; a.a = a; a", "circular", true},
		{flow.JavaScript, "Promise.reject('why')", "why", true},
		{flow.JavaScript, "new Promise(() => {})", "never settles", true},
		{flow.JQ, ".[", "unexpected", false},
		{flow.JQ, "nosuch", "nosuch", false},
		{flow.JQ, ". + 1", "cannot add", true},
		{flow.JQ, `error("own")`, "own", true},
		{flow.JQ, `import "x" as x; .`, "module", false},
		{flow.JQ, "input", "input", false},
		{"python", "1", "no language", false},
		{flow.JavaScript, strings.Repeat(" ", MaxText+1), "too large", false},
	} {
		_, err := s.Evaluate(t.Context(), test.language, test.text, flow.Map{})
		if err == nil || !strings.Contains(err.Error(), test.want) || len(err.Error()) > maxError+10 {
			t.Errorf("%.40s: %v", test.text, err)
		}
		if err := s.Compile(t.Context(), test.language, test.text); (err == nil) != test.compiles {
			t.Errorf("%.40s: compiling: %v", test.text, err)
		}
	}
	if got, err := s.Evaluate(t.Context(), flow.JavaScript, strings.Repeat(" ", MaxText-1)+"7", nil); got != int64(7) {
		t.Error("a script of the greatest length:", got, err)
	}
}

func TestSizesAreBounded(t *testing.T) {
	s := &Sandbox{}
	defer s.Close()
	most := strconv.Itoa(MaxResult - 2) // in quotation marks
	got, err := s.Evaluate(t.Context(), flow.JavaScript, "'x'.repeat("+most+")", nil)
	if text, ok := got.(string); !ok || len(text) != MaxResult-2 || err != nil {
		t.Error("the largest result:", err)
	}
	if _, err := s.Evaluate(t.Context(), flow.JavaScript, "'x'.repeat("+most+"+1)", nil); !errors.Is(err, ErrTooLarge) {
		t.Error("a larger one:", err)
	}
	if _, err := s.Evaluate(t.Context(), flow.JQ, "[range(300000)]", nil); !errors.Is(err, ErrTooLarge) {
		t.Error("a larger one of jq:", err)
	}
	input := flow.Map{"x": strings.Repeat("y", MaxInput-len(`{"x":""}`))}
	if got, err := s.Evaluate(t.Context(), flow.JavaScript, "$.x.length", input); err != nil {
		t.Error("the largest input:", got, err)
	}
	input["y"] = 1
	if _, err := s.Evaluate(t.Context(), flow.JavaScript, "1", input); !errors.Is(err, ErrTooLarge) {
		t.Error("a larger one:", err)
	}
}

// TestNothingIsLeftForTheNextScript runs scripts that spoil their world one after another in one child.
func TestNothingIsLeftForTheNextScript(t *testing.T) {
	s := &Sandbox{}
	defer s.Close()
	for _, text := range []string{
		"$ = 7; Object.defineProperty(this, '$', {value: 1})",
		"Object.prototype.evil = 1; Array.prototype.map = null; JSON.parse = null; JSON.stringify = () => 'no'; 1",
		"globalThis.leak = 5; leak", "Object.freeze(Object.prototype); 1",
	} {
		if _, err := s.Evaluate(t.Context(), flow.JavaScript, text, nil); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	text := "[typeof leak, ({}).evil, [1].map(x => x), typeof $, JSON.stringify(1)]"
	got, err := s.Evaluate(t.Context(), flow.JavaScript, text, flow.Map{})
	want := []any{"undefined", nil, []any{int64(1)}, "object", "1"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%#v, %v", got, err)
	}
	if len(s.idle) != 1 {
		t.Errorf("%d children", len(s.idle))
	}
}

// hostile are scripts that never end, or take all memory, or both, each in its own way.
var hostile = map[string][]string{
	"javascript": {
		"for (;;);",
		"while (true) { try { for (;;); } catch (e) {} finally { continue } }",
		"var a = []; for (;;) a.push(new Array(1000).fill(1))",
		"var s = 'x'; for (;;) s += s",
		"'x'.repeat(2**31)",
		"'x'.repeat(2**28).split('')",
		"''.padEnd(2**30, 'ab')",
		"new Array(2**32 - 1).fill(0)",
		"new Array(2**32 - 1).join('x')",
		"Array.from({length: 2**32 - 1})",
		"Array.prototype.indexOf.call({length: 2**53 - 1}, 1)",
		"Array.prototype.reverse.call({length: 2**53 - 1})",
		"var a = []; a.length = 2**32 - 1; a.lastIndexOf(1)",
		"new ArrayBuffer(2**36); new Uint8Array(2**31).fill(1)",
		"Math.max.apply(null, {length: 2**31})",
		"function f() { return f() } f()",
		"function f(x) { return [x].map(f) } f(1)",
		"var p = new Proxy({}, {get: () => p, has: () => true}); for (;;) p.x.y",
		"new Proxy([], {get: (t, k) => k === 'length' ? 2**53 - 1 : undefined, has: () => false})",
		"({get a() { for (;;); }})",
		"({toJSON() { for (;;); }})",
		"throw {toString() { for (;;); }}",
		"var o = {get a() { return {__proto__: o} }}; o",
		"Object.defineProperty(Object.prototype, 'toJSON', {get() { for (;;); }}); ({})",
		"/^(a+)+$/.test('a'.repeat(40) + 'b')",
		"/^(?=(a+)+$)b/.test('a'.repeat(40) + 'b')",
		`/(a*)*\1b/.test('a'.repeat(40))`,
		"/(x+x+)+y(?!z)/.test('x'.repeat(40))",
		"async function f() { for (;;) await 1 } f()",
		"(function* () { for (;;) yield 1 })().next(); [...(function* () { for (;;) yield 1 })()]",
		"JSON.parse('['.repeat(10000000))",
		"var a = []; for (var i = 0; i < 1e7; i++) a = [a]; a",
		"10n ** 10n ** 10n",
		"[1,2,3].sort(() => { for (;;); })",
		"eval('for(;;);')",
		"new Function('for(;;);')()",
		"var m = new Map(); for (var i = 0; ; i++) m.set(i, {})",
		"Symbol.iterator; var x = {[Symbol.toPrimitive]() { for (;;); }}; x + 1",
		strings.Repeat("(", 30000) + "1" + strings.Repeat(")", 30000) + "; for(;;);",
		"var e = new Error(); e.message = e; Object.defineProperty(e, 'name', {get() { for (;;); }}); throw e",
	},
	"jq": {
		"[range(1e12)]", "def f: f; f", "def f: f | f; f", "[repeat(1)]", "last(range(1e12))",
		`"x" * 1000000000 | . * 1000`, "reduce range(1e9) as $x ([]; . + [$x, $x])", "[limit(1e12; repeat(.))]",
		`"` + strings.Repeat("a", 40) + `b" | test("^(a+)+$") | [repeat(.)]`, "until(false; .)",
		"[.[]?, repeat([.])] ", "def f(x): f(x | x); f(.)",
	},
}

// harmless are those that turn out to be so: no such object is built in the end, RE2 is linear.
var harmless = []string{
	"var o = {get a() { return {__proto__: o} }}; o", "/^(a+)+$/.test('a'.repeat(40) + 'b')",
	"/^(?=(a+)+$)b/.test('a'.repeat(40) + 'b')",
}

// TestHostileScriptsEnd runs them all at a limit: each is stopped for the right reason, and the sandbox goes on.
func TestHostileScriptsEnd(t *testing.T) {
	s := &Sandbox{limit: 60 * time.Millisecond}
	defer s.Close()
	var wg sync.WaitGroup
	for language, list := range hostile {
		for _, text := range list {
			wg.Go(func() {
				_, err := s.Evaluate(t.Context(), flow.Language(language), text, flow.Map{})
				switch {
				case errors.Is(err, ErrTime), errors.Is(err, ErrMemory), err != nil && strings.Contains(err.Error(), " deep"):
				case err == nil && slices.Contains(harmless, text):
				default:
					t.Errorf("%.70s: %v", text, err)
				}
			})
		}
	}
	wg.Wait()
	s.limit = 0
	if got, err := s.Evaluate(t.Context(), flow.JavaScript, "1 + 1", nil); got != int64(2) || err != nil {
		t.Error("the script after them:", got, err)
	}
}

func TestWhyAScriptWasStoppedIsSaid(t *testing.T) {
	s := &Sandbox{limit: 100 * time.Millisecond}
	defer s.Close()
	if _, err := s.Evaluate(t.Context(), flow.JavaScript, "for(;;);", nil); !errors.Is(err, ErrTime) {
		t.Error(err)
	}
	if _, err := s.Evaluate(t.Context(), flow.JQ, "last(range(1e12))", nil); !errors.Is(err, ErrTime) {
		t.Error(err)
	}
	native := "Array.prototype.indexOf.call({length: 2**53 - 1}, 1)" // an interrupt does not reach it
	if _, err := s.Evaluate(t.Context(), flow.JavaScript, native, nil); !errors.Is(err, ErrTime) {
		t.Error(err)
	}
	s.limit = 0
	if _, err := s.Evaluate(t.Context(), flow.JavaScript, "'x'.repeat(2**30)", nil); !errors.Is(err, ErrMemory) {
		t.Error(err)
	}
	if _, err := s.Evaluate(t.Context(), flow.JavaScript, "function f() { return f() } f()", nil); err == nil ||
		!strings.Contains(err.Error(), "deep") {
		t.Error(err)
	}
}

func TestWithdrawnScriptIsStopped(t *testing.T) {
	s := &Sandbox{}
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := s.Evaluate(ctx, flow.JavaScript, "for(;;);", nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := s.Evaluate(ctx, flow.JavaScript, "1", nil); !errors.Is(err, context.Canceled) {
		t.Error("begun after it was withdrawn:", err)
	}
}

func TestCloseStopsWhatRuns(t *testing.T) {
	s := &Sandbox{}
	ended := make(chan error)
	go func() {
		_, err := s.Evaluate(context.Background(), flow.JavaScript, "for(;;);", nil)
		ended <- err
	}()
	for busy := 0; busy == 0; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		busy = len(s.busy)
		s.mu.Unlock()
	}
	s.Close()
	s.Close()
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := s.Evaluate(t.Context(), flow.JavaScript, "1", nil); !errors.Is(err, ErrClosed) {
		t.Error("after Close:", err)
	}
}

// TestChildSeesNothingOfUs asks a child for its environment.
func TestChildSeesNothingOfUs(t *testing.T) {
	t.Setenv("SWITCHBOARD_SECRET_KEY", "hidden")
	c, err := start()
	if err != nil {
		t.Fatal(err)
	}
	defer c.end()
	environment, err := os.ReadFile("/proc/" + strconv.Itoa(c.cmd.Process.Pid) + "/environ")
	if err == nil && strings.Contains(string(environment), "hidden") {
		t.Error(string(environment))
	}
	if strings.Contains(strings.Join(c.cmd.Env, " "), "hidden") {
		t.Error(c.cmd.Env)
	}
}

// FuzzScript holds that no text of either language does anything but give a value or an error in words.
func FuzzScript(f *testing.F) {
	for _, text := range []string{"$.a", "({}).x.y", "[1,2].map(", ".a[]?", "/(?<a>.)\\k<a>/.exec('aa')", "`${1}`"} {
		f.Add(text, true)
		f.Add(text, false)
	}
	s := &Sandbox{limit: 50 * time.Millisecond}
	f.Cleanup(s.Close)
	f.Fuzz(func(t *testing.T, text string, js bool) {
		language := flow.JQ
		if js {
			language = flow.JavaScript
		}
		compiled := s.Compile(t.Context(), language, text)
		_, err := s.Evaluate(t.Context(), language, text, flow.Map{"a": []any{int64(1)}})
		if compiled != nil && err == nil {
			t.Errorf("%q ran but did not compile: %v", text, compiled)
		}
		if err != nil && strings.Contains(err.Error(), "process that ran") {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	s := &Sandbox{}
	defer s.Close()
	for language, text := range map[flow.Language]string{flow.JavaScript: "$.n + 1", flow.JQ: ".n + 1"} {
		b.Run(string(language), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Evaluate(b.Context(), language, text, flow.Map{"n": int64(1)}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
