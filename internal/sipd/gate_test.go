package sipd

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/memnet"
)

func TestAStrangersPacketsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld(t), &phones{}
		var notices []Notice
		server := w.serve(addrA, func(c *Config) {
			p.config(c)
			c.AllowTrunk = func(a netip.Addr) bool { return a.String() == "10.0.0.3" }
			c.OnNotice = func(n Notice) { notices = append(notices, n) }
		})
		eve, trunk := w.raw(addrB, server), w.raw(addrC, server)
		flood := func(peer *rawPeer, n int) int {
			for i := range n {
				peer.send(peer.message("OPTIONS", i+1))
			}
			return len(peer.got())
		}
		if got := flood(eve, StrangerBurst+50); got != StrangerBurst {
			t.Errorf("%d packets of a stranger were answered, want %d", got, StrangerBurst)
		}
		if got := flood(trunk, StrangerBurst+50); got != StrangerBurst+50 {
			t.Errorf("%d packets of a trunk were answered, want all", got)
		}
		time.Sleep(time.Second)
		if got := flood(eve, StrangerBurst); got != StrangerRate {
			t.Errorf("%d packets were answered a second later, want %d", got, StrangerRate)
		}
		if got := server.Stats().Flooded; got != 50+StrangerBurst-StrangerRate || len(notices) != 1 {
			t.Errorf("%d dropped, %d notices", got, len(notices))
		}
		w.end()
	})
}

func TestTheGateForgetsStrangers(t *testing.T) {
	g := gate{}
	g.init(1)
	now := time.Unix(1_000, 0)
	addr := func(i int) netip.Addr {
		var a [16]byte
		binary.BigEndian.PutUint32(a[:], uint32(i+1))
		return netip.AddrFrom16(a)
	}
	for i := range maxStrangers {
		if !g.mayRead(addr(i), now) {
			t.Fatal("the first packet of an address was dropped")
		}
	}
	shared := 0
	for i := range StrangerBurst + 10 {
		if g.mayRead(addr(maxStrangers+i), now) {
			shared++
		}
	}
	if shared != StrangerBurst || len(g.buckets) != maxStrangers {
		t.Errorf("beyond the table %d packets were read and %d addresses kept", shared, len(g.buckets))
	}
	if !g.mayRead(addr(maxStrangers), now.Add(10*time.Second)) || len(g.buckets) != 1 {
		t.Errorf("after 10 s %d addresses are kept, want the new one", len(g.buckets))
	}
}

func TestNoticesAreRare(t *testing.T) {
	g := gate{}
	g.init(1)
	now := time.Unix(1_000, 0)
	addr := netip.MustParseAddr("10.0.0.1")
	if !g.mayNotice(addr, "a", now) || g.mayNotice(addr, "a", now.Add(noticeEvery-1)) || !g.mayNotice(addr, "b", now) {
		t.Error("a notice is not said once a minute")
	}
	for i := range maxNotices {
		g.mayNotice(addr, fmt.Sprint(i), now)
	}
	if len(g.notices) != maxNotices || g.mayNotice(addr, "one more", now) {
		t.Errorf("%d notices remembered", len(g.notices))
	}
	if !g.mayNotice(addr, "one more", now.Add(noticeEvery)) {
		t.Error("a minute later a new notice is not said")
	}
}

func TestLongMessagesAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		server := w.serve(addrA, nil)
		peer := w.raw(addrB, server)
		sized := func(size, seq int) string {
			short := crlf(peer.message("OPTIONS", seq, "Subject: x"))
			return crlf(peer.message("OPTIONS", seq, "Subject: x"+strings.Repeat("x", size-len(short))))
		}
		if got := len(sized(MaxMessage, 1)); got != MaxMessage {
			t.Fatalf("the message has %d bytes", got)
		}
		peer.send(sized(MaxMessage, 1))
		peer.want("200")
		peer.send(sized(MaxMessage+1, 2))
		peer.want()
		peer.send(peer.message("OPTIONS", 3, "Call-ID: "+strings.Repeat("x", maxToken)))
		peer.want("200")
		peer.send(peer.message("OPTIONS", 4, "Call-ID: "+strings.Repeat("x", maxToken+1)))
		peer.want("400")
		peer.send("\n\n")
		peer.want()
		if got := server.Stats().Malformed; got != 2 {
			t.Errorf("%d malformed, want 2", got)
		}
		w.end()
	})
}

func TestHopsAndVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		peer := w.raw(addrB, w.serve(addrA, nil))
		peer.send(peer.message("INVITE", 1, "Max-Forwards: 0"))
		peer.want("483")
		peer.send(peer.message("OPTIONS", 2, "Max-Forwards: 0"))
		options := peer.want("200")[0]
		if field(options, "Allow") != allow || field(options, "Accept") != typeSDP {
			t.Errorf("OPTIONS is answered\n%s", options)
		}
		peer.send(strings.Replace(peer.message("OPTIONS", 3), "SIP/2.0", "SIP/3.0", 1))
		peer.want("505")
		peer.send(peer.message("OPTIONS", 4, "URI: sips:x@y"))
		peer.want("416")
		peer.send(peer.message("INVITE", 5, "Content-Type: text/plain", "Body: hello"))
		peer.want("415")
		w.end()
	})
}

func TestWhereResponsesGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		server := w.serve(addrA, nil)
		peer, other := w.raw(addrB, server), w.raw("10.0.0.2:5099", server)
		branch := ";branch=z9hG4bKx"
		peer.send(peer.message("OPTIONS", 1, "Via: SIP/2.0/UDP 10.0.0.2:5099"+branch))
		other.want("200") // no NAT shows: the port in the Via counts
		peer.send(peer.message("OPTIONS", 2, "Via: SIP/2.0/UDP 10.0.0.2:5099"+branch+";rport"))
		got := field(peer.want("200")[0], "Via")
		if !strings.Contains(got, "received=10.0.0.2") || !strings.Contains(got, "rport=5060") {
			t.Errorf("Via %q", got)
		}
		peer.send(peer.message("OPTIONS", 3, "Via: SIP/2.0/UDP 192.168.1.5:5099"+branch))
		if got := field(peer.want("200")[0], "Via"); !strings.Contains(got, "received=10.0.0.2") {
			t.Errorf("Via %q", got)
		}
		w.end()
	})
}

func TestStreams(t *testing.T) {
	server := loopback(t, nil)
	dial := func() net.Conn {
		c, err := net.Dial("tcp", server.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	read := func(c net.Conn, want string) {
		t.Helper()
		buf := make([]byte, 4_096)
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err := c.Read(buf)
		if err != nil || !strings.HasPrefix(string(buf[:n]), want) {
			t.Errorf("read %q, %v, want %q", buf[:n], err, want)
		}
	}
	c := dial()
	peer := &rawPeer{t: t, conn: memnet.New().Listen(netip.MustParseAddrPort("127.0.0.1:5060")), server: server.Addr()}
	options := crlf(strings.ReplaceAll(peer.message("OPTIONS", 1), "/UDP", "/TCP"))
	for _, part := range []string{"\r\n\r\n", options[:40], options[40:]} {
		if _, err := c.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
		if part == "\r\n\r\n" {
			read(c, "\r\n") // the pong
		}
	}
	read(c, "SIP/2.0 200")
	if _, err := c.Write([]byte(options + options)); err != nil {
		t.Fatal(err)
	}
	read(c, "SIP/2.0 200")
	bad := dial()
	if _, err := bad.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := bad.Read(make([]byte, 10)); err == nil {
		t.Error("a connection that speaks HTTP was not closed")
	}
	if got := server.Stats().Malformed; got != 1 {
		t.Errorf("%d malformed, want 1", got)
	}
}

func TestStreamsOfOneHostAreBounded(t *testing.T) {
	var table streams
	table.init()
	add := func(i, perHost int) bool {
		remote := netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), uint16(i))
		return table.add(&stream{remote: remote}, perHost)
	}
	for i := range 3 {
		if !add(i+1, 3) {
			t.Fatal("too few connections let in")
		}
	}
	if add(4, 3) || add(1, 100) {
		t.Error("one too many, or one twice, was let in")
	}
	table.remove(table.get(netip.MustParseAddrPort("10.0.0.1:2")))
	if !add(5, 3) || table.hosts[netip.MustParseAddr("10.0.0.1")] != 3 {
		t.Error("a connection that ended still counts")
	}
}
