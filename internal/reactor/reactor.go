// Package reactor carries out what reactions ask for: commands to send and
// people to tell.
//
// What a batch of events leads to is written in one transaction: the
// checkpoint, the memory of processes and a row in the outbox for each effect.
// Workers take the rows from there. So an effect is asked for exactly once,
// and carried out at least once: a crash between doing and noting it does it
// again, under the same ID. Whoever carries effects out keeps to the ID and so
// does each once.
//
// An effect's ID is made of the reaction's name, the event's ID and the
// effect's index, which a replay repeats. So the file may be lost: an empty
// one on an old store asks for everything again under the same IDs.
//
// Effects with the same target (one aggregate; one person on one channel; one
// line of calls to somebody else's system) run one after another in the order
// of their events. One that fails keeps those
// behind it waiting, until it is done or dead. A delayed effect keeps nobody
// waiting before its time has come.
//
// Calls to other systems have workers of their own, of which each line takes
// one at most: a system that is slow holds nobody back but itself.
//
// # Why the reactor stops at what it cannot read
//
// An event that no contract knows, or a reaction that fails, might mean a
// message that must leave. Passing over it would lose the message without a
// trace; so the reactor stands still, says so in its status and tries again.
package reactor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/rs/zerolog"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/readdb"
	"konto/internal/relay"
	"konto/internal/relay/typed"
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
	Category string          `json:"category"`        // of the aggregate
	To       string          `json:"to"`              // ID of the aggregate
	Tenant   string          `json:"tenant,omitzero"` // the aggregate's, if not the event's
	Command  string          `json:"command"`         // wire name
	Data     json.RawMessage `json:"data"`            // opened
}

// NoticeJob is a message to a person.
type NoticeJob struct {
	To       string // a person's ID
	Tenant   string // To's
	Address  string // if not empty, where the message goes instead
	Without  string // if not empty, where it does not go
	Channel  domain.Channel
	Template string
	Data     json.RawMessage // opened
	Besides  []string        // who else gets the same message; see [domain.Notice]
}

// Crypt seals or opens the personal values in data for the place that stream,
// eventID and typ name.
type Crypt func(ctx context.Context, tenant, stream, eventID, typ string, data []byte) ([]byte, error)

// Reactor runs reactions and carries out their effects. Set the fields before
// Run; they are all needed unless their comment says otherwise.
type Reactor struct {
	Path      string // of its SQLite file; its directory must exist
	Feed      *relay.Feed
	Store     eventstore.Store
	Reactions []domain.Reaction
	Contracts envelope.Contracts
	// Annotate adds to each sealed value in data what is needed to open it
	// outside its event; nil leaves data as it is.
	Annotate typed.Annotate
	// Seal and Open keep personal values in the outbox unreadable. The stream
	// they are given is "outbox-<effect ID>".
	Seal, Open Crypt
	// Dispatch and Notify carry an effect out. nil means done; an error that
	// [Permanent] made is final; any other is tried again. They are called
	// again for an effect that was carried out just before a crash, and must
	// then do nothing. They are called from several goroutines.
	Dispatch func(context.Context, Job) error
	Notify   func(context.Context, Job) error
	Workers  int // effects in flight; 0 means 8
	Callers  int // calls of other systems in flight beside those; 0 means 32
	// MinBackoff is the pause after the first failure; 0 means 500 ms. It
	// doubles up to MaxBackoff; 0 means 5 minutes.
	MinBackoff, MaxBackoff time.Duration
	// Keep is how long effects that are done stay in the outbox, without their
	// content; 0 means 24 hours.
	Keep    time.Duration
	Now     func() time.Time
	Rand    *rand.Rand // jitter of retries; nil means none
	Metrics Metrics
	Log     zerolog.Logger

	mu      sync.Mutex
	current *engine // while Run runs
}

// Metrics are told what a reactor does; a nil function is not called.
type Metrics struct {
	// Reacted: the effects of so many events are in the outbox.
	Reacted func(events, effects int, took time.Duration)
	// Attempted: the kind is "dispatch", "notice" or "call", the outcome "done",
	// "retry" or "dead".
	Attempted func(kind, outcome string, took time.Duration)
}

