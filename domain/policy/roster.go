package policy

import (
	"maps"
	"slices"

	"konto/domain"
	"konto/domain/admin"
)

// roster is a memory of which people have which roles: only IDs, since
// addresses and languages are looked up when a message leaves.
type roster map[string][]domain.Role

func (r *roster) gain(id string, roles ...domain.Role) {
	for _, role := range roles {
		if slices.Contains((*r)[id], role) {
			continue
		}
		if *r == nil {
			*r = roster{}
		}
		(*r)[id] = append((*r)[id], role)
	}
}

func (r *roster) lose(id string, role domain.Role) {
	kept := slices.DeleteFunc((*r)[id], func(has domain.Role) bool { return has == role })
	if len(kept) == 0 {
		delete(*r, id)
		return
	}
	(*r)[id] = kept
}

func (r *roster) leave(id string) { delete(*r, id) }

// all returns everybody, in an order that a replay repeats.
func (r *roster) all() []string { return slices.Sorted(maps.Keys(*r)) }

// with returns those who have one of the roles, in the same order.
func (r *roster) with(roles ...domain.Role) []string {
	return slices.DeleteFunc(r.all(), func(id string) bool {
		return !slices.ContainsFunc((*r)[id], func(has domain.Role) bool { return slices.Contains(roles, has) })
	})
}

// staffed is a memory that follows who has which role.
type staffed interface {
	gain(id string, roles ...domain.Role)
	lose(id string, role domain.Role)
	leave(id string)
}

// following are the steps by which a process with memory P, keyed by tenant,
// keeps what of returns.
func following[P any](of func(*P) staffed, steps ...domain.Step[P]) []domain.Step[P] {
	return append(steps,
		domain.On(tenantOf[admin.EmployeeAdded], func(p *P, e domain.Recorded[admin.EmployeeAdded]) []domain.Effect {
			of(p).gain(e.ID, e.Data.Roles...)
			return nil
		}),
		domain.On(tenantOf[admin.RoleAssigned], func(p *P, e domain.Recorded[admin.RoleAssigned]) []domain.Effect {
			of(p).gain(e.ID, e.Data.Role)
			return nil
		}),
		domain.On(tenantOf[admin.RoleRemoved], func(p *P, e domain.Recorded[admin.RoleRemoved]) []domain.Effect {
			of(p).lose(e.ID, e.Data.Role)
			return nil
		}),
		domain.On(tenantOf[admin.EmployeeBlocked], func(p *P, e domain.Recorded[admin.EmployeeBlocked]) []domain.Effect {
			of(p).leave(e.ID)
			return nil
		}),
		domain.On(tenantOf[admin.EmployeeRestored], func(p *P, e domain.Recorded[admin.EmployeeRestored]) []domain.Effect {
			of(p).gain(e.ID, e.Data.Roles...)
			return nil
		}),
	)
}
