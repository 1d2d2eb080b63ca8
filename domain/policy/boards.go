package policy

import (
	"maps"
	"slices"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/invoiceswitch"
	"konto/domain/organization"
)

// board is a tenant's team, and which of the addresses of the organization's
// profile there are: what is unpaid is told to the organization, too, and what
// stops the service to who looks after it.
type board struct {
	team
	Contact   bool `json:"contact,omitempty"`
	Technical bool `json:"technical,omitempty"`
	// Off are the unpaid invoices for which a subscription's service is off, the
	// first one first; only who tells of collecting keeps them.
	Off map[string][]string `json:"off,omitempty"`
}

// reaching are the steps of a process, keyed by tenant, that keeps a board.
func reaching(steps ...domain.Step[board]) []domain.Step[board] {
	return knowing(func(b *board) *team { return &b.team }, append(steps,
		domain.On(tenantOf[organization.OrganizationContactEmailChanged],
			func(b *board, e domain.Recorded[organization.OrganizationContactEmailChanged]) []domain.Effect {
				b.Contact = !e.Data.New.IsZero()
				return nil
			}),
		domain.On(tenantOf[organization.TechnicalContactChanged],
			func(b *board, e domain.Recorded[organization.TechnicalContactChanged]) []domain.Effect {
				b.Technical = !e.Data.New.IsZero()
				return nil
			}),
	)...)
}

// contacts are the addresses of the profile that are written to.
func (b *board) contacts(technical bool) []string {
	var all []string
	if b.Contact {
		all = append(all, domain.OrganizationContact)
	}
	if b.Technical && technical {
		all = append(all, domain.TechnicalContact)
	}
	return all
}

// tell is one mail for the owner of a card and for each of the team, and one
// for each contact. A contact's address that is somebody's own, too, gets the
// mail once.
func (b *board) tell(contacts []string, owner, template string, data func(person string) any) []domain.Effect {
	told := b.and(owner)
	effects := tell(told, template, data)
	for _, c := range contacts {
		effects = append(effects, domain.Notice{
			To: c, Channel: domain.Mail, Template: template, Data: data(c), Besides: slices.Clone(told),
		})
		told = append(told, c)
	}
	return effects
}

// support is who decides about switches to invoice, of whichever tenant:
// people of the operator's tenant who have the role, each with their tenant.
type support struct {
	People map[string]string `json:"people,omitempty"`
}

// atSupport keys the one memory of ask-support-to-decide.
func atSupport[E any](domain.Recorded[E]) string { return "support" }

func (s *support) gain(id, tenant string, roles ...domain.Role) {
	if !slices.Contains(roles, bs) {
		return
	}
	if s.People == nil {
		s.People = map[string]string{}
	}
	s.People[id] = tenant
}

func (s *support) leave(id string) { delete(s.People, id) }

// deciding are the steps by which a process keeps who billing support is.
func deciding(steps ...domain.Step[support]) []domain.Step[support] {
	return append(steps,
		domain.On(atSupport[admin.EmployeeAdded], func(s *support, e domain.Recorded[admin.EmployeeAdded]) []domain.Effect {
			s.gain(e.ID, e.Tenant, e.Data.Roles...)
			return nil
		}),
		domain.On(atSupport[admin.RoleAssigned], func(s *support, e domain.Recorded[admin.RoleAssigned]) []domain.Effect {
			s.gain(e.ID, e.Tenant, e.Data.Role)
			return nil
		}),
		domain.On(atSupport[admin.RoleRemoved], func(s *support, e domain.Recorded[admin.RoleRemoved]) []domain.Effect {
			if e.Data.Role == bs {
				s.leave(e.ID)
			}
			return nil
		}),
		domain.On(atSupport[admin.EmployeeBlocked], func(s *support, e domain.Recorded[admin.EmployeeBlocked]) []domain.Effect {
			s.leave(e.ID)
			return nil
		}),
		domain.On(atSupport[admin.EmployeeRestored], func(s *support, e domain.Recorded[admin.EmployeeRestored]) []domain.Effect {
			s.gain(e.ID, e.Tenant, e.Data.Roles...)
			return nil
		}),
	)
}

// What a message says of a case besides its status: to those who decide it that
// it waits for them, and to the customer that billing support has opened it.
const (
	toReview        invoiceswitch.Status = "to-review"
	openedBySupport invoiceswitch.Status = "opened-by-support"
)

// askSupport tells everybody who may decide that a case waits for them (C10),
// but not who opened it.
func askSupport(s *support, e domain.Recorded[invoiceswitch.InvoiceSwitchRequested]) []domain.Effect {
	var effects []domain.Effect
	for _, id := range slices.Sorted(maps.Keys(s.People)) {
		if id == e.Data.By || id == e.Data.OpenedBy {
			continue
		}
		effects = append(effects, domain.Notice{
			To: id, Tenant: s.People[id], Channel: domain.Mail, Template: invoiceSwitchStatus,
			Data: switchStatus{CaseID: e.ID, SubscriptionID: e.Data.SubscriptionID, Status: toReview, CustomerID: e.Tenant},
		})
	}
	return effects
}
