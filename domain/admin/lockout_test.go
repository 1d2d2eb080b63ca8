package admin_test

import (
	"testing"
	"time"

	"konto/domain"
	. "konto/domain/admin"
	"konto/domain/recovery"
)

func TestNoOrganizationIsLockedOut(t *testing.T) {
	var (
		both   = recovery.Contacts{Phone: true, Mail: true}
		phone  = recovery.Contacts{Phone: true}
		mail   = recovery.Contacts{Mail: true}
		is     = added(domain.GlobalAdmin)
		strict = recovery.Policy.First
		mine   = usual().reach("ann", both)
		goes   = []Event{RoleRemoved{domain.GlobalAdmin}}
		demote = RemoveRole{domain.GlobalAdmin}
		leaves = []Event{
			EmployeeBlocked{
				Offboarding: "c", Roles: []domain.Role{domain.GlobalAdmin}, At: start,
				EffectiveBy: start.Add(day), RetainedUntil: start.AddDate(0, 0, 30),
			},
			SessionsRevoked{At: start, EffectiveBy: start.Add(time.Hour)},
		}
	)
	strict.TrialDays, strict.OneGateWithoutDomain = 0, false
	run(t, []row{
		{"I8: a role: the other global admin could recover", mine.reach("gina", both), is, demote, goes, nil},
		{"I8: a role: the other global admin has no contacts", mine, is, demote, nil, ErrLastRecoverable},
		{"I8: a role: the other global admin has a phone alone", mine.reach("gina", phone), is, demote, nil, ErrLastRecoverable},
		{"I8: a role: the other global admin has an address alone", mine.reach("gina", mail), is, demote, nil, ErrLastRecoverable},
		{"I8: a role: nobody could recover before either", usual(), is, demote, goes, nil},
		{"I8: a role: who has half of it is no recoverable one to lose", usual().reach("ann", phone), is, demote, goes, nil},
		{"I8: a role: the leaver could not, the other one could", usual().reach("gina", both), is, demote, goes, nil},
		{"I8: a role: the third could recover", mine.hans().reach("hans", both), is, demote, goes, nil},
		{"I8: a role: neither of two others could", mine.hans().reach("hans", mail).reach("gina", phone), is, demote, nil, ErrLastRecoverable},
		{"I8: a role: who could recover is a global admin no more", mine.hans().gina(Colleague{Tenant: "contoso", GlobalAdmin: true}).reach("hans", both), is, demote, nil, ErrLastRecoverable},
		{"I8: a role: who could recover is of another tenant", mine.gina(Colleague{Tenant: "fabrikam", GlobalAdmin: true}).reach("gina", both), is, demote, nil, ErrLast},
		{"I8: a role: one contact is enough without a domain", mine.domains("contoso.example").reach("gina", mail), is, demote, goes, nil},
		{"I8: a role: one contact is enough on a trial", mine.trial(start.Add(-day)).reach("gina", phone), is, demote, goes, nil},
		{"I8: a role: the trial is over", mine.trial(start.AddDate(0, 0, -30)).reach("gina", phone), is, demote, nil, ErrLastRecoverable},
		{"I8: a role: without a domain there is a contact to lose, too", usual().domains("contoso.example").reach("ann", phone), is, demote, nil, ErrLastRecoverable},
		{"I8: a role: a later version asks for two everywhere", mine.domains("contoso.example").asks(strict).reach("gina", mail), is, demote, nil, ErrLastRecoverable},
		{"I8: a role: a version to come asks for two everywhere", mine.domains("contoso.example").comes(strict, day).reach("gina", mail), is, demote, nil, ErrLastRecoverable},
		{"I8: a role: a version to come, and the other one is ready for it", mine.domains("contoso.example").comes(strict, day).reach("gina", both), is, demote, goes, nil},
		{"I8: a role: a version to come is no reason to lose what is enough now", usual().domains("contoso.example").comes(strict, day).reach("ann", phone), is, demote, nil, ErrLastRecoverable},
		{"I8: a role: a version to come that the leaver is not ready for either", usual().domains("contoso.example").comes(strict, day).reach("ann", phone).reach("gina", mail), is, demote, goes, nil},
		{"I8: a role: a version to come that a later one overtakes", mine.domains("contoso.example").comes(strict, day).comes(recovery.Policy.First, 0).reach("gina", mail), is, demote, goes, nil},
		{"I8: a role: a version to come after the trial makes no difference", mine.trial(start.AddDate(0, 0, -29)).comes(strict, 2*day).reach("gina", mail), is, demote, goes, nil},
		{"I8: a role: an operator cannot lock a tenant out either", mine.by(operator), is, demote, nil, ErrLastRecoverable},
		{"I8: a role: another role has nothing to do with it", mine, then(is, RoleAssigned{domain.Auditor}), RemoveRole{domain.Auditor}, []Event{RoleRemoved{domain.Auditor}}, nil},
		{"I8: a role: the only global admin is refused as such", mine.admins("ann"), is, demote, nil, ErrLast},
		{"I8: a role: who is no global admin has none to lose", mine, added(domain.Auditor), demote, nil, nil},

		{"I8: leaving: the other global admin could recover", mine.reach("gina", both), is, OffboardEmployee{}, leaves, nil},
		{"I8: leaving: the other global admin could not", mine.reach("gina", phone), is, OffboardEmployee{}, nil, ErrLastRecoverable},
		{"I8: leaving: nobody could recover before either", usual(), is, OffboardEmployee{}, leaves, nil},
		{"I8: leaving: the only global admin is refused as such", mine.admins("ann"), is, OffboardEmployee{}, nil, ErrLast},
		{"I8: leaving: one contact is enough without a domain", mine.domains("contoso.example").reach("gina", phone), is, OffboardEmployee{}, leaves, nil},
		{"I8: leaving: who is no global admin may go", mine, added(), OffboardEmployee{}, []Event{
			EmployeeBlocked{Offboarding: "c", At: start, EffectiveBy: start.Add(day), RetainedUntil: start.AddDate(0, 0, 30)}, leaves[1],
		}, nil},
		{"I8: leaving again: who has left changes nothing", mine, left(domain.GlobalAdmin), OffboardEmployee{}, nil, nil},
	})
}

