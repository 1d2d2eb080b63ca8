package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// BenchmarkLarge serves reads and appends out of a store of KONTO_BENCH_EVENTS
// events of 600 bytes, in streams of 30, and reports the memory the process had
// at most. With KONTO_BENCH_DIR it keeps the store.
func BenchmarkLarge(b *testing.B) {
	total, err := strconv.Atoi(os.Getenv("KONTO_BENCH_EVENTS"))
	if err != nil {
		b.Skip("needs KONTO_BENCH_EVENTS, such as 5000000")
	}
	dir := os.Getenv("KONTO_BENCH_DIR")
	if dir == "" {
		dir = b.TempDir()
	}
	defer debug.SetGCPercent(debug.SetGCPercent(50)) // as the program does, without cgo, with that much in use
	s := open(b, dir, engine.Config{})
	if s.Head() == (eventstore.Position{}) {
		fillLarge(b, s, total)
	}
	_ = s.Close()
	began := time.Now()
	s = open(b, dir, engine.Config{})
	defer func() { _ = s.Close() }()
	opened := time.Since(began)
	var reads, appends, all atomic.Int64
	for b.Loop() {
		ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second)
		var wg sync.WaitGroup
		for w := range 32 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(3, uint64(w)))
				data := payload(rng)
				for n := uint64(w+1)<<48 | uint64(time.Now().UnixNano()); ctx.Err() == nil; n++ {
					if w < 24 {
						if _, err := s.Append(ctx, streamName(rng.IntN(total/30)), eventstore.Any, eventstore.Event{ID: eventID(n), Type: "PaymentMade", Data: data}); err == nil {
							appends.Add(1)
						}
						continue
					}
					for _, err := range s.Read(ctx, streamName(rng.IntN(total/30)), eventstore.ReadStream{}) {
						if err == nil {
							reads.Add(1)
						}
					}
				}
			})
		}
		wg.Go(func() {
			for ctx.Err() == nil {
				for _, err := range s.ReadAll(ctx, eventstore.ReadAll{}) {
					if err != nil {
						break
					}
					all.Add(1)
				}
			}
		})
		wg.Wait()
		cancel()
	}
	b.ReportMetric(float64(opened.Milliseconds()), "ms/open")
	b.ReportMetric(float64(reads.Load())/b.Elapsed().Seconds(), "short-events/s")
	b.ReportMetric(float64(appends.Load())/b.Elapsed().Seconds(), "appends/s")
	b.ReportMetric(float64(all.Load())/b.Elapsed().Seconds(), "all-events/s")
	b.ReportMetric(peakMB(b), "peak-MB")
}

func fillLarge(b *testing.B, s eventstore.Store, total int) {
	b.Helper()
	const each, batch = 30, 3
	rng := rand.New(rand.NewPCG(2, 2))
	var data [16][]byte
	for i := range data {
		data[i] = payload(rng)
	}
	var wg sync.WaitGroup
	const writers = 256
	for w := range writers {
		wg.Go(func() {
			for i := w; i < total/each; i += writers {
				for n := 0; n < each; n += batch {
					events := make([]eventstore.Event, batch)
					for j := range events {
						events[j] = eventstore.Event{ID: eventID(uint64(i*each + n + j)), Type: "PaymentMade", Data: data[(n+j)%16], Meta: []byte(`{"tenant":"t1"}`)}
					}
					if _, err := s.Append(b.Context(), streamName(i), eventstore.Any, events...); err != nil {
						b.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// peakMB is the most memory the process has had.
func peakMB(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kB float64
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		b.Fatal(err)
	}
	return kB / 1024
}
