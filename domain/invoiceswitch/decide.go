package invoiceswitch

import (
	"slices"
	"time"

	"konto/domain"
)

// RecordSupportCase notes under which reference billing support handles the case.
type RecordSupportCase struct {
	CaseRef string `json:"caseRef"`
}

// SupportCaseRecorded records billing support's reference.
type SupportCaseRecorded struct {
	CaseRef string `json:"caseRef"`
	By      string `json:"by"`
}

// Evolve implements [domain.Event].
func (e SupportCaseRecorded) Evolve(c *Case) { c.CaseRef = e.CaseRef }

// Decide implements [domain.Command].
func (c RecordSupportCase) Decide(s Case, m Meta) ([]Event, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	switch {
	case !reference(c.CaseRef):
		return nil, ErrField.At("/caseRef")
	case s.CaseRef == c.CaseRef:
		return nil, nil
	}
	return []Event{SupportCaseRecorded{c.CaseRef, m.Actor.ID}}, nil
}

func reference(s string) bool {
	return !domain.Blank(s) && domain.Line(s, 50)
}

// RecordCreditCheck records what the credit check said. A later one counts.
type RecordCreditCheck struct {
	Passed    bool   `json:"passed"`
	Reference string `json:"reference"` // of whoever did it
}

// CreditCheckRecorded records what the credit check said.
type CreditCheckRecorded struct {
	Passed    bool      `json:"passed"`
	Reference string    `json:"reference"`
	By        string    `json:"by"`
	At        time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e CreditCheckRecorded) Evolve(c *Case) {
	c.Credit = "failed"
	if e.Passed {
		c.Credit = "passed"
	}
}

// Needs implements [domain.Needer].
func (RecordCreditCheck) Needs(m Meta) []domain.Need { return []domain.Need{Policy.Need()} }

// Decide implements [domain.Command].
func (c RecordCreditCheck) Decide(s Case, m Meta) ([]Event, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	if !reference(c.Reference) {
		return nil, ErrField.At("/reference")
	}
	e := CreditCheckRecorded{c.Passed, c.Reference, m.Actor.ID, m.At}
	e.Evolve(&s)
	events := []Event{e}
	if s.Evaluated {
		judged, _ := s.judge(m, s.CustomerSince, s.Unpaid)
		events = append(events, judged...)
	}
	return events, nil
}

// ApproveSwitchToInvoice lets the subscription be paid by invoice. The table
// of roles lets billing support alone send it.
type ApproveSwitchToInvoice struct {
	Note string `json:"note,omitzero"` // for the customer
}

// InvoiceSwitchApproved records that the subscription may be paid by invoice.
type InvoiceSwitchApproved struct {
	SubscriptionID string    `json:"subscriptionId"`
	PONumber       string    `json:"poNumber,omitzero"`
	By             string    `json:"by"` // a supporter's ID, or "policy"
	CaseRef        string    `json:"caseRef,omitzero"`
	RequestedBy    string    `json:"requestedBy"`
	CoversBalance  bool      `json:"coversBalance,omitzero"` // what is owed goes on the next invoice
	At             time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e InvoiceSwitchApproved) Evolve(c *Case) { c.Status = Approved }

// Needs implements [domain.Needer].
func (ApproveSwitchToInvoice) Needs(m Meta) []domain.Need { return own(m) }

// Decide implements [domain.Command]. The conditions are judged by the rules
// in force now and by what is known now, since days may have passed.
func (c ApproveSwitchToInvoice) Decide(s Case, m Meta) ([]Event, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	sub := domain.Fact[Subscription](m, s.SubscriptionID)
	switch {
	case !domain.Text(c.Note, 500):
		return nil, ErrField.At("/note")
	case sub.Invoiced:
		return nil, ErrInvoiced.At("")
	case sub.Ended:
		return nil, ErrEnded.At("")
	case s.CaseRef == "":
		return nil, ErrCaseRef
	case !s.Evaluated:
		return nil, ErrNotEvaluated
	}
	events, now := s.judge(m, s.CustomerSince, s.Unpaid)
	wrong := failed(now.Checks)
	switch {
	case slices.Contains(wrong, CheckBalance):
		return nil, ErrBalance.With("invoices", slices.Clone(s.Unpaid))
	case len(wrong) == 1 && wrong[0] == CheckCredit:
		return nil, ErrCreditCheck.With("due", s.CreditDue)
	case len(wrong) > 0:
		return nil, ErrNotEligible.With("failed", wrong)
	}
	return append(events, approved(now, m.Actor.ID, m)), nil
}

func approved(c Case, by string, m Meta) InvoiceSwitchApproved {
	return InvoiceSwitchApproved{
		SubscriptionID: c.SubscriptionID, PONumber: c.PONumber, By: by, CaseRef: c.CaseRef, RequestedBy: c.RequestedBy,
		CoversBalance: Policy.In(m).Balance == NextOne, At: m.At,
	}
}

// DenySwitchToInvoice refuses the wish.
type DenySwitchToInvoice struct {
	Why string `json:"why"` // one of the conditions, such as [CheckCredit], or [WhyOther]
}

// The reasons that are no condition. The last two are given by nobody: the case
// has come to nothing.
const (
	WhyOther    = "other"
	WhyEnded    = "subscription-ended" // there is nothing to pay for any more
	WhyInvoiced = "paid-by-invoice"    // another case has brought that about
)

// InvoiceSwitchDenied records that the wish was refused.
type InvoiceSwitchDenied struct {
	SubscriptionID string    `json:"subscriptionId"`
	Why            string    `json:"why"`
	By             string    `json:"by"` // a supporter's ID, or "policy"
	RequestedBy    string    `json:"requestedBy"`
	At             time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e InvoiceSwitchDenied) Evolve(c *Case) { c.Status = Denied }

// Decide implements [domain.Command].
func (c DenySwitchToInvoice) Decide(s Case, m Meta) ([]Event, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{CheckAge, CheckCost, CheckBalance, CheckCredit, WhyOther}, c.Why) {
		return nil, ErrField.At("/why")
	}
	return []Event{InvoiceSwitchDenied{s.SubscriptionID, c.Why, m.Actor.ID, s.RequestedBy, m.At}}, nil
}

// nothing ends a case that has come to nothing.
func (c Case) nothing(why string, m Meta) []Event {
	return []Event{InvoiceSwitchDenied{c.SubscriptionID, why, byPolicy, c.RequestedBy, m.At}}
}

// byPolicy is who decides where the rules leave nothing to decide.
const byPolicy = "policy"

// ConfirmSwitchApplied notes that the subscription is paid by invoice now, be it
// because of this case or of another.
type ConfirmSwitchApplied struct{}

// InvoiceSwitchApplied records that the subscription is paid by invoice.
type InvoiceSwitchApplied struct {
	SubscriptionID string    `json:"subscriptionId"`
	RequestedBy    string    `json:"requestedBy"`
	At             time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e InvoiceSwitchApplied) Evolve(c *Case) { c.Status = Applied }

// Decide implements [domain.Command].
func (ConfirmSwitchApplied) Decide(s Case, m Meta) ([]Event, error) {
	switch s.Status {
	case Approved:
		return []Event{InvoiceSwitchApplied{s.SubscriptionID, s.RequestedBy, m.At}}, nil
	case Requested:
		return s.nothing(WhyInvoiced, m), nil
	case Denied, Applied:
	}
	return nil, nil
}
