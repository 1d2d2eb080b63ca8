// Package card models a payment card: a gateway's token for it, what may be
// shown of it, who added it and which subscriptions it pays for.
//
// Guaranteed: a card number and a security code never get in (rule K1), only
// whom [EditPolicy] names may edit or remove a card (C4), its number never
// changes except by the network's own updater (C1, K4), and a card that is on
// a subscription, in whatever state that is, is not removed (C6).
//
// Not guaranteed: that the bank would accept a charge. See package collection.
//
// # Why a card remembers its subscriptions
//
// Removing and replacing must be decided from one stream. The subscription's
// own stream is the authority on which card pays for it; AttachCard and
// DetachCard follow it, so a card may know of a change a moment later.
package card

import (
	"slices"
	"time"

	"konto/domain"
	"konto/domain/postal"
)

// Event is a fact about a card.
type Event = domain.Event[Card]

// Meta is what a decision may know besides the card and the command.
type Meta = domain.Meta

// Aggregate is the card's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"card", "cards",
	domain.Accepts[AddCard]("AddCard", domain.Summary("Add a card by the gateway's token for it")),
	domain.Accepts[UpdateCardDetails]("UpdateCardDetails", domain.CallerSaw(),
		domain.Summary("Change the name, expiry, billing address or phone number of a card that you added")),
	domain.Accepts[ReplaceCard]("ReplaceCard",
		domain.Summary("Let another card pay for one or all of the subscriptions that this card pays for")),
	domain.Accepts[ReplaceDeclinedCard]("ReplaceDeclinedCard", domain.Internal(),
		domain.Summary("Let the card that settled a balance pay for all that the declined card was on")),
	domain.Accepts[RemoveCard]("RemoveCard", domain.Summary("Remove a card that pays for nothing")),
	domain.Accepts[RecordCardAutoUpdate]("RecordCardAutoUpdate",
		domain.Summary("Record that the card network gave the card a new number or expiry")),
	domain.Accepts[RecordCardStatus]("RecordCardStatus",
		domain.Summary("Record that the gateway says that a card is expiring, has expired or was reported lost")),
	domain.Accepts[CheckCardExpiry]("CheckCardExpiry", domain.Internal(),
		domain.Summary("Look whether the card is about to expire")),
	domain.Accepts[AttachCard]("AttachCard", domain.Internal(),
		domain.Summary("Note that the card pays for a subscription")),
	domain.Accepts[DetachCard]("DetachCard", domain.Internal(),
		domain.Summary("Note that the card no longer pays for a subscription")),

	domain.Records[CardAdded]("CardAdded"),
	domain.Records[CardDetailsUpdated]("CardDetailsUpdated"),
	domain.Records[CardReplaced]("CardReplaced"),
	domain.Records[CardRemoved]("CardRemoved"),
	domain.Records[CardAutomaticallyUpdated]("CardAutomaticallyUpdated"),
	domain.Records[CardExpiringSoon]("CardExpiringSoon"),
	domain.Records[CardExpired]("CardExpired"),
	domain.Records[CardReportedLost]("CardReportedLost"),
	domain.Records[ExpiryCheckPostponed]("ExpiryCheckPostponed"),
	domain.Records[CardAttached]("CardAttached"),
	domain.Records[CardDetached]("CardDetached"),
)

// Card is what is known of a card.
type Card struct {
	Tenant        string                   `json:"tenant"`
	Owner         string                   `json:"owner"` // the admin who added it
	GatewayToken  string                   `json:"gatewayToken"`
	Brand         string                   `json:"brand"`
	Last4         string                   `json:"last4"`
	ExpMonth      int                      `json:"expMonth"` // 1-12; 0 if it may not be kept
	ExpYear       int                      `json:"expYear"`  // four digits
	Funding       string                   `json:"funding"`
	IssuerCountry string                   `json:"issuerCountry"`
	Country       string                   `json:"country"`     // of the billing address
	Fingerprint   string                   `json:"fingerprint"` // keyed hash; see [domain.Meta]
	Holder        domain.Personal[string]  `json:"holder,omitzero"`
	BillTo        domain.Personal[Address] `json:"billTo,omitzero"`
	Phone         domain.Personal[string]  `json:"phone,omitzero"` // E.164; as it was written, if that was long ago
	Checks        Checks                   `json:"checks"`
	AddedAt       time.Time                `json:"addedAt,omitzero"`
	// ManualAboveMinor is the most that is charged without the holder, in the
	// smallest unit of ManualAboveCurrency; 0 if there is no such limit.
	ManualAboveMinor    int64    `json:"manualAboveMinor,omitzero"`
	ManualAboveCurrency string   `json:"manualAboveCurrency,omitzero"` // ISO 4217
	Subscriptions       []string `json:"subscriptions,omitempty"`      // that it pays for, or backs up
	Leaving             []Move   `json:"leaving,omitempty"`            // replacements under way
	Removed             bool     `json:"removed,omitzero"`
	Expired             bool     `json:"expired,omitzero"`    // somebody was told so
	Blocked             bool     `json:"blocked,omitzero"`    // the bank accepts it no more
	WarnedDays          int      `json:"warnedDays,omitzero"` // of the last warning; 0 for none
	// ExpiryCheckAt is when the expiry is looked at next. It follows from the
	// expiry, so nobody needs to be shown that it changed.
	ExpiryCheckAt time.Time `json:"-"`
}

