package exposure_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/exposure"
	"konto/domain/recovery"
)

const contoso = "01930000-0000-7000-8000-000000000001"

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func in(days int) time.Time { return noon.AddDate(0, 0, days) }

// world is what a decision may know.
type world struct {
	org      Organization
	admins   map[string]GlobalAdmin
	contacts map[string]recovery.Contacts
	versions []domain.Version[recovery.Terms]
}

// has is an organization with one global admin, ann.
func has(org Organization, phone, mail bool) world {
	org.Exists, org.GlobalAdmins = true, []string{"ann"}
	return world{
		org: org, admins: map[string]GlobalAdmin{"ann": {contoso, true}},
		contacts: map[string]recovery.Contacts{"ann": {Phone: phone, Mail: mail}},
	}
}

// and seats somebody else, bo.
func (w world) and(bo GlobalAdmin, phone, mail bool) world {
	w.org.GlobalAdmins = []string{"ann", "bo"}
	w.admins = map[string]GlobalAdmin{"ann": w.admins["ann"], "bo": bo}
	w.contacts = map[string]recovery.Contacts{"ann": w.contacts["ann"], "bo": {Phone: phone, Mail: mail}}
	return w
}

func (w world) not() world { w.admins = map[string]GlobalAdmin{"ann": {Tenant: contoso}}; return w }

func (w world) asks(oneWithoutDomain bool, at time.Time) world {
	t := recovery.Policy.First
	t.TrialDays, t.OneGateWithoutDomain = 0, oneWithoutDomain
	w.versions = append(slices.Clip(w.versions), domain.Version[recovery.Terms]{Number: len(w.versions) + 2, EffectiveAt: at, Rules: t})
	return w
}

func (w world) meta(shard string, cmd any) Meta {
	m := Meta{ID: shard, At: noon, Actor: domain.Actor{Kind: domain.KindSystem}}
	return domaintest.Gather(m, cmd, func(n domain.Need) any {
		switch n.Type {
		case reflect.TypeFor[Organization]():
			return w.org
		case reflect.TypeFor[GlobalAdmin]():
			return w.admins[n.Key]
		case reflect.TypeFor[recovery.Contacts]():
			return w.contacts[n.Key]
		}
		return domain.Terms[recovery.Terms]{Name: n.Key, Versions: w.versions}
	})
}

func TestReview(t *testing.T) {
	t.Parallel()
	var (
		cases   []domaintest.Case[Register]
		shard   = recovery.ShardOf(contoso)
		initial Organization
		custom  = Organization{CustomDomain: true}
		trial   = Organization{CustomDomain: true, TrialSince: in(-5)}
		exposed = OrganizationExposed{TenantID: contoso}
		onTrial = OrganizationExposed{TenantID: contoso, CustomDomain: true, TrialSince: in(-5), TwoProofsFrom: in(25)}
		covered = OrganizationCovered{TenantID: contoso}
		is      = GlobalAdmin{contoso, true}
	)
	row := func(name string, w world, given, then []Event, err error) {
		when := ReviewOrganization{TenantID: contoso}
		cases = append(cases, domaintest.Case[Register]{Name: "I8: " + name, Given: given, When: when, Meta: w.meta(shard, when), Then: then, Err: err})
	}
	listed := []Event{exposed}
	row("a global admin with a phone alone exposes", has(initial, true, false), nil, listed, nil)
	row("a global admin with an address alone exposes", has(initial, false, true), nil, listed, nil)
	row("one with both covers", has(initial, true, true), listed, []Event{covered}, nil)
	row("one with both was never exposed", has(initial, true, true), nil, nil, nil)
	row("one with nothing has nothing to lose", has(initial, false, false), nil, nil, nil)
	row("one who lost the only contact has nothing to lose any more", has(initial, false, false), listed, []Event{covered}, nil)
	row("the second one has both", has(initial, true, false).and(is, true, true), listed, []Event{covered}, nil)
	row("two with one each", has(initial, true, false).and(is, false, true), nil, listed, nil)
	row("the second one has nothing", has(initial, true, false).and(is, false, false), listed, nil, nil)
	row("who has both is of another organization", has(initial, true, false).and(GlobalAdmin{"fabrikam", true}, true, true), nil, listed, nil)
	row("who has both is a global admin no more", has(initial, true, false).and(GlobalAdmin{Tenant: contoso}, true, true), nil, listed, nil)
	row("who has one is a global admin no more", has(initial, true, false).not(), listed, []Event{covered}, nil)
	row("a second look changes nothing", has(initial, true, false), listed, nil, nil)
	row("there is no such organization", world{}, nil, nil, nil)
	row("it has a domain now", has(custom, true, false), listed, []Event{OrganizationExposed{TenantID: contoso, CustomDomain: true}}, nil)
	row("on a trial: when its first days end is said", has(trial, true, false), nil, []Event{onTrial}, nil)
	row("on a trial: a second look changes nothing", has(trial, true, false), []Event{onTrial}, nil, nil)
	row("on a trial that is over", has(Organization{CustomDomain: true, TrialSince: in(-31)}, true, false), nil,
		[]Event{OrganizationExposed{TenantID: contoso, CustomDomain: true, TrialSince: in(-31)}}, nil)
	row("on a trial without a domain: its end makes no difference", has(Organization{TrialSince: in(-5)}, true, false), nil,
		[]Event{OrganizationExposed{TenantID: contoso, TrialSince: in(-5)}}, nil)
	row("covered and exposed again", has(initial, true, false), []Event{exposed, covered}, listed, nil)

	foreseen := LockoutsForeseen{Version: 2, Lockouts: []recovery.Lockout{{Tenant: contoso, At: in(9)}}}
	row("exposed while a version is to come", has(initial, true, false).asks(false, in(9)), nil, []Event{exposed, foreseen}, nil)
	row("exposed while a version is to come that spares it", has(initial, true, false).asks(true, in(9)), nil, listed, nil)
	row("exposed while a version is to come that is overtaken", has(initial, true, false).asks(false, in(9)).asks(true, in(3)), nil, listed, nil)
	row("covered while a version is to come", has(initial, true, true).asks(false, in(9)), listed, []Event{covered}, nil)

	elsewhere := ReviewOrganization{TenantID: contoso}
	cases = append(cases, domaintest.Case[Register]{
		Name: "I8: an organization of another register", When: elsewhere, Meta: has(initial, true, false).meta("f", elsewhere), Err: ErrShard,
	})
	domaintest.Run(t, Aggregate, cases)
}

