package relationship_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/relationship"
)

const (
	bob      = "01936c2e-0000-7000-8000-0000000000a2"
	resource = "azure-reserved-instances"
	action   = "purchase"
)

var (
	subscribed = PartnerSubscriptionRecorded{partner, customer, "sub-1", true, true, now}
	reserved   = PartnerReservationRecorded{partner, customer, "res-1", true, now}
	until      = now.AddDate(0, 0, 30)
	plain      = Allowance{Resource: resource, Action: action}
	bounded    = Allowance{Resource: resource, Action: action, CapMinor: 1000, Currency: "EUR", ExpiresAt: until, Products: []string{"vm-small", "vm-large"}}
	active     = events(requested, established, subscribed)
)

// agent is what a decision knows when a partner's agent asks at a time.
func agent(who string, at time.Time, terms ...PermissionTerms) Meta {
	m := meta(partner, domain.AdminAgent)
	m.Actor.ID, m.At = who, at
	var versions []domain.Version[PermissionTerms]
	for i, t := range terms {
		versions = append(versions, domain.Version[PermissionTerms]{Number: i + 2, Rules: t})
	}
	m.Facts = Grantors.Known(Limits.Known(m.Facts, versions...))
	return m
}

func machine(kind domain.ActorKind, at time.Time) Meta {
	m := agent("gateway", at)
	m.Actor = domain.Actor{ID: "gateway", Kind: kind}
	return m
}

func grant(a Allowance) GrantPurchasePermission {
	return GrantPurchasePermission{Allowance: a, Acknowledge: Consequences()}
}

func granted(a Allowance, by string) PurchasePermissionGranted {
	return PurchasePermissionGranted{partner, customer, a, Consequences(), ann, by, now}
}

func proposed(a Allowance) PurchasePermissionProposed {
	return PurchasePermissionProposed{partner, customer, a, Consequences(), ann, now, []domain.Role{domain.AdminAgent}}
}

func over(a Allowance, why Reason, wasGranted bool, spent int64, at time.Time) PurchasePermissionRevoked {
	return PurchasePermissionRevoked{partner, customer, a.Resource, a.Action, why, wasGranted, spent, at}
}

func bought(id string, amount, left int64) CustomerPurchaseRecorded {
	return CustomerPurchaseRecorded{partner, customer, id, resource, action, "vm-small", amount, "EUR", &left, now}
}

// given is a history and what came after it.
func given(before []Event, after ...Event) []Event { return append(slices.Clone(before), after...) }

