package admin

import (
	"slices"

	"konto/domain"
)

// RemoveRole takes a role from the account. A role that it does not have
// changes nothing.
type RemoveRole struct {
	Role domain.Role `json:"role"`
}

// Decide implements [domain.Command].
func (c RemoveRole) Decide(a Admin, _ Meta) ([]Event, error) {
	switch {
	case !a.Exists():
		return nil, ErrNotFound
	case !slices.Contains(domain.Roles(), c.Role):
		return nil, ErrUnknownRole.At("/role")
	case !slices.Contains(a.Roles, c.Role):
		return nil, nil
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
