package policy_test

import (
	"errors"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/billing"
	"konto/domain/card"
	"konto/domain/policy"
	"konto/domain/securityinfo"
)

// circumstances are what the conditions of the table look at.
type circumstances struct {
	card    string // who added the card; empty for the actor
	account []domain.Role
	size    int    // licences that are assigned
	managed string // the partner in whose console the names are kept
	edit    card.EditTerms
	help    securityinfo.HelpTerms
}

var (
	// yours meet every condition: the actor's own card, contacts of somebody
	// without a role, a small subscription.
	yours = circumstances{edit: card.EditPolicy.First}
	// anothers meet none.
	anothers = circumstances{
		card: "88888888-8888-4888-8888-888888888888", account: []domain.Role{domain.BillingAdmin}, size: 25, managed: partner, edit: card.EditPolicy.First,
	}
)

// known adds c to facts about the aggregate of id.
func (c circumstances) known(facts domain.Facts, id, owner string, actor domain.Actor) domain.Facts {
	by := c.card
	if by == "" {
		by = actor.ID
	}
	facts = facts.
		Knows(domain.Of[card.Replacement](id), card.Replacement{Exists: true, Tenant: owner, Owner: by, Subscriptions: []string{"s"}}).
		Knows(domain.Of[card.Owner](by), card.Owner{Active: true, MayAct: true}).
		Knows(domain.Of[securityinfo.Account](id), securityinfo.Account{Exists: true, Tenant: owner, Roles: c.account}).
		Knows(domain.Of[admin.Organization](owner), admin.Organization{ManagedBy: c.managed}).
		Knows(domain.Of[admin.Organization](actor.Tenant), admin.Organization{ManagedBy: c.managed}).
		Knows(domain.Of[billing.Size](id), billing.Size{Licences: c.size})
	facts = card.EditPolicy.Known(facts, domain.Version[card.EditTerms]{Number: 2, Rules: c.edit})
	facts = securityinfo.HelpPolicy.Known(facts, domain.Version[securityinfo.HelpTerms]{Number: 2, Rules: c.help})
	return billing.CancelPolicy.Known(securityinfo.SessionPolicy.Known(facts))
}

func carriedForConditions(n domain.Need, known domain.Facts, facts *domain.Facts) bool {
	return carried[card.Replacement](n, known, facts) || carried[card.Owner](n, known, facts) ||
		carried[securityinfo.Account](n, known, facts) || carried[admin.Organization](n, known, facts) || carried[billing.Size](n, known, facts) ||
		carried[domain.Terms[card.EditTerms]](n, known, facts) || carried[domain.Terms[securityinfo.HelpTerms]](n, known, facts) ||
		carried[domain.Terms[securityinfo.SessionTerms]](n, known, facts) || carried[domain.Terms[billing.CancelTerms]](n, known, facts)
}

// attemptOn is [attempt] in other circumstances.
func attemptOn(t *testing.T, category, command, relation string, role domain.Role, exists bool, c circumstances) domain.Attempt {
	t.Helper()
	id, owner, actor, facts := scene(category, relation, role)
	a := domain.Attempt{Category: category, Command: command, ID: id, Owner: owner, Exists: exists, Actor: actor, At: noon}
	if !exists && actor.Kind == domain.KindPerson {
		a.Owner = policy.Table.Owner(category, id, actor)
	}
	known := c.known(facts, id, owner, actor)
	for range 3 { // one fact leads to another
		a.Facts = only(t, known, policy.Table.Needs(a))
	}
	return a
}

// others says who may send the commands whose rows have a condition to what
// does not meet it: another admin's card, the contacts of somebody with a role,
// a subscription with 25 licences, names that a partner keeps. The words are
// those of passes.
var others = map[string]string{
	"card/UpdateCardDetails":       "",
	"card/RemoveCard":              "",
	"secinfo/UpdateSecurityInfo":   "self:* same:global-admin,privileged-auth-admin",
	"secinfo/AddPhoneMethod":       "self:* same:global-admin,privileged-auth-admin",
	"secinfo/ChangePhoneMethod":    "self:* same:global-admin,privileged-auth-admin",
	"secinfo/RemovePhoneMethod":    "self:* same:global-admin,privileged-auth-admin",
	"secinfo/AddAlternateEmail":    "self:*",
	"secinfo/ChangeAlternateEmail": "self:*",
	"secinfo/RemoveAlternateEmail": "self:*",
	"billing/CancelSubscription":   "any:billing-support",
	"admin/ChangeUserName":         "system:*",
	"admin/SetPrimaryEmail":        "system:*",
	"admin/AddAlias":               "",
	"admin/ChangeDisplayName":      "",
}