// ErrNotRunning says that the call needs Run to be under way.
var ErrNotRunning = errors.New("reactor: not running")

// Permanent marks err as final: trying again cannot help. The class, such as
// "no-address", is kept with the effect; it must hold no personal data.
func Permanent(class string, err error) error { return &permanentError{class, err} }

type permanentError struct {
	class string
	err   error
}

func (e *permanentError) Error() string { return e.class + ": " + e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// Run reacts and works until ctx ends, and returns nil then. It returns an
// error only if its file cannot be used.
func (r *Reactor) Run(ctx context.Context) error {
	e, err := r.start(ctx)
	if err != nil {
		return unlessEnded(ctx, fmt.Errorf("reactor: %w", err))
	}
	r.setCurrent(e)
	var group sync.WaitGroup
	group.Go(func() { e.listen(ctx) })
	group.Go(func() { e.work(ctx, false) })
	group.Go(func() { e.work(ctx, true) })
	group.Wait()
	r.setCurrent(nil)
	if err := e.outbox.file.Close(); err != nil {
		return fmt.Errorf("reactor: %w", err)
	}
	return nil
}

// unlessEnded returns err, or nil if ctx has ended and err comes from that.
func unlessEnded(ctx context.Context, err error) error {
	select {
	case <-ctx.Done():
		return nil
	default:
		return err
	}
}

// engine is one run of a reactor.
type engine struct {
	*Reactor
	outbox   *outbox
	recent   *lru.Cache[stateKey, string] // of what the outbox has for processes
	decoder  *typed.Decoder
	commands map[any]command // by reflect.Type
	wake     chan struct{}   // the outbox has more
	// wakeCalls says so to those who make calls.
	wakeCalls chan struct{}
	random    sync.Mutex // guards Rand

	state struct {
		sync.Mutex
		at      eventstore.Position // all events up to here are dealt with
		problem string
	}
}

func (r *Reactor) start(ctx context.Context) (*engine, error) {
	file, err := readdb.OpenFile(ctx, r.Path, readdb.FileOptions{Durable: true})
	if err != nil {
		return nil, err
	}
	recent, err := lru.New[stateKey, string](recentStates)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	e := &engine{
		Reactor: r, outbox: &outbox{file}, recent: recent, commands: commandsOf(r.Contracts),
		wake: make(chan struct{}, 1), wakeCalls: make(chan struct{}, 1),
	}
	e.decoder = typed.NewDecoder(r.Contracts, r.Annotate, wants(r.Reactions))
	at, err := e.outbox.open(ctx)
	if err == nil {
		at, err = e.fit(ctx, at)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	e.state.at = at
	return e, nil
}

// fit starts over if the store was replaced: a checkpoint that the store has
// not reached is of another store, and so is the memory of processes. Effects
// that wait stay.
func (e *engine) fit(ctx context.Context, at eventstore.Position) (eventstore.Position, error) {
	head, err := eventstore.Head(ctx, e.Store)
	if err != nil || at.Compare(head) <= 0 {
		return at, err
	}
	e.Log.Warn().Stringer("position", at).Stringer("head", head).Msg("reactor is ahead of the store, which was replaced")
	return eventstore.Position{}, e.outbox.reset(ctx)
}

func (r *Reactor) setCurrent(e *engine) {
	r.mu.Lock()
	r.current = e
	r.mu.Unlock()
}

func (r *Reactor) running() (*engine, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == nil {
		return nil, ErrNotRunning
	}
	return r.current, nil
}

// backoff is the pause after so many failures.
func (e *engine) backoff(failures int) time.Duration {
	longest := cmp.Or(e.MaxBackoff, 5*time.Minute)
	d := min(cmp.Or(e.MinBackoff, 500*time.Millisecond)<<min(failures-1, 20), longest)
	if e.Rand == nil {
		return d
	}
	e.random.Lock()
	defer e.random.Unlock()
	return d/2 + time.Duration(e.Rand.Int64N(int64(d/2)+1))
}
