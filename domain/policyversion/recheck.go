package policyversion

import (
	"slices"
	"time"

	"konto/domain"
	"konto/domain/recovery"
)

// RecheckPolicyVersion looks at a version again before it comes into force,
// and puts it off while it would lock an organization out (I8). What is in
// force already, or never will be, stays as it is.
type RecheckPolicyVersion struct {
	Version int `json:"version"`
}

// Needs implements [domain.Needer].
func (RecheckPolicyVersion) Needs(m Meta) []domain.Need { return guards(m) }

// Decide implements [domain.Command].
func (c RecheckPolicyVersion) Decide(_ Policy, m Meta) ([]Event, error) {
	if m.ID != recovery.Policy.Name {
		return nil, nil
	}
	v, ok := recovery.Published(m, c.Version)
	if !ok || !m.At.Before(v.EffectiveAt) {
		return nil, nil
	}
	n := lockouts(m, v)
	if n == 0 {
		return nil, nil
	}
	return []Event{PolicyVersionPostponed{
		Name: m.ID, Version: c.Version, From: v.EffectiveAt, EffectiveAt: v.EffectiveAt.Add(Postponement),
		LocksOut: n, PostponedAt: m.At,
	}}, nil
}

// PolicyVersionPostponed records that a version comes into force later than was
// said. It was not in force before.
type PolicyVersionPostponed struct {
	Name        string    `json:"name"`
	Version     int       `json:"version"`
	From        time.Time `json:"from"`
	EffectiveAt time.Time `json:"effectiveAt"`
	LocksOut    int       `json:"locksOut"` // organizations that it would lock out
	PostponedAt time.Time `json:"postponedAt"`
}

// Evolve implements [domain.Event].
func (e PolicyVersionPostponed) Evolve(p *Policy) {
	p.Versions = slices.Clone(p.Versions)
	for i := range p.Versions {
		v := &p.Versions[i]
		if v.Number != e.Version {
			continue
		}
		if v.AnnouncedFor.IsZero() {
			v.AnnouncedFor = v.EffectiveAt
		}
		v.EffectiveAt, v.LocksOut = e.EffectiveAt, e.LocksOut
	}
}
