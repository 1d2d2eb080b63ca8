// Package projectionstest runs read models on a real SQLite database, the way
// the projector does: an event at a time, in order, each type to its handler.
package projectionstest

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

	_ "modernc.org/sqlite" // the driver

	"konto/domain"
	"konto/projections"
)

// DB is a database with the tables of some read models.
type DB struct {
	*sql.DB
	t           testing.TB
	projections []projections.Projection
}

// New returns a database in a temporary directory, which is closed and removed
// when the test ends.
func New(t testing.TB, ps ...projections.Projection) *DB {
	t.Helper()
	name := "file:" + filepath.Join(t.TempDir(), "read.db") + "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"
	db, err := sql.Open("sqlite", name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, p := range ps {
		if _, err := db.ExecContext(t.Context(), p.Schema); err != nil {
			t.Fatalf("schema of %s: %v", p.Name, err)
		}
	}
	return &DB{db, t, ps}
}

// Apply gives events to the read models, all in one transaction.
func (d *DB) Apply(events ...domain.Recorded[any]) {
	d.t.Helper()
	if err := d.Try(events...); err != nil {
		d.t.Fatal(err)
	}
}

// Try is [DB.Apply] for events that a read model may refuse. Then none of them
// is applied.
func (d *DB) Try(events ...domain.Recorded[any]) error {
	ctx := d.t.Context()
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	cached := &Prepared{Tx: tx, statements: map[string]*sql.Stmt{}}
	for _, e := range events {
		for _, p := range d.projections {
			if err := apply(ctx, cached, p, e); err != nil {
				return fmt.Errorf("%s of %s: %w", p.Name, e.Type, err)
			}
		}
	}
	return tx.Commit()
}

func apply(ctx context.Context, tx projections.Tx, p projections.Projection, e domain.Recorded[any]) error {
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

// Prepared is a transaction that prepares each statement once, by its text.
type Prepared struct {
	*sql.Tx
	statements map[string]*sql.Stmt
}

// ExecContext implements [projections.Tx].
func (p *Prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
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

// Dump returns what all tables hold: a line for each row, sorted.
func (d *DB) Dump() []string {
	d.t.Helper()
	var lines []string
	for _, p := range d.projections {
		for _, table := range p.Tables {
			lines = append(lines, d.dump(table)...)
		}
	}
	slices.Sort(lines)
	return lines
}

func (d *DB) dump(table string) []string {
	d.t.Helper()
	rows, err := d.QueryContext(d.t.Context(), "SELECT * FROM "+table)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		d.t.Fatal(err)
	}
	var lines []string
	for rows.Next() {
		values, dest := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			d.t.Fatal(err)
		}
		var b strings.Builder
		b.WriteString(table)
		for i, c := range columns {
			fmt.Fprintf(&b, " %s=%v", c, values[i])
		}
		lines = append(lines, b.String())
	}
	if err := rows.Err(); err != nil {
		d.t.Fatal(err)
	}
	return lines
}

// History makes recorded events of one tenant: the first at position 1, each a
// second after the one before, revisions counted for each stream.
type History struct {
	Tenant    string
	Actor     domain.Actor
	Contracts []domain.Contract
	Events    []domain.Recorded[any]

	revisions map[string]int64
}

// Start is when the first event of a [History] happened.
var Start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// Then adds an event, which goes through its contract's codec both ways, and
// returns it. It panics if no contract records it.
func (h *History) Then(id string, event any) domain.Recorded[any] {
	for _, c := range h.Contracts {
		raw, err := c.Encode(event)
		if err != nil {
			continue
		}
		data, err := c.DecodeEvent(raw)
		if err != nil {
			panic(err)
		}
		n := uint64(len(h.Events)) + 1
		stream := c.Category() + "-" + id
		if h.revisions == nil {
			h.revisions = map[string]int64{}
		}
		e := domain.Recorded[any]{
			Data: data, ID: id, Category: c.Category(), Tenant: h.Tenant,
			EventID: fmt.Sprintf("00000000-0000-8000-8000-%012d", n), Type: raw.Type,
			Revision: h.revisions[stream], Position: n * 10,
			At: Start.Add(time.Duration(n) * time.Second), Actor: h.Actor, Correlation: fmt.Sprintf("correlation-%d", n),
		}
		h.revisions[stream]++
		h.Events = append(h.Events, e)
		return e
	}
	panic(fmt.Sprintf("no contract records %T", event))
}

// Sealed returns a value about subject as the store has it. The ciphertext is
// not one: it names what was sealed, so that a test can tell values apart.
func Sealed[T any](subject, what string) domain.Personal[T] {
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
