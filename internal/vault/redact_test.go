package vault

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"switchboard/internal/flow"
)

func redactorOf(values ...flow.Value) *Redactor {
	r := &Redactor{}
	for _, v := range values {
		r.add(v)
	}
	r.build()
	return r
}

func TestSecretIsFoundHoweverItIsWritten(t *testing.T) {
	r := redactorOf(value)
	inJSON, _ := json.Marshal(flow.Map{"a": value})
	forms := map[string]string{
		"as it is": value, "JSON": string(inJSON), "query": url.QueryEscape(value), "path": url.PathEscape(value),
		"small":     strings.ToLower(url.QueryEscape(value)),
		"component": "s3cr%22t%2F%2B%20%3Cvalue%3E%20%26%20%C3%BCmlaut%3F%3D%25",
		"hex":       hex.EncodeToString([]byte(value)), "HEX": fmt.Sprintf("%X", value),
		"slashes": strings.ReplaceAll(string(inJSON), "/", `\/`),
		"ascii":   `s3cr\"t/+ <value> & \u00fcmlaut?=%`,
		"html":    "s3cr&#34;t/+ &lt;value&gt; &amp; ümlaut?=%",
	}
	for before := range 4 {
		for after := range 3 {
			around := []byte(strings.Repeat("a", before) + value + strings.Repeat("z", after))
			forms[fmt.Sprint("base64 ", before, after)] = base64.StdEncoding.EncodeToString(around)
			forms[fmt.Sprint("base64 of URLs ", before, after)] = base64.RawURLEncoding.EncodeToString(around)
		}
	}
	for name, text := range forms {
		if got := r.Text("before " + text + " after"); !strings.Contains(got, Mask) || strings.Contains(got, "value") ||
			!strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") {
			t.Errorf("%s: %s", name, got)
		}
		if !r.Holds(text) {
			t.Errorf("%s: not held", name)
		}
	}
	if plain := "nothing of it, s3cr, nor ümlaut"; r.Text(plain) != plain || r.Holds(plain) {
		t.Error(r.Text(plain))
	}
}

func TestOneSecretWithinAnother(t *testing.T) {
	if got := redactorOf("pass", "password").Text("my password"); got != "my "+Mask {
		t.Error(got)
	}
}

func TestValuesAreSearchedDeep(t *testing.T) {
	r := redactorOf("12345", "key-name")
	got := r.Value(flow.Map{"a": []any{"x12345y", int64(12345), int64(1234), 123.45, nil, true}, "key-name": "v"})
	want := flow.Map{"a": []any{"x***y", Mask, int64(1234), 123.45, nil, true}, Mask: "v"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	var none *Redactor
	if none.Text("12345") != "12345" || none.Value(int64(5)) != int64(5) || (&Redactor{}).Text("12345") != "12345" {
		t.Error("a redactor of nothing took something out")
	}
}

func TestHeadersThatAreNeverKept(t *testing.T) {
	for name, want := range map[string]bool{
		"Authorization": true, "cookie": true, "SET-COOKIE": true, "X-Api-Key": true, "X-Auth-Token": true, "Tokens": true,
		"Proxy-Authorization": true, "Content-Type": false, "X-Key": false, "Idempotency-Key": false,
	} {
		if MaskedHeader(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

func TestMaskedFields(t *testing.T) {
	in := flow.Map{"pin": int64(1), "a": []any{flow.Map{"pin": flow.Map{"x": "y"}, "other": "z"}}}
	want := flow.Map{"pin": Mask, "a": []any{flow.Map{"pin": Mask, "other": "z"}}}
	if got := Masked(in, []string{"pin"}); !reflect.DeepEqual(got, want) || in["pin"] != int64(1) {
		t.Errorf("%v", got)
	}
	if got := Masked(in, nil); !reflect.DeepEqual(got, in) {
		t.Errorf("%v", got)
	}
}

func FuzzRedactor(f *testing.F) {
	f.Add("secret", "a", "b")
	f.Add("\xff\xfe\xfd\xfc", "", "")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		if len(secret) < MinText || strings.Contains(before+Mask+after, secret) {
			return // too short, or there anyway
		}
		r := redactorOf(secret)
		whole := before + secret + after
		if strings.Contains(r.Text(whole), secret) && !strings.Contains(secret, "*") {
			t.Errorf("%q is still in %q", secret, r.Text(whole))
		}
		if len(secret) >= 8 {
			coded := base64.StdEncoding.EncodeToString([]byte(whole))
			if !r.Holds(coded) {
				t.Errorf("%q is not found in %s", secret, coded)
			}
		}
	})
}
