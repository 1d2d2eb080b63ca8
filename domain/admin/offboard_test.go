package admin_test

import (
	"testing"
	"time"

	"konto/domain"
	. "konto/domain/admin"
)

func TestOffboarding(t *testing.T) {
	roles := []domain.Role{domain.BillingAdmin, domain.GlobalAdmin}
	block := func(roles []domain.Role, at time.Time, effective, sessions time.Duration, days int) []Event {
		return []Event{
			EmployeeBlocked{Offboarding: "c", Roles: roles, At: at, EffectiveBy: at.Add(effective), RetainedUntil: at.AddDate(0, 0, days)},
			SessionsRevoked{At: at, EffectiveBy: at.Add(sessions)},
		}
	}
	offboarded := func(at time.Time, until time.Time) []Event {
		return []Event{EmployeeOffboarded{Offboarding: "o1", At: at, RetainedUntil: until}}
	}
	restored := then(left(domain.Auditor), EmployeeRestored{Offboarding: "o1", Roles: []domain.Role{domain.Auditor}, At: start.Add(day)})
	again := then(restored,
		EmployeeBlocked{Offboarding: "o2", At: start.Add(2 * day), EffectiveBy: start.Add(3 * day)},
		SessionsRevoked{At: start.Add(2 * day)})
	quick := OffboardingTerms{SessionMinutes: 5, BlockHours: 1, RetentionDays: 7}
	until := start.AddDate(0, 0, 30)
	run(t, []row{
		{"S13: sign-in is blocked and sessions end", usual(), added(domain.Auditor), OffboardEmployee{}, block([]domain.Role{domain.Auditor}, start, day, time.Hour, 30), nil},
		{"S13: by the times of a later version", usual().times(quick), added(), OffboardEmployee{}, block(nil, start, time.Hour, 5*time.Minute, 7), nil},
		{"S13: somebody who is blocked", usual(), blocked(), OffboardEmployee{}, nil, nil},
		{"S13: somebody who has left", usual(), left(), OffboardEmployee{}, nil, nil},
		{"S13: somebody whose data is gone", usual(), gone(), OffboardEmployee{}, nil, nil},
		{"S13: nobody", usual(), nil, OffboardEmployee{}, nil, ErrNotFound},
		{"S13: somebody who was restored leaves again", usual().at(day), restored, OffboardEmployee{}, block([]domain.Role{domain.Auditor}, start.Add(day), day, time.Hour, 30), nil},
		{"I8: a global admin leaves while there is another", usual(), added(roles...), OffboardEmployee{}, block(roles, start, day, time.Hour, 30), nil},
		{"I8: the only global admin stays", usual().admins("ann"), added(roles...), OffboardEmployee{}, nil, ErrLast},
		{"I8: the other one cannot sign in", usual().gina(Colleague{Tenant: "contoso"}), added(roles...), OffboardEmployee{}, nil, ErrLast},
		{"I8: who is no global admin may leave a tenant without one", usual().admins(), added(domain.Auditor), OffboardEmployee{}, block([]domain.Role{domain.Auditor}, start, day, time.Hour, 30), nil},

		{"S13: what is left behind is known", usual().at(time.Minute), blocked(), CompleteOffboarding{"o1"}, offboarded(start.Add(time.Minute), until), nil},
		{"S13: data is kept as long as the version of the block says", usual().times(quick), blocked(), CompleteOffboarding{"o1"}, offboarded(start, until), nil},
		{"S13: it is known already", usual(), left(), CompleteOffboarding{"o1"}, nil, nil},
		{"S13: it is known of an end that came to nothing", usual(), restored, CompleteOffboarding{"o1"}, nil, nil},
		{"S13: it is known of an earlier end", usual(), again, CompleteOffboarding{"o1"}, nil, nil},
		{"S13: it is known of nobody", usual(), nil, CompleteOffboarding{"o1"}, nil, ErrNotFound},

		{"S13: somebody who is blocked comes back", usual(), blocked(), RestoreEmployee{}, []Event{EmployeeRestored{Offboarding: "o1", At: start}}, nil},
		{"S13: somebody who has left comes back with their roles", usual().at(29 * day), left(roles...), RestoreEmployee{}, []Event{EmployeeRestored{Offboarding: "o1", Roles: roles, At: start.Add(29 * day)}}, nil},
		{"S13: the last moment", usual().at(30*day - time.Microsecond), left(), RestoreEmployee{}, []Event{EmployeeRestored{Offboarding: "o1", At: until.Add(-time.Microsecond)}}, nil},
		{"S13: a moment too late, though the end is not recorded yet", usual().at(30 * day), left(), RestoreEmployee{}, nil, ErrGone},
		{"S13: the data is gone", usual().at(31 * day), gone(), RestoreEmployee{}, nil, ErrGone},
		{"S13: somebody who never left", usual(), added(), RestoreEmployee{}, nil, nil},
		{"S13, N4: the data is erased", usual().erased(), left(), RestoreEmployee{}, nil, ErrErased},
		{"S13, N4: the data is erased while the block goes on", usual().erased(), blocked(), RestoreEmployee{}, nil, ErrErased},
		{"S13, N4: who is in use is not erased", usual().erased(), added(), RestoreEmployee{}, nil, nil},
		{"S13, N4: after the retention it is the retention", usual().erased().at(31 * day), gone(), RestoreEmployee{}, nil, ErrGone},
		{"S13: nobody comes back", usual(), nil, RestoreEmployee{}, nil, ErrNotFound},

		{"S13: thirty days are over", usual().at(30 * day), left(), ExpireRetention{"o1"}, []Event{EmployeeDataRetentionExpired{Offboarding: "o1", At: until}}, nil},
		{"S13: thirty days are not over", usual().at(30*day - time.Microsecond), left(), ExpireRetention{"o1"}, nil, nil},
		{"S13: thirty days are over after a restore", usual().at(30 * day), restored, ExpireRetention{"o1"}, nil, nil},
		{"S13: thirty days of an earlier end are over", usual().at(30 * day), then(again, EmployeeOffboarded{Offboarding: "o2", RetainedUntil: start.Add(day)}), ExpireRetention{"o1"}, nil, nil},
		{"S13: thirty days are over twice", usual().at(40 * day), gone(), ExpireRetention{"o1"}, nil, nil},
		{"S13: thirty days of nobody", usual(), nil, ExpireRetention{"o1"}, nil, ErrNotFound},
	})
}

func TestALeaverCountsForNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		events []Event
		status Status
		signIn bool
	}{
		"S13: in use":      {added(domain.GlobalAdmin), Active, true},
		"S13: blocked":     {blocked(domain.GlobalAdmin), Blocked, false},
		"S13: off-boarded": {left(domain.GlobalAdmin), Offboarded, false},
		"S13: gone":        {gone(domain.GlobalAdmin), Gone, false},
		"S13: restored":    {then(left(domain.GlobalAdmin), EmployeeRestored{}), Active, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := fold(c.events)
			if a.Status != c.status || a.CanSignIn() != c.signIn || a.Has(domain.GlobalAdmin) != c.signIn {
				t.Errorf("status %q, can sign in %v, acts as a global admin %v", a.Status, a.CanSignIn(), a.Has(domain.GlobalAdmin))
			}
			if len(a.Roles) != 1 {
				t.Errorf("roles = %v, want them kept for a restore", a.Roles)
			}
		})
	}
}

func TestTermsHaveRanges(t *testing.T) {
	t.Parallel()
	for _, err := range []error{UserNamePolicy.First.Validate(), OffboardingPolicy.First.Validate()} {
		if err != nil {
			t.Errorf("version 1 is out of its range: %v", err)
		}
	}
	for name, terms := range map[string]interface{ Validate() error }{
		"S11: no local part":       UserNameTerms{MaxCharacters: 113, MaxDomainCharacters: 48},
		"S11: more than mail has":  UserNameTerms{MaxCharacters: 113, MaxLocalCharacters: 65, MaxDomainCharacters: 48},
		"S11: no domain":           UserNameTerms{MaxCharacters: 113, MaxLocalCharacters: 64, MaxDomainCharacters: 3},
		"S11: no name":             UserNameTerms{MaxCharacters: 5, MaxLocalCharacters: 64, MaxDomainCharacters: 48},
		"S13: sessions for ever":   OffboardingTerms{SessionMinutes: 1441, BlockHours: 24, RetentionDays: 30},
		"S13: a block in the past": OffboardingTerms{BlockHours: -1, RetentionDays: 30},
		"S13: nothing is kept":     OffboardingTerms{BlockHours: 24},
	} {
		if terms.Validate() == nil {
			t.Errorf("%s: %+v is taken", name, terms)
		}
	}
}
