package sipd

import (
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"switchboard/internal/memnet"
)

// tortures are the messages of RFC 4475 by their names there, with the statuses that we answer. "": dropped.
var tortures = map[string]string{
	// 3.1.1: valid, however they look.
	"wsinv": "100 486", "intmeth": "501", "esc01": "100 486", "escnull": "401", "esc02": "501", "lwsdisp": "200",
	"longreq": "100 486", "dblreq": "401", "semiuri": "200", "transports": "200", "mpart01": "405",
	"unreason": "", "noreason": "", // responses to nothing
	// 3.1.2: invalid.
	"badinv01": "", "clerr": "", "ncl": "", "scalar02": "", "scalarlg": "", "quotbal": "", "ltgtruri": "", "lwsruri": "",
	"lwsstart": "", "trws": "", "escruri": "400", "baddate": "100 486", "regbadct": "401", "badaspec": "", "baddn": "",
	"badvers": "505", "mismatch01": "400", "mismatch02": "400", "bigcode": "",
	// 3.2 to 3.4: of transactions, of the application, of old standards.
	"badbranch": "200", "insuf": "400", "unkscm": "416", "novelsc": "", "unksm2": "401", "bext01": "420", "invut": "415",
	"regaut01": "401", "multi01": "400", "mcl01": "400", "bcast": "", "zeromf": "200", "cparam01": "401",
	"cparam02": "401", "regescrt": "401", "sdp01": "100 486", "inv2543": "100 486",
}

func TestTorture(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(tortures)) {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", "torture", name+".dat"))
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				w, p := newWorld(t), &phones{}
				in := &calls{on: func(leg *Leg) { leg.Refuse(486, 0) }}
				server := w.serve(addrA, func(c *Config) { c.OnCall, c.Account = in.onCall, p.account })
				peer := w.raw(addrB, server)
				peer.conn.Send(peer.server, data)
				synctest.Wait()
				var statuses []string
				for _, packet := range w.net.Sent(server.Addr()) {
					statuses = append(statuses, status(string(packet.Data)))
				}
				if got := strings.Join(statuses, " "); got != tortures[name] {
					t.Errorf("answered %q, want %q", got, tortures[name])
				}
				if got := server.Stats(); tortures[name] == "" && got.Malformed+got.Unknown != 1 {
					t.Errorf("dropped, but not counted: %+v", got)
				}
				w.end()
			})
		})
	}
}

func TestTheTortureListIsWhole(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "torture", "*.dat"))
	if err != nil || len(files) != len(tortures) || len(files) != 49 {
		t.Errorf("%d files and %d expectations (%v); RFC 4475 has 49 messages", len(files), len(tortures), err)
	}
}

// FuzzMessage feeds packets to a server that has a call up and a call ringing.
func FuzzMessage(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "torture", "*.dat"))
	if err != nil || len(files) == 0 {
		f.Fatal("no corpus", err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	peer := &rawPeer{conn: memnet.New().Listen(netip.MustParseAddrPort(addrB)), server: netip.MustParseAddrPort(addrA)}
	for _, text := range []string{
		peer.message("BYE", 2, "To: <sip:x@y>;tag=1"),
		peer.message("INVITE", 3, "Session-Expires: 90;refresher=uas", isSDP, "Body: x"),
		peer.message("REGISTER", 4,
			`Authorization: Digest username="ada", realm="switchboard", nonce="0", qop=auth, nc=1, cnonce="x"`),
		peer.message("INFO", 5, "Content-Type: application/dtmf-relay", "Body: Signal=1"),
		peer.message("CANCEL", 3), respond(peer.message("INVITE", 1), 200, "x", "Record-Route: <sip:a@b;lr>, <sip:c@d>"),
	} {
		f.Add([]byte(crlf(text)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		synctest.Test(t, func(t *testing.T) { fuzzOne(t, data) })
	})
}

func fuzzOne(t *testing.T, data []byte) {
	w, p := newWorld(t), &phones{}
	in := &calls{on: func(leg *Leg) { leg.Answer([]byte("answer")) }}
	server := w.serve(addrA, func(c *Config) { c.OnCall, c.Account = in.onCall, p.account })
	peer := w.raw(addrB, server)
	peer.send(peer.message("INVITE", 1, isSDP, "Body: offer"))
	server.Invite(Invitation{To: uriOf(addrB), SDP: []byte("offer")}, &ear{})
	synctest.Wait()
	peer.conn.Send(peer.server, data)
	synctest.Wait()
	peer.got()
	options := peer.message("OPTIONS", 99, "Call-ID: still-alive")
	peer.send(options)
	if answer := peer.last(); !strings.HasPrefix(answer, "SIP/2.0 200") {
		t.Errorf("after it, OPTIONS is answered\n%s", answer)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}
