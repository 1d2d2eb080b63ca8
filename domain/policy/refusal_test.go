package policy_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/card"
	"konto/domain/policy"
	"konto/domain/policyversion"
	"konto/domain/relationship"
	"konto/domain/securityinfo"
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
		actor := domain.Actor{ID: "gus", Kind: domain.KindPerson, Tenant: own, Roles: []domain.Role{domain.GlobalAdmin}, AuthenticatedAt: noon}
		_, err := policy.Table.Rule(domain.Attempt{
			Category: "secinfo", Command: "UpdateSecurityInfo", ID: person, Owner: own, Facts: yours.known(c.home, person, own, actor), Actor: actor, At: noon,
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
		{"card", "AddCard", "same", domain.SalesAgent, "C6", "", []domain.Role{domain.GlobalAdmin, domain.BillingAdmin, domain.ProfileOwner, domain.ProfileContributor}},
		{"card", "RecordCardAutoUpdate", "same", domain.BillingAdmin, "K4", "UpdateCardDetails", nil},
		{"card", "RecordCardAutoUpdate", "same", domain.Auditor, "K4", "", nil},
		{"secinfo", "ConfirmContactVerification", "same", domain.GlobalAdmin, "I2", "UpdateSecurityInfo", []domain.Role{domain.WhoSelf}},
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

// Who may change a customer's account is a policy: a later version lets others
// pass, from its day on, and the refusal names whom the version in force names.
func TestCustomerEditorsAreAPolicy(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	second := domain.Version[domain.RoleTerms]{Number: 2, EffectiveAt: from, Rules: domain.RoleTerms{Roles: []domain.Role{domain.AdminAgent}}}
	for _, c := range []struct {
		name string
		role domain.Role
		at   time.Time
		pass bool
		who  []domain.Role
	}{
		{"P1: before its day, version 1 lets the sales agent pass", domain.SalesAgent, from.Add(-1), true, nil},
		{"P1: before its day, version 1 refuses the admin agent", domain.AdminAgent, from.Add(-1), false, []domain.Role{domain.GlobalAdmin, domain.SalesAgent}},
		{"P1: from its day, version 2 lets the admin agent pass", domain.AdminAgent, from, true, nil},
		{"P1: from its day, version 2 refuses the sales agent", domain.SalesAgent, from, false, []domain.Role{domain.AdminAgent}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := attempt(t, "customer", "UpdateCustomerAccount", "related", c.role, true)
			a.At, a.Facts = c.at, policy.CustomerEditors.Known(a.Facts, second)
			_, err := policy.Table.Rule(a)
			if c.pass != (err == nil) {
				t.Fatalf("err = %v, want passed = %v", err, c.pass)
			}
			if got := refusal(err); got != nil && !slices.Equal(got.WhoMay, c.who) {
				t.Errorf("refusal names %v, want %v", got.WhoMay, c.who)
			}
		})
	}
}

// Who may change other people's contacts is a policy, too: under the terms of
// 2020 a billing admin changes an alternate address, and no phone.
func TestContactHelpersAreAPolicy(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	published := func(terms securityinfo.HelpTerms) domain.Version[securityinfo.HelpTerms] {
		return domain.Version[securityinfo.HelpTerms]{Number: 2, EffectiveAt: from, Rules: terms}
	}
	then := securityinfo.BillingNotifications2020()
	few := securityinfo.HelpTerms{Roles: []domain.Role{domain.GlobalAdmin}, AdminsRoles: []domain.Role{domain.GlobalAdmin}}
	usual := []domain.Role{domain.GlobalAdmin, domain.AuthAdmin, domain.PrivilegedAuthAdmin}
	wider := append(slices.Clone(usual), domain.BillingAdmin)
	for _, c := range []struct {
		name    string
		command string
		role    domain.Role
		terms   securityinfo.HelpTerms
		at      time.Time
		exists  bool
		pass    bool
		who     []domain.Role
	}{
		{"S1: before their day, the terms of 2020 let no billing admin pass", "ChangeAlternateEmail", domain.BillingAdmin, then, from.Add(-1), true, false, usual},
		{"S1: the terms of 2020 let a billing admin change an address", "ChangeAlternateEmail", domain.BillingAdmin, then, from, true, true, nil},
		{"S1: or set the first one", "AddAlternateEmail", domain.BillingAdmin, then, from, false, true, nil},
		{"S1: or save the page", "UpdateSecurityInfo", domain.BillingAdmin, then, from, false, true, nil},
		{"S1: or remove one", "RemoveAlternateEmail", domain.BillingAdmin, then, from, true, true, nil},
		{"S1: but no phone", "ChangePhoneMethod", domain.BillingAdmin, then, from, true, false, usual},
		{"S1: nor one where there was none", "AddPhoneMethod", domain.BillingAdmin, then, from, false, false, usual},
		{"S1: the terms of 2020 let those pass who may today", "ChangePhoneMethod", domain.AuthAdmin, then, from, true, true, nil},
		{"S1: and refuse others", "ChangeAlternateEmail", domain.SalesAgent, then, from, true, false, wider},
		{"S1: terms that name fewer refuse the rest", "ChangePhoneMethod", domain.AuthAdmin, few, from, true, false, []domain.Role{domain.GlobalAdmin}},
		{"S1: terms from before roles were terms are as version 1", "ChangePhoneMethod", domain.AuthAdmin, securityinfo.HelpTerms{AdminsAlternateEmail: true}, from, true, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := attempt(t, "secinfo", c.command, "same", c.role, c.exists)
			on := yours
			if c.role == domain.BillingAdmin { // who helps admins alone
				on = anothers
			}
			a.At, a.Actor.AuthenticatedAt = c.at, c.at
			a.Facts = securityinfo.HelpPolicy.Known(on.known(a.Facts, a.ID, own, a.Actor), published(c.terms))
			_, err := policy.Table.Rule(a)
			if c.pass != (err == nil) {
				t.Fatalf("err = %v, want passed = %v", err, c.pass)
			}
			if got := refusal(err); got != nil && !slices.Equal(got.WhoMay, append([]domain.Role{domain.WhoSelf}, c.who...)) {
				t.Errorf("refusal names %v, want %v", got.WhoMay, c.who)
			}
		})
	}
}

