package hooks

import (
	"context"
	"crypto/tls"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/smtp"
	"slices"
	"strings"
	"time"

	"switchboard/internal/callcenter"
	"switchboard/internal/route"
)

// How mail is sent.
const (
	mailTimeout = 30 * time.Second
	maxMails    = 50 // recipients of one alert
)

// mailRetries are the waits before a mail is tried again.
var mailRetries = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute}

// Mailer sends a mail of plain text.
type Mailer interface {
	Send(ctx context.Context, to []string, subject, text string) error
}

// SMTP sends mail through a server (RFC 5321), encrypted where the server offers it.
type SMTP struct {
	Addr string // host:port
	From string
	To   []string // who gets every alert, besides the supervisors of its call center
}

// NewSMTP checks the addresses. Port 25 is meant where none is given.
func NewSMTP(addr, from string, to []string) (*SMTP, error) {
	if !strings.Contains(addr, ":") {
		addr = net.JoinHostPort(addr, "25")
	}
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil, fmt.Errorf("smtp: %q is not host:port", addr)
	}
	for _, address := range append([]string{from}, to...) {
		if parsed, err := mail.ParseAddress(address); err != nil || parsed.Address != address {
			return nil, fmt.Errorf("mail-from, mail-to: %q is no mail address", address)
		}
	}
	return &SMTP{Addr: addr, From: from, To: to}, nil
}

// Send implements Mailer. The whole exchange has half a minute.
func (s *SMTP) Send(ctx context.Context, to []string, subject, text string) error {
	to = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(s.To), to...))))
	if len(to) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(s.Addr)
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	if ok, _ := client.Extension("STARTTLS"); ok {
		if err := client.StartTLS(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}); err != nil {
			return err
		}
	}
	if err := client.Mail(s.From); err != nil {
		return err
	}
	for _, address := range to[:min(len(to), maxMails)] {
		if err := client.Rcpt(address); err != nil {
			return err
		}
	}
	body, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := body.Write(letter(s.From, subject, text, time.Now())); err != nil {
		return err
	}
	if err := body.Close(); err != nil {
		return err
	}
	return client.Quit()
}

// letter is a mail with its header (RFC 5322). Nobody is named in it: recipients do not see each other.
func letter(from, subject, text string, now time.Time) []byte {
	oneLine := strings.Join(strings.Fields(subject), " ")
	return []byte("From: Switchboard <" + from + ">\r\nTo: undisclosed-recipients:;\r\nSubject: " +
		mime.QEncoding.Encode("utf-8", oneLine) + "\r\nDate: " + now.Format(time.RFC1123Z) +
		"\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" +
		strings.ReplaceAll(text, "\n", "\r\n") + "\r\n")
}

// mailAlert writes to the supervisors and admins of the call center.
func (h *Hooks) mailAlert(w writer, at time.Time, alert route.Alert) {
	center, ok := w.snapshot.Center(alert.Center)
	if h.cfg.Mail == nil || !ok {
		return
	}
	var to []string
	for _, member := range center.Members {
		user, ok := w.snapshot.User(member.Operator)
		if ok && member.Role != callcenter.RoleOperator && user.State == callcenter.StateActive && len(user.Emails) > 0 {
			to = append(to, user.Emails[0])
		}
	}
	subject := "Service level of " + center.Settings.Name + ": " + string(alert.Kind)
	text := alert.Text + "\n\n" + at.UTC().Format("2006-01-02 15:04:05 UTC")
	h.wg.Go(func() { h.mail(to, subject, text) })
}

// mail tries a few times: an alert that comes later than that is of no use.
func (h *Hooks) mail(to []string, subject, text string) {
	for try := 0; ; try++ {
		err := h.cfg.Mail.Send(h.ctx, to, subject, text)
		if err == nil || h.ctx.Err() != nil {
			return
		}
		h.cfg.Log.Warn("an alert could not be mailed", "try", try+1, "error", err)
		if try == len(mailRetries) {
			h.cfg.Notice("An alert could not be mailed: " + err.Error())
			return
		}
		select {
		case <-time.After(mailRetries[try]):
		case <-h.ctx.Done():
			return
		}
	}
}
