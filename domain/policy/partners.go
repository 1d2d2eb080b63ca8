package policy

import (
	"slices"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/relationship"
)

// partnerReactions tell both sides of what they are to each other, and of what
// the customer may buy and bought at the partner's expense (rules N16, P8).
// Each side has a process of its own, since its memory is the side's people.
func partnerReactions() []domain.Reaction {
	partner := func(partner, _ string) string { return partner }
	customer := func(_, customer string) string { return customer }
	return []domain.Reaction{
		domain.Process("tell-partner-of-relationship", append(
			telling(partner, func(a *agents, tenant, template string, data any) []domain.Effect {
				return letters(a.all(), tenant, template, data)
			}),
			domain.On(tenantOf[admin.EmployeeAdded], func(a *agents, e domain.Recorded[admin.EmployeeAdded]) []domain.Effect {
				a.gain(e.ID, e.Data.Roles...)
				return nil
			}),
			domain.On(tenantOf[admin.RoleAssigned], func(a *agents, e domain.Recorded[admin.RoleAssigned]) []domain.Effect {
				a.gain(e.ID, e.Data.Role)
				return nil
			}),
			domain.On(tenantOf[admin.RoleRemoved], func(a *agents, e domain.Recorded[admin.RoleRemoved]) []domain.Effect {
				a.lose(e.ID, e.Data.Role)
				return nil
			}),
		)...),
		domain.Process("tell-customer-of-relationship", knowing(func(t *team) *team { return t },
			telling(customer, func(t *team, tenant, template string, data any) []domain.Effect {
				return letters(t.and(), tenant, template, data)
			})...)...),
	}
}

// agents are a partner's people who look after customers.
type agents struct {
	Agents map[string][]domain.Role `json:"agents,omitempty"`
}

func (a *agents) gain(id string, roles ...domain.Role) {
	for _, r := range roles {
		if r != ga && r != aa && r != sa || slices.Contains(a.Agents[id], r) {
			continue
		}
		if a.Agents == nil {
			a.Agents = map[string][]domain.Role{}
		}
		a.Agents[id] = append(a.Agents[id], r)
	}
}

func (a *agents) lose(id string, role domain.Role) {
	kept := slices.DeleteFunc(a.Agents[id], func(r domain.Role) bool { return r == role })
	if len(kept) == 0 {
		delete(a.Agents, id)
		return
	}
	a.Agents[id] = kept
}

// all returns everybody, in an order that a replay repeats.
func (a *agents) all() []string {
	var ids []string
	for id := range a.Agents {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
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
	Change    string    `json:"change"` // "granted", "revoked" or "expired"
	Resource  string    `json:"resource"`
	Action    string    `json:"action"`
	CapMinor  int64     `json:"capMinor,omitzero"`
	Currency  string    `json:"currency,omitzero"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	Products  []string  `json:"products"`
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
				s, "granted", e.Resource, e.Action, e.CapMinor, e.Currency, e.ExpiresAt, append([]string{}, e.Products...),
			}
		}),
		says(of, tell, purchasePermissionChanged, func(e relationship.PurchasePermissionRevoked) (sides, any) {
			s := sides{e.PartnerID, e.CustomerID}
			change := "revoked"
			switch {
			case !e.Granted: // nobody was told that it was proposed
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