func TestHoldings(t *testing.T) {
	t.Parallel()
	m := agent(ann, now)
	sub := RecordPartnerSubscription{"sub-1", true, true}
	res := RecordPartnerReservation{"res-1", true}
	base := events(requested, established)
	advisor := events(RelationshipRequested{partner, customer, Advisor, now}, RelationshipEstablished{partner, customer, Advisor, now})
	domaintest.Run(t, Aggregate, []domaintest.Case[Relationship]{
		{Name: "P9: a subscription", Given: base, When: sub, Meta: m, Then: events(subscribed)},
		{Name: "P9: a subscription by the gateway", Given: base, When: sub, Meta: machine(domain.KindGateway, now), Then: events(subscribed)},
		{Name: "P9: a subscription by Konto", Given: base, When: sub, Meta: machine(domain.KindSystem, now), Then: events(subscribed)},
		{Name: "P9: the same again", Given: active, When: sub, Meta: m},
		{
			Name: "P8: the owner role is lost", Given: active, When: RecordPartnerSubscription{"sub-1", true, false}, Meta: m,
			Then: events(PartnerSubscriptionRecorded{partner, customer, "sub-1", true, false, now}),
		},
		{
			Name: "P9: it ended", Given: active, When: RecordPartnerSubscription{SubscriptionID: "sub-1", OwnerRole: true}, Meta: m,
			Then: events(PartnerSubscriptionRecorded{partner, customer, "sub-1", false, false, now}),
		},
		{Name: "P9: another one ended", Given: active, When: RecordPartnerSubscription{SubscriptionID: "sub-2"}, Meta: m},
		{Name: "P9: a reservation", Given: base, When: res, Meta: m, Then: events(reserved)},
		{Name: "P9: the same reservation again", Given: given(base, reserved), When: res, Meta: m},
		{
			Name: "P9: a reservation is used up", Given: given(base, reserved), When: RecordPartnerReservation{ReservationID: "res-1"}, Meta: m,
			Then: events(PartnerReservationRecorded{partner, customer, "res-1", false, now}),
		},
		{Name: "P9: another reservation is used up", Given: given(base, reserved), When: RecordPartnerReservation{ReservationID: "res-2"}, Meta: m},
		{Name: "P9: no name", Given: base, When: RecordPartnerSubscription{Active: true}, Meta: m, Err: ErrBounds},
		{Name: "P9: a name with a space", Given: base, When: RecordPartnerReservation{"r 1", true}, Meta: m, Err: ErrBounds},
		{Name: "P9: before it was accepted", Given: events(requested), When: sub, Meta: m, Err: ErrNoReseller},
		{Name: "P9: after the end", Given: events(requested, established, ended), When: res, Meta: m, Err: ErrNoReseller},
		{Name: "P9: an advisor sells nothing", Given: advisor, When: sub, Meta: m, Err: ErrNoReseller},
		{Name: "P9: the customer does not record for the partner", Given: base, When: sub, Meta: meta(customer, domain.GlobalAdmin), Err: ErrNotPartner},
		{Name: "P9: no relationship", When: res, Meta: m, Err: ErrNotFound},
	})
}

func TestEndWhatIsInUse(t *testing.T) {
	t.Parallel()
	byPartner := func(m Meta) RelationshipEnded {
		return RelationshipEnded{PartnerID: partner, CustomerID: customer, Type: Reseller, EndedBy: m.Actor.Tenant, At: m.At}
	}
	p, c := agent(ann, now), meta(customer, domain.GlobalAdmin)
	idle := PartnerSubscriptionRecorded{PartnerID: partner, CustomerID: customer, SubscriptionID: "sub-1", At: now}
	closed := PartnerReservationRecorded{PartnerID: partner, CustomerID: customer, ReservationID: "res-1", At: now}
	domaintest.Run(t, Aggregate, []domaintest.Case[Relationship]{
		{Name: "P9: a subscription is active, the partner ends", Given: active, When: EndRelationship{}, Meta: p, Err: ErrInUse},
		{Name: "P9: a subscription is active, the customer ends", Given: active, When: EndRelationship{}, Meta: c, Err: ErrInUse},
		{Name: "P9: a reservation is open", Given: events(requested, established, reserved), When: EndRelationship{}, Meta: p, Err: ErrInUse},
		{Name: "P9: one of two runs", Given: given(active, reserved, closed), When: EndRelationship{}, Meta: p, Err: ErrInUse},
		{Name: "P9: nothing runs any more", Given: given(active, reserved, closed, idle), When: EndRelationship{}, Meta: p, Then: events(byPartner(p))},
		{
			Name: "X6: permissions end with it", Given: given(active, granted(bounded, ann), bought("p1", 100, 900), idle), When: EndRelationship{}, Meta: p,
			Then: events(over(bounded, ReasonRelationshipEnded, true, 100, now), byPartner(p)),
		},
		{
			Name: "X6: also one that waits for approval", Given: given(active, proposed(plain), idle), When: EndRelationship{}, Meta: c,
			Then: events(over(plain, ReasonRelationshipEnded, false, 0, now), byPartner(c)),
		},
		{
			Name:  "X6: a purchase that was queued before the end",
			Given: given(active, granted(plain, ann), idle, over(plain, ReasonRelationshipEnded, true, 0, now), byPartner(p)),
			When:  RecordCustomerPurchase{"p1", resource, action, "vm-small", 1, "EUR"}, Meta: machine(domain.KindGateway, now), Err: ErrNoPermission,
		},
		{
			Name:  "X6: a grant that was queued before the end",
			Given: given(active, idle, byPartner(p)), When: grant(plain), Meta: p, Err: ErrNoReseller,
		},
		{
			Name: "P9: asked again later, nothing is left of before", Given: given(active, idle, byPartner(p), requested, established),
			When: grant(plain), Meta: p, Err: ErrNoSubscription,
		},
	})
}

