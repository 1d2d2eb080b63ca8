package gateway

import (
	"math"
	"strings"
)

// FromStripe returns an amount of Stripe's API in the smallest unit of ISO
// 4217, which Konto reckons in. They are the same but for three currencies
// (docs.stripe.com/currencies): ISK and UGX have no decimals, and Stripe counts
// them in hundredths all the same, so that older callers keep working; MGA
// has two by ISO 4217, and Stripe counts whole ones. A fraction of a króna,
// which only charges before April 2023 can have, is rounded up, so that no
// charge becomes one of nothing.
func FromStripe(amount int64, currency string) int64 {
	switch strings.ToUpper(currency) {
	case "ISK", "UGX":
		return amount/100 + min(max(amount%100, 0), 1)
	case "MGA":
		if amount > math.MaxInt64/100 { // more than there is of it
			return amount
		}
		return amount * 100
	}
	return amount
}

// ToStripe returns an amount in the smallest unit of ISO 4217 as Stripe's API
// counts it.
func ToStripe(minor int64, currency string) int64 {
	switch strings.ToUpper(currency) {
	case "ISK", "UGX":
		return minor * 100
	case "MGA":
		return minor / 100
	}
	return minor
}
