// Package billing models how a subscription is paid for: a primary card, and
// backup cards in the order in which they step in.
//
// Guaranteed: a subscription has a primary card unless it is paid for by
// invoice or is gone, no card is on it twice, an admin puts on it only cards
// that [UsePolicy] lets them use, such as those that they added (rules C4,
// C5), and no card that has expired, was blocked or removed becomes primary
// (K3). A cancelled subscription keeps its cards until its data is gone.
//
// Not guaranteed: that the primary card can be charged. See package collection.
package billing

import (
	"slices"
	"time"

	"konto/domain"
	"konto/domain/postal"
)

// Event is a fact about a subscription.
type Event = domain.Event[Subscription]

// Meta is what a decision may know besides the subscription and the command.
type Meta = domain.Meta

// Aggregate is the subscription's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"billing", "subscriptions",
	domain.Accepts[RegisterSubscription]("RegisterSubscription",
		domain.Summary("Register a subscription and the card that pays for it")),
	domain.Accepts[AddBackupCard]("AddBackupCard",
		domain.Summary("Add a card of yours that steps in when the subscription's card fails")),
	domain.Accepts[ApplyCardReplacement]("ApplyCardReplacement", domain.Internal(),
		domain.Summary("Put a new card in the place of a replaced one")),
	domain.Accepts[ReorderBackupCards]("ReorderBackupCards", domain.CallerSaw(),
		domain.Summary("Set the order in which the backup cards step in")),
	domain.Accepts[RemoveBackupCard]("RemoveBackupCard",
		domain.Summary("Take a backup card off the subscription")),
	domain.Accepts[RecordAssignedLicences]("RecordAssignedLicences",
		domain.Summary("Record how many of the subscription's licences are given to users")),
	domain.Accepts[CancelSubscription]("CancelSubscription",
		domain.Summary("Cancel the subscription; admins keep access for a while")),
	domain.Accepts[CancelUnpaidSubscription]("CancelUnpaidSubscription", domain.Internal(),
		domain.Summary("Cancel a subscription that nobody has paid for in time")),
	domain.Accepts[ReactivateSubscription]("ReactivateSubscription",
		domain.Summary("Take a cancelled subscription back while admins have access")),
	domain.Accepts[ChangeServiceUsageAddress]("ChangeServiceUsageAddress", domain.CallerSaw(),
		domain.Summary("Say where most of the subscription's users are")),
	domain.Accepts[ChangeBillToAddress]("ChangeBillToAddress", domain.CallerSaw(),
		domain.Summary("Say to whom the invoices of a subscription go that is paid for by invoice")),
	domain.Accepts[DeleteSubscription]("DeleteSubscription", domain.Internal(),
		domain.Summary("Note that the data of a cancelled subscription is gone")),
	domain.Accepts[ChangePaymentMethodKind]("ChangePaymentMethodKind", domain.Internal(),
		domain.Summary("Let a subscription be paid for by invoice")),
	domain.Accepts[PromoteBackupCard]("PromoteBackupCard", domain.Internal(),
		domain.Summary("Let the first usable backup card take over from a card that failed")),

	domain.Records[SubscriptionRegistered]("SubscriptionRegistered"),
	domain.Records[BackupCardAdded]("BackupCardAdded"),
	domain.Records[PrimaryCardChanged]("PrimaryCardChanged"),
	domain.Records[BackupCardChanged]("BackupCardChanged"),
	domain.Records[CardPromotedToPrimary]("CardPromotedToPrimary"),
	domain.Records[BackupCardsReordered]("BackupCardsReordered"),
	domain.Records[BackupCardRemoved]("BackupCardRemoved"),
	domain.Records[AssignedLicencesRecorded]("AssignedLicencesRecorded"),
	domain.Records[SubscriptionCancellationRequested]("SubscriptionCancellationRequested"),
	domain.Records[SubscriptionCanceled]("SubscriptionCanceled"),
	domain.Records[SubscriptionReactivated]("SubscriptionReactivated"),
	domain.Records[ServiceUsageAddressChanged]("ServiceUsageAddressChanged"),
	domain.Records[BillToAddressChanged]("BillToAddressChanged"),
	domain.Records[SubscriptionDeleted]("SubscriptionDeleted"),
	domain.Records[PaymentMethodKindChanged]("PaymentMethodKindChanged"),
)

