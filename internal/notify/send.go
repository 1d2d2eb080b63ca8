package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"regexp"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"konto/domain"
)

// TLS is how the connection to the mail server is protected.
type TLS string

// The ways to protect a connection. The zero value is [StartTLS].
const (
	StartTLS    TLS = "starttls" // begins in clear and must be upgraded (RFC 3207)
	ImplicitTLS TLS = "implicit" // TLS from the first byte (RFC 8314)
	NoTLS       TLS = "none"     // for a server on the same host
)

// SMTP is the mail server that messages are handed to.
type SMTP struct {
	Addr string // host:port
	TLS  TLS
	// Config, which may be nil, is for a private certificate authority.
	Config *tls.Config
	// Username, if not empty, authenticates with the best mechanism that the
	// server offers. A password is never sent over a connection in clear,
	// unless the server is on the same host.
	Username string
	Password string
	// Timeout bounds connecting and each step after it. Zero is 15 seconds.
	Timeout time.Duration
	HELO    string // the name to greet with; empty is the host's
}

func (s SMTP) validate() error {
	if _, _, err := s.hostPort(); err != nil {
		return err
	}
	switch s.TLS {
	case "", StartTLS, ImplicitTLS, NoTLS:
		return nil
	}
	return fmt.Errorf("notify: SMTP.TLS %q must be %s, %s or %s", s.TLS, StartTLS, ImplicitTLS, NoTLS)
}

func (s SMTP) hostPort() (string, int, error) {
	host, p, err := net.SplitHostPort(s.Addr)
	if err != nil || host == "" {
		return "", 0, fmt.Errorf("notify: SMTP.Addr %q must be host:port", s.Addr)
	}
	port, err := strconv.ParseUint(p, 10, 16)
	if err != nil || port == 0 {
		return "", 0, fmt.Errorf("notify: SMTP.Addr %q must end in a port, 1 to 65535", s.Addr)
	}
	return host, int(port), nil
}

func (s SMTP) timeout() time.Duration {
	if s.Timeout == 0 {
		return 15 * time.Second
	}
	return s.Timeout
}

// refusal is an answer of the mail server, or its silence. It keeps the reply
// codes and drops the text, which tends to repeat the address.
type refusal struct {
	permanent bool
	reason    string
}

func (r *refusal) Error() string { return r.reason }

