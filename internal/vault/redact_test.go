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
	twice, _ := json.Marshal(string(inJSON))
	forms["JSON in JSON"] = string(twice)
	again, _ := json.Marshal(string(twice))
	forms["and again"] = string(again)
	forms["URL in a URL"] = url.QueryEscape(url.QueryEscape(value))
	forms["URL in JSON in a URL"] = url.QueryEscape(`{"at":"http:\/\/x\/?k=` + url.QueryEscape(value) + `"}`)
	forms["as little escaped as a query may"] = `s3cr%22t/+%20%3Cvalue%3E%20&%20%c3%bcmlaut?=%25`
	forms["HTML in JSON"] = `s3cr&quot;t\/&#43; \u0026lt;value\u0026gt; &amp;amp; \\u00fcmlaut?=%`
	forms["base64 of JSON"] = base64.StdEncoding.EncodeToString(inJSON)
	forms["base64 of a query"] = base64.StdEncoding.EncodeToString([]byte("k=" + url.QueryEscape(value)))
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

func TestSpellingsOfSecretsWithBackslashesAndLines(t *testing.T) {
	for _, secret := range []string{`C:\new\u0041\x41\"`, "-----BEGIN\nkey\tof 😀 lines\r\n-----END", "a+b c%2541&lt;"} {
		r := redactorOf(secret)
		text := secret
		for level := range 4 {
			if got := r.Text("<" + text + ">"); strings.Trim(got, `<>\`) != Mask {
				t.Errorf("%q, escaped %d times: %q", secret, level, got)
			}
			inJSON, _ := json.Marshal(text)
			text = string(inJSON[1 : len(inJSON)-1])
		}
		if got := r.Text("<" + url.QueryEscape(secret) + ">"); got != "<"+Mask+">" {
			t.Errorf("%q in a query: %q", secret, got)
		}
	}
	if got := redactorOf("a+bcd").Text("k = a bcd, a%2bbcd and a%2Bbcd%"); got != "k = ***, *** and ***%" {
		t.Error(got)
	}
	harmless := `100 % of \"x\" & \u12 \ud83d \ud83d\ud83d %zz &nosuch; %`
	if got := redactorOf("nothing + of it").Text(harmless); got != harmless {
		t.Error(got)
	}
	if got := redactorOf("abcdef", "cdefgh").Text(`%61bcdefgh \`); got != Mask+` \` {
		t.Error(got)
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

// FuzzText has any text go through: what is left holds no secret in the spellings that are known.
func FuzzText(f *testing.F) {
	for _, text := range []string{"a+b c%25", `\\u0061+\\x62 c%`, "&#97;%2Bb%20c%", `\ud83d\ude00\`, "a+b+c%"} {
		f.Add(text)
	}
	r := redactorOf("a+b c%", `q"\nx`)
	f.Fuzz(func(t *testing.T, text string) {
		got := r.Text(text)
		if r.Holds(got) {
			t.Errorf("%q became %q, which becomes %q", text, got, r.Text(got))
		}
		if s := spell(text, true); len(s.at) != len(s.text)+1 || s.text != spell(text, false).text {
			t.Errorf("%q: %d places of %q", text, len(s.at), s.text)
		}
	})
}
