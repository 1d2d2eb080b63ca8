package tenant

import (
	"slices"

	"konto/domain"
)

// VerifyDomain records that the organization has proved a domain to be its
// own. The proof itself, such as a DNS record, is the caller's to check.
type VerifyDomain struct {
	Domain string `json:"domain"`
}

// Needs implements [domain.Needer].
func (c VerifyDomain) Needs(Meta) []domain.Need {
	return []domain.Need{domain.Of[DomainName](c.Domain)}
}

// Reserves implements [domain.Reserver].
func (c VerifyDomain) Reserves(m Meta) []domain.Reservation { return reserve(m, c.Domain) }

// Decide implements [domain.Command].
func (c VerifyDomain) Decide(t Tenant, m Meta) ([]Event, error) {
	d := domain.Fact[DomainName](m, c.Domain)
	switch {
	case !t.Exists():
		return nil, ErrNotFound
	case !d.OK:
		return nil, ErrDomain.With("reason", d.Reason)
	case t.Has(d.Name):
		return nil, nil
	}
	return []Event{DomainVerified{Domain: d.Name}}, nil
}

// DomainVerified records that a domain is the organization's own.
type DomainVerified struct {
	Domain string `json:"domain"` // A-label
}

// Evolve implements [domain.Event].
func (e DomainVerified) Evolve(t *Tenant) {
	t.Domains = append(slices.Clip(t.Domains), e.Domain)
}
