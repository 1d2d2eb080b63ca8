package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
)

// This file and the others that begin with store measure event stores side by
// side: `konto bench store`. The same appends and the same reads, of one event of
// about 600 bytes with the exact revision, go to each of them in one run:
//
//   - the embedded engine in process, beside one writer that syncs a file;
//   - the node over gRPC through EventStoreDB's official client, one connection,
//     beside a bare unary echo of as many bytes over one connection, and beside
//     the same client's appends and reads of a server that stores nothing: no
//     node can be faster than that;
//   - PostgreSQL over a Unix socket, a commit for each event, at most
//     [postgresConns] connections;
//   - JetStream in process that syncs each message.
//
// Every append is on disk when it returns, everywhere. PostgreSQL runs in
// processes of its own, on the same cores; everything else, the load too, is in
// this one. Where it is not installed it is left out and the report says so.

// StoreConfig says what to measure. Now must be set.
type StoreConfig struct {
	Dir      string        // where temporary directories are made; empty means the system's
	Duration time.Duration // of a cell; 0 means 3 s
	Callers  []int         // closed loops at the same time; none means 1, 16, 64, 256
	Only     []StoreKind   // none means all
	// Long and Short are the events of one long stream, and how many streams
	// of 30 there are, for reads; 0 means 100,000 and 2,000.
	Long, Short int
	// Large is how many events the store of [RunLargeStore] has; 0 means 5,000,000.
	Large int
	// Serve is the command that serves a node in a process of its own, for
	// RunLargeStore: it gets a data directory as its last argument, prints an
	// address on 127.0.0.1 when it serves, and ends on SIGTERM.
	Serve    []string
	Now      func() time.Time
	Progress func(step string, done, total int) // nil for nobody
}

// StoreKind is a store to measure.
type StoreKind string

// The stores.
const (
	StoreEngine    StoreKind = "engine"
	StoreNode      StoreKind = "node"
	StorePostgres  StoreKind = "postgres"
	StoreJetStream StoreKind = "jetstream"
)

// StoreKinds are all stores, in the order in which they are measured.
func StoreKinds() []StoreKind {
	return []StoreKind{StoreEngine, StoreNode, StorePostgres, StoreJetStream}
}

// StoreReport is what [RunStore] measured.
type StoreReport struct {
	Machine Machine   `json:"machine"`
	Sync    Rate      `json:"sync"` // 600 bytes and a sync at a time: the ceiling of one durable writer
	Stores  []StoreOf `json:"stores"`
	Figures []Figure  `json:"figures"` // that the design asks for
}

// StoreOf is one store's part.
type StoreOf struct {
	Kind    StoreKind   `json:"kind"`
	What    string      `json:"what"`
	Left    string      `json:"leftOut,omitempty"` // why it was not measured
	Appends []StoreCell `json:"appends,omitempty"`
	Reads   *Reads      `json:"reads,omitempty"`
	PeakMB  float64     `json:"peakMB,omitempty"` // of this process, load included
}

// StoreCell is appends by so many writers.
type StoreCell struct {
	Writers int `json:"writers"`
	Rate
	PerSync float64 `json:"perSync"`           // appends for each sync of the ceiling
	Ceiling *Rate   `json:"ceiling,omitempty"` // of the transport, if there is one
	Ratio   float64 `json:"ratio,omitempty"`   // to it
	// Unstored is the same client's appends to a server that only answers.
	Unstored      *Rate   `json:"unstored,omitempty"`
	UnstoredRatio float64 `json:"unstoredRatio,omitempty"`
}

// Reads are events per second, read by one goroutine and not decoded; 0 is not measured.
type Reads struct {
	All    float64 `json:"allPerSecond"`
	Stream float64 `json:"streamPerSecond"`
	Short  float64 `json:"shortStreamsPerSecond"` // of 30 events
	// Unstored is the same client reading from a server that sends one event
	// again and again.
	Unstored float64 `json:"unstoredPerSecond,omitempty"`
	Ratio    float64 `json:"ofUnstored,omitempty"` // of All to it
}

// Figure is one of the design's, and whether it was reached.
type Figure struct {
	What    string  `json:"what"`
	Want    float64 `json:"want"`
	Have    float64 `json:"have"`
	Reached bool    `json:"reached"`
	AtMost  bool    `json:"atMost,omitempty"` // less is better
}

