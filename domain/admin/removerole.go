package admin

import (
	"slices"

	"konto/domain"
	"konto/domain/recovery"
)

// RemoveRole takes a role from the account. A role that it does not have
// changes nothing. The last global admin who can sign in keeps theirs, and so
// does the last one who could recover their account. Who owns the billing
// profile takes the roles on it, their own included: a global admin gives it anew.
type RemoveRole struct {
	Role domain.Role `json:"role"`
}

// Needs implements [domain.Needer].
func (c RemoveRole) Needs(m Meta) []domain.Need {
	if c.Role != domain.GlobalAdmin {
		return nil
	}
	return successors(m)
}

// Reserves implements [domain.Reserver]. Global admins leave one by one: two
// who each count on the other would leave together. The key is held for a
// while after the role is gone, longer than any decision takes that may have
// seen it still there.
func (c RemoveRole) Reserves(m Meta) []domain.Reservation {
	if c.Role != domain.GlobalAdmin {
		return nil
	}
	return []domain.Reservation{Exit(m.Tenant)}
}

// Exit is the reservation of the account through which a tenant's global admin
// leaves.
func Exit(tenant string) domain.Reservation {
	return recovery.Exit(tenant, ErrLeaving)
}

// Decide implements [domain.Command].
func (c RemoveRole) Decide(a Admin, m Meta) ([]Event, error) {
	if err := a.usable(); err != nil {
		return nil, err
	}
	switch {
	case !slices.Contains(domain.Roles(), c.Role):
		return nil, ErrUnknownRole.At("/role")
	case !dealsWith(m, c.Role):
		return nil, ErrProfileRole.At("/role")
	case !slices.Contains(a.Roles, c.Role):
		return nil, nil
	}
	if c.Role == domain.GlobalAdmin {
		if err := succeeded(m); err != nil {
			return nil, err
		}
	}
	return []Event{RoleRemoved(c)}, nil
}

// RoleRemoved records that the account no longer has a role.
type RoleRemoved struct {
	Role domain.Role `json:"role"`
}

// Evolve implements [domain.Event].
func (e RoleRemoved) Evolve(a *Admin) {
	a.Roles = slices.DeleteFunc(slices.Clone(a.Roles), func(r domain.Role) bool { return r == e.Role })
}
