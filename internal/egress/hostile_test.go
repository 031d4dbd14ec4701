package egress

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hostileHosts are ways to write an address inside; %25 and the like are as they stand in a URL.
var hostileHosts = []string{
	"127.0.0.1", "127.0.0.1.", "127.9.9.9", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1",
	"0177.0.0.1", "017700000001", "00000177.0.0.1", "0.0.0.0", "0", "localhost", "LOCALHOST", "localhost.",
	"ip6-localhost", "127.0.0.1.nip.test", "localtest.me.test", "１２７.０.０.１", "127。0。0。1", "ⓛocalhost", "%6cocalhost",
	"user@127.0.0.1", "example.com@127.0.0.1", "example.com:80@127.0.0.1", "127.0.0.1%00.example.com",
	"127.0.0.1%23.example.com", `127.0.0.1\@example.com`, "127.0.0.1%09", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]",
	"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[::7f00:1]",
	"[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::1]", "[2001:0:7f00:1::1]", "[fec0::1]", "[fe80::1%25lo]",
	"[::1%25lo]", "[fc00::1]", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "198.18.0.1",
	"224.0.0.1", "255.255.255.255", "240.0.0.1", "metadata.google.internal",
}

// trap listens on loopback, on one port of every family there is, and counts connections.
func trap(t *testing.T) (port string, reached *atomic.Int32) {
	t.Helper()
	reached = &atomic.Int32{}
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(first.Addr().String())
	listeners := []net.Listener{first}
	if second, err := net.Listen("tcp", "[::1]:"+port); err == nil {
		listeners = append(listeners, second)
	}
	var wg sync.WaitGroup
	for _, l := range listeners {
		wg.Go(func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				reached.Add(1)
				_ = conn.Close()
			}
		})
	}
	t.Cleanup(func() {
		for _, l := range listeners {
			_ = l.Close()
		}
		wg.Wait()
	})
	return port, reached
}

// TestHostileAddressesReachNothing tries them all, on a port that is open to the public internet, with the names of the
// host and with a name server that leads every name to loopback.
func TestHostileAddressesReachNothing(t *testing.T) {
	port, reached := trap(t)
	names := nameServer(t, func(string, int) string { return "127.0.0.1" })
	for _, resolver := range []*net.Resolver{nil, names} {
		g, err := New([]string{":" + port})
		if err != nil {
			t.Fatal(err)
		}
		g.resolver = resolver
		client := g.Client(2 * time.Second)
		for _, host := range hostileHosts {
			for _, url := range []string{"http://" + host + ":" + port + "/", "https://" + host + ":" + port + "/"} {
				if res, err := client.Get(url); err == nil {
					_ = res.Body.Close()
					t.Errorf("%s was answered", url)
				}
			}
		}
		client.CloseIdleConnections()
	}
	if len(hostileHosts) < 25 || reached.Load() != 0 {
		t.Errorf("%d connections from %d forms", reached.Load(), len(hostileHosts))
	}
	plain, err := net.Dial("tcp", "127.0.0.1:"+port) // the trap works
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadAll(plain)
	if _ = plain.Close(); reached.Load() != 1 {
		t.Error("the trap counts nothing")
	}
}

func TestOwnAddressesOfTheHostAreInside(t *testing.T) {
	g, _ := New(nil)
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		network, ok := one.(*net.IPNet)
		if !ok {
			continue
		}
		if addr, _ := netip.AddrFromSlice(network.IP); network.IP.IsPrivate() && g.Allows(addr) {
			t.Errorf("%s is open", addr)
		}
	}
}

