package egress

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestWhatIsInsideIsRefused(t *testing.T) {
	g, err := New([]string{"10.1.2.0/24", "192.168.5.6", "fd00::/64"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "1.1.1.1": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "0.0.0.0": false, "::": false, "::ffff:127.0.0.1": false,
		"10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "172.32.0.1": true, "192.168.0.1": false,
		"169.254.169.254": false, "fe80::1": false, "fc00::1": false, "fd00:1::1": false, "ff02::1": false,
		"224.0.0.1": false, "255.255.255.255": false, "100.64.0.1": false, "100.128.0.1": true, "198.18.0.1": false,
		"64:ff9b::7f00:1": false, "2002:7f00:1::": false, "::ffff:10.0.0.1": false, "::ffff:8.8.8.8": true,
		"10.1.2.3": true, "10.1.3.3": false, "192.168.5.6": true, "192.168.5.7": false, "fd00::5": true,
		"::ffff:10.1.2.3": true,
		"::127.0.0.1":     false, "::8.8.8.8": false, "64:ff9b:1::7f00:1": false, "fec0::1": false, "2001:0:7f00:1::": false,
		"192.0.2.1": false, "203.0.113.9": false, "2001:db8::1": false, "1fff::1": false, "4000::1": false,
	} {
		if got := g.Allows(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestAListThatCannotBeMeantIsRefused(t *testing.T) {
	for _, bad := range []string{
		"", "http://x", "*.example.com", "10.0.0.0/33", "a b", ":", ":0", ":65536", ":http", "a:", "a:0", "a:b", "[::1",
		"::1]", "user@a", "a/b", "2130706433", "0x7f.1", "127.1", "fe80::1%lo", "10.0.0.0/8:", ":80:80", "https://a:80",
	} {
		if _, err := New([]string{bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// TestNamesAreJudgedByWhereTheyLead connects to a server on loopback by address and by a name that leads there.
func TestNamesAreJudgedByWhereTheyLead(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/", http.StatusFound)
		}
	}))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for name, check := range map[string]struct {
		allow []string
		host  string
		path  string
		want  int // 0: refused
	}{
		"address":           {nil, "127.0.0.1", "/", 0},
		"name":              {nil, "localhost", "/", 0},
		"allowed network":   {[]string{"127.0.0.0/8", "::1"}, "localhost", "/", 200},
		"allowed name":      {[]string{"localhost"}, "LOCALHOST", "/", 200},
		"name, not address": {[]string{"localhost"}, "127.0.0.1", "/", 0},
		"port of it":        {[]string{"127.0.0.1:" + port}, "127.0.0.1", "/", 200},
		"port of network":   {[]string{"127.0.0.0/8:" + port}, "127.0.0.1", "/", 200},
		"another port":      {[]string{"127.0.0.1:1"}, "127.0.0.1", "/", 0},
		"port of name":      {[]string{"localhost:" + port}, "localhost", "/", 200},
		"name, other port":  {[]string{"localhost:1"}, "localhost", "/", 0},
		"port of all":       {[]string{":" + port}, "127.0.0.1", "/", 0},
		"redirect":          {[]string{"127.0.0.1"}, "127.0.0.1", "/away", 302},
	} {
		g, err := New(check.allow)
		if err != nil {
			t.Fatal(err)
		}
		client := g.Client(5 * time.Second)
		res, err := client.Get("http://" + net.JoinHostPort(check.host, port) + check.path)
		switch {
		case check.want == 0:
			if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "egress-allow") {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil || res.StatusCode != check.want:
			t.Errorf("%s: %v %v", name, res, err)
		}
		if err == nil {
			_ = res.Body.Close()
		}
		client.CloseIdleConnections()
	}
}

func TestNamesAreTheSameHoweverWritten(t *testing.T) {
	g, err := New([]string{"PBX.Example.com:8080"})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"pbx.example.com:8080": true, "Pbx.EXAMPLE.com.:8080": true, "pbx.example.com:80": false,
		"x.pbx.example.com:8080": false, "pbx.example.com.evil.test:8080": false,
	} {
		host, port, err := split(address)
		if got := g.allowed.host(host, port); got != want || err != nil {
			t.Errorf("%s: %v, %v", address, got, err)
		}
	}
}
