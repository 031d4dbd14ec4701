package media

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"switchboard/internal/audio"
)

const session = "v=0\r\no=phone 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"

func accept(t *testing.T, pt *Port, sdp string) string {
	t.Helper()
	answer, err := pt.Accept([]byte(sdp))
	if err != nil {
		t.Fatalf("%v\n%s", err, sdp)
	}
	return string(answer)
}

func wantLines(t *testing.T, sdp string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(sdp, line+"\r\n") {
			t.Errorf("no line %q in\n%s", line, sdp)
		}
	}
}

func TestAnswerPicksTheFirstLawOffered(t *testing.T) {
	p := newPool(t, PoolConfig{})
	for _, c := range []struct {
		formats string
		maps    string
		want    string
		law     audio.Law
		event   int
	}{
		{"0 8 101", "a=rtpmap:101 telephone-event/8000\r\n", " RTP/AVP 0 101", audio.ULaw, 101},
		{"8 0 96", "a=rtpmap:96 Telephone-Event/8000/1\r\n", " RTP/AVP 8 96", audio.ALaw, 96},
		{"9 18 8", "", " RTP/AVP 8", audio.ALaw, noType},
		{"96 97", "a=rtpmap:96 opus/48000/2\r\na=rtpmap:97 pcma/8000\r\n", " RTP/AVP 97", audio.ALaw, noType},
		{"0 101", "a=rtpmap:101 telephone-event/48000\r\n", " RTP/AVP 0", audio.ULaw, noType},
		{"8", "a=rtpmap:8 PCMA/8000\r\n", " RTP/AVP 8", audio.ALaw, noType},
	} {
		pt := openPort(t, p, nil)
		answer := accept(t, pt, session+"m=audio 4000 RTP/AVP "+c.formats+"\r\n"+c.maps)
		if !strings.Contains(answer, c.want+"\r\n") || pt.Law() != c.law || pt.out.event != c.event {
			t.Errorf("%s: law %s, event %d, answer\n%s", c.formats, pt.Law(), pt.out.event, answer)
		}
	}
}

func TestAnswerRefusesOtherStreamsInTheirPlace(t *testing.T) {
	pt := openPort(t, newPool(t, PoolConfig{}), nil)
	answer := accept(t, pt, session+"m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=sendonly\r\n"+
		"m=audio 4002 RTP/SAVP 0\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.9\r\n")
	_, media, _ := strings.Cut(answer, "t=0 0\r\n")
	want := "m=video 0 RTP/AVP 96\r\nm=audio 0 RTP/SAVP 0\r\nm=audio "
	if !strings.HasPrefix(media, want) {
		t.Errorf("got\n%swant\n%s", media, want)
	}
	if got := pt.out.to.String(); got != "192.0.2.9:4000" {
		t.Errorf("sends to %s", got)
	}
}

func TestHoldIsAnsweredWithTheOtherDirection(t *testing.T) {
	for _, c := range []struct {
		extra, want   string
		hears, speaks bool
	}{
		{"", "sendrecv", true, true},
		{"a=sendrecv\r\n", "sendrecv", true, true},
		{"a=sendonly\r\n", "recvonly", false, true},
		{"a=recvonly\r\n", "sendonly", true, false},
		{"a=inactive\r\n", "inactive", false, false},
		{"c=IN IP4 0.0.0.0\r\n", "recvonly", false, true},
		{"c=IN IP4 0.0.0.0\r\na=inactive\r\n", "inactive", false, false},
	} {
		pt := openPort(t, newPool(t, PoolConfig{}), nil)
		accept(t, pt, session+"m=audio 4000 RTP/AVP 0\r\n")
		wantLines(t, accept(t, pt, session+"m=audio 4000 RTP/AVP 0\r\n"+c.extra), "a="+c.want)
		if got := pt.terms.Load(); got.hears != c.hears || got.speaks != c.speaks {
			t.Errorf("%q: hears %v, speaks %v", c.extra, got.hears, got.speaks)
		}
		if pt.Held() != (c.want != "sendrecv") {
			t.Errorf("%q: held %v", c.extra, pt.Held())
		}
		if got := pt.out.to.String(); got != "192.0.2.7:4000" {
			t.Errorf("%q: sends to %s", c.extra, got)
		}
	}
}

