// Package readdb is the database of the read models: one writer, many
// readers, a checkpoint for each projection, and a way to wait for one.
//
// A checkpoint is a position in the event store and moves in the transaction
// that writes the rows, so that an event is applied once or not at all. It
// moves only from where its writer believes it to be: a second projector on
// the same database is noticed and applies nothing twice.
//
// Rows and checkpoints go back together when the power fails, and the events
// are applied again; so transactions are not synced one by one.
//
// The SQL is what SQLite and PostgreSQL share, with $1 parameters. Only SQLite
// is linked.
package readdb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/projections"
)

// Errors that callers can act on.
var (
	// ErrMoved: somebody else has moved the checkpoint.
	ErrMoved = errors.New("readdb: checkpoint moved by somebody else")
	// ErrStalled: the projection cannot get on, so that waiting is vain.
	ErrStalled = errors.New("readdb: projection stands still")
	// ErrUnknown: there is no projection of this name.
	ErrUnknown = errors.New("readdb: unknown projection")
)

// Config says where the database is.
type Config struct {
	Path    string // of the SQLite file; its directory must exist
	Readers int    // connections for queries; 0 means 4
	Now     func() time.Time
	Log     zerolog.Logger
}

// DB is an open read database. All methods are safe for concurrent use.
type DB struct {
	*File
	now func() time.Time
	log zerolog.Logger

	mu      sync.Mutex
	known   map[string]Checkpoint
	changed chan struct{} // closed and replaced when known changes
}

var (
	_ projections.DB = (*DB)(nil)
	_ projections.Tx = (*Tx)(nil)
)

// Checkpoint is where a projection is.
type Checkpoint struct {
	Projection string
	Version    int
	Position   eventstore.Position // all events up to here are in the tables
	UpdatedAt  time.Time
	Failed     string // why it stands still; empty if it does not
}

const schema = `
CREATE TABLE IF NOT EXISTS konto_checkpoint (
	projection TEXT PRIMARY KEY,
	version BIGINT NOT NULL,
	commit_position BIGINT NOT NULL,
	prepare_position BIGINT NOT NULL,
	updated_at TEXT NOT NULL,
	failed TEXT NOT NULL
)`