func TestGrantPurchasePermission(t *testing.T) {
	t.Parallel()
	m := agent(ann, now)
	two, year, lax := Limits.First, Limits.First, Limits.First
	two.SecondPerson, year.MaxDays, lax.OwnerRole = true, 30, false
	with := func(change func(*GrantPurchasePermission)) GrantPurchasePermission {
		c := grant(bounded)
		c.Products = slices.Clone(c.Products)
		change(&c)
		return c
	}
	heading := func(from time.Time) Meta {
		m := agent(ann, now)
		terms := domain.RoleTerms{Roles: []domain.Role{domain.GlobalAdmin, domain.SalesAgent}}
		m.Facts = Grantors.Known(m.Facts, domain.Version[domain.RoleTerms]{Number: 2, EffectiveAt: from, Rules: terms})
		return m
	}
	second, asking := grant(plain), proposed(plain)
	second.SecondPerson, asking.Approvers = true, []domain.Role{domain.GlobalAdmin, domain.SalesAgent}
	unowned := PartnerSubscriptionRecorded{partner, customer, "sub-1", true, false, now}
	many := make([]string, 101)
	for i := range many {
		many[i] = "p" + string(rune('0'+i/10)) + string(rune('0'+i%10))
	}
	domaintest.Run(t, Aggregate, []domaintest.Case[Relationship]{
		{Name: "P8: on until it is turned off", Given: active, When: grant(plain), Meta: m, Then: events(granted(plain, ann))},
		{Name: "N17: bounded", Given: active, When: grant(bounded), Meta: m, Then: events(granted(bounded, ann))},
		{Name: "P8: again", Given: given(active, granted(bounded, ann)), When: grant(bounded), Meta: m},
		{Name: "P8: with other bounds", Given: given(active, granted(bounded, ann)), When: grant(plain), Meta: m, Err: ErrPermitted},
		{
			Name: "N17: anew after it expired", Given: given(active, granted(bounded, ann)), When: grant(plain), Meta: agent(ann, until),
			Then: events(over(bounded, ReasonExpired, true, 0, until), PurchasePermissionGranted{partner, customer, plain, Consequences(), ann, ann, until}),
		},
		{Name: "P8: no subscription", Given: events(requested, established), When: grant(plain), Meta: m, Err: ErrNoSubscription},
		{Name: "P8: a subscription that the partner does not own there", Given: events(requested, established, unowned), When: grant(plain), Meta: m, Err: ErrNoSubscription},
		{Name: "P8: a policy that does not ask for the owner role", Given: events(requested, established, unowned), When: grant(plain), Meta: agent(ann, now, lax), Then: events(granted(plain, ann))},
		{Name: "P8: before it was accepted", Given: events(requested), When: grant(plain), Meta: m, Err: ErrNoReseller},
		{Name: "P8: by the customer", Given: active, When: grant(plain), Meta: func() Meta { c := m; c.Actor.Tenant = customer; return c }(), Err: ErrNotPartner},
		{Name: "P8: no relationship", When: grant(plain), Meta: m, Err: ErrNotFound},
		{Name: "P8: nothing acknowledged", Given: active, When: GrantPurchasePermission{Allowance: plain}, Meta: m, Err: ErrNotAcknowledged},
		{Name: "P8: that the partner pays is not acknowledged", Given: active, When: GrantPurchasePermission{Allowance: plain, Acknowledge: []Consequence{PartnerManages}}, Meta: m, Err: ErrNotAcknowledged},
		{Name: "P8: that the partner manages is not acknowledged", Given: active, When: GrantPurchasePermission{Allowance: plain, Acknowledge: []Consequence{PartnerPays}}, Meta: m, Err: ErrNotAcknowledged},
		{Name: "P8: another resource", Given: active, When: with(func(c *GrantPurchasePermission) { c.Resource = "licences" }), Meta: m, Err: ErrNotPermittable},
		{Name: "P8: another action", Given: active, When: with(func(c *GrantPurchasePermission) { c.Action = "cancel" }), Meta: m, Err: ErrNotPermittable},
		{Name: "N17: a negative cap", Given: active, When: with(func(c *GrantPurchasePermission) { c.CapMinor = -1 }), Meta: m, Err: ErrBounds},
		{Name: "N17: a cap of no currency", Given: active, When: with(func(c *GrantPurchasePermission) { c.Currency = "" }), Meta: m, Err: ErrBounds},
		{Name: "N17: a currency without a cap", Given: active, When: with(func(c *GrantPurchasePermission) { c.CapMinor = 0 }), Meta: m, Err: ErrBounds},
		{Name: "N17: no currency code", Given: active, When: with(func(c *GrantPurchasePermission) { c.Currency = "euro" }), Meta: m, Err: ErrBounds},
		{Name: "N17: a currency that there is not", Given: active, When: with(func(c *GrantPurchasePermission) { c.Currency = "XQZ" }), Meta: m, Err: ErrBounds},
		{Name: "N17: a currency in small letters", Given: active, When: with(func(c *GrantPurchasePermission) { c.Currency = "eur" }), Meta: m, Err: ErrBounds},
		{Name: "N17: expired already", Given: active, When: with(func(c *GrantPurchasePermission) { c.ExpiresAt = now }), Meta: m, Err: ErrBounds},
		{Name: "N17: a product twice", Given: active, When: with(func(c *GrantPurchasePermission) { c.Products = []string{"a", "a"} }), Meta: m, Err: ErrBounds},
		{Name: "N17: a product of no name", Given: active, When: with(func(c *GrantPurchasePermission) { c.Products = []string{""} }), Meta: m, Err: ErrBounds},
		{Name: "N17: too many products", Given: active, When: with(func(c *GrantPurchasePermission) { c.Products = many }), Meta: m, Err: ErrBounds},
		{Name: "N17: the most days", Given: active, When: grant(bounded), Meta: agent(ann, now, year), Then: events(granted(bounded, ann))},
		{Name: "N17: more than the most days", Given: active, When: with(func(c *GrantPurchasePermission) { c.ExpiresAt = until.Add(time.Second) }), Meta: agent(ann, now, year), Err: ErrBounds},
		{Name: "N17: no end where there must be one", Given: active, When: grant(plain), Meta: agent(ann, now, year), Err: ErrBounds},
		{Name: "N17: a second person must approve", Given: active, When: grant(plain), Meta: agent(ann, now, two), Then: events(proposed(plain))},
		{Name: "N17: a second person is asked for", Given: active, When: with(func(c *GrantPurchasePermission) { c.SecondPerson = true }), Meta: m, Then: events(proposed(bounded))},
		{Name: "P8, N17: those may approve whom the policy in force names", Given: active, When: second, Meta: heading(now), Then: events(asking)},
		{Name: "P8, N17: and not yet those whom a version to come names", Given: active, When: second, Meta: heading(now.Add(time.Second)), Then: events(proposed(plain))},
		{Name: "N17: proposed again", Given: given(active, proposed(plain)), When: grant(plain), Meta: agent(ann, now, two)},
		{Name: "N17: something else is proposed", Given: given(active, proposed(plain)), When: grant(bounded), Meta: agent(ann, now, two), Err: ErrPermitted},
	})
}

