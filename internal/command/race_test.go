package command_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"konto/domain"
	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/command"
)

// Others write between a handler's load and its append.
func TestLosingRacesAreRunAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rivals int
		want   error
	}{{1, nil}, {4, nil}, {5, eventstore.ErrWrongRevision}} {
		t.Run(strconv.Itoa(c.rivals), func(t *testing.T) {
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
	onEach(t, func(w *world) {
		t := w.T
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
		var got int64
		for _, r := range w.stream("collection-" + invoice) {
			if r.Type == "ChargeDeclined" { // the first opens a case, too
				got++
			}
		}
		if got != accepted.Load() || got+lost.Load() != callers*each || lost.Load() > each {
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
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			one, other := newWorld(t, fresh(t)), newWorld(t, fresh(t))
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

// A history that is decoded on several cores is folded like any other, also
// when an event in the middle of it cannot be read.
func TestLongHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h, invoice := w.handler(0), id(5, 1)
	w.must(h, alice, "card", id(3, 1), "AddCard", newCard(1))
	first := w.charge(invoice, "evt_first")
	done := w.handled(h, first)
	for i := range 1500 {
		w.handled(h, w.charge(invoice, fmt.Sprintf("evt_%d", i)))
	}
	if got, want := w.state("collection", invoice), w.seen(h, "collection", invoice); got != want {
		t.Errorf("cold = %.200s, cached = %.200s", got, want)
	}
	same(t, "the first of many", done, w.handled(w.handler(0), first))

	stream := "collection-" + invoice
	unknown := eventstore.Event{ID: eventstore.ID{1}, Type: "ChargeForgiven", Data: []byte(`{}`), Meta: w.stream(stream)[0].Meta}
	if _, err := w.store.Append(t.Context(), stream, eventstore.Any, unknown); err != nil {
		t.Fatal(err)
	}
	for i, r := range w.stream(stream)[:600] {
		r.ID = eventstore.ID{2, byte(i >> 8), byte(i)}
		if _, err := w.store.Append(t.Context(), stream, eventstore.Any, r.Event); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range []*command.Handler{h, w.handler(0)} {
		for range 2 {
			if _, err := h.Handle(t.Context(), w.charge(invoice, "evt_last")); !errors.Is(err, domain.ErrUnknownType) {
				t.Errorf("err = %v, want %v", err, domain.ErrUnknownType)
			}
		}
	}
}
