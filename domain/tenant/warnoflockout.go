package tenant

import (
	"time"

	"konto/domain"
	"konto/domain/recovery"
)

// WarnOfLockout looks whether no global admin could recover their account any
// more from a time on, though one could until then: when the first days of a
// trial end, or a version of the recovery policy comes into force. Of one time
// it warns once.
type WarnOfLockout struct {
	From time.Time `json:"from"`
}

// Needs implements [domain.Needer].
func (WarnOfLockout) Needs(m Meta) []domain.Need { return recoverers(m) }

// Decide implements [domain.Command].
func (c WarnOfLockout) Decide(t Tenant, m Meta) ([]Event, error) {
	switch {
	case !t.Exists():
		return nil, ErrNotFound
	case t.LockoutFrom.Equal(c.From) || t.gateAt(c.From, m) == recovery.GateOne || !t.exposed(m):
		return nil, nil
	}
	return []Event{LockoutForeseen(c)}, nil
}

// exposed reports whether a global admin has one kind of contact, and none
// both.
func (t Tenant) exposed(m Meta) bool {
	one := false
	for _, id := range t.inOffice(m) {
		contacts := domain.Fact[recovery.Contacts](m, id)
		if contacts.Pass(recovery.GateTwo) {
			return false
		}
		one = one || contacts.Pass(recovery.GateOne)
	}
	return one
}

// gateAt is the gate of the organization's global admins at a time, as far as
// it is known now.
func (t Tenant) gateAt(at time.Time, m Meta) recovery.Gate {
	m.At = at
	return t.gate(0, m)
}

// LockoutForeseen records that no global admin could recover their account from
// a time on, unless one verifies another contact.
type LockoutForeseen struct {
	From time.Time `json:"from"`
}

// Evolve implements [domain.Event].
func (e LockoutForeseen) Evolve(t *Tenant) { t.LockoutFrom = e.From }
