package media

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"switchboard/internal/audio"
)

// Bounds on a session description.
const (
	MaxSDP      = 16 << 10 // bytes
	MaxSDPMedia = 16       // m= lines
)

// ErrSDP says that a session description cannot be understood; the text around it names the line.
var ErrSDP = errors.New("bad session description")

// ErrNoCodec says that the far side offers no audio that we can speak: neither PCMU nor PCMA over plain RTP, or none
// at all. A call is refused with 488 for it.
var ErrNoCodec = errors.New("no common audio codec")

// direction is what the side that wrote a description does with audio (RFC 4566, 6).
type direction uint8

const (
	sendRecv direction = iota
	sendOnly
	recvOnly
	inactive
)

var directionNames = [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}

// answered is the direction that answers this one (RFC 3264, 6.1).
func (d direction) answered() direction {
	switch d {
	case sendOnly:
		return recvOnly
	case recvOnly:
		return sendOnly
	default:
		return d
	}
}

func (d direction) sends() bool    { return d == sendRecv || d == sendOnly }
func (d direction) receives() bool { return d == sendRecv || d == recvOnly }

// description is the part of an SDP body that matters to one audio stream.
type description struct {
	addr  netip.Addr // of the session; media lines may have their own
	dir   direction
	media []mediaLine
}

type mediaLine struct {
	kind, proto string
	port        int
	formats     []string
	addr        netip.Addr
	dir         direction
	maps        []formatMap
}

// formatMap is an a=rtpmap: payload type and coding, such as "PCMU/8000" in upper case.
type formatMap struct{ format, coding string }

// parseSDP reads a body. Lines that do not concern us may hold anything.
func parseSDP(body []byte) (description, error) {
	var d description
	if len(body) > MaxSDP {
		return d, fmt.Errorf("%w: longer than %d bytes", ErrSDP, MaxSDP)
	}
	first := true
	for line := range strings.SplitSeq(string(body), "\n") {
		line = strings.TrimRight(line, "\r \t\x00")
		if line == "" {
			continue
		}
		if len(line) < 2 || line[1] != '=' {
			return d, fmt.Errorf("%w: line %.20q", ErrSDP, line)
		}
		if first && line != "v=0" {
			return d, fmt.Errorf("%w: v= is not 0", ErrSDP)
		}
		first = false
		if err := d.line(line[0], line[2:]); err != nil {
			return d, err
		}
	}
	if first {
		return d, fmt.Errorf("%w: empty", ErrSDP)
	}
	return d, nil
}

func (d *description) line(name byte, value string) error {
	addr, dir := &d.addr, &d.dir
	var m *mediaLine
	if n := len(d.media); n > 0 {
		m = &d.media[n-1]
		addr, dir = &m.addr, &m.dir
	}
	switch name {
	case 'c':
		a, err := parseConnection(value)
		if err != nil {
			return err
		}
		*addr = a
	case 'm':
		return d.mediaLine(value)
	case 'a':
		for i, known := range directionNames {
			if value == known {
				*dir = direction(i)
			}
		}
		if format, coding, ok := strings.Cut(strings.TrimPrefix(value, "rtpmap:"), " "); ok && m != nil &&
			strings.HasPrefix(value, "rtpmap:") {
			coding = strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(coding)), "/1")
			m.maps = append(m.maps, formatMap{format, coding})
		}
	}
	return nil
}

// parseConnection reads "IN IP4 192.0.2.1" or "IN IP4 224.0.0.1/127". A host name would mean DNS in a call's path.
func parseConnection(value string) (netip.Addr, error) {
	f := strings.Fields(value)
	if len(f) != 3 || f[0] != "IN" || f[1] != "IP4" && f[1] != "IP6" {
		return netip.Addr{}, fmt.Errorf("%w: c= %.40q", ErrSDP, value)
	}
	addr, err := netip.ParseAddr(f[2])
	if err != nil || addr.IsMulticast() || addr.Zone() != "" || addr.Is4() != (f[1] == "IP4") {
		return netip.Addr{}, fmt.Errorf("%w: c= has no unicast IP address: %.40q", ErrSDP, f[2])
	}
	return addr.Unmap(), nil
}

