package command_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/card"
	"konto/domain/policy"
	"konto/domain/securityinfo"
	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/command"
)

// Two handlers on one store stand for two processes: what one has cached, the
// other changes.
func TestStaleCacheMisleadsNobody(t *testing.T) {
	t.Parallel()
	c := id(3, 1)
	setup := func(t *testing.T) (w *world, stale, other *command.Handler) {
		t.Helper()
		w = newWorld(t, memory.New())
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
		w.must(stale, alice, "rel", rel, "AcceptRelationship", `{}`)
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
		w.must(stale, alice, "rel", rel, "AcceptRelationship", `{}`)
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
	w := newWorld(t, memory.New())
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
	w.must(h, alice, "rel", there["rel"], "AcceptRelationship", `{}`)
	w.must(h, partner, "customer", acme, "RegisterCustomer", `{"companyName":"Acme AB","country":"SE","domain":"acme.example","language":"sv"}`)

	missing := map[string]string{"rel": id(1, 7) + "-" + id(1, 8), "customer": id(1, 8), "tenant": id(1, 8)}
	everybody := person(id(2, 8), borg, domain.Roles()...)
	everybody.Roles = everybody.Roles[:len(everybody.Roles)-1] // but an operator, who is staff
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

// rival makes others write between a handler's load and its append.
func TestLosingRacesAreRunAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rivals int
		want   error
	}{{1, nil}, {4, nil}, {5, eventstore.ErrWrongRevision}} {
		t.Run(fmt.Sprint(c.rivals), func(t *testing.T) {
			t.Parallel()
			store := &memory.Store{}
			var left atomic.Int64
			var w *world
			var rival *command.Handler
			var busy atomic.Bool
			store.Fault = func(stream string, stored bool) error {
				if stored || stream != "admin-"+alice.ID || busy.Load() || left.Add(-1) < 0 {
					return nil
				}
				busy.Store(true)
				defer busy.Store(false)
				w.must(rival, alice, "admin", alice.ID, "AssignRole", fmt.Sprintf(`{"role":"%s"}`, domain.Roles()[left.Load()]))
				return nil
			}
			w = newWorld(t, store)
			var retries int
			h := w.tuned(func(c *command.Config) { c.Observe = func(o command.Observation) { retries = o.Retries } })
			rival = w.handler(0)
			w.must(h, alice, "admin", alice.ID, "AddEmployee", `{"signInName":"alice@acme.example","displayName":"Alice"}`)
			left.Store(int64(c.rivals))
			_, err := w.send(h, alice, "admin", alice.ID, "AssignRole", `{"role":"auditor"}`)
			if !errors.Is(err, c.want) {
				t.Errorf("err = %v, want %v", err, c.want)
			}
			if want := min(c.rivals, 4); retries != want {
				t.Errorf("retries = %d, want %d", retries, want)
			}
			if got, want := w.seen(h, "admin", alice.ID), w.state("admin", alice.ID); got != want {
				t.Errorf("state = %s, want %s", got, want)
			}
		})
	}
}

// 64 callers on one account, through two handlers: every command counts once.
func TestHotAccount(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, w *world) {
		const callers, each = 64, 4
		handlers := []*command.Handler{w.handler(0), w.handler(0)}
		w.must(handlers[0], alice, "card", id(3, 1), "AddCard", newCard(1))
		invoice := id(5, 1)
		var accepted, lost atomic.Int64
		var group sync.WaitGroup
		for n := range callers {
			h := handlers[0]
			if n == 0 {
				h = handlers[1] // one rival: two crowds would starve each other
			}
			group.Go(func() {
				for i := range each {
					_, err := h.Handle(w.Context(), w.charge(invoice, fmt.Sprintf("evt_%d_%d", n, i)))
					switch {
					case err == nil:
						accepted.Add(1)
					case errors.Is(err, eventstore.ErrWrongRevision):
						lost.Add(1)
					default:
						t.Errorf("caller %d: %v", n, err)
					}
				}
			})
		}
		group.Wait()
		if got := int64(len(w.stream("collection-" + invoice))); got != accepted.Load() || got+lost.Load() != callers*each || lost.Load() > each {
			t.Errorf("%d events, %d accepted, %d lost of %d", got, accepted.Load(), lost.Load(), callers*each)
		}
		for _, h := range handlers {
			if got, want := w.seen(h, "collection", invoice), w.state("collection", invoice); got != want {
				t.Errorf("state = %s, want %s", got, want)
			}
		}
	})
}