// Subscription is what is known of how a subscription is paid for.
type Subscription struct {
	Product      string    `json:"product"`
	BoughtBy     string    `json:"boughtBy"` // an admin's ID
	Primary      string    `json:"primary"`  // a card's ID; empty if paid for by invoice
	Backups      []Backup  `json:"backups,omitempty"`
	Invoiced     bool      `json:"invoiced,omitzero"`
	PONumber     string    `json:"poNumber,omitzero"`
	RegisteredAt time.Time `json:"registeredAt,omitzero"`
	Licences     int       `json:"licences,omitzero"` // assigned to users

	ServiceUsage domain.Personal[postal.Address] `json:"serviceUsage,omitzero"` // where most users are
	BillTo       domain.Personal[BillTo]         `json:"billTo,omitzero"`       // to whom invoices go

	CancelledAt      time.Time `json:"cancelledAt,omitzero"`      // zero unless it is cancelled
	AdminAccessUntil time.Time `json:"adminAccessUntil,omitzero"` // of a cancelled one
	DataUntil        time.Time `json:"dataUntil,omitzero"`        // of a cancelled one
	UnpaidInvoice    string    `json:"unpaidInvoice,omitzero"`    // for which it was cancelled, if it was
	Deleted          bool      `json:"deleted,omitzero"`          // its data is gone
}

// Backup is a card that steps in. Backups are kept in order of priority.
type Backup struct {
	CardID   string `json:"cardId"`
	Priority int    `json:"priority"` // 1 steps in first; gaps may be left
	AddedBy  string `json:"addedBy"`
}

// Card is the fact of what a card is. Its key is the card's ID.
type Card struct {
	Exists  bool
	Tenant  string
	Owner   string
	Expiry  time.Time // when it stops being valid; zero if that is not known
	Expired bool      // the gateway says so
	Blocked bool      // the bank accepts it no more
	Removed bool
}

// Organization is the fact of which domains the account has besides the one
// that it began with. Its key is the tenant's ID.
type Organization struct{ CustomDomains []string }

// Backups is the fact of which backup cards the subscription has, by which
// [PromoteBackupCard] learns of which cards it needs to know more. Its key is
// the subscription's ID.
type Backups struct{ Cards []string }

// BackupsOf is the view of a subscription that [Backups] is.
func BackupsOf(_ string, s Subscription) Backups {
	var b Backups
	for _, backup := range s.Backups {
		b.Cards = append(b.Cards, backup.CardID)
	}
	return b
}

// Exists reports whether the subscription was ever registered.
func (s Subscription) Exists() bool { return s.Product != "" }

// Kind returns how the subscription is paid for.
func (s Subscription) Kind() Kind {
	if s.Invoiced {
		return KindInvoice
	}
	return KindCard
}

// running refuses what makes no sense for a subscription that has ended.
func (s Subscription) running() error {
	switch {
	case !s.Exists():
		return ErrNotFound
	case s.Deleted:
		return ErrDeleted
	case !s.CancelledAt.IsZero():
		return ErrCancelled
	}
	return nil
}

// cards returns the cards that the subscription is on, the primary card first.
func (s Subscription) cards() []string {
	var cards []string
	if s.Primary != "" {
		cards = append(cards, s.Primary)
	}
	for _, b := range s.Backups {
		cards = append(cards, b.CardID)
	}
	return cards
}

func (s Subscription) backup(card string) int {
	return slices.IndexFunc(s.Backups, func(b Backup) bool { return b.CardID == card })
}

// maxLicences is the most licences of a subscription; no organization has so many users.
const maxLicences = 10_000_000

// dropBackup removes a backup. It leaves the old slice as it was, since others
// may have a copy of the subscription.
func (s *Subscription) dropBackup(card string) {
	s.Backups = slices.DeleteFunc(slices.Clone(s.Backups), func(b Backup) bool { return b.CardID == card })
	if len(s.Backups) == 0 {
		s.Backups = nil
	}
}

// usable is the rule for a card that an admin puts on a subscription.
func usable(m Meta, card string) *domain.Error {
	c := domain.Fact[Card](m, card)
	if c.Exists && c.Tenant == m.Tenant && !UsePolicy.In(m).allow(m, c.Owner) {
		return ErrNotOwner.For(UsePolicy.In(m).users()...).With("owner", c.Owner)
	}
	return c.chargeable(m)
}

// chargeable is the rule for every card that comes to a subscription.
func (c Card) chargeable(m Meta) *domain.Error {
	switch {
	case !c.Exists || c.Tenant != m.Tenant:
		return ErrCardNotFound // another tenant's card is as good as none
	case c.Removed:
		return ErrCardRemoved
	case c.Blocked:
		return ErrCardBlocked
	case c.Expired || !c.Expiry.IsZero() && !m.At.Before(c.Expiry):
		return ErrCardExpired
	}
	return nil
}

