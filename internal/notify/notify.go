// Package notify tells people what happened: it renders a message in the
// recipient's language, hands it to a mail server and has the outcome
// recorded.
//
// # What is guaranteed
//
// One message is one person on one channel: all of a person's verified
// addresses are recipients of the same mail, never of several. The Message-ID
// is made of the message's own ID, so it is the same on every attempt, and a
// receiver that honours it shows a repeat once. An outcome that was recorded
// is never followed by another attempt.
//
// Addresses, names and codes are in the message and nowhere else. Outcomes
// hold keyed digests; errors, reasons and log lines hold template names, IDs
// and SMTP reply codes. A subject holds no digits but a card's last four.
//
// # What is not
//
// SMTP cannot say whether a server that fell silent after the last byte kept
// the message. Such a message is sent again, under the same Message-ID: twice
// on the wire is better than never.
//
// # Why text messages are mail
//
// Phone messages and calls leave through a mail gateway (number@domain), which
// every telephony provider offers: one protocol, one queue, one failure model,
// and a development mailbox that shows everything.
package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"time"

	"github.com/rs/zerolog"

	"konto/domain"
)

// Message is one message to one person on one channel.
type Message struct {
	// ID, a UUID, is the effect's ID and the local part of the Message-ID.
	ID          string
	Tenant      string
	Cause       string // ID of the event that is being told of
	Correlation string
	To          string // the person, an admin's ID, or [domain.OrganizationContact] and the like; may be empty if Address is set
	// Address, opened, is where the message goes instead of To's own
	// addresses: a mail address, or a phone number in E.164 form that may be
	// followed by ";ext=" and an extension.
	Address string
	// Without, opened, is an address of To's that is left out here.
	Without  string
	Channel  domain.Channel
	Template string
	Data     json.RawMessage // opened
	// Besides are people who get the same message because of the same event.
	// An address of theirs is left out here.
	Besides []string
	// Attempt counts from 1. At [Config].MaxAttempts a temporary failure
	// becomes a final one.
	Attempt int
}

// Person is whom a message can reach, and in which language.
type Person struct {
	Name      string
	Addresses []string // verified mail addresses, the primary one first
	Mobile    string   // verified, E.164; empty if there is none
	Locale    string   // BCP 47; empty if the person never chose one
}

// Directory knows people. Implementations are safe for concurrent use.
type Directory interface {
	// Person returns whom id stands for: an admin, or a contact of the tenant's
	// profile by a name such as [domain.OrganizationContact]. A person who is
	// unknown, has left or is erased has no addresses; an error means that the question could not be answered.
	Person(ctx context.Context, tenant, id string) (Person, error)
	// Leaver is Person, but finds an admin who has left, too: at the verified
	// addresses that are their own, since the account's are no longer theirs.
	Leaver(ctx context.Context, tenant, id string) (Person, error)
	// TenantLocale returns the tenant's language (BCP 47), or "".
	TenantLocale(ctx context.Context, tenant string) (string, error)
	// Names returns what those of the subjects are called, by ID, whose names
	// the tenant's people may know.
	Names(ctx context.Context, tenant string, s Subjects) (map[string]string, error)
}

// Subjects are the IDs of what a message's data is about; empty: of nothing.
type Subjects struct {
	PartnerID      string `json:"partnerId"`
	CustomerID     string `json:"customerId"`
	SubscriptionID string `json:"subscriptionId"`
}

// Recorder keeps outcomes. Implementations are safe for concurrent use.
type Recorder interface {
	// Outcome reports whether an outcome of the message was recorded.
	Outcome(ctx context.Context, tenant, messageID string) (found bool, err error)
	// Record records the outcome. Recording a second one changes nothing.
	Record(ctx context.Context, m Message, o Outcome) error
}

// Kind is how a message ended.
type Kind string

// The ends that a message can come to.
const (
	Sent       Kind = "sent"       // a mail server accepted it
	Failed     Kind = "failed"     // refused for good, or given up
	Suppressed Kind = "suppressed" // there was nobody to tell or nothing left to say
)

