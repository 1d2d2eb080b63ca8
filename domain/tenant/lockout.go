package tenant

import (
	"slices"

	"konto/domain"
	"konto/domain/recovery"
)

// Own is the fact of what the tenant itself is: which other facts a decision
// needs depends on it. Its key is the tenant's ID.
type Own Tenant

// GlobalAdmin is the fact of whether an account is a global admin's who can
// sign in, and whose. Its key is the account's ID.
type GlobalAdmin struct {
	Tenant string
	Is     bool
}

// Alternate is the fact of where an account's alternate address is, if it is
// verified and can be read. Its key is the account's ID.
type Alternate struct {
	Host string // A-label, without the person's part
}

// recoverers are the needs by which it is known whether the organization has a
// global admin who could recover their account.
func recoverers(m Meta) []domain.Need {
	needs := []domain.Need{domain.Of[Own](m.ID), recovery.Policy.Need()}
	if !m.Facts.Has(needs[0]) {
		return needs
	}
	for _, id := range domain.Fact[Own](m, m.ID).GlobalAdmins {
		needs = append(needs, domain.Of[GlobalAdmin](id), domain.Of[recovery.Contacts](id), domain.Of[Alternate](id))
	}
	return needs
}

// locksOut reports whether the organization would lose its last recoverable
// global admin with one more domain. One that has none has none to lose.
func (t Tenant) locksOut(name string, m Meta) bool {
	before, after := t.gate(0, m), t.gate(1, m)
	with := append(slices.Clip(t.Domains), name)
	recoverable, stays := false, false
	for _, id := range t.inOffice(m) {
		contacts := domain.Fact[recovery.Contacts](m, id)
		host := domain.Fact[Alternate](m, id).Host
		recoverable = recoverable || outside(contacts, host, t.Domains).Pass(before)
		stays = stays || outside(contacts, host, with).Pass(after)
	}
	return recoverable && !stays
}

// outside is what contacts are worth whose address is at a host: one in a
// domain of the organization recovers nothing (S3), also while it has still to
// be looked at again.
func outside(c recovery.Contacts, host string, domains []string) recovery.Contacts {
	c.Mail = c.Mail && !slices.ContainsFunc(domains, func(d string) bool { return domain.Within(host, d) })
	return c
}

// raises reports whether one more domain takes more proofs.
func (t Tenant) raises(m Meta) bool { return t.gate(0, m) != t.gate(1, m) }

// gate is the gate of the organization's global admins, with more domains than
// it has.
func (t Tenant) gate(more int, m Meta) recovery.Gate {
	return recovery.Policy.In(m).GateOf(true, recovery.Standing{Domains: len(t.Domains) + more, TrialSince: t.TrialSince}, m.At)
}

// inOffice are the global admins, as far as the decision knows of them: one
// who is seated in the meantime is not lost by not being counted.
func (t Tenant) inOffice(m Meta) []string {
	var ids []string
	for _, id := range t.GlobalAdmins {
		if !m.Facts.Has(domain.Of[GlobalAdmin](id)) {
			continue
		}
		if a := domain.Fact[GlobalAdmin](m, id); a.Is && a.Tenant == m.ID {
			ids = append(ids, id)
		}
	}
	return ids
}
