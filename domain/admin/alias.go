package admin

import (
	"slices"

	"konto/domain"
)

// AddAlias gives the account another mail address. An address that the
// account has already changes nothing.
type AddAlias struct {
	Email string `json:"email"`
}

// Needs implements [domain.Needer].
func (c AddAlias) Needs(m Meta) []domain.Need {
	return []domain.Need{domain.Of[Address](c.Email), domain.Of[Organization](m.Tenant)}
}

// Reserves implements [domain.Reserver].
func (c AddAlias) Reserves(m Meta) []domain.Reservation { return reserve(m, c.Email, "/email") }

// Decide implements [domain.Command].
func (c AddAlias) Decide(a Admin, m Meta) ([]Event, error) {
	if err := a.usable(); err != nil {
		return nil, err
	}
	if err := managed(m); err != nil {
		return nil, err
	}
	email := domain.Fact[Address](m, c.Email)
	switch {
	case !email.OK:
		return nil, ErrAlias.With("reason", email.Reason)
	case a.Answers(email.Normalized):
		return nil, nil
	}
	return []Event{EmailAliasAdded{Email: domain.About(m.ID, email.Normalized)}}, nil
}

// EmailAliasAdded records that the account has another mail address.
type EmailAliasAdded struct {
	Email domain.Personal[string] `json:"email"`
}

// Evolve implements [domain.Event].
func (e EmailAliasAdded) Evolve(a *Admin) { a.Aliases = append(slices.Clip(a.Aliases), e.Email) }
