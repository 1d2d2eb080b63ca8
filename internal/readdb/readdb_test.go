package readdb_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"konto/eventstore"
	"konto/internal/readdb"
	"konto/projections"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, path string) *readdb.DB {
	t.Helper()
	d, err := readdb.Open(t.Context(), readdb.Config{Path: path, Now: time.Now, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func view(version int) projections.Projection {
	return projections.Projection{
		Name: "view", Version: version, Tables: []string{"view_row"},
		Schema: `CREATE TABLE view_row (id TEXT PRIMARY KEY, n BIGINT NOT NULL); CREATE INDEX view_n ON view_row (n)`,
	}
}

func at(n uint64) eventstore.Position { return eventstore.Position{Commit: n, Prepare: n} }

// apply writes a row and moves the checkpoint.
func apply(t *testing.T, d *readdb.DB, id string, to eventstore.Position) error {
	t.Helper()
	c, _ := d.Checkpoint("view")
	err := d.Write(t.Context(), func(ctx context.Context, tx *readdb.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO view_row (id, n) VALUES ($1, $2)`, id, 1); err != nil {
			return err
		}
		return d.Advance(ctx, tx, c.Position, to, c)
	})
	if err == nil {
		d.Advanced(to, "view")
	}
	return err
}

func count(t *testing.T, d *readdb.DB) (n int) {
	t.Helper()
	if err := d.QueryRowContext(t.Context(), `SELECT count(*) FROM view_row`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCheckpoint(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "odd name?#.db")
	d := open(t, path)
	if err := d.Migrate(t.Context(), []projections.Projection{view(1)}); err != nil {
		t.Fatal(err)
	}
	if err := apply(t, d, "a", at(1<<63+5)); err != nil {
		t.Fatal(err)
	}
	_ = d.Close()
	d = open(t, path)
	if err := d.Migrate(t.Context(), []projections.Projection{view(1)}); err != nil {
		t.Fatal(err)
	}
	if c, _ := d.Checkpoint("view"); c.Position != at(1<<63+5) || count(t, d) != 1 {
		t.Errorf("after opening again: at %s with %d rows, want %s with 1", c.Position, count(t, d), at(1<<63+5))
	}
	if err := d.Migrate(t.Context(), []projections.Projection{view(2)}); err != nil {
		t.Fatal(err)
	}
	if c, _ := d.Checkpoint("view"); c.Position != at(0) || c.Version != 2 || count(t, d) != 0 {
		t.Errorf("after a new version: %+v with %d rows, want an empty one at zero", c, count(t, d))
	}
}

func TestSecondWriterIsNoticed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "r.db")
	d := open(t, path)
	if err := d.Migrate(t.Context(), []projections.Projection{view(1)}); err != nil {
		t.Fatal(err)
	}
	other := open(t, path)
	if err := apply(t, other, "a", at(3)); err != nil {
		t.Fatal(err)
	}
	if err := apply(t, d, "b", at(4)); !errors.Is(err, readdb.ErrMoved) {
		t.Errorf("Advance from an old position = %v, want %v", err, readdb.ErrMoved)
	}
	if n := count(t, d); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
	if err := d.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := apply(t, d, "b", at(4)); err != nil {
		t.Error(err)
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "r.db"))
	if err := d.Migrate(t.Context(), []projections.Projection{view(1)}); err != nil {
		t.Fatal(err)
	}
	waited := make(chan error, 2)
	go func() { waited <- d.Wait(t.Context(), at(2), "view") }()
	go func() { waited <- d.Wait(t.Context(), at(2)) }()
	for n := range uint64(2) {
		select {
		case err := <-waited:
			t.Fatalf("Wait(2) = %v at %d, want to block", err, n)
		default:
		}
		if err := apply(t, d, string(rune('a'+n)), at(n+1)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := <-waited; err != nil {
			t.Errorf("Wait(2) = %v, want nil", err)
		}
	}
	if err := d.Fail(t.Context(), "view", "apply"); err != nil {
		t.Fatal(err)
	}
	if err := d.Wait(t.Context(), at(1)); err != nil {
		t.Errorf("Wait(1) of a failed projection at 2 = %v, want nil", err)
	}
	if err := d.Wait(t.Context(), at(9)); !errors.Is(err, readdb.ErrStalled) {
		t.Errorf("Wait(9) of a failed projection = %v, want %v", err, readdb.ErrStalled)
	}
	if err := d.Wait(t.Context(), at(1), "nothing"); !errors.Is(err, readdb.ErrUnknown) {
		t.Errorf("Wait for an unknown projection = %v, want %v", err, readdb.ErrUnknown)
	}
	if err := apply(t, d, "z", at(5)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Wait(ctx, at(9)); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait with an ended context = %v, want %v", err, context.Canceled)
	}
}

func TestSavepointAndRollback(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "r.db"))
	if err := d.Migrate(t.Context(), []projections.Projection{view(1)}); err != nil {
		t.Fatal(err)
	}
	insert := func(ctx context.Context, tx *readdb.Tx, id string) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO view_row (id, n) VALUES ($1, 1)`, id)
		return err
	}
	broken := errors.New("broken")
	err := d.Write(t.Context(), func(ctx context.Context, tx *readdb.Tx) error {
		if err := insert(ctx, tx, "kept"); err != nil {
			return err
		}
		err := tx.Savepoint(ctx, func() error { return errors.Join(insert(ctx, tx, "taken back"), broken) })
		if !errors.Is(err, broken) {
			t.Errorf("Savepoint() = %v, want %v", err, broken)
		}
		return tx.Savepoint(ctx, func() error { return insert(ctx, tx, "also kept") })
	})
	if n := count(t, d); err != nil || n != 2 {
		t.Errorf("Write() = %v with %d rows, want 2", err, n)
	}
	func() {
		defer func() { _ = recover() }()
		_ = d.Write(t.Context(), func(ctx context.Context, tx *readdb.Tx) error {
			_ = insert(ctx, tx, "panic")
			panic("in a transaction")
		})
	}()
	if n := count(t, d); n != 2 {
		t.Errorf("%d rows after a panic, want 2", n)
	}
	if _, err := d.QueryContext(t.Context(), `DELETE FROM view_row`); err == nil {
		t.Error("a reader could delete")
	}
}
