package reactor_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/reactor"
	"konto/internal/relay"
)

// BenchmarkEffects reacts to events, each with one effect, and carries them
// out by doing nothing.
func BenchmarkEffects(b *testing.B) {
	const events = 20_000
	s := memory.New()
	for i := range events {
		_, err := s.Append(b.Context(), fmt.Sprintf("order-%d", i), eventstore.Any, eventstore.Event{
			ID: eventstore.ID(uuid.New()), Type: "Paid", Data: []byte(`{}`), Meta: []byte(`{"tenant":"t1","$correlationId":"c1"}`),
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		ctx, cancel := context.WithCancel(b.Context())
		var done atomic.Int64
		do := func(context.Context, reactor.Job) error {
			if done.Add(1) == events {
				cancel()
			}
			return nil
		}
		r := &reactor.Reactor{
			Path: filepath.Join(b.TempDir(), "reactor.db"), Feed: &relay.Feed{Store: s, Now: time.Now}, Store: s,
			Reactions: reactions(0), Contracts: contracts, Seal: seal, Open: open, Dispatch: do, Notify: do,
			Now: time.Now, Rand: rand.New(rand.NewPCG(1, 1)), Log: zerolog.Nop(),
		}
		if err := r.Run(ctx); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(events*float64(b.N)/b.Elapsed().Seconds(), "effects/s")
}

// BenchmarkPassed is what events cost that no reaction wants.
func BenchmarkPassed(b *testing.B) {
	const events = 200_000
	s := memory.New()
	for i := range events {
		_, err := s.Append(b.Context(), fmt.Sprintf("other-%d", i), eventstore.Any, eventstore.Event{
			ID: eventstore.ID(uuid.New()), Type: "Other", Data: []byte(`{}`),
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		ctx, cancel := context.WithCancel(b.Context())
		n := 0
		r := &reactor.Reactor{
			Path: filepath.Join(b.TempDir(), "reactor.db"), Feed: &relay.Feed{Store: s, Now: time.Now}, Store: s,
			Contracts: contracts, Seal: seal, Open: open, Now: time.Now, Log: zerolog.Nop(),
			Metrics: reactor.Metrics{Reacted: func(k, _ int, _ time.Duration) {
				if n += k; n == events {
					cancel()
				}
			}},
		}
		if err := r.Run(ctx); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(events*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
