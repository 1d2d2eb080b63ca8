// Package notification models what became of one message to one person over
// one channel: it was sent, it could not be sent, or it was left out on
// purpose. One stream has one outcome, and the stream's ID is the ID of the
// effect that asked for the message, so that an auditor finds who was told
// what and when, and so that a message retried after a crash is recorded once.
//
// No event holds an address or a text: recipients are keyed digests, and the
// text is a hash that proves which text it was.
package notification

import "konto/domain"

// Event is a fact about a message.
type Event = domain.Event[Notification]

// Meta is what a decision may know besides the message and the command.
type Meta = domain.Meta

// Aggregate is the message's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"notif", "notifications",
	domain.Accepts[RecordNotification]("RecordNotification", domain.Summary("Record what became of a message"), domain.Internal(), domain.NotKept()),

	domain.Records[NotificationSent]("NotificationSent"),
	domain.Records[NotificationFailed]("NotificationFailed"),
	domain.Records[NotificationSuppressed]("NotificationSuppressed"),
)

// Outcome is what became of a message.
type Outcome string

// The outcomes.
const (
	Sent       Outcome = "sent"       // a server took it over
	Failed     Outcome = "failed"     // given up
	Suppressed Outcome = "suppressed" // left out on purpose
)

// Notification is a message and its outcome.
type Notification struct {
	Outcome Outcome `json:"outcome"`
	Message
	Attempts int    `json:"attempts,omitempty"`
	Reason   string `json:"reason,omitempty"` // why it failed or was left out
}

// Message says which message it was. Both commands and events carry it.
type Message struct {
	Template        string         `json:"template"`
	TemplateVersion string         `json:"templateVersion,omitempty"`
	Locale          string         `json:"locale,omitempty"` // BCP 47, of the text
	Channel         domain.Channel `json:"channel,omitempty"`
	Person          string         `json:"person,omitempty"` // an admin's ID
	CauseEventID    string         `json:"causeEventId"`     // of the event that asked for it
}

// Rejections.
var (
	ErrRecorded   = domain.Conflict("outcome-recorded", "the message has another outcome already").ByRule("X3")
	ErrOutcome    = domain.Invalid("outcome-unknown", "the outcome must be sent, failed or suppressed").ByRule("X3").At("/outcome")
	ErrIncomplete = domain.Invalid("notification-incomplete", "a message names its template and the event that caused it").ByRule("X3")
)
