package policy_test

import (
	"slices"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/card"
	"konto/domain/policy"
	"konto/domain/reservation"
	"konto/domain/tenant"
)

func seat(id string) domain.Effect {
	return domain.Dispatch{To: own, Command: tenant.SeatGlobalAdmin{AdminID: id}}
}

// unseat is what follows when a global admin goes: their seat is taken, and a
// minute later the next one may go.
func unseat(id string) []domain.Effect {
	return []domain.Effect{
		domain.Dispatch{To: own, Command: tenant.UnseatGlobalAdmin{AdminID: id}},
		domain.Dispatch{
			To:      reservation.ID("global-admin-exit", own, "exit"),
			Command: reservation.ReleaseReservation{Holder: id}, After: time.Minute,
		},
	}
}

func TestGlobalAdminsAreSeated(t *testing.T) {
	const name = "seat-global-admins"
	both := []domain.Role{domain.Auditor, domain.GlobalAdmin}
	opened := event("ann", admin.EmployeeAdded{Tenant: own, Roles: both})
	registered := event(own, tenant.TenantRegistered{})
	run(t, []reactionCase{
		{name: "I8: an account is opened for one", reaction: name, when: opened, then: []domain.Effect{seat("ann")}},
		{name: "I8: an account is opened for another", reaction: name, when: event("ann", admin.EmployeeAdded{Tenant: own, Roles: both[:1]})},
		{name: "I8: the role is given", reaction: name, when: event("ann", admin.RoleAssigned{Role: domain.GlobalAdmin}), then: []domain.Effect{seat("ann")}},
		{name: "I8: another role is given", reaction: name, when: event("ann", admin.RoleAssigned{Role: domain.Auditor})},
		{name: "I8: the role is taken", reaction: name, given: []domain.Recorded[any]{opened}, when: event("ann", admin.RoleRemoved{Role: domain.GlobalAdmin}), then: unseat("ann")},
		{name: "I8: another role is taken", reaction: name, given: []domain.Recorded[any]{opened}, when: event("ann", admin.RoleRemoved{Role: domain.Auditor})},
		{name: "I8: one is blocked", reaction: name, given: []domain.Recorded[any]{opened}, when: event("ann", admin.EmployeeBlocked{Roles: both}), then: unseat("ann")},
		{name: "I8: another is blocked", reaction: name, when: event("ann", admin.EmployeeBlocked{Roles: both[:1]})},
		{name: "I8: one comes back", reaction: name, when: event("ann", admin.EmployeeRestored{Roles: both}), then: []domain.Effect{seat("ann")}},
		{name: "I8: the tenant is registered after its first account", reaction: name, given: []domain.Recorded[any]{opened}, when: registered, then: []domain.Effect{seat("ann")}},
		{name: "I8: and who has gone since is not seated", reaction: name, given: []domain.Recorded[any]{opened, event("ann", admin.RoleRemoved{Role: domain.GlobalAdmin})}, when: registered},
		{name: "I8: once is enough", reaction: name, given: []domain.Recorded[any]{registered, opened}, when: registered},
	})
}

func TestTheExitOpensAfterADomain(t *testing.T) {
	const name = "open-exit-after-domain"
	run(t, []reactionCase{
		{name: "I8: a domain that takes two proofs: a minute later", reaction: name, when: event(own, tenant.DomainVerified{Domain: "contoso.se", TwoProofs: true}), then: []domain.Effect{
			domain.Dispatch{To: reservation.ID("global-admin-exit", own, "exit"), Command: reservation.ReleaseReservation{Holder: own}, After: time.Minute},
		}},
		{name: "I8: a domain that does not: the exit was never shut", reaction: name, when: event(own, tenant.DomainVerified{Domain: "contoso.nu"})},
	})
}

func TestTheExitOpensAfterAnAddress(t *testing.T) {
	const name = "open-exit-after-address"
	opens := unseat("ann")[1:]
	run(t, []reactionCase{
		{name: "I8: an alias that was the alternate address: a minute later", reaction: name, when: event("ann", admin.EmailAliasAdded{TakesProof: true}), then: opens},
		{name: "I8: another alias: the exit was never shut", reaction: name, when: event("ann", admin.EmailAliasAdded{})},
		{name: "I8: a name that was the alternate address", reaction: name, when: event("ann", admin.UserNameChanged{TakesProof: true}), then: opens},
		{name: "I8: another name", reaction: name, when: event("ann", admin.UserNameChanged{})},
	})
}

// What is released must be what the command reserved.
func TestTheExitIsTheSame(t *testing.T) {
	t.Parallel()
	r := admin.Exit(own)
	if got, want := reservation.ID(r.Kind, r.Scope, r.Key), unseat("ann")[1].(domain.Dispatch).To; got != want {
		t.Errorf("RemoveRole reserves %s, and %s is released", got, want)
	}
}

func TestRetentionEnds(t *testing.T) {
	run(t, []reactionCase{{
		name: "S13: thirty days later", reaction: "expire-retention",
		when: event("ann", admin.EmployeeOffboarded{Offboarding: "o1", At: noon, RetainedUntil: noon.AddDate(0, 0, 30)}),
		then: []domain.Effect{domain.Dispatch{To: "ann", Command: admin.ExpireRetention{Offboarding: "o1"}, After: 30*24*time.Hour + time.Second}},
	}})
}

// A leaver is told nothing of the tenant's bills, and somebody who is back is.
func TestALeaverIsOffTheTeam(t *testing.T) {
	roles := []domain.Role{domain.BillingAdmin}
	given := []domain.Recorded[any]{
		event("ann", admin.EmployeeAdded{Roles: roles}), event("bo", admin.EmployeeAdded{Roles: roles}),
		event("ann", admin.EmployeeBlocked{Roles: roles}),
	}
	told := func(given []domain.Recorded[any]) (people []string) {
		for _, e := range play(t, "tell-of-card-change", append(slices.Clip(given), event("c1", card.CardAdded{AddedBy: "bo", Brand: "visa", Last4: "4242", ExpMonth: 2, ExpYear: 2030}))...) {
			people = append(people, e.(domain.Notice).To)
		}
		return people
	}
	if got := told(given); len(got) != 1 || got[0] != "bo" {
		t.Errorf("S13: told %v, want bo alone", got)
	}
	if got := told(append(given, event("ann", admin.EmployeeRestored{Roles: roles}))); len(got) != 2 {
		t.Errorf("S13: told %v, want both", got)
	}
}

// Every policy of people is listed with the rules that its package says.
func TestPeoplesPoliciesAreListed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{admin.UserNamePolicy.Name, admin.OffboardingPolicy.Name} {
		if _, ok := policy.Find(name); !ok {
			t.Errorf("%s is not listed", name)
		}
	}
}
