package projector_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"konto/domain"
	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/bus"
	"konto/internal/envelope"
	"konto/internal/projector"
	"konto/internal/readdb"
	"konto/internal/relay"
	"konto/projections"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The model: counters.
type counter struct{}

type added struct {
	N    int    `json:"n"`
	Note string `json:"note"`
}

type dropped struct{}

func (added) Evolve(*counter)   {}
func (dropped) Evolve(*counter) {}

var contracts = envelope.Index([]domain.Contract{
	domain.NewAggregate("counter", "counters", domain.Records[added]("Added"), domain.Records[dropped]("Dropped")),
})

// sums keeps a line for each counter. broken, if set, makes it fail on that number.
func sums(name string, version int, broken *atomic.Int64) projections.Projection {
	table := name + "_row"
	return projections.Projection{
		Name: name, Version: version, Tables: []string{table},
		Schema: `CREATE TABLE ` + table + ` (id TEXT PRIMARY KEY, sum BIGINT NOT NULL, events BIGINT NOT NULL, last BIGINT NOT NULL)`,
		Handlers: []projections.Handler{
			projections.On(func(ctx context.Context, tx projections.Tx, e domain.Recorded[added]) error {
				if broken != nil && int64(e.Data.N) == broken.Load() {
					return errors.New("cannot count this")
				}
				_, err := tx.ExecContext(ctx, `INSERT INTO `+table+` (id, sum, events, last) VALUES ($1, $2, 1, $3)
					ON CONFLICT (id) DO UPDATE SET sum = sum + $2, events = events + 1, last = $3`, e.ID, e.Data.N, e.Revision)
				return err
			}),
		},
	}
}

type fixture struct {
	t     *testing.T
	store *memory.Store
	bus   *bus.Bus
	db    *readdb.DB
	log   zerolog.Logger
	n     int
	at    eventstore.Position
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, store: memory.New(), log: zerolog.Nop()}
	b, err := bus.Start(t.Context(), bus.Config{Dir: t.TempDir(), Log: f.log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	f.bus = b
	f.run((&relay.Relay{Store: f.store, Conn: b.Conn(), Now: time.Now, Log: f.log}).Run)
	f.db = f.open("read.db")
	return f
}

func (f *fixture) open(name string) *readdb.DB {
	f.t.Helper()
	db, err := readdb.Open(f.t.Context(), readdb.Config{Path: filepath.Join(f.t.TempDir(), name), Now: time.Now, Log: f.log})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = db.Close() })
	return db
}

// run runs something until stop or the test's end.
func (f *fixture) run(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(f.t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		if err := run(ctx); err != nil {
			f.t.Errorf("Run() = %v, want nil", err)
		}
	})
	stop = func() { cancel(); group.Wait() }
	f.t.Cleanup(stop)
	return stop
}

func (f *fixture) projector(ps ...projections.Projection) *projector.Projector {
	if err := f.db.Migrate(f.t.Context(), ps); err != nil {
		f.t.Fatal(err)
	}
	return &projector.Projector{
		Feed:  &relay.Feed{Store: f.store, Conn: f.bus.Conn(), Idle: 100 * time.Millisecond, Now: time.Now, Log: f.log},
		Store: f.store, DB: f.db, Projections: ps, Contracts: contracts, Now: time.Now, Log: f.log,
	}
}

func (f *fixture) event(typ string, data any) eventstore.Event {
	b, err := json.Marshal(data)
	if err != nil {
		f.t.Fatal(err)
	}
	return eventstore.Event{ID: eventstore.ID(uuid.New()), Type: typ, Data: b, Meta: []byte(`{"tenant":"t1","actor":{"id":"a","kind":"person"}}`)}
}

func (f *fixture) append(stream string, events ...eventstore.Event) {
	f.t.Helper()
	a, err := f.store.Append(f.t.Context(), stream, eventstore.Any, events...)
	if err != nil {
		f.t.Fatal(err)
	}
	f.at = a.Position
}

func (f *fixture) add(n int) {
	f.t.Helper()
	for range n {
		f.n++
		f.append(fmt.Sprintf("counter-%d", f.n%10), f.event("Added", added{N: f.n}))
	}
}

func (f *fixture) wait(names ...string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 20*time.Second)
	defer cancel()
	if err := f.db.Wait(ctx, f.at, names...); err != nil {
		f.t.Fatalf("Wait(%s, %v) = %v", f.at, names, err)
	}
}

