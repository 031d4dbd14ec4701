package hooks

import (
	"bufio"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"
)

// postOffice speaks as much SMTP as a client needs, once, and gives what it was told.
func postOffice(t *testing.T) (addr string, told <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	out := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		lines := bufio.NewReader(conn)
		var all strings.Builder
		say := func(text string) { _, _ = conn.Write([]byte(text + "\r\n")) }
		say("220 ready")
		for data := false; ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				break
			}
			all.WriteString(line)
			switch word := strings.ToUpper(strings.Fields(line + " x")[0]); {
			case data && line == ".\r\n":
				data = false
				say("250 taken")
			case data:
			case word == "DATA":
				data = true
				say("354 go on")
			case word == "QUIT":
				say("221 bye")
				out <- all.String()
				return
			default:
				say("250 ok")
			}
		}
		out <- all.String()
	}()
	return listener.Addr().String(), out
}

func TestMailIsSent(t *testing.T) {
	addr, told := postOffice(t)
	s, err := NewSMTP(addr, "switchboard@example.com", []string{"boss@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	to := []string{"ada@example.com", "boss@example.com"}
	err = s.Send(t.Context(), to, "Lage: 71 %\r\nBcc: x@y", "Zeile 1\nZeile 2")
	if err != nil {
		t.Fatal(err)
	}
	text := <-told
	for _, want := range []string{
		"MAIL FROM:<switchboard@example.com>", "RCPT TO:<ada@example.com>", "RCPT TO:<boss@example.com>",
	} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%s: %d times in\n%s", want, strings.Count(text, want), text)
		}
	}
	_, body, _ := strings.Cut(text, "DATA\r\n")
	read, err := mail.ReadMessage(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if read.Header.Get("Bcc") != "" || read.Header.Get("Subject") != "Lage: 71 % Bcc: x@y" {
		t.Errorf("header %v", read.Header)
	}
}

func TestMailSettingsAreChecked(t *testing.T) {
	for _, bad := range []struct{ addr, from, to string }{
		{"mail.example.com:25:25", "a@example.com", ""},
		{"mail.example.com:25", "nobody", ""},
		{"mail.example.com:25", "a@example.com", "x"},
		{"mail.example.com:25", "a@example.com\r\nX: y", ""},
	} {
		var to []string
		if bad.to != "" {
			to = []string{bad.to}
		}
		if _, err := NewSMTP(bad.addr, bad.from, to); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
	if s, err := NewSMTP("mail.example.com", "a@example.com", nil); err != nil || s.Addr != "mail.example.com:25" {
		t.Errorf("%+v, %v", s, err)
	}
	text := string(letter("a@b.c", "Grüße", "x", time.Unix(0, 0)))
	if !strings.Contains(text, "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=") {
		t.Errorf("%s", text)
	}
}
