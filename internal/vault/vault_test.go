package vault

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"switchboard/internal/flow"
	"switchboard/internal/store"
)

const value = "s3cr\"t/+ <value> & ümlaut?=%"

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// world is a vault on a store of its own.
func world(t *testing.T, dir, key string) (*Vault, *store.Store, *clock) {
	t.Helper()
	s, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	at := &clock{time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	v, err := Open(t.Context(), dir, key, s, at.Now)
	if err != nil {
		t.Fatal(err)
	}
	return v, s, at
}

func put(t *testing.T, v *Vault, name string, value flow.Value, hosts ...string) {
	t.Helper()
	if err := v.Put(t.Context(), name, value, hosts); err != nil {
		t.Fatal(err)
	}
}

func TestSecretIsPutInAndTakenOut(t *testing.T) {
	v, _, _ := world(t, t.TempDir(), "")
	put(t, v, "KEY", value)
	put(t, v, "login", flow.Map{"user": "adaada", "list": []any{"first1", "second2"}, "deep": flow.Map{"x": "inner1"}})
	stored := flow.Map{
		"headers": flow.Map{"Authorization": "Bearer ${workflow.secrets.KEY}", "X": "$${workflow.secrets.KEY}"},
		"body": flow.Map{
			"user": "${workflow.secrets.login.user}", "second": "${workflow.secrets.login.list.1}",
			"deep": "${workflow.secrets.login.deep}", "n": int64(1), "text": "in ${workflow.secrets.login.deep}",
		},
	}
	got, red, err := v.Fill(stored, Destination{Host: "api.example.com"})
	want := flow.Map{
		"headers": flow.Map{"Authorization": "Bearer " + value, "X": "${workflow.secrets.KEY}"},
		"body": flow.Map{
			"user": "adaada", "second": "second2", "deep": flow.Map{"x": "inner1"}, "n": int64(1), "text": `in {"x":"inner1"}`,
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v, %v", got, err)
	}
	said := string(flow.Encode(red.Value(got)))
	for _, secret := range []string{value, "adaada", "second2", "inner1"} {
		if strings.Contains(said, secret) {
			t.Errorf("%s is still in %s", secret, said)
		}
	}
	if !strings.Contains(said, "${workflow.secrets.KEY}") || !strings.Contains(said, `"n":1`) {
		t.Error(said)
	}
	for _, bad := range []string{"NONE", "KEY.part", "login.nobody", "login.list.2", "login.list.x", "login.user.x"} {
		_, _, err := v.Fill("${workflow.secrets."+bad+"}", Destination{})
		if err == nil || !strings.Contains(err.Error(), strings.Split(bad, ".")[0]) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, _, err := v.Fill("${workflow.secrets.NONE}", Destination{}); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

func TestHostsOfASecret(t *testing.T) {
	v, _, _ := world(t, t.TempDir(), "")
	put(t, v, "bound", value,
		"API.example.com", "*.example.org", "pbx.test:8443", "10.1.2.3", "[2001:db8::1]:81", "2001:db8::2")
	put(t, v, "free", value)
	for _, test := range []struct {
		host, port string
		want       bool
	}{
		{"api.example.com", "443", true},
		{"API.EXAMPLE.COM.", "80", true},
		{"example.com", "443", false},
		{"x.api.example.com", "443", false},
		{"api.example.com.evil.test", "443", false},
		{"a.example.org", "443", true},
		{"a.b.example.org", "443", true},
		{"example.org", "443", false},
		{"evilexample.org", "443", false},
		{"pbx.test", "8443", true},
		{"pbx.test", "443", false},
		{"10.1.2.3", "1", true},
		{"2001:db8::1", "81", true},
		{"2001:db8::1", "80", false},
		{"2001:db8::2", "80", true},
		{"", "", false},
	} {
		for _, chosen := range []bool{false, true} {
			_, _, err := v.Fill("${workflow.secrets.bound}", Destination{test.host, test.port, chosen})
			if (err == nil) != test.want || err != nil && !errors.Is(err, ErrHost) {
				t.Errorf("%s:%s: %v", test.host, test.port, err)
			}
		}
	}
	if _, _, err := v.Fill("${workflow.secrets.free}", Destination{Host: "any.test"}); err != nil {
		t.Error("a host that the definition names:", err)
	}
	_, _, err := v.Fill("${workflow.secrets.free}", Destination{Host: "any.test", Chosen: true})
	if !errors.Is(err, ErrHost) {
		t.Error("a host that a value chose:", err)
	}
	if _, _, err := v.Fill("nothing", Destination{Chosen: true}); err != nil {
		t.Error("no secret at all:", err)
	}
}

func TestWhatIsNoSecretIsRefused(t *testing.T) {
	v, _, _ := world(t, t.TempDir(), "")
	long := strings.Repeat("x", MaxValue-2)
	hosts := make([]string, MaxHosts+1)
	for i := range hosts {
		hosts[i] = fmt.Sprintf("h%d", i)
	}
	for _, test := range []struct {
		name  string
		value flow.Value
		hosts []string
		want  string
	}{
		{"", "text", nil, "name"},
		{"a.b", "text", nil, "name"},
		{"a b", "text", nil, "name"},
		{strings.Repeat("n", 101), "text", nil, "name"},
		{"a", "abc", nil, "value"},
		{"a", int64(12345), nil, "value"},
		{"a", nil, nil, "value"},
		{"a", flow.Map{}, nil, "value"},
		{"a", []any{}, nil, "value"},
		{"a", flow.Map{"x": flow.Map{"y": "no"}}, nil, "x: y"},
		{"a", []any{"good", true}, nil, "1:"},
		{"a", long + "x", nil, "value"},
		{"a", "text", []string{""}, "hosts"},
		{"a", "text", []string{"*"}, "hosts"},
		{"a", "text", []string{"https://x"}, "hosts"},
		{"a", "text", []string{"x:0"}, "hosts"},
		{"a", "text", []string{"x:65536"}, "hosts"},
		{"a", "text", []string{"a.*.b"}, "hosts"},
		{"a", "text", []string{"x/y"}, "hosts"},
		{"a", "text", hosts, "hosts"},
	} {
		err := v.Put(t.Context(), test.name, test.value, test.hosts)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q %.20v %.30v: %v", test.name, test.value, test.hosts, err)
		}
	}
	if len(v.List()) != 0 {
		t.Error(v.List())
	}
	put(t, v, strings.Repeat("n", 100), long, hosts[:MaxHosts]...)
	put(t, v, "four", "abcd")
}

func TestThereIsRoomForSoMany(t *testing.T) {
	v, _, _ := world(t, t.TempDir(), "")
	put(t, v, "first", value)
	for i := range MaxSecrets - 1 {
		v.secrets[fmt.Sprint(i)] = store.Secret{}
	}
	put(t, v, "first", value)
	if err := v.Put(t.Context(), "one-more", value, nil); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
}

func TestSecretsOutliveARestart(t *testing.T) {
	dir := t.TempDir()
	v, s, at := world(t, dir, "")
	if _, err := os.Stat(filepath.Join(dir, KeyFile)); err == nil {
		t.Error("a key before the first secret")
	}
	put(t, v, "KEY", value, "a.test")
	at.now = at.now.Add(time.Hour)
	put(t, v, "KEY", value+"2", "b.test")
	if _, _, err := v.Fill("${workflow.secrets.KEY}", Destination{Host: "b.test"}); err != nil {
		t.Fatal(err)
	}
	before := v.List()
	info, err := os.Stat(filepath.Join(dir, KeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	v, _, _ = world(t, dir, "")
	got := v.List()
	if !reflect.DeepEqual(got, before) || len(got) != 1 || got[0].Updated.Sub(got[0].Created) != time.Hour ||
		!got[0].Used.Equal(at.now) || !slices.Equal(got[0].Hosts, []string{"b.test"}) {
		t.Errorf("%+v, was %+v", got, before)
	}
	if got, _, err := v.Fill("${workflow.secrets.KEY}", Destination{Host: "b.test"}); got != value+"2" || err != nil {
		t.Error(got, err)
	}
	if gone, err := v.Delete(t.Context(), "KEY"); !gone || err != nil || v.Has("KEY") {
		t.Error(gone, err)
	}
	if gone, _ := v.Delete(t.Context(), "KEY"); gone {
		t.Error("deleted twice")
	}
}

// TestTheDiskHoldsNoSecret looks through every file of the data directory and a backup.
func TestTheDiskHoldsNoSecret(t *testing.T) {
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "backup.db")
	v, s, _ := world(t, dir, "")
	put(t, v, "KEY", value)
	if _, _, err := v.Fill("${workflow.secrets.KEY}", Destination{}); err != nil {
		t.Fatal(err)
	}
	beside, err := store.OpenBeside(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(beside.Backup(t.Context(), to), beside.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	key, err := os.ReadFile(filepath.Join(dir, KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := hex.DecodeString(strings.TrimSpace(string(key)))
	for _, file := range append(files, to) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range append(formsOf(value), "s3cr") {
			if bytes.Contains(content, []byte(form)) {
				t.Errorf("%s holds %q", file, form)
			}
		}
		isDatabase := filepath.Base(file) != KeyFile
		if isDatabase && (bytes.Contains(content, raw) || bytes.Contains(content, bytes.TrimSpace(key))) {
			t.Errorf("%s holds the key", file)
		}
	}
	if len(files) < 2 {
		t.Error(files)
	}
}

func TestKeyFromTheEnvironment(t *testing.T) {
	dir, key := t.TempDir(), strings.Repeat("ab", keyBytes)
	v, s, _ := world(t, dir, key)
	put(t, v, "KEY", value)
	if _, err := os.Stat(filepath.Join(dir, KeyFile)); err == nil {
		t.Error("a key file beside the given key")
	}
	raw, _ := hex.DecodeString(key)
	again, err := Open(t.Context(), dir, base64.StdEncoding.EncodeToString(raw), s, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := again.Fill("${workflow.secrets.KEY}", Destination{}); got != value || err != nil {
		t.Error(got, err)
	}
	for _, bad := range []string{"short", strings.Repeat("ab", keyBytes-1), strings.Repeat("zz", keyBytes)} {
		if _, err := Open(t.Context(), dir, bad, s, time.Now); err == nil || strings.Contains(err.Error(), bad) {
			t.Error(err)
		}
	}
	wrong, err := Open(t.Context(), dir, strings.Repeat("cd", keyBytes), s, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := wrong.Fill("${workflow.secrets.KEY}", Destination{}); !errors.Is(err, errWrongKey) {
		t.Error(err)
	}
}

func TestLostKeyIsNotReplaced(t *testing.T) {
	dir := t.TempDir()
	v, s, _ := world(t, dir, "")
	put(t, v, "one", value)
	put(t, v, "two", value)
	path := filepath.Join(dir, KeyFile)
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	v, err := Open(t.Context(), dir, "", s, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := v.Fill("${workflow.secrets.one}", Destination{}); !errors.Is(err, errNoKey) {
		t.Error(err)
	}
	if err := v.Put(t.Context(), "three", value, nil); !errors.Is(err, errNoKey) {
		t.Error(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("another key was made")
	}
	_, _ = v.Delete(t.Context(), "one")
	put(t, v, "two", value) // entered again: nothing is left that the lost key would open
}

func TestKeyFileOfOthersIsRefused(t *testing.T) {
	dir := t.TempDir()
	v, s, _ := world(t, dir, "")
	put(t, v, "KEY", value)
	path := filepath.Join(dir, KeyFile)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, "", s, time.Now); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Error(err)
	}
	_ = os.Chmod(path, 0o600)
	if err := os.WriteFile(path, []byte("no key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, "", s, time.Now); err == nil || !strings.Contains(err.Error(), KeyFile) {
		t.Error(err)
	}
}

// TestSealedSecretIsTiedToItsNameAndHosts moves one about on disk, as somebody could who writes to the database.
func TestSealedSecretIsTiedToItsNameAndHosts(t *testing.T) {
	v, s, _ := world(t, t.TempDir(), "")
	put(t, v, "KEY", value, "good.test")
	list, err := s.Secrets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*store.Secret){
		func(s *store.Secret) { s.Hosts = []string{"evil.test"} },
		func(s *store.Secret) { s.Hosts = nil },
		func(s *store.Secret) { s.Name = "OTHER" },
		func(s *store.Secret) { s.Sealed = append([]byte{}, s.Sealed...); s.Sealed[20] ^= 1 },
		func(s *store.Secret) { s.Sealed = s.Sealed[:5] },
	} {
		moved := list[0]
		change(&moved)
		v.secrets[moved.Name] = moved
		host := "evil.test"
		if len(moved.Hosts) > 0 {
			host = moved.Hosts[0]
		}
		if _, _, err := v.Fill("${workflow.secrets."+moved.Name+"}", Destination{Host: host}); !errors.Is(err, errWrongKey) {
			t.Errorf("%+v: %v", moved, err)
		}
	}
}

type failing struct{ Records }

func (failing) PutSecret(context.Context, store.Secret) error      { return errors.New("disk") }
func (failing) DeleteSecret(context.Context, string) (bool, error) { return false, errors.New("disk") }

func (failing) Secrets(context.Context) ([]store.Secret, error) { return nil, errors.New("disk") }

func TestFailingDiskChangesNothing(t *testing.T) {
	dir := t.TempDir()
	v, s, _ := world(t, dir, "")
	put(t, v, "KEY", value)
	v.records = failing{s}
	if err := v.Put(t.Context(), "KEY", "another value", nil); err == nil {
		t.Error("put on a failing disk")
	}
	if _, err := v.Delete(t.Context(), "KEY"); err == nil {
		t.Error("deleted on a failing disk")
	}
	if got, _, err := v.Fill("${workflow.secrets.KEY}", Destination{}); got != value || err != nil {
		t.Error(got, err)
	}
	if _, err := Open(t.Context(), dir, "", failing{s}, time.Now); err == nil {
		t.Error("opened on a failing disk")
	}
}
