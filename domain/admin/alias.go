package admin

import (
	"slices"

	"konto/domain"
)

// AddAlias gives the account another mail address. An address that the
// account has already changes nothing. Its alternate address recovers the
// account no longer, and is refused where that would leave the organization
// without a global admin who could be recovered.
type AddAlias struct {
	Email string `json:"email"`
}

// Needs implements [domain.Needer].
func (c AddAlias) Needs(m Meta) []domain.Need {
	return proofs(m, c.Email)
}

// Reserves implements [domain.Reserver].
func (c AddAlias) Reserves(m Meta) []domain.Reservation {
	return append(reserve(m, c.Email, "/email"), shut(m, c.Email)...)
}

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
	if err := a.proved(m, c.Email); err != nil {
		return nil, err
	}
	return []Event{EmailAliasAdded{Email: domain.About(m.ID, email.Normalized), TakesProof: a.Has(domain.GlobalAdmin) && takesProof(m, c.Email)}}, nil
}

// EmailAliasAdded records that the account has another mail address.
type EmailAliasAdded struct {
	Email domain.Personal[string] `json:"email"`
	// TakesProof says that it was a global admin's verified alternate address,
	// which recovers the account no longer.
	TakesProof bool `json:"takesProof,omitzero"`
}

// Evolve implements [domain.Event].
func (e EmailAliasAdded) Evolve(a *Admin) { a.Aliases = append(slices.Clip(a.Aliases), e.Email) }