// total is what a sums projection has counted.
func (f *fixture) total(db *readdb.DB, name string) (sum, events int) {
	f.t.Helper()
	err := db.QueryRowContext(f.t.Context(), `SELECT coalesce(sum(sum), 0), coalesce(sum(events), 0) FROM `+name+`_row`).Scan(&sum, &events)
	if err != nil {
		f.t.Fatal(err)
	}
	return sum, events
}

func (f *fixture) check(name string) {
	f.t.Helper()
	sum, events := f.total(f.db, name)
	if want := f.n * (f.n + 1) / 2; sum != want || events != f.n {
		f.t.Errorf("%s: sum %d of %d events, want %d of %d", name, sum, events, want, f.n)
	}
}

func (f *fixture) status(p *projector.Projector, name string) projector.Status {
	f.t.Helper()
	all, err := p.Status(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	for _, s := range all {
		if s.Projection == name {
			return s
		}
	}
	f.t.Fatalf("no status of %s in %v", name, all)
	return projector.Status{}
}

func TestOnceAndInOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(300)
	f.append("stranger-1", f.event("Whatever", nil))
	p := f.projector(sums("a", 1, nil), sums("b", 1, nil))
	stop := f.run(p.Run)
	f.wait()
	<-p.Ready()
	f.add(300)
	f.wait()
	stop()
	f.add(200) // while nobody looks
	if err := f.bus.Restart(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	p = f.projector(sums("a", 1, nil), sums("b", 2, nil)) // b is rebuilt
	f.run(p.Run)
	f.wait("a", "b")
	f.check("a")
	f.check("b")
	<-p.Ready()
	if s := f.status(p, "b"); s.State != projector.Live || s.LagEvents != 0 || s.Position != f.at || s.Version != 2 {
		t.Errorf("status of b = %+v, want live at %s without lag", s, f.at)
	}
}

// Restarts at any moment, under load, lose and repeat nothing.
func TestRestarts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	written := make(chan struct{})
	go func() {
		defer close(written)
		f.add(2000)
	}()
	for i := 0; ; i++ {
		stop := f.run(f.projector(sums("a", 1, nil), sums("b", 1, nil)).Run)
		changed := make(chan struct{})
		go func() { // let it come a little further
			defer close(changed)
			c, _ := f.db.Checkpoint("a")
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_ = f.db.Wait(ctx, eventstore.Position{Commit: c.Position.Commit + 1}, "a")
		}()
		<-changed
		stop()
		select {
		case <-written:
			if i > 5 {
				f.run(f.projector(sums("a", 1, nil), sums("b", 1, nil)).Run)
				f.wait("a", "b")
				f.check("a")
				f.check("b")
				return
			}
		default:
		}
	}
}

func TestFailureStopsOneProjection(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var broken atomic.Int64
	broken.Store(150)
	failed := make(chan string, 100)
	p := f.projector(sums("good", 1, nil), sums("bad", 1, &broken))
	p.Metrics.Failed = func(name, category string) { failed <- name + " " + category }
	f.add(100)
	f.run(p.Run)
	f.wait()
	f.add(100)
	f.wait("good")
	if got, want := <-failed, "bad apply"; got != want {
		t.Errorf("failed: %s, want %s", got, want)
	}
	s := f.status(p, "bad")
	if s.State != projector.Failed || s.Failure == nil || s.Failure.Category != projector.FailureApply || s.LagEvents == 0 {
		t.Errorf("status of bad = %+v, want a failure to apply", s)
	}
	if err := f.db.Wait(t.Context(), f.at, "bad"); !errors.Is(err, readdb.ErrStalled) {
		t.Errorf("Wait for bad = %v, want %v", err, readdb.ErrStalled)
	}
	if s := f.status(p, "good"); s.State != projector.Live || s.Failure != nil {
		t.Errorf("status of good = %+v, want live", s)
	}
	<-failed // it is tried again
	broken.Store(0)
	f.recovers("bad")
	f.add(50)
	f.recovers("bad")
	f.check("good")
	f.check("bad")
}

// recovers waits although the projection is marked as failed.
func (f *fixture) recovers(name string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 20*time.Second)
	defer cancel()
	for {
		err := f.db.Wait(ctx, f.at, name)
		if err == nil {
			return
		}
		if !errors.Is(err, readdb.ErrStalled) {
			f.t.Fatal(err)
		}
	}
}

