// Package reactor carries out what reactions ask for.
package reactor

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/relay"
)

// Job is one effect to carry out: a dispatch or a notice.
type Job struct {
	ID          uuid.UUID // the same whenever the effect is tried
	Tenant      string    // of the event that caused it
	Correlation string
	Causation   string // ID of that event
	Reaction    string
	At          time.Time // of that event
	Attempt     int       // from 1
	Dispatch    *DispatchJob
	Notice      *NoticeJob
}

// DispatchJob is a command to send.
type DispatchJob struct {
	Category string // of the aggregate
	To       string // ID of the aggregate
	Command  string // wire name
	Data     json.RawMessage
}

// NoticeJob is a message to a person.
type NoticeJob struct {
	To       string // a person's ID
	Address  string // if not empty, where the message goes instead
	Channel  domain.Channel
	Template string
	Data     json.RawMessage // opened
}

// Crypt seals or opens the personal values in data for the place that stream,
// eventID and typ name.
type Crypt func(ctx context.Context, tenant, stream, eventID, typ string, data []byte) ([]byte, error)

// Reactor runs reactions and carries out their effects. Set the fields before
// Open.
type Reactor struct {
	Path      string // of its SQLite file; its directory must exist
	Feed      *relay.Feed
	Store     eventstore.Store
	Reactions []domain.Reaction
	Contracts envelope.Contracts
	Annotate  func(data []byte, tenant, stream, eventID, typ string) []byte
	Seal      Crypt
	Open      Crypt
	// Dispatch and Notify carry an effect out. nil means done; an error that
	// [Permanent] made is final; any other is tried again. They are called
	// again for an effect that was carried out just before a crash, and must
	// then do nothing.
	Dispatch func(context.Context, Job) error
	Notify   func(context.Context, Job) error
	Workers  int // effects in flight; 0 means 8
	Now      func() time.Time
	Rand     *rand.Rand // jitter of retries; nil means none
	Metrics  Metrics
	Log      zerolog.Logger
}

// Metrics are told what a reactor does; a nil function is not called.
type Metrics struct {
	Reacted func(events, effects int, took time.Duration)
	// Attempted: outcome is "done", "retry" or "dead".
	Attempted func(kind, outcome string, took time.Duration)
}

// Status is where the reactor is.
type Status struct {
	Position   eventstore.Position // of its checkpoint
	Head       eventstore.Position // of the store
	LagEvents  int                 // counted up to 10,000
	LagSeconds float64
	Waiting    int           // effects that are due and not yet done
	Scheduled  int           // effects whose time has not come
	Dead       int           // effects that can never be done
	Oldest     time.Duration // age of the oldest waiting effect, since it was due
	Error      string        // why it stands still; empty if it does not
}

// Permanent marks err as final: trying again cannot help. The class, such as
// "no-address", is kept with the effect.
func Permanent(class string, err error) error { return err }

// Run reacts and works until ctx ends.
func (r *Reactor) Run(ctx context.Context) error { return errors.New("not there yet") }

// Status says where the reactor is. It works only while Run does.
func (r *Reactor) Status(ctx context.Context) (Status, error) { return Status{}, nil }

// Preview returns the effects that events would have, without having them.
// It works only while Run does.
func (r *Reactor) Preview(ctx context.Context, events []domain.Recorded[any]) ([]domain.Effect, error) {
	return nil, nil
}
