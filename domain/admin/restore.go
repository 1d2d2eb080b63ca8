package admin

import (
	"slices"
	"time"

	"konto/domain"
)

// RestoreEmployee gives a leaver's account back as it was, roles included. It
// can be done until the moment at which the data is no longer kept, or its
// erasure begins; an account that is in use changes nothing.
type RestoreEmployee struct{}

// Needs implements [domain.Needer].
func (RestoreEmployee) Needs(m Meta) []domain.Need { return []domain.Need{domain.Of[Erasure](m.ID)} }

// Cautions implements [domain.Cautioner].
func (RestoreEmployee) Cautions() []domain.Caution {
	return []domain.Caution{
		{Code: "sign-in-again", Detail: "tokens from before the person left stay refused; they sign in again"},
		{Code: "roles-return", Detail: "the person has their roles again; who could not recover an account with a role is told what is missing"},
		{Code: "erasure-ends", Detail: "if an erasure of the person's data was asked for, it is taken back; after another departure somebody has to ask again"},
	}
}

// Decide implements [domain.Command].
func (RestoreEmployee) Decide(a Admin, m Meta) ([]Event, error) {
	switch {
	case !a.Exists():
		return nil, ErrNotFound
	case a.Status == Active:
		return nil, nil
	case a.Status == Gone, a.Status == Offboarded && !m.At.Before(a.Leaving.RetainedUntil):
		return nil, ErrGone
	case domain.Fact[Erasure](m, m.ID).Begun:
		return nil, ErrErased
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
