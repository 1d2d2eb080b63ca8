package policy

import "konto/domain"

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

// CustomerEditors says who in a partner's company may change what it keeps
// about a customer (rule P1). The help page names two roles. The table of
// roles in the same documentation also lets the agents who administer and who
// help customers do it; the page is the narrower one, so it is version 1.
var CustomerEditors = domain.Policy[domain.RoleTerms]{
	Name:  "customer-editors",
	First: domain.RoleTerms{Roles: []domain.Role{ga, sa}},
}