// A grant is for everybody in its scope if it names no role, but not if a
// policy was to name them and does not.
func TestPolicyThatNamesNoRoleIsForNobody(t *testing.T) {
	t.Parallel()
	nobody := policy.RolePolicy{Name: "nobody", In: func(domain.Meta) []domain.Role { return nil }}
	table := policy.Rules{Version: 1, Commands: []policy.Row{{
		Category: "org", Command: "ChangeSoldToAddress", Rule: "S9",
		Grants: []policy.Grant{{Scope: policy.OwnTenant, Policy: &nobody}},
	}}}
	trace, err := table.Rule(attempt(t, "org", "ChangeSoldToAddress", "same", domain.GlobalAdmin, true))
	if err == nil || trace[len(trace)-1].Why != "the policy names no role" {
		t.Errorf("N10: err = %v after %+v, want a refusal that says why", err, trace)
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
		{"policy", "customer-editors", policyversion.Tenant},
	} {
		if got := policy.Table.Owner(c.category, c.id, actor); got != c.want {
			t.Errorf("Owner(%s, %s) = %q, want %q", c.category, c.id, got, c.want)
		}
	}
}

// Who may is said by the policies in force, also of what the aggregate refused.
func TestExplain(t *testing.T) {
	t.Parallel()
	shared := anothers
	shared.edit.Editors = card.EditorsProfileRoles
	who := func(roles ...domain.Role) []domain.Role { return roles }
	for _, c := range []struct {
		name              string
		category, command string
		role              domain.Role
		on                circumstances
		refused           *domain.Error // nil: the table's
		who, insteadBy    []domain.Role
	}{
		{"C4: another admin's card is its owner's alone", "card", "UpdateCardDetails", domain.GlobalAdmin, anothers, nil, who(domain.WhoOwner), who(domain.GlobalAdmin, domain.BillingAdmin, domain.ProfileOwner, domain.ProfileContributor)},
		{"C4: where the policy says so, the profile's, too", "card", "UpdateCardDetails", domain.GlobalAdmin, shared, nil, who(domain.WhoOwner, domain.ProfileOwner, domain.ProfileContributor), who(domain.GlobalAdmin, domain.BillingAdmin, domain.ProfileOwner, domain.ProfileContributor)},
		{"C4: nobody's card but the owner's is edited, whatever is wrong with it", "card", "UpdateCardDetails", domain.GlobalAdmin, yours, card.ErrExpired, who(domain.WhoOwner), nil},
		{"C6: a card that pays is replaced", "card", "RemoveCard", domain.GlobalAdmin, yours, card.ErrInUse, who(domain.WhoOwner), who(domain.GlobalAdmin, domain.BillingAdmin, domain.ProfileOwner, domain.ProfileContributor)},
		{"S1: an admin's alternate address is their own", "secinfo", "ChangeAlternateEmail", domain.GlobalAdmin, anothers, nil, who(domain.WhoSelf), who(domain.WhoSelf, domain.GlobalAdmin, domain.AuthAdmin, domain.PrivilegedAuthAdmin)},
		{"S1: an admin's phones", "secinfo", "ChangePhoneMethod", domain.AuthAdmin, anothers, nil, who(domain.WhoSelf, domain.GlobalAdmin, domain.PrivilegedAuthAdmin), nil},
		{"S11: names are the partner's", "admin", "ChangeDisplayName", domain.GlobalAdmin, anothers, nil, who(domain.WhoPartner), nil},
		{"C11: many licences are billing support's", "billing", "CancelSubscription", domain.GlobalAdmin, anothers, nil, who(domain.BillingSupport), nil},
		{"P8: a permission that is there", "rel", "GrantPurchasePermission", domain.AdminAgent, yours, relationship.ErrPermitted, who(domain.AdminAgent), who(domain.AdminAgent)},
	} {
		a := attemptOn(t, c.category, c.command, "same", c.role, true, c.on)
		_, err := policy.Table.Rule(a)
		got := refusal(err)
		if c.refused != nil {
			got = policy.Table.Explain(a, c.refused)
		}
		if got == nil || !slices.Equal(got.WhoMay, c.who) || !slices.Equal(got.InsteadBy, c.insteadBy) {
			t.Errorf("%s: %+v, want it for %v, and instead for %v", c.name, got, c.who, c.insteadBy)
		}
	}
}

