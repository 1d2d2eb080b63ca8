package invoiceswitch

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"konto/domain"
	"konto/domain/postal"
)

// Reason is why somebody wants to pay by invoice.
type Reason string

// The reasons.
const (
	AmountRises  Reason = "amount-rises"    // a card is no longer practical
	CardOutdated Reason = "card-not-needed" // the first reason for a card no longer holds
)

// RequestSwitchToInvoice asks to pay a subscription by invoice. Billing support
// may ask for a customer who has called; the case is the customer's all the
// same, since it belongs to whoever owns the subscription.
type RequestSwitchToInvoice struct {
	SubscriptionID string         `json:"subscriptionId"`
	Reason         Reason         `json:"reason"`
	AmountMinor    int64          `json:"amountMinor"` // expected in a month
	Currency       string         `json:"currency"`
	PONumber       string         `json:"poNumber,omitzero"` // printed on the invoice
	Name           string         `json:"name"`
	Phone          string         `json:"phone"`
	Address        postal.Address `json:"address"`
	Confirmed      bool           `json:"confirmed,omitzero"` // the address is meant as it is
	CaseRef        string         `json:"caseRef,omitzero"`   // of billing support, if they were called
	// RequestedBy is the customer's admin who called billing support; without
	// one, whoever bought the subscription. Nobody else asks for others.
	RequestedBy string `json:"requestedBy,omitzero"`
}

// Concern implements [domain.Concerner].
func (c RequestSwitchToInvoice) Concern() domain.Concern {
	return domain.Concern{Fact: domain.Of[Subscription](c.SubscriptionID), None: ErrSubscription}
}

// Needs implements [domain.Needer].
func (c RequestSwitchToInvoice) Needs(m Meta) []domain.Need {
	sub := domain.Of[Subscription](c.SubscriptionID)
	needs := []domain.Need{
		Policy.Need(), sub, c.Address.Need(), domain.Of[Currency](c.Currency), domain.Of[PhoneNumber](c.phoneKey()),
	}
	if !m.Facts.Has(sub) {
		return needs
	}
	needs = append(needs, domain.Of[Buyer](domain.Fact[Subscription](m, c.SubscriptionID).BoughtBy))
	if asker, opener := c.people(m); opener != "" {
		needs = append(needs, domain.Of[Asker](asker))
	}
	return needs
}

// people returns who asks, and who of billing support opens the case for them,
// if they do not do that themselves. Billing support's own organization is a
// customer like others: its admins ask for themselves, and its supporters do not.
func (c RequestSwitchToInvoice) people(m Meta) (asker, opener string) {
	admin := !m.Actor.Has(domain.BillingSupport) ||
		m.Actor.Has(domain.GlobalAdmin, domain.BillingAdmin, domain.ProfileOwner, domain.ProfileContributor)
	if m.Actor.Tenant == m.Tenant && admin {
		return m.Actor.ID, ""
	}
	return cmp.Or(c.RequestedBy, domain.Fact[Subscription](m, c.SubscriptionID).BoughtBy), m.Actor.ID
}

// phoneKey is the key of the phone number: it is read in the address's country.
func (c RequestSwitchToInvoice) phoneKey() string { return c.Address.Country + " " + c.Phone }

// InvoiceSwitchRequested records the wish.
type InvoiceSwitchRequested struct {
	SubscriptionID string                   `json:"subscriptionId"`
	Reason         Reason                   `json:"reason"`
	AmountMinor    int64                    `json:"amountMinor"`
	Currency       string                   `json:"currency"`
	Country        string                   `json:"country"`
	PONumber       string                   `json:"poNumber,omitzero"`
	Contact        domain.Personal[Contact] `json:"contact"`
	AddressCheck   postal.Checked           `json:"addressCheck,omitzero"` // how far it was checked
	PhoneData      string                   `json:"phoneData,omitzero"`    // which numbering plans the contact's phone was read by
	CaseRef        string                   `json:"caseRef,omitzero"`
	CreditDue      time.Time                `json:"creditDue,omitzero"` // when the credit check is due; zero for none
	By             string                   `json:"by"`                 // the customer's admin who asks
	OpenedBy       string                   `json:"openedBy,omitzero"`  // of billing support, for an admin who called
	At             time.Time                `json:"at"`
}

