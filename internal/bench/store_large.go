package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// LargeReport is about a node with many events, in a process of its own.
type LargeReport struct {
	Machine Machine `json:"machine"`
	Events  int     `json:"events"`
	// FillPerSecond is how fast they were appended in process, each by itself.
	FillPerSecond float64 `json:"fillPerSecond"`
	// StartEvents is how many there were when the start was measured: the
	// slowest of some, from starting the program until it serves.
	StartEvents int     `json:"startEvents"`
	StartMS     float64 `json:"startMs"`
	EndStartMS  float64 `json:"endStartMs"` // with all events
	// Under load, through the official client, all at the same time:
	Writers     int      `json:"writers"`
	Appends     Rate     `json:"appends"`
	ReadAll     float64  `json:"readAllPerSecond"`
	ReadShort   float64  `json:"readShortStreamsPerSecond"`
	IdleMB      float64  `json:"idleMB"` // resident size of the node when it serves
	PeakMB      float64  `json:"peakMB"` // its largest, start and load
	LoadFigures []Figure `json:"figures"`
}

// What the load on a large store is.
const (
	largeWriters = 64
	largeShort   = 4 // readers of short streams
	largeFillers = 256
	largeStream  = 50 // events of a stream
	starts       = 3
)

// RunLargeStore fills a store, measures how fast a node starts with it and loads
// that. It blocks for some minutes, needs some 1,000 bytes of disk for each
// event and removes what it made, also when ctx ends. It needs Serve.
func RunLargeStore(ctx context.Context, cfg StoreConfig) (LargeReport, error) {
	s, err := newStoreBench(cfg)
	if err != nil {
		return LargeReport{}, err
	}
	if len(cfg.Serve) == 0 {
		return LargeReport{}, errors.New("bench: Serve is missing")
	}
	r := LargeReport{Machine: machine(), Events: s.Large, StartEvents: min(s.Large, wantStartEvents), Writers: largeWriters}
	defer debug.SetGCPercent(debug.SetGCPercent(garbage))
	err = s.within(func(dir string) error { return s.large(ctx, dir, &r) })
	r.LoadFigures = []Figure{
		atMost(fmt.Sprintf("ms until a node with %d events serves", r.StartEvents), wantStartMS, r.StartMS),
		atMost(fmt.Sprintf("MB while a node with %d events serves reads and appends", r.Events), wantPeakMB, r.PeakMB),
	}
	return r, err
}

func (s *storeBench) large(ctx context.Context, dir string, r *LargeReport) (err error) {
	store := filepath.Join(dir, "events") // where a node has it
	began := s.Now()
	if err := s.grow(ctx, store, 0, r.StartEvents); err != nil {
		return err
	}
	filling := s.Now().Sub(began)
	if r.StartMS, err = s.starts(ctx, dir); err != nil {
		return err
	}
	began = s.Now()
	if err := s.grow(ctx, store, r.StartEvents, s.Large); err != nil {
		return err
	}
	filling += s.Now().Sub(began)
	r.FillPerSecond = float64(int(float64(s.Large) / filling.Seconds()))
	if r.EndStartMS, err = s.starts(ctx, dir); err != nil {
		return err
	}
	return s.load(ctx, dir, r)
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

// starts starts a node some times and returns the slowest, in milliseconds.
func (s *storeBench) starts(ctx context.Context, dir string) (slowest float64, err error) {
	for range starts {
		n, err := s.startNode(ctx, dir)
		if err != nil {
			return 0, err
		}
		slowest = max(slowest, millis(n.took))
		if err := n.stop(); err != nil {
			return 0, err
		}
	}
	return slowest, nil
}

// load has writers and readers at work at the same time.
func (s *storeBench) load(ctx context.Context, dir string, r *LargeReport) (err error) {
	if s.Progress != nil {
		s.Progress("reading and appending", s.Large-1, s.Large)
	}
	n, err := s.startNode(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.stop()) }()
	r.IdleMB, _ = memoryOf(n.cmd.Process.Pid)
	open, err := s.clientSide(n.addr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, open.close()) }()
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var group sync.WaitGroup
	began := s.Now()
	var all, short atomic.Int64
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
	reader(&all, func(int) (int, error) { return open.all(reading) })
	for i := range largeShort {
		reader(&short, func(n int) (int, error) { return open.named(reading, s.largeName(n*7919+i)) })
	}
	r.Appends, err = s.bench.closed(ctx, 3*s.Duration, loops(open, largeWriters))
	per := func(c *atomic.Int64) float64 { return float64(int(float64(c.Load()) / s.Now().Sub(began).Seconds())) }
	_, r.PeakMB = memoryOf(n.cmd.Process.Pid)
	stop()
	group.Wait()
	r.ReadAll, r.ReadShort = per(&all), per(&short)
	return err
}
