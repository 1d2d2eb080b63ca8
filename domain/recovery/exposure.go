package recovery

import (
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"konto/domain"
)

// Exposures is the fact of the organizations that stricter terms could lock
// out (I8): those that have a global admin with one kind of contact, and none
// with both. Its key is one of [Shards].
type Exposures struct {
	Of map[string]Standing // by tenant
}

// shards is for ever: it says in which register an organization is.
const shards = 16

// Shards are the keys of all [Exposures]. There are several so that no stream
// hears of every organization's changes, and few so that whoever publishes a
// policy can read them all.
func Shards() []string {
	keys := make([]string, shards)
	for i := range keys {
		keys[i] = string("0123456789abcdef"[i])
	}
	return keys
}

// ShardOf returns the key of the [Exposures] that a tenant is among.
func ShardOf(tenant string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(tenant)) // never fails
	return Shards()[h.Sum32()%shards]
}

// Lockout is an organization that would lose its last recoverable global
// admin, and when.
type Lockout struct {
	Tenant string    `json:"tenant"`
	At     time.Time `json:"at"`
}

// LockedOut returns those among e that a version of the policy would lock out,
// of which m knows the others, in the order of their tenants' IDs. An
// organization that the versions before would have locked out by then is none
// of them: it has no recovery to lose.
func (e Exposures) LockedOut(m domain.Meta, v domain.Version[Terms]) []Lockout {
	var before []domain.Version[Terms]
	for _, other := range domain.Fact[domain.Terms[Terms]](m, Policy.Name).Versions {
		if other.Number < v.Number {
			before = append(before, other)
		}
	}
	earlier := Policy.Known(domain.Facts{}, before...)
	from := v.EffectiveAt
	if from.Before(m.At) {
		from = m.At // a version that is dated back makes a difference from now on
	}
	var lockouts []Lockout
	for _, tenant := range slices.Sorted(maps.Keys(e.Of)) {
		at, ever := v.Rules.TwoFrom(e.Of[tenant], from)
		if ever && Policy.In(domain.Meta{At: at, Facts: earlier}).GateOf(true, e.Of[tenant], at) == GateOne {
			lockouts = append(lockouts, Lockout{tenant, at})
		}
	}
	return lockouts
}

// Published returns a version that was published and that none overtakes by
// the time that it comes into force.
func Published(m domain.Meta, number int) (domain.Version[Terms], bool) {
	terms := domain.Fact[domain.Terms[Terms]](m, Policy.Name)
	for _, v := range terms.Versions {
		if _, in := terms.InForce(v.EffectiveAt); v.Number == number && in == number {
			return v, true
		}
	}
	return domain.Version[Terms]{}, false
}

// TwoFrom returns from when on, but not before a time, an account with a role
// has two gates, and whether that is ever so as things stand.
func (t Terms) TwoFrom(s Standing, from time.Time) (time.Time, bool) {
	if t.OneGateWithoutDomain && s.Domains < 2 {
		return time.Time{}, false
	}
	if s.TrialSince.IsZero() {
		return from, true
	}
	if ends := s.TrialSince.AddDate(0, 0, t.TrialDays); ends.After(from) {
		return ends, true
	}
	return from, true
}

// Raised reports whether a version that is published and not yet in force will
// take two proofs where one would have been enough by then. Who takes a proof
// away until then must leave two: the version was published when there were.
func Raised(m domain.Meta, s Standing) bool {
	return slices.ContainsFunc(Policy.Coming(m), func(v domain.Version[Terms]) bool {
		return len(Exposures{map[string]Standing{"": s}}.LockedOut(m, v)) > 0
	})
}
