package admin_test

import (
	"errors"
	"strings"
	"testing"

	"konto/domain"
	. "konto/domain/admin"
)

func TestAddEmployee(t *testing.T) {
	add := AddEmployee{
		SignInName: "Ann@Contoso.se", DisplayName: " Ann Berg ", Locale: "sv-SE",
		Roles: []domain.Role{domain.BillingAdmin, domain.GlobalAdmin, domain.BillingAdmin},
	}
	is := added(domain.BillingAdmin, domain.GlobalAdmin)
	with := func(change func(*AddEmployee)) AddEmployee {
		c := add
		change(&c)
		return c
	}
	name := func(s string) AddEmployee { return with(func(c *AddEmployee) { c.SignInName = s }) }
	named := func(s string) []Event {
		e := is[0].(EmployeeAdded)
		e.SignInName = ann(s)
		return []Event{e}
	}
	first := func(by Handover, to string) AddEmployee {
		return with(func(c *AddEmployee) { c.FirstCredentials = &FirstCredentials{By: by, To: to} })
	}
	handed := func(by Handover, to domain.Personal[string]) []Event {
		e := is[0].(EmployeeAdded)
		e.CredentialsBy, e.CredentialsTo = by, to
		if by == PhoneCall {
			e.PhoneData = "plans/1"
		}
		return []Event{e}
	}
	erased := []Event{EmployeeAdded{
		Tenant: "contoso", SignInName: domain.Personal[string]{Subject: "ann", Erased: true},
		DisplayName: domain.Personal[string]{Subject: "ann", Erased: true}, Locale: "sv-SE",
		Roles: []domain.Role{domain.BillingAdmin, domain.GlobalAdmin},
	}}
	longer := UserNameTerms{MaxCharacters: 200, MaxLocalCharacters: 64, MaxDomainCharacters: 100}
	longHost := "ann@" + strings.Repeat("a", 46) + ".se"
	run(t, []row{
		{"S12: an account is opened", usual(), nil, add, is, nil},
		{"S12: opening it again with the same details does nothing", usual(), is, add, nil, nil},
		{"S12: with another name", usual(), is, name("bo@contoso.se"), nil, ErrAdded},
		{"S12: with another display name", usual(), is, with(func(c *AddEmployee) { c.DisplayName = "Bo" }), nil, ErrAdded},
		{"S12: with another locale", usual(), is, with(func(c *AddEmployee) { c.Locale = "da" }), nil, ErrAdded},
		{"S12: with other roles", usual(), is, with(func(c *AddEmployee) { c.Roles = nil }), nil, ErrAdded},
		{"S12: what was erased is not the same", usual(), erased, add, nil, ErrAdded},
		{
			"S12: without locale and roles", usual(), nil,
			AddEmployee{SignInName: "bo@contoso.se", DisplayName: "Bo"},
			[]Event{EmployeeAdded{Tenant: "contoso", SignInName: ann("bo@contoso.se"), DisplayName: ann("Bo")}},
			nil,
		},
		{"S11: a name that is no mail address", usual(), nil, name("ann"), nil, ErrSignInName},
		{"S11: 64 characters before the @", usual(), nil, name(strings.Repeat("a", 64) + "@contoso.se"), named(strings.Repeat("a", 64) + "@contoso.se"), nil},
		{"S11: 65 characters before the @", usual(), nil, name(strings.Repeat("a", 65) + "@contoso.se"), nil, ErrSignInName},
		{"S11: 48 characters after the @", usual(), nil, name("ann@" + strings.Repeat("a", 45) + ".se"), named("ann@" + strings.Repeat("a", 45) + ".se"), nil},
		{"S11: 49 characters after the @", usual(), nil, name(longHost), nil, ErrSignInName},
		{"S11: 113 characters in all", usual(), nil, name(strings.Repeat("a", 64) + "@" + strings.Repeat("b", 45) + ".se"), named(strings.Repeat("a", 64) + "@" + strings.Repeat("b", 45) + ".se"), nil},
		{"S11: a later version of the limits", usual().limits(longer), nil, name(longHost), named(longHost), nil},
		{"S11: more than 113 characters, where only that is limited", usual().limits(UserNameTerms{MaxCharacters: 113, MaxLocalCharacters: 64, MaxDomainCharacters: 255}), nil, name(strings.Repeat("a", 64) + "@" + strings.Repeat("b", 46) + ".se"), nil, ErrSignInName},
		{"S11: a dot right before the @", usual(), nil, name("ann.@contoso.se"), nil, ErrSignInName},
		{"S11: no display name", usual(), nil, with(func(c *AddEmployee) { c.DisplayName = "\t" }), nil, ErrDisplayName},
		{"S8: a locale that is none", usual(), nil, with(func(c *AddEmployee) { c.Locale = "und" }), nil, ErrLocale},
		{"S12: a role that is none", usual(), nil, with(func(c *AddEmployee) { c.Roles = []domain.Role{"king"} }), nil, ErrUnknownRole},
		{"S12: an operator, by a tenant's admin", usual(), nil, with(func(c *AddEmployee) { c.Roles = []domain.Role{domain.Operator} }), nil, ErrOperatorRole},

		{"S12: first credentials to a personal address", usual(), nil, first(PersonalMail, "ann@Home.example"), handed(PersonalMail, ann("ann@home.example")), nil},
		{"S12: first credentials to the new work mailbox", usual(), nil, first(PersonalMail, "ANN@contoso.se"), nil, ErrWorkMail},
		{"S12: first credentials to another mailbox at work", usual(), nil, first(PersonalMail, "gina@contoso.example"), nil, ErrWorkMail},
		{"S12: first credentials to a mailbox in a part of the work domain", usual(), nil, first(PersonalMail, "ann@mail.contoso.se"), nil, ErrWorkMail},
		{"S12: first credentials to a domain that only ends the same", usual(), nil, first(PersonalMail, "ann@mycontoso.se"), handed(PersonalMail, ann("ann@mycontoso.se")), nil},
		{"S12: first credentials to no address", usual(), nil, first(PersonalMail, "home"), nil, ErrPersonal},
		{"S12: first credentials on paper", usual(), nil, first(Print, ""), handed(Print, domain.Personal[string]{}), nil},
		{"S12: first credentials on paper to an address", usual(), nil, first(Print, "ann@home.example"), nil, ErrHandover},
		{"S12, F4: first credentials by phone, read by plans that are named", usual(), nil, first(PhoneCall, "070-174 06 05"), handed(PhoneCall, ann("+46701740605")), nil},
		{"S12: first credentials to a number that cannot be called", usual(), nil, first(PhoneCall, "112"), nil, ErrCall},
		{"S12: first credentials by some other way", usual(), nil, first("pigeon", ""), nil, ErrHandover},
	})
}