func TestNoAddressLocksTheOrganizationOut(t *testing.T) {
	const home = "ann@home.example"
	var (
		both    = recovery.Contacts{Phone: true, Mail: true}
		phone   = recovery.Contacts{Phone: true}
		mail    = recovery.Contacts{Mail: true}
		is      = added(domain.GlobalAdmin)
		strict  = recovery.Policy.First
		mine    = usual().reach("ann", both).keeps(home)
		alias   = AddAlias{home}
		rename  = ChangeUserName{home}
		aliased = func(takes bool) []Event {
			return []Event{EmailAliasAdded{Email: ann(home), TakesProof: takes}}
		}
		given   = func(e string) []Event { return []Event{EmailAliasAdded{Email: ann(e)}} }
		renamed = []Event{UserNameChanged{Old: ann("Ann@contoso.se"), New: ann(home), TakesProof: true}}
	)
	strict.TrialDays, strict.OneGateWithoutDomain = 0, false
	run(t, []row{
		{"I8: an alias: the last proof of the last one", mine, is, alias, nil, ErrLastProof},
		{"I8: an alias: in other letters", mine.keeps("Ann@HOME.example"), is, alias, nil, ErrLastProof},
		{"I8: an alias: another global admin could recover", mine.reach("gina", both), is, alias, aliased(true), nil},
		{"I8: an alias: another global admin has half of it", mine.reach("gina", phone), is, alias, nil, ErrLastProof},
		{"I8: an alias: nobody else is a global admin", mine.admins("ann"), is, alias, nil, ErrLastProof},
		{"I8: an alias: who could recover is of another tenant", mine.gina(Colleague{Tenant: "fabrikam", GlobalAdmin: true}).reach("gina", both), is, alias, nil, ErrLastProof},
		{"I8: an alias: the third could recover", mine.hans().reach("hans", both), is, alias, aliased(true), nil},
		{"I8: an alias: the account could not be recovered anyway", usual().reach("ann", mail).keeps(home), is, alias, aliased(true), nil},
		{"I8: an alias: the phone is enough without a domain", mine.domains("contoso.example"), is, alias, aliased(true), nil},
		{"I8: an alias: the address was all there is", usual().domains("contoso.example").reach("ann", mail).keeps(home), is, alias, nil, ErrLastProof},
		{"I8: an alias: a version to come asks for both", mine.domains("contoso.example").comes(strict, day), is, alias, nil, ErrLastProof},
		{"I8: an alias: another address than the alternate one", mine, is, AddAlias{"ann.berg@home.example"}, given("ann.berg@home.example"), nil},
		{"I8: an alias: there is no alternate address", usual().reach("ann", phone), is, alias, given(home), nil},
		{"S3: an alias: who is no global admin loses the proof", mine, added(), alias, given(home), nil},
		{"I8: an alias: an operator cannot lock a tenant out either", mine.by(operator), is, alias, nil, ErrLastProof},
		{"S3: an alias that the account has already changes nothing", mine, then(is, EmailAliasAdded{Email: ann(home)}), alias, nil, nil},

		{"I8: a name to sign in with: the last proof of the last one", mine, is, rename, nil, ErrLastProof},
		{"I8: a name to sign in with: another global admin could recover", mine.reach("gina", both), is, rename, renamed, nil},
		{"I8: a name to sign in with: another global admin has half of it", mine.reach("gina", mail), is, rename, nil, ErrLastProof},
	})
}

