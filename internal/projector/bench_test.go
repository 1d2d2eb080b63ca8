package projector_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/projector"
	"konto/internal/readdb"
	"konto/internal/relay"
	"konto/projections"
)

// full returns a store of n events of 10,000 counters, with metadata of the
// size that Konto's have.
func full(b *testing.B, n int) *memory.Store {
	b.Helper()
	meta := []byte(`{"$correlationId":"0190c0de-0000-7000-8000-000000000000","$causationId":"0190c0de-0000-7000-8000-000000000000","tenant":"0190c0de-0000-7000-8000-000000000000","actor":{"id":"0190c0de-0000-7000-8000-000000000000","kind":"person","roles":["billing-admin"]},"command":"0190c0de-0000-7000-8000-000000000000","commandType":"AddCard","at":"2026-01-01T00:00:00Z"}`)
	s := memory.New()
	for i := range n {
		data, err := json.Marshal(added{N: i, Note: "a note of some length, as people write them"})
		if err != nil {
			b.Fatal(err)
		}
		_, err = s.Append(b.Context(), fmt.Sprintf("counter-%036d", i%10_000), eventstore.Any,
			eventstore.Event{ID: eventstore.ID(uuid.New()), Type: "Added", Data: data, Meta: meta})
		if err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func projectorOf(b *testing.B, s *memory.Store) *projector.Projector {
	b.Helper()
	db, err := readdb.Open(b.Context(), readdb.Config{Path: filepath.Join(b.TempDir(), "r.db"), Now: time.Now, Log: zerolog.Nop()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return &projector.Projector{
		Feed: &relay.Feed{Store: s, Now: time.Now}, Store: s, DB: db, Contracts: contracts, Now: time.Now, Log: zerolog.Nop(),
		Projections: []projections.Projection{sums("a", 1, nil)},
	}
}

func BenchmarkRebuild(b *testing.B) {
	const events = 200_000
	p := projectorOf(b, full(b, events))
	for b.Loop() {
		if err := p.Rebuild(b.Context(), p.DB, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(events*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkDrain is what waits for a projector that comes back.
func BenchmarkDrain(b *testing.B) {
	const events = 200_000
	s := full(b, events)
	head, err := eventstore.Head(b.Context(), s)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		p := projectorOf(b, s)
		if err := p.DB.Migrate(b.Context(), p.Projections); err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan error)
		go func() { done <- p.Run(ctx) }()
		if err := p.DB.Wait(ctx, head); err != nil {
			b.Fatal(err)
		}
		cancel()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(events*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