// Outcome is what is recorded about a message: enough to prove who was told
// what and when, without saying it again.
type Outcome struct {
	Kind             Kind
	Template         string
	TemplateVersion  string // hash of layouts and strings; empty if nothing was rendered
	Locale           string // the language that was rendered; empty if none was
	Channel          domain.Channel
	Person           string
	Cause            string
	RecipientDigests []string // [Config].Digest of each accepted address, in order
	TextHash         string   // [Config].Digest of the text part
	MessageID        string   // as in the header, without angle brackets
	Attempts         int
	Reason           string // empty if sent
	At               time.Time
}

// The reasons for an outcome that is not [Sent], besides "smtp" and a reply
// code (550) or an enhanced one (550 5.1.1).
const (
	ReasonNoAddress  = "no-address"                 // suppressed: nothing verified on this channel
	ReasonToldBeside = "told-beside"                // suppressed: all addresses are those of people who get the same message
	ReasonNoChannel  = "channel-not-configured"     // suppressed: no gateway for it
	ReasonExpired    = "expired"                    // suppressed: the code had expired before it could leave
	ReasonBadAddress = "address-not-understood"     // failed
	ReasonBadData    = "template-data-not-rendered" // failed
	ReasonConnection = "smtp connection"            // failed after the last attempt
)

// Config is what a [Notifier] needs. Directory, Recorder, Now, Digest, Code,
// From, BaseURL and SMTP.Addr must be set.
type Config struct {
	Directory Directory
	Recorder  Recorder
	Now       func() time.Time
	// Digest returns a keyed hash of value, the same for ever within tenant.
	// Purpose keeps hashes of different kinds of value apart.
	Digest func(tenant, purpose, value string) string
	// Code returns the one-time code of a verification.
	Code func(tenant, verification string) string
	Log  zerolog.Logger

	SMTP SMTP
	From string // RFC 5322 mailbox: Konto <konto@example.com>
	// MessageIDDomain is the right side of each Message-ID. Empty is the
	// domain of From.
	MessageIDDomain string
	// SMSDomain and VoiceDomain are the mail gateway's: a message to
	// +46701740605 goes to 46701740605@SMSDomain. Empty means no such channel.
	SMSDomain   string
	VoiceDomain string
	// BaseURL, http or https without a query, is what links begin with.
	BaseURL string
	Links   Links
	Product string // the name in messages; empty is Konto
	// MaxAttempts is the number of attempts after which a temporary failure
	// is recorded as failed. Zero is 8.
	MaxAttempts int
}

// Notifier delivers messages. It is safe for concurrent use.
type Notifier struct {
	cfg    Config
	from   *mail.Address
	render *Renderer
}

// New returns a notifier. It connects to nothing yet; the error says which
// field of c is wrong.
func New(c Config) (*Notifier, error) {
	if c.Directory == nil || c.Recorder == nil || c.Now == nil || c.Digest == nil || c.Code == nil {
		return nil, errors.New("notify: Directory, Recorder, Now, Digest and Code must be set")
	}
	from, err := mail.ParseAddress(c.From)
	if err != nil {
		return nil, fmt.Errorf("notify: From %q is no mailbox: %w", c.From, err)
	}
	if c.MessageIDDomain == "" {
		c.MessageIDDomain = domainOf(from.Address)
	}
	if c.MaxAttempts == 0 {
		c.MaxAttempts = 8
	}
	if err := c.SMTP.validate(); err != nil {
		return nil, err
	}
	r, err := NewRenderer(RenderConfig{BaseURL: c.BaseURL, Links: c.Links, Product: c.Product, Now: c.Now, Code: c.Code, Proof: c.Digest})
	if err != nil {
		return nil, err
	}
	return &Notifier{cfg: c, from: from, render: r}, nil
}

// Renderer returns what n renders messages with.
func (n *Notifier) Renderer() *Renderer { return n.render }

