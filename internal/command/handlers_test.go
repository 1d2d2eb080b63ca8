package command_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"konto/domain"
	"konto/domain/card"
	"konto/domain/policy"
	"konto/domain/securityinfo"
	"konto/eventstore"
	"konto/internal/command"
)

// Two handlers on one store stand for two processes: what one has cached, the
// other changes.
func TestStaleCacheMisleadsNobody(t *testing.T) {
	t.Parallel()
	c := id(3, 1)
	setup := func(t *testing.T) (w *world, stale, other *command.Handler) {
		t.Helper()
		w = newWorld(t, fresh(t))
		stale, other = w.handler(0), w.handler(0)
		w.must(other, alice, "admin", alice.ID, "AddEmployee", `{"signInName":"alice@acme.example","displayName":"Alice Ek","roles":["global-admin"]}`)
		return w, stale, other
	}

	t.Run("a missing account has come to be", func(t *testing.T) {
		t.Parallel()
		w, stale, other := setup(t)
		w.seen(stale, "card", c)
		w.must(other, alice, "card", c, "AddCard", newCard(1))
		w.must(stale, alice, "card", c, "RemoveCard", `{}`)
	})
	t.Run("a missing account has come to be another tenant's", func(t *testing.T) {
		t.Parallel()
		w, stale, other := setup(t)
		w.seen(stale, "admin", bob.ID)
		w.must(other, bob, "admin", bob.ID, "AddEmployee", `{"signInName":"bob@borg.example","displayName":"Bob"}`)
		before := w.head()
		_, err := w.send(stale, alice, "admin", bob.ID, "AssignRole", `{"role":"global-admin"}`)
		if !errors.Is(err, policy.NotFound("admin")) || w.head() != before {
			t.Errorf("err = %v, want %v and nothing written", err, policy.NotFound("admin"))
		}
	})
	t.Run("an account has come to be that only one who knows of it may touch", func(t *testing.T) {
		t.Parallel()
		w, stale, other := setup(t)
		rel := borg + "-" + acme
		w.seen(stale, "rel", rel)
		w.must(other, bob, "rel", rel, "RequestRelationship", `{"type":"reseller"}`)
		w.handled(stale, seeing(w.request(alice, "rel", rel, "AcceptRelationship", `{}`), 0))
	})
	t.Run("a refusal no longer holds", func(t *testing.T) {
		t.Parallel()
		w, stale, other := setup(t)
		w.must(stale, alice, "secinfo", alice.ID, "UpdateSecurityInfo", `{"mobile":"070-174 06 05"}`)
		w.handled(other, seeing(w.request(alice, "secinfo", alice.ID, "UpdateSecurityInfo", `{"alternateEmail":"alice@home.example"}`), 1))
		_, err := w.send(stale, alice, "secinfo", alice.ID, "ConfirmContactVerification", `{"slot":"alternateEmail","code":"000000"}`)
		if !errors.Is(err, securityinfo.ErrWrongCode) {
			t.Errorf("err = %v, want %v", err, securityinfo.ErrWrongCode)
		}
	})
	t.Run("an acceptance no longer holds", func(t *testing.T) {
		t.Parallel()
		w, stale, other := setup(t)
		w.must(stale, alice, "card", c, "AddCard", newCard(1))
		w.must(other, alice, "card", c, "RemoveCard", `{}`)
		_, err := w.send(stale, alice, "card", c, "ReplaceCard", `{"newCardId":"`+id(3, 2)+`","scope":"all"}`)
		if !errors.Is(err, card.ErrRemoved) {
			t.Errorf("err = %v, want %v", err, card.ErrRemoved)
		}
	})
	t.Run("there is something to do after all", func(t *testing.T) {
		t.Parallel()
		w, stale, other := setup(t)
		w.must(stale, alice, "admin", alice.ID, "AssignRole", `{"role":"auditor"}`)
		w.must(other, alice, "admin", alice.ID, "RemoveRole", `{"role":"auditor"}`)
		if res := w.must(stale, alice, "admin", alice.ID, "AssignRole", `{"role":"auditor"}`); len(res.Events) != 1 {
			t.Errorf("result = %+v, want an event: a lost update", res)
		}
	})
	t.Run("the command was carried out by the other", func(t *testing.T) {
		t.Parallel()
		w, stale, other := setup(t)
		w.must(stale, alice, "secinfo", alice.ID, "UpdateSecurityInfo", `{"mobile":"070-174 06 05"}`)
		w.handled(other, seeing(w.request(alice, "secinfo", alice.ID, "UpdateSecurityInfo", `{"alternateEmail":"a@home.example"}`), 1))
		update := seeing(w.request(alice, "secinfo", alice.ID, "UpdateSecurityInfo", `{"alternateEmail":"alice@home.example"}`), 3)
		first := w.handled(other, update)
		same(t, "though its If-Match is not what is cached", first, w.handled(stale, update))
	})
	t.Run("what the caller saw is what the other wrote", func(t *testing.T) {
		t.Parallel()
		w, stale, other := setup(t)
		w.must(stale, alice, "card", c, "AddCard", newCard(1))
		w.handled(other, seeing(w.request(alice, "card", c, "UpdateCardDetails", `{"phone":"070-174 06 05"}`), 0))
		w.handled(stale, seeing(w.request(alice, "card", c, "UpdateCardDetails", `{"holderName":"A. Ek"}`), 1))
		if got, want := w.seen(stale, "card", c), w.state("card", c); got != want {
			t.Errorf("state = %s, want %s", got, want)
		}
	})
	t.Run("a fact about another account", func(t *testing.T) {
		t.Parallel()
		w, stale, other := setup(t)
		rel := borg + "-" + acme
		w.must(stale, bob, "rel", rel, "RequestRelationship", `{"type":"reseller"}`)
		w.handled(stale, seeing(w.request(alice, "rel", rel, "AcceptRelationship", `{}`), 0))
		w.must(stale, bob, "customer", acme, "RegisterCustomer", `{"companyName":"Acme AB","country":"SE","domain":"acme.example","language":"sv"}`)
		w.must(other, alice, "rel", rel, "EndRelationship", `{}`)
		req := seeing(w.request(bob, "customer", acme, "UpdateCustomerAccount", `{"companyDetails":{"companyName":"Borg owns this"}}`), 0)
		if _, err := stale.Handle(t.Context(), req); !errors.Is(err, policy.NotFound("customer")) {
			t.Errorf("err = %v, want %v: the relationship has ended", err, policy.NotFound("customer"))
		}
	})
}