func TestApprovePurchasePermission(t *testing.T) {
	t.Parallel()
	when := ApprovePurchasePermission{resource, action}
	year, other, long, late := Limits.First, Limits.First, bounded, now.Add(time.Second)
	year.MaxDays, other.Permits, long.ExpiresAt = 30, []string{"licences/purchase"}, until.Add(time.Second)
	grantedLate := granted(long, bob)
	grantedLate.At = late
	idle := PartnerSubscriptionRecorded{PartnerID: partner, CustomerID: customer, SubscriptionID: "sub-1", At: now}
	domaintest.Run(t, Aggregate, []domaintest.Case[Relationship]{
		{Name: "N17: approved by another", Given: given(active, proposed(bounded)), When: when, Meta: agent(bob, now), Then: events(granted(bounded, bob))},
		{Name: "N17: by whoever proposed it", Given: given(active, proposed(bounded)), When: when, Meta: agent(ann, now), Err: ErrSamePerson},
		{Name: "N17: again", Given: given(active, proposed(bounded), granted(bounded, bob)), When: when, Meta: agent(bob, now)},
		{Name: "N17: nothing proposed", Given: active, When: when, Meta: agent(bob, now), Err: ErrNoPermission},
		{Name: "N17: it expired while it waited", Given: given(active, proposed(bounded)), When: when, Meta: agent(bob, until), Err: ErrNoPermission},
		{Name: "P8: the subscription ended while it waited", Given: given(active, proposed(bounded), idle), When: when, Meta: agent(bob, now), Err: ErrNoSubscription},
		{Name: "N17: proposed without an end before there had to be one", Given: given(active, proposed(plain)), When: when, Meta: agent(bob, now, year), Err: ErrProposalOutdated},
		{Name: "N17: without an end once more, by whoever proposed it", Given: given(active, proposed(plain)), When: when, Meta: agent(ann, now, year), Err: ErrSamePerson},
		{Name: "N17: proposed for longer than is left to anybody", Given: given(active, proposed(long)), When: when, Meta: agent(bob, now, year), Err: ErrProposalOutdated},
		{Name: "N17: for longer, approved when the rest is short enough", Given: given(active, proposed(long)), When: when, Meta: agent(bob, late, year), Then: events(grantedLate)},
		{Name: "N17: as long as is left to anybody", Given: given(active, proposed(bounded)), When: when, Meta: agent(bob, now, year), Then: events(granted(bounded, bob))},
		{Name: "P8: proposed before nobody could be permitted it", Given: given(active, proposed(bounded)), When: when, Meta: agent(bob, now, other), Err: ErrProposalOutdated},
		{Name: "N17: granted before the rules became stricter", Given: given(active, proposed(plain), granted(plain, bob)), When: when, Meta: agent(bob, now, year)},
		{
			Name: "N17: taken back and proposed anew within the stricter rules", Given: given(active, proposed(plain), over(plain, ReasonRevoked, false, 0, now), proposed(bounded)),
			When: when, Meta: agent(bob, now, year), Then: events(granted(bounded, bob)),
		},
		{Name: "N17: by the customer", Given: given(active, proposed(bounded)), When: when, Meta: func() Meta { m := agent(bob, now); m.Actor.Tenant = customer; return m }(), Err: ErrNotPartner},
		{Name: "N17: no relationship", When: when, Meta: agent(bob, now), Err: ErrNotFound},
	})
}

