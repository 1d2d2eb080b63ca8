package policy

import (
	"slices"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/reservation"
	"konto/domain/subject"
	"konto/domain/tenant"
)

func peopleReactions() []domain.Reaction {
	return []domain.Reaction{
		domain.Process("seat-global-admins",
			domain.On(tenantOf[admin.EmployeeAdded], func(s *seats, e domain.Recorded[admin.EmployeeAdded]) []domain.Effect {
				return s.take(e.Tenant, e.ID, e.Data.Roles...)
			}),
			domain.On(tenantOf[admin.RoleAssigned], func(s *seats, e domain.Recorded[admin.RoleAssigned]) []domain.Effect {
				return s.take(e.Tenant, e.ID, e.Data.Role)
			}),
			domain.On(tenantOf[admin.EmployeeRestored], func(s *seats, e domain.Recorded[admin.EmployeeRestored]) []domain.Effect {
				return s.take(e.Tenant, e.ID, e.Data.Roles...)
			}),
			domain.On(tenantOf[admin.RoleRemoved], func(s *seats, e domain.Recorded[admin.RoleRemoved]) []domain.Effect {
				return s.leave(e.Tenant, e.ID, e.Data.Role)
			}),
			domain.On(tenantOf[admin.EmployeeBlocked], func(s *seats, e domain.Recorded[admin.EmployeeBlocked]) []domain.Effect {
				return s.leave(e.Tenant, e.ID, e.Data.Roles...)
			}),
			domain.On(tenantOf[tenant.TenantRegistered], seatEarlier),
		),
		domain.Whenever("open-exit-after-domain", openExit),
		domain.Whenever("erase-after-retention", func(e domain.Recorded[admin.EmployeeDataRetentionExpired]) []domain.Effect {
			return []domain.Effect{domain.Dispatch{To: e.ID, Command: subject.RequestErasure{}}}
		}),
		domain.Whenever("expire-retention", func(e domain.Recorded[admin.EmployeeOffboarded]) []domain.Effect {
			return []domain.Effect{domain.Dispatch{
				To: e.ID, Command: admin.ExpireRetention{Offboarding: e.Data.Offboarding},
				After: e.Data.RetainedUntil.Sub(e.Data.At) + late,
			}}
		}),
	}
}

// seats is what seat-global-admins remembers of a tenant: accounts of its
// global admins that were there before the tenant was.
type seats struct {
	Early      []string `json:"early,omitempty"`
	Registered bool     `json:"registered,omitempty"`
}

// exit is how long a global admin's leaving, or a domain that takes more
// proofs, keeps others from leaving: longer than any decision takes that may
// have seen things as they were before.
const exit = time.Minute

func (s *seats) take(org, id string, roles ...domain.Role) []domain.Effect {
	if !slices.Contains(roles, domain.GlobalAdmin) {
		return nil
	}
	if !s.Registered {
		s.Early = append(s.Early, id)
	}
	return []domain.Effect{domain.Dispatch{To: org, Command: tenant.SeatGlobalAdmin{AdminID: id}}}
}

func (s *seats) leave(org, id string, roles ...domain.Role) []domain.Effect {
	if !slices.Contains(roles, domain.GlobalAdmin) {
		return nil
	}
	s.Early = slices.DeleteFunc(s.Early, func(early string) bool { return early == id })
	r := admin.Exit(org)
	return []domain.Effect{
		domain.Dispatch{To: org, Command: tenant.UnseatGlobalAdmin{AdminID: id}},
		domain.Dispatch{
			To: reservation.ID(r.Kind, r.Scope, r.Key), Command: reservation.ReleaseReservation{Holder: id}, After: exit,
		},
	}
}

// openExit lets global admins leave again after a domain has come for which
// none could.
func openExit(e domain.Recorded[tenant.DomainVerified]) []domain.Effect {
	if !e.Data.TwoProofs {
		return nil
	}
	r := admin.Exit(e.Tenant)
	return []domain.Effect{domain.Dispatch{
		To: reservation.ID(r.Kind, r.Scope, r.Key), Command: reservation.ReleaseReservation{Holder: e.ID}, After: exit,
	}}
}

// seatEarlier catches up on accounts that were opened before the tenant was
// registered, whose seat was refused then.
func seatEarlier(s *seats, e domain.Recorded[tenant.TenantRegistered]) []domain.Effect {
	var effects []domain.Effect
	for _, id := range s.Early {
		effects = append(effects, domain.Dispatch{To: e.ID, Command: tenant.SeatGlobalAdmin{AdminID: id}})
	}
	s.Early, s.Registered = nil, true
	return effects
}
