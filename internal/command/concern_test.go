package command_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
	"konto/domain/invoiceswitch"
	"konto/eventstore"
	"konto/internal/command"
	"konto/internal/envelope"
)

// helper is of billing support, in a tenant of its own.
var helper = person(id(2, 8), id(1, 9), domain.BillingSupport)

// wish is the body of RequestSwitchToInvoice about a subscription.
func wish(subscription, more string) string {
	return fmt.Sprintf(`{"subscriptionId":%q,"reason":"amount-rises","amountMinor":600000,"currency":"SEK","name":"Acme AB","phone":"090-10 00 00",`+
		`"address":{"line1":"Storgatan 1","city":"Umeå","postalCode":"903 26","country":"SE"}%s}`, subscription, more)
}

// subscribed returns a world in which alice has bought a subscription for acme,
// and bob one for borg.
func subscribed(t *testing.T) (w *world, h *command.Handler, hers, his string) {
	t.Helper()
	w = newWorld(t, fresh(t))
	h = w.handler(0)
	for n, p := range []domain.Actor{alice, bob} {
		card, sub := id(3, n+1), id(4, n+1)
		w.must(h, p, "admin", p.ID, "AddEmployee", fmt.Sprintf(`{"signInName":%q,"displayName":"P","roles":["global-admin"]}`, []string{"a@acme.example", "b@borg.example"}[n]))
		w.must(h, p, "card", card, "AddCard", newCard(n+1))
		w.must(h, p, "billing", sub, "RegisterSubscription", fmt.Sprintf(`{"product":"Suite","cardId":%q}`, card))
	}
	return w, h, id(4, 1), id(4, 2)
}

// A case belongs to whoever owns its subscription, whoever opens it, and its
// personal values are sealed under that tenant's keys.
func TestSupportOpensACaseForItsCustomer(t *testing.T) {
	t.Parallel()
	w, h, hers, _ := subscribed(t)
	res := w.must(h, helper, "invswitch", id(7, 1), "RequestSwitchToInvoice", wish(hers, ""))
	if res.Versions["authorization"] == 0 {
		t.Errorf("C10: versions = %v, want the table's", res.Versions)
	}
	r := w.stream("invswitch-" + id(7, 1))[0]
	m, err := envelope.ParseMeta(r.Meta)
	if err != nil {
		t.Fatal(err)
	}
	var e invoiceswitch.InvoiceSwitchRequested
	if err := json.Unmarshal(r.Data, &e); err != nil {
		t.Fatal(err)
	}
	if m.Tenant != acme || m.Actor.ID != helper.ID || e.By != alice.ID || e.OpenedBy != helper.ID || e.Contact.Sealed == nil {
		t.Errorf("C10: of %s by %s, asked for by %s and opened by %s, contact %+v; want a sealed one of acme's, asked for by alice",
			m.Tenant, m.Actor.ID, e.By, e.OpenedBy, e.Contact)
	}
	// The customer goes on with it as with her own; others see nothing.
	w.must(h, alice, "invswitch", id(7, 1), "RequestSwitchToInvoice", wish(hers, ""))
	if _, err := w.send(h, bob, "invswitch", id(7, 1), "RequestSwitchToInvoice", wish(hers, "")); !errors.Is(err, invoiceswitch.ErrNotFound) {
		t.Errorf("C10: another tenant's admin heard %v, want that there is no case", err)
	}
	if _, err := w.keys.Destroy(t.Context(), acme, alice.ID); err != nil {
		t.Fatal(err)
	}
	var state invoiceswitch.Case
	if err := w.handler(1).View(t.Context(), "invswitch", id(7, 1), func(s any, _ eventstore.Revision, _ string) {
		state = *s.(*invoiceswitch.Case)
	}); err != nil {
		t.Fatal(err)
	}
	if !state.Contact.Erased {
		t.Errorf("N4: contact = %+v, want it gone with the key of who asked", state.Contact)
	}
}

