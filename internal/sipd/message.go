package sipd

import (
	"crypto/rand"
	"fmt"
	"hash/maphash"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

const (
	userAgent = "Switchboard"
	allow     = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"
	typeSDP   = "application/sdp"
	maxHops   = 70 // RFC 3261 8.1.1.6

	statusTimeout     = sip.StatusRequestTimeout     // nobody answered at all
	statusUnreachable = sip.StatusServiceUnavailable // the transport failed
	statusCancelled   = sip.StatusRequestTerminated
	statusScheme      = 416
	statusTooBrief    = 422 // session interval, RFC 4028 6
)

// reasons are the phrases of the statuses that we send.
var reasons = map[int]string{
	100: "Trying", 180: "Ringing", 200: "OK",
	400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
	408: "Request Timeout", 415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension",
	422: "Session Interval Too Small", 423: "Interval Too Brief", 480: "Temporarily Unavailable",
	481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops", 486: "Busy Here",
	487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending",
	500: "Server Internal Error", 501: "Not Implemented", 503: "Service Unavailable", 505: "Version Not Supported",
	603: "Decline",
}

func reason(status int) string {
	if text, ok := reasons[status]; ok {
		return text
	}
	return "Status " + strconv.Itoa(status)
}

func wire(m sip.Message) []byte {
	var b strings.Builder
	m.StringWrite(&b)
	return []byte(b.String())
}

func newTag() string    { return rand.Text()[:16] }
func newBranch() string { return sip.RFC3261BranchMagicCookie + rand.Text() }
func newCallID() string { return rand.Text() }

// headerText is the value of the first header of that name, long or compact.
func headerText(m sip.Message, names ...string) string {
	for _, name := range names {
		if hs := m.GetHeaders(name); len(hs) > 0 {
			return strings.TrimSpace(hs[0].Value())
		}
	}
	return ""
}

// listed are the comma-separated tokens of all headers of a name.
func listed(m sip.Message, names ...string) []string {
	var out []string
	for _, name := range names {
		for _, h := range m.GetHeaders(name) {
			for token := range strings.SplitSeq(h.Value(), ",") {
				if token = strings.TrimSpace(token); token != "" {
					out = append(out, token)
				}
			}
		}
	}
	return out
}

func lists(m sip.Message, token string, names ...string) bool {
	for _, t := range listed(m, names...) {
		if strings.EqualFold(t, token) {
			return true
		}
	}
	return false
}

func param(params sip.HeaderParams, name string) string {
	for _, kv := range params {
		if strings.EqualFold(kv.K, name) {
			return kv.V
		}
	}
	return ""
}

func hasParam(params sip.HeaderParams, name string) bool {
	for _, kv := range params {
		if strings.EqualFold(kv.K, name) {
			return true
		}
	}
	return false
}

func fromTag(m sip.Message) string { return param(m.From().Params, "tag") }
func toTag(m sip.Message) string   { return param(m.To().Params, "tag") }

// sdpOf is the session description of a message, nil when it has none.
func sdpOf(m sip.Message) []byte {
	body := m.Body()
	kind, _, _ := strings.Cut(headerText(m, "content-type", "c"), ";")
	if len(body) == 0 || !strings.EqualFold(strings.TrimSpace(kind), typeSDP) {
		return nil
	}
	return body
}

// complete says whether a message has the headers that every message has, and fit to each other (RFC 3261 8.1.1).
func complete(m sip.Message) bool {
	via := m.Via()
	if via == nil || m.From() == nil || m.To() == nil || m.CallID() == nil || m.CSeq() == nil {
		return false
	}
	if via.Host == "" || via.Port < 0 || via.Port > 65_535 || len(via.Transport) > 10 {
		return false
	}
	// Both are echoed into responses and kept: a peer does not choose how much.
	return len(*m.CallID()) <= maxToken && len(param(via.Params, "branch")) <= maxToken
}

const maxToken = 512 // bytes of a Call-ID or branch

// response begins a response with our tag; tag "": one that any resending of the request gets too, without our
// remembering it (RFC 3261 8.2.7).
func (s *Server) response(req *sip.Request, status int, tag string) *sip.Response {
	res := sip.NewResponseFromRequest(req, status, reason(status), nil)
	res.SipVersion = "SIP/2.0"
	if status != sip.StatusTrying && toTag(req) == "" {
		if tag == "" {
			tag = statelessTag(req)
		}
		res.To().Params.Add("tag", tag)
	}
	res.AppendHeader(sip.NewHeader("Server", userAgent))
	return res
}

var tagSeed = maphash.MakeSeed()

func statelessTag(req *sip.Request) string {
	text := string(*req.CallID()) + "\x00" + fromTag(req) + "\x00" + param(req.Via().Params, "branch")
	return fmt.Sprintf("%016x", maphash.String(tagSeed, text))
}

func (s *Server) sendResponse(f flow, res *sip.Response) {
	if err := s.send(f, wire(res)); err != nil {
		s.log.Debug("cannot send a SIP response", "status", res.StatusCode, "to", f.remote, "error", err)
	}
}

// markVia notes on the topmost Via where the request came from and answers where its responses go: to the source, as
// RFC 3581 has it even unasked behind a NAT; to the port in the Via where no NAT shows and rport is not asked for.
func markVia(f flow, req *sip.Request) flow {
	via := req.Via()
	source := f.remote.Addr().String()
	rport := hasParam(via.Params, "rport")
	sentBy, err := netip.ParseAddr(strings.Trim(via.Host, "[]"))
	native := err == nil && sentBy.Unmap() == f.remote.Addr()
	if !native || rport {
		via.Params.Add("received", source)
	}
	if rport {
		via.Params.Add("rport", strconv.Itoa(int(f.remote.Port())))
	}
	if f.stream == nil && native && !rport {
		f.remote = netip.AddrPortFrom(f.remote.Addr(), portOr5060(via.Port))
	}
	return f
}

func portOr5060(port int) uint16 {
	if port <= 0 || port > 65_535 {
		return 5060
	}
	return uint16(port)
}

// via makes the Via of a request of ours.
func (s *Server) via(f flow) *sip.ViaHeader {
	v := &sip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: f.network(),
		Host: s.host(f.remote.Addr()), Port: int(s.addr.Port()),
	}
	v.Params.Add("branch", newBranch())
	v.Params.Add("rport", "")
	return v
}

