package tenant_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/domaintest"
	"konto/domain/recovery"
	. "konto/domain/tenant"
)

var (
	start         = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	recoveryFirst = recovery.Policy.First
	strict        = recovery.Terms{CoolDownHours: 24, UndoHours: 72, ResetMinutes: 60, ResetsPerDay: 5, WrongCodes: 5, AssertionMinutes: 10}
)

const day = 24 * time.Hour

// office is an organization and its global admins.
type office struct {
	tenant    Tenant
	after     time.Duration // since start
	admins    map[string]GlobalAdmin
	contacts  map[string]recovery.Contacts
	alternate map[string]Alternate
	terms     []domain.Version[recovery.Terms]
}

// contoso has one domain, the initial one, and is on no trial.
func contoso() office {
	return office{tenant: Tenant{Country: "SE", Domains: []string{"contoso.example"}}}
}

func (o office) trial() office                { o.tenant.TrialSince = start; return o }
func (o office) later(d time.Duration) office { o.after = d; return o }
func (o office) has(more string) office {
	o.tenant.Domains = append(o.tenant.Domains[:1:1], more)
	return o
}

func (o office) asks(t recovery.Terms, at time.Time) office {
	o.terms = append(o.terms, domain.Version[recovery.Terms]{Number: len(o.terms) + 2, EffectiveAt: at, Rules: t})
	return o
}

// seats says of somebody that they are seated, whether they are a global
// admin, and what they have verified: an empty host for no address.
func (o office) seats(id string, a GlobalAdmin, phone bool, host string) office {
	next := office{tenant: o.tenant, after: o.after, terms: o.terms, admins: map[string]GlobalAdmin{id: a}}
	next.contacts = map[string]recovery.Contacts{id: {Phone: phone, Mail: host != ""}}
	next.alternate = map[string]Alternate{id: {Host: host}}
	for other := range o.admins {
		next.admins[other], next.contacts[other], next.alternate[other] = o.admins[other], o.contacts[other], o.alternate[other]
	}
	next.tenant.GlobalAdmins = append(slices.Clip(o.tenant.GlobalAdmins), id)
	return next
}

// ga seats a global admin.
func (o office) ga(id string, phone bool, host string) office {
	return o.seats(id, GlobalAdmin{Tenant: "contoso", Is: true}, phone, host)
}

// given is the history that leads to the office.
func (o office) given() []Event {
	events := []Event{TenantRegistered{Country: "SE", Domain: o.tenant.Domains[0], TrialSince: o.tenant.TrialSince}}
	for _, d := range o.tenant.Domains[1:] {
		events = append(events, DomainVerified{Domain: d})
	}
	for _, id := range o.tenant.GlobalAdmins {
		events = append(events, GlobalAdminSeated{AdminID: id})
	}
	return events
}

func (o office) meta(cmd any) Meta {
	m := Meta{ID: "contoso", Tenant: "contoso", At: start.Add(o.after), Actor: domain.Actor{Kind: domain.KindSystem}}
	return domaintest.Gather(m, cmd, func(n domain.Need) any {
		switch n.Type {
		case reflect.TypeFor[DomainName]():
			return DomainName{OK: true, Name: n.Key}
		case reflect.TypeFor[Own]():
			return Own(o.tenant)
		case reflect.TypeFor[GlobalAdmin]():
			return o.admins[n.Key]
		case reflect.TypeFor[recovery.Contacts]():
			return o.contacts[n.Key]
		case reflect.TypeFor[Officer]():
			return Officer{}
		case reflect.TypeFor[Alternate]():
			return o.alternate[n.Key]
		}
		return domain.Terms[recovery.Terms]{Name: n.Key, Versions: o.terms}
	})
}

