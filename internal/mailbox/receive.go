package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-smtp"
)

// session is one connection's mail transaction.
type session struct {
	box  *Mailbox
	from string
	to   []string
}

// Reset implements [smtp.Session].
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout implements [smtp.Session].
func (s *session) Logout() error { return nil }

// Mail implements [smtp.Session].
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

// Rcpt implements [smtp.Session].
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

// Data implements [smtp.Session]. A mail that cannot be parsed is accepted
// and shown raw: the developer who sent it needs to see it most.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	x := parse(raw)
	x.Recipients = slices.Clone(s.to)
	if x.From == "" {
		x.From = s.from
	}
	s.box.accept(x)
	return nil
}

// silence drops what the SMTP library would log: connections that break.
type silence struct{}

// Printf implements [smtp.Logger].
func (silence) Printf(string, ...any) {}

// Println implements [smtp.Logger].
func (silence) Println(...any) {}

// parse reads a mail. It never fails: what it cannot read it says in Problem.
func parse(raw []byte) *Message {
	x := &Message{Raw: raw, Size: len(raw)}
	r, err := mail.CreateReader(bytes.NewReader(raw))
	if r == nil {
		x.Problem = fmt.Sprintf("not a mail: %v", err)
		return x
	}
	x.readHeader(r.Header)
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !message.IsUnknownCharset(err) {
			x.Problem = fmt.Sprintf("a part cannot be read: %v", err)
			break
		}
		if err := x.readPart(p); err != nil {
			x.Problem = fmt.Sprintf("a part cannot be read: %v", err)
			break
		}
	}
	x.Links = links(x.Text)
	return x
}

func (x *Message) readHeader(h mail.Header) {
	for f := h.Fields(); f.Next(); {
		v, err := f.Text()
		if err != nil {
			v = f.Value()
		}
		x.Headers = append(x.Headers, Header{f.Key(), v})
	}
	text := func(key string) string {
		v, err := h.Text(key)
		if err != nil {
			return h.Get(key)
		}
		return v
	}
	x.From, x.Subject = text("From"), text("Subject")
	if from, err := h.AddressList("From"); err == nil && len(from) == 1 && from[0].Name != "" {
		x.From = from[0].Name + " <" + from[0].Address + ">"
	}
	x.Language = text("Content-Language")
	x.Template, x.Channel = text("X-Konto-Template"), text("X-Konto-Channel")
	if id, err := h.MessageID(); err == nil {
		x.MessageID = id
	}
}

// readPart keeps the first plain and the first HTML part. Attachments stay in
// Raw.
func (x *Message) readPart(p *mail.Part) error {
	h, inline := p.Header.(*mail.InlineHeader)
	if !inline {
		return nil
	}
	b, err := io.ReadAll(p.Body)
	if err != nil {
		return err
	}
	kind, _, err := h.ContentType()
	if err != nil {
		kind = "text/plain"
	}
	s := strings.ToValidUTF8(strings.ReplaceAll(string(b), "\r\n", "\n"), "\uFFFD")
	switch {
	case kind == "text/html" && x.HTML == "":
		x.HTML = s
	case strings.HasPrefix(kind, "text/") && kind != "text/html" && x.Text == "":
		x.Text = s
	}
	return nil
}

var address = regexp.MustCompile(`https?://[^\s<>"']+`)

// links returns the web addresses in s, each once. Only what begins with http
// can be one, so that a link on a page never runs anything.
func links(s string) []string {
	var out []string
	for _, l := range address.FindAllString(s, -1) {
		if l = strings.TrimRight(l, ".,;:!?)"); !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}