// Open opens or creates the database.
func Open(ctx context.Context, c Config) (*DB, error) {
	f, err := OpenFile(ctx, c.Path, FileOptions{Readers: c.Readers})
	if err != nil {
		return nil, fmt.Errorf("read database: %w", err)
	}
	d := &DB{File: f, now: c.Now, log: c.Log, known: map[string]Checkpoint{}, changed: make(chan struct{})}
	err = f.Write(ctx, func(ctx context.Context, tx *Tx) error { return tx.Script(ctx, schema) })
	if err == nil {
		err = d.Reload(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read database: %w", err), f.Close())
	}
	return d, nil
}

// Migrate makes the tables of each projection that is new or has a new
// Version; such a projection starts at zero. Old tables are dropped.
func (d *DB) Migrate(ctx context.Context, ps []projections.Projection) error {
	for _, p := range ps {
		if have, ok := d.Checkpoint(p.Name); ok && have.Version == p.Version {
			continue
		}
		if err := d.Reset(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// Reset empties p: its tables are made anew and its checkpoint is zero.
func (d *DB) Reset(ctx context.Context, p projections.Projection) error {
	c := Checkpoint{Projection: p.Name, Version: p.Version, UpdatedAt: d.now().UTC()}
	err := d.Write(ctx, func(ctx context.Context, tx *Tx) error {
		for _, table := range p.Tables {
			if err := tx.Script(ctx, `DROP TABLE IF EXISTS "`+table+`"`); err != nil {
				return err
			}
		}
		if err := tx.Script(ctx, p.Schema); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO konto_checkpoint (projection, version, commit_position, prepare_position, updated_at, failed)
			VALUES ($1, $2, 0, 0, $3, '')
			ON CONFLICT (projection) DO UPDATE SET version = $2, commit_position = 0, prepare_position = 0, updated_at = $3, failed = ''`,
			c.Projection, c.Version, text(c.UpdatedAt))
		return err
	})
	if err != nil {
		return fmt.Errorf("reset projection %s: %w", p.Name, err)
	}
	d.log.Info().Str("projection", p.Name).Int("version", p.Version).Msg("projection starts empty")
	d.publish(c)
	return nil
}

// Advance moves checkpoints that are at one position to another within tx, all
// in one statement. It is an [ErrMoved] if one of them is not there. Call
// [DB.Advanced] after the commit.
func (d *DB) Advance(ctx context.Context, tx *Tx, from, to eventstore.Position, cs ...Checkpoint) error {
	args := []any{number(to.Commit), number(to.Prepare), text(d.now()), number(from.Commit), number(from.Prepare)}
	var rows strings.Builder
	for i, c := range cs {
		if i > 0 {
			rows.WriteString(", ")
		}
		fmt.Fprintf(&rows, "($%d, $%d)", len(args)+1, len(args)+2)
		args = append(args, c.Projection, c.Version)
	}
	r, err := tx.ExecContext(ctx, `
		UPDATE konto_checkpoint SET commit_position = $1, prepare_position = $2, updated_at = $3, failed = ''
		WHERE commit_position = $4 AND prepare_position = $5 AND (projection, version) IN (VALUES `+rows.String()+`)`, args...)
	if err != nil {
		return fmt.Errorf("checkpoints: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n != int64(len(cs)) {
		return errors.Join(fmt.Errorf("checkpoints at %s: %w", from, ErrMoved), err)
	}
	return nil
}

// Advanced tells those who wait that checkpoints have moved.
func (d *DB) Advanced(to eventstore.Position, names ...string) {
	cs := make([]Checkpoint, 0, len(names))
	for _, name := range names {
		c, _ := d.Checkpoint(name)
		c.Projection, c.Position, c.UpdatedAt, c.Failed = name, to, d.now().UTC(), ""
		cs = append(cs, c)
	}
	d.publish(cs...)
}

// Fail records why a projection stands still, until it advances.
func (d *DB) Fail(ctx context.Context, name, reason string) error {
	err := d.Write(ctx, func(ctx context.Context, tx *Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE konto_checkpoint SET failed = $1 WHERE projection = $2`, reason, name)
		return err
	})
	c, _ := d.Checkpoint(name)
	c.Projection, c.Failed = name, reason
	d.publish(c)
	if err != nil {
		return fmt.Errorf("mark projection %s: %w", name, err)
	}
	return nil
}

// Checkpoint returns where a projection is.
func (d *DB) Checkpoint(name string) (Checkpoint, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, ok := d.known[name]
	return c, ok
}

// Wait blocks until the named projections, or all if none is named, have
// reached a position. Whoever has written an event and waits for its position
// reads what it wrote. Errors: [ErrStalled], [ErrUnknown], ctx's.
func (d *DB) Wait(ctx context.Context, position eventstore.Position, names ...string) error {
	for {
		d.mu.Lock()
		changed := d.changed
		reached, err := d.reached(position, names)
		d.mu.Unlock()
		if reached || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *DB) reached(position eventstore.Position, names []string) (bool, error) {
	if len(names) == 0 {
		names = slices.Collect(maps.Keys(d.known))
	}
	all := true
	for _, name := range names {
		c, ok := d.known[name]
		switch {
		case !ok:
			return false, fmt.Errorf("%w: %s", ErrUnknown, name)
		case c.Position.Compare(position) >= 0:
		case c.Failed != "":
			return false, fmt.Errorf("%w: %s", ErrStalled, name)
		default:
			all = false
		}
	}
	return all, nil
}

// Reload reads the checkpoints as they are stored, after an [ErrMoved].
func (d *DB) Reload(ctx context.Context) error {
	rows, err := d.QueryContext(ctx, `SELECT projection, version, commit_position, prepare_position, updated_at, failed FROM konto_checkpoint`)
	if err != nil {
		return fmt.Errorf("checkpoints: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var cs []Checkpoint
	for rows.Next() {
		var c Checkpoint
		var commit, prepare int64
		var at string
		if err := rows.Scan(&c.Projection, &c.Version, &commit, &prepare, &at, &c.Failed); err != nil {
			return fmt.Errorf("checkpoints: %w", err)
		}
		c.Position = eventstore.Position{Commit: unnumber(commit), Prepare: unnumber(prepare)}
		if c.UpdatedAt, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return fmt.Errorf("checkpoint of %s: %w", c.Projection, err)
		}
		cs = append(cs, c)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("checkpoints: %w", err)
	}
	d.publish(cs...)
	return nil
}

func (d *DB) publish(cs ...Checkpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range cs {
		d.known[c.Projection] = c
	}
	close(d.changed)
	d.changed = make(chan struct{})
}

// SQL databases have no unsigned numbers. The bits are kept; a position beyond
// half of the range would only look odd in the table.
func number(u uint64) int64   { return int64(u) }  //nolint:gosec // bits are kept
func unnumber(i int64) uint64 { return uint64(i) } //nolint:gosec // bits are kept

func text(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
