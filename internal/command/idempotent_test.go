package command_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"konto/domain"
	"konto/domain/securityinfo"
	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/eventstore/storetest"
	"konto/internal/command"
)

// same checks that a repeat found what the first attempt did.
func same(t *testing.T, what string, first, again command.Result) {
	t.Helper()
	if !again.Replayed || again.Stream != first.Stream || again.Revision != first.Revision || again.Position != first.Position {
		t.Errorf("%s = %+v, want a replay of %+v", what, again, first)
	}
	ids := func(r command.Result) (all []string) {
		for _, e := range r.Events {
			all = append(all, e.Type+" "+e.ID.String())
		}
		return all
	}
	if d := cmp.Diff(ids(first), ids(again)); d != "" {
		t.Errorf("%s: events differ (-first +again):\n%s", what, d)
	}
}

func TestX2RepeatedCommandIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		t := w.T
		h, c := w.handler(0), id(3, 1)
		add := w.request(alice, "card", c, "AddCard", newCard(1))
		first := w.handled(h, add)
		same(t, "at once", first, w.handled(h, add))

		edit := seeing(w.request(alice, "card", c, "UpdateCardDetails", `{"phone":"070-174 06 05"}`), 0)
		edited := w.handled(h, edit)
		w.handled(h, seeing(w.request(alice, "card", c, "UpdateCardDetails", `{"holderName":"A. Ek"}`), 1))
		same(t, "after other commands", first, w.handled(h, add))
		same(t, "though its If-Match is stale by now", edited, w.handled(h, edit))

		w.must(h, alice, "card", c, "RemoveCard", `{}`)
		same(t, "though its rule would refuse by now", first, w.handled(h, add))
		same(t, "with a cold cache", first, w.handled(w.handler(0), add))
		if got, want := w.types("card-"+c), []string{"CardAdded", "CardDetailsUpdated", "CardDetailsUpdated", "CardRemoved"}; !slices.Equal(got, want) {
			t.Errorf("events = %v, want %v", got, want)
		}
	})
}

func TestRepeatedCommandAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorld(t, storetest.Must(t, dir))
	add := w.request(alice, "card", id(3, 1), "AddCard", newCard(1))
	first := w.handled(w.handler(0), add)
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	w.store = storetest.Must(t, dir)
	same(t, "after a restart", first, w.handled(w.handler(0), add))
}

// What a partner did while it was allowed to is answered to it as done also
// when it no longer is: the answer had only got lost.
func TestRepeatIsAnsweredAfterTheRightIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h := w.handler(0)
	rel := borg + "-" + acme
	w.must(h, bob, "rel", rel, "RequestRelationship", `{"type":"reseller"}`)
	w.handled(h, seeing(w.request(alice, "rel", rel, "AcceptRelationship", `{}`), 0))
	register := w.request(bob, "customer", acme, "RegisterCustomer", `{"companyName":"Acme AB","country":"SE","domain":"acme.example","language":"sv"}`)
	first := w.handled(h, register)
	w.must(h, alice, "rel", rel, "EndRelationship", `{}`)
	same(t, "after the relationship", first, w.handled(h, register))

	stolen := register
	stolen.Actor = alice
	if _, err := h.Handle(t.Context(), stolen); err == nil {
		t.Error("another actor got the answer to somebody else's command")
	}
}

func TestRefusalThatIsRememberedIsRepeated(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		t := w.T
		h := w.handler(0)
		w.must(h, alice, "admin", alice.ID, "AddEmployee", `{"signInName":"alice@acme.example","displayName":"Alice Ek","roles":["global-admin"]}`)
		w.must(h, alice, "secinfo", alice.ID, "UpdateSecurityInfo", `{"mobile":"070-174 06 05"}`)
		wrong := w.request(alice, "secinfo", alice.ID, "ConfirmContactVerification", `{"slot":"mobile","code":"000000"}`)
		first, err := h.Handle(t.Context(), wrong)
		if !errors.Is(err, securityinfo.ErrWrongCode) {
			t.Fatalf("err = %v, want %v", err, securityinfo.ErrWrongCode)
		}
		var refused *domain.Error
		if !errors.As(err, &refused) || refused.Facts["attemptsLeft"] != 4 {
			t.Errorf("refusal = %+v, want 4 attempts left", refused)
		}
		before := w.head()
		for name, h := range map[string]*command.Handler{"same handler": h, "cold cache": w.handler(0)} {
			again, err := h.Handle(t.Context(), wrong)
			if !errors.Is(err, securityinfo.ErrWrongCode) {
				t.Errorf("%s: err = %v, want %v", name, err, securityinfo.ErrWrongCode)
			}
			same(t, name, first, again)
		}
		if got := w.head(); got != before {
			t.Errorf("head = %s, want %s: the repeat counted as another attempt", got, before)
		}
	})
}

func TestX2KeyOfAnotherCommandIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h, c := w.handler(0), id(3, 1)
	add := w.request(alice, "card", c, "AddCard", newCard(1))
	w.handled(h, add)
	before := w.head()
	for name, change := range map[string]func(*command.Request){
		"another body":    func(r *command.Request) { r.Body = []byte(newCard(2)) },
		"another command": func(r *command.Request) { r.Command, r.Body = "RemoveCard", []byte(`{}`) },
	} {
		req := add
		change(&req)
		for _, h := range []*command.Handler{h, w.handler(0)} {
			_, err := h.Handle(t.Context(), req)
			var refused *domain.Error
			if !errors.As(err, &refused) || refused.Code != "idempotency-key-reused" {
				t.Errorf("%s: err = %v, want idempotency-key-reused", name, err)
			}
		}
	}
	if got := w.head(); got != before {
		t.Errorf("head = %s, want %s", got, before)
	}
}

// Whatever an append says, the command is carried out at most once, and a
// repeat finds out.
func TestFailingStore(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, c := range []struct {
		name   string
		fault  error
		stored bool // the append fails after it was stored
		first  error
	}{
		{"fails, not stored", broken, false, broken},
		{"fails, but stored", broken, true, broken},
		{"unavailable", eventstore.ErrUnavailable, false, eventstore.ErrUnavailable},
		{"unknown outcome, not stored", eventstore.ErrUnknownOutcome, false, nil},
		{"unknown outcome, but stored", eventstore.ErrUnknownOutcome, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			failures := 0
			target := "card-" + id(3, 1)
			store := &memory.Store{Fault: func(stream string, stored bool) error {
				mu.Lock()
				defer mu.Unlock()
				if stream != target || stored != c.stored || failures == 0 {
					return nil
				}
				failures--
				return c.fault
			}}
			w := newWorld(t, store)
			h := w.handler(0)
			mu.Lock()
			failures = 1
			mu.Unlock()
			add := w.request(alice, "card", id(3, 1), "AddCard", newCard(1))
			if _, err := h.Handle(t.Context(), add); !errors.Is(err, c.first) {
				t.Errorf("first: err = %v, want %v", err, c.first)
			}
			res := w.handled(h, add)
			if len(res.Events) != 1 || res.Revision != 0 {
				t.Errorf("repeat = %+v, want one event at revision 0", res)
			}
			if got := w.types(target); !slices.Equal(got, []string{"CardAdded"}) {
				t.Errorf("events = %v, want one", got)
			}
			if got, want := w.seen(h, "card", id(3, 1)), w.state("card", id(3, 1)); got != want {
				t.Errorf("cached state = %s\nwant          %s", got, want)
			}
		})
	}
}

// A dry run would say whether a code is right and count no wrong one.
func TestCodesAreNotRehearsed(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		t := w.T
		h := w.handler(0)
		w.must(h, alice, "admin", alice.ID, "AddEmployee", `{"signInName":"alice@acme.example","displayName":"Alice Ek","roles":["global-admin"]}`)
		w.must(h, alice, "secinfo", alice.ID, "UpdateSecurityInfo", `{"mobile":"070-174 06 05"}`)
		before := w.head()
		guess := w.request(alice, "secinfo", alice.ID, "ConfirmContactVerification", `{"slot":"mobile","code":"000000"}`)
		guess.DryRun = true
		_, err := h.Handle(t.Context(), guess)
		if refused, ok := errors.AsType[*domain.Error](err); !ok || refused.Code != "no-dry-run" || w.head() != before {
			t.Errorf("err = %v, want no dry run and nothing written", err)
		}
	})
}
