package admin

import (
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
	somebody, recoverable := false, !loses
	for _, id := range others(m) {
		if !m.Facts.Has(domain.Of[Colleague](id)) || !succeeds(m, id) {
			continue
		}
		somebody = true
		if m.Facts.Has(domain.Of[recovery.Contacts](id)) && passes(m, id, gate) {
			recoverable = true
		}
	}
	switch {
	case !somebody:
		return ErrLast
	case !recoverable:
		return ErrLastRecoverable
	}
	return nil
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

func succeeds(m Meta, id string) bool {
	c := domain.Fact[Colleague](m, id)
	return c.GlobalAdmin && c.Tenant == m.Tenant
}

// passes reports whether an account's contacts pass the gate.
func passes(m Meta, id string, gate recovery.Gate) bool {
	return domain.Fact[recovery.Contacts](m, id).Pass(gate)
}
