package policy

import (
	"slices"
	"time"

	"konto/domain"
	"konto/domain/relationship"
)

// partnerReactions tell both sides of what they are to each other, and of what
// the customer may buy and bought at the partner's expense (rules N16, P8).
// Each side has a process of its own, since its memory is the side's people.
// Who is told may read the record that the message leads to: at the customer
// that is the global admins, and not those of billing (role table).
func partnerReactions() []domain.Reaction {
	partner := func(partner, _ string) string { return partner }
	customer := func(_, customer string) string { return customer }
	return []domain.Reaction{
		domain.Process("tell-partner-of-relationship", following(func(a *agents) staffed { return a }, append(
			telling(partner, func(a *agents, tenant, template string, data any) []domain.Effect {
				return letters(a.Agents.with(ga, aa, sa), tenant, template, data)
			}),
			domain.On(partnerOf, askToApprove),
		)...)...),
		domain.Process("tell-customer-of-relationship", knowing(func(t *team) *team { return t },
			telling(customer, func(t *team, tenant, template string, data any) []domain.Effect {
				return letters(t.Admins.with(ga), tenant, template, data)
			})...)...),
	}
}

// agents are a partner's people. Those of some roles look after customers; any
// role may be one that permissions need.
type agents struct {
	Agents roster `json:"agents,omitempty"`
}

func (a *agents) gain(id string, roles ...domain.Role) { a.Agents.gain(id, roles...) }

func (a *agents) lose(id string, role domain.Role) { a.Agents.lose(id, role) }

func (a *agents) leave(id string) { a.Agents.leave(id) }

func partnerOf(e domain.Recorded[relationship.PurchasePermissionProposed]) string {
	return e.Data.PartnerID
}

// askToApprove tells those who could be the second person that a permission
// waits for one (rule N17): the partner's others who have a role that may
// approve it. Where there is none, its global admins are told, who can make
// somebody one. Nobody else is, as long as nothing is permitted.
func askToApprove(a *agents, e domain.Recorded[relationship.PurchasePermissionProposed]) []domain.Effect {
	others := func(roles ...domain.Role) []string {
		return slices.DeleteFunc(a.Agents.with(roles...), func(id string) bool { return id == e.Data.ProposedBy })
	}
	d := e.Data
	people := others(d.MayApprove()...)
	if len(people) == 0 {
		people = others(ga)
	}
	return letters(people, d.PartnerID, purchasePermissionChanged, permissionChange{
		sides: sides{d.PartnerID, d.CustomerID}, Change: "proposed", Resource: d.Resource, Action: d.Action,
		CapMinor: d.CapMinor, Currency: d.Currency, ExpiresAt: d.ExpiresAt, Products: append([]string{}, d.Products...),
		Approvers: d.MayApprove(),
	})
}

// letters is one mail for each person of a tenant.
func letters(people []string, tenant, template string, data any) []domain.Effect {
	var effects []domain.Effect
	for _, person := range people {
		effects = append(effects, domain.Notice{To: person, Tenant: tenant, Channel: domain.Mail, Template: template, Data: data})
	}
	return effects
}

// sides names the tenants that a message is about.
type sides struct {
	PartnerID  string `json:"partnerId"`
	CustomerID string `json:"customerId"`
}

// standingChange is what relationship_changed shows.
type standingChange struct {
	sides
	Change string            `json:"change"` // "requested", "established" or "ended"
	Type   relationship.Type `json:"type"`
}

// permissionChange is what purchase_permission_changed shows.
type permissionChange struct {
	sides
	Change    string    `json:"change"` // "proposed", "granted", "revoked" or "expired"
	Resource  string    `json:"resource"`
	Action    string    `json:"action"`
	CapMinor  int64     `json:"capMinor,omitzero"`
	Currency  string    `json:"currency,omitzero"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	Products  []string  `json:"products"`
	// Approvers are the roles that may approve what was proposed.
	Approvers []domain.Role `json:"approvers,omitempty"`
}

// purchase is what purchase_made shows.
type purchase struct {
	sides
	Product      string    `json:"product"`
	AmountMinor  int64     `json:"amountMinor"`
	Currency     string    `json:"currency"`
	At           time.Time `json:"at"`
	CapLeftMinor *int64    `json:"capLeftMinor,omitempty"`
}

// telling are the steps that tell one side: which of the two tenants it is,
// and who is told there.
func telling[P any](of func(partner, customer string) string, tell func(p *P, tenant, template string, data any) []domain.Effect) []domain.Step[P] {
	return []domain.Step[P]{
		says(of, tell, relationshipChanged, func(e relationship.RelationshipRequested) (sides, any) {
			s := sides{e.PartnerID, e.CustomerID}
			return s, standingChange{s, "requested", e.Type}
		}),
		says(of, tell, relationshipChanged, func(e relationship.RelationshipEstablished) (sides, any) {
			s := sides{e.PartnerID, e.CustomerID}
			return s, standingChange{s, "established", e.Type}
		}),
		says(of, tell, relationshipChanged, func(e relationship.RelationshipEnded) (sides, any) {
			s := sides{e.PartnerID, e.CustomerID}
			return s, standingChange{s, "ended", e.Type}
		}),
		says(of, tell, purchasePermissionChanged, func(e relationship.PurchasePermissionGranted) (sides, any) {
			s := sides{e.PartnerID, e.CustomerID}
			return s, permissionChange{
				s, "granted", e.Resource, e.Action, e.CapMinor, e.Currency, e.ExpiresAt, append([]string{}, e.Products...), nil,
			}
		}),
		says(of, tell, purchasePermissionChanged, func(e relationship.PurchasePermissionRevoked) (sides, any) {
			s := sides{e.PartnerID, e.CustomerID}
			change := "revoked"
			switch {
			case !e.Granted: // nothing was permitted
				return s, nil
			case e.Reason == relationship.ReasonExpired:
				change = "expired"
			}
			return s, permissionChange{sides: s, Change: change, Resource: e.Resource, Action: e.Action, Products: []string{}}
		}),
		says(of, tell, purchaseMade, func(e relationship.CustomerPurchaseRecorded) (sides, any) {
			s := sides{e.PartnerID, e.CustomerID}
			return s, purchase{s, e.Product, e.AmountMinor, e.Currency, e.At, e.CapLeftMinor}
		}),
	}
}

func says[E, P any](
	of func(partner, customer string) string, tell func(p *P, tenant, template string, data any) []domain.Effect,
	template string, show func(E) (sides, any),
) domain.Step[P] {
	side := func(e domain.Recorded[E]) string {
		s, _ := show(e.Data)
		return of(s.PartnerID, s.CustomerID)
	}
	return domain.On(side, func(p *P, e domain.Recorded[E]) []domain.Effect {
		_, data := show(e.Data)
		if data == nil {
			return nil
		}
		return tell(p, side(e), template, data)
	})
}
