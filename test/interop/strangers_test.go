package interop

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/route"
	"switchboard/test/lab"
)

func TestUnknownNumberIsNotFound(t *testing.T) {
	l, center := room(t)
	lab.Scenario(t, "refused_404", l.SIP, bound, "-m", "1", "-s", "+12025559999").MustSucceed()
	phone := called(t, "answer")
	sit(l.Company, center, "Ada", phone)
	// The number is found without its + too, as some trunks dial.
	caller := lab.Scenario(t, "call", l.SIP, bound, "-m", "1", "-s", strings.TrimPrefix(center.Number, "+"), "-d", "300")
	caller.MustSucceed()
	over(l, center, route.Answered, 1)
}

func TestCallFromAnAddressThatIsNoTrunkIsForbidden(t *testing.T) {
	t.Parallel()
	l := lab.New(t, nil)
	l.MustAPI("POST", "/api/v2/x/trunks", `{"name": "one address", "addresses": ["127.0.0.1"]}`)
	center := l.Center("Support", ringShort)
	phone := called(t, "answer")
	sit(l.Company, center, "Ada", phone)
	stranger := netip.MustParseAddr("127.0.0.3")
	lab.ScenarioAt(t, stranger, "refused_403", l.SIP, bound, "-m", "1", "-s", center.Number).MustSucceed()
	if rejected := l.App.SIPStats().Rejected; rejected != 1 {
		t.Errorf("%d calls were counted as rejected", rejected)
	}
	if calls := l.Now().Calls; len(calls) != 0 {
		t.Errorf("the refused call reached the call center: %v", calls)
	}
	calls(l, center, "call", "-d", "300").MustSucceed()
	over(l, center, route.Answered, 1)
}

func TestGarbageOnThePortIsIgnored(t *testing.T) {
	l, center := room(t)
	phone := called(t, "answer_talk")
	ada := sit(l.Company, center, "Ada", phone)
	caller := calls(l, center, "call_talk", "-d", "3000")
	l.Until("Ada talks", func(p lab.Picture) bool { return p.Operator(ada).State == route.OnCall })
	conn := dial(t, "udp", l.SIP)
	noise := rand.NewChaCha8([32]byte{1})
	packet := make([]byte, 1200)
	const packets = 500
	for range packets {
		_, _ = noise.Read(packet) // never fails
		if _, err := conn.Write(packet); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	stream := dial(t, "tcp", l.SIP)
	if _, err := stream.Write(bytes.Repeat(packet, 40)); err != nil {
		t.Logf("the server closed the connection: %v", err)
	}
	caller.MustSucceed()
	phone.MustSucceed()
	over(l, center, route.Answered, 1)
	if malformed := l.App.SIPStats().Malformed; malformed < packets*9/10 {
		t.Errorf("%d of %d packets were counted as malformed", malformed, packets)
	}
}

func dial(t *testing.T, network string, to netip.AddrPort) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// An INVITE by hand, where sipp could not tell which of several calls of one second is the one too many.
const invite = "INVITE sip:%[3]s@%[2]s SIP/2.0\r\nVia: SIP/2.0/UDP %[1]s;branch=z9hG4bK%[4]d\r\n" +
	"From: <sip:+13035550100@%[1]s>;tag=t%[4]d\r\nTo: <sip:%[3]s@%[2]s>\r\nCall-ID: burst-%[4]d\r\n" +
	"CSeq: 1 INVITE\r\nContact: <sip:caller@%[1]s>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"

func TestMoreNewCallsThanLetInAreToldToTryAgain(t *testing.T) {
	t.Parallel()
	l := lab.New(t, func(cfg *app.Config) { cfg.NewCallsPerSec = 2 })
	l.Trunk()
	center := l.Center("Support", ringShort)
	conn := dial(t, "udp", l.SIP)
	const burst = 8
	for i := range burst {
		if _, err := fmt.Fprintf(conn, invite, conn.LocalAddr(), l.SIP, center.Number, i); err != nil {
			t.Fatal(err)
		}
	}
	refused := map[string]bool{}
	buffer := make([]byte, 4096)
	if err := conn.SetReadDeadline(time.Now().Add(lab.Patience)); err != nil {
		t.Fatal(err)
	}
	for len(refused) < burst-4 { // a second may have turned within the burst
		n, err := conn.Read(buffer)
		if err != nil {
			t.Fatalf("after %d refusals: %v", len(refused), err)
		}
		response := string(buffer[:n])
		if !strings.HasPrefix(response, "SIP/2.0 503") {
			continue
		}
		if !strings.Contains(response, "\r\nRetry-After: ") {
			t.Fatalf("a refusal does not say when to try again:\n%s", response)
		}
		_, id, _ := strings.Cut(response, "Call-ID: ")
		id, _, _ = strings.Cut(id, "\r\n")
		refused[id] = true
	}
	l.Until("the page says that calls are refused", func(p lab.Picture) bool {
		return len(p.Notices) > 0 && strings.Contains(p.Notices[0].Text, "new calls")
	})
}
