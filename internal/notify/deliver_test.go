package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rs/zerolog"

	"konto/domain"
	"konto/internal/notify"
)

const code = "482913"

var now = time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)

// directory is a fixed set of people.
type directory map[string]notify.Person

func (d directory) Person(_ context.Context, _, id string) (notify.Person, error) {
	if id == "unreachable-directory" {
		return notify.Person{}, errors.New("directory is down")
	}
	return d[id], nil
}

// Leaver knows those, too, who are kept under "left/" and their ID.
func (d directory) Leaver(ctx context.Context, tenant, id string) (notify.Person, error) {
	if p, left := d["left/"+id]; left {
		return p, nil
	}
	return d.Person(ctx, tenant, id)
}

func (d directory) TenantLocale(_ context.Context, tenant string) (string, error) {
	return map[string]string{"acme": "da-DK"}[tenant], nil
}

// Names knows one partner and one subscription.
func (d directory) Names(_ context.Context, tenant string, s notify.Subjects) (map[string]string, error) {
	if s.PartnerID == "unreachable-directory" {
		return nil, errors.New("directory is down")
	}
	return map[string]string{"p1": "Nordvind ApS", "sub": "Business Standard of " + tenant}, nil
}

func people() directory {
	return directory{
		"asa":   {Name: "Åsa Öberg", Addresses: []string{"asa@contoso.example", "asa@home.example"}, Mobile: "+46701740605", Locale: "sv-SE"},
		"finn":  {Name: "Finn", Addresses: []string{"finn@contoso.example"}, Locale: "fi"},
		"ghost": {},
		// Dana has left, and is not found any more.
		"left/dana": {Name: "Dana", Addresses: []string{"dana@home.example"}, Locale: "da"},
		// An organization's own address, which is Åsa's, too, in other letters.
		"shared": {Addresses: []string{"Asa@Contoso.example"}, Locale: "nl"},
	}
}

// ledger keeps outcomes in memory, once per message.
type ledger struct {
	mu       sync.Mutex
	outcomes map[string]notify.Outcome
	broken   bool // Record fails
}

func (l *ledger) Outcome(_ context.Context, tenant, id string) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, found := l.outcomes[tenant+"/"+id]
	return found, nil
}

func (l *ledger) Record(_ context.Context, m notify.Message, o notify.Outcome) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken {
		return errors.New("ledger is down")
	}
	if _, found := l.outcomes[m.Tenant+"/"+m.ID]; !found {
		l.outcomes[m.Tenant+"/"+m.ID] = o
	}
	return nil
}

type fixture struct {
	n      *notify.Notifier
	server *server
	ledger *ledger
	logs   *bytes.Buffer
}

func setup(tb testing.TB, s *server, change func(*notify.Config)) fixture {
	tb.Helper()
	f := fixture{server: s, ledger: &ledger{outcomes: map[string]notify.Outcome{}}, logs: &bytes.Buffer{}}
	c := notify.Config{
		Directory: people(), Recorder: f.ledger, Log: zerolog.New(f.logs),
		Now: func() time.Time { return now },
		Digest: func(tenant, purpose, value string) string {
			return fmt.Sprintf("%s/%s/%d", tenant, purpose, len(value))
		},
		Code: func(tenant, verification string) string {
			return map[string]string{"acme/v1": code}[tenant+"/"+verification]
		},
		SMTP: notify.SMTP{Addr: s.addr, TLS: notify.NoTLS, HELO: "konto.example"},
		From: "Konto <konto@konto.example>", SMSDomain: "sms.example", VoiceDomain: "voice.example",
		BaseURL: "https://konto.example", MaxAttempts: 3,
	}
	if change != nil {
		change(&c)
	}
	n, err := notify.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	f.n = n
	return f
}

