package admin

import (
	"slices"
	"strconv"
	"strings"

	"konto/domain"
)

// AddEmployee opens an account. Adding it again with the same details does
// nothing.
type AddEmployee struct {
	SignInName  string        `json:"signInName"` // a mail address
	DisplayName string        `json:"displayName"`
	Locale      string        `json:"locale,omitempty"` // BCP 47; empty: the organization's
	Roles       []domain.Role `json:"roles,omitempty"`
}

// Limits of a sign-in name, in characters, as Microsoft Entra ID documents
// them for user names.
const (
	maxSignInName = 113
	maxLocalPart  = 64
	maxDomainPart = 48
)

// Needs implements [domain.Needer].
func (c AddEmployee) Needs(Meta) []domain.Need {
	needs := []domain.Need{domain.Of[Address](c.SignInName)}
	if c.Locale != "" {
		needs = append(needs, domain.Of[Locale](c.Locale))
	}
	return needs
}

// Reserves implements [domain.Reserver].
func (c AddEmployee) Reserves(m Meta) []domain.Reservation {
	return reserve(m, c.SignInName, "/signInName")
}

// Decide implements [domain.Command].
func (c AddEmployee) Decide(a Admin, m Meta) ([]Event, error) {
	e, err := c.added(m)
	switch {
	case err != nil:
		return nil, err
	case !a.Exists():
		return []Event{e}, nil
	case !same(a.SignInName, e.SignInName) || !same(a.DisplayName, e.DisplayName) ||
		a.Tenant != e.Tenant || a.Locale != e.Locale || !slices.Equal(a.Roles, e.Roles):
		return nil, ErrAdded
	}
	return nil, nil
}

func (c AddEmployee) added(m Meta) (EmployeeAdded, error) {
	var wrong []*domain.Error
	name, err := signInName(domain.Fact[Address](m, c.SignInName))
	wrong = append(wrong, err)
	display, ok := displayable(c.DisplayName)
	if !ok {
		wrong = append(wrong, ErrDisplayName)
	}
	locale := Locale{OK: true}
	if c.Locale != "" {
		locale = domain.Fact[Locale](m, c.Locale)
	}
	if !locale.OK {
		wrong = append(wrong, ErrLocale)
	}
	var roles []domain.Role
	for i, r := range c.Roles {
		wrong = append(wrong, assignable(m, r, "/roles/"+strconv.Itoa(i)))
		if !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	return EmployeeAdded{
		Tenant:      m.Tenant,
		SignInName:  domain.About(m.ID, name),
		DisplayName: domain.About(m.ID, display),
		Locale:      locale.Tag,
		Roles:       roles,
	}, domain.All(wrong...)
}

func signInName(a Address) (string, *domain.Error) {
	if !a.OK {
		return "", ErrSignInName.With("reason", a.Reason)
	}
	local := strings.TrimSuffix(a.Normalized, "@"+a.Domain)
	switch {
	case len(a.Normalized) > maxSignInName, len(local) > maxLocalPart, len(a.Domain) > maxDomainPart:
		return "", ErrSignInName.With("reason", "longer than 113 characters, or 64 before or 48 after the @")
	case strings.HasSuffix(local, "."):
		return "", ErrSignInName.With("reason", "a dot right before the @")
	}
	return a.Normalized, nil
}

func same(a, b domain.Personal[string]) bool { return a.Readable() && a.Value == b.Value }

// EmployeeAdded records that a person has an account.
type EmployeeAdded struct {
	Tenant      string                  `json:"tenant"`
	SignInName  domain.Personal[string] `json:"signInName"`
	DisplayName domain.Personal[string] `json:"displayName"`
	Locale      string                  `json:"locale,omitempty"`
	Roles       []domain.Role           `json:"roles,omitempty"`
}

// Evolve implements [domain.Event].
func (e EmployeeAdded) Evolve(a *Admin) {
	*a = Admin{
		Tenant: e.Tenant, SignInName: e.SignInName, DisplayName: e.DisplayName,
		Locale: e.Locale, Roles: slices.Clone(e.Roles),
	}
}
