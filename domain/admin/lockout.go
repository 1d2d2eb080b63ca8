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
	gate := recoveryGate(m)
	asksContacts := passes(m, m.ID, gate)
	for _, id := range others(m) {
		colleague, contacts := domain.Of[Colleague](id), domain.Of[recovery.Contacts](id)
		if needs = append(needs, colleague); !m.Facts.Has(colleague) {
			break
		}
		if !succeeds(m, id) {
			continue
		}
		if !asksContacts {
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
	gate, somebody := recoveryGate(m), false
	recoverable := !passes(m, m.ID, gate)
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

// recoveryGate is the gate of the tenant's global admins.
func recoveryGate(m Meta) recovery.Gate {
	o := domain.Fact[Organization](m, m.Tenant)
	return recovery.Policy.In(m).GateOf(true, recovery.Standing{Domains: len(o.Domains), TrialSince: o.TrialSince}, m.At)
}
