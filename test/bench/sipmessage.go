package main

import (
	"bytes"
	"net/netip"
	"strconv"
)

// message is a SIP message as far as a load generator must understand it. The slices lie in the datagram.
type message struct {
	text   []byte
	status int    // 0: a request
	method string // of a request; of a response, the method that it answers
	user   string // of the Request-URI
	callID string
}

func parseMessage(b []byte) (message, bool) {
	m := message{text: b, callID: string(header(b, "Call-ID"))}
	first, _, _ := bytes.Cut(b, []byte("\r\n"))
	if rest, ok := bytes.CutPrefix(first, []byte("SIP/2.0 ")); ok && len(rest) >= 3 {
		m.status, _ = strconv.Atoi(string(rest[:3]))
		_, method, _ := bytes.Cut(header(b, "CSeq"), []byte(" "))
		m.method = string(method)
	} else {
		method, uri, _ := bytes.Cut(first, []byte(" "))
		m.method = string(method)
		uri, _, _ = bytes.Cut(uri, []byte("@"))
		m.user = string(bytes.TrimPrefix(uri, []byte("sip:")))
	}
	return m, m.callID != "" && m.method != ""
}

// header is the value of the first header of that name; nil where there is none.
func header(b []byte, name string) []byte {
	for _, line := range lines(b) {
		if len(line) > len(name) && line[len(name)] == ':' && bytes.EqualFold(line[:len(name)], []byte(name)) {
			return bytes.TrimSpace(line[len(name)+1:])
		}
	}
	return nil
}

// headers are all whole lines of one header, to be repeated in a response.
func headers(b []byte, name string) []byte {
	var all []byte
	for _, line := range lines(b) {
		if len(line) > len(name) && line[len(name)] == ':' && bytes.EqualFold(line[:len(name)], []byte(name)) {
			all = append(append(all, line...), "\r\n"...)
		}
	}
	return all
}

func lines(b []byte) [][]byte {
	head, _, _ := bytes.Cut(b, []byte("\r\n\r\n"))
	return bytes.Split(head, []byte("\r\n"))
}

// address is the URI between angle brackets.
func address(value []byte) string {
	_, rest, _ := bytes.Cut(value, []byte("<"))
	uri, _, _ := bytes.Cut(rest, []byte(">"))
	return string(uri)
}

// media is where the far side wants its audio; the zero AddrPort without a session description. Everything here is on
// loopback, so only the port is read.
func (m message) media() netip.AddrPort {
	_, body, _ := bytes.Cut(m.text, []byte("\r\n\r\n"))
	_, rest, ok := bytes.Cut(body, []byte("m=audio "))
	if !ok {
		return netip.AddrPort{}
	}
	text, _, _ := bytes.Cut(rest, []byte(" "))
	port, _ := strconv.ParseUint(string(text), 10, 16)
	return netip.AddrPortFrom(loopback, uint16(port))
}

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})
