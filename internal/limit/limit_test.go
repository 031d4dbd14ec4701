package limit

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestLimitIsExactAtItsEdge(t *testing.T) {
	log := NewLog[string](3, time.Minute)
	for i := range 3 {
		v := log.Allow(noon.Add(time.Duration(i)*time.Second), "a")
		if !v.OK || v.Remaining != 2-i || v.Limit != 3 {
			t.Fatalf("request %d: %+v", i, v)
		}
	}
	v := log.Allow(noon.Add(10*time.Second), "a")
	if v.OK || v.Remaining != 0 || v.RetryAfter != 50*time.Second || v.Reset != 52*time.Second {
		t.Fatalf("fourth: %+v", v)
	}
	if !log.Allow(noon.Add(10*time.Second), "b").OK {
		t.Error("another key was refused")
	}
	if log.Allow(noon.Add(time.Minute-1), "a").OK {
		t.Error("allowed a nanosecond early")
	}
	if !log.Allow(noon.Add(time.Minute), "a").OK {
		t.Error("refused when the oldest had left the window")
	}
}

func TestRefusedRequestsAreNotCounted(t *testing.T) {
	log := NewLog[int](1, time.Second)
	log.Allow(noon, 1)
	for i := range 100 {
		if log.Allow(noon.Add(time.Duration(i)*time.Millisecond), 1).OK {
			t.Fatal("allowed")
		}
	}
	if !log.Allow(noon.Add(time.Second), 1).OK {
		t.Error("refused requests put the next one off")
	}
}

func TestPeekCountsNothing(t *testing.T) {
	log := NewLog[int](1, time.Second)
	for range 2 { // the limit is one
		if !log.Peek(noon, 1).OK || log.Keys() != 0 {
			t.Fatal("peek counted")
		}
	}
	log.Allow(noon, 1)
	if v := log.Peek(noon, 1); v.OK || v.RetryAfter != time.Second {
		t.Errorf("peek of a full key: %+v", v)
	}
}

func TestIdleKeysAreFreed(t *testing.T) {
	log := NewLog[int](5, time.Second)
	for key := range 1000 {
		log.Allow(noon, key)
	}
	log.Allow(noon.Add(2*time.Second), -1)
	if log.Keys() != 1 {
		t.Errorf("%d keys kept", log.Keys())
	}
}

func TestClockSetBackLocksNobodyOut(t *testing.T) {
	log := NewLog[int](1, time.Minute)
	log.Allow(noon, 1)
	if !log.Allow(noon.Add(-time.Hour), 1).OK {
		t.Error("refused after the clock was set back")
	}
	guard := NewGuard(1)
	guard.Fail(noon, addr("192.0.2.1"))
	if left := guard.Refused(noon.Add(-time.Hour), addr("192.0.2.1")); left != 0 {
		t.Errorf("refused for %v after the clock was set back", left)
	}
}

func TestNoWindowEverHoldsMoreThanTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		log := NewLog[int](limit, time.Second)
		now := noon
		var allowed []time.Time
		for range 200 {
			now = now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "gap")) * time.Millisecond)
			v := log.Allow(now, 0)
			recent := 0
			for _, at := range allowed {
				if at.Add(time.Second).After(now) {
					recent++
				}
			}
			if v.OK != (recent < limit) {
				t.Fatalf("%d in the window of limit %d, and OK is %v", recent, limit, v.OK)
			}
			if v.OK {
				allowed = append(allowed, now)
			}
		}
	})
}

func TestConcurrentRequestsShareOneLimit(t *testing.T) {
	log := NewLog[int](100, time.Minute)
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if log.Allow(noon, 1).OK {
					allowed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if allowed.Load() != 100 {
		t.Errorf("%d allowed", allowed.Load())
	}
}

func TestLimitsMustBePositive(t *testing.T) {
	for name, make := range map[string]func(){
		"limit":  func() { NewLog[int](0, time.Second) },
		"window": func() { NewLog[int](1, 0) },
		"guard":  func() { NewGuard(0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			make()
		}()
	}
}

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

func TestGuardRefusesForAMinuteAfterTooManyFailures(t *testing.T) {
	guard := NewGuard(MaxSIPFailures)
	host := addr("192.0.2.7")
	for i := range MaxSIPFailures - 1 {
		if guard.Fail(noon.Add(time.Duration(i)*time.Second), host) {
			t.Fatalf("refused after %d failures", i+1)
		}
	}
	at := noon.Add(30 * time.Second)
	if guard.Refused(at, host) != 0 {
		t.Fatal("refused one failure early")
	}
	if !guard.Fail(at, host) {
		t.Fatal("not refused at the limit")
	}
	if guard.Fail(at, host) {
		t.Error("told twice of one refusal")
	}
	if left := guard.Refused(at, host); left != time.Minute {
		t.Errorf("refused for %v", left)
	}
	if guard.Refused(at, addr("192.0.2.8")) != 0 {
		t.Error("a neighbour is refused")
	}
	if guard.Refused(at.Add(time.Minute), host) != 0 {
		t.Error("still refused after a minute")
	}
	if guard.Fail(at.Add(time.Minute), host) {
		t.Error("refused again at once")
	}
}

func TestSlowFailuresAreForgotten(t *testing.T) {
	guard := NewGuard(2)
	for i := range 10 {
		if guard.Fail(noon.Add(time.Duration(i)*time.Minute), addr("192.0.2.7")) {
			t.Fatal("refused at one failure a minute")
		}
	}
}

func TestGuardCountsMappedAndIPv6NetworksAsOne(t *testing.T) {
	guard := NewGuard(2)
	guard.Fail(noon, addr("192.0.2.7"))
	if !guard.Fail(noon, addr("::ffff:192.0.2.7")) {
		t.Error("the mapped address is another host")
	}
	guard.Fail(noon, addr("2001:db8::1"))
	if !guard.Fail(noon, addr("2001:db8::2")) {
		t.Error("a /64 is more than one host")
	}
	guard.Fail(noon, addr("2001:db8:0:1::1"))
	if guard.Refused(noon, addr("2001:db8:0:1::1")) != 0 {
		t.Error("another /64 is the same host")
	}
	guard.Fail(noon, netip.Addr{})
	if !guard.Fail(noon, netip.Addr{}) {
		t.Error("unknown addresses are not counted")
	}
}

func TestGuardForgetsTheOldestWhenFull(t *testing.T) {
	guard := NewGuard(1)
	for i := range MaxGuarded + 1 {
		guard.Fail(noon.Add(time.Duration(i)), netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if len(guard.hosts) != MaxGuarded {
		t.Fatalf("%d addresses kept", len(guard.hosts))
	}
	if guard.Refused(noon, addr("10.0.0.0")) != 0 {
		t.Error("the oldest is kept")
	}
	if guard.Refused(noon.Add(time.Second), addr("10.1.0.0")) == 0 {
		t.Error("the newest is not")
	}
	guard.Fail(noon.Add(3*time.Minute), addr("192.0.2.1"))
	if len(guard.hosts) != 1 {
		t.Errorf("%d addresses kept after all were idle", len(guard.hosts))
	}
}

func BenchmarkAllow(b *testing.B) {
	log := NewLog[string](DefaultPerMinute, time.Minute)
	now := noon
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(10 * time.Millisecond)
		log.Allow(now, "sb_0123456789")
	}
}

func BenchmarkGuardRefused(b *testing.B) {
	guard := NewGuard(MaxSIPFailures)
	host := addr("192.0.2.7")
	guard.Fail(noon, host)
	b.ReportAllocs()
	for b.Loop() {
		guard.Refused(noon, host)
	}
}
