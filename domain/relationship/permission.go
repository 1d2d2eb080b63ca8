package relationship

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"konto/domain"
)

// Permission lets the customer buy something that the partner pays for.
type Permission struct {
	Allowance
	ProposedBy string `json:"proposedBy"` // the partner's person who asked for it
	Granted    bool   `json:"granted"`    // false while a second person must approve
	SpentMinor int64  `json:"spentMinor"` // of the cap; 0 without one
	// Purchases are the IDs of what was bought, so that none counts twice.
	Purchases []string `json:"purchases,omitempty"`
}

// Allowance is what a permission allows.
type Allowance struct {
	Resource string `json:"resource"` // such as "azure-reserved-instances"
	Action   string `json:"action"`   // such as "purchase"
	// CapMinor is the most that may be spent, in minor units of Currency
	// (ISO 4217). Zero is no cap, and then there is no currency.
	CapMinor int64  `json:"capMinor,omitzero"`
	Currency string `json:"currency,omitzero"`
	// ExpiresAt is when it ends by itself; zero is never.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	// Products are the only ones that may be bought; empty is every product.
	Products []string `json:"products,omitempty"`
}

func (a Allowance) same(b Allowance) bool {
	return a.Resource == b.Resource && a.Action == b.Action && a.CapMinor == b.CapMinor && a.Currency == b.Currency &&
		a.ExpiresAt.Equal(b.ExpiresAt) && slices.Equal(a.Products, b.Products)
}

// expired reports whether a has ended by itself.
func (a Allowance) expired(at time.Time) bool {
	return !a.ExpiresAt.IsZero() && !at.Before(a.ExpiresAt)
}

// Currency is the fact of what a currency code is. Its key is the code.
type Currency struct {
	OK bool // ISO 4217 has it, and it is money
}

// Consequence is what a partner takes upon itself with a permission. Whoever
// grants one names them all, so that nobody does it unawares.
type Consequence string

// The consequences.
const (
	// PartnerPays says that the partner pays for all that the customer buys.
	PartnerPays Consequence = "partner-pays-for-every-purchase"
	// PartnerManages says that only the partner can exchange, cancel, renew or
	// rescope what the customer bought.
	PartnerManages Consequence = "only-partner-can-change-or-cancel"
)

// Consequences returns all consequences.
func Consequences() []Consequence { return []Consequence{PartnerPays, PartnerManages} }

// PermissionTerms say what may be permitted, and how.
type PermissionTerms struct {
	// Permits are the resources and actions that can be permitted, joined by a
	// slash.
	Permits []string `json:"permits"`
	// MaxDays is the longest that a permission lasts; 0 is without an end.
	MaxDays int `json:"maxDays"`
	// SecondPerson says that another of the partner's people must approve.
	SecondPerson bool `json:"secondPerson"`
	// OwnerRole says that the partner must own a subscription there.
	OwnerRole bool `json:"ownerRole"`
}

// Validate implements the check of published terms.
func (t PermissionTerms) Validate() error {
	if len(t.Permits) == 0 {
		return errors.New("permits must name one resource and action or more")
	}
	for i, p := range t.Permits {
		resource, action, ok := strings.Cut(p, "/")
		if !ok || name(resource, "") != nil || name(action, "") != nil {
			return fmt.Errorf("permits: %q must be a resource and an action, joined by a slash", p)
		}
		if slices.Contains(t.Permits[:i], p) {
			return fmt.Errorf("permits: %s is named twice", p)
		}
	}
	if t.MaxDays < 0 || t.MaxDays > 3660 {
		return errors.New("maxDays must be 0-3660")
	}
	return nil
}

// permit reports whether t lets anybody permit what a is about.
func (t PermissionTerms) permit(a Allowance) bool {
	return slices.Contains(t.Permits, a.Resource+"/"+a.Action)
}

// last reports whether t lets a be granted at a time for as long as it says.
func (t PermissionTerms) last(a Allowance, at time.Time) bool {
	return t.MaxDays == 0 || !a.ExpiresAt.IsZero() && !a.ExpiresAt.After(at.AddDate(0, 0, t.MaxDays))
}