// enhanced is a status code of RFC 3463.
var enhanced = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}\b`)

// refused classifies err. Only a 5xx reply is permanent: everything else may
// be gone at the next attempt.
func refused(err error) *refusal {
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return &refusal{reason: ReasonConnection}
	}
	r := &refusal{permanent: reply.Code >= 500, reason: "smtp " + strconv.Itoa(reply.Code)}
	if e := enhanced.FindString(reply.Msg); e != "" {
		r.reason += " " + e
	}
	return r
}

// configured is [refused] for the steps that say nothing about this message:
// greeting, TLS, authentication and sender. Somebody can repair those.
func configured(err error) *refusal {
	r := refused(err)
	r.permanent = false
	return r
}

// send hands m to the mail server and returns the addresses that it accepted.
// The error is a [*refusal] unless the message itself could not be built.
//
// The transaction is spoken here, and not by the library's Send, because one
// dead address of a person must not keep the message from the living ones,
// and because a server that hangs up after accepting has accepted.
func (n *Notifier) send(ctx context.Context, m Message, to recipient, page Rendered) ([]string, error) {
	msg, err := n.compose(m, to, page)
	if err != nil {
		return nil, err
	}
	c, conn, err := n.dial(ctx)
	if err != nil {
		return nil, configured(err)
	}
	hangUp := func() { _ = conn.Close() } // what the server said before counts
	defer hangUp()
	stop := context.AfterFunc(ctx, hangUp)
	defer stop()

	step := func(do func() error) error {
		if err := c.UpdateDeadline(n.cfg.SMTP.timeout()); err != nil {
			return err
		}
		return do()
	}
	if err := step(func() error { return c.Mail("<" + n.from.Address + ">") }); err != nil {
		return nil, configured(err)
	}
	accepted, err := n.recipients(m, to, func(a string) error {
		return step(func() error { return c.Rcpt("<" + a + ">") })
	})
	if err != nil {
		return nil, err
	}
	if err := step(func() error { return transfer(c, msg) }); err != nil {
		return nil, refused(err)
	}
	// The server has the message now. What Quit says changes nothing.
	_ = step(c.Quit)
	return accepted, nil
}

// recipients names the recipients to the server. Those that it refuses for
// good are left out; one that it refuses for now holds the message back, so
// that the person gets one message and not one for each address, until the
// last attempt, which goes to whoever is left.
func (n *Notifier) recipients(m Message, to recipient, rcpt func(string) error) ([]string, error) {
	var accepted []string
	var last, wait *refusal
	for _, a := range to.addresses {
		err := rcpt(a)
		if err == nil {
			accepted = append(accepted, a)
			continue
		}
		last = refused(err)
		if !last.permanent {
			wait = last
		}
	}
	switch {
	case wait != nil && (len(accepted) == 0 || m.Attempt < n.cfg.MaxAttempts):
		return nil, wait
	case len(accepted) == 0:
		return nil, last
	}
	return accepted, nil
}

func transfer(c *smtp.Client, msg *gomail.Msg) error {
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := msg.WriteTo(w); err != nil {
		// Closing w would end the message with a full stop, and half of it
		// would be delivered. The caller closes the connection instead.
		return err
	}
	return w.Close()
}

// dial connects, upgrades and authenticates. The library leaves the
// connection open when a step after connecting fails, so it is kept here.
func (n *Notifier) dial(ctx context.Context) (*smtp.Client, net.Conn, error) {
	s := n.cfg.SMTP
	host, port, err := s.hostPort()
	if err != nil {
		return nil, nil, err
	}
	config := s.Config.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	var conn net.Conn
	connect := func(ctx context.Context, network, addr string) (net.Conn, error) {
		var err error
		if s.TLS == ImplicitTLS {
			conn, err = (&tls.Dialer{Config: config}).DialContext(ctx, network, addr)
		} else {
			conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
		}
		return conn, err
	}
	opts := []gomail.Option{
		gomail.WithPort(port), gomail.WithTimeout(s.timeout()),
		gomail.WithTLSConfig(config), gomail.WithDialContextFunc(connect),
	}
	switch s.TLS {
	case ImplicitTLS:
		opts = append(opts, gomail.WithSSL())
	case NoTLS:
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.HELO != "" {
		opts = append(opts, gomail.WithHELO(s.HELO))
	}
	if s.Username != "" {
		opts = append(opts, gomail.WithUsername(s.Username), gomail.WithPassword(s.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	client, err := gomail.NewClient(host, opts...)
	if err != nil {
		return nil, nil, err
	}
	c, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil && conn != nil {
		_ = conn.Close()
	}
	return c, conn, err
}

// compose builds the mail. Nothing in the headers comes from a person's data
// but the recipients and, in a subject, a card's last four digits.
func (n *Notifier) compose(m Message, to recipient, page Rendered) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(n.from)
	if err := msg.To(to.addresses...); err != nil {
		return nil, &refusal{permanent: true, reason: ReasonBadAddress}
	}
	msg.SetMessageIDWithValue(m.ID + "@" + n.cfg.MessageIDDomain)
	msg.SetDateWithValue(n.cfg.Now())
	msg.Subject(page.Subject)
	// RFC 3834: no out-of-office replies, please.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	msg.SetGenHeader(gomail.HeaderContentLang, page.Locale)
	for name, value := range map[gomail.Header]string{
		"X-Konto-Template": m.Template, "X-Konto-Channel": string(m.Channel),
		"X-Konto-Cause": m.Cause, "X-Konto-Correlation": m.Correlation,
	} {
		if value != "" {
			msg.SetGenHeader(name, value)
		}
	}
	msg.SetBodyString(gomail.TypeTextPlain, page.on(m.Channel))
	if m.Channel == domain.Mail {
		msg.AddAlternativeString(gomail.TypeTextHTML, page.HTML)
	}
	return msg, nil
}
