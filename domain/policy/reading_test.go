package policy_test

import (
	"errors"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/policy"
)

// sights says who reads each category, and who sees personal values there.
// The notation is that of passes.
var sights = map[string]struct{ read, personal string }{
	"tenant":     {"same:global-admin,auditor,billing-admin any:operator", "same:global-admin,auditor"},
	"admin":      {"self:* same:global-admin,auditor,auth-admin,privileged-auth-admin", "self:* same:global-admin,auditor,auth-admin,privileged-auth-admin"},
	"secinfo":    {"self:* same:global-admin,auditor,auth-admin,privileged-auth-admin", "self:* same:global-admin,auditor,auth-admin,privileged-auth-admin"},
	"card":       {"same:global-admin,auditor,billing-admin,profile-owner,profile-contributor any:billing-support", "same:global-admin,auditor,billing-admin,profile-owner,profile-contributor"},
	"billing":    {"same:global-admin,auditor,billing-admin,profile-owner,profile-contributor,invoice-manager any:billing-support", "same:global-admin,auditor,billing-admin,profile-owner,profile-contributor"},
	"collection": {"same:global-admin,auditor,billing-admin,profile-owner,profile-contributor,invoice-manager any:billing-support gateway:*", "same:global-admin,auditor"},
	"invswitch":  {"same:global-admin,auditor,billing-admin,profile-owner,profile-contributor any:billing-support", "same:global-admin,auditor"},
	"customer": {
		"same:global-admin,auditor,billing-admin related:global-admin,sales-agent,admin-agent,helpdesk-agent",
		"same:global-admin,auditor related:global-admin,sales-agent,admin-agent,helpdesk-agent",
	},
	// The partner owns the relationship: "same" and "related" are its people
	// while it is active, "former" once it has ended.
	"rel": {
		"same,related:global-admin,auditor,sales-agent,admin-agent,helpdesk-agent former:global-admin,auditor customer:global-admin,auditor",
		"same,related:global-admin,auditor,sales-agent,admin-agent,helpdesk-agent former:global-admin,auditor",
	},
	"resv":       {"same:global-admin,auditor any:operator", "same:global-admin,auditor"},
	"notif":      {"same:global-admin,auditor,billing-admin any:operator", "same:global-admin,auditor"},
	"subject":    {"self:* same:global-admin,auditor", "same:global-admin,auditor"},
	"inlet":      {"same:global-admin,auditor any:operator", "same:global-admin,auditor"},
	"audit":      {"same:global-admin,auditor", "same:global-admin,auditor"},
	"rejections": {"same:global-admin,auditor any:operator", "same:global-admin,auditor"},
	"org":        {"same:global-admin,auditor,billing-admin", "same:global-admin,auditor"},
	"offboard":   {"same:global-admin,auditor,billing-admin", "same:global-admin,auditor"},
	"feedback":   {read: "any:operator"},
	// The rules that everybody is held to are no secret.
	"policy": {read: "any:*"},
}

func TestReadMatrix(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, contract := range policy.Contracts {
		category := contract.Category()
		read, personal := expected(sights[category].read), expected(sights[category].personal)
		for _, relation := range relations {
			if relation == "customer" && category != "rel" {
				continue
			}
			for _, role := range roles {
				checked++
				cell := relation + " " + string(role)
				got, err := policy.Table.Read(look(t, category, relation, role))
				switch {
				case !read[cell]:
					if !errors.Is(err, policy.NotFound(category)) {
						t.Errorf("%s read by %s: %v, %v, want not found", category, cell, got, err)
					}
				case err != nil:
					t.Errorf("%s read by %s: %v, want to be read", category, cell, err)
				case got.Personal != personal[cell]:
					t.Errorf("%s read by %s: personal = %v, want %v", category, cell, got.Personal, personal[cell])
				}
			}
		}
	}
	if least := len(policy.Contracts) * len(roles) * (len(relations) - 1); checked < least {
		t.Errorf("checked %d cells, want %d or more", checked, least)
	}
}

func look(t *testing.T, category, relation string, role domain.Role) domain.Look {
	t.Helper()
	id, owner, actor, facts := scene(category, relation, role)
	l := domain.Look{Category: category, ID: id, Owner: owner, Actor: actor}
	l.Facts = only(t, facts, policy.Table.ReadNeeds(l))
	return l
}

// Somebody without any role reads a former employee's account until their
// access ends, and sees no contacts.
func TestAccessToAFormerEmployeesAccount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, category, actor string
		at                    time.Time
		read, personal        bool
	}{
		{"S14: the account", "admin", person, noon.Add(-time.Second), true, true},
		{"S14: the contacts are there, and not shown", "secinfo", person, noon.Add(-time.Second), true, false},
		{"S14: at the end", "admin", person, noon, false, false},
		{"S14: without a clock", "admin", person, time.Time{}, false, false},
		{"S14: somebody else", "admin", "bo", noon.Add(-time.Second), false, false},
		{"S14: other accounts of the leaver", "offboard", person, noon.Add(-time.Second), false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := look(t, c.category, "same", "")
			l.Actor.ID, l.At = c.actor, c.at
			got, err := policy.Table.Read(l)
			if (err == nil) != c.read || got.Personal != c.personal {
				t.Errorf("Read = %+v, %v, want read %v, personal values %v", got, err, c.read, c.personal)
			}
		})
	}
}

func TestNobodyReadsWhatNoLineNames(t *testing.T) {
	t.Parallel()
	for _, relation := range relations {
		for _, role := range roles {
			if got, err := (policy.Rules{}).Read(look(t, "customer", relation, role)); err == nil {
				t.Errorf("read by %s %s without a line: %v", relation, role, got)
			}
		}
	}
}