// TestOnlyTheUsualPortsAreOpen judges without connecting.
func TestOnlyTheUsualPortsAreOpen(t *testing.T) {
	g, err := New([]string{":8443", "10.0.0.0/8:9000", "10.1.0.0/16", "[fd00::/8]:81", "[fd01::1]:82", "fd02::1"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]error{
		"8.8.8.8:80": nil, "8.8.8.8:443": nil, "8.8.8.8:8443": nil, "8.8.8.8:22": errPort, "8.8.8.8:8080": errPort,
		"[2606:4700::1]:443": nil, "[2606:4700::1]:25": errPort, "127.0.0.1:8443": errInside, "127.0.0.1:80": errInside,
		"10.9.9.9:9000": nil, "10.9.9.9:80": errInside, "10.1.2.3:22": nil, "[fd00::5]:81": nil, "[fd00::5]:80": errInside,
		"[fd01::1]:82": nil, "[fd02::1]:1": nil, "[::ffff:10.1.2.3]:22": nil, "[::ffff:127.0.0.1]:80": errInside,
	} {
		if got := g.judge(netip.MustParseAddrPort(text)); !errors.Is(got, want) || want == nil && got != nil {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

// TestNameThatChangesItsMind connects twice to a name that first leads to an allowed address and then to loopback.
func TestNameThatChangesItsMind(t *testing.T) {
	port, reached := trap(t)
	outside, err := net.Listen("tcp", "127.0.0.2:"+port)
	if err != nil {
		t.Fatal(err) // another address of loopback stands for the outside
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, "hello")
	}))
	_ = server.Listener.Close()
	server.Listener = outside
	server.Start()
	defer server.Close()
	g, err := New([]string{"127.0.0.2"})
	if err != nil {
		t.Fatal(err)
	}
	g.resolver = nameServer(t, func(_ string, asked int) string {
		if asked == 0 {
			return "127.0.0.2"
		}
		return "127.0.0.1"
	})
	client := g.Client(5 * time.Second)
	res, err := client.Get("http://rebind.test:" + port)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	for range 5 {
		if res, err = client.Get("http://rebind.test:" + port); !errors.Is(err, ErrRefused) {
			t.Fatal(res, err)
		}
	}
	if reached.Load() != 0 {
		t.Error("it was reached")
	}
}

// TestProxyOfTheEnvironmentIsNotUsed sets all of its variables to a proxy on loopback.
func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	port, reached := trap(t)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, "http://127.0.0.1:"+port)
	}
	g, _ := New(nil)
	client := g.Client(2 * time.Second)
	for _, url := range []string{"http://10.0.0.1/", "https://10.0.0.1/", "http://127.0.0.1:" + port} {
		if _, err := client.Get(url); !errors.Is(err, ErrRefused) {
			t.Error(url, err)
		}
	}
	if reached.Load() != 0 {
		t.Error("the proxy was asked")
	}
}

func TestProxyOfTheConfiguration(t *testing.T) {
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, "by proxy: "+r.URL.String())
	}))
	defer proxy.Close()
	direct, err := New([]string{"inside.test", "10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	g, err := direct.Through(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := g.Client(5 * time.Second)
	for url, want := range map[string]bool{
		"http://example.com/a": true, "http://inside.test:99/": true, "http://10.0.0.1:8/": true, "http://8.8.8.8/": true,
		"http://example.com:22/": false, "http://127.0.0.1/": false, "http://[::1]/": false, "http://2130706433/": false,
		"http://0x7f.1/": false, "http://8.8.8.8:22/": false, "http://127.1/": false,
	} {
		before := asked.Load()
		res, err := client.Get(url)
		if err == nil {
			_ = res.Body.Close()
		}
		if (err == nil) != want || (asked.Load() != before) != want || !want && !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, bad := range []string{"proxy:3128", "socks5://proxy", "http://", "://"} {
		if _, err := direct.Through(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestTimeToConnect(t *testing.T) {
	g, err := New([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	never := make(chan struct{})
	defer close(never)
	g.resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		select { // a name server that does not answer
		case <-never:
		case <-ctx.Done():
		}
		return nil, ctx.Err()
	}}
	ctx := ConnectWithin(t.Context(), 20*time.Millisecond)
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://slow.test/", nil)
	var timeout net.Error
	if _, err := g.Client(0).Do(request); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Error(err)
	}
}

// nameServer is a resolver whose every name leads to the address of answer, which sees how often it was asked before.
func nameServer(t *testing.T, answer func(name string, asked int) string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		asked, buffer := 0, make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			name, kind, reply := question(buffer[:n])
			if kind == 1 {
				reply = append(reply, addressRecord(answer(name, asked))...)
				reply[7] = 1 // answers
				asked++
			}
			_, _ = conn.WriteTo(reply, from)
		}
	})
	t.Cleanup(func() {
		_ = conn.Close()
		wg.Wait()
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// question reads the name and the type of a question and begins the reply to it (RFC 1035, section 4).
func question(query []byte) (name string, kind uint16, reply []byte) {
	var labels []string
	at := 12
	for query[at] != 0 {
		labels = append(labels, string(query[at+1:at+1+int(query[at])]))
		at += 1 + int(query[at])
	}
	reply = append(reply, query[:at+5]...)
	reply[2], reply[3] = 0x84, 0 // a final answer
	clear(reply[6:12])
	return strings.Join(labels, "."), binary.BigEndian.Uint16(query[at+1:]), reply
}

func addressRecord(addr string) []byte {
	record := []byte{0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4}
	for _, part := range strings.Split(addr, ".") {
		n, _ := strconv.Atoi(part)
		record = append(record, byte(n))
	}
	return record
}
