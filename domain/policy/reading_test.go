package policy_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/audit"
	"konto/domain/policy"
	"konto/internal/notify"
)

// sights says who reads what is so now in each category, and who sees personal
// values there. Of the history, auditors see none without a session, and
// billing support none without a case; nobody else sees less of it.
// The notation is that of passes.
var sights = map[string]struct{ read, personal string }{
	"tenant":     {"same:global-admin,auditor,billing-admin any:operator", "same:global-admin"},
	"admin":      {"self:* same:global-admin,auditor,auth-admin,privileged-auth-admin", "self:* same:global-admin,auth-admin,privileged-auth-admin"},
	"secinfo":    {"self:* same:global-admin,auditor,auth-admin,privileged-auth-admin", "self:* same:global-admin,auth-admin,privileged-auth-admin"},
	"card":       {"same:global-admin,auditor,billing-admin,profile-owner,profile-contributor,profile-reader any:billing-support", "same:global-admin,billing-admin,profile-owner,profile-contributor"},
	"billing":    {"same:global-admin,auditor,billing-admin,profile-owner,profile-contributor,invoice-manager,profile-reader any:billing-support", "same:global-admin,billing-admin,profile-owner,profile-contributor"},
	"collection": {"same:global-admin,auditor,billing-admin,profile-owner,profile-contributor,invoice-manager,profile-reader any:billing-support gateway:*", "same:global-admin"},
	"invswitch":  {"same:global-admin,auditor,billing-admin,profile-owner,profile-contributor,profile-reader any:billing-support", "same:global-admin"},
	"customer": {
		"same:global-admin,auditor,billing-admin related:global-admin,sales-agent,admin-agent,helpdesk-agent",
		"same:global-admin related:global-admin,sales-agent,admin-agent,helpdesk-agent",
	},
	// The partner owns the relationship: "same" and "related" are its people
	// while it is active, "former" once it has ended.
	"rel": {
		"same,related:global-admin,auditor,sales-agent,admin-agent,helpdesk-agent former:global-admin,auditor customer:global-admin,auditor",
		"same,related:global-admin,sales-agent,admin-agent,helpdesk-agent former:global-admin",
	},
	"resv":       {"same:global-admin,auditor any:operator", "same:global-admin"},
	"notif":      {"self:* same:global-admin,auditor any:operator", "same:global-admin"},
	"subject":    {"self:* same:global-admin,auditor", "same:global-admin"},
	"inlet":      {"same:global-admin,auditor any:operator", "same:global-admin"},
	"audit":      {"self:* same:global-admin,auditor any:operator", "self:* same:global-admin"},
	"rejections": {"same:global-admin,auditor any:operator", "same:global-admin"},
	"org":        {"same:global-admin,auditor,billing-admin", "same:global-admin"},
	"offboard":   {"same:global-admin,auditor", "same:global-admin"},
	"webhook":    {"same:global-admin,auditor", "same:global-admin"},
	"delivery":   {"same:global-admin,auditor", "same:global-admin"},
	"feedback":   {read: "any:operator"},
	"exposure":   {read: "any:operator"},
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
				for _, past := range []bool{false, true} {
					checked++
					cell := relation + " " + string(role)
					may := read[cell]
					if past && role == domain.BillingSupport && !read[relation+" "] {
						may = false
					}
					l := look(t, category, relation, role, past)
					got, err := policy.Table.Read(l)
					switch {
					case past && role == domain.Auditor && may && !read[relation+" "]:
						if !errors.Is(err, audit.ErrNoSession) {
							t.Errorf("history of %s read by %s: %v, %v, want a session to be asked for", category, cell, got, err)
						}
					case !may:
						if !errors.Is(err, policy.NotFound(category)) {
							t.Errorf("%s read by %s: %v, %v, want not found", category, cell, got, err)
						}
					case err != nil:
						t.Errorf("%s read by %s: %v, want to be read", category, cell, err)
					case got.Personal != personal[cell] || got.Session != "":
						t.Errorf("%s read by %s: sight = %+v, want personal %v", category, cell, got, personal[cell])
					}
				}
			}
		}
	}
	if least := 2 * len(policy.Contracts) * len(roles) * (len(relations) - 1); checked < least {
		t.Errorf("checked %d cells, want %d or more", checked, least)
	}
}

func look(t *testing.T, category, relation string, role domain.Role, past bool) domain.Look {
	t.Helper()
	id, owner, actor, facts := scene(category, relation, role)
	l := domain.Look{Category: category, ID: id, Owner: owner, Actor: actor, Past: past}
	l.Facts = only(t, facts, policy.Table.ReadNeeds(l))
	return l
}

