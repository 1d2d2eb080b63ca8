// Package relationship models what a partner may do for a customer: nothing,
// until the customer has accepted what the partner asked for.
//
// Guaranteed: only the partner named by the ID can ask, only a global admin of
// the customer can accept, and either side can end it unless something runs
// that the partner has bought for the customer (rule P9). A customer buys at
// the partner's expense only what a permission allows: until it expires, up to
// its cap, and the products that it names (P8). Permissions end with the
// relationship. Who accepts a relationship or approves a permission names the
// revision that they saw (X1): what waits can be replaced before they answer.
//
// Not guaranteed: that what somebody recorded of subscriptions, reservations
// and purchases is what their provider has. They are recorded facts about
// things that live elsewhere.
package relationship

import (
	"time"

	"konto/domain"
)

// Event is a fact about a relationship.
type Event = domain.Event[Relationship]

// Meta is what a decision may know besides the relationship and the command.
type Meta = domain.Meta

// Aggregate is the relationship's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"rel", "relationships",
	domain.Accepts[RequestRelationship]("RequestRelationship",
		domain.Summary("Ask a customer for a relationship, as a partner")),
	domain.Accepts[AcceptRelationship]("AcceptRelationship", domain.Approves(),
		domain.Summary("Accept the relationship that a partner has asked for")),
	domain.Accepts[EndRelationship]("EndRelationship",
		domain.Summary("End a relationship, or decline or withdraw a request for one")),

	domain.Accepts[RecordPartnerSubscription]("RecordPartnerSubscription",
		domain.Summary("Record whether a subscription that the partner bought for the customer is active")),
	domain.Accepts[RecordPartnerReservation]("RecordPartnerReservation",
		domain.Summary("Record whether a reservation that the partner bought for the customer is open")),
	domain.Accepts[GrantPurchasePermission]("GrantPurchasePermission",
		domain.Summary("Let the customer buy something that the partner pays for")),
	domain.Accepts[ApprovePurchasePermission]("ApprovePurchasePermission", domain.Approves(),
		domain.Summary("Approve, as a second person, what a colleague wants to let the customer buy")),
	domain.Accepts[RevokePurchasePermission]("RevokePurchasePermission",
		domain.Summary("Let the customer buy no more of it, or take back what waits for approval")),
	domain.Accepts[ExpirePurchasePermission]("ExpirePurchasePermission", domain.Internal(),
		domain.Summary("End a permission whose time has come")),
	domain.Accepts[RecordCustomerPurchase]("RecordCustomerPurchase",
		domain.Summary("Record what the customer bought under a permission")),

	domain.Records[RelationshipRequested]("RelationshipRequested"),
	domain.Records[RelationshipEstablished]("RelationshipEstablished"),
	domain.Records[RelationshipEnded]("RelationshipEnded"),
	domain.Records[PartnerSubscriptionRecorded]("PartnerSubscriptionRecorded"),
	domain.Records[PartnerReservationRecorded]("PartnerReservationRecorded"),
	domain.Records[PurchasePermissionProposed]("PurchasePermissionProposed"),
	domain.Records[PurchasePermissionGranted]("PurchasePermissionGranted"),
	domain.Records[PurchasePermissionRevoked]("PurchasePermissionRevoked"),
	domain.Records[CustomerPurchaseRecorded]("CustomerPurchaseRecorded"),
)

// Relationship is how a partner and a customer stand.
type Relationship struct {
	PartnerID  string    `json:"partnerId"`  // a tenant's ID
	CustomerID string    `json:"customerId"` // a tenant's ID
	Type       Type      `json:"type"`
	Status     Status    `json:"status"`
	Since      time.Time `json:"since,omitzero"` // of the status
	// Subscriptions are active and were bought by the partner for the customer.
	Subscriptions []Subscription `json:"subscriptions,omitempty"`
	// Reservations are open: bought by the partner, and not used up.
	Reservations []string     `json:"reservations,omitempty"`
	Permissions  []Permission `json:"permissions,omitempty"` // granted, or waiting for a second person
}

// Active reports whether the relationship is in force.
func (r Relationship) Active() bool { return r.Status == StatusActive }

// Type is what a partner is to a customer. Only a reseller may update the
// customer's account.
type Type string

// The types.
const (
	Reseller    Type = "reseller"
	Advisor     Type = "advisor"
	Syndication Type = "syndication"
	Support     Type = "support"
)

// Status is how far a relationship has come.
type Status string

// The statuses. A relationship without history has none.
const (
	StatusRequested Status = "requested"
	StatusActive    Status = "active"
	StatusEnded     Status = "ended"
)

// uuidLen is how long a tenant's ID is in its text form.
const uuidLen = 36

// ID returns the ID of the relationship of two tenants.
func ID(partner, customer string) string { return partner + "-" + customer }

// Parties returns the tenants that an ID names. Ok is false if it names none.
func Parties(id string) (partner, customer string, ok bool) {
	if len(id) != 2*uuidLen+1 || id[uuidLen] != '-' {
		return "", "", false
	}
	partner, customer = id[:uuidLen], id[uuidLen+1:]
	return partner, customer, partner != customer
}

// Rejections.
var (
	ErrNotFound = domain.NotFound("relationship-not-found", "no such relationship has been asked for").
			ByRule("P9").Allowed("RequestRelationship", domain.GlobalAdmin, domain.AdminAgent)
	ErrID = domain.Invalid("relationship-id-invalid", "the ID must be a partner's and another tenant's ID, joined by a dash").
		ByRule("P9").Allowed("", domain.GlobalAdmin, domain.AdminAgent)
	ErrType = domain.Invalid("relationship-type-unknown", "the type must be reseller, advisor, syndication or support").
		ByRule("P9").Allowed("", domain.GlobalAdmin, domain.AdminAgent).At("/type")
	ErrNotPartner = domain.Forbidden("not-the-partner", "only the partner that the ID names can ask").
			ByRule("P9").Allowed("", domain.GlobalAdmin, domain.AdminAgent)
	ErrNotCustomer = domain.Forbidden("not-the-customer", "only a global admin of the customer can accept").
			ByRule("P9").Allowed("EndRelationship", domain.GlobalAdmin)
	ErrNotParty = domain.Forbidden("not-a-party", "only the partner or the customer can end it").
			ByRule("P9").Allowed("", domain.GlobalAdmin)
	ErrActive = domain.Conflict("relationship-active", "there is a relationship of another type; end it first").
			ByRule("P9").Allowed("EndRelationship", domain.GlobalAdmin)
	ErrEnded = domain.Conflict("relationship-ended", "it has ended; the partner can ask again").
			ByRule("P9").Allowed("RequestRelationship", domain.GlobalAdmin, domain.AdminAgent)
	ErrInUse = domain.Conflict("relationship-in-use", "what the partner bought for the customer still runs").
			ByRule("P9").Allowed("", domain.GlobalAdmin, domain.AdminAgent)
	ErrReason = domain.Invalid("reason-too-long", "the reason must not be longer than 500 letters").
			ByRule("P9").Allowed("", domain.GlobalAdmin).At("/reason")
)
