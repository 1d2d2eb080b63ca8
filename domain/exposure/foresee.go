package exposure

import (
	"konto/domain"
	"konto/domain/recovery"
)

// ForeseeLockouts finds the register's organizations that a published version
// of the recovery policy would lock out, so that they are told. It finds them
// again if the version was put off.
type ForeseeLockouts struct {
	Version int `json:"version"`
}

// Needs implements [domain.Needer].
func (ForeseeLockouts) Needs(Meta) []domain.Need { return []domain.Need{recovery.Policy.Need()} }

// Decide implements [domain.Command].
func (c ForeseeLockouts) Decide(r Register, m Meta) ([]Event, error) {
	v, ok := recovery.Published(m, c.Version)
	if !ok {
		return nil, nil
	}
	lockouts := ExposuresOf(m.ID, r).LockedOut(m, v)
	if len(lockouts) == 0 {
		return nil, nil
	}
	return []Event{LockoutsForeseen{Version: c.Version, Lockouts: lockouts}}, nil
}

// LockoutsForeseen records which of the register's organizations a version of
// the recovery policy would lock out, and when.
type LockoutsForeseen struct {
	Version  int                `json:"version"`
	Lockouts []recovery.Lockout `json:"lockouts"`
}

// Evolve implements [domain.Event].
func (LockoutsForeseen) Evolve(*Register) {}
