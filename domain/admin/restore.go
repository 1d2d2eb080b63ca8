package admin

import (
	"slices"
	"time"

	"konto/domain"
)

// RestoreEmployee gives a leaver's account back as it was, roles included. It
// can be done until the moment at which the data is no longer kept; an account
// that is in use changes nothing.
type RestoreEmployee struct{}

// Decide implements [domain.Command].
func (RestoreEmployee) Decide(a Admin, m Meta) ([]Event, error) {
	switch {
	case !a.Exists():
		return nil, ErrNotFound
	case a.Status == Active:
		return nil, nil
	case a.Status == Gone, a.Status == Offboarded && !m.At.Before(a.Leaving.RetainedUntil):
		return nil, ErrGone
	}
	return []Event{EmployeeRestored{Offboarding: a.Leaving.Offboarding, Roles: slices.Clone(a.Roles), At: m.At}}, nil
}

// EmployeeRestored records that a leaver's account can be used again.
type EmployeeRestored struct {
	Offboarding string        `json:"offboarding"` // that came to nothing
	Roles       []domain.Role `json:"roles,omitempty"`
	At          time.Time     `json:"at"`
}

// Evolve implements [domain.Event].
func (EmployeeRestored) Evolve(a *Admin) { a.Status, a.Leaving = Active, Leaving{} }
