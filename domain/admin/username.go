package admin

import (
	"errors"
	"slices"
	"strings"

	"konto/domain"
)

// UserNamePolicy says how long a name to sign in with may be.
var UserNamePolicy = domain.Policy[UserNameTerms]{
	Name: "user-names",
	// The limits that Microsoft Entra ID documents for user names.
	First: UserNameTerms{MaxCharacters: 113, MaxLocalCharacters: 64, MaxDomainCharacters: 48},
}

// UserNameTerms are the limits of a name, in bytes of its normalized form.
type UserNameTerms struct {
	MaxCharacters       int `json:"maxCharacters"`       // 6 to 320
	MaxLocalCharacters  int `json:"maxLocalCharacters"`  // before the @, 1 to 64
	MaxDomainCharacters int `json:"maxDomainCharacters"` // after the @, 4 to 255
}

// Validate says which of the limits mail itself does not know (RFC 5321
// §4.5.3.1), or would leave no name at all.
func (t UserNameTerms) Validate() error {
	switch {
	case t.MaxLocalCharacters < 1 || t.MaxLocalCharacters > 64:
		return errors.New("maxLocalCharacters must be 1 to 64")
	case t.MaxDomainCharacters < 4 || t.MaxDomainCharacters > 255:
		return errors.New("maxDomainCharacters must be 4 to 255")
	case t.MaxCharacters < 6 || t.MaxCharacters > 320:
		return errors.New("maxCharacters must be 6 to 320")
	}
	return nil
}

// signInName returns a as a name to sign in with.
func (t UserNameTerms) signInName(a Address) (string, *domain.Error) {
	if !a.OK {
		return "", ErrSignInName.With("reason", a.Reason)
	}
	local := strings.TrimSuffix(a.Normalized, "@"+a.Domain)
	switch {
	case len(a.Normalized) > t.MaxCharacters, len(local) > t.MaxLocalCharacters, len(a.Domain) > t.MaxDomainCharacters:
		return "", ErrSignInName.With("reason", "too long").With("maxCharacters", t.MaxCharacters).
			With("maxLocalCharacters", t.MaxLocalCharacters).With("maxDomainCharacters", t.MaxDomainCharacters)
	case strings.HasSuffix(local, "."):
		return "", ErrSignInName.With("reason", "a dot right before the @")
	}
	return a.Normalized, nil
}

// ChangeUserName changes the name that a person signs in with. The old one
// stays as an alias, so that no mail is lost and nobody else can take it. A
// name that differs in letter case alone changes nothing. The alternate address
// is dealt with as by [AddAlias].
type ChangeUserName struct {
	UserName string `json:"userName"` // a mail address
}

// Needs implements [domain.Needer].
func (c ChangeUserName) Needs(m Meta) []domain.Need {
	return append(proofs(m, c.UserName), UserNamePolicy.Need())
}

// Reserves implements [domain.Reserver].
func (c ChangeUserName) Reserves(m Meta) []domain.Reservation {
	return append(reserve(m, c.UserName, "/userName"), shut(m, c.UserName)...)
}

// Cautions implements [domain.Cautioner].
func (ChangeUserName) Cautions() []domain.Caution {
	return []domain.Caution{
		{Code: "sign-in-changes", Detail: "the person signs in with the new name from now on; tell them before they try the old one"},
		{Code: "takes-a-day", Detail: "other services may need up to 24 hours to know the new name"},
		{Code: "keep-old-address", Detail: "the old name stays as an alias and keeps receiving mail; no other account can ever have it"},
	}
}

// Decide implements [domain.Command].
func (c ChangeUserName) Decide(a Admin, m Meta) ([]Event, error) {
	if err := a.usable(); err != nil {
		return nil, err
	}
	if err := managed(m); err != nil {
		return nil, err
	}
	name, wrong := UserNamePolicy.In(m).signInName(domain.Fact[Address](m, c.UserName))
	switch {
	case wrong != nil:
		return nil, wrong.At("/userName")
	case is(a.SignInName, name):
		return nil, nil
	}
	if err := a.proved(m, c.UserName); err != nil {
		return nil, err
	}
	return []Event{UserNameChanged{
		Old: a.SignInName, New: domain.About(m.ID, name), TakesProof: a.Has(domain.GlobalAdmin) && takesProof(m, c.UserName),
		Alias: 1 + slices.IndexFunc(a.Aliases, func(p domain.Personal[string]) bool { return is(p, name) }),
	}}, nil
}

// UserNameChanged records the name that a person signs in with.
type UserNameChanged struct {
	Old domain.Personal[string] `json:"old"`
	New domain.Personal[string] `json:"new"`
	// Alias counts from 1 which alias the new name was, in whose place the old
	// name now stands; 0: none, and the old name is another alias.
	Alias int `json:"alias,omitzero"`
	// TakesProof is as in [EmailAliasAdded].
	TakesProof bool `json:"takesProof,omitzero"`
}

// Evolve implements [domain.Event].
func (e UserNameChanged) Evolve(a *Admin) {
	a.SignInName = e.New
	if e.Alias < 1 || e.Alias > len(a.Aliases) {
		a.Aliases = append(slices.Clip(a.Aliases), e.Old)
		return
	}
	a.Aliases = slices.Clone(a.Aliases)
	a.Aliases[e.Alias-1] = e.Old
}