func TestDirectionOfTheSessionHoldsForItsStreams(t *testing.T) {
	pt := openPort(t, newPool(t, PoolConfig{}), nil)
	wantLines(t, accept(t, pt, session+"a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\n"), "a=recvonly")
	wantLines(t, accept(t, pt, session+"a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n"), "a=sendrecv")
}

func TestVersionCountsChanges(t *testing.T) {
	pt := openPort(t, newPool(t, PoolConfig{}), nil)
	origin := func(sdp string) string { return strings.Split(sdp, "\r\n")[1] }
	talk, hold := session+"m=audio 4000 RTP/AVP 0\r\n", session+"m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"
	first := origin(accept(t, pt, talk))
	if again := origin(accept(t, pt, talk)); again != first {
		t.Errorf("nothing changed, but %q became %q", first, again)
	}
	second := origin(accept(t, pt, hold))
	third := origin(accept(t, pt, talk))
	id := strings.Fields(first)[1]
	for i, o := range []string{first, second, third} {
		f := strings.Fields(o)
		if f[1] != id || f[2] != string(rune('1'+i)) {
			t.Errorf("origin %d is %q", i+1, o)
		}
	}
}

func TestLawStaysInMidCall(t *testing.T) {
	pt := openPort(t, newPool(t, PoolConfig{}), nil)
	accept(t, pt, session+"m=audio 4000 RTP/AVP 8 0\r\n")
	accept(t, pt, session+"m=audio 4000 RTP/AVP 0 8\r\n")
	if pt.Law() != PCMA {
		t.Errorf("law is %s after a re-INVITE that has both", pt.Law())
	}
	accept(t, pt, session+"m=audio 4000 RTP/AVP 0\r\n")
	if pt.Law() != PCMU {
		t.Errorf("law is %s after a re-INVITE without PCMA", pt.Law())
	}
}

func TestOfferPrefersALawAndTakesTheAnswersTypes(t *testing.T) {
	p := newPool(t, PoolConfig{Advertise: netip.MustParseAddr("203.0.113.5")})
	pt := openPort(t, p, nil)
	wantLines(t, string(pt.Offer(PCMU)), "c=IN IP4 203.0.113.5", "a=sendrecv", "a=rtpmap:101 telephone-event/8000")
	for law, want := range map[Law]string{PCMU: " RTP/AVP 0 8 101\r\n", PCMA: " RTP/AVP 8 0 101\r\n"} {
		if offer := string(pt.Offer(law)); !strings.Contains(offer, want) {
			t.Errorf("offer with %s first:\n%s", law, offer)
		}
	}
	answer := session + "m=audio 4000 RTP/AVP 8 97\r\na=rtpmap:97 telephone-event/8000\r\n"
	if err := pt.Complete([]byte(answer)); err != nil {
		t.Fatal(err)
	}
	terms := pt.terms.Load()
	if pt.Law() != PCMA || pt.out.event != 97 || !terms.isEvent(97) || !terms.isEvent(101) || terms.isEvent(98) {
		t.Errorf("law %s, key presses as %d", pt.Law(), pt.out.event)
	}
}

func TestListeningEverywhereAdvertisesWhatThePeerReaches(t *testing.T) {
	pt := openPort(t, newPool(t, PoolConfig{Host: netip.MustParseAddr("0.0.0.0")}), nil)
	pt.Facing(loopback)
	wantLines(t, string(pt.Offer(PCMU)), "c=IN IP4 127.0.0.1")
	local := strings.ReplaceAll(session, "192.0.2.7", "127.0.0.1")
	wantLines(t, accept(t, pt, local+"m=audio 4000 RTP/AVP 0\r\n"), "c=IN IP4 127.0.0.1")
}

func TestListeningOnIPv6(t *testing.T) {
	p, err := NewPool(PoolConfig{Host: netip.IPv6Unspecified()})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	pt, err := p.Open(nil)
	if err != nil {
		t.Logf("no IPv6 on this host: %v", err)
		return
	}
	x := newPhone(t, audio.ULaw)
	wantLines(t, x.call(pt), "c=IN IP4 127.0.0.1")
	pt.Play([][]byte{audio.Beep()}, nil)
	got, _ := x.hear(20)
	wantTone(t, got, 1000, audio.SpeechLevel)
	pt.Connect(openPort(t, p, nil))
	x.say(audio.Sine(frameSize, -20, 400))
	eventually(t, "heard over IPv4", func() bool { return pt.Stats().Received == 1 })
	wantLines(t, accept(t, pt, "v=0\r\nc=IN IP6 ::1\r\nm=audio 4000 RTP/AVP 0\r\n"), "c=IN IP6 ::1")
}