func message(change func(*notify.Message)) notify.Message {
	m := notify.Message{
		ID: "01920000-0000-7000-8000-000000000001", Tenant: "acme", Cause: "event-1", Correlation: "corr-1",
		To: "asa", Channel: domain.Mail, Template: notify.CardDeclined,
		Data: notify.Sample(notify.CardDeclined), Attempt: 1,
	}
	if change != nil {
		change(&m)
	}
	return m
}

func contactCode(change func(*notify.Message)) notify.Message {
	return message(func(m *notify.Message) {
		m.Template = notify.ContactCode
		m.Data = json.RawMessage(`{"slot":"alternateEmail","verification":"v1","expiresAt":"2026-03-02T14:05:00Z"}`)
		if change != nil {
			change(m)
		}
	})
}

// erasure is a message to somebody who has left.
func erasure(template string) notify.Message {
	return message(func(m *notify.Message) { m.To, m.Template, m.Data = "dana", template, notify.Sample(template) })
}

// outcome returns what was recorded about m.
func (f fixture) outcome(t *testing.T, m notify.Message) notify.Outcome {
	t.Helper()
	f.ledger.mu.Lock()
	defer f.ledger.mu.Unlock()
	o, found := f.ledger.outcomes[m.Tenant+"/"+m.ID]
	if !found {
		t.Fatalf("no outcome of %s was recorded", m.ID)
	}
	return o
}

// What a message is about has a name, where the reader may know it.
func TestDeliverNamesWhatItIsAbout(t *testing.T) {
	t.Parallel()
	f := setup(t, serve(t, false, false), nil)
	about := func(id, data string) notify.Message {
		return message(func(m *notify.Message) {
			m.ID, m.Template, m.Data = id, notify.RelationshipChanged, json.RawMessage(data)
		})
	}
	if err := f.n.Deliver(t.Context(), about("01920000-0000-7000-8000-000000000001", `{"change":"requested","type":"reseller","partnerId":"p1","customerId":"c1"}`)); err != nil {
		t.Fatal(err)
	}
	l := read(t, f.server.received()[0].raw)
	if want := "Partner: Nordvind ApS (p1)"; !strings.Contains(l.text, want) || !strings.Contains(l.text, ": c1") {
		t.Errorf("P1: the mail says\n%s\nwant %s, and the customer's ID", l.text, want)
	}
	fails := about("01920000-0000-7000-8000-000000000002", `{"change":"requested","partnerId":"unreachable-directory"}`)
	if err := f.n.Deliver(t.Context(), fails); err == nil {
		t.Error("Deliver = nil, want the fault of the directory: it may answer later")
	}
	if n := len(f.server.received()); n != 1 {
		t.Errorf("%d mails arrived, want none for want of a name", n)
	}
}

func TestDeliverSends(t *testing.T) {
	t.Parallel()
	f := setup(t, serve(t, false, false), nil)
	m := message(nil)
	if err := f.n.Deliver(t.Context(), m); err != nil {
		t.Fatalf("Deliver = %v", err)
	}
	got := f.server.received()
	if len(got) != 1 {
		t.Fatalf("%d mails arrived, want one for both addresses", len(got))
	}
	if diff := cmp.Diff([]string{"asa@contoso.example", "asa@home.example"}, got[0].to); diff != "" {
		t.Errorf("recipients differ:\n%s", diff)
	}
	l := read(t, got[0].raw)
	if l.subject != "Kortet som slutar på 4242 nekades" || !strings.Contains(l.text, "Hej Åsa Öberg!") || !strings.Contains(l.html, "Hej Åsa Öberg!") {
		t.Errorf("got %q\n%s\n%s", l.subject, l.text, l.html)
	}
	for header, want := range map[string]string{
		"Message-Id": "<" + m.ID + "@konto.example>", "Auto-Submitted": "auto-generated", "Content-Language": "sv",
		"X-Konto-Template": "card_declined", "X-Konto-Cause": "event-1", "X-Konto-Correlation": "corr-1", "X-Konto-Channel": "mail",
	} {
		if v := l.header.Get(header); v != want {
			t.Errorf("%s = %q, want %q", header, v, want)
		}
	}
	want := notify.Outcome{
		Kind: notify.Sent, Template: notify.CardDeclined, TemplateVersion: f.n.Renderer().Version(notify.CardDeclined, "sv"),
		Locale: "sv", Channel: domain.Mail, Person: "asa", Cause: "event-1",
		RecipientDigests: []string{"acme/notification-recipient/19", "acme/notification-recipient/16"},
		MessageID:        m.ID + "@konto.example", Attempts: 1, At: now,
	}
	o := f.outcome(t, m)
	if diff := cmp.Diff(want, o, cmpopts.IgnoreFields(notify.Outcome{}, "TextHash")); diff != "" {
		t.Errorf("outcome differs:\n%s", diff)
	}
	if !strings.HasPrefix(o.TextHash, "acme/notification-text/") {
		t.Errorf("TextHash = %q", o.TextHash)
	}

	// The outbox may ask again: it crashed, or its lease ran out.
	if err := f.n.Deliver(t.Context(), m); err != nil || len(f.server.received()) != 1 {
		t.Errorf("Deliver again = %v with %d mails, want nil and still one", err, len(f.server.received()))
	}
}

