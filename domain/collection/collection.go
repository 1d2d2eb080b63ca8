// Package collection models the collecting of one invoice from a card: what
// the gateway said of each attempt, what that means for a person, and what
// happens until the invoice is paid or given up.
//
// Guaranteed: each of the gateway's answers counts once; a decline says who
// can do what about it (rule C7), and what is shown of it never tells the
// holder of a stolen card that it is known to be stolen; Konto never asks for
// more attempts than the card's network allows (D3, N14); a card that was
// declined for good is not tried again until something about it changes; every
// open case ends recovered, suspended or cancelled, since each phase has a
// deadline in its events (D6).
//
// Not guaranteed: that nobody else charges the card. A gateway's own retries
// must be off, or they use up what the network allows.
//
// # How an attempt is made
//
// Konto holds no gateway's key and calls none. A due attempt is an event,
// [ChargeRequested], which names the card's token, the amount and a request ID
// to use as the idempotency key. The gateway's side reads those that wait (GET
// /v1/due-charges), carries each out before its Until, and the result comes
// back by the webhook as [RecordChargeResult]. A pull needs no secret in
// Konto, survives a restart of either side, and the event store has the
// request before anybody can act on it. A request that is not answered lapses.
//
// # Why the case is in the invoice's stream
//
// The network's limit is a rule about attempts, so it must be decided from the
// stream that counts them. The transitions follow docs on dunning: retrying
// (in grace), past due, suspended, and from each back to recovered; hard
// declines and chargebacks enter at once into a short grace.
package collection

import (
	"time"

	"konto/domain"
	"konto/domain/postal"
)

// Event is a fact about an invoice.
type Event = domain.Event[Invoice]

// Meta is what a decision may know besides the invoice and the command.
type Meta = domain.Meta

// Aggregate is the invoice's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"collection", "invoices",
	domain.Accepts[RecordChargeResult]("RecordChargeResult",
		domain.Summary("Record what the gateway said when a card was charged for an invoice, or of a chargeback")),
	domain.Accepts[SettleBalance]("SettleBalance",
		domain.Summary("Pay what is owed on an invoice with a card of yours, now")),
	domain.Accepts[AdvanceCollection]("AdvanceCollection", domain.Internal(),
		domain.Summary("Do what has become due in an invoice's case")),
	domain.Accepts[ReconsiderCards]("ReconsiderCards", domain.Internal(),
		domain.Summary("Try a card at once because something about it has changed")),
	domain.Accepts[CoverByInvoice]("CoverByInvoice", domain.Internal(),
		domain.Summary("Close an invoice's case because the balance goes on the next invoice")),

	domain.Records[ChargeSucceeded]("ChargeSucceeded"),
	domain.Records[ChargeDeclined]("ChargeDeclined"),
	domain.Records[ChargebackOpened]("ChargebackOpened"),
	domain.Records[ChargebackWon]("ChargebackWon"),
	domain.Records[ChargebackAccepted]("ChargebackAccepted"),
	domain.Records[CollectionOpened]("CollectionOpened"),
	domain.Records[GraceStarted]("GraceStarted"),
	domain.Records[RetryScheduled]("RetryScheduled"),
	domain.Records[RetryWithdrawn]("RetryWithdrawn"),
	domain.Records[RetryBudgetExhausted]("RetryBudgetExhausted"),
	domain.Records[ChargeRequested]("ChargeRequested"),
	domain.Records[ChargeLapsed]("ChargeLapsed"),
	domain.Records[CardAllowedAgain]("CardAllowedAgain"),
	domain.Records[PaymentReminded]("PaymentReminded"),
	domain.Records[ManualPaymentRequested]("ManualPaymentRequested"),
	domain.Records[PaymentPastDue]("PaymentPastDue"),
	domain.Records[ServiceSuspended]("ServiceSuspended"),
	domain.Records[BalanceSettled]("BalanceSettled"),
	domain.Records[AccountRecovered]("AccountRecovered"),
	domain.Records[CollectionClosed]("CollectionClosed"),
	domain.Records[CoverDeferred]("CoverDeferred"),
)

