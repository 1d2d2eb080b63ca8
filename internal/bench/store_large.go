package bench

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// LargeReport is about a store with many events.
type LargeReport struct {
	Machine Machine `json:"machine"`
	Events  int     `json:"events"`
	// FillPerSecond is how fast they were appended, each by itself.
	FillPerSecond float64 `json:"fillPerSecond"`
	// StartEvents is how many there were when the start was measured: the
	// slowest of some, after a clean stop.
	StartEvents int     `json:"startEvents"`
	StartMS     float64 `json:"startMs"`
	EndStartMS  float64 `json:"endStartMs"` // with all events
	// Under load: appends through the official client, and beside them readers
	// in process and through the client.
	Appends      Rate     `json:"appends"`
	ReadInside   float64  `json:"readInsidePerSecond"`
	ReadOutside  float64  `json:"readOutsidePerSecond"`
	ReadShort    float64  `json:"readShortStreamsPerSecond"`
	IdleMB       float64  `json:"idleMB"` // resident after the start
	PeakMB       float64  `json:"peakMB"` // under load, which is in the same process
	LoadFigures  []Figure `json:"figures"`
	LargeWriters int      `json:"writers"`
}

// What the load on a large store is.
const (
	largeWriters = 16
	largeShort   = 2 // readers of short streams
	largeFillers = 256
	largeStream  = 50 // events of a stream
	starts       = 3
	// servedGarbage is how much garbage may lie about while it serves, in
	// percent: what a Konto with so much in use allows.
	servedGarbage = 100
)

// RunLargeStore fills a store, measures how fast it starts and loads it. It
// blocks for some minutes, needs some 800 bytes of disk for each event and
// removes what it made, also when ctx ends.
func RunLargeStore(ctx context.Context, cfg StoreConfig) (LargeReport, error) {
	s, err := newStoreBench(cfg)
	if err != nil {
		return LargeReport{}, err
	}
	r := LargeReport{Machine: machine(), Events: s.Large, StartEvents: min(s.Large, wantStartEvents), LargeWriters: largeWriters}
	defer debug.SetGCPercent(debug.SetGCPercent(garbage))
	err = s.within(func(dir string) error { return s.large(ctx, filepath.Join(dir, "store"), &r) })
	r.LoadFigures = []Figure{
		atMost(fmt.Sprintf("ms to start with %d events", r.StartEvents), wantStartMS, r.StartMS),
		atMost(fmt.Sprintf("MB while %d events serve reads and appends", r.Events), wantPeakMB, r.PeakMB),
	}
	return r, err
}

func (s *storeBench) large(ctx context.Context, dir string, r *LargeReport) (err error) {
	began := s.Now()
	if err := s.grow(ctx, dir, 0, r.StartEvents); err != nil {
		return err
	}
	filling := s.Now().Sub(began)
	if r.StartMS, err = s.starts(dir); err != nil {
		return err
	}
	began = s.Now()
	if err := s.grow(ctx, dir, r.StartEvents, s.Large); err != nil {
		return err
	}
	filling += s.Now().Sub(began)
	r.FillPerSecond = float64(int(float64(s.Large) / filling.Seconds()))
	if r.EndStartMS, err = s.starts(dir); err != nil {
		return err
	}
	debug.SetGCPercent(servedGarbage)
	debug.FreeOSMemory()
	resetMemory()
	store, err := engine.Open(dir, s.nodeConfig())
	if err != nil {
		return err
	}
	r.IdleMB = memory()
	return s.load(ctx, store, r)
}

// grow appends events from one number to another, each by itself, to streams of
// largeStream events that lie mixed.
func (s *storeBench) grow(ctx context.Context, dir string, from, to int) (err error) {
	store, err := engine.Open(dir, s.nodeConfig())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var done atomic.Int64
	var group sync.WaitGroup
	for w := range largeFillers {
		group.Go(func() {
			for n := from + w; n < to && ctx.Err() == nil; n += largeFillers {
				if _, err := store.Append(ctx, s.largeName(n), eventstore.Any, event(uint64(n))); err != nil { //nolint:gosec // small
					cancel(err)
				}
				if d := done.Add(1); w == 0 && d%1024 < largeFillers && s.Progress != nil {
					s.Progress(fmt.Sprintf("filling, %d events", from+int(d)), from+int(d), s.Large)
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// largeName is the stream of the nth event.
func (s *storeBench) largeName(n int) string {
	return fmt.Sprintf("account-%d", n%max(1, s.Large/largeStream))
}

// starts opens the store some times and returns the slowest, in milliseconds.
func (s *storeBench) starts(dir string) (slowest float64, err error) {
	for range starts {
		began := s.Now()
		store, err := engine.Open(dir, s.nodeConfig())
		if err != nil {
			return 0, err
		}
		slowest = max(slowest, millis(s.Now().Sub(began)))
		if err := store.Close(); err != nil {
			return 0, err
		}
	}
	return slowest, nil
}

// load has writers and readers at work at the same time, and closes the store.
func (s *storeBench) load(ctx context.Context, store *engine.Store, r *LargeReport) (err error) {
	if s.Progress != nil {
		s.Progress("reading and appending", s.Large-1, s.Large)
	}
	outside, err := s.nodeSide(ctx, store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, outside.close()) }()
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var group sync.WaitGroup
	began := s.Now()
	var counts [3]atomic.Int64
	reader := func(count *atomic.Int64, read func(n int) (int, error)) {
		group.Go(func() {
			for n := 0; reading.Err() == nil; n++ {
				got, err := read(n)
				count.Add(int64(got))
				if err != nil {
					return // its context has ended
				}
			}
		})
	}
	reader(&counts[0], func(int) (int, error) { return politely(store.ReadAll(reading, eventstore.ReadAll{})) })
	reader(&counts[1], func(int) (int, error) { return outside.all(reading) })
	for i := range largeShort {
		reader(&counts[2], func(n int) (int, error) {
			return politely(store.Read(reading, s.largeName(n*7919+i), eventstore.ReadStream{}))
		})
	}
	r.Appends, err = s.bench.closed(ctx, 3*s.Duration, loops(outside, largeWriters))
	stop()
	group.Wait()
	per := func(c *atomic.Int64) float64 { return float64(int(float64(c.Load()) / s.Now().Sub(began).Seconds())) }
	r.ReadInside, r.ReadOutside, r.ReadShort = per(&counts[0]), per(&counts[1]), per(&counts[2])
	r.PeakMB = memory()
	return err
}

// politely counts events and lets others run now and then: a reader that finds
// all in memory never waits, and would have a core for itself while requests of
// the network go from one goroutine to the next.
func politely(events iter.Seq2[eventstore.Recorded, error]) (n int, err error) {
	for _, err := range events {
		if err != nil {
			return n, err
		}
		if n++; n%64 == 0 {
			runtime.Gosched()
		}
	}
	return n, nil
}
