package admin

import (
	"errors"
	"slices"
	"time"

	"konto/domain"
)

// OffboardingPolicy says how long the end of an account takes.
var OffboardingPolicy = domain.Policy[OffboardingTerms]{
	Name: "off-boarding",
	// What Microsoft 365 documents: a session lives for up to an hour, a block
	// reaches every service within a day, data is kept for 30 days.
	First: OffboardingTerms{SessionMinutes: 60, BlockHours: 24, RetentionDays: 30},
}

// OffboardingTerms are the times that the end of an account takes.
type OffboardingTerms struct {
	SessionMinutes int `json:"sessionMinutes"` // that a revoked session lives on at most, 0 to 1,440
	BlockHours     int `json:"blockHours"`     // until nobody can sign in, 0 to 168
	RetentionDays  int `json:"retentionDays"`  // that data is kept after the block, 1 to 3,650
}

// Validate says which of the times is out of its range.
func (t OffboardingTerms) Validate() error {
	switch {
	case t.SessionMinutes < 0 || t.SessionMinutes > 1440:
		return errors.New("sessionMinutes must be 0 to 1440")
	case t.BlockHours < 0 || t.BlockHours > 168:
		return errors.New("blockHours must be 0 to 168")
	case t.RetentionDays < 1 || t.RetentionDays > 3650:
		return errors.New("retentionDays must be 1 to 3650")
	}
	return nil
}

// OffboardEmployee begins the end of a person's account: they cannot sign in,
// and their sessions end. What they leave behind is looked for next. An
// account that is on its way out already changes nothing.
type OffboardEmployee struct{}

// Needs implements [domain.Needer].
func (OffboardEmployee) Needs(m Meta) []domain.Need {
	return append(successors(m), OffboardingPolicy.Need())
}

// Reserves implements [domain.Reserver]; see [RemoveRole.Reserves].
func (OffboardEmployee) Reserves(m Meta) []domain.Reservation {
	if m.Facts.Has(domain.Of[Organization](m.Tenant)) &&
		!slices.Contains(domain.Fact[Organization](m, m.Tenant).GlobalAdmins, m.ID) {
		return nil
	}
	return []domain.Reservation{Exit(m.Tenant)}
}

// Cautions implements [domain.Cautioner].
func (OffboardEmployee) Cautions() []domain.Caution {
	return []domain.Caution{
		{Code: "takes-a-day", Detail: "a session may live on for an hour, and other services may let the person in for up to 24 hours"},
		{Code: "orphaned-items", Detail: "cards that the person added and subscriptions that they bought need somebody else; you will be told which"},
		{Code: "data-kept-for-a-while", Detail: "the account can be restored while its data is kept, and not after that"},
	}
}

// Decide implements [domain.Command].
func (OffboardEmployee) Decide(a Admin, m Meta) ([]Event, error) {
	switch {
	case !a.Exists():
		return nil, ErrNotFound
	case a.Status != Active:
		return nil, nil
	}
	if a.Has(domain.GlobalAdmin) {
		if err := succeeded(m); err != nil {
			return nil, err
		}
	}
	terms := OffboardingPolicy.In(m)
	return []Event{
		EmployeeBlocked{
			Offboarding: m.Command, Roles: slices.Clone(a.Roles), At: m.At,
			EffectiveBy:   m.At.Add(time.Duration(terms.BlockHours) * time.Hour),
			RetainedUntil: m.At.AddDate(0, 0, terms.RetentionDays),
		},
		SessionsRevoked{At: m.At, EffectiveBy: m.At.Add(time.Duration(terms.SessionMinutes) * time.Minute)},
	}, nil
}

// EmployeeBlocked records that a person can no longer sign in.
type EmployeeBlocked struct {
	Offboarding string        `json:"offboarding"` // ID of this end of the account
	Roles       []domain.Role `json:"roles,omitempty"`
	At          time.Time     `json:"at"`
	EffectiveBy time.Time     `json:"effectiveBy"` // when every service knows
	// RetainedUntil is until when the data is kept.
	RetainedUntil time.Time `json:"retainedUntil,omitzero"`
}

// Evolve implements [domain.Event].
func (e EmployeeBlocked) Evolve(a *Admin) {
	a.Status, a.Leaving = Blocked, Leaving{Offboarding: e.Offboarding, At: e.At, RetainedUntil: e.RetainedUntil}
}

// SessionsRevoked records that no session that began before counts any more.
type SessionsRevoked struct {
	At          time.Time `json:"at"`
	EffectiveBy time.Time `json:"effectiveBy"` // when the last token has run out
}

// Evolve implements [domain.Event].
func (e SessionsRevoked) Evolve(a *Admin) { a.SessionsRevokedAt = e.At }

// CompleteOffboarding says that what the leaver leaves behind is known. It does
// nothing if the account has been restored since, or off-boarded anew.
type CompleteOffboarding struct {
	Offboarding string `json:"offboarding"`
}

// Decide implements [domain.Command].
func (c CompleteOffboarding) Decide(a Admin, m Meta) ([]Event, error) {
	switch {
	case !a.Exists():
		return nil, ErrNotFound
	case a.Status != Blocked || a.Leaving.Offboarding != c.Offboarding:
		return nil, nil
	}
	return []Event{EmployeeOffboarded{Offboarding: c.Offboarding, At: m.At, RetainedUntil: a.Leaving.RetainedUntil}}, nil
}

// EmployeeOffboarded records that a person is a former employee, and until
// when their data is kept.
type EmployeeOffboarded struct {
	Offboarding   string    `json:"offboarding"`
	At            time.Time `json:"at"`
	RetainedUntil time.Time `json:"retainedUntil"`
}

// Evolve implements [domain.Event].
func (e EmployeeOffboarded) Evolve(a *Admin) {
	a.Status, a.Leaving.RetainedUntil = Offboarded, e.RetainedUntil
}

// ExpireRetention ends the time for which the data is kept. Before its time,
// and after a restore, it does nothing.
type ExpireRetention struct {
	Offboarding string `json:"offboarding"`
}

// Decide implements [domain.Command].
func (c ExpireRetention) Decide(a Admin, m Meta) ([]Event, error) {
	switch {
	case !a.Exists():
		return nil, ErrNotFound
	case a.Status != Offboarded || a.Leaving.Offboarding != c.Offboarding || m.At.Before(a.Leaving.RetainedUntil):
		return nil, nil
	}
	return []Event{EmployeeDataRetentionExpired{Offboarding: c.Offboarding, At: m.At}}, nil
}

// EmployeeDataRetentionExpired records that a former employee's data is no
// longer kept.
type EmployeeDataRetentionExpired struct {
	Offboarding string    `json:"offboarding"`
	At          time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (EmployeeDataRetentionExpired) Evolve(a *Admin) { a.Status = Gone }
