package billing

import (
	"strings"
	"time"
	"unicode"
)

// Kind is how a subscription is paid for.
type Kind string

// The kinds. A subscription begins with a card.
const (
	KindCard    Kind = "card"
	KindInvoice Kind = "invoice"
)

// ChangePaymentMethodKind lets a subscription be paid for by invoice, once
// billing support has approved it (rule C10).
type ChangePaymentMethodKind struct {
	Kind     Kind   `json:"kind"`
	PONumber string `json:"poNumber,omitzero"` // the customer's purchase order, printed on the invoice
}

// PaymentMethodKindChanged records that a subscription is paid for in another
// way from now on. Released are the cards that it was on: they are free.
type PaymentMethodKindChanged struct {
	Old      Kind      `json:"old"`
	New      Kind      `json:"new"`
	PONumber string    `json:"poNumber,omitzero"`
	Released []string  `json:"released,omitempty"` // card IDs, the primary card's first
	At       time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e PaymentMethodKindChanged) Evolve(s *Subscription) {
	s.Invoiced, s.PONumber = e.New == KindInvoice, e.PONumber
	if s.Invoiced {
		s.Primary, s.Backups = "", nil
	}
}

// Decide implements [domain.Command]. There is no way back: who wants to pay
// by card again takes out a new subscription.
func (c ChangePaymentMethodKind) Decide(s Subscription, m Meta) ([]Event, error) {
	if err := s.running(); err != nil {
		return nil, err
	}
	switch {
	case c.Kind != KindCard && c.Kind != KindInvoice:
		return nil, ErrKind
	case len([]rune(c.PONumber)) > 50 || strings.ContainsFunc(c.PONumber, unicode.IsControl):
		return nil, ErrPONumber
	case c.Kind == s.Kind() && c.PONumber == s.PONumber:
		return nil, nil
	case c.Kind == KindCard:
		return nil, ErrBackToCard
	}
	return []Event{PaymentMethodKindChanged{s.Kind(), c.Kind, c.PONumber, s.cards(), m.At}}, nil
}
