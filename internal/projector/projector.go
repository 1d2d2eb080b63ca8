// Package projector keeps the read models up to date with the events.
package projector

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/readdb"
	"konto/internal/relay"
	"konto/projections"
)

// Projector applies events to projections. Set the fields before Run.
type Projector struct {
	Feed        *relay.Feed
	Store       eventstore.Store
	DB          *readdb.DB
	Projections []projections.Projection
	Contracts   envelope.Contracts
	// Annotate adds to each sealed value in data what is needed to open it
	// outside its event; nil leaves data as it is.
	Annotate func(data []byte, tenant, stream, eventID, typ string) []byte
	Now      func() time.Time
	Rand     *rand.Rand // jitter of retries; nil means none
	Metrics  Metrics
	Log      zerolog.Logger
}

// Metrics are told what a projector does; a nil function is not called.
type Metrics struct {
	// Applied: a transaction with so many events was committed for a projection.
	Applied func(projection string, events int, took time.Duration)
	// Failed: a projection could not apply an event; see the Failure constants.
	Failed func(projection, category string)
}

// State is what a projection is doing.
type State string

// The states.
const (
	Live       State = "live"
	CatchingUp State = "catching-up"
	Failed     State = "failed" // is tried again after a while
)

// Categories of failure.
const (
	FailureApply       = "apply"
	FailureDecode      = "decode"
	FailureUnknownType = "unknown-type"
)

// Failure says why a projection stands still.
type Failure struct {
	Category string              `json:"category"`
	EventID  string              `json:"eventId"`
	Type     string              `json:"type"`
	Position eventstore.Position `json:"-"`
	Detail   string              `json:"detail"`
	Attempts int                 `json:"attempts"`
}

// Status is where a projection is.
type Status struct {
	Projection string
	Version    int
	State      State
	Position   eventstore.Position // of its checkpoint
	Head       eventstore.Position // of the store
	// LagEvents is how many events it has yet to apply, counted up to
	// [MaxLag]; LagSeconds is the age of the first of them.
	LagEvents  int
	LagSeconds float64
	Failure    *Failure // nil unless State is Failed
}

// MaxLag is where counting the lag ends, in events.
const MaxLag = 10_000

// Run keeps the projections up to date until ctx ends.
func (p *Projector) Run(ctx context.Context) error { return errors.New("not there yet") }

// Status says where each projection is.
func (p *Projector) Status(ctx context.Context) ([]Status, error) { return nil, nil }

// Ready is closed when every projection has been live once.
func (p *Projector) Ready() <-chan struct{} { return nil }

// Rebuild builds all projections in db from the first event to the last. It
// tells progress, if not nil, after each transaction.
func (p *Projector) Rebuild(ctx context.Context, db *readdb.DB, progress func(done, total int)) error {
	return nil
}
