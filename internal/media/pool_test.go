package media

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
)

func TestPoolRefusesBadConfiguration(t *testing.T) {
	for name, c := range map[string]PoolConfig{
		"host":       {},
		"advertised": {Host: loopback, Advertise: netip.IPv4Unspecified()},
		"RTP ports":  {Host: loopback, Low: 20001, High: 20001},
		"1-65535":    {Host: loopback, Low: 65000, High: 65536},
		"within":     {Host: loopback, Low: -2, High: 10},
	} {
		p, err := NewPool(c)
		if err == nil {
			p.Close()
		}
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// freeRange finds four even ports nobody uses.
func freeRange(t *testing.T) int {
	t.Helper()
	for low := 31000; low < 60000; low += 8 {
		free := true
		for i := 0; i < 8 && free; i += 2 {
			conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: low + i})
			if free = err == nil; free {
				conn.Close()
			}
		}
		if free {
			return low
		}
	}
	t.Fatal("no free ports")
	return 0
}

func TestRangeIsUsedUpAndComesBack(t *testing.T) {
	low := freeRange(t)
	taken, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: low + 2})
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	p := newPool(t, PoolConfig{Low: low - 1, High: low + 7})
	var ports []*Port
	for _, want := range []int{low, low + 4, low + 6} { // low+2 is another program's
		pt := openPort(t, p, nil)
		if got := int(pt.Local().Port()); got != want || portOf(t, string(pt.Offer(PCMU))) != want {
			t.Errorf("port %d, want %d", got, want)
		}
		ports = append(ports, pt)
	}
	if _, err := p.Open(nil); !errors.Is(err, ErrNoPort) {
		t.Errorf("one too many: %v", err)
	}
	ports[1].Close()
	if got := openPort(t, p, nil).Local().Port(); int(got) != low+4 {
		t.Errorf("port %d, want %d", got, low+4)
	}
	if s := p.Stats(); s.Open != 3 || s.Opened != 4 || s.Refused != 1 {
		t.Errorf("open %d, opened %d, refused %d", s.Open, s.Opened, s.Refused)
	}
}

func TestClosedPool(t *testing.T) {
	p, err := NewPool(PoolConfig{Host: loopback})
	if err != nil {
		t.Fatal(err)
	}
	pt := openPort(t, p, nil)
	pt.Ringback()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := p.Open(nil); !errors.Is(err, ErrClosed) {
		t.Errorf("open after close: %v", err)
	}
	if err := pt.Record(t.TempDir()+"/a.wav", MaxRecording, func(Recording) {}); !errors.Is(err, ErrClosed) {
		t.Errorf("record after close: %v", err)
	}
	if s := p.Stats(); s.Open != 0 {
		t.Errorf("%d ports open", s.Open)
	}
}

// maxWaiting is what a caller who hears nothing yet may cost the process, in bytes.
const maxWaiting = 40 << 10

func TestSilentCallerIsCheap(t *testing.T) {
	p := newPool(t, PoolConfig{})
	const n = 200
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range n {
		openPort(t, p, nil)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (after.HeapInuse + after.StackInuse - before.HeapInuse - before.StackInuse) / n
	t.Logf("%d bytes a port", each)
	if each > maxWaiting {
		t.Errorf("a silent caller takes %d bytes, more than %d", each, maxWaiting)
	}
}
