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
	// FirstCredentials say how the person gets what they first sign in with;
	// absent: that is arranged elsewhere.
	FirstCredentials *FirstCredentials `json:"firstCredentials,omitempty"`
}

// Needs implements [domain.Needer].
func (c AddEmployee) Needs(m Meta) []domain.Need {
	needs := []domain.Need{UserNamePolicy.Need(), domain.Of[Address](c.SignInName)}
	if c.Locale != "" {
		needs = append(needs, domain.Of[Locale](c.Locale))
	}
	if c.FirstCredentials != nil {
		needs = append(needs, c.FirstCredentials.needs(m)...)
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
	address := domain.Fact[Address](m, c.SignInName)
	name, err := UserNamePolicy.In(m).signInName(address)
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
	e := EmployeeAdded{
		Tenant:      m.Tenant,
		SignInName:  domain.About(m.ID, name),
		DisplayName: domain.About(m.ID, display),
		Locale:      locale.Tag,
		Roles:       roles,
	}
	if c.FirstCredentials != nil {
		e.CredentialsBy = c.FirstCredentials.By
		e.CredentialsTo, e.PhoneData, err = c.FirstCredentials.to(m, address)
		wrong = append(wrong, err)
	}
	return e, domain.All(wrong...)
}

func same(a, b domain.Personal[string]) bool { return a.Readable() && a.Value == b.Value }

// EmployeeAdded records that a person has an account.
type EmployeeAdded struct {
	Tenant      string                  `json:"tenant"`
	SignInName  domain.Personal[string] `json:"signInName"`
	DisplayName domain.Personal[string] `json:"displayName"`
	Locale      string                  `json:"locale,omitempty"`
	Roles       []domain.Role           `json:"roles,omitempty"`
	// CredentialsBy says how the person gets their first credentials; empty if
	// nobody said.
	CredentialsBy Handover `json:"credentialsBy,omitzero"`
	// CredentialsTo is the personal address or the phone that they go to.
	CredentialsTo domain.Personal[string] `json:"credentialsTo,omitzero"`
	// PhoneData says which numbering plans that phone was read by.
	PhoneData string `json:"phoneData,omitzero"`
}

// Evolve implements [domain.Event].
func (e EmployeeAdded) Evolve(a *Admin) {
	*a = Admin{
		Tenant: e.Tenant, SignInName: e.SignInName, DisplayName: e.DisplayName,
		Locale: e.Locale, Roles: slices.Clone(e.Roles),
	}
}

// Handover is how first credentials reach a person.
type Handover string

// The ways of a handover. The new work mailbox is none: who cannot sign in yet
// cannot read it (S12).
const (
	PersonalMail Handover = "personal-mail" // to an address outside the organization
	Print        Handover = "print"         // on paper, in person
	PhoneCall    Handover = "phone"         // by voice
)

// FirstCredentials say how a person gets what they first sign in with. The
// credentials themselves are not Konto's.
type FirstCredentials struct {
	By Handover `json:"by"`
	To string   `json:"to,omitempty"` // a mail address or a phone number; nothing for print
}

// Rejections of first credentials.
var (
	ErrHandover = domain.Invalid("handover-unknown", "first credentials go by personal-mail, print or phone; print goes to no address").ByRule("S12").At("/firstCredentials/by")
	ErrWorkMail = domain.Invalid("credentials-to-work-mailbox", "the new mailbox cannot be read before the first sign-in; send the credentials to a personal address, print them or call").ByRule("S12").At("/firstCredentials/to")
	ErrPersonal = domain.Invalid("credentials-address-invalid", "the address is not a valid mail address").ByRule("S12").At("/firstCredentials/to")
	ErrCall     = domain.Invalid("credentials-phone-invalid", "the number is not one that can be called").ByRule("S12").At("/firstCredentials/to")
)

func (f FirstCredentials) needs(m Meta) []domain.Need {
	needs := []domain.Need{domain.Of[Organization](m.Tenant)}
	switch {
	case f.By == PersonalMail:
		needs = append(needs, domain.Of[Address](f.To))
	case f.By == PhoneCall && m.Facts.Has(needs[0]):
		needs = append(needs, domain.Of[Phone](f.phone(m)))
	}
	return needs
}

// phone is the key of the number: it is read in the organization's country.
func (f FirstCredentials) phone(m Meta) string {
	return domain.Fact[Organization](m, m.Tenant).Country + " " + f.To
}

// to returns where the credentials go, and which numbering plans that was read
// by if it is a phone.
func (f FirstCredentials) to(m Meta, work Address) (to domain.Personal[string], data string, err *domain.Error) {
	switch {
	case f.By == Print && f.To == "":
		return to, "", nil
	case f.By == PersonalMail:
		a := domain.Fact[Address](m, f.To)
		switch {
		case !a.OK:
			return to, "", ErrPersonal.With("reason", a.Reason)
		case strings.EqualFold(a.Normalized, work.Normalized),
			slices.ContainsFunc(domain.Fact[Organization](m, m.Tenant).Domains, func(d string) bool { return domain.Within(a.Domain, d) }):
			return to, "", ErrWorkMail
		}
		return domain.About(m.ID, a.Normalized), "", nil
	case f.By == PhoneCall:
		p := domain.Fact[Phone](m, f.phone(m))
		if !p.OK {
			return to, "", ErrCall
		}
		return domain.About(m.ID, p.Number), p.Data, nil
	}
	return to, "", ErrHandover
}