func TestDeliverAddressesAndLanguages(t *testing.T) {
	t.Parallel()
	sms := func(m *notify.Message) { m.Channel = domain.SMS }
	for _, c := range []struct {
		name    string
		m       notify.Message
		to      string
		subject string
		locale  string
	}{
		{"the tenant's language", message(func(m *notify.Message) { m.To = "finn" }), "finn@contoso.example", "Kortet, der ender på 4242, blev afvist", "da"},
		{"an address of its own", message(func(m *notify.Message) { m.Address = "new@home.example" }), "new@home.example", "Kortet som slutar på 4242 nekades", "sv"},
		{"nobody in particular", message(func(m *notify.Message) { m.To, m.Tenant, m.Address = "", "other", "x@home.example" }), "x@home.example", "Card ending in 4242 was declined", "en"},
		{"code by mail", contactCode(func(m *notify.Message) { m.Address = "new@home.example" }), "new@home.example", "Din verifieringskod", "sv"},
		{"text message", contactCode(sms), "46701740605@sms.example", "Din verifieringskod", "sv"},
		{"text message to a new number", contactCode(func(m *notify.Message) { m.Channel, m.Address = domain.SMS, "+31612345678" }), "31612345678@sms.example", "Din verifieringskod", "sv"},
		{"N4: what is done with a leaver's data", erasure(notify.ErasureDone), "dana@home.example", "Dine personoplysninger slettes", "da"},
		{"N4: or cannot be done yet", erasure(notify.ErasureBlocked), "dana@home.example", "Dine personoplysninger kan endnu ikke slettes", "da"},
		{"call", contactCode(func(m *notify.Message) { m.Channel, m.Address = domain.Voice, "+4687123456;ext=42" }), "4687123456x42@voice.example", "Din verifieringskod", "sv"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := setup(t, serve(t, false, false), nil)
			if err := f.n.Deliver(t.Context(), c.m); err != nil {
				t.Fatalf("Deliver = %v", err)
			}
			got := f.server.received()
			if len(got) != 1 || len(got[0].to) != 1 || got[0].to[0] != c.to {
				t.Fatalf("arrived %d mails, want one to %s", len(got), c.to)
			}
			l := read(t, got[0].raw)
			if l.subject != c.subject || l.header.Get("Content-Language") != c.locale {
				t.Errorf("subject %q in %s, want %q in %s", l.subject, l.header.Get("Content-Language"), c.subject, c.locale)
			}
			if phone := c.m.Channel != domain.Mail; phone == (l.html != "") {
				t.Errorf("html part of %d bytes on channel %s", len(l.html), c.m.Channel)
			}
			// A code may go to a stranger's address that was mistyped.
			if named := strings.Contains(l.text, "Åsa"); named != (c.m.Template != notify.ContactCode && c.m.To == "asa") {
				t.Errorf("greets by name = %t: %q", named, l.text)
			}
			if c.m.Channel == domain.Voice && !strings.Contains(l.text, "4, 8, 2, 9, 1, 3") {
				t.Errorf("call = %q, want the code spelled", l.text)
			}
		})
	}
}