// TestRuleMatrixOfOthers is the column of the matrix for what is another's.
func TestRuleMatrixOfOthers(t *testing.T) {
	t.Parallel()
	for _, row := range policy.Table.Commands {
		name := row.Category + "/" + row.Command
		line, listed := others[name]
		if listed != (row.If != nil) {
			t.Errorf("%s: has a condition: %v, is expected to have one: %v", name, row.If != nil, listed)
		}
		if row.If == nil {
			continue
		}
		checkOthers(t, row, anothers, expected(passes[name]), expected(line))
	}
}

// checkOthers asks every role in every relation. Who would pass if the
// condition were met hears what it is.
func checkOthers(t *testing.T, row policy.Row, c circumstances, granted, want map[string]bool) {
	t.Helper()
	for _, relation := range relations {
		if relation == "customer" {
			continue
		}
		for _, role := range roles {
			cell := relation + " " + string(role)
			trace, err := policy.Table.Rule(attemptOn(t, row.Category, row.Command, relation, role, true, c))
			got := refusal(err)
			switch {
			case (err == nil) != want[cell]:
				t.Errorf("%s/%s by %s: %v, want passed = %v", row.Category, row.Command, cell, err, want[cell])
			case want[cell] || !granted[cell]:
			case got == nil || got.Kind != domain.KindForbidden || got.Code == "not-allowed" || got.Rule == "":
				t.Errorf("%s/%s by %s: %+v, want the condition's refusal", row.Category, row.Command, cell, got)
			case trace[len(trace)-1].Check != row.If.Says || trace[len(trace)-1].Passed:
				t.Errorf("%s/%s by %s: trace ends with %+v, want the condition", row.Category, row.Command, cell, trace[len(trace)-1])
			}
		}
	}
}

// What a condition says is the policies' in force.
func TestConditionsFollowPolicies(t *testing.T) {
	t.Parallel()
	shared, helped := anothers, anothers
	shared.edit.Editors = card.EditorsProfileRoles
	helped.help.AdminsAlternateEmail = true
	for _, row := range policy.Table.Commands {
		name := row.Category + "/" + row.Command
		switch name {
		case "card/UpdateCardDetails", "card/RemoveCard": // C4: where the policy says so, profile roles edit what others added
			checkOthers(t, row, shared, expected(passes[name]), expected("same:profile-owner,profile-contributor"))
		case "secinfo/AddAlternateEmail", "secinfo/ChangeAlternateEmail", "secinfo/RemoveAlternateEmail": // S1
			checkOthers(t, row, helped, expected(passes[name]), expected("self:* same:global-admin,privileged-auth-admin"))
		}
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	few := anothers
	few.size = 24
	for _, c := range []struct {
		name              string
		category, command string
		relation          string
		role              domain.Role
		on                circumstances
		signedIn          time.Duration // ago
		want              error
	}{
		{"C4: her own card", "card", "UpdateCardDetails", "same", domain.BillingAdmin, yours, 0, nil},
		{"C4: another admin's card", "card", "UpdateCardDetails", "same", domain.BillingAdmin, anothers, 0, card.ErrNotOwner},
		{"C4: another admin's card, removed by a global admin", "card", "RemoveCard", "same", domain.GlobalAdmin, anothers, 0, card.ErrNotOwner},
		{"C6: another admin's card is replaced", "card", "ReplaceCard", "same", domain.BillingAdmin, anothers, 0, nil},
		{"S1: an admin's phone by an authentication admin", "secinfo", "AddPhoneMethod", "same", domain.AuthAdmin, anothers, 0, securityinfo.ErrAdminsContacts},
		{"S1: a user's phone by an authentication admin", "secinfo", "AddPhoneMethod", "same", domain.AuthAdmin, yours, 0, nil},
		{"S1: an admin's alternate address by a global admin", "secinfo", "ChangeAlternateEmail", "same", domain.GlobalAdmin, anothers, 0, securityinfo.ErrOwnEmailOnly},
		{"I5: their own contacts, an hour after signing in", "secinfo", "UpdateSecurityInfo", "self", "", anothers, time.Hour, nil},
		{"I5: their own contacts, later", "secinfo", "UpdateSecurityInfo", "self", "", anothers, time.Hour + 1, securityinfo.ErrOldSession},
		{"C11: 25 licences", "billing", "CancelSubscription", "same", domain.GlobalAdmin, anothers, 0, billing.ErrTooManyLicences},
		{"C11: 24 licences", "billing", "CancelSubscription", "same", domain.GlobalAdmin, few, 0, nil},
		{"C11: 25 licences, billing support", "billing", "CancelSubscription", "other", domain.BillingSupport, anothers, 0, nil},
		{"S11: a partner keeps the names", "admin", "ChangeDisplayName", "same", domain.GlobalAdmin, anothers, 0, admin.ErrManaged},
	} {
		a := attemptOn(t, c.category, c.command, c.relation, c.role, true, c.on)
		a.Actor.AuthenticatedAt = noon.Add(-c.signedIn)
		if _, err := policy.Table.Rule(a); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}
