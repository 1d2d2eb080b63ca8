// Package offboarding models what a leaver leaves behind: the cards and the
// subscriptions that nobody else looks after, and the history that others may
// read for a while. Its ID is that of the leaver's account, whose own end is
// package admin's.
//
// # What is guaranteed
//
// Nobody reads a former employee's account but by a grant with a reason and an
// end (S14), no longer than the policy allows; a grant ends by itself, and at
// once when the employee is restored or their data is gone, or when whoever
// was given it leaves themselves. An item that was
// found stays open until somebody else looks after it.
//
// # What is not
//
// What is orphaned is found by a process that follows cards and
// subscriptions. It knows what was recorded before the block; what a leaver's
// session still adds in its last hour is found as it comes.
package offboarding

import (
	"slices"
	"time"

	"konto/domain"
)

// Event is a fact about an off-boarding.
type Event = domain.Event[Offboarding]

// Meta is what a decision may know besides the off-boarding and the command.
type Meta = domain.Meta

// Aggregate is the off-boarding's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"offboard", "offboardings",
	domain.Accepts[FindOrphanedItems]("FindOrphanedItems", domain.Summary("Note what a leaver leaves behind"), domain.Internal()),
	domain.Accepts[SettleOrphanedItem]("SettleOrphanedItem", domain.Summary("Note that somebody else looks after what a leaver left behind"), domain.Internal()),
	domain.Accepts[TakeOverSubscription]("TakeOverSubscription", domain.Summary("Look after a subscription that a leaver bought")),
	domain.Accepts[CloseOffboarding]("CloseOffboarding", domain.Summary("Note that a former employee is back, or their data gone"), domain.Internal()),
	domain.Accepts[GrantFormerUserDataAccess]("GrantFormerUserDataAccess", domain.Summary("Let somebody read a former employee's account for a while")),
	domain.Accepts[RevokeFormerUserDataAccess]("RevokeFormerUserDataAccess", domain.Summary("End somebody's reading of a former employee's account")),
	domain.Accepts[EndFormerUserDataAccess]("EndFormerUserDataAccess", domain.Summary("End the reading of somebody who has left themselves"), domain.Internal()),
	domain.Accepts[ExpireFormerUserDataAccess]("ExpireFormerUserDataAccess", domain.Summary("End a reading whose time is over"), domain.Internal()),

	domain.Records[OrphanedItemsFound]("OrphanedItemsFound"),
	domain.Records[OrphanedItemSettled]("OrphanedItemSettled"),
	domain.Records[OffboardingClosed]("OffboardingClosed"),
	domain.Records[FormerUserDataAccessGranted]("FormerUserDataAccessGranted"),
	domain.Records[FormerUserDataAccessRevoked]("FormerUserDataAccessRevoked"),
	domain.Records[FormerUserDataAccessExpired]("FormerUserDataAccessExpired"),
)

// Offboarding is what a leaver left behind.
type Offboarding struct {
	Offboarding string    `json:"offboarding"` // ID of the account's end
	Open        bool      `json:"open"`
	DueAt       time.Time `json:"dueAt,omitzero"` // when the account is gone for good
	Items       []Item    `json:"items,omitempty"`
	Grants      []Grant   `json:"grants,omitempty"` // that have not ended; one for each grantee
}

// Item is a card or a subscription that nobody looks after.
type Item struct {
	ID  string `json:"id"`
	Why Why    `json:"why"`
}

// Why is how an item came to be without anybody.
type Why string

// The reasons.
const (
	OwnCard Why = "own-card" // a card that the leaver added
	Paying  Why = "paying"   // a subscription that the leaver's card pays for
	Bought  Why = "bought"   // a subscription that the leaver bought, and another's card pays for
)

// Grant lets somebody read the leaver's account.
type Grant struct {
	ID        string    `json:"id"`
	GranteeID string    `json:"granteeId"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// Exists reports whether anybody with this account ever left.
func (o Offboarding) Exists() bool { return o.Offboarding != "" }

func (o Offboarding) grant(person string) int {
	return slices.IndexFunc(o.Grants, func(g Grant) bool { return g.GranteeID == person })
}

func (o Offboarding) item(id string) int {
	return slices.IndexFunc(o.Items, func(i Item) bool { return i.ID == id })
}

func (o *Offboarding) end(grant string) {
	o.Grants = slices.DeleteFunc(slices.Clone(o.Grants), func(g Grant) bool { return g.ID == grant })
}

// Leaver is the fact of the account that ends. Its key is the account's ID.
type Leaver struct {
	Tenant string
	Former bool // it is blocked or off-boarded, and its data is kept
}

// Person is the fact of who is to read. Its key is an account's ID.
type Person struct {
	Tenant string
	Active bool // can sign in
}

// Rejections.
var (
	ErrNotFound  = domain.NotFound("off-boarding-not-found", "nobody with this account has left").ByRule("S13")
	ErrNotFormer = domain.Conflict("not-a-former-employee", "access is given to the account of a former employee while its data is kept").ByRule("S14").Allowed("OffboardEmployee", domain.GlobalAdmin)
	ErrGrantee   = domain.Invalid("grantee-unknown", "the grantee must be somebody else of the organization who can sign in").ByRule("S14").At("/granteeId")
	ErrExpiry    = domain.Invalid("expiry-out-of-range", "access must end, in the future and no later than the policy allows").ByRule("S14").At("/expiresAt")
	ErrReason    = domain.Invalid("reason-required", "say why, in 1 to 500 characters without control characters and invisible ones").ByRule("S14").At("/reason")
	ErrNoGrant   = domain.Conflict("no-access", "the person has no access that could end").ByRule("S14").At("/granteeId")
	ErrNoItem    = domain.Conflict("item-not-open", "the leaver left no such subscription behind, or somebody looks after it already").ByRule("S13").At("/subscriptionId")
	ErrPaying    = domain.Conflict("leavers-card-pays", "the leaver's card pays for the subscription: it needs another card first").ByRule("S13").At("/subscriptionId").
			Allowed("AddBackupCard", domain.GlobalAdmin, domain.BillingAdmin)
)
