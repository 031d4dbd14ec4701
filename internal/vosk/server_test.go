package vosk

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// echo is a recogniser that says how much it heard.
type echo struct {
	grammar string
	heard   int
	closed  chan struct{}
}

func (e *echo) Accept(pcm []int16) (string, error) {
	if pcm[0] == -1 {
		return "", errors.New("this audio hurts")
	}
	e.heard += len(pcm)
	return fmt.Sprintf(`{"partial": "%d"}`, e.heard), nil
}
func (e *echo) Finish() string { return fmt.Sprintf(`{"text": "%d %s"}`, e.heard, e.grammar) }
func (e *echo) Close()         { close(e.closed) }

type bench struct {
	*Server
	at   *httptest.Server
	last *echo
}

func newBench(t *testing.T, streams int) *bench {
	t.Helper()
	b := &bench{}
	b.Server = NewServer(func(grammar string) (Recognizer, error) {
		b.last = &echo{grammar: strings.ReplaceAll(grammar, `"`, "'"), closed: make(chan struct{})}
		return b.last, nil
	}, streams, 1, slog.New(slog.DiscardHandler))
	b.at = httptest.NewServer(b.Server)
	t.Cleanup(b.at.Close)
	return b
}

func (b *bench) dial(t *testing.T) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), b.at.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

func send(t *testing.T, conn *websocket.Conn, kind websocket.MessageType, message string) {
	t.Helper()
	if err := conn.Write(t.Context(), kind, []byte(message)); err != nil {
		t.Fatal(err)
	}
}

func answer(t *testing.T, conn *websocket.Conn) string {
	t.Helper()
	_, message, err := conn.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(message)
}

func TestAStreamFromItsConfigToItsEnd(t *testing.T) {
	b := newBench(t, 1)
	conn := b.dial(t)
	send(t, conn, websocket.MessageText, `{"config": {"sample_rate": 16000.0, "phrase_list": ["yes", "no"]}}`)
	send(t, conn, websocket.MessageBinary, "\x01\x00\x02\x00")
	if got := answer(t, conn); got != `{"partial": "2"}` {
		t.Errorf("audio is answered by %s", got)
	}
	send(t, conn, websocket.MessageText, `{"eof" : 1}`)
	if got := answer(t, conn); got != `{"text": "2 ['yes','no']"}` {
		t.Errorf("the end is answered by %s", got)
	}
	if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("it ends with %v", err)
	}
	<-b.last.closed
}

func TestAStreamThatHeardNothingEnds(t *testing.T) {
	conn := newBench(t, 1).dial(t)
	send(t, conn, websocket.MessageText, `{"eof":1}`)
	if got := answer(t, conn); got != `{"text": ""}` {
		t.Errorf("the end is answered by %s", got)
	}
}

func TestWhatAServerRefuses(t *testing.T) {
	for says, message := range map[string]string{
		"sample_rate: must be 16000": `{"config": {"sample_rate": 8000}}`,
		"phrase_list: at most 5000":  `{"config": {"phrase_list": [` + strings.Repeat(`"a",`, MaxPhrases) + `"a"]}}`,
		"a text message is no JSON":  `{`,
		"audio: half a sample":       "a",
		"this audio hurts":           "\xff\xff",
		"read limited at ":           strings.Repeat("aa", MaxMessage/2+1),
	} {
		kind := websocket.MessageText
		if message[0] != '{' {
			kind = websocket.MessageBinary
		}
		conn := newBench(t, 1).dial(t)
		send(t, conn, kind, message)
		if _, _, err := conn.Read(t.Context()); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.20q ends with %v, want %q", message, err, says)
		}
	}
}

func TestTheCapOnStreamsAndBrowsers(t *testing.T) {
	b := newBench(t, 1)
	first := b.dial(t)
	send(t, first, websocket.MessageBinary, "\x01\x00")
	answer(t, first) // now it certainly has its place
	_, response, err := websocket.Dial(t.Context(), b.at.URL, nil)
	if err == nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("the second stream: %v", err)
	}
	if open, refused := b.Streams(); open != 1 || refused != 1 {
		t.Errorf("%d open, %d refused", open, refused)
	}
	_, response, err = websocket.Dial(t.Context(), b.at.URL, &websocket.DialOptions{
		HTTPHeader: http.Header{"Origin": {b.at.URL}},
	})
	if err == nil || response.StatusCode != http.StatusForbidden {
		t.Errorf("a browser: %v", err)
	}
}

func TestFoldersThatAreNoModel(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	put := func(name string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(path, says string) {
		t.Helper()
		if err := CheckFolder(path); !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", path, err, says)
		}
	}
	refused(filepath.Join(dir, "nowhere"), "no such file")
	put("file")
	refused(file, "is no folder")
	refused(dir, "has no am/final.mdl")
	put("am/final.mdl")
	refused(dir, "has no conf/mfcc.conf")
	put("conf/mfcc.conf")
	refused(dir, "has neither")
	put("graph/HCLr.fst")
	refused(dir, "has neither")
	put("graph/Gr.fst")
	if err := CheckFolder(dir); err != nil {
		t.Error(err)
	}
}

func TestALibraryThatIsNone(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "libvosk.so")); err == nil {
		t.Error("a library that is not there was loaded")
	}
	if _, err := Load("libc.so.6"); err == nil || !strings.Contains(err.Error(), "is no libvosk") {
		t.Errorf("the C library: %v", err)
	}
}
