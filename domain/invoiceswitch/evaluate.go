package invoiceswitch

import (
	"slices"
	"time"

	"konto/domain"
)

// Check is one condition.
type Check struct {
	Name   string `json:"name"` // one of the constants, such as [CheckAge]
	Passed bool   `json:"passed"`
}

// The conditions.
const (
	CheckAge     = "customer-age"
	CheckCost    = "cost"
	CheckBalance = "balance"
	CheckCredit  = "credit-check"
)

// EvaluateEligibility judges the case by what is known now. A process sends it
// when the case is opened, whenever the subscription's debts change, and when
// the subscription ends.
type EvaluateEligibility struct {
	CustomerSince time.Time `json:"customerSince,omitzero"`
	Unpaid        []string  `json:"unpaid,omitempty"` // invoices
}

// EligibilityEvaluated records how the conditions are met.
type EligibilityEvaluated struct {
	Checks        []Check   `json:"checks"`
	Unpaid        []string  `json:"unpaid,omitempty"`
	CustomerSince time.Time `json:"customerSince,omitzero"`
	At            time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e EligibilityEvaluated) Evolve(c *Case) {
	c.Evaluated, c.Checks, c.Unpaid, c.CustomerSince = true, e.Checks, e.Unpaid, e.CustomerSince
}

// Needs implements [domain.Needer].
func (EvaluateEligibility) Needs(m Meta) []domain.Need { return own(m) }

// Own is the fact of which subscription a case is about. Its key is the case's ID.
type Own struct{ SubscriptionID string }

// OwnOf is the view of a case that [Own] is.
func OwnOf(_ string, c Case) Own { return Own{c.SubscriptionID} }

func own(m Meta) []domain.Need {
	needs := []domain.Need{Policy.Need(), domain.Of[Own](m.ID)}
	if m.Facts.Has(needs[1]) {
		needs = append(needs, domain.Of[Subscription](domain.Fact[Own](m, m.ID).SubscriptionID))
	}
	return needs
}

// Decide implements [domain.Command]. Where the rules leave large orders to
// the customer, one that needs no credit check is approved at once.
func (c EvaluateEligibility) Decide(s Case, m Meta) ([]Event, error) {
	if !s.Exists() {
		return nil, ErrNotFound
	}
	sub := domain.Fact[Subscription](m, s.SubscriptionID)
	switch {
	case s.Status == Denied || s.Status == Applied:
		return nil, nil
	case sub.Ended:
		return s.nothing(WhyEnded, m), nil
	case s.Status == Approved:
		return nil, nil
	case sub.Invoiced:
		return s.nothing(WhyInvoiced, m), nil
	}
	since := c.CustomerSince.UTC()
	if r := sub.RegisteredAt; since.IsZero() || !r.IsZero() && r.Before(since) {
		since = r
	}
	events, now := s.judge(m, since, c.Unpaid)
	terms := Policy.In(m)
	if terms.SelfServiceMinor > 0 && s.AmountMinor >= terms.SelfServiceMinor && !terms.CreditCheck && failed(now.Checks) == nil {
		events = append(events, approved(now, byPolicy, m))
	}
	return events, nil
}

// judge returns the event that says how the conditions are met, if that has
// changed, and the case as it leaves it.
func (c Case) judge(m Meta, since time.Time, unpaid []string) ([]Event, Case) {
	terms := Policy.In(m)
	e := EligibilityEvaluated{
		Checks: []Check{
			{CheckAge, terms.CustomerMonths == 0 || !since.IsZero() && !m.At.Before(since.AddDate(0, terms.CustomerMonths, 0))},
			{CheckCost, c.AmountMinor >= terms.threshold(c.Country, c.Currency)},
			{CheckBalance, terms.Balance == NextOne || len(unpaid) == 0},
			{CheckCredit, !terms.CreditCheck || c.Credit == "passed"},
		},
		CustomerSince: since, At: m.At,
	}
	if len(unpaid) > 0 {
		e.Unpaid = slices.Clone(unpaid)
	}
	if c.Evaluated && slices.Equal(c.Checks, e.Checks) && slices.Equal(c.Unpaid, e.Unpaid) {
		return nil, c
	}
	e.Evolve(&c)
	return []Event{e}, c
}

// failed returns the names of the conditions that are not met.
func failed(checks []Check) (names []string) {
	for _, c := range checks {
		if !c.Passed {
			names = append(names, c.Name)
		}
	}
	return names
}