// While an address is taken from a global admin's recovery, no other leaves.
func TestTheExitIsShutForTheLastProof(t *testing.T) {
	t.Parallel()
	const home = "ann@home.example"
	for _, c := range []struct {
		name string
		w    world
		cmd  domain.Reserver
		want bool
	}{
		{"I8: the alternate address as an alias", usual().keeps(home), AddAlias{home}, true},
		{"I8: the alternate address as a name", usual().keeps(home), ChangeUserName{home}, true},
		{"I8: another address", usual().keeps(home), AddAlias{"ann@elsewhere.example"}, false},
		{"I8: of somebody who is no global admin", usual().admins("gina").keeps(home), AddAlias{home}, false},
	} {
		kinds := map[string]int{}
		for _, r := range c.cmd.Reserves(c.w.meta(c.cmd)) {
			kinds[r.Kind]++
		}
		if kinds[Addresses] != 1 || kinds["global-admin-exit"] != map[bool]int{true: 1}[c.want] {
			t.Errorf("%s: reserves %v, want the address, and the exit %v", c.name, kinds, c.want)
		}
	}
}

// TestContactsAreAskedOnlyWhenTheyMatter keeps the guard from reading every
// global admin's contacts when the leaver has no recovery to lose.
func TestContactsAreAskedOnlyWhenTheyMatter(t *testing.T) {
	t.Parallel()
	both := recovery.Contacts{Phone: true, Mail: true}
	asked := func(w world) map[string]bool {
		m := w.meta(RemoveRole{domain.GlobalAdmin})
		got := map[string]bool{}
		for _, id := range []string{"gina", "hans"} {
			got[id] = m.Facts.Has(domain.Of[recovery.Contacts](id))
		}
		return got
	}
	for name, c := range map[string]struct {
		w          world
		gina, hans bool
	}{
		"I8: nothing to lose":     {usual().hans(), false, false},
		"I8: the first is enough": {usual().hans().reach("ann", both).reach("gina", both), true, false},
		"I8: the first is not":    {usual().hans().reach("ann", both), true, true},
	} {
		if got := asked(c.w); got["gina"] != c.gina || got["hans"] != c.hans {
			t.Errorf("%s: asked for contacts of %v, want gina %v, hans %v", name, got, c.gina, c.hans)
		}
	}
}