// A stranger learns from no command, body or expectation whether an account is
// there.
func TestOtherTenantsAccountIsLikeNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h := w.handler(0)
	there := map[string]string{"tenant": acme, "rel": id(1, 7) + "-" + acme, "customer": acme}
	w.must(h, alice, "admin", alice.ID, "AddEmployee", `{"signInName":"alice@acme.example","displayName":"Alice Ek"}`)
	there["admin"] = alice.ID
	w.must(h, alice, "secinfo", alice.ID, "UpdateSecurityInfo", `{"mobile":"070-174 06 05"}`)
	there["secinfo"] = alice.ID
	w.must(h, alice, "card", id(3, 1), "AddCard", newCard(1))
	there["card"] = id(3, 1)
	w.must(h, alice, "billing", id(4, 1), "RegisterSubscription", `{"product":"Standard","cardId":"`+id(3, 1)+`"}`)
	there["billing"] = id(4, 1)
	partner := person(id(2, 7), id(1, 7), domain.GlobalAdmin)
	w.must(h, partner, "rel", there["rel"], "RequestRelationship", `{"type":"reseller"}`)
	w.handled(h, seeing(w.request(alice, "rel", there["rel"], "AcceptRelationship", `{}`), 0))
	w.must(h, partner, "customer", acme, "RegisterCustomer", `{"companyName":"Acme AB","country":"SE","domain":"acme.example","language":"sv"}`)

	missing := map[string]string{"rel": id(1, 7) + "-" + id(1, 8), "customer": id(1, 8), "tenant": id(1, 8)}
	everybody := person(id(2, 8), borg, domain.Roles()...)
	everybody.Roles = slices.DeleteFunc(everybody.Roles, func(r domain.Role) bool { // but staff, who see all tenants
		return r == domain.Operator || r == domain.BillingSupport
	})
	checked := 0
	for _, row := range policy.Table.Commands {
		target, ok := there[row.Category]
		if !ok || row.Creates {
			continue
		}
		gone := missing[row.Category]
		if gone == "" {
			gone = id(6, 1)
		}
		for _, seen := range []int{-1, 0, 7} {
			for _, dry := range []bool{false, true} {
				ask := func(target string) string {
					req := w.request(everybody, row.Category, target, row.Command, `{}`)
					if req.DryRun = dry; seen >= 0 {
						req = seeing(req, seen)
					}
					_, err := h.Handle(t.Context(), req)
					var refused *domain.Error
					if !errors.As(err, &refused) {
						return fmt.Sprint(err)
					}
					return fmt.Sprintf("%+v", *refused)
				}
				if a, b := ask(target), ask(gone); a != b || !strings.Contains(a, "not-found") && !strings.Contains(a, "no-account") {
					t.Errorf("%s/%s (sees %d, dry %t): another tenant's = %s\nmissing = %s", row.Category, row.Command, seen, dry, a, b)
				}
				checked++
			}
		}
	}
	if checked < 60 {
		t.Errorf("checked %d combinations, want more", checked)
	}
}

