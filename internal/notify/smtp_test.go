package notify_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a mail server that misbehaves as it is told.
type server struct {
	addr string
	tls  *tls.Config // set if it offers TLS

	mu sync.Mutex
	// mail, rcpt and data answer the steps of a transaction; nil is yes.
	mail func(from string) error
	rcpt func(to string) error
	data func() error
	// drop hangs up after the message was stored, instead of saying so.
	drop  bool
	mails []received
	auths []string
}

type received struct {
	to     []string
	raw    []byte
	secure bool
}

// serve starts a server. Configure it before anything is sent.
func serve(tb testing.TB, secure, implicit bool) *server {
	tb.Helper()
	s := &server{}
	b := smtp.NewServer(s)
	b.Domain = "mx.example"
	b.ErrorLog = log.New(io.Discard, "", 0)
	b.AllowInsecureAuth = false
	if secure {
		web := httptest.NewUnstartedServer(http.NotFoundHandler())
		web.StartTLS() // for its certificate, which is for 127.0.0.1
		s.tls = &tls.Config{Certificates: web.TLS.Certificates, RootCAs: web.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
		web.Close()
		b.TLSConfig = s.tls
	}
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s.addr = l.Addr().String()
	if implicit {
		l = tls.NewListener(l, s.tls)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = b.Serve(l)
	}()
	tb.Cleanup(func() {
		_ = b.Close()
		_ = l.Close() // Close does not know of a listener that Serve has not reached
		<-done
	})
	return s
}

func (s *server) received() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails
}

func (s *server) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// NewSession implements [smtp.Backend].
func (s *server) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &transaction{s: s, c: c}, nil
}

type transaction struct {
	s  *server
	c  *smtp.Conn
	to []string
}

func (t *transaction) Reset()        { t.to = nil }
func (t *transaction) Logout() error { return nil }

func (t *transaction) Mail(from string, _ *smtp.MailOptions) error {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if t.s.mail != nil {
		return t.s.mail(from)
	}
	return nil
}

func (t *transaction) Rcpt(to string, _ *smtp.RcptOptions) error {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if t.s.rcpt != nil {
		if err := t.s.rcpt(to); err != nil {
			return err
		}
	}
	t.to = append(t.to, to)
	return nil
}

func (t *transaction) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if t.s.data != nil {
		if err := t.s.data(); err != nil {
			return err
		}
	}
	_, secure := t.c.TLSConnectionState()
	t.s.mails = append(t.s.mails, received{t.to, raw, secure})
	if t.s.drop {
		_ = t.c.Conn().Close()
		return errors.New("hung up")
	}
	return nil
}

// AuthMechanisms implements [smtp.AuthSession].
func (t *transaction) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements [smtp.AuthSession].
func (t *transaction) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		t.s.mu.Lock()
		defer t.s.mu.Unlock()
		t.s.auths = append(t.s.auths, user+":"+password)
		if password != "correct" {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

// reply is a refusal that names the recipient, as servers do.
func reply(code int, enhanced smtp.EnhancedCode, to string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: "<" + to + ">: not today"}
}

// letter is a received mail, parsed.
type letter struct {
	header     mail.Header
	subject    string
	text, html string
}

func read(t *testing.T, raw []byte) letter {
	t.Helper()
	r, err := mail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("parse mail: %v", err)
	}
	l := letter{header: r.Header}
	if l.subject, err = r.Header.Subject(); err != nil {
		t.Fatalf("parse subject: %v", err)
	}
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return l
		}
		if err != nil {
			t.Fatalf("parse part: %v", err)
		}
		b, err := io.ReadAll(p.Body)
		if err != nil {
			t.Fatalf("parse part: %v", err)
		}
		kind, _, err := p.Header.(*mail.InlineHeader).ContentType()
		if err != nil {
			t.Fatalf("parse content type: %v", err)
		}
		if kind == "text/html" {
			l.html = string(b)
		} else {
			l.text = string(b)
		}
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