// Nobody else makes anything in another tenant, and nobody can tell its
// subscriptions from none.
func TestNobodyElseOpensACaseForAnother(t *testing.T) {
	t.Parallel()
	w, h, hers, his := subscribed(t)
	before := w.head()
	var heard []error
	for _, c := range []struct {
		name         string
		by           domain.Actor
		subscription string
		want         error
	}{
		{"another tenant's admin", bob, hers, invoiceswitch.ErrSubscription},
		{"the other way round", alice, his, invoiceswitch.ErrSubscription},
		{"an operator", staff, hers, invoiceswitch.ErrSubscription},
		{"an admin of the staff's tenant", person(id(2, 7), id(1, 9), domain.GlobalAdmin, domain.BillingAdmin), hers, invoiceswitch.ErrSubscription},
		{"a gateway of another tenant", domain.Actor{ID: "gw", Kind: domain.KindGateway, Tenant: borg}, hers, invoiceswitch.ErrSubscription},
		{"about none", alice, id(4, 9), invoiceswitch.ErrSubscription},
		{"support, about none", helper, id(4, 9), invoiceswitch.ErrSubscription},
		{"about nothing", alice, "", invoiceswitch.ErrSubscription},
		{"about something else", helper, id(3, 1), invoiceswitch.ErrSubscription},
		{"about something else by its whole name", helper, "billing-" + hers, invoiceswitch.ErrSubscription},
	} {
		_, err := w.send(h, c.by, "invswitch", id(7, 1), "RequestSwitchToInvoice", wish(c.subscription, ""))
		if !errors.Is(err, c.want) {
			t.Errorf("C10: %s heard %v, want %v", c.name, err, c.want)
		}
		heard = append(heard, err)
	}
	if d := cmp.Diff(fmt.Sprint(heard[0]), fmt.Sprint(heard[5])); d != "" {
		t.Errorf("C10: another's subscription can be told from none (-another's +none):\n%s", d)
	}
	for name, more := range map[string]string{
		"support, for an admin of another customer": `,"requestedBy":"` + bob.ID + `"`,
		"support, for itself":                       `,"requestedBy":"` + helper.ID + `"`,
	} {
		if _, err := w.send(h, helper, "invswitch", id(7, 1), "RequestSwitchToInvoice", wish(hers, more)); !errors.Is(err, invoiceswitch.ErrAsker) {
			t.Errorf("C10: %s: %v, want %v", name, err, invoiceswitch.ErrAsker)
		}
	}
	req := w.request(helper, "invswitch", id(7, 1), "RequestSwitchToInvoice", wish(hers, ""))
	req.Body, req.Tenant = json.RawMessage(wish(hers, `,"tenant":"`+borg+`"`)), borg
	if _, err := h.Handle(t.Context(), req); err == nil {
		t.Error("C10: a sender named the owner")
	}
	req = w.request(helper, "invswitch", id(7, 1), "RequestSwitchToInvoice", wish(hers, ""))
	req.DryRun = true
	if res, err := h.Handle(t.Context(), req); err != nil || len(res.Events) != 1 {
		t.Errorf("N9: dry run = %+v, %v, want the event", res, err)
	}
	if w.head() != before {
		t.Error("C10: something was written")
	}
}

func TestCanIOpenACaseAbout(t *testing.T) {
	t.Parallel()
	w, h, hers, _ := subscribed(t)
	w.must(h, helper, "invswitch", id(7, 2), "RequestSwitchToInvoice", wish(hers, ""))
	auditor := person(id(2, 5), acme, domain.Auditor)
	for _, c := range []struct {
		name        string
		by          domain.Actor
		about, code string
		target      string
	}{
		{"N10: support, of whichever tenant", helper, hers, "", id(7, 1)},
		{"N10: support, without saying about what", helper, "", "", id(7, 1)},
		{"N10: support, about none", helper, id(4, 9), "subscription-not-found", id(7, 1)},
		{"N10: its owner's admin", alice, hers, "", id(7, 1)},
		{"N10: its owner's admin without the role", auditor, hers, "not-allowed", id(7, 1)},
		{"N10: another's admin", bob, hers, "subscription-not-found", id(7, 1)},
		{"N10: an operator", staff, hers, "subscription-not-found", id(7, 1)},
		{"N10: another's admin, about a case that is there", bob, hers, "invoice-switch-not-found", id(7, 2)},
		{"N10: support, about a case that is there", helper, id(4, 9), "", id(7, 2)},
	} {
		p, err := h.CanI(t.Context(), command.Question{Category: "invswitch", Target: c.target, Command: "RequestSwitchToInvoice", About: c.about, Actor: c.by})
		switch {
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		case p.Allowed != (c.code == "") || p.Refused != nil && p.Refused.Code != c.code:
			t.Errorf("%s: %+v, %v, want %q", c.name, p, p.Refused, c.code)
		}
	}
	_, err := h.CanI(t.Context(), command.Question{Category: "card", Target: id(3, 8), Command: "AddCard", About: hers, Actor: alice})
	if rule, ok := errors.AsType[*domain.Error](err); !ok || rule.Code != "about-nothing" {
		t.Errorf("N10: a card about a subscription: %v, want a refusal", err)
	}
}
