package tenant

import (
	"strings"
	"time"

	"konto/domain"
)

// RegisterTenant opens an organization's account. Registering it again with
// the same details does nothing.
type RegisterTenant struct {
	Name     string `json:"name"`
	Country  string `json:"country"`         // ISO 3166-1 alpha-2
	Currency string `json:"currency"`        // ISO 4217
	Locale   string `json:"locale"`          // BCP 47
	Domain   string `json:"domain"`          // the initial domain
	Trial    bool   `json:"trial,omitempty"` // it is on a trial, whose first days ask less of a recovery (S4)
}

// Needs implements [domain.Needer].
func (c RegisterTenant) Needs(Meta) []domain.Need {
	return []domain.Need{
		domain.Of[Country](c.Country),
		domain.Of[Currency](c.Currency),
		domain.Of[Locale](c.Locale),
		domain.Of[DomainName](c.Domain),
	}
}

// Reserves implements [domain.Reserver].
func (c RegisterTenant) Reserves(m Meta) []domain.Reservation { return reserve(m, c.Domain) }

// Decide implements [domain.Command].
func (c RegisterTenant) Decide(t Tenant, m Meta) ([]Event, error) {
	e, err := c.registered(m)
	switch {
	case err != nil:
		return nil, err
	case !t.Exists():
		return []Event{e}, nil
	case t.Country != e.Country:
		return nil, ErrCountryImmutable
	case t.Name != e.Name || t.Currency != e.Currency || t.Locale != e.Locale || t.Domains[0] != e.Domain || t.TrialSince.IsZero() == c.Trial:
		return nil, ErrRegistered
	}
	return nil, nil
}

func (c RegisterTenant) registered(m Meta) (TenantRegistered, error) {
	var (
		name     = strings.TrimSpace(c.Name)
		country  = domain.Fact[Country](m, c.Country)
		currency = domain.Fact[Currency](m, c.Currency)
		locale   = domain.Fact[Locale](m, c.Locale)
		initial  = domain.Fact[DomainName](m, c.Domain)
		wrong    []*domain.Error
	)
	if domain.Blank(name) || !domain.Line(name, 256) {
		wrong = append(wrong, ErrName)
	}
	if !country.OK {
		wrong = append(wrong, ErrCountry)
	}
	if !currency.OK {
		wrong = append(wrong, ErrCurrency)
	}
	if !locale.OK {
		wrong = append(wrong, ErrLocale)
	}
	if !initial.OK {
		wrong = append(wrong, ErrDomain.With("reason", initial.Reason))
	}
	e := TenantRegistered{
		Name: name, Country: country.Code, Currency: currency.Code, Locale: locale.Tag, Domain: initial.Name,
	}
	if c.Trial {
		e.TrialSince = m.At
	}
	return e, domain.All(wrong...)
}

// TenantRegistered records that an organization has an account.
type TenantRegistered struct {
	Name     string `json:"name"`
	Country  string `json:"country"`
	Currency string `json:"currency"`
	Locale   string `json:"locale"`
	Domain   string `json:"domain"` // A-label
	// TrialSince is when the organization began a trial; zero if it is on none.
	TrialSince time.Time `json:"trialSince,omitzero"`
}

// Evolve implements [domain.Event].
func (e TenantRegistered) Evolve(t *Tenant) {
	*t = Tenant{Name: e.Name, Country: e.Country, Currency: e.Currency, Locale: e.Locale, Domains: []string{e.Domain}, TrialSince: e.TrialSince}
}