// charge is what a gateway reports of a charge on card 1.
func (w *world) charge(invoice, event string) command.Request {
	req := w.request(domain.Actor{ID: "stripe", Kind: domain.KindGateway}, "collection", invoice, "RecordChargeResult", fmt.Sprintf(
		`{"outcome":"declined","subscriptionId":"%s","cardId":"%s","amountMinor":100,"currency":"SEK","code":"insufficient_funds","gatewayEventId":"%s"}`,
		id(4, 1), id(3, 1), event))
	req.Tenant = acme
	return req
}

// Random commands of several callers through handlers with the cache on, tiny
// and as good as off: all give the answers that a handler without any memory
// gives, and leave the same states.
func TestCacheChangesNoAnswer(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			one, other := newWorld(t, memory.New()), newWorld(t, memory.New())
			other.keys = one.keys
			mixed := []*command.Handler{one.handler(0), one.handler(1), one.handler(3)}
			start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
			for i := range 150 {
				req := randomRequest(one, random)
				now := start.Add(time.Duration(i) * time.Minute)
				one.clock.advance(now.Sub(one.clock.advance(0)))
				other.clock.advance(now.Sub(other.clock.advance(0)))
				res, err := mixed[random.IntN(len(mixed))].Handle(t.Context(), req)
				want, wantErr := other.handler(1).Handle(t.Context(), req)
				if fmt.Sprint(err) != fmt.Sprint(wantErr) || res.Revision != want.Revision || len(res.Events) != len(want.Events) {
					t.Fatalf("step %d: %s %s = %+v, %v\nwithout memory: %+v, %v", i, req.Command, req.Body, res, err, want, wantErr)
				}
			}
			for _, h := range mixed {
				for n := range 3 {
					for _, at := range []struct{ category, id string }{{"card", id(3, n)}, {"admin", id(2, n)}, {"secinfo", id(2, n)}} {
						if got, want := one.seen(h, at.category, at.id), other.state(at.category, at.id); got != want {
							t.Errorf("%s %s = %s\nwithout memory: %s", at.category, at.id, got, want)
						}
					}
				}
			}
		})
	}
}

func randomRequest(w *world, random *rand.Rand) command.Request {
	pick := func(all ...string) string { return all[random.IntN(len(all))] }
	by := []domain.Actor{alice, albert, bob}[random.IntN(3)]
	c, a, n := id(3, random.IntN(3)), id(2, 1+random.IntN(3)), random.IntN(4)
	var req command.Request
	switch random.IntN(8) {
	case 0:
		req = w.request(by, "card", c, "AddCard", newCard(n))
	case 1:
		req = w.request(by, "card", c, "UpdateCardDetails", fmt.Sprintf(`{"holderName":"H %d"}`, n))
	case 2:
		req = w.request(by, "card", c, "RemoveCard", `{}`)
	case 3:
		req = w.request(by, "admin", a, "AddEmployee", fmt.Sprintf(`{"signInName":"p%d@acme.example","displayName":"P"}`, n))
	case 4:
		req = w.request(by, "admin", a, pick("AssignRole", "RemoveRole"), fmt.Sprintf(`{"role":"%s"}`, pick("auditor", "billing-admin")))
	case 5:
		req = w.request(by, "admin", a, "ChangeDisplayName", fmt.Sprintf(`{"displayName":"N %d"}`, n))
	case 6:
		req = w.request(by, "secinfo", a, "UpdateSecurityInfo", pick(`{"mobile":"070-174 06 05"}`, `{"mobile":""}`, `{"alternateEmail":"x@home.example"}`))
	default:
		req = w.request(by, "secinfo", a, "ConfirmContactVerification", `{"slot":"mobile","code":"123456"}`)
	}
	if random.IntN(3) == 0 {
		req = seeing(req, random.IntN(6))
	}
	return req
}

func TestCancelledCaller(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.New())
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
	w := newWorld(t, memory.New())
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
