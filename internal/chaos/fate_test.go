package chaos

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"switchboard/internal/memnet"
)

// dice are thrown for one purpose. Every purpose has its own, so that what one party throws does not depend on when
// another one did: the same seed plays the same plan, whichever goroutine runs first.
func dice(seed uint64, purpose ...any) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintln(h, purpose...)
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

func chance(d *rand.Rand, p float64) bool { return d.Float64() < p }

func between(d *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(d.Int64N(int64(high-low)+1))
}

// weather is how bad the network of a world is.
type weather struct {
	seed         uint64
	loss, double float64
	slow         float64       // of being held up for seconds
	delay        time.Duration // at most, of the others: what is sent later may come first
	outages      []outage

	// Only the filter uses these: how often a message of a kind was sent, and what was done to how many.
	seen  map[string]uint64
	count map[string]int
}

// outage is a time in which a peer hears and says nothing.
type outage struct {
	peer     netip.AddrPort
	from, to time.Duration
}

// forecast makes a fifth of the worlds calm, so that every kind of call also goes as it is meant to.
func forecast(seed uint64, length time.Duration, peers ...netip.AddrPort) *weather {
	d := dice(seed, "weather")
	w := &weather{seed: seed, seen: map[string]uint64{}, count: map[string]int{}}
	if chance(d, 0.2) {
		return w
	}
	w.loss, w.double, w.slow = 0.35*d.Float64(), 0.2*d.Float64(), 0.05*d.Float64()
	w.delay = between(d, 0, 600*time.Millisecond)
	for range d.IntN(3) {
		begin := between(d, 0, length)
		w.outages = append(w.outages, outage{
			peer: peers[d.IntN(len(peers))], from: begin, to: begin + between(d, time.Second, 50*time.Second),
		})
	}
	return w
}

// filter is what the network does to a packet.
func (w *weather) filter(p memnet.Packet) []memnet.Packet {
	kind := kindOf(p)
	w.seen[kind]++
	w.count["sent "+methodOf(p)]++
	d := dice(w.seed, kind, w.seen[kind])
	p.Data = bend(d, p.Data)
	for _, o := range w.outages {
		if (p.From == o.peer || p.To == o.peer) && p.At >= o.from && p.At < o.to {
			w.count["network: in an outage"]++
			return nil
		}
	}
	if chance(d, w.loss) {
		w.count["network: lost"]++
		return nil
	}
	p.After = between(d, 0, w.delay)
	if chance(d, w.slow) {
		w.count["network: held up"]++
		p.After += between(d, 0, 5*time.Second)
	}
	out := []memnet.Packet{p}
	if chance(d, w.double) {
		w.count["network: doubled"]++
		p.After += between(d, 0, 2*time.Second)
		out = append(out, p)
	}
	return out
}

// methodOf is the method of a request, or the status of a response.
func methodOf(p memnet.Packet) string {
	what, _, _ := strings.Cut(strings.TrimPrefix(p.First(), "SIP/2.0 "), " ")
	if what == "INVITE" && toTagged(p.Data) {
		return "re-INVITE"
	}
	return what
}

// kindOf names what a message is about, without the names that user agents pick at random.
func kindOf(p memnet.Packet) string {
	_, rest, _ := bytes.Cut(p.Data, []byte("\r\n"))
	kind := fmt.Sprint(p.From, p.To, methodOf(p))
	for line := range bytes.Lines(rest) {
		name, value, _ := strings.Cut(string(line), ":")
		switch name {
		case "From", "To":
			value, _, _ = strings.Cut(value, "tag=")
			kind += value
		case "CSeq":
			kind += value
		case "\r\n":
			return kind
		}
	}
	return kind
}

// bend makes user agents that ask for nothing do what others ask for: half of the calls get a session timer (RFC 4028)
// whose refresher is either side, some of these refreshed by re-INVITE since UPDATE is not known; and now and then a
// description says hold.
func bend(d *rand.Rand, data []byte) []byte {
	begins := bytes.HasPrefix(data, []byte("INVITE ")) && !toTagged(data)
	if begins && chance(d, 0.5) {
		line := fmt.Sprintf("\r\nSession-Expires: %d;refresher=%s\r\n", 90+d.IntN(60), []string{"uac", "uas"}[d.IntN(2)])
		data = bytes.Replace(data, []byte("\r\n"), []byte(line), 1)
	}
	if chance(d, 0.5) {
		data = bytes.Replace(data, []byte(", UPDATE"), nil, 1)
	}
	if !begins && bytes.HasPrefix(data, []byte("INVITE ")) && chance(d, 0.3) {
		data = bytes.Replace(data, []byte(talkSDP), []byte(holdSDP), 1)
	}
	return data
}

func toTagged(data []byte) bool {
	_, to, _ := bytes.Cut(data, []byte("\r\nTo:"))
	to, _, _ = bytes.Cut(to, []byte("\r\n"))
	return bytes.Contains(to, []byte("tag="))
}

func packet(text string) memnet.Packet {
	return memnet.Packet{From: trunkAddr, To: pbxAddr, Data: []byte(text)}
}