func TestForesee(t *testing.T) {
	t.Parallel()
	var cases []domaintest.Case[Register]
	given := []Event{
		OrganizationExposed{TenantID: "b"},
		OrganizationExposed{TenantID: "a"},
		OrganizationExposed{TenantID: "gone"},
		OrganizationExposed{TenantID: "c", CustomDomain: true},
		OrganizationExposed{TenantID: "d", CustomDomain: true, TrialSince: in(-5)},
		OrganizationCovered{TenantID: "gone"},
	}
	row := func(name string, w world, given, then []Event) {
		when := ForeseeLockouts{Version: 2}
		cases = append(cases, domaintest.Case[Register]{Name: "I8: " + name, Given: given, When: when, Meta: w.meta("0", when), Then: then})
	}
	found := func(at int, tenants ...string) []Event {
		e := LockoutsForeseen{Version: 2}
		for _, tenant := range tenants {
			e.Lockouts = append(e.Lockouts, recovery.Lockout{Tenant: tenant, At: in(at)})
		}
		return []Event{e}
	}
	row("those whom a version would lock out", world{}.asks(false, in(9)), given, found(9, "a", "b", "d"))
	row("those on a trial alone", world{}.asks(true, in(9)), given, found(9, "d"))
	row("the trial is over by then", world{}.asks(false, in(26)), given, found(26, "a", "b"))
	row("a version for now", world{}.asks(false, in(0)), given, found(0, "a", "b", "d"))
	row("a version that locks nobody out", world{}.asks(true, in(26)), given, nil)
	row("a version that is overtaken", world{}.asks(false, in(9)).asks(true, in(3)), given, nil)
	row("a version that was not published", world{}, given, nil)
	row("a register without entries", world{}.asks(false, in(9)), nil, nil)
	domaintest.Run(t, Aggregate, cases)
}

func TestExposuresShareNothingWithTheRegister(t *testing.T) {
	t.Parallel()
	r := Register{Tenants: map[string]Entry{"a": {}, "b": {CustomDomain: true, TrialSince: noon}}}
	got := ExposuresOf("0", r)
	if want := (recovery.Exposures{Of: map[string]recovery.Standing{"a": {Domains: 1}, "b": {Domains: 2, TrialSince: noon}}}); !reflect.DeepEqual(got, want) {
		t.Errorf("I8: exposures %+v, want %+v", got, want)
	}
	delete(got.Of, "a")
	if len(r.Tenants) != 2 {
		t.Error("I8: the register changed with the fact")
	}
}
