package organization

import (
	"konto/domain"
	"konto/domain/postal"
)

// ChangeSoldToAddress changes the organization's address.
type ChangeSoldToAddress struct {
	Address postal.Address `json:"address"` // without a country: the organization's
	// Confirmed says that the address is meant as it is, although there may be
	// a better spelling.
	Confirmed bool `json:"confirmed,omitzero"`
}

// Needs implements [domain.Needer].
func (c ChangeSoldToAddress) Needs(m Meta) []domain.Need { return addressNeeds(m, c.Address) }

// addressNeeds are the tenant and, once that is known, what the country's
// rules say of the address.
func addressNeeds(m Meta, a postal.Address) []domain.Need {
	needs := []domain.Need{domain.Of[Tenant](m.ID)}
	if m.Facts.Has(needs[0]) {
		needs = append(needs, placed(m, a).Need())
	}
	return needs
}

// placed is a in the organization's country, unless it says another.
func placed(m Meta, a postal.Address) postal.Address {
	if a.Country == "" {
		a.Country = domain.Fact[Tenant](m, m.ID).Country
	}
	return a
}

// Decide implements [domain.Command].
func (c ChangeSoldToAddress) Decide(p Profile, m Meta) ([]Event, error) {
	if !p.Exists() {
		return nil, ErrNotFound
	}
	e, wrong := moved(p, m, c.Address, c.Confirmed)
	if err := domain.All(wrong...); err != nil {
		return nil, err
	}
	if e == nil {
		return nil, nil
	}
	return []Event{*e}, nil
}

// moved returns the event of a move to a; nil if p is there.
func moved(p Profile, m Meta, a postal.Address, confirmed bool) (*SoldToAddressChanged, []*domain.Error) {
	a = placed(m, a)
	if a.Country != domain.Fact[Tenant](m, m.ID).Country {
		return nil, []*domain.Error{ErrCountry}
	}
	e := SoldToAddressChanged{Old: p.Address, New: domain.About(m.ID, a)}
	if same(e.Old, e.New) {
		return nil, nil
	}
	checked, wrong := a.Keep(m, "/address", confirmed)
	if wrong != nil {
		return nil, wrong
	}
	e.Checked, e.Changed = checked, p.Address.Value.Differs(a)
	return &e, nil
}

// SoldToAddressChanged records the organization's address, to which its bills
// are sold.
type SoldToAddressChanged struct {
	Old     domain.Personal[postal.Address] `json:"old,omitzero"` // absent: the first
	New     domain.Personal[postal.Address] `json:"new"`
	Changed []postal.Field                  `json:"changed"`
	Checked postal.Checked                  `json:"checked"`
}

// Evolve implements [domain.Event].
func (e SoldToAddressChanged) Evolve(p *Profile) { p.Address, p.AddressChecked = e.New, e.Checked }
