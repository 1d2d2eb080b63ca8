package tenant

import (
	"maps"
	"slices"

	"konto/domain"
	"konto/domain/recovery"
)

// Officer is the fact of whether an account is somebody's who has a role and
// can sign in, and whose. Its key is the account's ID.
type Officer struct {
	Tenant string
	Is     bool
}

// The kinds of contact that may be missing.
const (
	MissingPhone = "phone"
	MissingEmail = "alternateEmail"
)

// ReviewRecovery looks whether somebody with a role could recover their
// account, after something changed that may have made a difference (S4). What
// was found already is not found again, unless more is missing.
type ReviewRecovery struct {
	AdminID string `json:"adminId"`
}

// Needs implements [domain.Needer].
func (c ReviewRecovery) Needs(domain.Meta) []domain.Need {
	return []domain.Need{domain.Of[Officer](c.AdminID), domain.Of[recovery.Contacts](c.AdminID), recovery.Policy.Need()}
}

// Decide implements [domain.Command].
func (c ReviewRecovery) Decide(t Tenant, m Meta) ([]Event, error) {
	if !t.Exists() {
		return nil, ErrNotFound
	}
	found, gap := t.RecoveryGaps[c.AdminID]
	gate, missing := t.gate(0, m), []string(nil)
	if o := domain.Fact[Officer](m, c.AdminID); o.Is && o.Tenant == m.ID {
		missing = lacks(domain.Fact[recovery.Contacts](m, c.AdminID), gate)
	}
	switch {
	case len(missing) == 0 && gap:
		return []Event{RecoveryGapClosed(c)}, nil
	case slices.ContainsFunc(missing, func(kind string) bool { return !slices.Contains(found, kind) }):
		return []Event{RecoveryGapFound{AdminID: c.AdminID, Gate: gate, Missing: missing}}, nil
	}
	return nil, nil
}

// lacks returns which kinds of contact are missing to pass the gate: with one
// gate, either is enough.
func lacks(c recovery.Contacts, g recovery.Gate) (missing []string) {
	if c.Pass(g) {
		return nil
	}
	if !c.Phone {
		missing = append(missing, MissingPhone)
	}
	if !c.Mail {
		missing = append(missing, MissingEmail)
	}
	return missing
}

// RecoveryGapFound records that somebody with a role could not recover their
// account.
type RecoveryGapFound struct {
	AdminID string        `json:"adminId"`
	Gate    recovery.Gate `json:"gate"`
	Missing []string      `json:"missing"` // [MissingPhone], [MissingEmail]; with one gate, either is enough
}

// Evolve implements [domain.Event].
func (e RecoveryGapFound) Evolve(t *Tenant) {
	t.RecoveryGaps = maps.Clone(t.RecoveryGaps)
	if t.RecoveryGaps == nil {
		t.RecoveryGaps = map[string][]string{}
	}
	t.RecoveryGaps[e.AdminID] = e.Missing
}

// RecoveryGapClosed records that somebody could recover their account again, or
// has no role to lose.
type RecoveryGapClosed struct {
	AdminID string `json:"adminId"`
}

// Evolve implements [domain.Event].
func (e RecoveryGapClosed) Evolve(t *Tenant) {
	t.RecoveryGaps = maps.Clone(t.RecoveryGaps)
	delete(t.RecoveryGaps, e.AdminID)
	if len(t.RecoveryGaps) == 0 {
		t.RecoveryGaps = nil
	}
}
