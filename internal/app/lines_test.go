package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"switchboard/internal/audio"
	"switchboard/internal/callcenter"
	"switchboard/internal/exchange"
	"switchboard/internal/route"
	"switchboard/internal/store"
)

// newStore is a database with what put makes.
func newStore(t *testing.T, put func(*store.Tx) error) *store.Store {
	t.Helper()
	db, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Update(t.Context(), "test", put); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestWhichNumbersAreCalled(t *testing.T) {
	const trunk = "sip:192.0.2.1:5060;transport=tcp"
	for name, test := range map[string]struct {
		allow  []string
		cap    int
		trunk  string
		to     string
		status int
	}{
		"own country":            {nil, 1, trunk, "+4930123456", 0},
		"another country":        {nil, 1, trunk, "+12025550100", lineForbidden},
		"premium":                {nil, 1, trunk, "+499001234567", lineForbidden},
		"premium, allowed":       {[]string{"+49900"}, 1, trunk, "+499001234567", 0},
		"a service code":         {nil, 1, trunk, "+49112", lineForbidden},
		"an allowed one":         {[]string{"+1"}, 1, trunk, "+12025550100", 0},
		"own, but not allowed":   {[]string{"+1", "+44"}, 1, trunk, "+4930123456", lineForbidden},
		"any":                    {[]string{"+"}, 1, trunk, "+882123456", 0},
		"no number":              {nil, 1, trunk, "0301234", lineNotFound},
		"header in the number":   {nil, 1, trunk, "+49301234;x=y@evil", lineNotFound},
		"no trunk":               {nil, 1, "", "+4930123456", lineNone},
		"the hour's are used up": {nil, 0, trunk, "+4930123456", lineForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			db := newStore(t, func(tx *store.Tx) error {
				if err := tx.PutOffice(&callcenter.Office{ID: 1, Country: "de"}); err != nil {
					return err
				}
				if err := tx.PutTrunk(&callcenter.Trunk{ID: 2, Name: "only in"}); err != nil {
					return err
				}
				return tx.PutTrunk(&callcenter.Trunk{ID: 3, Name: "out", Outbound: test.trunk})
			})
			var notices []string
			l := &lines{
				store: db, allow: test.allow, cap: test.cap, log: slog.New(slog.DiscardHandler),
				notice: func(text string) { notices = append(notices, text) },
			}
			to, _, status := l.Line(route.DialFar{To: test.to})
			if status != test.status {
				t.Errorf("status %d, want %d", status, test.status)
			}
			if want := "sip:" + test.to + "@192.0.2.1:5060;transport=tcp"; status == 0 && to != want {
				t.Errorf("calls %s, want %s", to, want)
			}
			if told := len(notices) == 1; told != (status == lineForbidden || status == lineNone) {
				t.Errorf("notices %q", notices)
			}
		})
	}
}

func TestTheCapIsOfAnyHour(t *testing.T) {
	l, now := &lines{cap: 2}, time.Now()
	for i, step := range []struct {
		after time.Duration
		want  bool
	}{
		{0, true},
		{capWindow / 2, true},
		{capWindow - 1, false},
		{capWindow, true},
		{capWindow, false},
		{capWindow * 3, true},
	} {
		if got := l.count(now.Add(step.after)); got != step.want {
			t.Errorf("call %d at %s: %t", i, step.after, got)
		}
	}
}

func TestWhoseNumberIsShown(t *testing.T) {
	number := func(e164 string, id int64, kind callcenter.TargetType, rank int) *callcenter.Number {
		return &callcenter.Number{E164: e164, Target: callcenter.Target{ID: id, Type: kind}, Rank: rank}
	}
	db := newStore(t, func(tx *store.Tx) error {
		for _, n := range []*callcenter.Number{
			number("+491", 5, callcenter.TargetCallCenter, 2), number("+492", 5, callcenter.TargetCallCenter, 1),
			number("+493", 7, callcenter.TargetUser, 0), number("+494", 5, callcenter.TargetUser, 0), number("+495", 0, "", 0),
		} {
			if err := tx.PutNumber(n); err != nil {
				return err
			}
		}
		return nil
	})
	for _, test := range []struct {
		order route.DialFar
		want  string
	}{
		{route.DialFar{Center: 5, Operator: 7}, "+492"},
		{route.DialFar{Center: 6, Operator: 7}, "+493"},
		{route.DialFar{Center: 6}, ""},
		{route.DialFar{}, ""},
	} {
		if got := ownNumber(db.Snapshot(), test.order); got != test.want {
			t.Errorf("%+v: %q, want %q", test.order, got, test.want)
		}
	}
}

func TestRecordingsThatACrashCutOffArePlayable(t *testing.T) {
	db := newStore(t, func(*store.Tx) error { return nil })
	dir := t.TempDir()
	var notices []string
	warn := func(text string) { notices = append(notices, text) }
	before, err := newRecordings(dir, db, warn, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	order := route.RecordCall{Call: 9, Center: 5, Operator: 7, Direction: route.Outbound}
	begin := func() (int64, string) {
		id, path, err := before.Begin(order, "+491", at)
		if err != nil {
			t.Fatal(err)
		}
		return id, path
	}
	cut, cutPath := begin()
	empty, emptyPath := begin()
	full, fullPath := begin()
	header := audio.StereoWAVHeader(3 * 4 * audio.Rate)
	for path, body := range map[string][]byte{cutPath: header[:], emptyPath: nil, fullPath: header[:]} {
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before.End(full, exchange.Recorded{Length: time.Minute, Err: os.ErrClosed})
	before.End(full, exchange.Recorded{Length: time.Hour}) // told twice
	if err := db.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := newRecordings(dir, db, warn, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := after.recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[int64]time.Duration{cut: 3 * time.Second, full: time.Minute} {
		rec, ok, err := db.Recording(t.Context(), id)
		if err != nil || !ok || !rec.Complete || rec.Duration != want || rec.Call != 9 || rec.Number != "+491" ||
			rec.Direction != route.Outbound || !strings.HasPrefix(rec.Path, recordingDir) {
			t.Errorf("recording %+v, %v, %v, want %s", rec, ok, err, want)
		}
	}
	if _, ok, err := db.Recording(t.Context(), empty); ok || err != nil {
		t.Errorf("an empty recording is kept: %v, %v", ok, err)
	}
	if _, err := os.Stat(filepath.Join(emptyPath)); !os.IsNotExist(err) {
		t.Errorf("its file is there: %v", err)
	}
	if len(notices) != 1 {
		t.Errorf("notices %q", notices)
	}
}

func TestWhatAPhoneShows(t *testing.T) {
	for from, want := range map[string][2]string{
		"": {"", ""}, "+491": {"", "+491"}, "callback for +491": {"callback for +491", "+491"},
	} {
		if name, number := shownCaller(from); name != want[0] || number != want[1] {
			t.Errorf("%q: %q and %q", from, name, number)
		}
	}
}