// side is an open store under measurement.
type side struct {
	// loop returns what the nth writer does again and again: append one event
	// to streams of its own, at the exact revision.
	loop func(n int) loop
	// Reads return how many events they got. A nil one cannot be done.
	all, stream func(ctx context.Context) (int, error)
	short       func(ctx context.Context, n int) (int, error)       // the nth short stream
	named       func(ctx context.Context, name string) (int, error) // any stream; only of a client
	close       func() error
}

// contender is how to measure one store.
type contender struct {
	kind StoreKind
	what string
	// append opens an empty store for so many writers, read one that is filled.
	append func(ctx context.Context, dir string, writers int) (*side, error)
	read   func(ctx context.Context, dir string) (*side, error)
	// ceiling is the same callers without a store; nil if there is none.
	ceiling func(ctx context.Context, callers int) (Rate, error)
	// unstored is the same client with a server that stores nothing; or nil.
	unstored func(ctx context.Context, callers int) (Rate, error)
	// unread is a side whose all reads n events that are not stored; or nil.
	unread func(ctx context.Context, n int) (*side, error)
}

// errLeftOut: a store cannot be measured here.
var errLeftOut = errors.New("left out")

// garbage is how much garbage may lie about, in percent, as a running Konto has it.
const garbage = 400

type storeBench struct {
	StoreConfig
	bench *bench // its closed loops
	done  int
}

// RunStore measures. It blocks for about a minute and removes what it made, also
// when ctx ends.
func RunStore(ctx context.Context, cfg StoreConfig) (StoreReport, error) {
	s, err := newStoreBench(cfg)
	if err != nil {
		return StoreReport{}, err
	}
	defer debug.SetGCPercent(debug.SetGCPercent(garbage))
	report := StoreReport{Machine: machine()}
	err = s.within(func(dir string) error {
		s.step("one writer, a sync at a time")
		if report.Sync, err = s.bench.syncs(ctx, filepath.Join(dir, "ceiling")); err != nil {
			return err
		}
		for _, c := range s.contenders() {
			if !slices.Contains(s.Only, c.kind) {
				continue
			}
			of, err := s.measure(ctx, dir, c, report.Sync)
			if err != nil {
				return fmt.Errorf("%s: %w", c.kind, err)
			}
			report.Stores = append(report.Stores, of)
		}
		return nil
	})
	report.Figures = report.figures()
	return report, err
}

func machine() Machine {
	return Machine{runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version()}
}

func newStoreBench(cfg StoreConfig) (*storeBench, error) {
	if cfg.Now == nil {
		return nil, errors.New("bench: Now is missing")
	}
	if cfg.Duration == 0 {
		cfg.Duration = 3 * time.Second
	}
	if len(cfg.Callers) == 0 {
		cfg.Callers = []int{1, 16, 64, 256}
	}
	if len(cfg.Only) == 0 {
		cfg.Only = StoreKinds()
	}
	for _, f := range []struct {
		v *int
		d int
	}{{&cfg.Long, longStream}, {&cfg.Short, shortStreams}, {&cfg.Large, 5_000_000}} {
		if *f.v == 0 {
			*f.v = f.d
		}
		if *f.v < 1 {
			return nil, fmt.Errorf("bench: %d events: want 1 or more", *f.v)
		}
	}
	for _, n := range cfg.Callers {
		if n < 1 || n > 1<<12 {
			return nil, fmt.Errorf("bench: %d callers: want 1 to 4096", n)
		}
	}
	for _, k := range cfg.Only {
		if !slices.Contains(StoreKinds(), k) {
			return nil, fmt.Errorf("bench: there is no store %q: want %v", k, StoreKinds())
		}
	}
	return &storeBench{StoreConfig: cfg, bench: &bench{Config: Config{Dir: cfg.Dir, Duration: cfg.Duration, Now: cfg.Now}}}, nil
}

// within runs f in a directory that other users may pass through: PostgreSQL
// does not run as root.
func (s *storeBench) within(f func(dir string) error) (err error) {
	dir, err := os.MkdirTemp(s.Dir, "konto-bench-store-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // no names can be listed
		return err
	}
	return f(dir)
}

func (s *storeBench) contenders() []contender {
	return []contender{s.engineContender(), s.nodeContender(), s.postgresContender(), s.jetStreamContender()}
}

func (s *storeBench) step(format string, args ...any) {
	if s.Progress != nil {
		s.Progress(fmt.Sprintf(format, args...), s.done, 1+len(s.Only)*(len(s.Callers)+2))
	}
	s.done++
}

