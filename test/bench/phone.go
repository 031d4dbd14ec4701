package main

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// phones are any number of callers, or of operators, behind one UDP socket: just enough SIP to be a fair peer, at a
// fraction of the cost of the server, and with the times that are to be measured taken at the socket.
//
// Hooks are called one at a time, with the lock held: they may use bye, and must not use the exported names.
type phones struct {
	conn   *net.UDPConn
	server netip.AddrPort
	audio  uint16 // port in our session descriptions
	wants  string // "sendrecv", or "sendonly" for those who want to hear nothing

	rang func(d *dialog, at time.Time) // an INVITE came; it is answered at once unless the phones are mute
	up   func(d *dialog, at time.Time) // answered, and acknowledged
	over func(d *dialog, at time.Time) // ended by either side, or refused

	mute bool // operators that ring and never answer

	mu      sync.Mutex
	dialogs map[string]*dialog
	resends map[string]*resend
	count   int
	dialled []time.Time // by our nth caller, from 1
	resent  int
	lost    int // requests that were never answered
	done    atomic.Bool
	wg      sync.WaitGroup
}

// dialog is one call of one phone.
type dialog struct {
	callID    string
	user      string // the operator rung, or the number dialled
	from, to  string // headers of our requests
	target    string
	sequence  int
	reply     []byte // our 200 to an INVITE
	media     netip.AddrPort
	began     time.Time // an INVITE went out, or came
	answered  time.Time
	status    int    // of a refusal
	retry     string // Retry-After of it
	hungUp    bool   // by us
	acked     bool
	index     int // for the user of the phones
	progressN int
}

// resend is a request without its response, or a 200 without its ACK.
type resend struct {
	wire  []byte
	due   time.Time
	after time.Duration
	tries int
}

// callerNumber is the number of our nth caller.
func callerNumber(n int) string { return fmt.Sprintf("+1303%07d", n%10_000_000) }

// caller is which of our callers rings an operator; 0: nobody of ours.
func (d *dialog) caller() (n int) {
	_, rest, _ := strings.Cut(d.to, "sip:+1303")
	_, _ = fmt.Sscanf(rest, "%7d", &n)
	return n
}

const (
	firstResend = 500 * time.Millisecond // T1 of RFC 3261
	lastResend  = 4 * time.Second
	maxResends  = 7
	bufferBytes = 4 << 20
)

func openPhones(to netip.AddrPort) (*phones, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(bufferBytes)
	stampArrivals(conn)
	nothing := func(*dialog, time.Time) {}
	p := &phones{
		conn: conn, server: to, audio: 9, wants: "sendrecv", rang: nothing, up: nothing, over: nothing,
		dialogs: map[string]*dialog{}, resends: map[string]*resend{}, dialled: make([]time.Time, 1),
	}
	p.wg.Go(p.read)
	p.wg.Go(p.repeat)
	return p, nil
}

func (p *phones) addr() netip.AddrPort { return p.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (p *phones) close() {
	p.done.Store(true)
	_ = p.conn.Close()
	p.wg.Wait()
}

func (p *phones) read() {
	buf, control := make([]byte, 65536), make([]byte, 2*stampSize)
	for {
		n, stamped, _, _, err := p.conn.ReadMsgUDPAddrPort(buf, control)
		if p.done.Load() {
			return
		}
		if err != nil {
			continue // an ICMP error of an earlier packet
		}
		now := arrival(control[:stamped], time.Now())
		if m, ok := parseMessage(buf[:n]); ok {
			p.mu.Lock()
			if m.status > 0 {
				p.response(m, now)
			} else {
				p.request(m, now)
			}
			p.mu.Unlock()
		}
	}
}

// repeat sends again what got no answer.
func (p *phones) repeat() {
	for !p.done.Load() {
		time.Sleep(firstResend / 5)
		now := time.Now()
		p.mu.Lock()
		for key, r := range p.resends {
			if now.Before(r.due) {
				continue
			}
			if r.tries++; r.tries > maxResends {
				delete(p.resends, key)
				p.lost++
				continue
			}
			p.resent++
			r.after = min(2*r.after, lastResend)
			r.due = now.Add(r.after)
			p.send(r.wire)
		}
		p.mu.Unlock()
	}
}

func (p *phones) send(wire []byte) { _, _ = p.conn.WriteToUDPAddrPort(wire, p.server) }

func (p *phones) sendUntil(key string, wire []byte) {
	p.resends[key] = &resend{wire: wire, due: time.Now().Add(firstResend), after: firstResend}
	p.send(wire)
}

// Call dials a number.
func (p *phones) Call(number string, index int) *dialog {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.call(number, index)
}

func (p *phones) call(number string, index int) *dialog {
	p.count++
	d := &dialog{
		callID: fmt.Sprintf("%d.%d@bench", p.addr().Port(), p.count), user: number, sequence: 1, index: index,
		target: fmt.Sprintf("sip:%s@%s", number, p.server), began: time.Now(),
		from: fmt.Sprintf("<sip:%s@%s>;tag=c%d", callerNumber(p.count), p.addr(), p.count),
		to:   fmt.Sprintf("<sip:%s@%s>", number, p.server),
	}
	p.dialled = append(p.dialled, d.began)
	p.dialogs[d.callID] = d
	p.sendUntil(d.callID+" INVITE", p.requestWire("INVITE", d, p.session()))
	return d
}

// Bye ends an answered call; nothing happens to one that is over.
func (p *phones) Bye(d *dialog) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bye(d)
}

