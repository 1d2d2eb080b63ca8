package readdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite": no cgo, and as fast for single writers (peers' measurements)
)

// File is an SQLite database: one connection that writes, others that only
// read, in write-ahead mode, so that neither waits for the other. All methods
// are safe for concurrent use.
type File struct {
	readers *sql.DB
	writers *sql.DB

	mu   sync.Mutex // held by the transaction under way
	conn *sql.Conn
	// prepared statements of conn. Preparing costs more than running most of
	// what projections do.
	prepared map[string]*sql.Stmt
}

// FileOptions say how a file is opened.
type FileOptions struct {
	Readers int // connections that read; 0 means 4
	// Durable syncs each transaction (synchronous=FULL). Without it a power
	// cut takes back the last transactions, whole and in order.
	Durable bool
}

// maxPrepared bounds the prepared statements, lest a caller that builds its
// SQL fills the memory.
const maxPrepared = 512

// OpenFile opens or creates the database at path.
func OpenFile(ctx context.Context, path string, o FileOptions) (*File, error) {
	synchronous := "NORMAL"
	if o.Durable {
		synchronous = "FULL"
	}
	f := &File{prepared: map[string]*sql.Stmt{}}
	var err error
	// 16 MB of cache, and a checkpoint of the log every 16 MB.
	f.writers, err = openPool(path, 1, "journal_mode(WAL)", "synchronous("+synchronous+")", "cache_size(-16000)",
		"wal_autocheckpoint(4000)", "journal_size_limit(67108864)", "temp_store(MEMORY)")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if f.conn, err = f.writers.Conn(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), f.writers.Close())
	}
	readers := o.Readers
	if readers == 0 {
		readers = 4
	}
	f.readers, err = openPool(path, readers, "query_only(1)", "cache_size(-8000)")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), f.conn.Close(), f.writers.Close())
	}
	return f, nil
}

func openPool(path string, size int, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_time_format": {"sqlite"}, "_pragma": append([]string{"busy_timeout(5000)"}, pragmas...)}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// QueryContext runs a query on a connection that cannot write.
func (f *File) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return f.readers.QueryContext(ctx, query, args...)
}

// QueryRowContext runs a query on a connection that cannot write.
func (f *File) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return f.readers.QueryRowContext(ctx, query, args...)
}

// Write runs do in a transaction of its own and commits it if do returns nil.
// It waits for the transaction under way. A transaction that has begun is not
// cut short when ctx ends: do gets a context that does not end, which also
// spares the driver a goroutine for each statement.
func (f *File) Write(ctx context.Context, do func(context.Context, *Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	tx := &Tx{f}
	if err := tx.run(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	committed := false
	defer func() { // also when do panics
		if !committed {
			_ = tx.run(ctx, "ROLLBACK")
		}
	}()
	if err := do(ctx, tx); err != nil {
		return err
	}
	if err := tx.run(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	committed = true
	return nil
}

// Close closes all connections. It waits for the transaction under way.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, s := range f.prepared {
		errs = append(errs, s.Close())
	}
	clear(f.prepared)
	return errors.Join(append(errs, f.readers.Close(), f.conn.Close(), f.writers.Close())...)
}

// Tx is a transaction. It implements projections.Tx and is only good within
// the call that got it.
type Tx struct{ file *File }

// ExecContext runs a statement. The statement is prepared once.
func (t *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := t.prepare(ctx, query) //nolint:sqlclosecheck // is kept for the next time; File.Close closes it
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// QueryRowContext runs a query for one row. The statement is prepared once.
func (t *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := t.prepare(ctx, query) //nolint:sqlclosecheck // is kept for the next time; File.Close closes it
	if err != nil {
		return t.file.conn.QueryRowContext(ctx, query, args...) // has the same error
	}
	return s.QueryRowContext(ctx, args...)
}

// QueryContext runs a query. Its statement is not shared, since its rows may
// be read while other statements run.
func (t *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.file.conn.QueryContext(ctx, query, args...)
}

// Script runs several statements, such as a schema.
func (t *Tx) Script(ctx context.Context, script string) error {
	_, err := t.file.conn.ExecContext(ctx, script)
	return err
}

// Savepoint runs do and, if do fails or panics, takes back what it wrote and
// nothing else.
func (t *Tx) Savepoint(ctx context.Context, do func() error) error {
	if err := t.run(ctx, "SAVEPOINT step"); err != nil {
		return err
	}
	kept := false
	defer func() {
		if !kept {
			_ = t.run(ctx, "ROLLBACK TO step")
			_ = t.run(ctx, "RELEASE step")
		}
	}()
	if err := do(); err != nil {
		return err
	}
	kept = true
	return t.run(ctx, "RELEASE step")
}

func (t *Tx) run(ctx context.Context, statement string) error {
	_, err := t.ExecContext(ctx, statement)
	return err
}

func (t *Tx) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := t.file.prepared[query]; ok {
		return s, nil
	}
	if len(t.file.prepared) >= maxPrepared {
		for _, s := range t.file.prepared {
			_ = s.Close()
		}
		clear(t.file.prepared)
	}
	s, err := t.file.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	t.file.prepared[query] = s
	return s, nil
}
