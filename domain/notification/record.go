package notification

import (
	"slices"
	"time"
)

// RecordNotification records what became of a message. Recording the same
// outcome again does nothing.
type RecordNotification struct {
	Outcome Outcome `json:"outcome"`
	Message
	RecipientDigests []string `json:"recipientDigests,omitempty"` // keyed hashes of the addresses
	TextHash         string   `json:"textHash,omitempty"`         // of the text that was sent
	MessageID        string   `json:"messageId,omitempty"`        // as the server knows it
	Attempts         int      `json:"attempts,omitempty"`
	Reason           string   `json:"reason,omitempty"` // of a failure; names no address
	Why              string   `json:"why,omitempty"`    // it was left out; names no address
}

// Decide implements [domain.Command].
func (c RecordNotification) Decide(n Notification, m Meta) ([]Event, error) {
	switch {
	case c.Template == "" || c.CauseEventID == "":
		return nil, ErrIncomplete
	case n.Outcome != "" && n.Outcome == c.Outcome:
		return nil, nil
	case n.Outcome != "":
		return nil, ErrRecorded.With("outcome", n.Outcome)
	}
	switch c.Outcome {
	case Sent:
		return []Event{NotificationSent{
			Message: c.Message, RecipientDigests: slices.Clone(c.RecipientDigests),
			TextHash: c.TextHash, MessageID: c.MessageID, Attempts: c.Attempts, At: m.At,
		}}, nil
	case Failed:
		return []Event{NotificationFailed{
			Message: c.Message, RecipientDigests: slices.Clone(c.RecipientDigests),
			Reason: c.Reason, Attempts: c.Attempts, At: m.At,
		}}, nil
	case Suppressed:
		return []Event{NotificationSuppressed{Message: c.Message, Why: c.Why, At: m.At}}, nil
	}
	return nil, ErrOutcome
}

// NotificationSent records that a server took the message over.
type NotificationSent struct {
	Message
	RecipientDigests []string  `json:"recipientDigests,omitempty"`
	TextHash         string    `json:"textHash,omitempty"`
	MessageID        string    `json:"messageId,omitempty"`
	Attempts         int       `json:"attempts"`
	At               time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e NotificationSent) Evolve(n *Notification) {
	*n = Notification{Outcome: Sent, Message: e.Message, Attempts: e.Attempts}
}

// NotificationFailed records that the message was given up.
type NotificationFailed struct {
	Message
	RecipientDigests []string  `json:"recipientDigests,omitempty"`
	Reason           string    `json:"reason"`
	Attempts         int       `json:"attempts"`
	At               time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e NotificationFailed) Evolve(n *Notification) {
	*n = Notification{Outcome: Failed, Message: e.Message, Attempts: e.Attempts, Reason: e.Reason}
}

// NotificationSuppressed records that the message was left out on purpose.
type NotificationSuppressed struct {
	Message
	Why string    `json:"why"`
	At  time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e NotificationSuppressed) Evolve(n *Notification) {
	*n = Notification{Outcome: Suppressed, Message: e.Message, Reason: e.Why}
}
