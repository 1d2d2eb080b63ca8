// Package mailbox receives the mail that a development server sends and shows
// it in a browser, so that a declined card can be followed to the letter about
// it without a mail account.
//
// # Why in memory
//
// The mails hold what the event store seals and what erasure destroys: names,
// addresses and live verification codes. A file would be a copy of them that
// no key protects and no erasure reaches, so there is none. What is kept is
// bounded by number and by size; the oldest goes first, and everything goes
// when the process ends.
//
// # Repeats
//
// A mail with a Message-ID that is already here is an arrival and not a new
// mail, as it is for every receiver that honours RFC 5322 §3.6.4. So the
// mailbox shows whether a sender that was interrupted told somebody twice.
//
// # What it is not
//
// It relays nothing and has no accounts: whoever reaches it reads everything.
// Therefore it listens on loopback only.
package mailbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Config is how a mailbox is set up. Now must be set.
type Config struct {
	// Addr is the loopback address to receive on, as host:port or :port. Empty
	// is 127.0.0.1 and a free port.
	Addr string
	Now  func() time.Time
	// Base is the path that the pages are under. Empty is /-/mail.
	Base string
	// MaxMessages and MaxBytes bound what is kept, MaxMessageBytes what is
	// received at once. Zero is 500 messages, 32 MiB and 1 MiB.
	MaxMessages     int
	MaxBytes        int
	MaxMessageBytes int
}

func (c Config) withDefaults() (Config, error) {
	if c.Now == nil {
		return c, errors.New("mailbox: Now must be set")
	}
	c.Base = "/" + strings.Trim(cmp.Or(c.Base, "/-/mail"), "/")
	c.MaxMessages = cmp.Or(c.MaxMessages, 500)
	c.MaxBytes = cmp.Or(c.MaxBytes, 32<<20)
	c.MaxMessageBytes = cmp.Or(c.MaxMessageBytes, 1<<20)
	host, port, err := net.SplitHostPort(cmp.Or(c.Addr, ":0"))
	if err != nil {
		return c, fmt.Errorf("mailbox: Addr %q must be host:port: %w", c.Addr, err)
	}
	host = cmp.Or(host, "127.0.0.1")
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return c, fmt.Errorf("mailbox: Addr %q must be on loopback: the mailbox has no password", c.Addr)
	}
	c.Addr = net.JoinHostPort(host, port)
	return c, nil
}

// Message is one mail. Copies share their slices, which nobody changes.
type Message struct {
	ID         string    `json:"id"`        // within this mailbox: 1, 2, 3 ...
	MessageID  string    `json:"messageId"` // of the mail, without angle brackets; may be empty
	From       string    `json:"from"`
	Recipients []string  `json:"recipients"` // of all arrivals, as the envelopes named them
	Subject    string    `json:"subject"`
	Language   string    `json:"language,omitzero"` // Content-Language
	Template   string    `json:"template,omitzero"` // X-Konto-Template
	Channel    string    `json:"channel,omitzero"`  // X-Konto-Channel
	ReceivedAt time.Time `json:"receivedAt"`        // of the first arrival
	Arrivals   int       `json:"arrivals"`          // from 1
	Size       int       `json:"size"`              // bytes
	Text       string    `json:"text"`
	HTML       string    `json:"html,omitzero"`
	Links      []string  `json:"links,omitzero"` // http and https addresses in Text, each once
	Headers    []Header  `json:"headers"`        // in order, decoded
	// Problem says why the mail could not be read; then Raw is all there is.
	Problem string `json:"problem,omitzero"`
	Raw     []byte `json:"-"`
}

// Header is one line of a mail's header.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Mailbox is a running receiver and what it has received. It is safe for
// concurrent use.
type Mailbox struct {
	cfg    Config
	listen net.Listener
	server *smtp.Server
	done   chan struct{} // closed when the server has stopped

	mu       sync.Mutex
	messages []*Message // oldest first
	bytes    int
	arrivals int
	next     int
	changed  chan struct{} // closed and replaced at each arrival
}

