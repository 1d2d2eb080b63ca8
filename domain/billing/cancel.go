package billing

import (
	"time"

	"konto/domain"
)

// maxReason is the most letters of why a subscription is cancelled.
const maxReason = 255

// CancelSubscription ends a subscription. Its cards stay on it, so that it
// can be taken back, until its data is gone.
type CancelSubscription struct {
	Reason string `json:"reason,omitzero"`
	// CustomDomainRemoved says that the organization's own domains, if it has
	// some, are off the subscription.
	CustomDomainRemoved bool `json:"customDomainRemoved,omitzero"`
}

// Needs implements [domain.Needer].
func (c CancelSubscription) Needs(m Meta) []domain.Need {
	return []domain.Need{CancelPolicy.Need(), domain.Of[Organization](m.Tenant)}
}

// Cautions implements [domain.Cautioner].
func (CancelSubscription) Cautions() []domain.Caution {
	return []domain.Caution{{
		Code:   "credit-next-cycle",
		Detail: "days that are paid for and not used are credited in proportion in the next billing cycle, not paid back at once",
	}}
}

// SubscriptionCancellationRequested records who wanted to be rid of the
// subscription, and why.
type SubscriptionCancellationRequested struct {
	Reason              domain.Personal[string] `json:"reason,omitzero"`
	By                  string                  `json:"by"`
	Licences            int                     `json:"licences,omitzero"` // assigned at the time
	CustomDomainRemoved bool                    `json:"customDomainRemoved,omitzero"`
	At                  time.Time               `json:"at"`
}

// Evolve implements [domain.Event].
func (e SubscriptionCancellationRequested) Evolve(*Subscription) {}

// SubscriptionCanceled records that the subscription is disabled: its users
// are out, and the admins keep access for a while.
type SubscriptionCanceled struct {
	At               time.Time `json:"at"`
	AdminAccessUntil time.Time `json:"adminAccessUntil"`
	DataUntil        time.Time `json:"dataUntil"`
	// UnpaidInvoice is the invoice for which nobody paid in time, if that is
	// why. Then there is no way back.
	UnpaidInvoice string `json:"unpaidInvoice,omitzero"`
	// Credit is what becomes of the days that are paid for and not used:
	// [NextCycle], or empty where nothing is owed.
	Credit Credit `json:"credit,omitzero"`
}

// Credit is what becomes of days that are paid for and not used.
type Credit string

// NextCycle is a credit in proportion to these days, on the next bill. How
// much it is, is the biller's business.
const NextCycle Credit = "next-cycle"

// Evolve implements [domain.Event].
func (e SubscriptionCanceled) Evolve(s *Subscription) {
	s.CancelledAt, s.AdminAccessUntil, s.DataUntil, s.UnpaidInvoice = e.At, e.AdminAccessUntil, e.DataUntil, e.UnpaidInvoice
}

// Decide implements [domain.Command].
func (c CancelSubscription) Decide(s Subscription, m Meta) ([]Event, error) {
	switch {
	case !s.Exists():
		return nil, ErrNotFound
	case s.Deleted:
		return nil, ErrDeleted
	case !s.CancelledAt.IsZero():
		return nil, nil
	}
	terms := CancelPolicy.In(m)
	if err := c.check(s, m, terms); err != nil {
		return nil, err
	}
	asked := SubscriptionCancellationRequested{
		By: m.Actor.ID, Licences: s.Licences, CustomDomainRemoved: c.CustomDomainRemoved, At: m.At,
	}
	if c.Reason != "" {
		asked.Reason = domain.About(m.Actor.ID, c.Reason)
	}
	return []Event{asked, SubscriptionCanceled{
		At: m.At, AdminAccessUntil: m.At.AddDate(0, 0, terms.AdminAccessDays), DataUntil: m.At.AddDate(0, 0, terms.DataDays),
		Credit: NextCycle,
	}}, nil
}

func (c CancelSubscription) check(s Subscription, m Meta, terms CancelTerms) error {
	domains := domain.Fact[Organization](m, m.Tenant).CustomDomains
	switch {
	case domain.Blank(c.Reason) || !domain.Line(c.Reason, maxReason):
		return ErrReason
	case tooMany(m, s.Licences) != nil:
		return tooMany(m, s.Licences)
	case terms.CustomDomainFirst && len(domains) > 0 && !c.CustomDomainRemoved:
		return ErrCustomDomain.With("domains", append([]string{}, domains...))
	}
	return nil
}

// Size is the fact of how large a subscription is that can be cancelled. Its
// key is the subscription's ID.
type Size struct {
	Licences int // assigned; 0 also if there is nothing to cancel
}

// SizeOf returns the size of a subscription.
func SizeOf(_ string, s Subscription) Size {
	if s.Deleted || !s.CancelledAt.IsZero() {
		return Size{}
	}
	return Size{s.Licences}
}

// CancelNeeds is what [TooLarge] asks for.
func CancelNeeds(m Meta) []domain.Need {
	return []domain.Need{domain.Of[Size](m.ID), CancelPolicy.Need()}
}

// TooLarge returns why the actor may not cancel the subscription that m is
// about, however they say it, or nil: what is large is for billing support.
func TooLarge(m Meta) *domain.Error { return tooMany(m, domain.Fact[Size](m, m.ID).Licences) }

// tooMany is rule C11: few licences are cancelled by the customer's admins.
func tooMany(m Meta, licences int) *domain.Error {
	below := CancelPolicy.In(m).SelfServiceBelowLicences
	if licences < below || m.Actor.Has(domain.BillingSupport) {
		return nil
	}
	return ErrTooManyLicences.With("licences", licences).With("selfServiceBelow", below)
}
