package command_test

import (
	"testing"

	"konto/domain"
	"konto/internal/command"
)

// Who may send a command is told that there is no such account, if the command
// makes none.
func TestCanIWithoutAnAccount(t *testing.T) {
	t.Parallel()
	h := newWorld(t, fresh(t)).handler(0)
	for _, c := range []struct {
		name              string
		by                domain.Actor
		category, command string
		target            string
		code              string // empty: it makes the account
	}{
		{"N10: a card is added", alice, "card", "AddCard", id(3, 8), ""},
		{"N10: a subscription is registered", alice, "billing", "RegisterSubscription", id(6, 8), ""},
		{"N10: an organization is registered", staff, "tenant", "RegisterTenant", id(1, 8), ""},
		{"N10: feedback is given", alice, "feedback", "SubmitFeedback", id(5, 8), ""},
		{"N10: somebody is employed", alice, "admin", "AddEmployee", id(2, 8), ""},
		{"N10: a relationship is asked for", alice, "rel", "RequestRelationship", acme + "-" + borg, ""},
		{"N10: no card is removed", alice, "card", "RemoveCard", id(3, 8), "card-not-found"},
		{"N10: no case is approved", helper, "invswitch", "ApproveSwitchToInvoice", id(7, 8), "invoice-switch-not-found"},
		{"N10: no balance is settled", alice, "collection", "SettleBalance", id(4, 8), "invoice-not-found"},
		{"N10: no leaver's data is opened", alice, "offboard", "GrantFormerUserDataAccess", id(2, 8), "off-boarding-not-found"},
		{"N10: no endpoint is removed", alice, "webhook", "RemoveWebhookEndpoint", id(8, 8), "webhook-endpoint-not-found"},
	} {
		p, err := h.CanI(t.Context(), command.Question{Category: c.category, Target: c.target, Command: c.command, Actor: c.by})
		switch {
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		case p.Exists || p.Allowed != (c.code == "") || !p.Allowed && (p.Refused == nil || p.Refused.Code != c.code || p.Refused.Kind != domain.KindNotFound):
			t.Errorf("%s: %+v, %v, want %q", c.name, p, p.Refused, c.code)
		}
	}
}