// Start listens and receives until ctx ends or [Mailbox.Close] is called.
func Start(ctx context.Context, c Config) (*Mailbox, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return nil, fmt.Errorf("mailbox: listen: %w", err)
	}
	m := &Mailbox{
		cfg: c, listen: l, next: 1,
		done: make(chan struct{}), changed: make(chan struct{}),
	}
	m.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &session{box: m}, nil
	}))
	m.server.Domain = "konto-mailbox"
	m.server.MaxMessageBytes = int64(c.MaxMessageBytes)
	m.server.MaxRecipients = 100
	m.server.EnableSMTPUTF8 = true
	m.server.ReadTimeout = time.Minute
	m.server.WriteTimeout = time.Minute
	m.server.ErrorLog = silence{}
	stop := context.AfterFunc(ctx, func() { _ = m.hangUp() })
	go func() {
		defer close(m.done)
		defer stop()
		_ = m.server.Serve(l) // returns when the listener is closed
	}()
	return m, nil
}

// Addr returns the host:port that mail is received on.
func (m *Mailbox) Addr() string { return m.listen.Addr().String() }

// Base returns the path that the pages are under.
func (m *Mailbox) Base() string { return m.cfg.Base }

// Close stops receiving and waits until no more connections are accepted.
// What was received can still be read. Closing twice does nothing.
func (m *Mailbox) Close() error {
	err := m.hangUp()
	<-m.done
	if err != nil {
		return fmt.Errorf("mailbox: close: %w", err)
	}
	return nil
}

// hangUp ends all connections. The server knows of the listener only once it
// serves it, so the listener is closed apart: otherwise a mailbox that is
// closed at once would go on receiving.
func (m *Mailbox) hangUp() error {
	errs := []error{m.server.Close(), m.listen.Close()}
	errs = slices.DeleteFunc(errs, func(err error) bool {
		return errors.Is(err, smtp.ErrServerClosed) || errors.Is(err, net.ErrClosed)
	})
	return errors.Join(errs...)
}

// Messages returns what was received, newest first. A recipient, if not
// empty, selects the messages with an address that contains it, in any case.
func (m *Mailbox) Messages(recipient string) []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	recipient = strings.ToLower(strings.TrimSpace(recipient))
	out := []Message{}
	for _, x := range slices.Backward(m.messages) {
		if recipient == "" || slices.ContainsFunc(x.Recipients, func(r string) bool {
			return strings.Contains(strings.ToLower(r), recipient)
		}) {
			out = append(out, *x)
		}
	}
	return out
}

// Message returns the message with the mailbox's own ID.
func (m *Mailbox) Message(id string) (Message, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, x := range m.messages {
		if x.ID == id {
			return *x, true
		}
	}
	return Message{}, false
}

// Arrivals returns how many mails were accepted since the start, repeats and
// forgotten ones included.
func (m *Mailbox) Arrivals() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.arrivals
}

// Wait returns the oldest message that match says yes to, as soon as there is
// one. A message is asked about again when it arrives again. It returns the
// error of ctx if that ends first.
func (m *Mailbox) Wait(ctx context.Context, match func(Message) bool) (Message, error) {
	for {
		m.mu.Lock()
		changed := m.changed
		now := make([]Message, len(m.messages))
		for i, x := range m.messages {
			now[i] = *x
		}
		m.mu.Unlock()
		for _, x := range now {
			if match(x) {
				return x, nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Message{}, fmt.Errorf("mailbox: wait for a message: %w", context.Cause(ctx))
		}
	}
}

// accept keeps x, or counts it if it is a repeat.
func (m *Mailbox) accept(x *Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.arrivals++
	defer func() {
		close(m.changed)
		m.changed = make(chan struct{})
	}()
	for i, old := range m.messages {
		if x.MessageID != "" && old.MessageID == x.MessageID {
			m.messages[i] = old.again(x.Recipients)
			return
		}
	}
	x.ID, x.Arrivals = strconv.Itoa(m.next), 1
	x.ReceivedAt = m.cfg.Now().UTC()
	m.next++
	m.messages = append(m.messages, x)
	m.bytes += x.Size
	for len(m.messages) > m.cfg.MaxMessages || (m.bytes > m.cfg.MaxBytes && len(m.messages) > 1) {
		m.bytes -= m.messages[0].Size
		m.messages = slices.Delete(m.messages, 0, 1)
	}
}

// again returns a copy of x with one more arrival.
func (x *Message) again(recipients []string) *Message {
	y := *x
	y.Arrivals++
	y.Recipients = slices.Clone(x.Recipients)
	for _, r := range recipients {
		if !slices.Contains(y.Recipients, r) {
			y.Recipients = append(y.Recipients, r)
		}
	}
	return &y
}
