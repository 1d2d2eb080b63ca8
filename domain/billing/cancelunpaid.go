package billing

import "time"

// CancelUnpaidSubscription ends a subscription whose service was suspended
// because nobody paid, and whose time to pay is over (rules C9, D1). A process
// sends it when the invoice's case is closed. Neither licences nor domains
// stand in its way, since its users are out already; and its dates are those
// that were told when the service was suspended.
type CancelUnpaidSubscription struct {
	InvoiceID string    `json:"invoiceId"` // whose case was closed
	DataUntil time.Time `json:"dataUntil"` // when the data is gone
}

// Decide implements [domain.Command]. Of a subscription that an admin has
// cancelled before, it ends the time in which it can be taken back, and keeps
// the data for as long as was said.
func (c CancelUnpaidSubscription) Decide(s Subscription, m Meta) ([]Event, error) {
	switch {
	case !s.Exists():
		return nil, ErrNotFound
	case s.Deleted || s.UnpaidInvoice != "":
		return nil, nil
	}
	e := SubscriptionCanceled{At: m.At, AdminAccessUntil: m.At, DataUntil: c.DataUntil.UTC(), UnpaidInvoice: c.InvoiceID}
	if !s.CancelledAt.IsZero() {
		e.At = s.CancelledAt
		if s.AdminAccessUntil.Before(e.AdminAccessUntil) {
			e.AdminAccessUntil = s.AdminAccessUntil
		}
	}
	if e.DataUntil.Before(s.DataUntil) {
		e.DataUntil = s.DataUntil
	}
	return []Event{e}, nil
}