// Deliver sends m unless its outcome is already recorded, and has the outcome
// recorded. It returns nil once an outcome is recorded, whichever it is. Any
// error means that m must be delivered again later: a [*TemporaryError] from
// the mail server, or the fault of the directory or the recorder.
//
// It blocks for as long as the mail server takes, at most SMTP.Timeout per
// step, and returns early when ctx ends.
func (n *Notifier) Deliver(ctx context.Context, m Message) error {
	start := n.cfg.Now()
	found, err := n.cfg.Recorder.Outcome(ctx, m.Tenant, m.ID)
	if err != nil {
		return fmt.Errorf("ask for the outcome of message %s: %w", m.ID, err)
	}
	if found {
		n.log(m, "already-recorded", "", start)
		return nil
	}
	o := Outcome{
		Template: m.Template, Channel: m.Channel, Person: m.To, Cause: m.Cause,
		MessageID: m.ID + "@" + n.cfg.MessageIDDomain, Attempts: m.Attempt,
	}
	if err := n.attempt(ctx, m, &o); err != nil {
		n.log(m, "retry", "", start)
		return fmt.Errorf("deliver message %s: %w", m.ID, err)
	}
	o.At = n.cfg.Now().UTC()
	if err := n.cfg.Recorder.Record(ctx, m, o); err != nil {
		return fmt.Errorf("record the outcome of message %s: %w", m.ID, err)
	}
	n.log(m, string(o.Kind), o.Reason, start)
	return nil
}

// attempt sends m and fills in o, or returns an error to try again after.
func (n *Notifier) attempt(ctx context.Context, m Message, o *Outcome) error {
	to, err := n.recipient(ctx, m)
	if err != nil {
		return err
	}
	if to.refused != "" {
		o.Kind, o.Reason = to.kind, to.refused
		return nil
	}
	o.Locale = to.locale
	names, err := n.names(ctx, m)
	if err != nil {
		return err
	}
	page, err := n.render.render(request{
		template: m.Template, locale: to.locale, name: to.name, called: names,
		tenant: m.Tenant, person: m.To, data: m.Data,
	})
	switch {
	case errors.Is(err, errExpired):
		o.Kind, o.Reason = Suppressed, ReasonExpired
		return nil
	case err != nil:
		o.Kind, o.Reason = Failed, ReasonBadData
		return nil //nolint:nilerr // rendering is pure: the same data fails for ever, and the outcome says so.
	}
	o.TemplateVersion = page.Version
	text := page.on(m.Channel)
	o.TextHash = n.cfg.Digest(m.Tenant, "notification-text", text)

	accepted, err := n.send(ctx, m, to, page)
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		if ctx.Err() != nil && !refused.permanent {
			// We hung up, not the server: no reason to give up on m.
			return context.Cause(ctx)
		}
		if refused.permanent || m.Attempt >= n.cfg.MaxAttempts {
			o.Kind, o.Reason = Failed, refused.reason
			return nil
		}
		return &TemporaryError{Reason: refused.reason}
	}
	if err != nil {
		return err
	}
	o.Kind = Sent
	for _, a := range accepted {
		o.RecipientDigests = append(o.RecipientDigests, n.cfg.Digest(m.Tenant, "notification-recipient", a))
	}
	return nil
}

// names returns what the message's subjects are called.
func (n *Notifier) names(ctx context.Context, m Message) (map[string]string, error) {
	var s Subjects
	if err := json.Unmarshal(m.Data, &s); err != nil || s == (Subjects{}) {
		return nil, nil //nolint:nilerr // what is wrong with the data is the rendering's to say
	}
	names, err := n.cfg.Directory.Names(ctx, m.Tenant, s)
	if err != nil {
		return nil, fmt.Errorf("look up names for message %s: %w", m.ID, err)
	}
	return names, nil
}

// TemporaryError says that the mail server may accept the message later.
type TemporaryError struct {
	Reason string // an SMTP reply code or [ReasonConnection]; never an address
}

// Error implements error.
func (e *TemporaryError) Error() string { return "not accepted yet: " + e.Reason }

func (n *Notifier) log(m Message, outcome, reason string, start time.Time) {
	level := zerolog.InfoLevel
	if outcome == "retry" || outcome == string(Failed) {
		level = zerolog.WarnLevel
	}
	n.cfg.Log.WithLevel(level).Str("message_id", m.ID).Str("tenant", m.Tenant).Str("template", m.Template).
		Str("channel", string(m.Channel)).Str("correlation", m.Correlation).Int("attempt", m.Attempt).
		Str("outcome", outcome).Str("reason", reason).Dur("duration", n.cfg.Now().Sub(start)).Msg("notification")
}