// Move is a subscription on its way to another card.
type Move struct {
	SubscriptionID string    `json:"subscriptionId"`
	NewCardID      string    `json:"newCardId"`
	At             time.Time `json:"at"` // when it was asked for
}

// Address is a billing address as the card statement shows it.
type Address = postal.Address

// Checks is what the issuer said when the gateway last asked it: "pass",
// "fail", "unavailable" or "unchecked". Networks check only these three.
type Checks struct {
	Line1  string `json:"line1,omitzero"`
	Postal string `json:"postal,omitzero"`
	CVC    string `json:"cvc,omitzero"`
}

// Organization is the fact of which country the account is in. Its key is the
// tenant's ID.
type Organization struct {
	Country string // ISO 3166-1 alpha-2; empty if there is no such tenant
}

// PhoneNumber is the fact of what a phone number is. Its key is the country in
// which it is read (ISO 3166-1 alpha-2), a space, and the number.
type PhoneNumber struct {
	OK     bool   // it is one that can be called
	Number string // E.164, then ";ext=" and the extension if there is one (RFC 3966)
	Data   string // which numbering plans said so; later ones may differ (rule F4)
}

// Replacement is the fact of what another card is. Its key is that card's ID.
type Replacement struct {
	Exists   bool
	Tenant   string
	Owner    string
	ExpMonth int
	ExpYear  int
	Removed  bool
	Blocked  bool // the bank accepts it no more
	Expired  bool // the gateway says so, where the expiry is not known
	Last4    string
	Brand    string
	// Subscriptions are those that it pays for or backs up.
	Subscriptions []string
}

// Owner is the fact of who added a card. Its key is the admin's ID.
type Owner struct {
	Active bool   // the account is open
	MayAct bool   // it has a role that may edit cards
	Masked string // the sign-in name, made unreadable; empty if it was erased
}

// CanAct reports whether the owner can do something about their card.
func (o Owner) CanAct() bool { return o.Active && o.MayAct }

// ValidUntil returns the instant at which a card of that expiry stops being
// valid: the end of the month where it ends last on Earth (UTC-12), so that
// nobody is told too early that a card has expired (rule C3). It is zero if
// the expiry is not known.
func ValidUntil(expMonth, expYear int) time.Time {
	if expMonth == 0 {
		return time.Time{}
	}
	return time.Date(expYear, time.Month(expMonth)+1, 1, 12, 0, 0, 0, time.UTC)
}

// ValidUntil returns the instant at which the card stops being valid.
func (c Card) ValidUntil() time.Time { return ValidUntil(c.ExpMonth, c.ExpYear) }

// ExpiryKnown reports whether the card's expiry may be kept (rule K5).
func (c Card) ExpiryKnown() bool { return c.ExpMonth != 0 }

// Exists reports whether the card was ever added.
func (c Card) Exists() bool { return c.Owner != "" }

func (c Card) paysFor(subscription string) bool {
	return slices.Contains(c.Subscriptions, subscription)
}

// listed returns the subscriptions for a refusal to name: never nil, and no
// part of the state.
func (c Card) listed() []string { return append([]string{}, c.Subscriptions...) }

