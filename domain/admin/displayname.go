package admin

import "konto/domain"

// ChangeDisplayName changes the name that the account is shown under.
type ChangeDisplayName struct {
	DisplayName string `json:"displayName"`
}

// Needs implements [domain.Needer].
func (ChangeDisplayName) Needs(m Meta) []domain.Need {
	return []domain.Need{domain.Of[Organization](m.Tenant)}
}

// Decide implements [domain.Command].
func (c ChangeDisplayName) Decide(a Admin, m Meta) ([]Event, error) {
	if err := a.usable(); err != nil {
		return nil, err
	}
	if err := managed(m); err != nil {
		return nil, err
	}
	name, ok := displayable(c.DisplayName)
	e := DisplayNameChanged{DisplayName: domain.About(m.ID, name)}
	switch {
	case !ok:
		return nil, ErrDisplayName
	case same(a.DisplayName, e.DisplayName):
		return nil, nil
	}
	return []Event{e}, nil
}

// DisplayNameChanged records the name that the account is shown under.
type DisplayNameChanged struct {
	DisplayName domain.Personal[string] `json:"displayName"`
}

// Evolve implements [domain.Event].
func (e DisplayNameChanged) Evolve(a *Admin) { a.DisplayName = e.DisplayName }
