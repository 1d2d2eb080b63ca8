// The read models are tested on a real SQLite database, in the way of the
// projector: an event at a time, in order, each type to its handler.
package projections_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"konto/domain"
	"konto/projections"

	_ "modernc.org/sqlite" // the driver
)

// database has the tables of some read models.
type database struct {
	*sql.DB
	tb          testing.TB
	projections []projections.Projection
}

// open returns a database in a temporary directory, which is closed and
// removed when the test ends.
func open(tb testing.TB, ps ...projections.Projection) *database {
	tb.Helper()
	name := "file:" + filepath.Join(tb.TempDir(), "read.db") + "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=cache_size(-16000)&_pragma=wal_autocheckpoint(4000)"
	db, err := sql.Open("sqlite", name)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	for _, p := range ps {
		if _, err := db.ExecContext(tb.Context(), p.Schema); err != nil {
			tb.Fatalf("schema of %s: %v", p.Name, err)
		}
	}
	return &database{db, tb, ps}
}

// apply gives events to the read models, all in one transaction.
func (d *database) apply(events ...domain.Recorded[any]) {
	d.tb.Helper()
	if err := d.try(events...); err != nil {
		d.tb.Fatal(err)
	}
}

// try is apply for events that a read model may refuse. Then none of them
// is applied.
func (d *database) try(events ...domain.Recorded[any]) error {
	// A context that can end costs the driver a goroutine for each statement.
	ctx := context.WithoutCancel(d.tb.Context())
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	cached := &prepared{Tx: tx, statements: map[string]*sql.Stmt{}}
	for _, e := range events {
		for _, p := range d.projections {
			if err := applyOne(ctx, cached, p, e); err != nil {
				return fmt.Errorf("%s of %s: %w", p.Name, e.Type, err)
			}
		}
	}
	return tx.Commit()
}

func applyOne(ctx context.Context, tx projections.Tx, p projections.Projection, e domain.Recorded[any]) error {
	for _, h := range p.Handlers {
		if h.Type == reflect.TypeOf(e.Data) {
			if err := h.Apply(ctx, tx, e); err != nil {
				return err
			}
		}
	}
	if p.Every == nil {
		return nil
	}
	return p.Every(ctx, tx, e)
}

// prepared is a transaction that prepares each statement once, by its text.
type prepared struct {
	*sql.Tx
	statements map[string]*sql.Stmt
}

// ExecContext implements [projections.Tx].
func (p *prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, ok := p.statements[query]
	if !ok {
		var err error
		if s, err = p.PrepareContext(ctx, query); err != nil {
			return nil, err
		}
		p.statements[query] = s
	}
	return s.ExecContext(ctx, args...)
}

// dump returns what all tables hold: a line for each row, sorted.
func (d *database) dump() []string {
	d.tb.Helper()
	var lines []string
	for _, p := range d.projections {
		for _, table := range p.Tables {
			lines = append(lines, d.dumpTable(table)...)
		}
	}
	slices.Sort(lines)
	return lines
}

func (d *database) dumpTable(table string) []string {
	d.tb.Helper()
	rows, err := d.QueryContext(d.tb.Context(), "SELECT * FROM "+table)
	if err != nil {
		d.tb.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		d.tb.Fatal(err)
	}
	var lines []string
	for rows.Next() {
		values, dest := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			d.tb.Fatal(err)
		}
		var b strings.Builder
		b.WriteString(table)
		for i, c := range columns {
			fmt.Fprintf(&b, " %s=%v", c, values[i])
		}
		lines = append(lines, b.String())
	}
	if err := rows.Err(); err != nil {
		d.tb.Fatal(err)
	}
	return lines
}

// tables returns the names of all tables.
func (d *database) tables() []string {
	d.tb.Helper()
	rows, err := d.QueryContext(d.tb.Context(), `SELECT name FROM sqlite_master WHERE type = 'table'`)
	if err != nil {
		d.tb.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			d.tb.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		d.tb.Fatal(err)
	}
	return names
}

// history makes recorded events of one tenant: the first at position 1, each a
// second after the one before, revisions counted for each stream.
type history struct {
	tenant    string
	actor     domain.Actor
	events    []domain.Recorded[any]
	revisions map[string]int64
}

// start is when a history begins.
var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// then adds an event, which goes through its contract's codec both ways, and
// returns it. It panics if no contract records it.
func (h *history) then(id string, event any) domain.Recorded[any] {
	for _, c := range contracts() {
		raw, err := c.Encode(event)
		if err != nil {
			continue
		}
		data, err := c.DecodeEvent(raw)
		if err != nil {
			panic(err)
		}
		n := uint64(len(h.events)) + 1
		stream := c.Category() + "-" + id
		if h.revisions == nil {
			h.revisions = map[string]int64{}
		}
		e := domain.Recorded[any]{
			Data: data, ID: id, Category: c.Category(), Tenant: h.tenant,
			EventID: fmt.Sprintf("00000000-0000-8000-8000-%012d", n), Type: raw.Type,
			Revision: h.revisions[stream], Position: n * 10,
			At: start.Add(time.Duration(len(h.events)+1) * time.Second), Actor: h.actor, Correlation: fmt.Sprintf("correlation-%d", n),
		}
		h.revisions[stream]++
		h.events = append(h.events, e)
		return e
	}
	panic(fmt.Sprintf("no contract records %T", event))
}

// sealedValue returns a value about subject as the store has it. The ciphertext is
// not one: it names what was sealed, so that a test can tell values apart.
func sealedValue[T any](subject, what string) domain.Personal[T] {
	form, err := json.Marshal(map[string]any{"$sealed": map[string]any{
		"subject": subject, "ciphertext": what, "in": map[string]any{"stream": "x-1", "field": "/" + what},
	}})
	if err != nil {
		panic(err)
	}
	var p domain.Personal[T]
	if err := json.Unmarshal(form, &p); err != nil {
		panic(err)
	}
	return p
}
