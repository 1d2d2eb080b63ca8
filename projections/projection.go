// Package projections turns events into the rows of read models, and reads
// them. One read model is <view>.go (handlers and queries) and <view>.sql
// (tables), with its tests.
//
// A read model is a pure function of the events: delete it and it is rebuilt.
// Handlers see personal values sealed and store them so; whoever answers a
// query opens them for those who may read. SQL is written once, with $1
// parameters and the types that SQLite and PostgreSQL share.
package projections

import (
	"context"
	"database/sql"
	"reflect"

	"konto/domain"
)

// Projection is one read model. A change to its schema or to what a handler
// writes needs a new Version: the old tables are dropped and rebuilt.
type Projection struct {
	Name     string // for ever: names the checkpoint
	Version  int
	Tables   []string // all that Schema creates
	Schema   string   // DDL
	Handlers []Handler
	// Every, if not nil, is told of every event of every registered type, after
	// the handler of its type.
	Every func(context.Context, Tx, domain.Recorded[any]) error
}

// Tx is the transaction that also moves the projection's checkpoint, so that
// an event is applied once or not at all.
type Tx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// DB is what queries read from.
type DB interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Handler applies one event type; see [On].
type Handler struct {
	Type  reflect.Type
	Apply func(context.Context, Tx, domain.Recorded[any]) error
}

// On makes f the handler of events of type E.
func On[E any](f func(context.Context, Tx, domain.Recorded[E]) error) Handler {
	return Handler{reflect.TypeFor[E](), func(ctx context.Context, tx Tx, e domain.Recorded[any]) error {
		return f(ctx, tx, domain.As[E](e))
	}}
}
