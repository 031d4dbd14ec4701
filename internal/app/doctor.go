package app

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"switchboard/web"
)

// Finding is one thing that doctor looked at. Mend is the command or flag that would put it right; "" when it is fine.
type Finding struct {
	Name string
	OK   bool
	Text string
	Mend string
}

// writable is W_OK of access(2).
const writable = 2

// What a busy server wants of its host.
const (
	wantedFiles     = 20_000  // one socket a leg, one file a recording
	wantedReceive   = 4 << 20 // bytes of UDP receive buffer, for bursts of calls
	wantedFreeBytes = 1 << 30 // for the database and voicemails
)

// Doctor looks at this host with the eyes of a server of this Config. It changes nothing.
func Doctor(cfg Config) []Finding {
	cfg = cfg.withDefaults()
	return []Finding{
		checkConfig(cfg), checkPages(), checkData(cfg.DataDir), checkDisk(cfg.DataDir),
		checkPort("pages and API", "tcp", cfg.HTTP, "--http"), checkPort("calls (UDP)", "udp", cfg.SIP, "--sip"),
		checkPort("calls (TCP)", "tcp", cfg.SIP, "--sip"), checkFiles(), checkBuffer(), checkPrompts(cfg.Prompts),
	}
}

func checkConfig(cfg Config) Finding {
	if err := cfg.check(); err != nil {
		return Finding{Name: "settings", Text: err.Error(), Mend: "switchboard serve --help"}
	}
	return Finding{Name: "settings", OK: true, Text: "complete"}
}

func checkPages() Finding {
	if _, err := fs.Stat(web.Dist(), "manifest.json"); err != nil {
		return Finding{Name: "pages", Text: "this program was built without them", Mend: "make build"}
	}
	return Finding{Name: "pages", OK: true, Text: "built in"}
}

func checkData(dir string) Finding {
	f := Finding{Name: "data directory", Text: dir + " can be written", OK: true}
	probe := filepath.Join(dir, ".doctor")
	if _, err := os.Stat(dir); os.IsNotExist(err) {
		parent := filepath.Dir(dir)
		for _, err := os.Stat(parent); os.IsNotExist(err) && parent != filepath.Dir(parent); _, err = os.Stat(parent) {
			parent = filepath.Dir(parent)
		}
		if err := syscall.Access(parent, writable); err != nil {
			return Finding{Name: f.Name, Text: parent + ": " + err.Error(), Mend: "--data DIR somewhere else"}
		}
		f.Text = dir + " does not exist yet; the first start makes it"
		return f
	}
	if err := os.WriteFile(probe, nil, 0o600); err != nil {
		return Finding{Name: f.Name, Text: err.Error(), Mend: fmt.Sprintf("chown %d %s", os.Getuid(), dir)}
	}
	_ = os.Remove(probe)
	return f
}

func checkDisk(dir string) Finding {
	for ; ; dir = filepath.Dir(dir) {
		var disk syscall.Statfs_t
		if err := syscall.Statfs(dir, &disk); err != nil {
			if parent := filepath.Dir(dir); parent != dir {
				continue
			}
			return Finding{Name: "disk", Text: err.Error(), Mend: "--data DIR on another disk"}
		}
		free := disk.Bavail * uint64(disk.Bsize)
		f := Finding{Name: "disk", OK: free >= wantedFreeBytes, Text: fmt.Sprintf("%d MB free", free>>20)}
		if !f.OK {
			f.Mend = "--data DIR on a larger disk"
		}
		return f
	}
}

func checkPort(name, network, addr, flag string) Finding {
	var err error
	if network == "udp" {
		var conn net.PacketConn
		if conn, err = net.ListenPacket("udp", addr); err == nil {
			_ = conn.Close()
		}
	} else {
		var listener net.Listener
		if listener, err = net.Listen("tcp", addr); err == nil {
			_ = listener.Close()
		}
	}
	if err != nil {
		return Finding{Name: name, Text: err.Error(), Mend: flag + " with another address, or stop what listens there"}
	}
	return Finding{Name: name, OK: true, Text: addr + " is free"}
}

func checkFiles() Finding {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return Finding{Name: "open files", Text: err.Error(), Mend: "ulimit -n 65536"}
	}
	f := Finding{Name: "open files", OK: limit.Max >= wantedFiles, Text: fmt.Sprintf("up to %d", limit.Max)}
	if !f.OK {
		f.Mend = "ulimit -n 65536, or LimitNOFILE=65536 in the service file"
	}
	return f
}

func checkBuffer() Finding {
	const file = "/proc/sys/net/core/rmem_max"
	text, err := os.ReadFile(file)
	if err != nil {
		return Finding{Name: "UDP buffer", OK: true, Text: "cannot be read on this system"}
	}
	size, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	f := Finding{Name: "UDP buffer", OK: size >= wantedReceive, Text: fmt.Sprintf("%d kB", size>>10)}
	if !f.OK {
		f.Mend = fmt.Sprintf("sysctl -w net.core.rmem_max=%d", wantedReceive)
		f.Text += "; bursts above some hundred calls a second may lose packets"
	}
	return f
}

// recordedPrompts is where Debian's package of recorded prompts lies.
const recordedPrompts = "/usr/share/asterisk/sounds"

func checkPrompts(dir string) Finding {
	if dir == "" {
		dir = recordedPrompts
	}
	if _, err := os.Stat(dir); err == nil {
		return Finding{Name: "prompts", OK: true, Text: "recorded voice in " + dir}
	}
	f := Finding{Name: "prompts", Text: "built-in synthetic voice", Mend: "--prompts DIR"}
	if _, err := exec.LookPath("apt-get"); err == nil {
		f.Mend = "apt-get install asterisk-core-sounds-en-wav"
	}
	return f
}