func TestBadDescriptionsChangeNothing(t *testing.T) {
	pt := openPort(t, newPool(t, PoolConfig{}), nil)
	accept(t, pt, session+"m=audio 4000 RTP/AVP 8\r\n")
	before := pt.terms.Load()
	good := "m=audio 4000 RTP/AVP 0\r\n"
	for name, c := range map[string]struct {
		sdp  string
		want error
	}{
		"empty":          {"", ErrSDP},
		"no version":     {"o=- 1 1 IN IP4 192.0.2.7\r\n" + good, ErrSDP},
		"version 1":      {"v=1\r\nc=IN IP4 192.0.2.7\r\n" + good, ErrSDP},
		"no equals sign": {session + "nonsense\r\n" + good, ErrSDP},
		"no address":     {"v=0\r\n" + good, ErrSDP},
		"host name":      {"v=0\r\nc=IN IP4 phone.example.com\r\n" + good, ErrSDP},
		"wrong family":   {"v=0\r\nc=IN IP6 192.0.2.7\r\n" + good, ErrSDP},
		"IPv6 to us":     {"v=0\r\nc=IN IP6 2001:db8::7\r\n" + good, ErrSDP},
		"multicast":      {"v=0\r\nc=IN IP4 224.0.0.1\r\n" + good, ErrSDP},
		"port":           {session + "m=audio 65536 RTP/AVP 0\r\n", ErrSDP},
		"short m line":   {session + "m=audio 4000 RTP/AVP\r\n", ErrSDP},
		"many streams":   {session + strings.Repeat(good, MaxSDPMedia+1), ErrSDP},
		"long":           {session + good + strings.Repeat("a=x\r\n", MaxSDP/5), ErrSDP},
		"no media":       {session, ErrNoCodec},
		"G.729 only":     {session + "m=audio 4000 RTP/AVP 18\r\n", ErrNoCodec},
		"0 means else":   {session + "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 L16/8000\r\n", ErrNoCodec},
		"refused stream": {session + "m=audio 0 RTP/AVP 0\r\n", ErrNoCodec},
		"encrypted":      {session + "m=audio 4000 RTP/SAVP 0\r\n", ErrNoCodec},
	} {
		answer, err := pt.Accept([]byte(c.sdp))
		if !errors.Is(err, c.want) || answer != nil {
			t.Errorf("offer with %s: %v", name, err)
		}
		if err := pt.Complete([]byte(c.sdp)); !errors.Is(err, c.want) {
			t.Errorf("answer with %s: %v", name, err)
		}
		if pt.terms.Load() != before {
			t.Fatalf("%s changed the terms", name)
		}
	}
	exactly := session + strings.Repeat("m=video 0 RTP/AVP 96\r\n", MaxSDPMedia-1) + good
	accept(t, pt, exactly)
	accept(t, pt, session+good+"a="+strings.Repeat("x", MaxSDP-len(session)-len(good)-2))
}

func FuzzSDP(f *testing.F) {
	f.Add([]byte(session + "m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n"))
	f.Add([]byte("v=0\nc=IN IP6 ::1\nm=audio 1/2 RTP/AVP 8\nm=video 0 x y\n"))
	f.Add([]byte(session + "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMA/8000\r\nc=IN IP4 0.0.0.0\r\n"))
	p := newPool(f, PoolConfig{})
	f.Fuzz(func(t *testing.T, body []byte) {
		pt := openPort(t, p, nil)
		defer pt.Close()
		answer, err := pt.Accept(body)
		if err != nil {
			if !errors.Is(err, ErrSDP) && !errors.Is(err, ErrNoCodec) {
				t.Fatalf("unexpected error %v", err)
			}
			return
		}
		offer, _ := parseSDP(body)
		ours, err := parseSDP(answer)
		if err != nil || len(ours.media) != len(offer.media) {
			t.Fatalf("%v in our answer\n%s", err, answer)
		}
		taken := 0
		for i := range ours.media {
			if ours.media[i].kind != offer.media[i].kind {
				t.Fatalf("stream %d changed its kind", i)
			}
			if ours.media[i].port != 0 {
				taken++
			}
		}
		if taken != 1 {
			t.Fatalf("%d streams taken", taken)
		}
	})
}