// Of a message that others get, too, only the addresses that are not theirs are left.
func TestDeliverTellsNobodyTwice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		to      string
		besides []string
		without string
		want    []string
	}{
		{"S5: nobody else is told", "shared", nil, "", []string{"Asa@Contoso.example"}},
		{"S5: others are told elsewhere", "shared", []string{"finn", "ghost", "nobody"}, "", []string{"Asa@Contoso.example"}},
		{"S5: one of two addresses is told", "asa", []string{"shared"}, "", []string{"asa@home.example"}},
		{"I4: an address that just became theirs is left out", "asa", nil, "ASA@home.example", []string{"asa@contoso.example"}},
		{"I4: an address that is not theirs leaves all", "asa", nil, "b@home.example", []string{"asa@contoso.example", "asa@home.example"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := setup(t, serve(t, false, false), nil)
			m := message(func(m *notify.Message) { m.To, m.Besides, m.Without = c.to, c.besides, c.without })
			if err := f.n.Deliver(t.Context(), m); err != nil {
				t.Fatalf("Deliver = %v", err)
			}
			got := f.server.received()
			if len(got) != 1 {
				t.Fatalf("arrived %d mails, want one", len(got))
			}
			if diff := cmp.Diff(c.want, got[0].to); diff != "" {
				t.Errorf("recipients (-want +got):\n%s", diff)
			}
		})
	}
	f := setup(t, serve(t, false, false), nil)
	if err := f.n.Deliver(t.Context(), message(func(m *notify.Message) { m.To, m.Besides = "finn", []string{"unreachable-directory"} })); err == nil {
		t.Error("Deliver: no error, although nobody knows who else is told")
	}
}

func TestDeliverSuppressesAndFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		m      notify.Message
		kind   notify.Kind
		reason string
	}{
		{"no address", message(func(m *notify.Message) { m.To = "ghost" }), notify.Suppressed, notify.ReasonNoAddress},
		{"unknown person", message(func(m *notify.Message) { m.To = "nobody" }), notify.Suppressed, notify.ReasonNoAddress},
		{"N4: somebody who has left is told of nothing else", message(func(m *notify.Message) { m.To = "dana" }), notify.Suppressed, notify.ReasonNoAddress},
		{"no mobile", message(func(m *notify.Message) { m.To, m.Channel = "finn", domain.SMS }), notify.Suppressed, notify.ReasonNoAddress},
		{
			"S5: all addresses are a colleague's, who gets the same mail",
			message(func(m *notify.Message) { m.To, m.Besides = "shared", []string{"finn", "asa"} }), notify.Suppressed, notify.ReasonToldBeside,
		},
		{
			"I4: the only address is one to leave out",
			message(func(m *notify.Message) { m.To, m.Without = "finn", "finn@contoso.example" }), notify.Suppressed, notify.ReasonNoAddress,
		},
		{"no gateway", contactCode(func(m *notify.Message) { m.Channel = domain.Voice }), notify.Suppressed, notify.ReasonNoChannel},
		{"code expired", contactCode(func(m *notify.Message) {
			m.Data = json.RawMessage(`{"slot":"mobile","verification":"v1","expiresAt":"2026-03-02T14:00:00Z"}`)
		}), notify.Suppressed, notify.ReasonExpired},
		{"not an address", message(func(m *notify.Message) { m.Address = "a@b.example>\r\nRCPT TO:<c@d.example" }), notify.Failed, notify.ReasonBadAddress},
		{"not a number", contactCode(func(m *notify.Message) { m.Channel, m.Address = domain.SMS, "0701740605" }), notify.Failed, notify.ReasonBadAddress},
		{"bad data", message(func(m *notify.Message) { m.Data = json.RawMessage(`{"last4":"42"}`) }), notify.Failed, notify.ReasonBadData},
		{"unknown template", message(func(m *notify.Message) { m.Template = "newer" }), notify.Failed, notify.ReasonBadData},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := setup(t, serve(t, false, false), func(c *notify.Config) { c.VoiceDomain = "" })
			if err := f.n.Deliver(t.Context(), c.m); err != nil {
				t.Fatalf("Deliver = %v", err)
			}
			o := f.outcome(t, c.m)
			if o.Kind != c.kind || o.Reason != c.reason || !o.At.Equal(now) {
				t.Errorf("outcome = %+v, want %s because of %s", o, c.kind, c.reason)
			}
			if n := len(f.server.received()); n != 0 {
				t.Errorf("%d mails arrived, want none", n)
			}
		})
	}
}

