package billing

import "time"

// ReactivateSubscription takes a cancelled subscription back, while its admins
// have access to it.
type ReactivateSubscription struct{}

// SubscriptionReactivated records that the subscription runs again, with the
// cards that it had.
type SubscriptionReactivated struct {
	By          string    `json:"by"`
	CancelledAt time.Time `json:"cancelledAt"`
	At          time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e SubscriptionReactivated) Evolve(s *Subscription) {
	s.CancelledAt, s.AdminAccessUntil, s.DataUntil = time.Time{}, time.Time{}, time.Time{}
	s.UnpaidInvoice = ""
}

// Decide implements [domain.Command].
func (c ReactivateSubscription) Decide(s Subscription, m Meta) ([]Event, error) {
	switch {
	case !s.Exists():
		return nil, ErrNotFound
	case s.Deleted:
		return nil, ErrDeleted
	case s.CancelledAt.IsZero():
		return nil, nil
	case !m.At.Before(s.AdminAccessUntil):
		return nil, ErrWindowOver.With("adminAccessUntil", s.AdminAccessUntil)
	}
	return []Event{SubscriptionReactivated{m.Actor.ID, s.CancelledAt, m.At}}, nil
}
