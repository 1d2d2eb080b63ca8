package collection

import (
	"time"

	"konto/domain"
)

// CoverByInvoice ends the case because the balance goes on the customer's next
// invoice (rule C10). Where the rules say that a balance is paid before the way
// of paying changes, nobody sends it.
//
// While the gateway is asked to charge a card, nobody knows whether anything is
// owed: the cover waits for the answer. Only [AccountRecovered] with
// [ByInvoiceSwitch] says that the balance is to be put on an invoice; if the
// card pays, that event never comes, and nothing is paid twice.
type CoverByInvoice struct {
	CaseID string `json:"caseId"` // of the switch
}

// Needs implements [domain.Needer].
func (CoverByInvoice) Needs(m Meta) []domain.Need { return knowingOwn(m) }

// CoverDeferred records that the balance goes on the next invoice unless the
// charge that the gateway was asked for is paid.
type CoverDeferred struct {
	SubscriptionID string    `json:"subscriptionId"`
	CaseID         string    `json:"caseId"`    // of the switch
	RequestID      string    `json:"requestId"` // that is not answered
	Until          time.Time `json:"until"`     // when it lapses
	At             time.Time `json:"at"`
}

// Evolve implements [domain.Event]. Others may have a copy of the request.
func (e CoverDeferred) Evolve(i *Invoice) {
	if a := i.Case.Asked; a != nil && a.RequestID == e.RequestID {
		covered := *a
		covered.Cover = e.CaseID
		i.Case.Asked = &covered
	}
}

// Decide implements [domain.Command]. A disputed balance stays where it is.
func (c CoverByInvoice) Decide(i Invoice, m Meta) ([]Event, error) {
	t := &turn{i: i, m: m}
	a := i.Case.Asked
	switch {
	case !t.payable() || i.Case.Disputed || t.covered():
	case a != nil:
		t.then(CoverDeferred{i.SubscriptionID, c.CaseID, a.RequestID, a.Until, m.At})
	default:
		t.recover(ByInvoiceSwitch, "", true)
	}
	return t.events, nil
}

// covered reports whether the balance goes on the next invoice as soon as the
// request that the gateway has not answered comes to nothing.
func (t *turn) covered() bool { return t.i.Case.Asked != nil && t.i.Case.Asked.Cover != "" }