// contact is where a peer reaches us in a dialog.
func (s *Server) contact(f flow, user string) *sip.ContactHeader {
	uri := sip.Uri{Scheme: "sip", User: user, Host: s.host(f.remote.Addr()), Port: int(s.addr.Port())}
	if f.stream != nil {
		uri.UriParams.Add("transport", "tcp")
	}
	return &sip.ContactHeader{Address: uri}
}

// request begins a request: Via, Max-Forwards and Call-ID are in.
func (s *Server) request(f flow, method sip.RequestMethod, uri sip.Uri, callID string) *sip.Request {
	req := sip.NewRequest(method, uri)
	req.SetTransport(f.network())
	req.AppendHeader(s.via(f))
	hops := sip.MaxForwardsHeader(maxHops)
	req.AppendHeader(&hops)
	id := sip.CallIDHeader(callID)
	req.AppendHeader(&id)
	return req
}

func setSDP(m sip.Message, sdp []byte) {
	if len(sdp) > 0 {
		kind := sip.ContentTypeHeader(typeSDP)
		m.AppendHeader(&kind)
	}
	m.SetBody(sdp)
}

// number is the dialled or calling party of a URI: its user part without parameters, or the number of a tel URI.
func number(uri *sip.Uri) string {
	text := uri.User
	if strings.EqualFold(uri.Scheme, "tel") {
		text = uri.Raw()
	}
	text, _, _ = strings.Cut(text, ";")
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	return printable(text)
}

// printable drops what no name and no number has in it.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return -1
		}
		return r
	}, text)
}

// plainName undoes the quoting of a display name.
func plainName(text string) string {
	var b strings.Builder
	escaped := false
	for _, r := range text {
		if r == '\\' && !escaped {
			escaped = true
			continue
		}
		escaped = false
		b.WriteRune(r)
	}
	return printable(b.String())
}

var quoter = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func quotedName(text string) string { return quoter.Replace(printable(text)) }

// escapedUser is text as the user part of a URI (RFC 3261 25.1, "user").
func escapedUser(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()&=+$,/"
	var b strings.Builder
	for i := range len(text) {
		if strings.IndexByte(plain, text[i]) >= 0 {
			b.WriteByte(text[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", text[i])
		}
	}
	return b.String()
}

// numericTarget reads a URI whose host is an IP address: where to send and how. DNS is never asked.
func numericTarget(uri *sip.Uri) (addr netip.AddrPort, tcp, ok bool) {
	host, err := netip.ParseAddr(strings.Trim(uri.Host, "[]"))
	if err != nil || uri.Port < 0 || uri.Port > 65_535 || !strings.EqualFold(uri.Scheme, "sip") {
		return netip.AddrPort{}, false, false
	}
	switch strings.ToLower(param(uri.UriParams, "transport")) {
	case "", "udp":
	case "tcp":
		tcp = true
	default:
		return netip.AddrPort{}, false, false
	}
	return netip.AddrPortFrom(host.Unmap(), portOr5060(uri.Port)), tcp, true
}
