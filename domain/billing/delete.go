package billing

import "time"

// DeleteSubscription notes that the data of a subscription that was cancelled
// then is gone. One that was taken back since stays.
type DeleteSubscription struct {
	CancelledAt time.Time `json:"cancelledAt"`
}

// SubscriptionDeleted records that nothing is left of a subscription but its
// history. Released are the cards that it was on: they are free.
type SubscriptionDeleted struct {
	Released []string  `json:"released,omitempty"` // card IDs, the primary card's first
	At       time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e SubscriptionDeleted) Evolve(s *Subscription) {
	s.Deleted, s.Primary, s.Backups = true, "", nil
}

// Decide implements [domain.Command].
func (c DeleteSubscription) Decide(s Subscription, m Meta) ([]Event, error) {
	switch {
	case !s.Exists():
		return nil, ErrNotFound
	case s.Deleted || s.CancelledAt.IsZero() || !s.CancelledAt.Equal(c.CancelledAt) || m.At.Before(s.DataUntil):
		return nil, nil
	}
	return []Event{SubscriptionDeleted{s.cards(), m.At}}, nil
}