func TestDeliverWhenTheServerRefuses(t *testing.T) {
	t.Parallel()
	only := func(bad string, err func(string) error) func(string) error {
		return func(to string) error {
			if to == bad || bad == "" {
				return err(to)
			}
			return nil
		}
	}
	gone := func(to string) error { return reply(550, smtp.EnhancedCode{5, 1, 1}, to) }
	busy := func(to string) error { return reply(451, smtp.EnhancedCode{4, 3, 0}, to) }
	for _, c := range []struct {
		name    string
		set     func(*server)
		attempt int
		reason  string      // of a temporary error, or of the outcome
		kind    notify.Kind // empty: nothing is recorded
		mails   int
		digests int
	}{
		{"every address is gone", func(s *server) { s.rcpt = gone }, 1, "smtp 550 5.1.1", notify.Failed, 0, 0},
		{"one address is gone", func(s *server) { s.rcpt = only("asa@home.example", gone) }, 1, "", notify.Sent, 1, 1},
		{"every address is busy", func(s *server) { s.rcpt = busy }, 1, "smtp 451 4.3.0", "", 0, 0},
		{"one address is busy", func(s *server) { s.rcpt = only("asa@contoso.example", busy) }, 2, "smtp 451 4.3.0", "", 0, 0},
		{"one address is still busy", func(s *server) { s.rcpt = only("asa@contoso.example", busy) }, 3, "", notify.Sent, 1, 1},
		{"every address is still busy", func(s *server) { s.rcpt = busy }, 3, "smtp 451 4.3.0", notify.Failed, 0, 0},
		{"the message is refused", func(s *server) { s.data = func() error { return gone("x") } }, 1, "smtp 550 5.1.1", notify.Failed, 0, 0},
		{"the message is deferred", func(s *server) { s.data = func() error { return busy("x") } }, 1, "smtp 451 4.3.0", "", 0, 0},
		{"the sender is refused", func(s *server) { s.mail = gone }, 1, "smtp 550 5.1.1", "", 0, 0},
		{"the sender is still refused", func(s *server) { s.mail = gone }, 3, "smtp 550 5.1.1", notify.Failed, 0, 0},
		{"the line breaks after the message", func(s *server) { s.drop = true }, 1, notify.ReasonConnection, "", 1, 0},
		{"the line breaks for the last time", func(s *server) { s.drop = true }, 3, notify.ReasonConnection, notify.Failed, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, false, false)
			c.set(s)
			f := setup(t, s, nil)
			m := contactCode(func(m *notify.Message) { m.Attempt = c.attempt })
			err := f.n.Deliver(t.Context(), m)
			if temporary := (*notify.TemporaryError)(nil); c.kind == "" {
				if !errors.As(err, &temporary) || temporary.Reason != c.reason {
					t.Errorf("Deliver = %v, want a temporary error because of %s", err, c.reason)
				}
				if len(f.ledger.outcomes) != 0 {
					t.Errorf("recorded %+v, want nothing yet", f.ledger.outcomes)
				}
			} else {
				if err != nil {
					t.Fatalf("Deliver = %v", err)
				}
				o := f.outcome(t, m)
				if o.Kind != c.kind || o.Reason != c.reason || len(o.RecipientDigests) != c.digests || o.Attempts != c.attempt {
					t.Errorf("outcome = %+v, want %s because of %q, to %d", o, c.kind, c.reason, c.digests)
				}
			}
			if n := len(s.received()); n != c.mails {
				t.Errorf("%d mails arrived, want %d", n, c.mails)
			}
			f.keepsSecrets(t, err)
		})
	}
}