func TestADomainLocksNobodyOut(t *testing.T) {
	t.Parallel()
	const home = "home.example"
	var (
		cases  []domaintest.Case[Tenant]
		verify = VerifyDomain{Domain: "contoso.se"}
		comes  = []Event{DomainVerified{Domain: "contoso.se"}}
		raises = []Event{DomainVerified{Domain: "contoso.se", TwoProofs: true}}
		is     = GlobalAdmin{Tenant: "contoso", Is: true}
	)
	row := func(name string, o office, then []Event, err error) {
		cases = append(cases, domaintest.Case[Tenant]{Name: "I8: a domain: " + name, Given: o.given(), When: verify, Meta: o.meta(verify), Then: then, Err: err})
	}
	row("the global admin has a phone and an address", contoso().ga("ann", true, home), raises, nil)
	row("the global admin has a phone alone", contoso().ga("ann", true, ""), nil, ErrLocksOut)
	row("the global admin has an address alone", contoso().ga("ann", false, home), nil, ErrLocksOut)
	row("the global admin has nothing, so there is nothing to lose", contoso().ga("ann", false, ""), raises, nil)
	row("nobody is a global admin yet", contoso(), raises, nil)
	row("the second global admin has both", contoso().ga("ann", true, "").ga("bo", true, home), raises, nil)
	row("two global admins have one each", contoso().ga("ann", true, "").ga("bo", false, home), nil, ErrLocksOut)
	row("who has both is a global admin no more", contoso().ga("ann", true, "").seats("bo", GlobalAdmin{Tenant: "contoso"}, true, home), nil, ErrLocksOut)
	row("who has both is of another organization", contoso().ga("ann", true, "").seats("bo", GlobalAdmin{Tenant: "fabrikam", Is: true}, true, home), nil, ErrLocksOut)
	row("who had one is a global admin no more", contoso().seats("ann", GlobalAdmin{Tenant: "contoso"}, true, ""), raises, nil)
	row("the second one raises nothing", contoso().has("contoso.nu").ga("ann", true, ""), comes, nil)
	row("on a trial one is enough", contoso().trial().ga("ann", true, ""), comes, nil)
	row("on the trial's last day", contoso().trial().later(30*day-time.Second).ga("ann", true, ""), comes, nil)
	row("the trial's first days are over", contoso().trial().later(30*day).ga("ann", true, ""), nil, ErrLocksOut)
	row("two are asked for without a domain, too", contoso().asks(strict, start).ga("ann", true, ""), comes, nil)
	row("a version that is not in force yet", contoso().asks(strict, start.Add(day)).ga("ann", true, ""), nil, ErrLocksOut)

	row("the address is in it", contoso().has("contoso.nu").ga("ann", true, "contoso.se"), nil, ErrLocksOut)
	row("the address is below it", contoso().has("contoso.nu").ga("ann", true, "mail.contoso.se"), nil, ErrLocksOut)
	row("the address only looks like it", contoso().has("contoso.nu").ga("ann", true, "notcontoso.se"), comes, nil)
	row("the address is the only contact, and in it", contoso().trial().ga("ann", false, "contoso.se"), nil, ErrLocksOut)
	row("the address is in it, and the phone is enough", contoso().trial().ga("ann", true, "contoso.se"), comes, nil)
	row("another one's address is elsewhere", contoso().has("contoso.nu").ga("ann", true, "contoso.se").ga("bo", true, home), comes, nil)
	row("two addresses are in it", contoso().has("contoso.nu").ga("ann", true, "contoso.se").ga("bo", true, "contoso.se"), nil, ErrLocksOut)
	row("an address in it that was not enough before either", contoso().has("contoso.nu").ga("ann", false, "contoso.se"), comes, nil)

	row("the other address is in one that came a moment ago", contoso().has("contoso.nu").ga("ann", true, "contoso.nu").ga("bo", true, "contoso.se"), nil, ErrLocksOut)
	row("the only address is in one that came a moment ago", contoso().has("contoso.nu").ga("ann", true, "contoso.nu"), comes, nil)

	again := contoso().has("contoso.se").ga("ann", true, "")
	row("one that it has changes nothing", again, nil, nil)
	late := contoso()
	late.tenant.GlobalAdmins = nil
	cases = append(cases, domaintest.Case[Tenant]{
		Name:  "I8: a domain: who is seated while it is decided is no loss",
		Given: contoso().seats("ann", is, true, "").given(), When: verify, Meta: late.meta(verify), Then: raises,
	})
	domaintest.Run(t, Aggregate, cases)
}

// A global admin who leaves and a domain that comes would each count on the
// other's not happening.
func TestNobodyLeavesWhileADomainRaisesTheGate(t *testing.T) {
	t.Parallel()
	verify := VerifyDomain{Domain: "contoso.se"}
	for name, c := range map[string]struct {
		o    office
		exit bool
	}{
		"I8: it takes two proofs":    {contoso().ga("ann", true, "home.example"), true},
		"I8: it took two before":     {contoso().has("contoso.nu").ga("ann", true, "home.example"), false},
		"I8: one proof stays enough": {contoso().trial().ga("ann", true, ""), false},
		"I8: it is known":            {contoso().has("contoso.se").ga("ann", true, "home.example"), false},
	} {
		got := verify.Reserves(c.o.meta(verify))
		if exit := len(got) == 2 && got[1].Kind == "global-admin-exit"; exit != c.exit || len(got) == 0 || got[0].Kind != "domain" {
			t.Errorf("%s: Reserves = %+v, want the exit: %v", name, got, c.exit)
		}
	}
	got := verify.Reserves(contoso().ga("ann", true, "home.example").meta(verify))[1]
	if err := got.Taken("bo"); !err.Is(ErrLeaving) || got.Scope != "contoso" || err.Rule != "I8" {
		t.Errorf("I8: the exit of %s is taken with %v, want contoso's and %v", got.Scope, err, ErrLeaving)
	}
}

func TestTheRefusalOfADomainSaysWhatToDoFirst(t *testing.T) {
	t.Parallel()
	if e := ErrLocksOut; e.Rule != "I8" || e.Instead != "UpdateSecurityInfo" || len(e.InsteadBy) != 1 || e.InsteadBy[0] != domain.GlobalAdmin || e.Pointer != "/domain" {
		t.Errorf("I8: %+v, want the rule, the field, and that a global admin verifies contacts first", e)
	}
}
