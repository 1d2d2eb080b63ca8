package invoiceswitch

import (
	"errors"
	"fmt"

	"konto/domain"
)

// Who may start a case.
const (
	ByAdmin   = "admin" // an admin of the customer
	ByPhone   = "phone" // an admin who has called billing support
	PayFirst  = "pay"   // what is owed is paid before
	NextOne   = "next"  // what is owed goes on the next invoice
	minMonths = 0
	maxMonths = 120
)

// Terms are the conditions for paying by invoice (rule C10).
type Terms struct {
	StartedBy string `json:"startedBy"` // [ByAdmin] or [ByPhone]
	// CustomerMonths is how long the customer must have been one, 0-120.
	CustomerMonths int `json:"customerMonths"`
	// Thresholds are what a month must cost at least, by where the invoice
	// goes and in what currency. Where none is named, nothing is asked.
	Thresholds []Threshold `json:"thresholds"`
	// CreditCheck says that a credit check must have passed.
	CreditCheck bool `json:"creditCheck"`
	// CreditDays is how many business days a credit check takes, 0-30.
	CreditDays int `json:"creditDays"`
	// Balance says what becomes of what is owed: [PayFirst] or [NextOne].
	Balance string `json:"balance"`
	// SelfServiceMinor is the monthly amount from which no support is needed,
	// in the currency's smallest unit; 0 for never.
	SelfServiceMinor int64 `json:"selfServiceMinor"`
}

// Threshold is what a month must cost at least.
type Threshold struct {
	Country     string `json:"country"`  // ISO 3166-1 alpha-2; empty for any other
	Currency    string `json:"currency"` // ISO 4217
	AmountMinor int64  `json:"amountMinor"`
}

// Policy is the conditions. Version 1 is the latest public form of the rule
// (Microsoft 365, "pay for your subscription", January 2025): six months a
// customer, no balance, a credit check of about two business days, and a cost
// above a threshold for the location. The page gives no amounts; those here
// are proposed.
var Policy = domain.Policy[Terms]{Name: "card-to-invoice", First: Terms{
	StartedBy: ByAdmin, CustomerMonths: 6, CreditCheck: true, CreditDays: 2, Balance: PayFirst,
	Thresholds: []Threshold{{"", "SEK", 500000}, {"", "DKK", 350000}, {"", "EUR", 50000}, {"", "GBP", 40000}, {"", "USD", 50000}},
}}

// PhoneOnly is the rule of the oldest page: only billing support can do it, by
// phone. What it asks besides is theirs to know.
func PhoneOnly() Terms {
	return Terms{StartedBy: ByPhone, Balance: NextOne, Thresholds: []Threshold{}}
}

// LargeOrders is the rule of 2020 ("change payment method"): self-service if
// the order is large enough and needs no credit check, else support; what is
// owed goes on the next invoice. The amount is proposed.
func LargeOrders() Terms {
	return Terms{StartedBy: ByAdmin, Balance: NextOne, Thresholds: []Threshold{}, SelfServiceMinor: 1000000}
}

// Validate says what is wrong with the values, for people.
func (t Terms) Validate() error {
	var errs []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(t.StartedBy != ByAdmin && t.StartedBy != ByPhone, "startedBy must be %s or %s", ByAdmin, ByPhone)
	wrong(t.CustomerMonths < minMonths || t.CustomerMonths > maxMonths, "customerMonths must be %d-%d", minMonths, maxMonths)
	wrong(t.CreditDays < 0 || t.CreditDays > 30, "creditDays must be 0-30")
	wrong(t.Balance != PayFirst && t.Balance != NextOne, "balance must be %s or %s", PayFirst, NextOne)
	wrong(t.SelfServiceMinor < 0, "selfServiceMinor must not be negative")
	for _, h := range t.Thresholds {
		wrong(len(h.Currency) != 3 || h.AmountMinor <= 0 || h.Country != "" && len(h.Country) != 2,
			"a threshold has a currency, an amount and perhaps a country, not %+v", h)
	}
	return errors.Join(errs...)
}

// threshold returns what a month must cost at least, or 0 for nothing.
func (t Terms) threshold(country, currency string) int64 {
	var other int64
	for _, h := range t.Thresholds {
		switch {
		case h.Currency != currency:
		case h.Country == country:
			return h.AmountMinor
		case h.Country == "":
			other = h.AmountMinor
		}
	}
	return other
}
