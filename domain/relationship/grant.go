package relationship

import (
	"slices"
	"time"

	"konto/domain"
)

// maxProducts is the most products that a permission names.
const maxProducts = 100

// GrantPurchasePermission lets the customer buy something at the partner's
// expense. Where a second person must approve, or the caller wants one to, the
// permission waits for them.
type GrantPurchasePermission struct {
	Allowance
	SecondPerson bool          `json:"secondPerson,omitzero"`
	Acknowledge  []Consequence `json:"acknowledge"` // all of [Consequences]
}

// Needs implements [domain.Needer].
func (c GrantPurchasePermission) Needs(Meta) []domain.Need {
	needs := []domain.Need{Limits.Need(), Grantors.Need()}
	if c.Currency != "" {
		needs = append(needs, domain.Of[Currency](c.Currency))
	}
	return needs
}

// PurchasePermissionProposed records a permission that waits for a second
// person.
type PurchasePermissionProposed struct {
	PartnerID  string `json:"partnerId"`
	CustomerID string `json:"customerId"`
	Allowance
	Acknowledged []Consequence `json:"acknowledged"`
	ProposedBy   string        `json:"proposedBy"`
	At           time.Time     `json:"at"`
	// Approvers are the roles one of which the second person must have, by the
	// version of [Grantors] in force. Proposals without any are older than this
	// field; see [PurchasePermissionProposed.MayApprove].
	Approvers []domain.Role `json:"approvers,omitempty"`
}

// MayApprove returns the roles one of which the second person must have.
func (e PurchasePermissionProposed) MayApprove() []domain.Role {
	if len(e.Approvers) == 0 {
		return slices.Clone(Grantors.First.Roles)
	}
	return slices.Clone(e.Approvers)
}

// Evolve implements [domain.Event].
func (e PurchasePermissionProposed) Evolve(r *Relationship) {
	r.put(Permission{Allowance: e.Allowance, ProposedBy: e.ProposedBy})
}

// PurchasePermissionGranted records that the customer may buy from now on.
type PurchasePermissionGranted struct {
	PartnerID  string `json:"partnerId"`
	CustomerID string `json:"customerId"`
	Allowance
	Acknowledged []Consequence `json:"acknowledged"`
	ProposedBy   string        `json:"proposedBy"`
	GrantedBy    string        `json:"grantedBy"` // the second person, if there had to be one
	At           time.Time     `json:"at"`
}

// Evolve implements [domain.Event].
func (e PurchasePermissionGranted) Evolve(r *Relationship) {
	r.put(Permission{Allowance: e.Allowance, ProposedBy: e.ProposedBy, Granted: true})
}

// Decide implements [domain.Command].
func (c GrantPurchasePermission) Decide(r Relationship, m Meta) ([]Event, error) {
	terms := Limits.In(m)
	if err := r.mayPermit(terms, m); err != nil {
		return nil, err
	}
	if err := c.check(terms, m); err != nil {
		return nil, err
	}
	if p, ok := r.permission(c.Resource, c.Action, m.At); ok {
		if p.same(c.Allowance) {
			return nil, nil
		}
		return nil, ErrPermitted
	}
	// One that has expired, and that nobody has swept away yet, ends first.
	events := r.sweep(c.Resource, c.Action, m)
	if terms.SecondPerson || c.SecondPerson {
		return append(events, PurchasePermissionProposed{
			r.PartnerID, r.CustomerID, c.Allowance, Consequences(), m.Actor.ID, m.At, slices.Clone(Grantors.In(m).Roles),
		}), nil
	}
	return append(events, PurchasePermissionGranted{r.PartnerID, r.CustomerID, c.Allowance, Consequences(), m.Actor.ID, m.Actor.ID, m.At}), nil
}

// mayPermit holds the preconditions of rule P8.
func (r Relationship) mayPermit(terms PermissionTerms, m Meta) error {
	switch {
	case r.Status == "":
		return ErrNotFound
	case m.Actor.Tenant != r.PartnerID:
		return ErrNotPartner
	case !r.Active() || r.Type != Reseller:
		return ErrNoReseller
	case !slices.ContainsFunc(r.Subscriptions, func(s Subscription) bool { return s.OwnerRole || !terms.OwnerRole }):
		return ErrNoSubscription
	}
	return nil
}

func (c GrantPurchasePermission) check(terms PermissionTerms, m Meta) error {
	var errs []*domain.Error
	refuse := func(when bool, e *domain.Error) {
		if when {
			errs = append(errs, e)
		}
	}
	refuse(!terms.permit(c.Allowance), ErrNotPermittable.With("permits", slices.Clone(terms.Permits)))
	refuse(slices.ContainsFunc(Consequences(), func(q Consequence) bool { return !slices.Contains(c.Acknowledge, q) }),
		ErrNotAcknowledged.With("consequences", Consequences()))
	refuse(c.CapMinor < 0, ErrBounds.At("/capMinor"))
	refuse((c.CapMinor > 0) != (c.Currency != "") || c.Currency != "" && !domain.Fact[Currency](m, c.Currency).OK, ErrBounds.At("/currency"))
	refuse(c.expired(m.At), ErrBounds.At("/expiresAt"))
	refuse(!terms.last(c.Allowance, m.At), ErrBounds.At("/expiresAt").With("maxDays", terms.MaxDays))
	refuse(len(c.Products) > maxProducts, ErrBounds.At("/products"))
	for i, p := range c.Products {
		refuse(name(p, "") != nil || slices.Contains(c.Products[:i], p), ErrBounds.At("/products"))
	}
	return domain.All(errs...)
}

// ApprovePurchasePermission grants, as a second person, what a colleague
// proposed: what the caller saw of it, and only if it could be proposed now.
type ApprovePurchasePermission struct {
	Resource string `json:"resource"`
	Action   string `json:"action"`
}

// Needs implements [domain.Needer].
func (ApprovePurchasePermission) Needs(Meta) []domain.Need { return []domain.Need{Limits.Need()} }

// Decide implements [domain.Command].
func (c ApprovePurchasePermission) Decide(r Relationship, m Meta) ([]Event, error) {
	terms := Limits.In(m)
	if err := r.mayPermit(terms, m); err != nil {
		return nil, err
	}
	p, ok := r.permission(c.Resource, c.Action, m.At)
	switch {
	case !ok:
		return nil, ErrNoPermission
	case p.Granted:
		return nil, nil
	case p.ProposedBy == m.Actor.ID:
		return nil, ErrSamePerson
	case !terms.permit(p.Allowance):
		return nil, ErrProposalOutdated.With("permits", slices.Clone(terms.Permits))
	case !terms.last(p.Allowance, m.At):
		return nil, ErrProposalOutdated.With("maxDays", terms.MaxDays)
	}
	return []Event{PurchasePermissionGranted{r.PartnerID, r.CustomerID, p.Allowance, Consequences(), p.ProposedBy, m.Actor.ID, m.At}}, nil
}
