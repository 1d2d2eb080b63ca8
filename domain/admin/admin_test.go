package admin_test

import (
	"errors"
	"strings"
	"testing"

	"konto/domain"
	. "konto/domain/admin"
	"konto/domain/domaintest"
)

var globalAdmin = domain.Actor{ID: "gina", Kind: domain.KindPerson, Tenant: "contoso", Roles: []domain.Role{domain.GlobalAdmin}}

// knowing returns what a decision about cmd may know.
func knowing(cmd any, actor domain.Actor) Meta {
	m := Meta{
		ID: "ann", Tenant: "contoso", Actor: actor,
		MAC: func(purpose, value string) string { return purpose + "/" + value },
	}
	needer, ok := cmd.(domain.Needer)
	if !ok {
		return m
	}
	for _, n := range needer.Needs(m) {
		if n == domain.Of[Locale](n.Key) {
			m.Facts = m.Facts.Knows(n, Locale{OK: n.Key != "und", Tag: n.Key})
			continue
		}
		local, host, ok := strings.Cut(strings.TrimSpace(n.Key), "@")
		address := Address{OK: ok, Reason: "no @"}
		if host = strings.ToLower(host); ok {
			address = Address{OK: true, Normalized: local + "@" + host, Domain: host}
		}
		m.Facts = m.Facts.Knows(n, address)
	}
	return m
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	ann := func(v string) domain.Personal[string] { return domain.About("ann", v) }
	add := AddEmployee{
		SignInName: "Ann@Contoso.se", DisplayName: " Ann Berg ", Locale: "sv-SE",
		Roles: []domain.Role{domain.BillingAdmin, domain.GlobalAdmin, domain.BillingAdmin},
	}
	added := []Event{EmployeeAdded{
		Tenant: "contoso", SignInName: ann("Ann@contoso.se"), DisplayName: ann("Ann Berg"), Locale: "sv-SE",
		Roles: []domain.Role{domain.BillingAdmin, domain.GlobalAdmin},
	}}
	with := func(change func(*AddEmployee)) AddEmployee {
		c := add
		change(&c)
		return c
	}
	name := func(s string) AddEmployee { return with(func(c *AddEmployee) { c.SignInName = s }) }
	alias := append(added, EmailAliasAdded{Email: ann("ann.berg@contoso.se")})
	erased := []Event{EmployeeAdded{
		Tenant: "contoso", SignInName: domain.Personal[string]{Subject: "ann", Erased: true},
		DisplayName: domain.Personal[string]{Subject: "ann", Erased: true}, Locale: "sv-SE",
		Roles: []domain.Role{domain.BillingAdmin, domain.GlobalAdmin},
	}}
	operator := domain.Actor{ID: "otto", Kind: domain.KindPerson, Roles: []domain.Role{domain.Operator}}
	system := domain.Actor{ID: "konto", Kind: domain.KindSystem}

	var cases []domaintest.Case[Admin]
	by := func(actor domain.Actor, name string, given []Event, when domain.Command[Admin], then []Event, err error) {
		cases = append(cases, domaintest.Case[Admin]{Name: name, Given: given, When: when, Meta: knowing(when, actor), Then: then, Err: err})
	}
	row := func(name string, given []Event, when domain.Command[Admin], then []Event, err error) {
		by(globalAdmin, name, given, when, then, err)
	}
	row("add", nil, add, added, nil)
	row("add again", added, add, nil, nil)
	row("add with another name", added, name("bo@contoso.se"), nil, ErrAdded)
	row("add with another display name", added, with(func(c *AddEmployee) { c.DisplayName = "Bo" }), nil, ErrAdded)
	row("add with another locale", added, with(func(c *AddEmployee) { c.Locale = "da" }), nil, ErrAdded)
	row("add with other roles", added, with(func(c *AddEmployee) { c.Roles = nil }), nil, ErrAdded)
	row("add what was erased", erased, add, nil, ErrAdded)
	row("add without locale and roles", nil, AddEmployee{SignInName: "bo@contoso.se", DisplayName: "Bo"},
		[]Event{EmployeeAdded{Tenant: "contoso", SignInName: ann("bo@contoso.se"), DisplayName: ann("Bo")}}, nil)
	row("bad sign-in name", nil, name("ann"), nil, ErrSignInName)
	row("longest local part", nil, with(func(c *AddEmployee) { c.SignInName = strings.Repeat("a", 64) + "@contoso.se" }),
		[]Event{EmployeeAdded{
			Tenant: "contoso", SignInName: ann(strings.Repeat("a", 64) + "@contoso.se"), DisplayName: ann("Ann Berg"), Locale: "sv-SE",
			Roles: []domain.Role{domain.BillingAdmin, domain.GlobalAdmin},
		}}, nil)
	row("long local part", nil, name(strings.Repeat("a", 65)+"@contoso.se"), nil, ErrSignInName)
	row("long domain", nil, name("ann@"+strings.Repeat("a", 46)+".se"), nil, ErrSignInName)
	row("dot before the @", nil, name("ann.@contoso.se"), nil, ErrSignInName)
	row("no display name", nil, with(func(c *AddEmployee) { c.DisplayName = "\t" }), nil, ErrDisplayName)
	row("bad locale", nil, with(func(c *AddEmployee) { c.Locale = "und" }), nil, ErrLocale)
	row("unknown role", nil, with(func(c *AddEmployee) { c.Roles = []domain.Role{"king"} }), nil, ErrUnknownRole)
	row("an operator, by a tenant's admin", nil, with(func(c *AddEmployee) { c.Roles = []domain.Role{domain.Operator} }), nil, ErrOperatorRole)

	row("alias", added, AddAlias{Email: "ann.berg@Contoso.se"}, []Event{EmailAliasAdded{Email: ann("ann.berg@contoso.se")}}, nil)
	row("alias again", alias, AddAlias{Email: "ANN.BERG@contoso.se"}, nil, nil)
	row("alias that is the sign-in name", added, AddAlias{Email: "ann@contoso.se"}, nil, nil)
	row("bad alias", added, AddAlias{Email: "ann"}, nil, ErrAlias)
	row("alias of nobody", nil, AddAlias{Email: "ann.berg@contoso.se"}, nil, ErrNotFound)

	row("assign", added, AssignRole{Role: domain.Auditor}, []Event{RoleAssigned{Role: domain.Auditor}}, nil)
	row("assign again", added, AssignRole{Role: domain.GlobalAdmin}, nil, nil)
	row("assign unknown", added, AssignRole{Role: "king"}, nil, ErrUnknownRole)
	row("assign operator", added, AssignRole{Role: domain.Operator}, nil, ErrOperatorRole)
	by(operator, "assign operator, by an operator", added, AssignRole{Role: domain.Operator}, []Event{RoleAssigned{Role: domain.Operator}}, nil)
	by(system, "assign operator, by Konto", added, AssignRole{Role: domain.Operator}, []Event{RoleAssigned{Role: domain.Operator}}, nil)
	row("assign to nobody", nil, AssignRole{Role: domain.Auditor}, nil, ErrNotFound)

	row("remove role", added, RemoveRole{Role: domain.BillingAdmin}, []Event{RoleRemoved{Role: domain.BillingAdmin}}, nil)
	row("remove role again", append(added, RoleRemoved{Role: domain.BillingAdmin}), RemoveRole{Role: domain.BillingAdmin}, nil, nil)
	row("remove unknown role", added, RemoveRole{Role: "king"}, nil, ErrUnknownRole)
	row("remove role of nobody", nil, RemoveRole{Role: domain.Auditor}, nil, ErrNotFound)

	row("rename", added, ChangeDisplayName{DisplayName: " Ann B "}, []Event{DisplayNameChanged{DisplayName: ann("Ann B")}}, nil)
	row("rename to the same", added, ChangeDisplayName{DisplayName: "Ann Berg"}, nil, nil)
	row("rename to nothing", added, ChangeDisplayName{}, nil, ErrDisplayName)
	row("rename to a control character", added, ChangeDisplayName{DisplayName: "Ann\x1b[1m"}, nil, ErrDisplayName)
	row("rename nobody", nil, ChangeDisplayName{DisplayName: "Ann"}, nil, ErrNotFound)
	domaintest.Run(t, Aggregate, cases)
}

func TestEverythingWrongIsListed(t *testing.T) {
	t.Parallel()
	c := AddEmployee{SignInName: "ann", Locale: "und", Roles: []domain.Role{domain.Auditor, "king"}}
	_, err := c.Decide(Admin{}, knowing(c, globalAdmin))
	for _, want := range []error{ErrSignInName, ErrDisplayName, ErrLocale, ErrUnknownRole} {
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
	add, alias := AddEmployee{SignInName: "Ann@Contoso.se"}, AddAlias{Email: "ann@CONTOSO.se"}
	want := domain.Reservation{Kind: "mail-address", Scope: "contoso", Key: "mail-address/ann@contoso.se"}
	for pointer, got := range map[string][]domain.Reservation{
		"/signInName": add.Reserves(knowing(add, globalAdmin)),
		"/email":      alias.Reserves(knowing(alias, globalAdmin)),
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
	case len(a.Roles) != 1 || a.Roles[0] != domain.GlobalAdmin:
		t.Errorf("roles = %v, want global-admin", a.Roles)
	case a.DisplayName.Value != "Ann":
		t.Errorf("display name = %q, want Ann", a.DisplayName.Value)
	}
}