// Who is refused for stricter rules is told which, and what to do.
func TestOutdatedProposalSaysWhatToDo(t *testing.T) {
	t.Parallel()
	year, other := Limits.First, Limits.First
	year.MaxDays, other.Permits = 365, []string{"licences/purchase"}
	var r Relationship
	for _, e := range given(active, proposed(plain)) {
		e.Evolve(&r)
	}
	for name, c := range map[string]struct {
		terms PermissionTerms
		want  map[string]any
	}{
		"N17: a longest time":     {year, map[string]any{"maxDays": 365}},
		"P8: another thing alone": {other, map[string]any{"permits": []string{"licences/purchase"}}},
	} {
		_, err := ApprovePurchasePermission{resource, action}.Decide(r, agent(bob, now, c.terms))
		refused, ok := errors.AsType[*domain.Error](err)
		if !ok || refused.Rule != "N17" || refused.Instead != "RevokePurchasePermission" {
			t.Errorf("%s: %v, want rule N17 and what to do instead", name, err)
			continue
		}
		if d := cmp.Diff(c.want, refused.Facts); d != "" {
			t.Errorf("%s: facts (-want +got):\n%s", name, d)
		}
	}
}

func TestEndOfPermissions(t *testing.T) {
	t.Parallel()
	revoke := RevokePurchasePermission{resource, action}
	expire := ExpirePurchasePermission{resource, action, until}
	domaintest.Run(t, Aggregate, []domaintest.Case[Relationship]{
		{Name: "P8: revoked", Given: given(active, granted(plain, ann)), When: revoke, Meta: agent(bob, now), Then: events(over(plain, ReasonRevoked, true, 0, now))},
		{Name: "N17: taken back before approval", Given: given(active, proposed(plain)), When: revoke, Meta: agent(ann, now), Then: events(over(plain, ReasonRevoked, false, 0, now))},
		{
			Name: "N17: revoked with what was spent", Given: given(active, granted(bounded, ann), bought("p1", 300, 700)), When: revoke, Meta: agent(ann, now),
			Then: events(over(bounded, ReasonRevoked, true, 300, now)),
		},
		{Name: "P8: nothing to revoke", Given: active, When: revoke, Meta: agent(ann, now)},
		{Name: "P8: revoked by the customer", Given: given(active, granted(plain, ann)), When: revoke, Meta: meta(customer, domain.GlobalAdmin), Err: ErrNotPartner},
		{Name: "P8: no relationship", When: revoke, Meta: agent(ann, now), Err: ErrNotFound},
		{Name: "N17: its time has come", Given: given(active, granted(bounded, ann)), When: expire, Meta: machine(domain.KindSystem, until), Then: events(over(bounded, ReasonExpired, true, 0, until))},
		{Name: "N17: one that waited has its time, too", Given: given(active, proposed(bounded)), When: expire, Meta: machine(domain.KindSystem, until), Then: events(over(bounded, ReasonExpired, false, 0, until))},
		{Name: "N17: too early", Given: given(active, granted(bounded, ann)), When: expire, Meta: machine(domain.KindSystem, until.Add(-time.Microsecond))},
		{Name: "N17: granted anew meanwhile", Given: given(active, granted(plain, ann)), When: expire, Meta: machine(domain.KindSystem, until)},
		{Name: "N17: revoked meanwhile", Given: active, When: expire, Meta: machine(domain.KindSystem, until)},
	})
}