// A partner's people who look after customers see whom they look after, and
// what those may buy: what they are told of leads there.
func TestAgentsReadTheirRelationships(t *testing.T) {
	t.Parallel()
	for role, want := range map[domain.Role]bool{
		domain.GlobalAdmin: true, domain.SalesAgent: true, domain.AdminAgent: true, domain.HelpdeskAgent: true, domain.Auditor: true,
		domain.BillingAdmin: false, domain.InvoiceManager: false, "": false,
	} {
		for _, owner := range []string{partner, other} {
			l := domain.Look{Category: "rel", Owner: owner, Actor: domain.Actor{ID: person, Kind: domain.KindPerson, Tenant: partner, Roles: []domain.Role{role}}}
			l.Facts = only(t, domain.Facts{}, policy.Table.ReadNeeds(l))
			if _, err := policy.Table.Read(l); (err == nil) != (want && owner == partner) {
				t.Errorf("P8: a list of %s read by %q of %s: %v", owner, role, partner, err)
			}
		}
	}
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
			l := look(t, c.category, "same", "", true)
			l.Actor.ID, l.At = c.actor, c.at
			got, err := policy.Table.Read(l)
			if (err == nil) != c.read || got.Personal != c.personal {
				t.Errorf("Read = %+v, %v, want read %v, personal values %v", got, err, c.read, c.personal)
			}
		})
	}
}

// Billing admins take over what leavers leave behind and look after cards: of
// both they see lists, and no more of people than that.
func TestBillingAdminsReadLists(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		category string
		id       string
		past     bool
		roles    []domain.Role
		read     bool
		some     bool // messages alone that are about cards and payments
	}{
		{"S13: what leavers left behind", "offboard", "", false, []domain.Role{domain.BillingAdmin}, true, false},
		{"S14: not who may read a leaver", "offboard", former, false, []domain.Role{domain.BillingAdmin}, false, false},
		{"S14: nor who could", "offboard", former, true, []domain.Role{domain.BillingAdmin}, false, false},
		{"S14: nor in a list of all that was", "offboard", "", true, []domain.Role{domain.BillingAdmin}, false, false},
		{"S5: messages about cards and payments", "notif", "", false, []domain.Role{domain.BillingAdmin}, true, true},
		{"S5: not all that was ever told", "notif", "", true, []domain.Role{domain.BillingAdmin}, false, false},
		{"S5: nor any one message", "notif", former, false, []domain.Role{domain.BillingAdmin}, false, false},
		{"S5: but all that they were told themselves", "notif", person, false, []domain.Role{domain.BillingAdmin}, true, false},
		{"S5: a global admin reads all", "notif", "", false, []domain.Role{domain.BillingAdmin, domain.GlobalAdmin}, true, false},
		{"N20: so does an auditor", "notif", "", false, []domain.Role{domain.Auditor, domain.BillingAdmin}, true, false},
		{"S5: profile roles read none", "notif", "", false, []domain.Role{domain.ProfileOwner}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := domain.Look{Category: c.category, ID: c.id, Owner: own, Past: c.past, Actor: domain.Actor{ID: person, Kind: domain.KindPerson, Tenant: own, Roles: c.roles}}
			_, _, _, facts := scene(c.category, "same", c.roles[0])
			l.Facts = only(t, facts, policy.Table.ReadNeeds(l))
			got, err := policy.Table.Read(l)
			if (err == nil) != c.read || (got.Messages != nil) != c.some {
				t.Errorf("Read = %+v, %v, want read %v, some messages %v", got, err, c.read, c.some)
			}
			for _, template := range got.Messages {
				if !slices.Contains(notify.Templates(), template) {
					t.Errorf("there is no message %q", template)
				}
			}
			for _, private := range []string{notify.RecoveryCode, notify.ContactCode, notify.SecurityContactChanged, notify.AdminResetDone, notify.FormerUserAccess, notify.ErasureDone} {
				if slices.Contains(got.Messages, private) {
					t.Errorf("%s is shown to billing admins", private)
				}
			}
		})
	}
}

func TestNobodyReadsWhatNoLineNames(t *testing.T) {
	t.Parallel()
	for _, relation := range relations {
		for _, role := range roles {
			if got, err := (policy.Rules{}).Read(look(t, "customer", relation, role, true)); err == nil {
				t.Errorf("read by %s %s without a line: %v", relation, role, got)
			}
		}
	}
}
