package admin

import "konto/domain"

// SwitchLanguage chooses the language that the person is written to in. It is
// theirs alone: the organization's stays as it is (C13).
type SwitchLanguage struct {
	Locale string `json:"locale"` // BCP 47; empty: the organization's
}

// Needs implements [domain.Needer].
func (c SwitchLanguage) Needs(Meta) []domain.Need {
	if c.Locale == "" {
		return nil
	}
	return []domain.Need{domain.Of[Locale](c.Locale)}
}

// Decide implements [domain.Command].
func (c SwitchLanguage) Decide(a Admin, m Meta) ([]Event, error) {
	if err := a.usable(); err != nil {
		return nil, err
	}
	locale := Locale{OK: true}
	if c.Locale != "" {
		locale = domain.Fact[Locale](m, c.Locale)
	}
	switch {
	case !locale.OK:
		return nil, ErrLocale
	case locale.Tag == a.Locale:
		return nil, nil
	}
	return []Event{LanguageSwitched{Old: a.Locale, New: locale.Tag}}, nil
}

// LanguageSwitched records the language that the person is written to in.
type LanguageSwitched struct {
	Old string `json:"old,omitzero"` // BCP 47; empty: the organization's
	New string `json:"new,omitzero"` // the same
}

// Evolve implements [domain.Event].
func (e LanguageSwitched) Evolve(a *Admin) { a.Locale = e.New }