func (d *description) mediaLine(value string) error {
	f := strings.Fields(value)
	if len(f) < 4 {
		return fmt.Errorf("%w: m= %.40q", ErrSDP, value)
	}
	number, _, _ := strings.Cut(f[1], "/")
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return fmt.Errorf("%w: m= port %.20q", ErrSDP, f[1])
	}
	if len(d.media) == MaxSDPMedia {
		return fmt.Errorf("%w: more than %d m= lines", ErrSDP, MaxSDPMedia)
	}
	d.media = append(d.media, mediaLine{
		kind: f[0], port: int(port), proto: f[2], formats: f[3:], addr: d.addr, dir: d.dir,
	})
	return nil
}

// coding is what a format of this line stands for; static types need no map (RFC 3551, table 4).
func (m *mediaLine) coding(format string) string {
	for _, k := range m.maps {
		if k.format == format {
			return k.coding
		}
	}
	switch format {
	case "0":
		return "PCMU/8000"
	case "8":
		return "PCMA/8000"
	}
	return ""
}

const noType = -1

// codecs is what a media line lets us use: payload types, or noType.
type codecs struct {
	laws  [2]int // by audio.Law
	first audio.Law
	event int // telephone-event
}

func (m *mediaLine) codecs() (codecs, bool) {
	c := codecs{laws: [2]int{noType, noType}, event: noType}
	found := false
	for _, format := range m.formats {
		number, err := strconv.ParseUint(format, 10, 7)
		if err != nil {
			continue
		}
		law := audio.ULaw
		switch m.coding(format) {
		case "PCMU/8000":
		case "PCMA/8000":
			law = audio.ALaw
		case "TELEPHONE-EVENT/8000":
			if c.event == noType {
				c.event = int(number)
			}
			continue
		default:
			continue
		}
		if !found {
			c.first, found = law, true
		}
		if c.laws[law] == noType {
			c.laws[law] = int(number)
		}
	}
	return c, found
}

// audioLine is the index of the stream we would take, -1 for none.
func (d *description) audioLine() int {
	for i := range d.media {
		m := &d.media[i]
		if m.kind != "audio" || m.port == 0 || m.proto != "RTP/AVP" {
			continue
		}
		if _, ok := m.codecs(); ok {
			return i
		}
	}
	return -1
}

// written is an SDP body of ours to be.
type written struct {
	id      uint64
	version uint64
	addr    netip.Addr
}

func (w written) body(media string) []byte {
	family := "IP4"
	if w.addr.Is6() {
		family = "IP6"
	}
	return fmt.Appendf(nil, "v=0\r\no=- %d %d IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n%s",
		w.id, w.version, family, w.addr, family, w.addr, media)
}

// writeAudio writes an m= block: payload types in order, the first law first.
func writeAudio(port int, laws []audio.Law, c codecs, dir direction) string {
	var formats, maps strings.Builder
	for _, law := range laws {
		fmt.Fprintf(&formats, " %d", c.laws[law])
		fmt.Fprintf(&maps, "a=rtpmap:%d %s/8000\r\n", c.laws[law], law)
	}
	if c.event != noType {
		fmt.Fprintf(&formats, " %d", c.event)
		fmt.Fprintf(&maps, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n", c.event, c.event)
	}
	return fmt.Sprintf("m=audio %d RTP/AVP%s\r\n%sa=ptime:20\r\na=%s\r\n", port, &formats, &maps, directionNames[dir])
}

// writeRefused writes the m= line that refuses an offered stream; it keeps its place (RFC 3264, 6).
func (m *mediaLine) writeRefused() string {
	return fmt.Sprintf("m=%s 0 %s %s\r\n", m.kind, m.proto, strings.Join(m.formats, " "))
}
