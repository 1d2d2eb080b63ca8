package relay_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/bus"
	"konto/internal/relay"
)

var benchMeta = []byte(`{"$correlationId":"0190c0de-0000-7000-8000-000000000000","$causationId":"0190c0de-0000-7000-8000-000000000000","tenant":"0190c0de-0000-7000-8000-000000000000","actor":{"id":"0190c0de-0000-7000-8000-000000000000","kind":"person"},"command":"0190c0de-0000-7000-8000-000000000000","commandType":"AddCard","at":"2026-01-01T00:00:00Z"}`)

// fill appends n events of the size that most of Konto's have, with a pause
// after each so many.
func fill(b *testing.B, s *memory.Store, n, each int, pause time.Duration) {
	b.Helper()
	for i := 0; i < n; {
		batch := make([]eventstore.Event, min(each, n-i))
		for j := range batch {
			batch[j] = eventstore.Event{ID: eventstore.ID(uuid.New()), Type: "CardAdded", Data: make([]byte, 320), Meta: benchMeta}
		}
		if _, err := s.Append(b.Context(), fmt.Sprintf("card-%d", i), eventstore.Any, batch...); err != nil {
			b.Error(err)
			return
		}
		if i += len(batch); pause > 0 {
			time.Sleep(pause) // the offered load
		}
	}
}

func startBus(b *testing.B) *bus.Bus {
	b.Helper()
	s, err := bus.Start(b.Context(), bus.Config{Dir: b.TempDir(), Log: zerolog.Nop()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// BenchmarkRelay refills an empty stream.
func BenchmarkRelay(b *testing.B) {
	const events = 100_000
	s := memory.New()
	fill(b, s, events, 100, 0)
	var took time.Duration
	rounds := 0
	for b.Loop() {
		server := startBus(b)
		ctx, cancel := context.WithCancel(b.Context())
		n := 0
		r := &relay.Relay{Store: s, Conn: server.Conn(), Now: time.Now, Log: zerolog.Nop(), Metrics: relay.RelayMetrics{
			Published: func(k int) {
				if n += k; n == events {
					cancel()
				}
			},
		}}
		began := time.Now()
		if err := r.Run(ctx); err != nil {
			b.Fatal(err)
		}
		took += time.Since(began)
		rounds++
	}
	b.ReportMetric(events*float64(rounds)/took.Seconds(), "events/s")
}

// BenchmarkDelivery offers a load to the store and measures the time until
// the feed gives each event out: everything between is in the figure.
func BenchmarkDelivery(b *testing.B) {
	for _, load := range []struct {
		name  string
		each  int // events a millisecond
		total int
	}{{"offered=1k", 1, 2000}, {"offered=10k", 10, 20_000}, {"offered=all", 100_000, 100_000}} {
		b.Run(load.name, func(b *testing.B) {
			s := memory.New()
			server := startBus(b)
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan struct{})
			r := &relay.Relay{Store: s, Conn: server.Conn(), Now: time.Now, Log: zerolog.Nop()}
			go func() { defer close(done); _ = r.Run(ctx) }()
			f := &relay.Feed{Store: s, Conn: server.Conn(), Now: time.Now, Log: zerolog.Nop()}
			var lags []time.Duration
			var began time.Time
			batches := 0
			for batch, err := range f.From(ctx, eventstore.Position{}) {
				if err != nil {
					b.Fatal(err)
				}
				if batch == nil {
					began = time.Now()
					go fill(b, s, load.total, min(load.each, 100), map[bool]time.Duration{true: time.Millisecond}[load.each < 100])
				}
				now := time.Now()
				for _, e := range batch {
					lags = append(lags, now.Sub(e.At))
				}
				if batches++; len(lags) == load.total {
					break
				}
			}
			took := time.Since(began)
			cancel()
			<-done
			slices.Sort(lags)
			b.ReportMetric(float64(load.total)/took.Seconds(), "events/s")
			b.ReportMetric(float64(lags[len(lags)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(lags[len(lags)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(load.total)/float64(batches), "events/batch")
		})
	}
}
