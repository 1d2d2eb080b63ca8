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
		domain.Whenever("open-exit-after-domain", func(e domain.Recorded[tenant.DomainVerified]) []domain.Effect {
			return openExit(e.Data.TwoProofs, e.Tenant, e.ID)
		}),
		domain.Process("open-exit-after-address",
			domain.On(forgetful[admin.EmailAliasAdded], func(_ *nothing, e domain.Recorded[admin.EmailAliasAdded]) []domain.Effect {
				return openExit(e.Data.TakesProof, e.Tenant, e.ID)
			}),
			domain.On(forgetful[admin.UserNameChanged], func(_ *nothing, e domain.Recorded[admin.UserNameChanged]) []domain.Effect {
				return openExit(e.Data.TakesProof, e.Tenant, e.ID)
			}),
		),
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

// exit is how long a global admin's leaving, a domain that takes more proofs,
// or an address that is one no more, keeps others from leaving: longer than any decision takes that may
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
	return append([]domain.Effect{domain.Dispatch{To: org, Command: tenant.UnseatGlobalAdmin{AdminID: id}}}, openExit(true, org, id)...)
}

// openExit lets global admins leave again a while after a change for which
// none could, if the exit was shut for it.
func openExit(shut bool, org, holder string) []domain.Effect {
	if !shut {
		return nil
	}
	r := admin.Exit(org)
	return []domain.Effect{domain.Dispatch{
		To: reservation.ID(r.Kind, r.Scope, r.Key), Command: reservation.ReleaseReservation{Holder: holder}, After: exit,
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
