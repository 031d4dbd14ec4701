package interop

import (
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"switchboard/test/lab"
)

func TestKeyMadeBesideARunningServerWorksAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := lab.Serve(t, dir)
	company := server.Company()
	company.MustAPI("POST", "/api/v2/users",
		`{"email": "ada@lab.example", "first_name": "Ada", "office_id": "`+company.Office+`"}`)
	for _, test := range []struct {
		args   []string
		create int // what POST /callcenters answers
	}{
		{[]string{"--role", "company-admin"}, http.StatusOK},
		{[]string{"--role", "user"}, http.StatusForbidden},
		{[]string{"--role", "user", "--email", "ada@lab.example"}, http.StatusForbidden},
	} {
		out, complaints, code := lab.Run(t, append([]string{"key", "create", "--data", dir}, test.args...)...)
		key := strings.TrimSuffix(out, "\n")
		if code != 0 || key == "" || strings.ContainsAny(key, " \n") {
			t.Fatalf("key create %v: exit %d, printed %q and %q", test.args, code, out, complaints)
		}
		other := lab.NewCompany(t, server.URL, server.SIP, key)
		made := other.API("POST", "/api/v2/callcenters", `{"name": "By another key", "office_id": "`+company.Office+`"}`)
		if made.Status != test.create {
			t.Errorf("%v: POST answered %d %s", test.args, made.Status, made.Raw)
		}
	}
	out, complaints, code := lab.Run(t, "key", "create", "--data", dir, "--role", "user", "--email", "eve@lab.example")
	if code != 1 || out != "" || !strings.Contains(complaints, "eve@lab.example") {
		t.Errorf("a key for nobody: exit %d, %q, %q", code, out, complaints)
	}
}

func TestFirstStartTellsHowToGoOn(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	first := lab.Serve(t, dir, "--timezone", "Europe/Berlin", "--country", "de")
	company := first.Company()
	office := company.MustAPI("GET", "/api/v2/offices/"+company.Office, "")
	if office.Text("timezone") != "Europe/Berlin" || office.Text("country") != "de" {
		t.Errorf("the first office: %s", office.Raw)
	}
	link := regexp.MustCompile(`http://\S+/signin\?token=\S+`).FindString(first.Output())
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	visit := func(url string) *http.Response {
		res, err := browser.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res
	}
	if res := visit(first.URL + "/"); res.StatusCode == http.StatusOK {
		t.Error("a page is open without the link")
	}
	if cookies := visit(link).Cookies(); len(cookies) == 0 {
		t.Errorf("the link %q does not sign a browser in", link)
	}
	if cookies := visit(link).Cookies(); len(cookies) != 0 {
		t.Error("the link signs in twice")
	}
	first.Interrupt()
	if code := first.Exit(); code != 0 {
		t.Errorf("Ctrl-C: exit %d", code)
	}
	second := lab.Serve(t, dir)
	if second.Key != "" || strings.Contains(second.Output(), "signin") {
		t.Errorf("a later start prints secrets again:\n%s", second.Output())
	}
}

func TestHelpAndExitCodes(t *testing.T) {
	t.Parallel()
	if out, _, code := lab.Run(t, "--help"); code != 0 || !strings.Contains(out, "Take calls.") {
		t.Errorf("--help: exit %d, %q", code, out)
	}
	out, _, code := lab.Run(t, "serve", "--help")
	if code != 0 {
		t.Errorf("serve --help: exit %d", code)
	}
	for _, flag := range []string{
		"--data", "--http", "--sip", "--rtp-ports", "--timezone", "--country", "--rate-limit",
		"--company-rate-limit", "--drain", "$SWITCHBOARD_DATA",
	} {
		if !strings.Contains(out, flag) {
			t.Errorf("serve --help does not name %s:\n%s", flag, out)
		}
	}
	_, complaints, code := lab.Run(t, "serve", "--no-such-flag")
	if code != 80 || !strings.Contains(complaints, "no-such-flag") {
		t.Errorf("a wrong flag: exit %d, %q", code, complaints)
	}
	_, complaints, code = lab.Run(t, "serve", "--http", "nonsense", "--country", "germany")
	if code != 1 || !strings.Contains(complaints, "http:") || !strings.Contains(complaints, "country:") {
		t.Errorf("settings that cannot work: exit %d, %q", code, complaints)
	}
}

func TestDoctorAndServeExplainATakenPort(t *testing.T) {
	t.Parallel()
	server := lab.Serve(t, t.TempDir())
	_, taken, _ := strings.Cut(server.URL, "//")
	out, _, code := lab.Run(t, "doctor", "--http", taken, "--sip", "127.0.0.1:0")
	if code != 1 || !strings.Contains(out, "MISSING  pages and API") || !strings.Contains(out, "mend: --http") {
		t.Errorf("doctor beside a server: exit %d\n%s", code, out)
	}
	out, _, code = lab.Run(t, "doctor", "--http", "127.0.0.1:0", "--sip", "127.0.0.1:0")
	if missing := strings.Contains(out, "MISSING"); missing != (code == 1) || code > 1 {
		t.Errorf("doctor: exit %d\n%s", code, out)
	}
	if _, complaints, code := lab.Run(t, "serve", "--http", taken, "--sip", "127.0.0.1:0"); code != 1 ||
		!strings.Contains(complaints, "Another program listens there") {
		t.Errorf("a taken port: exit %d, %q", code, complaints)
	}
}
