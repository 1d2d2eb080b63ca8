package tenant

import (
	"slices"

	"konto/domain"
	"konto/domain/recovery"
)

// VerifyDomain records that the organization has proved a domain to be its
// own. The proof itself, such as a DNS record, is the caller's to check. It is
// refused while it would lock the organization out (I8).
type VerifyDomain struct {
	Domain string `json:"domain"`
}

// Needs implements [domain.Needer].
func (c VerifyDomain) Needs(m Meta) []domain.Need {
	return append(recoverers(m), domain.Of[DomainName](c.Domain))
}

// Reserves implements [domain.Reserver]. While a domain comes that makes the
// organization need two proofs, no global admin leaves: the one who leaves and
// the domain would each count on the other's not happening.
func (c VerifyDomain) Reserves(m Meta) []domain.Reservation {
	reservations := reserve(m, c.Domain)
	if !m.Facts.Has(domain.Of[Own](m.ID)) {
		return reservations
	}
	t := Tenant(domain.Fact[Own](m, m.ID))
	if name := domain.Fact[DomainName](m, c.Domain).Name; t.Has(name) || !t.raises(m) {
		return reservations
	}
	return append(reservations, recovery.Exit(m.ID, ErrLeaving))
}

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
	if t.locksOut(d.Name, m) {
		return nil, ErrLocksOut
	}
	return []Event{DomainVerified{Domain: d.Name, TwoProofs: t.raises(m)}}, nil
}

// DomainVerified records that a domain is the organization's own.
type DomainVerified struct {
	Domain string `json:"domain"` // A-label
	// TwoProofs says that an account with a role needs two proofs to be
	// recovered because of this domain, where one was enough (S4).
	TwoProofs bool `json:"twoProofs,omitzero"`
}

// Evolve implements [domain.Event].
func (e DomainVerified) Evolve(t *Tenant) {
	t.Domains = append(slices.Clip(t.Domains), e.Domain)
}