// Evolve implements [domain.Event].
func (e InvoiceSwitchRequested) Evolve(c *Case) {
	*c = Case{
		Status: Requested, SubscriptionID: e.SubscriptionID, RequestedBy: e.By, RequestedAt: e.At, Reason: e.Reason,
		AmountMinor: e.AmountMinor, Currency: e.Currency, Country: e.Country, PONumber: e.PONumber, Contact: e.Contact,
		CaseRef: e.CaseRef, CreditDue: e.CreditDue, OpenedBy: e.OpenedBy,
	}
	c.AddressCheck, c.PhoneData = e.AddressCheck, e.PhoneData
}

// Decide implements [domain.Command].
func (c RequestSwitchToInvoice) Decide(s Case, m Meta) ([]Event, error) {
	terms, sub := Policy.In(m), domain.Fact[Subscription](m, c.SubscriptionID)
	asker, opener := c.people(m)
	switch {
	case s.Exists() && s.SubscriptionID == c.SubscriptionID && s.RequestedBy == asker && s.AmountMinor == c.AmountMinor:
		return nil, nil
	case s.Exists():
		return nil, ErrExists
	case terms.StartedBy == ByPhone && c.CaseRef == "" && opener == "":
		return nil, ErrPhoneOnly
	case !sub.Exists || domain.Fact[Buyer](m, sub.BoughtBy).Tenant != m.Tenant:
		return nil, ErrSubscription // another tenant's is as good as none
	case sub.Invoiced:
		return nil, ErrInvoiced
	case sub.Ended:
		return nil, ErrEnded
	case opener == "" && c.RequestedBy != "" && c.RequestedBy != asker:
		return nil, ErrForOthers
	case opener != "" && !domain.Fact[Asker](m, asker).may(m.Tenant):
		return nil, ErrAsker
	}
	checked, errs := c.Address.Keep(m, "/address", c.Confirmed)
	if err := domain.All(append(c.check(m), errs...)...); err != nil {
		return nil, err
	}
	number := domain.Fact[PhoneNumber](m, c.phoneKey())
	e := InvoiceSwitchRequested{
		SubscriptionID: c.SubscriptionID, Reason: c.Reason, AmountMinor: c.AmountMinor, Currency: c.Currency, Country: c.Address.Country,
		PONumber: c.PONumber, Contact: domain.About(asker, Contact{c.Name, number.Number, c.Address}), AddressCheck: checked,
		PhoneData: number.Data,
		CaseRef:   c.CaseRef, By: asker, OpenedBy: opener, At: m.At,
	}
	if terms.CreditCheck {
		e.CreditDue = businessDays(m.At, terms.CreditDays)
	}
	return []Event{e}, nil
}

// businessDays returns the time n days on that are neither Saturday nor
// Sunday. Holidays differ by place; the credit check only takes about so long.
func businessDays(from time.Time, n int) time.Time {
	for n > 0 {
		from = from.AddDate(0, 0, 1)
		if d := from.Weekday(); d != time.Saturday && d != time.Sunday {
			n--
		}
	}
	return from
}

func (c RequestSwitchToInvoice) check(m Meta) []*domain.Error {
	var errs []*domain.Error
	refuse := func(bad bool, pointer, format string, args ...any) {
		if bad {
			e := *ErrField
			e.Detail, e.Pointer = fmt.Sprintf(format, args...), pointer
			errs = append(errs, &e)
		}
	}
	reasons := []Reason{AmountRises, CardOutdated}
	refuse(!slices.Contains(reasons, c.Reason), "/reason", "it must be one of %v", reasons)
	refuse(c.AmountMinor <= 0, "/amountMinor", "it must be more than nothing")
	refuse(!domain.Fact[Currency](m, c.Currency).OK, "/currency", "it must be the ISO 4217 code of money in use, such as SEK")
	refuse(!domain.Line(c.PONumber, 50), "/poNumber", "it must be one line of at most 50 letters")
	refuse(domain.Blank(c.Name) || !domain.Line(c.Name, 200), "/name", "it must be one line of 1-200 letters")
	refuse(!domain.Fact[PhoneNumber](m, c.phoneKey()).OK, "/phone", "it must be a phone number that can be called")
	refuse(!domain.Line(c.CaseRef, 50), "/caseRef", "it must be one line of at most 50 letters")
	return errs
}

// RequestSwitchToCard asks for the way back, and is always told the way there
// is: nothing changes a subscription on invoice back to a card.
type RequestSwitchToCard struct{}

// Decide implements [domain.Command].
func (RequestSwitchToCard) Decide(s Case, _ Meta) ([]Event, error) {
	if !s.Exists() {
		return nil, ErrNotFound
	}
	return nil, ErrBackToCard.With("subscription", s.SubscriptionID)
}
