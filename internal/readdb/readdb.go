// Package readdb is the database of the read models: one writer, many
// readers, a checkpoint for each projection.
package readdb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/projections"
)

// Config says where the database is.
type Config struct {
	Path    string // of the SQLite file; its directory must exist
	Readers int    // connections for queries; 0 means 4
	Now     func() time.Time
	Log     zerolog.Logger
}

// DB is an open read database. All methods are safe for concurrent use.
type DB struct{}

var _ projections.DB = (*DB)(nil)

// Open opens or creates the database.
func Open(ctx context.Context, c Config) (*DB, error) { return nil, errors.New("not there yet") }

// Close closes the database.
func (d *DB) Close() error { return nil }

// QueryContext runs a query on a read-only connection.
func (d *DB) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return nil, nil
}

// QueryRowContext runs a query on a read-only connection.
func (d *DB) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row { return nil }

// Wait blocks until the checkpoints of the named projections, or of all, have
// reached position, or ctx ends.
func (d *DB) Wait(ctx context.Context, position eventstore.Position, projections ...string) error {
	return nil
}
