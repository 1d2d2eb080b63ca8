package exposure

import (
	"time"

	"konto/domain"
	"konto/domain/recovery"
)

// ReviewOrganization looks whether an organization is exposed, after something
// changed that may have made a difference. Nothing new changes nothing.
type ReviewOrganization struct {
	TenantID string `json:"tenantId"`
}

// Needs implements [domain.Needer].
func (c ReviewOrganization) Needs(m Meta) []domain.Need {
	organization := domain.Of[Organization](c.TenantID)
	needs := []domain.Need{organization, recovery.Policy.Need()}
	if !m.Facts.Has(organization) {
		return needs
	}
	for _, id := range domain.Fact[Organization](m, c.TenantID).GlobalAdmins {
		needs = append(needs, domain.Of[GlobalAdmin](id), domain.Of[recovery.Contacts](id))
	}
	return needs
}

// Decide implements [domain.Command]. An organization that becomes exposed
// while a version is to come that would lock it out is told like those that
// were exposed when the version was published.
func (c ReviewOrganization) Decide(r Register, m Meta) ([]Event, error) {
	if recovery.ShardOf(c.TenantID) != m.ID {
		return nil, ErrShard
	}
	was, listed := r.Tenants[c.TenantID]
	is, exposed := c.look(m)
	switch {
	case !exposed && listed:
		return []Event{OrganizationCovered(c)}, nil
	case !exposed || listed && was.CustomDomain == is.CustomDomain && was.TrialSince.Equal(is.TrialSince):
		return nil, nil
	}
	events := []Event{OrganizationExposed{
		TenantID: c.TenantID, CustomDomain: is.CustomDomain, TrialSince: is.TrialSince, TwoProofsFrom: twoProofsFrom(is, m),
	}}
	alone := recovery.Exposures{Of: map[string]recovery.Standing{c.TenantID: is.Standing()}}
	for _, v := range recovery.Policy.Coming(m) {
		if lockouts := alone.LockedOut(m, v); len(lockouts) > 0 {
			events = append(events, LockoutsForeseen{Version: v.Number, Lockouts: lockouts})
		}
	}
	return events, nil
}

// look returns what the organization is, and whether it is exposed.
func (c ReviewOrganization) look(m Meta) (Entry, bool) {
	o := domain.Fact[Organization](m, c.TenantID)
	one := false
	for _, id := range o.GlobalAdmins {
		if a := domain.Fact[GlobalAdmin](m, id); !a.Is || a.Tenant != c.TenantID {
			continue
		}
		contacts := domain.Fact[recovery.Contacts](m, id)
		if contacts.Pass(recovery.GateTwo) {
			return Entry{}, false
		}
		one = one || contacts.Pass(recovery.GateOne)
	}
	return Entry{CustomDomain: o.CustomDomain, TrialSince: o.TrialSince}, o.Exists && one
}

// twoProofsFrom returns when a trial's first days end, if nothing else has to
// happen for two proofs to be needed then.
func twoProofsFrom(e Entry, m Meta) time.Time {
	terms := recovery.Policy.In(m)
	if at, ever := terms.TwoFrom(e.Standing(), m.At); ever && at.After(m.At) {
		return at
	}
	return time.Time{}
}

// OrganizationExposed records that one proof of one global admin is between an
// organization and being locked out, and what it is otherwise.
type OrganizationExposed struct {
	TenantID     string    `json:"tenantId"`
	CustomDomain bool      `json:"customDomain,omitempty"`
	TrialSince   time.Time `json:"trialSince,omitzero"`
	// TwoProofsFrom is when the first days of its trial end, from when on it
	// needs two; zero if that makes no difference.
	TwoProofsFrom time.Time `json:"twoProofsFrom,omitzero"`
}

// Evolve implements [domain.Event]. It changes the map where it is: a copy for
// each of many events would take the square of the time.
func (e OrganizationExposed) Evolve(r *Register) {
	if r.Tenants == nil {
		r.Tenants = map[string]Entry{}
	}
	r.Tenants[e.TenantID] = Entry{CustomDomain: e.CustomDomain, TrialSince: e.TrialSince}
}

// OrganizationCovered records that an organization is not exposed any more: a
// global admin has both proofs, or none has any.
type OrganizationCovered struct {
	TenantID string `json:"tenantId"`
}

// Evolve implements [domain.Event].
func (e OrganizationCovered) Evolve(r *Register) { delete(r.Tenants, e.TenantID) }