func TestUnreadableEvents(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		event    eventstore.Event
		category string // of failure, empty for none
	}{
		{"unknown type of a known category", eventstore.Event{Type: "Multiplied", Data: []byte(`{}`)}, projector.FailureUnknownType},
		{"broken data that somebody wants", eventstore.Event{Type: "Added", Data: []byte(`{"n":"x"}`)}, projector.FailureDecode},
		{"broken metadata", eventstore.Event{Type: "Added", Data: []byte(`{}`), Meta: []byte(`[`)}, projector.FailureDecode},
		{"broken data that nobody wants", eventstore.Event{Type: "Dropped", Data: []byte(`[`)}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			p := f.projector(sums("a", 1, nil))
			f.run(p.Run)
			f.add(3)
			test.event.ID = eventstore.ID(uuid.New())
			f.append("counter-x", test.event)
			err := f.db.Wait(t.Context(), f.at, "a")
			if (err != nil) != (test.category != "") {
				t.Fatalf("Wait() = %v, want a failure: %v", err, test.category != "")
			}
			s := f.status(p, "a")
			switch {
			case test.category == "" && s.Failure != nil:
				t.Errorf("failure %+v, want none", s.Failure)
			case test.category != "" && (s.Failure == nil || s.Failure.Category != test.category || s.Failure.Position != f.at):
				t.Errorf("failure %+v, want %s at %s", s.Failure, test.category, f.at)
			}
		})
	}
}

func TestStoreReplaced(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(50)
	stop := f.run(f.projector(sums("a", 1, nil)).Run)
	f.wait()
	stop()
	old := f.store
	f.store = memory.New()
	defer func() { f.store = old }()
	f.n = 0
	f.add(5)
	p := f.projector(sums("a", 1, nil))
	p.Feed.Conn = nil
	f.run(p.Run)
	<-p.Ready()
	f.wait()
	f.check("a")
}

func TestEveryAndAnnotate(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var mu sync.Mutex
	var seen []string
	p := f.projector(projections.Projection{
		Name: "log", Version: 1,
		Every: func(_ context.Context, _ projections.Tx, e domain.Recorded[any]) error {
			mu.Lock()
			defer mu.Unlock()
			line := e.Type + " " + e.Tenant + " " + e.ID
			if a, ok := e.Data.(added); ok {
				line += " " + a.Note
			}
			seen = append(seen, line)
			return nil
		},
	})
	p.Annotate = func(data []byte, tenant, stream, _, _ string) []byte {
		return []byte(strings.Replace(string(data), "sealed", "sealed for "+tenant+" "+stream, 1))
	}
	f.append("counter-1", f.event("Added", added{Note: "sealed"}), f.event("Dropped", dropped{}))
	f.run(p.Run)
	<-p.Ready()
	f.wait()
	mu.Lock()
	defer mu.Unlock()
	if got, want := strings.Join(seen, "; "), "Added t1 1 sealed for t1 counter-1; Dropped t1 1"; got != want {
		t.Errorf("Every saw %q, want %q", got, want)
	}
}

func TestRebuild(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(9000)
	f.append("$system", f.event("x", nil))
	p := f.projector(sums("a", 1, nil), sums("b", 1, nil))
	db := f.open("other.db")
	var calls [][2]int
	for range 2 { // the second starts over
		calls = nil
		if err := p.Rebuild(t.Context(), db, func(done, total int) { calls = append(calls, [2]int{done, total}) }); err != nil {
			t.Fatal(err)
		}
	}
	if sum, events := f.total(db, "b"); events != 9000 || sum != 9000*9001/2 {
		t.Errorf("rebuilt sum %d of %d events", sum, events)
	}
	if last := calls[len(calls)-1]; last != [2]int{9000, 9000} || len(calls) < 3 {
		t.Errorf("progress %v, want steps up to 9000 of 9000", calls)
	}
	var broken atomic.Int64
	broken.Store(77)
	p = f.projector(sums("a", 1, &broken))
	if err := p.Rebuild(t.Context(), db, nil); err == nil || !strings.Contains(err.Error(), "apply") {
		t.Errorf("Rebuild of a broken projection = %v, want its failure", err)
	}
}
