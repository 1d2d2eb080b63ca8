package relationship_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/domaintest"
	. "konto/domain/relationship"
)

const (
	partner  = "01936c2e-0000-7000-8000-0000000000aa"
	customer = "01936c2e-0000-7000-8000-0000000000bb"
	stranger = "01936c2e-0000-7000-8000-0000000000cc"
	ann      = "01936c2e-0000-7000-8000-0000000000a1"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func meta(tenant string, roles ...domain.Role) Meta {
	var f domain.Facts
	for code, ok := range map[string]bool{"EUR": true, "SEK": true, "euro": false, "€": false, "XQZ": false, "eur": false, "": false} {
		f = f.Knows(domain.Of[Currency](code), Currency{ok})
	}
	return Meta{
		ID: ID(partner, customer), Tenant: partner, At: now, Facts: f,
		Actor: domain.Actor{ID: ann, Kind: domain.KindPerson, Tenant: tenant, Roles: roles},
	}
}

func metaOf(id string) Meta {
	m := meta(partner)
	m.ID = id
	return m
}

func events(e ...Event) []Event { return e }

var (
	requested   = RelationshipRequested{partner, customer, Reseller, now}
	established = RelationshipEstablished{partner, customer, Reseller, now}
	ended       = RelationshipEnded{
		PartnerID: partner, CustomerID: customer, Type: Reseller, EndedBy: customer,
		Reason: domain.About(ann, "too dear"), At: now,
	}
)

func TestRequestRelationship(t *testing.T) {
	t.Parallel()
	when := RequestRelationship{Reseller}
	domaintest.Run(t, Aggregate, []domaintest.Case[Relationship]{
		{Name: "P9: ask", When: when, Meta: meta(partner), Then: events(requested)},
		{Name: "again", Given: events(requested), When: when, Meta: meta(partner)},
		{
			Name: "for something else", Given: events(requested), When: RequestRelationship{Advisor}, Meta: meta(partner),
			Then: events(RelationshipRequested{partner, customer, Advisor, now}),
		},
		{Name: "what is there", Given: events(requested, established), When: when, Meta: meta(partner)},
		{Name: "another type", Given: events(requested, established), When: RequestRelationship{Advisor}, Meta: meta(partner), Err: ErrActive},
		{Name: "after the end", Given: events(requested, established, ended), When: when, Meta: meta(partner), Then: events(requested)},
		{Name: "as the customer", When: when, Meta: meta(customer, domain.GlobalAdmin), Err: ErrNotPartner},
		{Name: "as a stranger", When: when, Meta: meta(stranger, domain.GlobalAdmin), Err: ErrNotPartner},
		{Name: "unknown type", When: RequestRelationship{"none"}, Meta: meta(partner), Err: ErrType},
		{Name: "ID of one tenant", When: when, Meta: metaOf(partner), Err: ErrID},
		{Name: "ID of the same tenant twice", When: when, Meta: metaOf(ID(partner, partner)), Err: ErrID},
		{Name: "ID without a dash", When: when, Meta: metaOf(partner + "_" + customer), Err: ErrID},
	})
}

func TestAcceptRelationship(t *testing.T) {
	t.Parallel()
	when := AcceptRelationship{}
	domaintest.Run(t, Aggregate, []domaintest.Case[Relationship]{
		{Name: "P9: accept", Given: events(requested), When: when, Meta: meta(customer, domain.GlobalAdmin), Then: events(established)},
		{Name: "again", Given: events(requested, established), When: when, Meta: meta(customer, domain.GlobalAdmin)},
		{Name: "as the partner", Given: events(requested), When: when, Meta: meta(partner, domain.GlobalAdmin), Err: ErrNotCustomer},
		{Name: "as a billing admin", Given: events(requested), When: when, Meta: meta(customer, domain.BillingAdmin), Err: ErrNotCustomer},
		{Name: "as a stranger", Given: events(requested), When: when, Meta: meta(stranger, domain.GlobalAdmin), Err: ErrNotCustomer},
		{Name: "what nobody asked for", When: when, Meta: meta(customer, domain.GlobalAdmin), Err: ErrNotFound},
		{Name: "what has ended", Given: events(requested, ended), When: when, Meta: meta(customer, domain.GlobalAdmin), Err: ErrEnded},
		{Name: "bad ID", When: when, Meta: metaOf("x"), Err: ErrID},
	})
}

func TestEndRelationship(t *testing.T) {
	t.Parallel()
	when := EndRelationship{"too dear"}
	byPartner := ended
	byPartner.EndedBy, byPartner.Reason = partner, domain.Personal[string]{}
	domaintest.Run(t, Aggregate, []domaintest.Case[Relationship]{
		{Name: "P9: by the customer", Given: events(requested, established), When: when, Meta: meta(customer), Then: events(ended)},
		{Name: "P9: by the partner", Given: events(requested, established), When: EndRelationship{}, Meta: meta(partner), Then: events(byPartner)},
		{Name: "before it was accepted", Given: events(requested), When: when, Meta: meta(customer), Then: events(ended)},
		{Name: "again", Given: events(requested, ended), When: when, Meta: meta(customer)},
		{Name: "by a stranger", Given: events(requested, established), When: when, Meta: meta(stranger), Err: ErrNotParty},
		{Name: "what nobody asked for", When: when, Meta: meta(customer), Err: ErrNotFound},
		{Name: "endless reason", Given: events(requested), When: EndRelationship{strings.Repeat("å", 501)}, Meta: meta(customer), Err: ErrReason},
		{Name: "bad ID", When: when, Meta: metaOf("x"), Err: ErrID},
	})
}

func TestActive(t *testing.T) {
	t.Parallel()
	var r Relationship
	for _, step := range []struct {
		event Event
		want  bool
	}{{requested, false}, {established, true}, {ended, false}, {requested, false}} {
		if step.event.Evolve(&r); r.Active() != step.want {
			t.Errorf("Active after %T = %t, want %t", step.event, r.Active(), step.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	_, err := RequestRelationship{Advisor}.Decide(Relationship{Type: Reseller, Status: StatusActive}, meta(partner))
	var got *domain.Error
	if !errors.As(err, &got) || got.Rule != "P9" || got.Instead != "EndRelationship" || got.Facts["type"] != Reseller {
		t.Errorf("RequestRelationship of another type: %+v, want rule P9, instead EndRelationship and the type", err)
	}
}