func TestRecordCustomerPurchase(t *testing.T) {
	t.Parallel()
	buy := func(change func(*RecordCustomerPurchase)) RecordCustomerPurchase {
		c := RecordCustomerPurchase{"p1", resource, action, "vm-small", 400, "EUR"}
		change(&c)
		return c
	}
	when := buy(func(*RecordCustomerPurchase) {})
	here := given(active, granted(bounded, ann))
	open := bought("p1", 400, 0)
	open.CapLeftMinor = nil
	gateway := machine(domain.KindGateway, now)
	unbounded := given(active, granted(plain, ann))
	domaintest.Run(t, Aggregate, []domaintest.Case[Relationship]{
		{Name: "P8: within the bounds", Given: here, When: when, Meta: gateway, Then: events(bought("p1", 400, 600))},
		{Name: "P8: recorded by the partner", Given: here, When: when, Meta: agent(ann, now), Then: events(bought("p1", 400, 600))},
		{Name: "P8: without bounds", Given: given(active, granted(plain, ann)), When: when, Meta: gateway, Then: events(open)},
		{Name: "X2: the same purchase again", Given: given(here, bought("p1", 400, 600)), When: when, Meta: gateway},
		{Name: "X2: the same purchase again after the end", Given: given(here, bought("p1", 400, 600)), When: when, Meta: machine(domain.KindGateway, until)},
		{Name: "N17: all of the cap", Given: here, When: buy(func(c *RecordCustomerPurchase) { c.AmountMinor = 1000 }), Meta: gateway, Then: events(bought("p1", 1000, 0))},
		{Name: "N17: more than the cap", Given: here, When: buy(func(c *RecordCustomerPurchase) { c.AmountMinor = 1001 }), Meta: gateway, Err: ErrOverCap},
		{Name: "N17: more than what is left", Given: given(here, bought("p0", 601, 399)), When: when, Meta: gateway, Err: ErrOverCap},
		{Name: "N17: what is left", Given: given(here, bought("p0", 600, 400)), When: when, Meta: gateway, Then: events(bought("p1", 400, 0))},
		{Name: "N17: another currency", Given: here, When: buy(func(c *RecordCustomerPurchase) { c.Currency = "SEK" }), Meta: gateway, Err: ErrOtherCurrency},
		{Name: "N17: another product", Given: here, When: buy(func(c *RecordCustomerPurchase) { c.Product = "vm-huge" }), Meta: gateway, Err: ErrOtherProduct},
		{Name: "N17: expired and not swept away yet", Given: here, When: when, Meta: machine(domain.KindGateway, until), Err: ErrNoPermission},
		{Name: "N17: waits for approval", Given: given(active, proposed(plain)), When: when, Meta: gateway, Err: ErrNoPermission},
		{Name: "P8: off by default", Given: active, When: when, Meta: gateway, Err: ErrNoPermission},
		{Name: "P8: another resource", Given: here, When: buy(func(c *RecordCustomerPurchase) { c.Resource = "licences" }), Meta: gateway, Err: ErrNoPermission},
		{Name: "P8: after it was revoked", Given: given(here, over(bounded, ReasonRevoked, true, 0, now)), When: when, Meta: gateway, Err: ErrNoPermission},
		{Name: "P8: no purchase ID", Given: here, When: buy(func(c *RecordCustomerPurchase) { c.PurchaseID = "" }), Meta: gateway, Err: ErrPurchase},
		{Name: "P8: no product", Given: here, When: buy(func(c *RecordCustomerPurchase) { c.Product = "" }), Meta: gateway, Err: ErrPurchase},
		{Name: "P8: nothing paid", Given: here, When: buy(func(c *RecordCustomerPurchase) { c.AmountMinor = 0 }), Meta: gateway, Err: ErrPurchase},
		{Name: "P8: money back", Given: here, When: buy(func(c *RecordCustomerPurchase) { c.AmountMinor = -1 }), Meta: gateway, Err: ErrPurchase},
		{Name: "P8: no currency", Given: here, When: buy(func(c *RecordCustomerPurchase) { c.Currency = "€" }), Meta: gateway, Err: ErrPurchase},
		{Name: "P8: no currency, by the partner", Given: here, When: buy(func(c *RecordCustomerPurchase) { c.Currency = "" }), Meta: agent(ann, now), Err: ErrPurchase},
		{Name: "P8: a currency that there is not, by the partner", Given: unbounded, When: buy(func(c *RecordCustomerPurchase) { c.Currency = "XQZ" }), Meta: agent(ann, now), Err: ErrPurchase},
		{
			Name: "P8: a currency that no table has, by the gateway", Given: unbounded, When: buy(func(c *RecordCustomerPurchase) { c.Currency = "XQZ" }), Meta: gateway,
			Then: events(CustomerPurchaseRecorded{partner, customer, "p1", resource, action, "vm-small", 400, "XQZ", nil, now}),
		},
		{Name: "P8: recorded by the customer", Given: here, When: when, Meta: meta(customer, domain.GlobalAdmin), Err: ErrNotPartner},
		{Name: "P8: no relationship", When: when, Meta: gateway, Err: ErrNotFound},
	})
}

func TestPermissionTerms(t *testing.T) {
	t.Parallel()
	if err := Limits.First.Validate(); err != nil {
		t.Errorf("version 1: %v", err)
	}
	for name, terms := range map[string]PermissionTerms{
		"nothing": {}, "no action": {Permits: []string{"x"}}, "three parts": {Permits: []string{"x/y/z"}}, "twice": {Permits: []string{"x/y", "x/y"}},
		"negative days": {Permits: []string{"x/y"}, MaxDays: -1}, "too many days": {Permits: []string{"x/y"}, MaxDays: 3661},
	} {
		if terms.Validate() == nil {
			t.Errorf("terms with %s are valid", name)
		}
	}
}
