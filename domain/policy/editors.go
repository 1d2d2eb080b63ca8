package policy

import (
	"errors"
	"fmt"
	"slices"

	"konto/domain"
)

// RoleTerms name roles.
type RoleTerms struct {
	Roles []domain.Role `json:"roles"`
}

// Validate implements the check of published terms.
func (t RoleTerms) Validate() error {
	if len(t.Roles) == 0 {
		return errors.New("roles must name one role or more")
	}
	for i, r := range t.Roles {
		if !slices.Contains(domain.Roles(), r) {
			return fmt.Errorf("roles: there is no role %q", r)
		}
		if slices.Contains(t.Roles[:i], r) {
			return fmt.Errorf("roles: %s is named twice", r)
		}
	}
	return nil
}

// RolePolicy is what a grant reads of a policy: the roles that it names.
type RolePolicy struct {
	Name  string
	Terms string // which of its terms name them, if it has others
	Need  domain.Need
	First []domain.Role                   // that version 1 names
	In    func(domain.Meta) []domain.Role // that the version in force names; see [domain.Policy.In]
}

func rolesOf[P any](p domain.Policy[P], terms string, roles func(P) []domain.Role) *RolePolicy {
	return &RolePolicy{
		Name: p.Name, Terms: terms, Need: p.Need(), First: roles(p.First),
		In: func(m domain.Meta) []domain.Role { return roles(p.In(m)) },
	}
}

// PurchasePermission says who in a partner's company may let a customer buy at
// the partner's expense (rule P8). The text of the help page says that it
// needs an agent who administers; the page's heading and older pages name
// global admins and sales agents.
var PurchasePermission = domain.Policy[RoleTerms]{
	Name:  "purchase-permission",
	First: RoleTerms{Roles: []domain.Role{aa}},
}

// CustomerEditors says who in a partner's company may change what it keeps
// about a customer (rule P1). The help page names two roles. The table of
// roles in the same documentation also lets the agents who administer and who
// help customers do it; the page is the narrower one, so it is version 1.
var CustomerEditors = domain.Policy[RoleTerms]{
	Name:  "customer-editors",
	First: RoleTerms{Roles: []domain.Role{ga, sa}},
}
