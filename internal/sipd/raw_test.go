package sipd

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/icholy/digest"

	"switchboard/internal/memnet"
)

// rawPeer is a peer that speaks text: it says what no sane phone says.
type rawPeer struct {
	t      *testing.T
	conn   *memnet.Conn
	server netip.AddrPort
}

func (w *world) raw(addr string, server *Server) *rawPeer {
	return &rawPeer{t: w.t, conn: w.net.Listen(netip.MustParseAddrPort(addr)), server: server.Addr()}
}

func (p *rawPeer) send(text string) {
	p.conn.Send(p.server, []byte(crlf(text)))
	synctest.Wait()
}

func crlf(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
}

// got takes what arrived so far.
func (p *rawPeer) got() []string {
	synctest.Wait()
	var out []string
	for {
		packet, ok := p.conn.Take()
		if !ok {
			return out
		}
		out = append(out, string(packet.Data))
	}
}

// last takes what arrived and answers the last of it.
func (p *rawPeer) last() string {
	p.t.Helper()
	all := p.got()
	if len(all) == 0 {
		p.t.Fatal("nothing arrived")
	}
	return all[len(all)-1]
}

// want checks the statuses or methods of what arrived since.
func (p *rawPeer) want(starts ...string) []string {
	p.t.Helper()
	got := p.got()
	short := make([]string, len(got))
	for i, m := range got {
		short[i], _, _ = strings.Cut(m, "\r\n")
		short[i] = strings.TrimPrefix(short[i], "SIP/2.0 ")
	}
	if len(got) != len(starts) {
		p.t.Fatalf("got %q, want %q", short, starts)
	}
	for i := range got {
		if !strings.HasPrefix(short[i], starts[i]) {
			p.t.Fatalf("got %q, want %q", short, starts)
		}
	}
	return got
}

// message writes a request; lines replace or add headers, "" as value leaves one out, "Body" is the body.
func (p *rawPeer) message(method string, seq int, changes ...string) string {
	host := p.conn.Addr().String()
	order := []string{"Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq", "Contact"}
	headers := map[string]string{
		"Via":          fmt.Sprintf("SIP/2.0/UDP %s;branch=z9hG4bK-%s-%d", host, method, seq),
		"Max-Forwards": "70", "From": "<sip:caller@" + host + ">;tag=theirs", "To": "<sip:100@" + p.server.String() + ">",
		"Call-ID": "raw-call", "CSeq": fmt.Sprintf("%d %s", seq, method), "Contact": "<sip:caller@" + host + ">",
	}
	body, uri := "", "sip:100@"+p.server.String()
	for _, change := range changes {
		name, value, _ := strings.Cut(change, ": ")
		switch {
		case name == "Body":
			body = value
			continue
		case name == "URI":
			uri = value
			continue
		}
		if _, ok := headers[name]; !ok {
			order = append(order, name)
		}
		headers[name] = value
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s SIP/2.0\n", method, uri)
	for _, name := range order {
		if headers[name] != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, headers[name])
		}
	}
	fmt.Fprintf(&b, "Content-Length: %d\n\n%s", len(body), body)
	return b.String()
}

// respond writes a response to a request of the server's.
func respond(request string, status int, tag string, changes ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d Whatever\n", status)
	for line := range strings.SplitSeq(request, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		switch name {
		case "Via", "From", "Call-ID", "CSeq", "Record-Route":
			b.WriteString(line + "\n")
		case "To":
			if tag != "" && !strings.Contains(line, "tag=") {
				line += ";tag=" + tag
			}
			b.WriteString(line + "\n")
		}
	}
	body := ""
	for _, change := range changes {
		if name, value, _ := strings.Cut(change, ": "); name == "Body" {
			body = value
			continue
		}
		b.WriteString(change + "\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\n\n%s", len(body), body)
	return b.String()
}

// field is the value of a header of a message.
func field(message, name string) string {
	for line := range strings.SplitSeq(crlf(message), "\r\n") {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return value
		}
	}
	return ""
}

func tagOf(value string) string {
	_, tag, _ := strings.Cut(value, ";tag=")
	tag, _, _ = strings.Cut(tag, ";")
	return tag
}

const isSDP = "Content-Type: application/sdp"

// authorization answers a challenge as ada, with count as nc.
func authorization(t *testing.T, challenge, method string, count int) string {
	t.Helper()
	return "Authorization: " + credentialsFor(t, challenge, method, "ada", "secret", "", count)
}

// credentialsFor answers a challenge, by another algorithm than it names where one is given.
func credentialsFor(t *testing.T, challenge, method, user, password, algorithm string, count int) string {
	t.Helper()
	for line := range strings.SplitSeq(challenge, "\r\n") {
		value, ok := strings.CutPrefix(line, "WWW-Authenticate: ")
		if !ok {
			continue
		}
		c, err := digest.ParseChallenge(value)
		if err != nil {
			t.Fatal(err)
		}
		if algorithm != "" {
			c.Algorithm = algorithm
		}
		made, err := digest.Digest(c, digest.Options{
			Method: method, URI: "sip:switchboard", Username: user, Password: password, Count: count,
		})
		if err != nil {
			t.Fatal(err)
		}
		return made.String()
	}
	t.Fatalf("no challenge in\n%s", challenge)
	return ""
}