// measure is one store: a cell for each number of writers, each on an empty
// store, and reads of a filled one.
func (s *storeBench) measure(ctx context.Context, dir string, c contender, sync Rate) (StoreOf, error) {
	of := StoreOf{Kind: c.kind, What: c.what}
	debug.FreeOSMemory() // what the one before had
	resetMemory()
	for _, n := range s.Callers {
		s.step("%s: %d writers", c.kind, n)
		cell, err := s.cell(ctx, filepath.Join(dir, fmt.Sprintf("%s-%d", c.kind, n)), c, n)
		if errors.Is(err, errLeftOut) {
			of.Left = err.Error()
			s.done += len(s.Callers) + 1
			return of, nil
		}
		if err != nil {
			return of, err
		}
		cell.PerSync = round(cell.PerSecond / sync.PerSecond)
		of.Appends = append(of.Appends, cell)
	}
	s.step("%s: filling a store to read from", c.kind)
	reads, err := s.reads(ctx, filepath.Join(dir, string(c.kind)+"-read"), c)
	of.Reads, of.PeakMB = reads, memory()
	return of, err
}

func (s *storeBench) cell(ctx context.Context, dir string, c contender, writers int) (cell StoreCell, err error) {
	cell.Writers = writers
	open, err := c.append(ctx, dir, writers)
	if err != nil {
		return cell, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	runtime.GC()
	cell.Rate, err = s.bench.closed(ctx, s.Duration, loops(open, writers))
	if err = errors.Join(err, open.close()); err != nil {
		return cell, err
	}
	beside := func(measure func(context.Context, int) (Rate, error)) (*Rate, float64) {
		if measure == nil || err != nil {
			return nil, 0
		}
		var r Rate
		if r, err = measure(ctx, writers); err != nil {
			err = fmt.Errorf("ceiling: %w", err)
		}
		return &r, round(cell.PerSecond / r.PerSecond)
	}
	cell.Ceiling, cell.Ratio = beside(c.ceiling)
	cell.Unstored, cell.UnstoredRatio = beside(c.unstored)
	return cell, err
}

func loops(open *side, writers int) []loop {
	all := make([]loop, writers)
	for n := range all {
		all[n] = open.loop(n)
	}
	return all
}

func (s *storeBench) reads(ctx context.Context, dir string, c contender) (_ *Reads, err error) {
	open, err := c.read(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, open.close(), os.RemoveAll(dir)) }()
	s.step("%s: reading", c.kind)
	runtime.GC()
	r := &Reads{}
	if r.All, err = s.rate(func(int) (int, error) { return open.all(ctx) }, s.Long+s.Short*shortStream); err != nil {
		return nil, fmt.Errorf("read all: %w", err)
	}
	if r.Stream, err = s.rate(func(int) (int, error) { return open.stream(ctx) }, s.Long); err != nil {
		return nil, fmt.Errorf("read one stream: %w", err)
	}
	if r.Short, err = s.rate(func(n int) (int, error) { return open.short(ctx, n*7919%s.Short) }, shortStream); err != nil {
		return nil, fmt.Errorf("read short streams: %w", err)
	}
	if c.unread != nil {
		if err := s.unread(ctx, c, r); err != nil {
			return nil, fmt.Errorf("read without a store: %w", err)
		}
	}
	return r, nil
}

// unread measures the ceiling of reads through a client.
func (s *storeBench) unread(ctx context.Context, c contender, r *Reads) (err error) {
	events := s.Long + s.Short*shortStream
	open, err := c.unread(ctx, events)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, open.close()) }()
	runtime.GC()
	if r.Unstored, err = s.rate(func(int) (int, error) { return open.all(ctx) }, events); err != nil {
		return err
	}
	r.Ratio = round(r.All / r.Unstored)
	return nil
}

// rate reads again and again, at least once, and returns events per second. A
// read that does not get what is there measures nothing.
func (s *storeBench) rate(read func(n int) (int, error), want int) (float64, error) {
	began, events := s.Now(), 0
	for n := 0; n == 0 || s.Now().Sub(began) < s.Duration/3; n++ {
		got, err := read(n)
		if err != nil {
			return 0, err
		}
		if got < want {
			return 0, fmt.Errorf("%d events, want %d", got, want)
		}
		events += got
	}
	return float64(int(float64(events) / s.Now().Sub(began).Seconds())), nil
}
