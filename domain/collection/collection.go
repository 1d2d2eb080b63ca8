// Package collection models the collecting of one invoice from a card: what
// the gateway said of each attempt, and what that means for a person.
//
// Guaranteed: each of the gateway's answers counts once, a decline says who
// can do what about it (rule C7), and what is shown of a decline never tells
// the holder of a stolen card that it is known to be stolen.
//
// Not guaranteed: that another attempt follows. The gateway retries; Konto
// records and explains.
package collection

import (
	"time"

	"konto/domain"
)

// Event is a fact about an invoice.
type Event = domain.Event[Invoice]

// Meta is what a decision may know besides the invoice and the command.
type Meta = domain.Meta

// Aggregate is the invoice's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"collection", "invoices",
	domain.Accepts[RecordChargeResult]("RecordChargeResult",
		domain.Summary("Record what the gateway said when a card was charged for an invoice")),

	domain.Records[ChargeSucceeded]("ChargeSucceeded"),
	domain.Records[ChargeDeclined]("ChargeDeclined"),
)

// Invoice is what is known of an invoice's collection. It shows no more of a
// decline than anybody with the card in hand may know.
type Invoice struct {
	SubscriptionID string    `json:"subscriptionId"`
	AmountMinor    int64     `json:"amountMinor"` // of the last attempt, in the currency's smallest unit
	Currency       string    `json:"currency"`    // ISO 4217, upper case
	Attempts       int       `json:"attempts"`
	Declines       int       `json:"declines"`
	LastCardID     string    `json:"lastCardId"`
	LastDecline    *Shown    `json:"lastDecline,omitempty"`
	LastDeclineAt  time.Time `json:"lastDeclineAt,omitzero"`
	Paid           bool      `json:"paid"`
	PaidAt         time.Time `json:"paidAt,omitzero"`
	GatewayEvents  []string  `json:"gatewayEvents,omitempty"` // that have been counted
}

// Card is the fact of what a card is. Its key is the card's ID.
type Card struct {
	Exists     bool
	Tenant     string
	Owner      string
	Last4      string
	Brand      string
	ExpMonth   int
	ExpYear    int
	ValidUntil time.Time // when it stops being valid
}

// Exists reports whether anything was ever charged for the invoice.
func (i Invoice) Exists() bool { return i.Attempts > 0 }

// Rejections.
var (
	ErrCardNotFound = domain.Invalid("card-not-found", "there is no such card").ByRule("C7").At("/cardId")
	ErrSubscription = domain.Conflict("invoice-of-other-subscription", "the invoice belongs to another subscription").
			ByRule("C7").At("/subscriptionId")
	ErrField = domain.Invalid("field-invalid", "the value cannot be used").ByRule("C7")
)
