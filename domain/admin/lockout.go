package admin

import (
	"slices"

	"konto/domain"
	"konto/domain/recovery"
)

// successors are the needs by which somebody else is found who can take a
// leaving global admin's place (I8): one account after the other, until one is
// found. Of an organization whose leaver could not recover their own account
// nothing is asked but that somebody is a global admin: it has no recovery to
// lose.
func successors(m Meta) []domain.Need {
	needs := []domain.Need{
		domain.Of[Organization](m.Tenant), domain.Of[recovery.Contacts](m.ID), recovery.Policy.Need(),
	}
	for _, n := range needs {
		if !m.Facts.Has(n) {
			return needs
		}
	}
	gate, loses := toKeep(m)
	for _, id := range others(m) {
		colleague, contacts := domain.Of[Colleague](id), domain.Of[recovery.Contacts](id)
		if needs = append(needs, colleague); !m.Facts.Has(colleague) {
			break
		}
		if !succeeds(m, id) {
			continue
		}
		if !loses {
			break
		}
		if needs = append(needs, contacts); !m.Facts.Has(contacts) || passes(m, id, gate) {
			break
		}
	}
	return needs
}

// succeeded returns why the account may not cease to be a global admin's, or
// nil. An organization that has no recoverable global admin before the change
// does not lose one by it.
func succeeded(m Meta) error {
	gate, loses := toKeep(m)
	switch {
	case !slices.ContainsFunc(others(m), func(id string) bool { return succeeds(m, id) }):
		return ErrLast
	case loses && !followed(m, gate):
		return ErrLastRecoverable
	}
	return nil
}

// followed reports whether another global admin passes the gate.
func followed(m Meta, gate recovery.Gate) bool {
	return slices.ContainsFunc(others(m), func(id string) bool { return succeeds(m, id) && passes(m, id, gate) })
}

// proofs are the needs by which it is known whether the account may be given
// an address: its own alternate address would recover nothing any more (S3).
func proofs(m Meta, email string) []domain.Need {
	needs := []domain.Need{domain.Of[Address](email), domain.Of[Organization](m.Tenant), domain.Of[Alternate](m.ID)}
	if !takesProof(m, email) || !seated(m) {
		return needs
	}
	return append(needs, successors(m)...)
}

// shut is the reservation of the account whose alternate address is taken from
// its recovery, while no other global admin may leave.
func shut(m Meta, email string) []domain.Reservation {
	if !takesProof(m, email) || !seated(m) {
		return nil
	}
	return []domain.Reservation{Exit(m.Tenant)}
}

// proved returns why the account may not be given an address, or nil: it is
// the alternate address of the last global admin who could recover their
// account, and who could not without it (I8).
func (a Admin) proved(m Meta, email string) error {
	if !takesProof(m, email) || !a.Has(domain.GlobalAdmin) {
		return nil
	}
	gate, loses := toKeep(m)
	left := recovery.Contacts{Phone: domain.Fact[recovery.Contacts](m, m.ID).Phone}
	if !loses || left.Pass(gate) || followed(m, gate) {
		return nil
	}
	return ErrLastProof
}

// takesProof reports whether an address is the account's alternate address.
func takesProof(m Meta, email string) bool {
	for _, n := range []domain.Need{domain.Of[Address](email), domain.Of[Alternate](m.ID)} {
		if !m.Facts.Has(n) {
			return false
		}
	}
	address := domain.Fact[Address](m, email)
	return address.OK && is(domain.Fact[Alternate](m, m.ID).Email, address.Normalized)
}

// seated reports whether the account may be a global admin's.
func seated(m Meta) bool {
	return m.Facts.Has(domain.Of[Organization](m.Tenant)) &&
		slices.Contains(domain.Fact[Organization](m, m.Tenant).GlobalAdmins, m.ID)
}

// toKeep returns the gate that somebody else must pass when the account ceases
// to be a global admin's, and whether there is one: whatever the account itself
// does not pass, it does not take with it. A version of the policy that is
// published and not in force yet counts already: whether it locks anybody out
// was found from the accounts as they were then.
func toKeep(m Meta) (gate recovery.Gate, loses bool) {
	o := domain.Fact[Organization](m, m.Tenant)
	s := recovery.Standing{Domains: len(o.Domains), TrialSince: o.TrialSince}
	now := recovery.Policy.In(m).GateOf(true, s, m.At)
	if recovery.Raised(m, s) && passes(m, m.ID, recovery.GateTwo) {
		return recovery.GateTwo, true
	}
	return now, passes(m, m.ID, now)
}

// others are the accounts that may be another global admin's.
func others(m Meta) []string {
	var ids []string
	for _, id := range domain.Fact[Organization](m, m.Tenant).GlobalAdmins {
		if id != m.ID {
			ids = append(ids, id)
		}
	}
	return ids
}

// succeeds reports whether an account is known to be a global admin's.
func succeeds(m Meta, id string) bool {
	if !m.Facts.Has(domain.Of[Colleague](id)) {
		return false
	}
	c := domain.Fact[Colleague](m, id)
	return c.GlobalAdmin && c.Tenant == m.Tenant
}

// passes reports whether an account's contacts are known to pass the gate.
func passes(m Meta, id string, gate recovery.Gate) bool {
	return m.Facts.Has(domain.Of[recovery.Contacts](id)) && domain.Fact[recovery.Contacts](m, id).Pass(gate)
}
