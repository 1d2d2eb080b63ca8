package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"sync"
	"testing"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// BenchmarkReadShape reads what konto bench reads: one stream of 100,000 events
// in appends of 500 and 2,000 streams of 30, mixed.
func BenchmarkReadShape(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as the program does
	const long, batch, short, each = 100_000, 500, 2_000, 30
	dir := os.Getenv("KONTO_BENCH_DIR") // keep the store between runs
	if dir == "" {
		dir = b.TempDir()
	}
	s := open(b, dir, engine.Config{})
	defer func() { _ = s.Close() }()
	if head, err := eventstore.Head(b.Context(), s); err != nil || head == (eventstore.Position{}) {
		fillShape(b, s, long, batch, short, each)
	}

	b.Run("all", func(b *testing.B) {
		n, cpu := 0, cpuTime()
		for b.Loop() {
			n += count(b, s.ReadAll(b.Context(), eventstore.ReadAll{}))
		}
		reportRate(b, n, cpu)
	})
	b.Run("one-stream", func(b *testing.B) {
		n, cpu := 0, cpuTime()
		for b.Loop() {
			n += count(b, s.Read(b.Context(), "long", eventstore.ReadStream{}))
		}
		reportRate(b, n, cpu)
	})
	b.Run("short-streams", func(b *testing.B) {
		n, cpu := 0, cpuTime()
		for i := 0; b.Loop(); i++ {
			n += count(b, s.Read(b.Context(), fmt.Sprintf("account-%d", i*7919%short), eventstore.ReadStream{}))
		}
		reportRate(b, n, cpu)
	})
	b.Run("new-readers", func(b *testing.B) { // of ten events of $all each
		n, cpu := 0, cpuTime()
		for b.Loop() {
			n += count(b, s.ReadAll(b.Context(), eventstore.ReadAll{Limit: 10}))
		}
		reportRate(b, n, cpu)
	})
}

func fillShape(b *testing.B, s eventstore.Store, long, batch, short, each uint64) {
	b.Helper()
	rng := rand.New(rand.NewPCG(2, 2))
	data := payload(rng)
	event := func(n uint64) eventstore.Event {
		return eventstore.Event{ID: eventID(n), Type: "PaymentMade", Data: data, Meta: []byte(`{"tenant":"t1"}`)}
	}
	for n := uint64(0); n < long; n += batch {
		events := make([]eventstore.Event, batch)
		for i := range events {
			events[i] = event(n + uint64(i))
		}
		if _, err := s.Append(b.Context(), "long", eventstore.Any, events...); err != nil {
			b.Fatal(err)
		}
	}
	const writers = 200
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := w; i < int(short); i += writers {
				for n := range each {
					if _, err := s.Append(b.Context(), fmt.Sprintf("account-%d", i), eventstore.Any, event(uint64(i+1)<<40+n)); err != nil {
						b.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
}
