package policy_test

import (
	"slices"
	"strings"
	"testing"

	"konto/domain"
	"konto/domain/card"
	"konto/domain/policy"
)

// A column of the table of roles: somebody with a role, who stands to the
// account in a relation.
type column struct {
	name, relation string
	roles          []domain.Role
}

// columns are those of the table of roles. The partner's people act for their
// customer, billing support for any organization.
var columns = []column{
	{"GA", "same", []domain.Role{domain.GlobalAdmin}},
	{"BA", "same", []domain.Role{domain.BillingAdmin}},
	{"AuthAdmin", "same", []domain.Role{domain.AuthAdmin}},
	{"PrivAuthAdmin", "same", []domain.Role{domain.PrivilegedAuthAdmin}},
	{"Profile", "same", []domain.Role{domain.ProfileOwner, domain.ProfileContributor}},
	{"InvoiceMgr", "same", []domain.Role{domain.InvoiceManager}},
	{"Partner GA", "related", []domain.Role{domain.GlobalAdmin}},
	{"Partner SA", "related", []domain.Role{domain.SalesAgent}},
	{"Partner AA", "related", []domain.Role{domain.AdminAgent}},
	{"Partner HA", "related", []domain.Role{domain.HelpdeskAgent}},
	{"Support", "other", []domain.Role{domain.BillingSupport}},
	{"Auditor", "same", []domain.Role{domain.Auditor}},
}

// roleTable is the table of roles that the pages and their successors give: an
// action, its commands, and a cell for each column: "y" may, "o" may with what
// is their own, "r" may read, "-" may not. Anything longer is a condition, for
// those who may.
var roleTable = []struct {
	action   string
	commands string
	cells    string
}{
	{"edit own security info", "secinfo/UpdateSecurityInfo secinfo/AddPhoneMethod secinfo/ChangePhoneMethod secinfo/RemovePhoneMethod " +
		"secinfo/AddAlternateEmail secinfo/ChangeAlternateEmail secinfo/RemoveAlternateEmail secinfo/RequestContactVerification " +
		"secinfo/ConfirmContactVerification secinfo/ReconfirmSecurityInfo secinfo/UndoContactChange", "self self self self self self self self self self self self"},
	{"edit another's security info", "secinfo/UpdateSecurityInfo secinfo/AddPhoneMethod secinfo/ChangePhoneMethod secinfo/RemovePhoneMethod", "y - non-admins y - - - - - - - -"},
	{"edit another's alternate address", "secinfo/AddAlternateEmail secinfo/ChangeAlternateEmail secinfo/RemoveAlternateEmail", "non-admins - non-admins non-admins - - - - - - - -"},
	{"organization profile", "org/UpdateOrganizationProfile org/ChangeSoldToAddress org/ChangeTechnicalContact org/ChangePreferredLanguage " +
		"org/ChangeOrganizationContactEmail org/SetInvoiceAttachment", "y - - - - - - - - - - r"},
	{"assign billing roles", "admin/AssignRole admin/RemoveRole", "y - - - owner - - - - - - r"},
	{"add card or backup card", "card/AddCard billing/AddBackupCard billing/ReorderBackupCards billing/RemoveBackupCard", "y y - - y - - - - - - r"},
	{"edit card", "card/UpdateCardDetails card/RemoveCard", "o o - - on-profile - - - - - - r"},
	{"replace card", "card/ReplaceCard", "own-or-new own-or-new - - y - - - - - - r"},
	{"settle", "collection/SettleBalance", "o o - - y y - - - - - r"},
	{"request invoice switch", "invswitch/RequestSwitchToInvoice", "y y - - y - - - - - y r"},
	{"approve invoice switch", "invswitch/ApproveSwitchToInvoice invswitch/DenySwitchToInvoice invswitch/RecordCreditCheck invswitch/RecordSupportCase", "- - - - - - - - - - y r"},
	{"update customer account", "customer/UpdateCustomerAccount customer/RegisterCustomer", "- - - - - - y y policy policy - r"},
	{"purchase permission", "rel/GrantPurchasePermission rel/RevokePurchasePermission rel/ApprovePurchasePermission", "- - - - - - - r y r - r"},
	{"cancel a subscription", "billing/CancelSubscription", "few few - - - - - - - - y r"},
}

// allowed says which roles of a column may, by the cell. Of what is another's
// (another's card, an admin's contacts, 25 licences) somebody whose cell says
// "o", "non-admins" or "few" may have nothing. Where it depends on what the
// command says whose it is, as when the card that is paid with is named in it,
// the table lets them ask and says so, and the account's own rule decides.
func allowed(cell string, c column, yours, said bool) []domain.Role {
	switch cell {
	case "-", "r", "policy": // a policy, which lets nobody by default
		return nil
	case "non-admins", "few":
		if !yours {
			return nil
		}
	case "o":
		if !yours && !said {
			return nil
		}
	case "owner":
		return []domain.Role{domain.ProfileOwner}
	}
	return c.roles
}

// editions are those of the policies that the table of roles depends on: the
// later one, by which every cell holds, and the first.
var editions = []struct {
	name  string
	first bool
	edit  card.EditTerms
}{
	{"the first edition", true, card.EditPolicy.First},
	{"a later edition", false, card.EditTerms{Editors: card.EditorsProfileRoles, CVVOnEdit: card.CVVGatewayOnly}},
}

// narrower are the cells by which fewer may under the first edition, and why.
// Whoever may then may with what is their own.
var narrower = map[string]string{
	"on-profile": "C4: the page of 2020 lets nobody edit a card but who added it; roles on the billing profile came with later pages",
}