func TestCancelledCaller(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h, before := w.handler(0), w.head()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	add := w.request(alice, "card", id(3, 1), "AddCard", newCard(1))
	if _, err := h.Handle(ctx, add); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want %v", err, context.Canceled)
	}
	if got := w.head(); got != before {
		t.Errorf("head = %s, want %s", got, before)
	}
	if res := w.handled(h, add); res.Replayed {
		t.Error("the cancelled command had been carried out")
	}
}

// An event that this version does not know might change everything that a
// rule looks at.
func TestUnknownEventEndsDecisions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h, c := w.handler(0), id(3, 1)
	w.must(h, alice, "card", c, "AddCard", newCard(1))
	last := w.stream("card-" + c)[0]
	if _, err := w.store.Append(t.Context(), "card-"+c, 0, eventstore.Event{ID: eventstore.ID{1}, Type: "CardFrozen", Data: []byte(`{}`), Meta: last.Meta}); err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]*command.Handler{"cached": h, "cold": w.handler(0)} {
		for range 2 {
			_, err := w.send(h, alice, "card", c, "RemoveCard", `{}`)
			if !errors.Is(err, domain.ErrUnknownType) {
				t.Errorf("%s: err = %v, want %v", name, err, domain.ErrUnknownType)
			}
		}
	}
	if n := len(w.stream("card-" + c)); n != 2 {
		t.Errorf("%d events, want 2: something was decided on half a history", n)
	}
}

// A gateway with a token of its own acts for the tenant that the token names,
// also for an account that its call makes.
func TestGatewayActsForItsTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h := w.handler(0)
	w.must(h, alice, "admin", alice.ID, "AddEmployee", `{"signInName":"alice@acme.example","displayName":"Alice Ek"}`)
	w.must(h, alice, "card", id(3, 1), "AddCard", newCard(1))
	w.must(h, alice, "billing", id(4, 1), "RegisterSubscription", `{"product":"Standard","cardId":"`+id(3, 1)+`"}`)
	body := fmt.Sprintf(`{"outcome":"declined","subscriptionId":"%s","cardId":"%s","amountMinor":100,"currency":"SEK","code":"expired_card","gatewayEventId":"e"}`, id(4, 1), id(3, 1))
	w.must(h, domain.Actor{ID: "gateway", Kind: domain.KindGateway, Tenant: acme}, "collection", id(5, 1), "RecordChargeResult", body)
	if got := w.types("collection-" + id(5, 1)); !slices.Contains(got, "ChargeDeclined") {
		t.Errorf("the invoice has %v, want a decline", got)
	}
	foreign := w.request(domain.Actor{ID: "gateway", Kind: domain.KindGateway, Tenant: borg}, "collection", id(5, 1), "RecordChargeResult", body)
	if _, err := h.Handle(t.Context(), foreign); !errors.Is(err, policy.NotFound("collection")) {
		t.Errorf("err = %v, want %v: another tenant's gateway", err, policy.NotFound("collection"))
	}
}