// Invoice is what is known of an invoice's collection. It shows no more of a
// decline than anybody with the card in hand may know.
type Invoice struct {
	SubscriptionID string `json:"subscriptionId"`
	AmountMinor    int64  `json:"amountMinor"` // of the last attempt, in the currency's smallest unit
	Currency       string `json:"currency"`    // ISO 4217, upper case
	Attempts       int    `json:"attempts"`
	Declines       int    `json:"declines"`
	LastCardID     string `json:"lastCardId"`
	// LastDeclinedCardID is the card of the last decline.
	LastDeclinedCardID string    `json:"lastDeclinedCardId,omitzero"`
	LastDecline        *Shown    `json:"lastDecline,omitempty"`
	LastDeclineAt      time.Time `json:"lastDeclineAt,omitzero"`
	Paid               bool      `json:"paid"`
	PaidAt             time.Time `json:"paidAt,omitzero"`
	GatewayEvents      []string  `json:"gatewayEvents,omitempty"` // that have been counted
	Case               Case      `json:"case,omitzero"`
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
	Removed    bool
	Blocked    bool // the bank accepts it no more
	// GatewayToken is what the gateway knows it by.
	GatewayToken string
	// BillTo is its billing address; zero if it was erased.
	BillTo postal.Address
	// ManualAboveMinor is the most that is charged without the holder, in the
	// smallest unit of ManualAboveCurrency; 0 if there is no such limit.
	ManualAboveMinor    int64
	ManualAboveCurrency string // ISO 4217
}

// Wallet is the fact of which cards a subscription has: the primary card, then
// the backups in the order in which they step in. Its key is the
// subscription's ID. One that is paid by invoice has none.
type Wallet struct {
	Known bool // there is such a subscription
	Cards []string
}

// Bill is the fact of what an invoice is for, by which commands learn of the
// cards that they need to know more of. Its key is the invoice's ID.
type Bill struct {
	SubscriptionID string
	CardID         string // that was declined last, or else tried last
}

// BillOf is the view of an invoice that [Bill] is.
func BillOf(_ string, i Invoice) Bill {
	b := Bill{i.SubscriptionID, i.LastDeclinedCardID}
	if b.CardID == "" {
		b.CardID = i.LastCardID
	}
	return b
}

// Exists reports whether anything was ever charged for the invoice.
func (i Invoice) Exists() bool { return i.Attempts > 0 }

// Rejections.
var (
	ErrNotFound     = domain.NotFound("invoice-not-found", "there is no such invoice")
	ErrCardNotFound = domain.Invalid("card-not-found", "there is no such card").ByRule("C7").At("/cardId")
	ErrSubscription = domain.Conflict("invoice-of-other-subscription", "the invoice belongs to another subscription").
			ByRule("C7").At("/subscriptionId")
	ErrField      = domain.Invalid("field-invalid", "the value cannot be used").ByRule("C7")
	ErrNotCharged = domain.Conflict("invoice-not-charged", "nothing was ever charged for the invoice, so nothing can be disputed").
			ByRule("D7")

	ErrNothingOwed = domain.Conflict("nothing-owed", "nothing is owed on the invoice").ByRule("C8")
	ErrDisputed    = domain.Conflict("invoice-disputed", "the bank is deciding on a chargeback; it would be paid twice").
			ByRule("D7")
	ErrTooLate = domain.Conflict("too-late-to-settle", "the time to pay for the suspended service is over").
			ByRule("C9").Allowed("RegisterSubscription", domain.GlobalAdmin, domain.BillingAdmin)
	ErrChargeUnderWay = domain.Conflict("charge-under-way", "the gateway has been asked to charge a card and has not answered").
				ByRule("C8")
	ErrDeclinedCardNotOwn = domain.Forbidden("card-owned-by-other-admin",
		"only the admin who added the declined card can settle with it; replace it first, or pay with a card of yours").
		ByRule("C8").For(domain.WhoOwner, domain.ProfileOwner, domain.ProfileContributor, domain.InvoiceManager).
		Allowed("ReplaceCard", domain.GlobalAdmin, domain.BillingAdmin).At("/cardId")
	ErrCardNotOwn = domain.Forbidden("card-owned-by-other-admin", "only the admin who added a card may pay with it").
			ByRule("C4").For(domain.WhoOwner, domain.ProfileOwner, domain.ProfileContributor, domain.InvoiceManager).
			Allowed("AddCard", domain.GlobalAdmin, domain.BillingAdmin).At("/cardId")
	ErrCardExpired = domain.Invalid("card-expired", "the card has expired").
			ByRule("K3").Allowed("UpdateCardDetails", domain.GlobalAdmin, domain.BillingAdmin).At("/cardId")
	ErrCardRefused = domain.Conflict("card-refused", "another attempt on this card cannot succeed; pay with another").
			ByRule("D2").Allowed("AddCard", domain.GlobalAdmin, domain.BillingAdmin).At("/cardId")
	ErrNetworkLimit = domain.Conflict("network-limit-reached",
		"the card's network allows no further attempt on this payment now; pay with a card of another network").
		ByRule("D3").Allowed("AddCard", domain.GlobalAdmin, domain.BillingAdmin).At("/cardId")
)
