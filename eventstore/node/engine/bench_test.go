package engine_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// payload is a JSON object of 512 bytes that does not compress well, as sealed
// data does not.
func payload(rng *rand.Rand) []byte {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	b := []byte(`{"amountCents":1234,"currency":"EUR","sealed":"` + strings.Repeat("x", 463) + `"}`)
	for i := 47; i < 47+463; i++ {
		b[i] = letters[rng.IntN(len(letters))]
	}
	return b
}

func eventID(n uint64) (id eventstore.ID) {
	binary.BigEndian.PutUint64(id[:], n*0x9e3779b97f4a7c15|1)
	binary.BigEndian.PutUint64(id[8:], n+1)
	return id
}

const streams = 10_000

func streamName(n int) string { return fmt.Sprintf("account-0192f0c1-7c1e-7a52-9d7e-%012x", n) }

// BenchmarkSync is the ceiling of the appends below: one file that grows, one
// write of a 600 B record and one fdatasync at a time.
func BenchmarkSync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	record := make([]byte, 600)
	for b.Loop() {
		if _, err := f.Write(record); err != nil {
			b.Fatal(err)
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "syncs/s")
}

// BenchmarkAppend: closed loop, each writer appends to streams of its own with
// the exact revision. Default options, real fsync.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 16, 64, 256} {
		for _, events := range []int{1, 100} {
			if events > 1 && writers > 16 {
				continue
			}
			b.Run(fmt.Sprintf("writers=%d/events=%d", writers, events), func(b *testing.B) {
				s := open(b, b.TempDir(), engine.Config{})
				defer func() { _ = s.Close() }()
				b.ReportAllocs()
				appendAll(b, s, writers, events)
			})
			if writers != 256 {
				continue
			}
			b.Run(fmt.Sprintf("writers=%d/events=%d/indexes", writers, events), func(b *testing.B) {
				s := open(b, b.TempDir(), engine.Config{Indexes: true})
				defer func() { _ = s.Close() }()
				b.ReportAllocs()
				appendAll(b, s, writers, events)
			})
		}
	}
}

func appendAll(b *testing.B, s eventstore.Store, writers, events int) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(b.N))
	took := make([][]time.Duration, writers)
	b.ResetTimer()
	cpu := cpuTime()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(w)))
			data := payload(rng)
			heads := make([]eventstore.Revision, streams/writers)
			for i := range heads {
				heads[i] = eventstore.NoStream
			}
			batch := make([]eventstore.Event, events)
			for n := uint64(w) << 40; left.Add(-1) >= 0; {
				for i := range batch {
					n++
					batch[i] = eventstore.Event{ID: eventID(n), Type: "PaymentMade", Data: data, Meta: []byte(`{"tenant":"t1"}`)}
				}
				i := rng.IntN(len(heads))
				began := time.Now()
				done, err := s.Append(b.Context(), streamName(i*writers+w), heads[i], batch...)
				if err != nil {
					b.Errorf("Append = %v", err)
					return
				}
				took[w] = append(took[w], time.Since(began))
				heads[i] = done.Revision
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	all := slices.Concat(took...)
	slices.Sort(all)
	reportRate(b, b.N*events, cpu)
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkRead reads a store of 1,000,000 events: 600,000 in 20,000 streams of
// 30 and about 400,000 in one stream, all mixed. With KONTO_BENCH_SMALL it is a
// twentieth of that.
func BenchmarkRead(b *testing.B) {
	dir := os.Getenv("KONTO_BENCH_DIR") // keep the store between runs
	if dir == "" {
		dir = b.TempDir()
	}
	short, each, long := 20_000, 30, 400_000
	if os.Getenv("KONTO_BENCH_SMALL") != "" { // fits into the block cache
		short, long = 1_000, 20_000
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as the program does
	s := open(b, dir, engine.Config{})
	defer func() { _ = s.Close() }()
	if head, err := eventstore.Head(b.Context(), s); err != nil || head == (eventstore.Position{}) {
		fillStore(b, s, short, each, long)
		b.Log(s.Metrics())
		_ = s.Close()
		s = open(b, dir, engine.Config{})
	}
	total := count(b, s.ReadAll(b.Context(), eventstore.ReadAll{}))
	b.Logf("%d events", total)
	b.Run("all", func(b *testing.B) {
		n, cpu := 0, cpuTime()
		for b.Loop() {
			n += count(b, s.ReadAll(b.Context(), eventstore.ReadAll{}))
		}
		reportRate(b, n, cpu)
	})
	b.Run("all-backward", func(b *testing.B) {
		n, cpu := 0, cpuTime()
		for b.Loop() {
			n += count(b, s.ReadAll(b.Context(), eventstore.ReadAll{From: eventstore.End, Direction: eventstore.Backward}))
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
		n, cpu, rng := 0, cpuTime(), rand.New(rand.NewPCG(1, 2))
		for b.Loop() {
			n += count(b, s.Read(b.Context(), streamName(rng.IntN(short)), eventstore.ReadStream{}))
		}
		reportRate(b, n, cpu)
	})
	b.Run("subscribe", func(b *testing.B) {
		n, cpu := 0, cpuTime()
		for b.Loop() {
			got := 0
			for batch, err := range s.Subscribe(b.Context(), eventstore.Position{}) {
				if err != nil {
					b.Fatal(err)
				}
				if got += len(batch); got >= total {
					break
				}
			}
			n += got
		}
		reportRate(b, n, cpu)
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			_ = s.Close()
			b.StartTimer()
			s = open(b, dir, engine.Config{})
		}
		b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/open")
	})
}

// reportRate reports the rate, and the processor time of an event, which other
// programs on the machine disturb less.
func reportRate(b *testing.B, n int, cpu time.Duration) {
	b.Helper()
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64((cpuTime()-cpu).Nanoseconds())/float64(n), "cpu-ns/event")
}

func cpuTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func count(b *testing.B, read func(func(eventstore.Recorded, error) bool)) (n int) {
	b.Helper()
	for r, err := range read {
		if err != nil {
			b.Fatal(err)
		}
		n += len(r.Data) / 500
	}
	return n
}

func fillStore(b *testing.B, s eventstore.Store, short, each, long int) {
	b.Helper()
	var wg sync.WaitGroup
	const writers = 64
	for w := range writers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(2, uint64(w)))
			n := uint64(w) << 40
			add := func(stream string) {
				n++
				if _, err := s.Append(b.Context(), stream, eventstore.Any, eventstore.Event{ID: eventID(n), Type: "PaymentMade", Data: payload(rng), Meta: []byte(`{"tenant":"t1"}`)}); err != nil {
					b.Error(err)
				}
			}
			for range each {
				for i := w; i < short; i += writers {
					add(streamName(i))
					for range long / (short * each) {
						add("long")
					}
					if rng.IntN(short*each) < long%(short*each) {
						add("long")
					}
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkReadIndex reads $ce-account of 100,000 events in 1,000 streams, mixed.
func BenchmarkReadIndex(b *testing.B) {
	s := open(b, b.TempDir(), engine.Config{Indexes: true})
	defer func() { _ = s.Close() }()
	fillStore(b, s, 1_000, 100, 0)
	for _, resolve := range []bool{false, true} {
		b.Run(fmt.Sprintf("resolve=%t", resolve), func(b *testing.B) {
			n, cpu := 0, cpuTime()
			for b.Loop() {
				for _, err := range s.Read(b.Context(), "$ce-account", eventstore.ReadStream{ResolveLinks: resolve}) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
			}
			reportRate(b, n, cpu)
		})
	}
}
