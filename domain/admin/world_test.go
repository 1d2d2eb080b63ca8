package admin_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"konto/domain"
	. "konto/domain/admin"
	"konto/domain/domaintest"
	"konto/domain/recovery"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// Who asks in these tests.
var (
	globalAdmin = domain.Actor{ID: "gina", Kind: domain.KindPerson, Tenant: "contoso", Roles: []domain.Role{domain.GlobalAdmin}}
	operator    = domain.Actor{ID: "otto", Kind: domain.KindPerson, Roles: []domain.Role{domain.Operator}}
	konto       = domain.Actor{ID: "konto", Kind: domain.KindSystem}
	// profileOwner owns the billing profile.
	profileOwner = domain.Actor{ID: "pia", Kind: domain.KindPerson, Roles: []domain.Role{domain.ProfileOwner}}
)

// A world is what surrounds a decision about ann's account.
type world struct {
	actor        domain.Actor
	after        time.Duration // since start
	command      string
	organization Organization
	colleagues   map[string]Colleague
	contacts     map[string]recovery.Contacts
	alternate    string // ann's alternate address
	recovery     []domain.Version[recovery.Terms]
	erasure      Erasure
	names        []domain.Version[UserNameTerms]
	offboarding  []domain.Version[OffboardingTerms]
}

// usual is a tenant of two global admins, ann and gina.
func usual() world {
	return world{
		actor: globalAdmin, command: "c",
		organization: Organization{Country: "SE", Domains: []string{"contoso.se", "contoso.example"}, GlobalAdmins: []string{"ann", "gina"}},
		colleagues:   map[string]Colleague{"gina": {Tenant: "contoso", GlobalAdmin: true}},
	}
}

func (w world) by(a domain.Actor) world    { w.actor = a; return w }
func (w world) at(d time.Duration) world   { w.after = d; return w }
func (w world) admins(ids ...string) world { w.organization.GlobalAdmins = ids; return w }
func (w world) managed() world             { w.organization.ManagedBy = "fabrikam"; return w }
func (w world) gina(c Colleague) world     { w.colleagues = map[string]Colleague{"gina": c}; return w }

func (w world) erased() world { w.erasure.Begun = true; return w }
func (w world) hans() world {
	w.organization.GlobalAdmins = []string{"ann", "gina", "hans"}
	w.colleagues = map[string]Colleague{"gina": {Tenant: "contoso", GlobalAdmin: true}, "hans": {Tenant: "contoso", GlobalAdmin: true}}
	return w
}
func (w world) asks(t recovery.Terms) world { w.recovery = version(t); return w }

// comes publishes one more version, which comes into force after start.
func (w world) comes(t recovery.Terms, after time.Duration) world {
	w.recovery = append(slices.Clip(w.recovery), domain.Version[recovery.Terms]{
		Number: len(w.recovery) + 2, EffectiveAt: start.Add(after), Rules: t,
	})
	return w
}
func (w world) trial(since time.Time) world   { w.organization.TrialSince = since; return w }
func (w world) domains(names ...string) world { w.organization.Domains = names; return w }

// reach says which contacts somebody has verified.
func (w world) reach(id string, c recovery.Contacts) world {
	w.contacts = maps.Clone(w.contacts)
	if w.contacts == nil {
		w.contacts = map[string]recovery.Contacts{}
	}
	w.contacts[id] = c
	return w
}
func (w world) keeps(alternate string) world   { w.alternate = alternate; return w }
func (w world) limits(t UserNameTerms) world   { w.names = version(t); return w }
func (w world) times(t OffboardingTerms) world { w.offboarding = version(t); return w }
func version[P any](rules P) []domain.Version[P] {
	return []domain.Version[P]{{Number: 2, Rules: rules}}
}

// meta returns what the decision of cmd may know, asking for facts as the
// command handler does.
func (w world) meta(cmd any) Meta {
	m := Meta{
		ID: "ann", Tenant: "contoso", Actor: w.actor, At: start.Add(w.after), Command: w.command,
		MAC: func(purpose, value string) string { return purpose + "/" + value },
	}
	return domaintest.Gather(m, cmd, w.fact)
}

func (w world) fact(n domain.Need) any {
	switch n.Type {
	case reflect.TypeFor[Organization]():
		return w.organization
	case reflect.TypeFor[Colleague]():
		return w.colleagues[n.Key]
	case reflect.TypeFor[Erasure]():
		return w.erasure
	case reflect.TypeFor[Alternate]():
		if w.alternate == "" {
			return Alternate{}
		}
		return Alternate{Email: domain.About("ann", w.alternate)}
	case reflect.TypeFor[recovery.Contacts]():
		return w.contacts[n.Key]
	case reflect.TypeFor[domain.Terms[recovery.Terms]]():
		return domain.Terms[recovery.Terms]{Name: n.Key, Versions: w.recovery}
	case reflect.TypeFor[domain.Terms[UserNameTerms]]():
		return domain.Terms[UserNameTerms]{Name: n.Key, Versions: w.names}
	case reflect.TypeFor[domain.Terms[OffboardingTerms]]():
		return domain.Terms[OffboardingTerms]{Name: n.Key, Versions: w.offboarding}
	case reflect.TypeFor[Locale]():
		return Locale{OK: n.Key != "und", Tag: n.Key}
	case reflect.TypeFor[Phone]():
		return Phone{OK: n.Key == "SE 070-174 06 05", Number: "+46701740605", Data: "plans/1"}
	}
	local, host, ok := strings.Cut(strings.TrimSpace(n.Key), "@")
	if !ok {
		return Address{Reason: "no @"}
	}
	host = strings.ToLower(host)
	return Address{OK: true, Normalized: local + "@" + host, Domain: host}
}

// A row is one rule in a world.
type row struct {
	name  string
	world world
	given []Event
	when  domain.Command[Admin]
	then  []Event
	err   error
}

func run(t *testing.T, rows []row) {
	t.Helper()
	t.Parallel()
	cases := make([]domaintest.Case[Admin], len(rows))
	for i, r := range rows {
		cases[i] = domaintest.Case[Admin]{Name: r.name, Given: r.given, When: r.when, Meta: r.world.meta(r.when), Then: r.then, Err: r.err}
	}
	domaintest.Run(t, Aggregate, cases)
}

func ann(v string) domain.Personal[string] { return domain.About("ann", v) }

// added is how ann's account begins.
func added(roles ...domain.Role) []Event {
	return []Event{EmployeeAdded{
		Tenant: "contoso", SignInName: ann("Ann@contoso.se"), DisplayName: ann("Ann Berg"), Locale: "sv-SE", Roles: roles,
	}}
}

func then(given []Event, more ...Event) []Event {
	return append(slices.Clip(given), more...)
}

// blocked, left and gone are how ann's account ends.
func blocked(roles ...domain.Role) []Event {
	return then(added(roles...),
		EmployeeBlocked{Offboarding: "o1", Roles: roles, At: start, EffectiveBy: start.Add(day), RetainedUntil: start.AddDate(0, 0, 30)},
		SessionsRevoked{At: start, EffectiveBy: start.Add(time.Hour)})
}

func left(roles ...domain.Role) []Event {
	return then(blocked(roles...), EmployeeOffboarded{Offboarding: "o1", At: start, RetainedUntil: start.AddDate(0, 0, 30)})
}

func gone(roles ...domain.Role) []Event {
	return then(left(roles...), EmployeeDataRetentionExpired{Offboarding: "o1", At: start.AddDate(0, 0, 30)})
}
