package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// TestReadsAcrossChunks compares reads from everywhere, in both directions and
// with limits, with what $all holds: events from a few bytes to several chunks,
// in appends of one to many, gathered in groups of any size.
func TestReadsAcrossChunks(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := open(t, "store", engine.Config{FS: fs})
	appendMixed(t, s)
	check := func(s eventstore.Store) {
		all := collect(t, s.ReadAll(t.Context(), eventstore.ReadAll{}))
		if len(all) < 500 {
			t.Fatalf("$all has %d events, want more", len(all))
		}
		byStream := map[string][]eventstore.Recorded{}
		for _, r := range all {
			byStream[r.Stream] = append(byStream[r.Stream], r)
			if want := r.Data[:1]; !bytes.Equal(r.Data, bytes.Repeat(want, len(r.Data))) {
				t.Fatalf("event at %v has mixed data", r.Position)
			}
		}
		rng := rand.New(rand.NewPCG(5, 5))
		for range 50 {
			from, limit := rng.IntN(len(all)), rng.IntN(100)
			got := collect(t, s.ReadAll(t.Context(), eventstore.ReadAll{From: all[from].Position, Limit: limit}))
			same(t, "forward", got, all[from+1:], limit)
			got = collect(t, s.ReadAll(t.Context(), eventstore.ReadAll{From: all[from].Position, Direction: eventstore.Backward, Limit: limit}))
			same(t, "backward", got, reversed(all[:from]), limit)
		}
		for stream, events := range byStream {
			for range 20 {
				from, limit := rng.IntN(len(events)), rng.IntN(300)
				got := collect(t, s.Read(t.Context(), stream, eventstore.ReadStream{From: eventstore.Revision(from), Limit: limit}))
				same(t, stream+" forward", got, events[from:], limit)
				got = collect(t, s.Read(t.Context(), stream, eventstore.ReadStream{From: eventstore.Revision(from), Direction: eventstore.Backward, Limit: limit}))
				same(t, stream+" backward", got, reversed(events[:from+1]), limit)
			}
		}
	}
	check(s) // in the memtable
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, "store", engine.Config{FS: fs})
	defer func() { _ = s.Close() }()
	check(s) // in tables
}

func appendMixed(t *testing.T, s eventstore.Store) {
	t.Helper()
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(9, uint64(w)))
			for n := range 30 {
				events := make([]eventstore.Event, 1+rng.IntN(4)*rng.IntN(12)*rng.IntN(4))
				for i := range events {
					size := 1 + rng.IntN(900)
					if rng.IntN(40) == 0 {
						size = rng.IntN(40_000) + 1
					}
					id := eventID(uint64(w)<<40 | uint64(n)<<20 | uint64(i))
					events[i] = eventstore.Event{ID: id, Type: "T", Data: bytes.Repeat([]byte{byte('a' + rng.IntN(26))}, size)}
				}
				if _, err := s.Append(t.Context(), fmt.Sprintf("s-%d", w%3), eventstore.Any, events...); err != nil && !errors.Is(err, eventstore.ErrTooLarge) {
					t.Errorf("Append = %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func same(t *testing.T, what string, got, want []eventstore.Recorded, limit int) {
	t.Helper()
	if limit > 0 {
		want = want[:min(limit, len(want))]
	}
	equal := slices.EqualFunc(got, want, func(a, b eventstore.Recorded) bool {
		return a.ID == b.ID && a.Position == b.Position && a.Stream == b.Stream && a.Revision == b.Revision && bytes.Equal(a.Data, b.Data)
	})
	if !equal {
		t.Fatalf("%s, limit %d: %d events, want %d or others", what, limit, len(got), len(want))
	}
}

func reversed(events []eventstore.Recorded) []eventstore.Recorded {
	events = slices.Clone(events)
	slices.Reverse(events)
	return events
}

func collect(t *testing.T, read func(func(eventstore.Recorded, error) bool)) (events []eventstore.Recorded) {
	t.Helper()
	for r, err := range read {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, r)
	}
	return events
}