func TestRoles(t *testing.T) {
	is := added(domain.BillingAdmin, domain.GlobalAdmin)
	rows := []row{
		{"S12: a role that the account has", usual(), is, AssignRole{domain.GlobalAdmin}, nil, nil},
		{"S12: a role that is none", usual(), is, AssignRole{"king"}, nil, ErrUnknownRole},
		{"S12: an operator, by a tenant's admin", usual(), is, AssignRole{domain.Operator}, nil, ErrOperatorRole},
		{"S12: billing support, by a tenant's admin", usual(), is, AssignRole{domain.BillingSupport}, nil, ErrOperatorRole},
		{"S12: an operator, by an operator", usual().by(operator), is, AssignRole{domain.Operator}, []Event{RoleAssigned{domain.Operator}}, nil},
		{"S12: an operator, by Konto", usual().by(konto), is, AssignRole{domain.Operator}, []Event{RoleAssigned{domain.Operator}}, nil},
		{"S12: who owns the billing profile lets somebody read it", usual().by(profileOwner), is, AssignRole{domain.ProfileReader}, []Event{RoleAssigned{domain.ProfileReader}}, nil},
		{"S12: who owns the billing profile gives a role on it", usual().by(profileOwner), is, AssignRole{domain.InvoiceManager}, []Event{RoleAssigned{domain.InvoiceManager}}, nil},
		{"S12: who owns the billing profile makes no global admin", usual().by(profileOwner), is, AssignRole{domain.GlobalAdmin}, nil, ErrProfileRole},
		{"S12: who owns the billing profile makes no billing admin", usual().by(profileOwner), is, AssignRole{domain.BillingAdmin}, nil, ErrProfileRole},
		{"S12: a role for nobody", usual(), nil, AssignRole{domain.Auditor}, nil, ErrNotFound},
		{"S13: a role for somebody who has left", usual(), left(), AssignRole{domain.Auditor}, nil, ErrOffboarded},
		{"S13: a role for somebody whose data is gone", usual(), gone(), AssignRole{domain.Auditor}, nil, ErrGone},

		{"S12: a role is taken", usual(), is, RemoveRole{domain.BillingAdmin}, []Event{RoleRemoved{domain.BillingAdmin}}, nil},
		{"S12: a role is taken again", usual(), then(is, RoleRemoved{domain.BillingAdmin}), RemoveRole{domain.BillingAdmin}, nil, nil},
		{"S12: a role that is none is taken", usual(), is, RemoveRole{"king"}, nil, ErrUnknownRole},
		{"S12: a role is taken from nobody", usual(), nil, RemoveRole{domain.Auditor}, nil, ErrNotFound},
		{"S12: who owns the billing profile takes a role on it", usual().by(profileOwner), added(domain.ProfileContributor), RemoveRole{domain.ProfileContributor}, []Event{RoleRemoved{domain.ProfileContributor}}, nil},
		{"S12: who owns the billing profile takes another owner's", usual().by(profileOwner), added(domain.ProfileOwner), RemoveRole{domain.ProfileOwner}, []Event{RoleRemoved{domain.ProfileOwner}}, nil},
		{"S12: who owns the billing profile takes an invoice manager's", usual().by(profileOwner), added(domain.InvoiceManager), RemoveRole{domain.InvoiceManager}, []Event{RoleRemoved{domain.InvoiceManager}}, nil},
		{"S12: who owns the billing profile takes no global admin's", usual().by(profileOwner), is, RemoveRole{domain.GlobalAdmin}, nil, ErrProfileRole},
		{"S12: who owns the billing profile takes no billing admin's", usual().by(profileOwner), is, RemoveRole{domain.BillingAdmin}, nil, ErrProfileRole},
		{"S12: who owns the billing profile does not learn of other roles", usual().by(profileOwner), added(), RemoveRole{domain.Auditor}, nil, ErrProfileRole},
		{"S13: a role is taken from somebody who has left", usual(), left(domain.Auditor), RemoveRole{domain.Auditor}, nil, ErrOffboarded},

		{"I8: a global admin goes while there is another", usual(), is, RemoveRole{domain.GlobalAdmin}, []Event{RoleRemoved{domain.GlobalAdmin}}, nil},
		{"I8: the only global admin stays", usual().admins("ann"), is, RemoveRole{domain.GlobalAdmin}, nil, ErrLast},
		{"I8: nobody is known to be a global admin", usual().admins(), is, RemoveRole{domain.GlobalAdmin}, nil, ErrLast},
		{"I8: the other one is a global admin no more", usual().gina(Colleague{Tenant: "contoso"}), is, RemoveRole{domain.GlobalAdmin}, nil, ErrLast},
		{"I8: the other one is of another tenant", usual().gina(Colleague{Tenant: "fabrikam", GlobalAdmin: true}), is, RemoveRole{domain.GlobalAdmin}, nil, ErrLast},
		{"I8: the third is a global admin", usual().admins("ann", "bo", "gina"), is, RemoveRole{domain.GlobalAdmin}, []Event{RoleRemoved{domain.GlobalAdmin}}, nil},
		{"I8: an operator cannot lock a tenant out either", usual().by(operator).admins("ann"), is, RemoveRole{domain.GlobalAdmin}, nil, ErrLast},
		{"I8: who is no global admin has nothing to lose", usual().admins(), added(domain.Auditor), RemoveRole{domain.GlobalAdmin}, nil, nil},
	}
	for _, r := range domain.Roles() {
		rows = append(rows, row{"S12: " + string(r) + " is given", usual().by(konto), added(), AssignRole{r}, []Event{RoleAssigned{r}}, nil})
	}
	run(t, rows)
}

