package projector_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

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
