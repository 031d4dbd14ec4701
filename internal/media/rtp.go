package media

import "encoding/binary"

const (
	headerSize = 12
	frameSize  = 160 // samples and bytes in 20 ms
	frameNanos = 20_000_000

	// MaxPacket is the largest RTP packet in bytes that is taken; longer ones are dropped as malformed.
	MaxPacket = 1400
)

// packet is what a header says of the datagram it stands in. The payload is datagram[start:end].
type packet struct {
	marker     bool
	kind       uint8 // payload type
	seq        uint16
	stamp      uint32
	ssrc       uint32
	start, end int
}

// parsePacket reads an RTP header (RFC 3550, 5.1), past CSRCs, an extension and padding.
func parsePacket(b []byte) (p packet, ok bool) {
	if len(b) < headerSize || len(b) > MaxPacket || b[0]>>6 != 2 {
		return p, false
	}
	p.start, p.end = headerSize+4*int(b[0]&0x0f), len(b)
	if b[0]&0x10 != 0 {
		if p.start+4 > p.end {
			return p, false
		}
		p.start += 4 + 4*int(binary.BigEndian.Uint16(b[p.start+2:]))
	}
	if b[0]&0x20 != 0 {
		padding := int(b[len(b)-1])
		if padding == 0 {
			return p, false
		}
		p.end -= padding
	}
	if p.start > p.end {
		return p, false
	}
	p.marker, p.kind = b[1]&0x80 != 0, b[1]&0x7f
	p.seq = binary.BigEndian.Uint16(b[2:])
	p.stamp = binary.BigEndian.Uint32(b[4:])
	p.ssrc = binary.BigEndian.Uint32(b[8:])
	return p, true
}

// isRTCP tells RTCP that a far side sends to the RTP port by its second byte (RFC 5761, 4).
func isRTCP(b []byte) bool { return len(b) >= 2 && b[0]>>6 == 2 && b[1] >= 192 && b[1] <= 223 }

// putHeader writes a plain header into the first 12 bytes of b.
func putHeader(b []byte, marker bool, kind uint8, seq uint16, stamp, ssrc uint32) {
	_ = b[headerSize-1]
	b[0], b[1] = 0x80, kind
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], stamp)
	binary.BigEndian.PutUint32(b[8:], ssrc)
}