// Rejections.
var (
	ErrNotFound = domain.NotFound("subscription-not-found", "there is no such subscription")
	ErrExists   = domain.Conflict("subscription-exists", "another subscription has been registered under this ID").
			ByRule("C1").Allowed("AddBackupCard", domain.GlobalAdmin, domain.BillingAdmin)
	ErrProduct = domain.Invalid("product-required", "the product must be named, in at most 200 letters").
			ByRule("C1").Allowed("", domain.GlobalAdmin, domain.BillingAdmin).At("/product")
	ErrCardNotFound = domain.Invalid("card-not-found", "there is no such card").
			ByRule("C6").Allowed("AddCard", domain.GlobalAdmin, domain.BillingAdmin).At("/cardId")
	ErrNotOwner = domain.Forbidden("card-owned-by-other-admin", "another admin added the card; it is not yours to use").
			ByRule("C4").For(domain.WhoOwner).Allowed("AddCard", domain.GlobalAdmin, domain.BillingAdmin).At("/cardId")
	ErrCardRemoved = domain.Conflict("card-removed", "the card has been removed").
			ByRule("C6").Allowed("AddCard", domain.GlobalAdmin, domain.BillingAdmin).At("/cardId")
	ErrCardExpired = domain.Invalid("card-expired", "the card has expired").
			ByRule("K3").Allowed("UpdateCardDetails", domain.GlobalAdmin, domain.BillingAdmin).At("/cardId")
	ErrKind = domain.Invalid("payment-kind-unknown", "a subscription is paid for by card or by invoice").
		ByRule("C10").Allowed("", domain.BillingSupport).At("/kind")
	ErrPONumber = domain.Invalid("po-number-invalid", "a purchase order number is one line of at most 50 letters").
			ByRule("C10").Allowed("", domain.BillingSupport).At("/poNumber")
	ErrBackToCard = domain.Conflict("invoice-to-card", "a subscription that is paid for by invoice does not go back to a card; take out a new one").
			ByRule("C10").Allowed("RegisterSubscription", domain.GlobalAdmin, domain.BillingAdmin)
	ErrInvoiced = domain.Conflict("paid-by-invoice", "the subscription is paid for by invoice; it takes no cards").
			ByRule("C10").Allowed("", domain.BillingSupport)
	ErrCardBlocked = domain.Conflict("card-blocked", "the bank accepts the card no more").
			ByRule("C7").Allowed("AddCard", domain.GlobalAdmin, domain.BillingAdmin).At("/cardId")
	ErrPaidByCard = domain.Conflict("paid-by-card", "a card pays for the subscription; its billing address is the card's").
			ByRule("S9").Allowed("UpdateCardDetails", domain.GlobalAdmin, domain.BillingAdmin)
	ErrLine = domain.Invalid("field-invalid", "it must be one line of at most 200 letters").
		ByRule("S9").Allowed("", domain.GlobalAdmin, domain.BillingAdmin)
	ErrPhone = domain.Invalid("phone-invalid", "the number is not one that can be called").
			ByRule("S9").Allowed("", domain.GlobalAdmin, domain.BillingAdmin).At("/phone")
	ErrOrder = domain.Conflict("backups-differ", "the new order must name each backup card of the subscription once").
			ByRule("C5").Allowed("", domain.GlobalAdmin, domain.BillingAdmin).At("/cardIds")
	ErrPrimary = domain.Conflict("card-is-primary", "the card pays for the subscription; replace it instead").
			ByRule("C6").Allowed("ReplaceCard", domain.GlobalAdmin, domain.BillingAdmin).At("/cardId")
	ErrLicences = domain.Invalid("licences-invalid", "the number of licences must be 0 to 10,000,000").
			ByRule("C11").Allowed("", domain.Operator).At("/licences")
	ErrReason = domain.Invalid("reason-invalid", "a reason of one line with at most 255 letters is needed").
			ByRule("C11").Allowed("", domain.GlobalAdmin, domain.BillingAdmin).At("/reason")
	ErrTooManyLicences = domain.Forbidden("too-many-licences", "so many licences are assigned that billing support has to cancel the subscription").
				ByRule("C11").Allowed("", domain.BillingSupport)
	ErrCustomDomain = domain.Conflict("custom-domain-in-use", "take the organization's own domains off the subscription first, and say so").
			ByRule("C11").Allowed("", domain.GlobalAdmin, domain.BillingAdmin).At("/customDomainRemoved")
	ErrCancelled = domain.Conflict("subscription-cancelled", "the subscription is cancelled").
			ByRule("C11").Allowed("ReactivateSubscription", domain.GlobalAdmin, domain.BillingAdmin)
	ErrWindowOver = domain.Conflict("reactivation-over", "the time in which the subscription could be taken back is over").
			ByRule("C11").Allowed("RegisterSubscription", domain.GlobalAdmin, domain.BillingAdmin)
	ErrDeleted = domain.Conflict("subscription-deleted", "the subscription's data is gone").
			ByRule("C11").Allowed("RegisterSubscription", domain.GlobalAdmin, domain.BillingAdmin)
	ErrOnSubscription = domain.Conflict("card-already-primary", "the card pays for the subscription already").
				ByRule("C5").Allowed("", domain.GlobalAdmin, domain.BillingAdmin).At("/cardId")
)