func (p *phones) bye(d *dialog) {
	if d.hungUp || p.dialogs[d.callID] == nil || d.answered.IsZero() {
		return
	}
	d.hungUp = true
	d.sequence++
	p.sendUntil(d.callID+" BYE", p.requestWire("BYE", d, ""))
}

func (p *phones) requestWire(method string, d *dialog, body string) []byte {
	kind := ""
	if body != "" {
		kind = "Content-Type: application/sdp\r\n"
	}
	sequence := d.sequence
	return fmt.Appendf(nil, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s%s%d\r\nMax-Forwards: 70\r\n"+
		"From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:bench@%s>\r\n%sContent-Length: %d\r\n\r\n%s",
		method, d.target, p.addr(), strings.ReplaceAll(d.callID, "@", "."), method, sequence, d.from, d.to, d.callID,
		sequence, method, p.addr(), kind, len(body), body)
}

func (p *phones) session() string {
	return fmt.Sprintf("v=0\r\no=bench 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"+
		"m=audio %d RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=%s\r\n", p.audio, p.wants)
}

// response is an answer to a request of ours.
func (p *phones) response(m message, now time.Time) {
	delete(p.resends, m.callID+" "+m.method)
	d := p.dialogs[m.callID]
	switch {
	case d == nil:
	case m.method == "BYE" && m.status >= 200:
		p.end(d, now)
	case m.method != "INVITE" || m.status < 200:
		d.progressN++
	case m.status < 300:
		p.accepted(d, m, now)
	default:
		d.status, d.retry = m.status, string(header(m.text, "Retry-After"))
		d.to = string(header(m.text, "To"))
		p.send(p.ackWire(d, true))
		p.end(d, now)
	}
}

func (p *phones) accepted(d *dialog, m message, now time.Time) {
	first := d.answered.IsZero()
	if first {
		d.answered, d.media = now, m.media()
		d.to = string(header(m.text, "To"))
		d.target = address(header(m.text, "Contact"))
	}
	p.send(p.ackWire(d, false))
	if first {
		p.up(d, now)
	}
}

// ackWire acknowledges; an ACK to a refusal belongs to the INVITE's own transaction, and so carries its branch.
func (p *phones) ackWire(d *dialog, refused bool) []byte {
	method, sequence := "ACK", d.sequence
	d.sequence = 1
	defer func() { d.sequence = sequence }()
	wire := p.requestWire(method, d, "")
	if refused {
		wire = []byte(strings.Replace(string(wire), "ACK1\r\n", "INVITE1\r\n", 1))
	}
	return wire
}

func (p *phones) end(d *dialog, now time.Time) {
	delete(p.dialogs, d.callID)
	delete(p.resends, d.callID+" BYE")
	delete(p.resends, d.callID+" 200")
	p.over(d, now)
}

// request is something that the server asks.
func (p *phones) request(m message, now time.Time) {
	d := p.dialogs[m.callID]
	switch m.method {
	case "INVITE":
		p.invited(d, m, now)
	case "ACK":
		delete(p.resends, m.callID+" 200")
		if d != nil && !d.acked {
			d.acked = true
			p.up(d, now)
		}
	case "BYE", "CANCEL":
		p.send(p.reply(m, "200 OK", ""))
		if d == nil {
			return
		}
		if m.method == "CANCEL" && d.reply != nil && d.answered.IsZero() {
			p.send(fmt.Appendf(nil, "SIP/2.0 487 Request Terminated\r\n%s", d.reply))
		}
		p.end(d, now)
	default:
		p.send(p.reply(m, "200 OK", ""))
	}
}

// invited answers a call to one of the operators.
func (p *phones) invited(d *dialog, m message, now time.Time) {
	if d != nil {
		if !d.answered.IsZero() {
			p.send(d.reply)
		}
		return
	}
	d = &dialog{
		callID: m.callID, user: m.user, sequence: 1, began: now, media: m.media(),
		from:   string(header(m.text, "To")) + ";tag=" + m.user,
		to:     string(header(m.text, "From")),
		target: address(header(m.text, "Contact")),
	}
	p.dialogs[d.callID] = d
	if p.mute {
		p.send(p.reply(m, "180 Ringing", ""))
		_, rest, _ := strings.Cut(string(p.reply(m, "487", "")), "\r\n")
		d.reply = []byte(rest)
		p.rang(d, now)
		return
	}
	d.answered = now
	d.reply = p.reply(m, "200 OK", p.session())
	p.rang(d, now)
	p.sendUntil(d.callID+" 200", d.reply)
}

func (p *phones) reply(m message, status, body string) []byte {
	tag, kind := "", ""
	to := string(headers(m.text, "To"))
	if !strings.Contains(to, ";tag=") {
		tag = ";tag=" + m.user
	}
	if body != "" {
		kind = "Content-Type: application/sdp\r\n"
	}
	return fmt.Appendf(nil, "SIP/2.0 %s\r\n%s%s%s%s\r\n%s%sContact: <sip:%s@%s>\r\n%sContent-Length: %d\r\n\r\n%s",
		status, headers(m.text, "Via"), headers(m.text, "From"), strings.TrimSuffix(to, "\r\n"), tag,
		headers(m.text, "Call-ID"), headers(m.text, "CSeq"), m.user, p.addr(), kind, len(body), body)
}

// Live is how many calls there are now.
func (p *phones) Live() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.dialogs)
}

// HangUpAll ends every answered call.
func (p *phones) HangUpAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.dialogs {
		p.bye(d)
	}
}
