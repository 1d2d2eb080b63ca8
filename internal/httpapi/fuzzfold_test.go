package httpapi_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"reflect"
	"testing"

	"konto/domain/policy"
	"konto/eventstore"
	"konto/internal/envelope"
)

// histories is how many histories TestHistoriesFoldAlike makes:
//
//	go test ./internal/httpapi -run Histories -histories 10000
var histories = flag.Int("histories", 60, "random histories to fold")

// What was recorded leads to one state: however often it is folded, in one go
// or event by event, from the events as they were decoded or as they are
// written again, and whoever folds the same decoded events at the same time.
// The histories are of commands that were accepted, of all kinds of accounts.
func TestHistoriesFoldAlike(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	rng := rand.New(rand.NewPCG(7, 11))
	events, folded := 0, map[string]int{}
	for range *histories {
		w.reset()
		for range 30 {
			p := plan{byte(rng.IntN(len(w.samples)))}
			if rng.IntN(3) == 0 { // not as the world's samples are
				for range 12 {
					p = append(p, byte(rng.IntN(256)*rng.IntN(2)))
				}
			}
			a := w.attempts(p, nil)[0]
			w.now = a.at
			w.sendAs(a)
		}
		for r, err := range w.store.ReadAll(context.Background(), eventstore.ReadAll{}) {
			if err != nil {
				t.Fatal(err)
			}
			if category, _, ok := envelope.Split(r.Stream); ok && r.Revision == 0 {
				events += w.foldAlike(t, category, r.Stream)
				folded[category]++
			}
		}
	}
	t.Logf("%d events folded, of accounts: %v", events, folded)
	for _, c := range policy.Contracts {
		if folded[c.Category()] == 0 && c.Category() != "rejections" { // which has no state
			t.Errorf("no history of %s was made", c.Category())
		}
	}
}

// foldAlike folds a stream in several ways, and returns how many events it has.
func (w *world) foldAlike(t *testing.T, category, stream string) int {
	t.Helper()
	contract := w.handler.Contracts[category]
	whole, first, second, again := contract.New(), contract.New(), contract.New(), contract.New()
	n := 0
	evolve := func(state, event any) {
		if err := contract.Evolve(state, event); err != nil {
			t.Fatalf("%s does not fold: %v", stream, err)
		}
	}
	for raw, err := range w.open(stream) {
		if err != nil {
			t.Fatal(err)
		}
		for i, state := range []any{whole, again} {
			event, err := contract.DecodeEvent(raw)
			if err == nil && i == 1 {
				if raw, err = contract.Encode(event); err == nil {
					event, err = contract.DecodeEvent(raw)
				}
			}
			if err != nil {
				t.Fatalf("%s: %s: %v", stream, raw.Type, err)
			}
			evolve(state, event)
			if i == 0 { // one event, two states: neither may keep what is the other's, too
				evolve(first, event)
				evolve(second, event)
			}
		}
		n++
	}
	for name, other := range map[string]any{"beside another": first, "as that other": second, "written again": again} {
		if !reflect.DeepEqual(whole, other) {
			t.Errorf("%s %s folds to\n%+v, else to\n%+v", stream, name, other, whole)
		}
	}
	return n
}
