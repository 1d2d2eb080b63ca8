package notify_test

import (
	"encoding/json"
	"strings"
	"testing"

	"konto/domain"
	"konto/internal/notify"
)

func proposal(t *testing.T, roles ...domain.Role) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"partnerId": "p", "customerId": "c", "change": "proposed", "resource": "r", "action": "a", "approvers": roles})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Who is asked to approve reads which roles may, as the policy in force says.
func TestProposalNamesWhoMayApprove(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	for _, c := range []struct {
		name, locale string
		roles        []domain.Role
		want         string
	}{
		{"P8: one role", "en", []domain.Role{domain.SalesAgent}, "another person with the role Sales agent approves it"},
		{"P8: two roles", "en", []domain.Role{domain.GlobalAdmin, domain.SalesAgent}, "with the role Global administrator or Sales agent approves"},
		{"P8: three roles", "en", []domain.Role{domain.GlobalAdmin, domain.SalesAgent, domain.AdminAgent}, "Global administrator, Sales agent or Admin agent"},
		{"P8: two roles, in Swedish", "sv", []domain.Role{domain.GlobalAdmin, domain.SalesAgent}, "med rollen global administratör eller försäljningsagent godkänner"},
		{"P8: two roles, in Danish", "da", []domain.Role{domain.GlobalAdmin, domain.SalesAgent}, "med rollen global administrator eller salgsagent godkender"},
		{"P8: two roles, in Dutch", "nl", []domain.Role{domain.GlobalAdmin, domain.SalesAgent}, "met de rol globale beheerder of verkoopmedewerker het goedkeurt"},
		{"P8: data from before roles were named", "en", nil, "with the role Admin agent approves"},
	} {
		m, err := r.Preview(notify.PurchasePermissionChanged, c.locale, json.RawMessage(proposal(t, c.roles...)))
		if err != nil || !strings.Contains(flat(m.Text), c.want) {
			t.Errorf("%s: %v, want %q in:\n%s", c.name, err, c.want, m.Text)
		}
	}
}

// flat undoes the wrapping of lines.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// Any role may be named by a policy, so each has a name in each language.
func TestEveryRoleHasAName(t *testing.T) {
	t.Parallel()
	for _, locale := range notify.Locales() {
		names, taken := stringsOf(t, locale), map[string]domain.Role{}
		for _, role := range domain.Roles() {
			name := names["role."+string(role)]
			if name == "" || taken[name] != "" {
				t.Errorf("%s: %s is called %q, as is %q", locale, role, name, taken[name])
			}
			taken[name] = role
		}
	}
}

// Who may change a customer's account, grant a permission or edit a card is a
// policy that is published anew: sentences that are the same under each of its
// versions name no role that only one of them does.
func TestSentencesHoldUnderEveryVersion(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	const sides = `"partnerId":"p","customerId":"c"`
	for _, locale := range notify.Locales() {
		names := stringsOf(t, locale)
		for _, c := range []struct{ name, template, data string }{
			{"P1: a changed account", notify.CustomerAccountChanged, `{` + sides + `,"changed":["companyName"],"companyName":"Contoso"}`},
			{"P8: a granted permission", notify.PurchasePermissionChanged, `{` + sides + `,"change":"granted","resource":"r","action":"a"}`},
			{"P8: a purchase", notify.PurchaseMade, `{` + sides + `,"product":"x","amountMinor":1,"currency":"SEK"}`},
		} {
			m, err := r.Preview(c.template, locale, json.RawMessage(c.data))
			if err != nil {
				t.Errorf("%s: %s: %v", locale, c.name, err)
				continue
			}
			for _, role := range []domain.Role{domain.SalesAgent, domain.AdminAgent, domain.HelpdeskAgent} {
				if name := names["role."+string(role)]; strings.Contains(flat(m.Text), name) {
					t.Errorf("%s: %s: names the role %s:\n%s", locale, c.name, name, m.Text)
				}
			}
		}
		for _, key := range []string{"card_declined.next_not_owner", "expiry.next_not_owner"} {
			for _, only := range []string{"only that person", "bara den personen", "kun den person", "alleen die persoon"} {
				if strings.Contains(names[key], only) {
					t.Errorf("C4: %s: %s = %q, but card-edit may let others", locale, key, names[key])
				}
			}
		}
	}
}