// keepsSecrets checks that what happened is told without names, addresses and
// codes.
func (f fixture) keepsSecrets(t *testing.T, err error) {
	t.Helper()
	f.ledger.mu.Lock()
	defer f.ledger.mu.Unlock()
	told := fmt.Sprintf("%v\n%s\n%+v", err, f.logs, f.ledger.outcomes)
	for _, secret := range []string{"asa@", "home.example", "Öberg", "46701740605", code, "not today"} {
		if strings.Contains(told, secret) {
			t.Errorf("%q is in an error, a log line or an outcome:\n%s", secret, told)
		}
	}
}

// The server kept the message and hung up: it fails, but is stored.
func TestX3RepeatHasTheSameMessageID(t *testing.T) {
	t.Parallel()
	s := serve(t, false, false)
	s.drop = true
	f := setup(t, s, nil)
	m := message(nil)
	if err := f.n.Deliver(t.Context(), m); err == nil {
		t.Fatal("Deliver = nil although the server hung up")
	}
	s.set(func() { s.drop = false })
	m.Attempt = 2
	if err := f.n.Deliver(t.Context(), m); err != nil {
		t.Fatalf("Deliver again = %v", err)
	}
	got := s.received()
	if len(got) != 2 {
		t.Fatalf("%d mails arrived, want two", len(got))
	}
	a, b := read(t, got[0].raw), read(t, got[1].raw)
	first, second := a.header.Get("Message-Id"), b.header.Get("Message-Id")
	if first == "" || first != second {
		t.Errorf("Message-IDs are %q and %q, want one", first, second)
	}
	if o := f.outcome(t, m); o.Kind != notify.Sent || o.Attempts != 2 {
		t.Errorf("outcome = %+v, want sent at the second attempt", o)
	}
}

// The message left and its outcome could not be recorded.
func TestDeliverWhenTheRecorderFails(t *testing.T) {
	t.Parallel()
	f := setup(t, serve(t, false, false), nil)
	f.ledger.broken = true
	m := message(nil)
	if err := f.n.Deliver(t.Context(), m); err == nil || !strings.Contains(err.Error(), "record the outcome") {
		t.Fatalf("Deliver = %v, want the recorder's error", err)
	}
	f.ledger.broken = false
	m.Attempt = 2
	if err := f.n.Deliver(t.Context(), m); err != nil {
		t.Fatalf("Deliver again = %v", err)
	}
	if n := len(f.server.received()); n != 2 {
		t.Errorf("%d mails arrived, want a repeat", n)
	}
}

func TestDeliverWithoutAServer(t *testing.T) {
	t.Parallel()
	f := setup(t, serve(t, false, false), func(c *notify.Config) { c.SMTP.Addr = "127.0.0.1:1" })
	temporary := (*notify.TemporaryError)(nil)
	if err := f.n.Deliver(t.Context(), message(nil)); !errors.As(err, &temporary) || temporary.Reason != notify.ReasonConnection {
		t.Errorf("Deliver = %v, want a temporary error because of the connection", err)
	}
	if err := f.n.Deliver(t.Context(), message(func(m *notify.Message) { m.To = "unreachable-directory" })); err == nil {
		t.Error("Deliver = nil although the directory is down")
	}
}