func TestSuccessorsAreAskedOneByOne(t *testing.T) {
	t.Parallel()
	w := usual().admins("ann", "bo", "gina", "hans")
	m := w.meta(RemoveRole{domain.GlobalAdmin})
	for id, want := range map[string]bool{"ann": false, "bo": true, "gina": true, "hans": false} {
		if got := m.Facts.Has(domain.Of[Colleague](id)); got != want {
			t.Errorf("asked for %s = %v, want %v: the first who is one is enough", id, got, want)
		}
	}
}

func TestGlobalAdminsLeaveOneByOne(t *testing.T) {
	t.Parallel()
	one := func(cmd domain.Reserver, w world) []domain.Reservation { return cmd.Reserves(w.meta(cmd)) }
	for name, got := range map[string][]domain.Reservation{
		"role":    one(RemoveRole{domain.GlobalAdmin}, usual()),
		"account": one(OffboardEmployee{}, usual()),
	} {
		if len(got) != 1 || got[0].Scope != "contoso" || got[0].Kind != "global-admin-exit" || !errors.Is(got[0].Taken("gina"), ErrLeaving) {
			t.Errorf("%s: Reserves = %+v, want the tenant's exit", name, got)
		}
	}
	if got := one(RemoveRole{domain.Auditor}, usual()); len(got) != 0 {
		t.Errorf("another role: Reserves = %+v, want none", got)
	}
	if got := one(OffboardEmployee{}, usual().admins("gina")); len(got) != 0 {
		t.Errorf("another account: Reserves = %+v, want none", got)
	}
}