// TestTableOfRoles compares what [policy.Table] lets pass with the table of
// roles, cell by cell. By later editions of the policies they differ in none,
// and by the first in those of [narrower] alone.
func TestTableOfRoles(t *testing.T) {
	t.Parallel()
	cells, differ := 0, map[string]int{}
	for _, row := range roleTable {
		fields := strings.Fields(row.cells)
		if len(fields) != len(columns) {
			t.Fatalf("%s has %d cells, want %d", row.action, len(fields), len(columns))
		}
		for name := range strings.FieldsSeq(row.commands) {
			category, command, _ := strings.Cut(name, "/")
			for i, c := range columns {
				relation := c.relation
				if fields[i] == "self" {
					relation = "self"
				}
				for _, role := range c.roles {
					cell := row.action + " / " + name + " / " + c.name + " " + string(role)
					for _, on := range []circumstances{yours, anothers} {
						for _, edition := range editions {
							cells++
							on.edit = edition.edit
							_, err := policy.Table.Rule(attemptOn(t, category, command, relation, role, true, on))
							got, want := err == nil, slices.Contains(allowed(fields[i], c, on.card == "", dependsOnBody(category, command)), role)
							if want && edition.first && on.card != "" && narrower[fields[i]] != "" {
								want = false
								differ[fields[i]]++
							}
							if got != want {
								t.Errorf("%s: passed = %v with what is their own: %v, by %s, but the table of roles says %q", cell, got, on.card == "", edition.name, fields[i])
							}
						}
					}
				}
			}
		}
	}
	for cell := range narrower {
		if differ[cell] == 0 {
			t.Errorf("no cell says %q: nothing differs by it", cell)
		}
	}
	if cells < 1600 {
		t.Errorf("compared %d cells, want more", cells)
	}
}

func dependsOnBody(category, command string) bool {
	return slices.ContainsFunc(policy.Table.Commands, func(r policy.Row) bool {
		return r.Category == category && r.Command == command && r.Body != ""
	})
}

// outside are commands that people may send and the table of roles is silent
// on, with what the sentence is that lets them.
var outside = map[string]string{
	"tenant":     "S8, S3, S15, S11: staff sets organizations up",
	"admin":      "S11, S12, S13, C13: a global admin looks after users, everybody after their language",
	"feedback":   "C12: everybody says whether a page helped",
	"offboard":   "S13, S14: a global admin hands over what leavers leave behind",
	"billing":    "C1, C5, C11, S9: who may add a card looks after what it pays for",
	"card":       "K4, K5: gateways tell",
	"collection": "C7: gateways tell",
	"invswitch":  "C10: the way back is refused to all who may ask the way there",
	"rel":        "P9: both sides make and end their relationship, the partner keeps what runs",
	"secinfo":    "S4: identity providers recover accounts",
	"subject":    "N4: people, their admins, and auditors for legal holds",
	"inlet":      "X2: gateways tell",
	"policy":     "N11: staff publishes policies",
	"audit":      "N20: auditors open their sessions themselves",
	"webhook":    "P11: a global admin looks after subscriptions to changes",
	"delivery":   "P11: a global admin looks after subscriptions to changes",
}

// Every command that people may send is in the table of roles or beyond what it
// speaks of.
func TestCommandsBeyondTheTableOfRoles(t *testing.T) {
	t.Parallel()
	inTable := map[string]bool{}
	for _, row := range roleTable {
		for name := range strings.FieldsSeq(row.commands) {
			inTable[name] = true
		}
	}
	for _, row := range policy.Table.Commands {
		people := slices.ContainsFunc(row.Grants, func(g policy.Grant) bool { return g.Scope != policy.System })
		if people && !inTable[row.Category+"/"+row.Command] && outside[row.Category] == "" {
			t.Errorf("%s/%s may be sent, and no table says by whom", row.Category, row.Command)
		}
	}
}

// readTable is the last row of the table of roles: whose accounts each column
// reads. What is beside the plus sign is not in the table of roles: it is what
// the same people need beside it. What lists show them is not here.
var readTable = map[string]string{
	"GA":            "*",
	"Auditor":       "*",
	"BA":            "card billing collection invswitch + tenant org customer",
	"AuthAdmin":     "admin secinfo",
	"PrivAuthAdmin": "admin secinfo",
	"Profile":       "card billing collection invswitch",
	"InvoiceMgr":    "billing collection",
	"Partner GA":    "customer rel",
	"Partner SA":    "customer rel",
	"Partner AA":    "customer rel",
	"Partner HA":    "customer rel",
	"Support":       "invswitch + card billing collection", // what its cases are about
}

// TestTableOfRolesOnReading compares who may read what with that row. Auditors
// read history in a session alone, and support while it has a case: without
// one they see what is so now. Policies everybody may read; feedback and
// registers are nobody's account, and staff's to read.
func TestTableOfRolesOnReading(t *testing.T) {
	t.Parallel()
	for _, c := range columns {
		line := strings.ReplaceAll(readTable[c.name], "+", "")
		for _, contract := range policy.Contracts {
			category := contract.Category()
			if category == "policy" || category == "feedback" || category == "exposure" {
				continue
			}
			for _, past := range []bool{false, true} {
				want := (line == "*" || slices.Contains(strings.Fields(line), category)) && (!past || c.name != "Auditor" && c.name != "Support")
				for _, role := range c.roles {
					if _, err := policy.Table.Read(look(t, category, c.relation, role, past)); (err == nil) != want {
						t.Errorf("%s %s reads %s (history: %v): err = %v, want it to be read %v", c.name, role, category, past, err, want)
					}
				}
			}
		}
	}
}