// The page's heading of 2020 lets others permit purchases than today's table.
func TestExplainFollowsThePolicyInForce(t *testing.T) {
	t.Parallel()
	heading := domain.Version[domain.RoleTerms]{Number: 2, EffectiveAt: noon, Rules: domain.RoleTerms{Roles: []domain.Role{domain.GlobalAdmin, domain.SalesAgent}}}
	a := attempt(t, "rel", "GrantPurchasePermission", "same", domain.SalesAgent, true)
	a.Facts = relationship.Grantors.Known(a.Facts, heading)
	sum, _ := errors.AsType[*domain.Error](domain.All(relationship.ErrPermitted, relationship.ErrNotAcknowledged))
	for _, refused := range []*domain.Error{relationship.ErrPermitted, sum} {
		got := policy.Table.Explain(a, refused)
		if !slices.Equal(got.WhoMay, heading.Rules.Roles) || len(got.Causes) != len(refused.Causes) {
			t.Errorf("P8: %+v is for %v, want %v", got, got.WhoMay, heading.Rules.Roles)
		}
		for _, c := range got.Causes {
			if !slices.Equal(c.WhoMay, heading.Rules.Roles) || c.Instead != "" && !slices.Equal(c.InsteadBy, heading.Rules.Roles) {
				t.Errorf("P8: the cause %+v is for others, want %v", c, heading.Rules.Roles)
			}
		}
	}
}
