package card

import (
	"time"

	"konto/domain"
)

// The statuses that a gateway reports of a card.
const (
	StatusExpiring     = "expiring"
	StatusExpired      = "expired"
	StatusReportedLost = "reported-lost" // or stolen
)

// RecordCardStatus records what the gateway says of a card, which may be all
// that is known of it where the expiry may not be kept (rule K5).
type RecordCardStatus struct {
	Status string `json:"status"` // [StatusExpiring], [StatusExpired] or [StatusReportedLost]
	Source string `json:"source"` // who says so, such as "stripe"
}

// Needs implements [domain.Needer].
func (c RecordCardStatus) Needs(m Meta) []domain.Need { return watchNeeds(m) }

// CardReportedLost records that the holder has told the bank that the card is
// lost or stolen. That is between them: show people only that the bank
// accepts the card no more.
type CardReportedLost struct {
	Subscriptions []string  `json:"subscriptions,omitempty"` // that the card is on
	Source        string    `json:"source"`
	At            time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e CardReportedLost) Evolve(c *Card) { c.Blocked = true }

// Decide implements [domain.Command]. What was recorded before is not
// recorded again.
func (c RecordCardStatus) Decide(s Card, m Meta) ([]Event, error) {
	switch {
	case !s.Exists():
		return nil, ErrNotFound
	case s.Removed:
		return nil, ErrRemoved
	}
	if err := domain.All(
		oneOf(c.Status, "/status", StatusExpiring, StatusExpired, StatusReportedLost), word(c.Source, "/source"),
	); err != nil {
		return nil, err
	}
	switch c.Status {
	case StatusReportedLost:
		if s.Blocked {
			return nil, nil
		}
		return []Event{CardReportedLost{s.Subscriptions, c.Source, m.At}}, nil
	case StatusExpired:
		if s.Expired {
			return nil, nil
		}
		return []Event{s.expired(m, c.Source)}, nil
	}
	// A gateway says "expiring" of a card's last month. Without an expiry here,
	// its word is all there is.
	days := 30
	if s.ExpiryKnown() {
		if !m.At.Before(s.ValidUntil()) {
			return nil, nil // our own look is due and says more
		}
		if stage := ExpiryPolicy.In(m).stage(s.ValidUntil(), m.At); stage > 0 {
			days = stage
		}
	}
	if s.Expired || s.WarnedDays > 0 && s.WarnedDays <= days {
		return nil, nil
	}
	return []Event{s.expiring(m, days, c.Source, time.Time{})}, nil
}
