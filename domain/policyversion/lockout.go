package policyversion

import (
	"encoding/json"
	"fmt"
	"time"

	"konto/domain"
	"konto/domain/recovery"
)

// Notice is how long before it comes into force a version is published that
// would lock organizations out as they are now: their global admins are told,
// and have that long to add a proof. Two weeks are longer than most people are
// away from their mail.
const Notice = 14 * 24 * time.Hour

// RecheckLead is how long before it comes into force a version is looked at
// again: longer than reactions take, so that what was decided before it was
// published is in the registers by then. What is decided after that reckons
// with the version itself.
const RecheckLead = time.Hour

// Postponement is for how long a version is put off that would still lock
// organizations out.
const Postponement = 7 * 24 * time.Hour

// guards are the needs by which it is known how many organizations a version
// of the policy would lock out. All policies but one lock nobody out.
func guards(m Meta) []domain.Need {
	if m.ID != recovery.Policy.Name {
		return nil
	}
	needs := []domain.Need{recovery.Policy.Need()}
	for _, shard := range recovery.Shards() {
		needs = append(needs, domain.Of[recovery.Exposures](shard))
	}
	return needs
}

// lockouts counts the organizations that v would lock out.
func lockouts(m Meta, v domain.Version[recovery.Terms]) int {
	n := 0
	for _, shard := range recovery.Shards() {
		n += len(domain.Fact[recovery.Exposures](m, shard).LockedOut(m, v))
	}
	return n
}

// locksOut returns how many organizations would be locked out by rules in force
// from a time on.
func locksOut(m Meta, number int, rules json.RawMessage, from time.Time) int {
	var terms recovery.Terms
	if m.ID != recovery.Policy.Name || json.Unmarshal(rules, &terms) != nil {
		return 0
	}
	return lockouts(m, domain.Version[recovery.Terms]{Number: number, EffectiveAt: from, Rules: terms})
}

// tooSoon is the refusal of a version that would lock n organizations out.
func tooSoon(m Meta, n int) *domain.Error {
	earliest := m.At.Add(Notice)
	e := ErrLocksOut.With("organizations", n).With("notBefore", earliest)
	who := "organizations"
	if n == 1 {
		who = "organization"
	}
	e.Detail = fmt.Sprintf("%d %s %s", n, who, e.Detail)
	return e
}