// Shutting down is no reason to give up on a message, even at the last attempt.
func TestDeliverCanceled(t *testing.T) {
	t.Parallel()
	f := setup(t, serve(t, false, false), nil)
	err := f.n.Deliver(canceled(), message(func(m *notify.Message) { m.Attempt = 3 }))
	if !errors.Is(err, context.Canceled) || len(f.ledger.outcomes) != 0 {
		t.Errorf("Deliver = %v and recorded %v, want canceled and nothing", err, f.ledger.outcomes)
	}
}

// A server that stops answering in the middle must not hold the worker.
func TestDeliverCanceledWhileWaiting(t *testing.T) {
	t.Parallel()
	s := serve(t, false, false)
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	s.mail = func(string) error {
		cancel()
		<-release
		return nil
	}
	f := setup(t, s, func(c *notify.Config) { c.SMTP.Timeout = time.Hour })
	if err := f.n.Deliver(ctx, message(nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("Deliver = %v, want canceled", err)
	}
}

func TestDeliverOverTLS(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name             string
		offers, implicit bool
		mode             notify.TLS
		password         string
		sent             bool
		auths            int
	}{
		{"upgrade", true, false, notify.StartTLS, "correct", true, 1},
		{"upgrade by default", true, false, "", "", true, 0},
		{"from the first byte", true, true, notify.ImplicitTLS, "correct", true, 1},
		{"wrong password", true, false, notify.StartTLS, "wrong", false, 1},
		{"no upgrade and no password", false, false, notify.StartTLS, "", false, 0},
		{"no upgrade offered", false, false, notify.StartTLS, "correct", false, 0},
		{"no password without TLS", false, false, notify.NoTLS, "correct", false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.offers, c.implicit)
			f := setup(t, s, func(cfg *notify.Config) {
				cfg.SMTP.TLS, cfg.SMTP.Config, cfg.SMTP.Password = c.mode, s.tls, c.password
				if c.password != "" {
					cfg.SMTP.Username = "konto"
				}
			})
			err := f.n.Deliver(t.Context(), message(nil))
			if (err == nil) != c.sent {
				t.Errorf("Deliver = %v, want sent = %t", err, c.sent)
			}
			got := s.received()
			if len(got) > 0 && !got[0].secure {
				t.Error("the mail arrived in clear")
			}
			s.set(func() {
				if len(s.auths) != c.auths {
					t.Errorf("%d passwords arrived, want %d", len(s.auths), c.auths)
				}
			})
			if err != nil && c.password != "" && strings.Contains(err.Error(), c.password) {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

func TestNewRefusesBadConfig(t *testing.T) {
	t.Parallel()
	good := notify.Config{
		Directory: people(), Recorder: &ledger{}, Now: time.Now,
		Digest: func(_, _, _ string) string { return "" }, Code: func(_, _ string) string { return "" },
		SMTP: notify.SMTP{Addr: "127.0.0.1:25"}, From: "konto@konto.example", BaseURL: "https://konto.example",
	}
	if _, err := notify.New(good); err != nil {
		t.Fatalf("New(good) = %v", err)
	}
	for name, spoil := range map[string]func(*notify.Config){
		"no directory": func(c *notify.Config) { c.Directory = nil },
		"no code":      func(c *notify.Config) { c.Code = nil },
		"no sender":    func(c *notify.Config) { c.From = "" },
		"no server":    func(c *notify.Config) { c.SMTP.Addr = "" },
		"no port":      func(c *notify.Config) { c.SMTP.Addr = "mx.example" },
		"port zero":    func(c *notify.Config) { c.SMTP.Addr = "mx.example:0" },
		"bad tls":      func(c *notify.Config) { c.SMTP.TLS = "maybe" },
		"no base":      func(c *notify.Config) { c.BaseURL = "" },
	} {
		bad := good
		spoil(&bad)
		if _, err := notify.New(bad); err == nil {
			t.Errorf("New(%s) = nil error", name)
		}
	}
}
