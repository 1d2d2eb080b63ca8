package billing

import (
	"time"

	"konto/domain"
	"konto/domain/postal"
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
	// CaseID is the case in which it was approved. To whom the invoices go is
	// there, since a person's address is not written where processes remember.
	CaseID string `json:"caseId,omitzero"`
}

// Needs implements [domain.Needer].
func (c ChangePaymentMethodKind) Needs(Meta) []domain.Need {
	if c.CaseID == "" {
		return nil
	}
	return []domain.Need{domain.Of[Recipient](c.CaseID)}
}

// Recipient is the fact of to whom the invoices of a subscription are to go.
// Its key is the ID of the case in which that was asked for. It is zero if
// that cannot be read any more.
type Recipient struct {
	BillTo BillTo
	Check  postal.Checked // how far the address was checked then
	// PhoneData says which numbering plans the phone was read by.
	PhoneData string
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

func (c ChangePaymentMethodKind) recipient(m Meta) Recipient {
	if c.CaseID == "" {
		return Recipient{}
	}
	return domain.Fact[Recipient](m, c.CaseID)
}

// Decide implements [domain.Command]. There is no way back: who wants to pay
// by card again takes out a new subscription. The card's billing address goes
// with the card, so the one for the invoice comes with the switch (rule S9).
func (c ChangePaymentMethodKind) Decide(s Subscription, m Meta) ([]Event, error) {
	if err := s.running(); err != nil {
		return nil, err
	}
	switch {
	case c.Kind != KindCard && c.Kind != KindInvoice:
		return nil, ErrKind
	case !domain.Line(c.PONumber, 50):
		return nil, ErrPONumber
	case c.Kind == s.Kind() && c.PONumber == s.PONumber:
		return nil, nil
	case c.Kind == KindCard:
		return nil, ErrBackToCard
	}
	events := []Event{PaymentMethodKindChanged{s.Kind(), c.Kind, c.PONumber, s.cards(), m.At}}
	if to := c.recipient(m); to != (Recipient{}) {
		events = append(events, s.bill(m, to)...)
	}
	return events, nil
}
