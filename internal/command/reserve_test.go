package command_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/card"
	"konto/domain/reservation"
	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/command"
)

type contextOf = context.Context

// cardOf is the body of AddCard for a token and a number.
func cardOf(token, number int) string {
	var c map[string]any
	if err := json.Unmarshal([]byte(newCard(token)), &c); err != nil {
		panic(err)
	}
	c["fingerprint"] = fmt.Sprintf("fp_%d", number)
	b, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestX4CardIsThereOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h := w.handler(0)
	w.must(h, alice, "card", id(3, 1), "AddCard", cardOf(1, 1))
	for _, c := range []struct {
		name string
		by   domain.Actor
		body string
		want error
		card any
	}{
		{"same token", alice, cardOf(1, 2), card.ErrDuplicate, nil},
		{"same token, another tenant", bob, cardOf(1, 1), card.ErrDuplicate, nil},
		{"same number", alice, cardOf(2, 1), card.ErrDuplicate, id(3, 1)},
		{"same number, another owner", albert, cardOf(2, 1), nil, nil},
		{"same number, another tenant", bob, cardOf(3, 1), nil, nil},
	} {
		_, err := w.send(h, c.by, "card", id(3, int(10+w.next.Load())), "AddCard", c.body)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: err = %v, want %v", c.name, err, c.want)
		}
		var refused *domain.Error
		if errors.As(err, &refused) && refused.Facts["card"] != c.card {
			t.Errorf("%s: facts = %v, want card %v", c.name, refused.Facts, c.card)
		}
	}
}

// Whoever is refused for one key must not block the other.
func TestX4RefusedCommandGivesItsKeysBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h := w.handler(0)
	w.must(h, alice, "card", id(3, 1), "AddCard", cardOf(1, 1))
	if _, err := w.send(h, alice, "card", id(3, 2), "AddCard", cardOf(2, 1)); !errors.Is(err, card.ErrDuplicate) {
		t.Fatalf("err = %v, want %v", err, card.ErrDuplicate)
	}
	w.must(h, albert, "card", id(3, 3), "AddCard", cardOf(2, 3))
}

func TestX4OneOfTwoAddersWins(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		t := w.T
		for round := range 20 {
			var won atomic.Int64
			var group sync.WaitGroup
			for n, h := range []*command.Handler{w.handler(0), w.handler(0)} {
				req := w.request(alice, "card", id(3, 100*round+n), "AddCard", newCard(round))
				group.Go(func() {
					_, err := h.Handle(w.Context(), req)
					switch {
					case err == nil:
						won.Add(1)
					case !errors.Is(err, card.ErrDuplicate):
						t.Errorf("err = %v, want %v", err, card.ErrDuplicate)
					}
				})
			}
			group.Wait()
			if won.Load() != 1 {
				t.Fatalf("round %d: %d cards were added, want 1", round, won.Load())
			}
		}
	})
}

// A crash between the reservation and the card: the same command goes on, an
// hour later somebody else may have the key, and then the command is refused.
func TestReservationWithoutItsCard(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	crashed := func(t *testing.T) (*world, *command.Handler, command.Request) {
		t.Helper()
		var w *world
		var failed atomic.Bool
		w = newWorld(t, &memory.Store{Fault: func(stream string, stored bool) error {
			if stream == "card-"+id(3, 1) && !stored && failed.CompareAndSwap(false, true) {
				return broken
			}
			return nil
		}})
		add := w.request(alice, "card", id(3, 1), "AddCard", newCard(1))
		if _, err := w.handler(0).Handle(t.Context(), add); !errors.Is(err, broken) {
			t.Fatalf("err = %v, want %v", err, broken)
		}
		return w, w.handler(0), add
	}
	t.Run("goes on", func(t *testing.T) {
		t.Parallel()
		w, h, add := crashed(t)
		if _, err := w.send(h, bob, "card", id(3, 2), "AddCard", newCard(1)); !errors.Is(err, card.ErrDuplicate) {
			t.Errorf("meanwhile: err = %v, want %v", err, card.ErrDuplicate)
		}
		if res := w.handled(h, add); res.Replayed || res.Revision != 0 {
			t.Errorf("result = %+v, want revision 0", res)
		}
	})
	t.Run("runs out", func(t *testing.T) {
		t.Parallel()
		w, h, add := crashed(t)
		w.clock.advance(reservation.Hold)
		w.must(h, bob, "card", id(3, 2), "AddCard", newCard(1))
		if _, err := h.Handle(t.Context(), add); !errors.Is(err, card.ErrDuplicate) {
			t.Errorf("err = %v, want %v: the token is another card's by now", err, card.ErrDuplicate)
		}
	})
	t.Run("runs out and is taken again", func(t *testing.T) {
		t.Parallel()
		w, h, add := crashed(t)
		w.clock.advance(reservation.Hold)
		w.handled(h, add)
		if _, err := w.send(h, bob, "card", id(3, 2), "AddCard", newCard(1)); !errors.Is(err, card.ErrDuplicate) {
			t.Errorf("err = %v, want %v", err, card.ErrDuplicate)
		}
	})
	t.Run("is released", func(t *testing.T) {
		t.Parallel()
		w, h, add := crashed(t)
		release := w.request(command.System, "resv", reservation.ID("card-token", "", "pm_1"), "ReleaseReservation", `{"holder":"`+id(3, 1)+`"}`)
		release.Tenant = acme
		w.handled(h, release)
		w.must(h, bob, "card", id(3, 2), "AddCard", newCard(1))
		if _, err := h.Handle(t.Context(), add); !errors.Is(err, card.ErrDuplicate) {
			t.Errorf("err = %v, want %v", err, card.ErrDuplicate)
		}
	})
}

func TestReservationStoreDown(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	w := newWorld(t, &memory.Store{Fault: func(_ string, stored bool) error {
		if down.Load() && !stored {
			return eventstore.ErrUnavailable
		}
		return nil
	}})
	h := w.handler(0)
	add := w.request(alice, "card", id(3, 1), "AddCard", newCard(1))
	down.Store(true)
	if _, err := h.Handle(t.Context(), add); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("err = %v, want %v", err, eventstore.ErrUnavailable)
	}
	down.Store(false)
	w.clock.advance(time.Second)
	w.handled(h, add)
}
