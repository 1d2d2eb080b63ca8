package securityinfo

import (
	"strings"
	"time"

	"konto/domain"
)

// RecheckAlternateEmail looks at the alternate address again after a domain
// of the organization was verified or the account got another address. An
// address that has become one of theirs can no longer recover the account.
type RecheckAlternateEmail struct{}

// Needs implements [domain.Needer].
func (RecheckAlternateEmail) Needs(m Meta) []domain.Need {
	return []domain.Need{domain.Of[Account](m.ID), domain.Of[Organization](m.Tenant)}
}

// Decide implements [domain.Command].
func (RecheckAlternateEmail) Decide(s SecurityInfo, m Meta) ([]Event, error) {
	if s.UpdatedAt.IsZero() {
		return nil, ErrNotFound
	}
	account, err := own(m)
	if err != nil {
		return nil, err
	}
	organization := domain.Fact[Organization](m, m.Tenant)
	theirs := func(p domain.Personal[string]) bool {
		_, name, ok := strings.Cut(p.Value, "@")
		return p.Readable() && ok && (account.owns(p.Value) || organization.runs(name))
	}
	var events []Event
	if theirs(s.AlternateEmail.Pending) {
		events = append(events, AlternateEmailInvalidated{
			Reason: BecameTenantAddress, Email: s.AlternateEmail.Pending, Waiting: true, At: m.At,
		})
	}
	if theirs(s.AlternateEmail.Verified) {
		events = append(events, AlternateEmailInvalidated{
			Reason: BecameTenantAddress, Email: s.AlternateEmail.Verified, At: m.At,
		})
	}
	return events, nil
}

// BecameTenantAddress is why an alternate address stops counting: the
// organization or the account itself now controls it.
const BecameTenantAddress = "became_tenant_address"

// AlternateEmailInvalidated records that an alternate address no longer
// counts.
type AlternateEmailInvalidated struct {
	Reason  string                  `json:"reason"`
	Email   domain.Personal[string] `json:"email"`
	Waiting bool                    `json:"waiting,omitempty"` // it was never verified, so it must be told nothing
	At      time.Time               `json:"at"`
}

// Evolve implements [domain.Event].
func (e AlternateEmailInvalidated) Evolve(s *SecurityInfo) {
	if m := &s.AlternateEmail; e.Waiting {
		m.withdraw()
	} else {
		m.Verified, m.VerifiedAt, m.UsableFrom = domain.Personal[string]{}, time.Time{}, time.Time{}
		s.Reset.forget(SlotAlternateEmail)
	}
	s.UpdatedAt = e.At
}
