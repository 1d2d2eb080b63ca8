// Package callout calls other systems: signed webhooks by the Standard Webhooks
// specification (https://www.standardwebhooks.com), version 1 of its symmetric
// signature.
//
// # What is guaranteed
//
// A call goes to a public address over TLS, unless the system is set up for
// development: which address a host name stands for is looked at when the
// connection is made, so that a name that changes its meaning between a check
// and the call leads nowhere else. No redirect is followed, no proxy of the
// environment is used, and no cookie is kept. A call takes a bounded time, and
// what is answered is neither kept nor read beyond a few kilobytes.
//
// # What is not
//
// That a call arrives once: a receiver that took it and whose answer was lost
// is called again, with the same webhook-id.
package callout

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"konto/domain"
	"konto/domain/delivery"
	"konto/domain/webhook"
)

const (
	// Timeout bounds a call: connecting, TLS, the answer and what is read of it.
	// Standard Webhooks proposes 15 to 30 s.
	Timeout = 15 * time.Second
	// maxAnswer is how many bytes of an answer are read: enough to use the
	// connection again after a short one.
	maxAnswer = 4 << 10
	// maxHeader is how many bytes of an answer's header are taken.
	maxHeader = 16 << 10
)

// Config is how calls are made.
type Config struct {
	// Development allows calls without TLS and to addresses that are not public.
	Development bool
	Timeout     time.Duration    // 0 means [Timeout]
	Now         func() time.Time // for the time of a message and how long a call took; required
	UserAgent   string
	// Roots are the authorities that are trusted; nil means the system's.
	Roots *x509.CertPool
}

// Caller calls other systems. It is safe for concurrent use.
type Caller struct {
	cfg    Config
	client *http.Client
}

// New returns a caller. Close it after use.
func New(cfg Config) *Caller {
	if cfg.Timeout == 0 {
		cfg.Timeout = Timeout
	}
	dialer := &net.Dialer{Timeout: cfg.Timeout}
	if !cfg.Development {
		dialer.Control = publicOnly
	}
	return &Caller{cfg, &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil, // one would connect on our behalf, to wherever it is told
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.Roots},
			TLSHandshakeTimeout:    cfg.Timeout,
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           64,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close closes connections that nobody uses.
func (c *Caller) Close() { c.client.CloseIdleConnections() }

// errNotPublic refuses a connection.
var errNotPublic = errors.New("the address is not public")

// publicOnly is called with each address that is about to be connected to.
func publicOnly(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !webhook.Public(to.Addr()) {
		return errNotPublic
	}
	return nil
}

// Message is a call.
type Message struct {
	URL     string
	ID      string // the same for all attempts
	Body    []byte // JSON
	Secrets []string
}

// Result is how a call went.
type Result struct {
	Outcome delivery.Outcome
	Status  int       // of the answer; 0 if there was none
	At      time.Time // when it began
	Took    time.Duration
	// RetryAfter is how long the receiver asks to be left alone, from now on; 0
	// if it does not.
	RetryAfter time.Duration
}

// Call makes one attempt. An error means that it is not known how it went,
// because ctx ended: then the attempt is to be made again.
func (c *Caller) Call(ctx context.Context, m Message) (Result, error) {
	r := Result{At: c.cfg.Now()}
	limited, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	status, retry, err := c.post(limited, m, r.At)
	if ctx.Err() != nil {
		return Result{}, fmt.Errorf("call broken off: %w", context.Cause(ctx))
	}
	now := c.cfg.Now()
	r.Took = max(0, now.Sub(r.At))
	r.Outcome, r.Status = outcome(status, err), status
	if r.Outcome != delivery.Accepted {
		r.RetryAfter = retryAfter(retry, now)
	}
	return r, nil
}

// retryAfter reads a Retry-After (RFC 9110 section 10.2.3): seconds, or a date
// in any of the forms that HTTP has (section 5.6.7). What is neither, or is
// past, asks for nothing; what is longer than a year, for a year.
func retryAfter(value string, now time.Time) time.Duration {
	const year = 365 * 24 * time.Hour
	value = strings.TrimSpace(value)
	if value != "" && strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(year/time.Second) {
			return year
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(0, at.Sub(now)), year)
}

// post returns the status of the answer, however it ends, and its Retry-After,
// or why there is none.
func (c *Caller) post(ctx context.Context, m Message, at time.Time) (status int, retry string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return 0, "", err
	}
	req.Header = http.Header{
		"Content-Type":      {"application/json"},
		"User-Agent":        {c.cfg.UserAgent},
		"Webhook-Id":        {m.ID},
		"Webhook-Timestamp": {timestamp(at)},
		"Webhook-Signature": {Sign(m.Secrets, m.ID, at, m.Body)},
	}
	res, err := c.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	// The status says it all; what follows may be endless.
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer))
	_ = res.Body.Close()
	return res.StatusCode, res.Header.Get("Retry-After"), nil
}

func outcome(status int, err error) delivery.Outcome {
	var untrusted *tls.CertificateVerificationError
	var alert tls.AlertError
	var notTLS tls.RecordHeaderError
	var broken *url.Error
	switch {
	case errors.Is(err, errNotPublic):
		return delivery.Forbidden
	case errors.As(err, &untrusted), errors.As(err, &alert), errors.As(err, &notTLS):
		return delivery.Untrusted
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &broken) && broken.Timeout():
		return delivery.TimedOut
	case err != nil:
		return delivery.Unreachable
	case status >= 200 && status < 300:
		return delivery.Accepted
	case status >= 300 && status < 400:
		return delivery.Redirected
	case status == http.StatusGone:
		return delivery.Gone
	case status >= 400 && status < 500:
		return delivery.Refused
	}
	return delivery.Failed
}

// Sources returns the source of the fact where this system runs.
func Sources(development bool) []domain.Source {
	return []domain.Source{domain.FromInput(func(string) webhook.Site { return webhook.Site{Development: development} })}
}
