package billing

import "time"

// DeleteSubscription notes that the data of a subscription that was cancelled
// is gone. It names the cancellation that it is for, by its time or by the
// invoice for which nobody paid: one that was taken back since stays.
type DeleteSubscription struct {
	CancelledAt   time.Time `json:"cancelledAt,omitzero"`
	UnpaidInvoice string    `json:"unpaidInvoice,omitzero"`
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
	case s.Deleted || s.CancelledAt.IsZero() || !c.meant(s) || m.At.Before(s.DataUntil):
		return nil, nil
	}
	return []Event{SubscriptionDeleted{s.cards(), m.At}}, nil
}

func (c DeleteSubscription) meant(s Subscription) bool {
	if c.UnpaidInvoice != "" {
		return s.UnpaidInvoice == c.UnpaidInvoice
	}
	return s.CancelledAt.Equal(c.CancelledAt)
}