// Rejections.
var (
	ErrNotFound = domain.NotFound("card-not-found", "there is no such card")
	ErrRemoved  = domain.Conflict("card-removed", "the card has been removed").
			ByRule("C6").Allowed("AddCard", domain.GlobalAdmin, domain.BillingAdmin)
	ErrExists = domain.Conflict("card-exists", "another card has been added under this ID").
			ByRule("K2").Allowed("UpdateCardDetails", domain.GlobalAdmin, domain.BillingAdmin)
	ErrDuplicate = domain.Conflict("duplicate-card", "the card is here already").
			ByRule("K2").Allowed("UpdateCardDetails", domain.GlobalAdmin, domain.BillingAdmin)
	ErrNotOwner = domain.Forbidden("card-owned-by-other-admin", "another admin added the card; it is not yours to use, edit or remove").
			ByRule("C4").For(domain.WhoOwner).Allowed("AddBackupCard", domain.GlobalAdmin, domain.BillingAdmin)
	ErrBlocked = domain.Conflict("card-blocked", "the bank accepts the card no more").
			ByRule("C7").Allowed("AddCard", domain.GlobalAdmin, domain.BillingAdmin)
	ErrCVCNotAsked = domain.Invalid("cvc-check-not-asked", "a card is edited without its security code").
			ByRule("C2").Allowed("", domain.GlobalAdmin, domain.BillingAdmin).At("/cvcCheck")
	ErrCVCNeeded = domain.Invalid("cvc-check-needed", "the gateway's check of the security code must come with the edit").
			ByRule("C2").Allowed("", domain.GlobalAdmin, domain.BillingAdmin).At("/cvcCheck")
	ErrCVCFailed = domain.Conflict("cvc-check-failed", "the bank says that the security code is wrong").
			ByRule("C2").Allowed("", domain.GlobalAdmin, domain.BillingAdmin).At("/cvcCheck")
	ErrOneTimePassword = domain.Invalid("one-time-password-needed", "cards of this country are added with the bank's one-time password").
				ByRule("K5").Allowed("", domain.GlobalAdmin, domain.BillingAdmin).At("/oneTimePassword")
	ErrExpiryNotKept = domain.Invalid("expiry-not-kept", "the expiry of cards of this country may not be kept; leave it out").
				ByRule("K5").Allowed("", domain.GlobalAdmin, domain.BillingAdmin).At("/expMonth")
	ErrInUse = domain.Conflict("card-in-use", "the card pays for subscriptions; replace it first").
			ByRule("C6").Allowed("ReplaceCard", domain.GlobalAdmin, domain.BillingAdmin)
	ErrNothingToReplace = domain.Conflict("nothing-to-replace", "the card pays for nothing that could move").
				ByRule("C6").Allowed("RemoveCard", domain.GlobalAdmin, domain.BillingAdmin)
	ErrReplacement = domain.Invalid("replacement-not-found", "there is no such card to replace it with").
			ByRule("C6").Allowed("AddCard", domain.GlobalAdmin, domain.BillingAdmin).At("/newCardId")
	ErrSameCard = domain.Invalid("same-card", "a card cannot replace itself").
			ByRule("C6").Allowed("UpdateCardDetails", domain.GlobalAdmin, domain.BillingAdmin).At("/newCardId")
	ErrExpired = domain.Invalid("card-expired", "the card has expired").
			ByRule("K3").Allowed("", domain.GlobalAdmin, domain.BillingAdmin)
	ErrExpiry = domain.Invalid("expiry-out-of-range", "the expiry must be a month of 1-12, at most 20 years ahead").
			ByRule("K3").Allowed("", domain.GlobalAdmin, domain.BillingAdmin)
	ErrCardNumber = domain.Invalid("card-number-not-accepted", "this looks like a card number; send the gateway's token instead").
			ByRule("K1").Allowed("", domain.GlobalAdmin, domain.BillingAdmin)
	ErrIssuedAbroad = domain.Invalid("card-issued-abroad", "the card must be issued in the account's country").
			ByRule("K6").Allowed("", domain.GlobalAdmin, domain.BillingAdmin).At("/issuerCountry")
	ErrBilledAbroad = domain.Invalid("billing-country-mismatch", "the billing address must be in the account's country").
			ByRule("A3").Allowed("", domain.GlobalAdmin, domain.BillingAdmin)
	ErrField = domain.Invalid("field-invalid", "the value cannot be used").
			ByRule("C1").Allowed("", domain.GlobalAdmin, domain.BillingAdmin)
)
