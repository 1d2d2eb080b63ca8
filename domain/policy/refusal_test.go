package policy_test

import (
	"errors"
	"slices"
	"testing"

	"konto/domain"
	"konto/domain/card"
	"konto/domain/policy"
	"konto/domain/relationship"
)

// An account's tenant counts, not that of whoever asks first.
func TestSecurityInfoWithoutHistory(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		home domain.Facts
		want bool
	}{
		{domain.Facts{}.Knows(domain.Of[policy.Home](person), policy.Home{Tenant: own}), true},
		{domain.Facts{}.Knows(domain.Of[policy.Home](person), policy.Home{Tenant: other}), false},
		{domain.Facts{}.Knows(domain.Of[policy.Home](person), policy.Home{}), false},
		{domain.Facts{}, false},
	} {
		_, err := policy.Table.Rule(domain.Attempt{
			Category: "secinfo", Command: "UpdateSecurityInfo", ID: person, Owner: own, Facts: c.home,
			Actor: domain.Actor{ID: "gus", Kind: domain.KindPerson, Tenant: own, Roles: []domain.Role{domain.GlobalAdmin}},
		})
		if (err == nil) != c.want || !c.want && !errors.Is(err, policy.NotFound("secinfo")) {
			t.Errorf("with %+v: %v, want passed = %v", c.home, err, c.want)
		}
	}
}

func TestRefusalNamesWhoMayAndWhatInstead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		category, command, relation string
		role                        domain.Role
		rule, instead               string
		who                         []domain.Role
	}{
		{"card", "AddCard", "same", domain.SalesAgent, "C6", "", []domain.Role{domain.GlobalAdmin, domain.BillingAdmin}},
		{"card", "RecordCardAutoUpdate", "same", domain.BillingAdmin, "K4", "UpdateCardDetails", nil},
		{"card", "RecordCardAutoUpdate", "same", domain.Auditor, "K4", "", nil},
		{"secinfo", "ConfirmContactVerification", "same", domain.GlobalAdmin, "I2", "UpdateSecurityInfo", nil},
		{"rel", "RequestRelationship", "customer", domain.GlobalAdmin, "P9", "AcceptRelationship", []domain.Role{domain.GlobalAdmin, domain.SalesAgent, domain.AdminAgent}},
		{"rel", "AcceptRelationship", "same", domain.SalesAgent, "P9", "", []domain.Role{domain.GlobalAdmin}},
		{"customer", "UpdateCustomerAccount", "related", domain.HelpdeskAgent, "P1", "", []domain.Role{domain.GlobalAdmin, domain.SalesAgent}},
	} {
		_, err := policy.Table.Rule(attempt(t, c.category, c.command, c.relation, c.role, true))
		if got := refusal(err); got == nil || got.Rule != c.rule || got.Instead != c.instead || !slices.Equal(got.WhoMay, c.who) {
			t.Errorf("%s by %s %s = %+v, want rule %s, instead %q, for %v", c.command, c.relation, c.role, got, c.rule, c.instead, c.who)
		}
	}
}

func TestNotFoundIsTheAggregatesOwn(t *testing.T) {
	t.Parallel()
	if got := policy.NotFound("card"); got != card.ErrNotFound {
		t.Errorf("NotFound(card) = %v, want the card's own", got)
	}
	for _, c := range policy.Contracts {
		if got := policy.NotFound(c.Category()); got.Kind != domain.KindNotFound {
			t.Errorf("NotFound(%s) = %+v, want a not-found", c.Category(), got)
		}
	}
}

func TestOwner(t *testing.T) {
	t.Parallel()
	actor := domain.Actor{ID: person, Kind: domain.KindPerson, Tenant: other}
	for _, c := range []struct{ category, id, want string }{
		{"tenant", own, own},
		{"customer", own, own},
		{"rel", relationship.ID(partner, own), partner},
		{"rel", relationship.ID(own, own), ""}, // no one is their own partner
		{"rel", partner, ""},
		{"rel", "", ""},
		{"admin", person, other},
		{"secinfo", person, other},
		{"card", "c", other},
		{"billing", "s", other},
		{"collection", "i", other},
		{"resv", "r", other},
		{"notif", "n", other},
		{"inlet", "g", other},
	} {
		if got := policy.Table.Owner(c.category, c.id, actor); got != c.want {
			t.Errorf("Owner(%s, %s) = %q, want %q", c.category, c.id, got, c.want)
		}
	}
}