// Limits are what permissions are bounded by. Version 1 is Partner Center's:
// one resource, one action, on until it is turned off.
var Limits = domain.Policy[PermissionTerms]{
	Name:  "purchase-permission-limits",
	First: PermissionTerms{Permits: []string{"azure-reserved-instances/purchase"}, OwnerRole: true},
}

// Grantors says who in a partner's company may let a customer buy at the
// partner's expense (rule P8), and approve that a colleague does. The text of
// the help page says that it needs an agent who administers; the page's heading
// and older pages name global admins and sales agents. The authorization asks
// it; here it tells whom to ask for approval.
var Grantors = domain.Policy[domain.RoleTerms]{
	Name:  "purchase-permission",
	First: domain.RoleTerms{Roles: []domain.Role{domain.AdminAgent}},
}

// Rejections of rule P8, and of N17, which bounds it. The authorization adds to
// them who may, by [Grantors].
var (
	ErrNoReseller = domain.Conflict("not-an-active-reseller", "the partner is not an active reseller of the customer").
			ByRule("P8").Allowed("RequestRelationship")
	ErrNotPermittable = domain.Invalid("not-permittable", "nobody can be permitted to do this to that").
				ByRule("P8").At("/resource")
	ErrNoSubscription = domain.Conflict("no-active-subscription", "the partner has bought no active subscription for the customer that it owns there").
				ByRule("P8").Allowed("RecordPartnerSubscription")
	ErrNotAcknowledged = domain.Invalid("consequences-not-acknowledged", "name what the partner takes upon itself").
				ByRule("P8").At("/acknowledge")
	ErrPermitted = domain.Conflict("permission-exists", "there is a permission with other bounds; revoke it first").
			ByRule("P8").Allowed("RevokePurchasePermission")
	ErrNoPermission = domain.Conflict("no-purchase-permission", "there is no such permission").
			ByRule("P8").Allowed("GrantPurchasePermission")
	ErrSamePerson = domain.Forbidden("second-person-needed", "another of the partner's people must approve").
			ByRule("N17")
	ErrProposalOutdated = domain.Conflict("proposal-outdated", "the rules have become stricter since it was proposed; revoke it and propose what they allow").
				ByRule("N17").Allowed("RevokePurchasePermission")
	ErrBounds = domain.Invalid("permission-bounds-invalid", "the bounds cannot be used").
			ByRule("N17")
	ErrOverCap = domain.Conflict("purchase-over-cap", "the purchase is more than the permission allows").
			ByRule("N17").Allowed("GrantPurchasePermission")
	ErrOtherProduct = domain.Conflict("product-not-permitted", "the permission does not name the product").
			ByRule("N17").Allowed("GrantPurchasePermission")
	ErrOtherCurrency = domain.Conflict("currency-not-permitted", "the permission's cap is in another currency").
				ByRule("N17").Allowed("GrantPurchasePermission")
	ErrPurchase = domain.Invalid("purchase-invalid", "the purchase cannot be recorded").
			ByRule("P8")
)

// permission returns what there is of a permission at a time, also one that
// waits for approval.
func (r Relationship) permission(resource, action string, at time.Time) (Permission, bool) {
	i := r.index(resource, action)
	if i < 0 || r.Permissions[i].expired(at) {
		return Permission{}, false
	}
	return r.Permissions[i], true
}

func (r Relationship) index(resource, action string) int {
	return slices.IndexFunc(r.Permissions, func(p Permission) bool { return p.Resource == resource && p.Action == action })
}

// put makes p the permission of its resource and action.
func (r *Relationship) put(p Permission) {
	r.Permissions = slices.Clone(r.Permissions)
	if i := r.index(p.Resource, p.Action); i >= 0 {
		r.Permissions[i] = p
		return
	}
	r.Permissions = append(r.Permissions, p)
}

// name checks what a provider calls something.
func name(s, pointer string) *domain.Error {
	if s == "" || len(s) > 100 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' }) {
		return ErrBounds.At(pointer).With("want", "1-100 visible ASCII characters without a slash")
	}
	return nil
}
