package admin

import "konto/domain"

// SetPrimaryEmail chooses which of the account's addresses its mail goes to.
// The one before stays an address of the account.
type SetPrimaryEmail struct {
	Email string `json:"email"`
}

// Needs implements [domain.Needer].
func (c SetPrimaryEmail) Needs(m Meta) []domain.Need {
	return []domain.Need{domain.Of[Address](c.Email), domain.Of[Organization](m.Tenant)}
}

// Cautions implements [domain.Cautioner].
func (SetPrimaryEmail) Cautions() []domain.Caution {
	return []domain.Caution{
		{Code: "mail-moves", Detail: "mail goes to the chosen address from now on; the name to sign in with stays as it is"},
	}
}

// Decide implements [domain.Command].
func (c SetPrimaryEmail) Decide(a Admin, m Meta) ([]Event, error) {
	if err := a.usable(); err != nil {
		return nil, err
	}
	if err := managed(m); err != nil {
		return nil, err
	}
	email := domain.Fact[Address](m, c.Email)
	if !email.OK {
		return nil, ErrAlias.With("reason", email.Reason)
	}
	chosen, ok := a.own(email.Normalized)
	switch {
	case !ok:
		return nil, ErrNotOwn
	case is(a.Mail(), chosen.Value):
		return nil, nil
	}
	return []Event{PrimaryEmailChanged{Old: a.Mail(), New: chosen}}, nil
}

// PrimaryEmailChanged records where the account's mail goes.
type PrimaryEmailChanged struct {
	Old domain.Personal[string] `json:"old"`
	New domain.Personal[string] `json:"new"`
}

// Evolve implements [domain.Event].
func (e PrimaryEmailChanged) Evolve(a *Admin) { a.Primary = e.New }