func TestEverythingWrongIsListed(t *testing.T) {
	t.Parallel()
	c := AddEmployee{
		SignInName: "ann", Locale: "und", Roles: []domain.Role{domain.Auditor, "king"},
		FirstCredentials: &FirstCredentials{By: "pigeon"},
	}
	_, err := c.Decide(Admin{}, usual().meta(c))
	for _, want := range []error{ErrSignInName, ErrDisplayName, ErrLocale, ErrUnknownRole, ErrHandover} {
		if !errors.Is(err, want) {
			t.Errorf("Decide = %v, want it to include %v", err, want)
		}
	}
	if sum, ok := errors.AsType[*domain.Error](err); ok {
		for _, cause := range sum.Causes {
			if cause.Code == ErrUnknownRole.Code && cause.Pointer != "/roles/1" {
				t.Errorf("pointer = %s, want /roles/1", cause.Pointer)
			}
		}
	}
}

func TestAddressIsReservedInTheTenant(t *testing.T) {
	t.Parallel()
	add, alias, rename := AddEmployee{SignInName: "Ann@Contoso.se"}, AddAlias{Email: "ann@CONTOSO.se"}, ChangeUserName{UserName: " aNN@contoso.se"}
	want := domain.Reservation{Kind: "mail-address", Scope: "contoso", Key: "mail-address/ann@contoso.se"}
	for pointer, got := range map[string][]domain.Reservation{
		"/signInName": add.Reserves(usual().meta(add)),
		"/email":      alias.Reserves(usual().meta(alias)),
		"/userName":   rename.Reserves(usual().meta(rename)),
	} {
		if len(got) != 1 || got[0].Kind != want.Kind || got[0].Scope != want.Scope || got[0].Key != want.Key {
			t.Fatalf("Reserves = %+v, want %+v", got, want)
		}
		if err := got[0].Taken("bo"); !errors.Is(err, ErrAddressTaken) || err.Pointer != pointer || len(err.Facts) != 0 {
			t.Errorf("Taken = %+v, want %v at %s", err, ErrAddressTaken, pointer)
		}
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	var a Admin
	for _, e := range []Event{
		EmployeeAdded{Tenant: "contoso", SignInName: domain.About("ann", "ann@contoso.se"), Roles: []domain.Role{domain.Auditor}},
		EmailAliasAdded{Email: domain.About("ann", "ann.berg@contoso.se")},
		RoleAssigned{Role: domain.GlobalAdmin},
		RoleRemoved{Role: domain.Auditor},
		DisplayNameChanged{DisplayName: domain.About("ann", "Ann")},
	} {
		e.Evolve(&a)
	}
	switch {
	case !a.Answers("ANN@contoso.se"), !a.Answers("Ann.Berg@contoso.se"), a.Answers("bo@contoso.se"), a.Answers(""):
		t.Errorf("%+v answers other addresses than ann and ann.berg", a)
	case len(a.Roles) != 1 || a.Roles[0] != domain.GlobalAdmin || !a.Has(domain.GlobalAdmin):
		t.Errorf("roles = %v, want global-admin", a.Roles)
	case a.DisplayName.Value != "Ann":
		t.Errorf("display name = %q, want Ann", a.DisplayName.Value)
	}
}
