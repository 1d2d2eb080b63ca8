package admin

import (
	"slices"

	"konto/domain"
)

// AssignRole gives the account a role. A role that it has changes nothing.
type AssignRole struct {
	Role domain.Role `json:"role"`
}

// Decide implements [domain.Command].
func (c AssignRole) Decide(a Admin, m Meta) ([]Event, error) {
	if err := a.usable(); err != nil {
		return nil, err
	}
	if err := assignable(m, c.Role, "/role"); err != nil {
		return nil, err
	}
	if slices.Contains(a.Roles, c.Role) {
		return nil, nil
	}
	return []Event{RoleAssigned(c)}, nil
}

// RoleAssigned records that the account has a role.
type RoleAssigned struct {
	Role domain.Role `json:"role"`
}

// Evolve implements [domain.Event].
func (e RoleAssigned) Evolve(a *Admin) { a.Roles = append(slices.Clip(a.Roles), e.Role) }
