package collection

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"konto/domain"
)

// Dunning are the rules by which an unpaid invoice is collected (rules C9,
// D2, D3). A case keeps those that were in force when it was opened; what a
// card network allows is always what it allows now.
type Dunning struct {
	// RetryDays are the days after the first decline on which a card is tried
	// again, rising, each 1-90.
	RetryDays []int `json:"retryDays"`
	// SoonHours are how long after a decline that time alone cures the card is
	// tried again, attempt by attempt, each 1-72.
	SoonHours []int `json:"soonHours"`
	// SoftRetries is how often a card is tried again whose bank gave no
	// reason, 0-8. Public lists disagree whether such a card is worth it.
	SoftRetries int `json:"softRetries"`
	// UnknownRetries is the same for a code that no list has, 0-8.
	UnknownRetries int `json:"unknownRetries"`
	// GraceDays is how long the service goes on unpaid, 1-90.
	GraceDays int `json:"graceDays"`
	// AcceleratedDays is the same if waiting helps nobody, 2-30.
	AcceleratedDays int `json:"acceleratedDays"`
	// Accelerated are the classes of a first decline with which that is so,
	// beside those of fraud and revocation, with which it always is.
	Accelerated []Class `json:"accelerated"`
	// ReminderDays are the days after the first decline on which those are
	// told again for whom no attempt is planned, rising, each 1-90.
	ReminderDays []int `json:"reminderDays"`
	// ChargebackDays is how long the service goes on after a chargeback was
	// accepted, 0-30.
	ChargebackDays int `json:"chargebackDays"`
	// DisabledDays is how long a suspended service can be paid back to life, 1-365.
	DisabledDays int `json:"disabledDays"`
	// DataDays is when the data of a suspended service is gone, 1-365 and not
	// before DisabledDays.
	DataDays int `json:"dataDays"`
	// AnswerHours is how long a gateway has to answer a request, 1-168.
	AnswerHours int `json:"answerHours"`
	// Limits are what networks allow, each named once.
	Limits []Limit `json:"limits"`
	// OtherLimit is what every other network allows; its name is empty.
	OtherLimit Limit `json:"otherLimit"`
}

// Limit is how many attempts on one payment a card network allows in a window
// (rules D3, N14). The first attempt counts as well, so that the limit holds
// however a network counts.
type Limit struct {
	Network  string `json:"network"`  // a card's brand, lower case
	Attempts int    `json:"attempts"` // 1-100
	Days     int    `json:"days"`     // 1-90; the window that ends now
}

// DunningPolicy is the schedule. Version 1 is the schedule that this product
// proposes. Numbers from elsewhere: 15 retries in 30 days is Visa's limit
// (support.stripe.com, "payment blocked due to excessive retries"); 20 in 30
// days is what Recurly allows itself on any network (docs.recurly.com,
// changelog of 4 August 2026); 90 and 180 days are from Microsoft 365's page
// on cancelling a subscription, and 2-30 days from its dunning policies.
var DunningPolicy = domain.Policy[Dunning]{Name: "dunning", First: Dunning{
	RetryDays:       []int{1, 3, 5, 8, 12, 17, 23, 29},
	SoonHours:       []int{1, 6},
	SoftRetries:     2,
	UnknownRetries:  1,
	GraceDays:       30,
	AcceleratedDays: 7,
	Accelerated:     []Class{DataNumber, DataExpiry, IssuerSoft, Capability, HardRevoked, FraudMasked, PIN},
	ReminderDays:    []int{2, 5},
	ChargebackDays:  1,
	DisabledDays:    90,
	DataDays:        180,
	AnswerHours:     24,
	Limits:          []Limit{{"visa", 15, 30}, {"mastercard", 20, 30}, {"amex", 20, 30}},
	OtherLimit:      Limit{"", 20, 30},
}}

// TwoWeeks is the schedule that Stripe proposes: eight attempts in two weeks
// and none after a hard code (docs.stripe.com, smart retries). On which days
// they fall is its secret; here they are spread evenly.
func TwoWeeks() Dunning {
	d := DunningPolicy.First
	d.RetryDays, d.GraceDays = []int{1, 3, 5, 7, 9, 11, 14}, 14
	return d
}

// FourRetries is the schedule of Kill Bill's documentation: attempts after 1,
// 8, 4 and 7 days, blocked on day 14, cancelled on day 21.
func FourRetries() Dunning {
	d := DunningPolicy.First
	d.RetryDays, d.GraceDays, d.DisabledDays, d.DataDays = []int{1, 9, 13, 20}, 14, 7, 180
	return d
}

// SevenDeclines is Recurly's static engine: it stops after seven declines
// (docs.recurly.com, static retries). The doc says no more, so the days are
// version 1's.
func SevenDeclines() Dunning {
	d := DunningPolicy.First
	d.RetryDays = []int{1, 3, 5, 8, 12, 17}
	return d
}

// Validate says what is wrong with the values, for people.
func (d Dunning) Validate() error {
	var errs []error
	within := func(name string, v, low, high int) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("%s must be %d-%d, not %d", name, low, high, v))
		}
	}
	rising := func(name string, days []int, high int) {
		for i, v := range days {
			within(name, v, 1, high)
			if i > 0 && days[i-1] >= v {
				errs = append(errs, fmt.Errorf("%s must rise, but %d comes after %d", name, v, days[i-1]))
			}
		}
	}
	rising("retryDays", d.RetryDays, 90)
	rising("reminderDays", d.ReminderDays, 90)
	for _, h := range d.SoonHours {
		within("soonHours", h, 1, 72)
	}
	within("softRetries", d.SoftRetries, 0, 8)
	within("unknownRetries", d.UnknownRetries, 0, 8)
	within("graceDays", d.GraceDays, 1, 90)
	within("acceleratedDays", d.AcceleratedDays, 2, 30)
	within("chargebackDays", d.ChargebackDays, 0, 30)
	within("disabledDays", d.DisabledDays, 1, 365)
	within("dataDays", d.DataDays, d.DisabledDays, 365)
	within("answerHours", d.AnswerHours, 1, 168)
	var seen []string
	for _, l := range append(slices.Clone(d.Limits), d.OtherLimit) {
		within("attempts", l.Attempts, 1, 100)
		within("days", l.Days, 1, 90)
		if slices.Contains(seen, l.Network) {
			errs = append(errs, fmt.Errorf("the network %q is named twice", l.Network))
		}
		seen = append(seen, l.Network)
	}
	for _, c := range d.Accelerated {
		if !slices.Contains(Classes(), c) {
			errs = append(errs, fmt.Errorf("there is no class %q", c))
		}
	}
	return errors.Join(errs...)
}

// limit returns what a network allows.
func (d Dunning) limit(network string) Limit {
	for _, l := range d.Limits {
		if l.Network == network {
			return l
		}
	}
	l := d.OtherLimit
	l.Network = network
	return l
}

// accelerates reports whether a first decline puts the case on the short
// schedule: nobody can cure it by waiting.
func (d Dunning) accelerates(e ChargeDeclined) bool {
	return e.Accelerated || e.Retry == Never && slices.Contains(d.Accelerated, e.Class)
}

// retries returns how often a card may be tried again after such a decline,
// or a negative number for as often as the schedule says.
func (d Dunning) retries(e ChargeDeclined) int {
	switch {
	case e.UnknownCode:
		return d.UnknownRetries
	case e.Class == IssuerSoft:
		return d.SoftRetries
	}
	return -1
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

func hours(n int) time.Duration { return time.Duration(n) * time.Hour }
