package relay_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/bus"
	"konto/internal/relay"
)

// fill appends n events of the size that most of Konto's have.
func fill(b *testing.B, s *memory.Store, n int) {
	b.Helper()
	data := make([]byte, 320)
	meta := []byte(`{"$correlationId":"0190c0de-0000-7000-8000-000000000000","$causationId":"0190c0de-0000-7000-8000-000000000000","tenant":"0190c0de-0000-7000-8000-000000000000","actor":{"id":"0190c0de-0000-7000-8000-000000000000","kind":"person"},"command":"0190c0de-0000-7000-8000-000000000000","commandType":"AddCard","at":"2026-01-01T00:00:00Z"}`)
	for i := 0; i < n; {
		batch := make([]eventstore.Event, min(100, n-i))
		for j := range batch {
			batch[j] = eventstore.Event{ID: eventstore.ID(uuid.New()), Type: "CardAdded", Data: data, Meta: meta}
		}
		if _, err := s.Append(b.Context(), fmt.Sprintf("card-%d", i), eventstore.Any, batch...); err != nil {
			b.Error(err)
			return
		}
		i += len(batch)
	}
}

func BenchmarkRelay(b *testing.B) {
	const events = 100_000
	s := memory.New()
	fill(b, s, events)
	for b.Loop() {
		bs, err := bus.Start(b.Context(), bus.Config{Dir: b.TempDir(), Log: zerolog.Nop()})
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(b.Context())
		n := 0
		r := &relay.Relay{Store: s, Conn: bs.Conn(), Now: time.Now, Log: zerolog.Nop(), Metrics: relay.RelayMetrics{
			Published: func(k int) {
				if n += k; n == events {
					cancel()
				}
			},
		}}
		if err := r.Run(ctx); err != nil {
			b.Fatal(err)
		}
		_ = bs.Close()
	}
	b.ReportMetric(events*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkPipeline has the relay publish what one feed reads over the bus.
func BenchmarkPipeline(b *testing.B) {
	const events = 100_000
	for b.Loop() {
		b.StopTimer()
		s := memory.New()
		bs, err := bus.Start(b.Context(), bus.Config{Dir: b.TempDir(), Log: zerolog.Nop()})
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan struct{})
		r := &relay.Relay{Store: s, Conn: bs.Conn(), Now: time.Now, Log: zerolog.Nop()}
		go func() { defer close(done); _ = r.Run(ctx) }()
		f := &relay.Feed{Store: s, Conn: bs.Conn(), Now: time.Now, Log: zerolog.Nop()}
		n := 0
		for batch, err := range f.From(ctx, eventstore.Position{}) {
			if err != nil {
				b.Fatal(err)
			}
			if batch == nil {
				b.StartTimer()
				go fill(b, s, events)
			}
			if n += len(batch); n == events {
				break
			}
		}
		cancel()
		<-done
		_ = bs.Close()
	}
	b.ReportMetric(events*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
