// Package command carries commands out: authorize, load, fold, decide,
// append, and once more if somebody else was faster.
//
// # What is guaranteed
//
// A result without an error means that the command's events are durable, once.
// The IDs of events derive from the command's ID, so a command that is sent
// again finds its own events and returns them, however long ago that was. A
// refused command changes nothing, but for what its rule asks to be remembered
// (a wrong code counts).
//
// # The cache
//
// Folded states are kept, so that a hot account is not read again. A cached
// state is only ever used at the revision that it was folded to: an append
// carries that revision, and before a refusal or a "nothing to do" is
// believed, and before a fact of another aggregate is handed to a decision,
// the stream's tail is read. So with the cache on, off, or shared with other
// processes on the same store, the answers are the same.
//
// One thing differs: if two processes carry out the same command at the same
// moment, the store keeps the first one's events, and the second process has
// its own time of the command in its cached state until it reads the stream
// again.
//
// # Why one lock per stream
//
// Commands on one stream queue up in the process instead of racing to the
// store and retrying: the loser of an optimistic race pays a fold, a decision
// and a wasted write. Commands on different streams share the store's group
// commits.
package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/privacy"
)

// Request is one command on its way in.
type Request struct {
	ID          uuid.UUID // the command's ID; sent again with the same ID, it is the same command
	Category    string    // of the aggregate
	Target      string    // the aggregate's ID
	Command     string    // wire name
	Body        json.RawMessage
	Expected    *eventstore.Revision // what the caller saw (If-Match); nil if it named nothing
	Merge       bool                 // carry it out also if others changed what it does not touch
	Actor       domain.Actor
	Tenant      string // on behalf of which tenant Konto itself or a gateway acts; empty for people
	Reason      string
	Source      envelope.Source
	Correlation string
	Causation   string // ID of the event that a policy reacted to
	DryRun      bool   // decide, but write nothing
}

// Result says what came of a command.
type Result struct {
	Stream   string
	Revision eventstore.Revision // of the stream, after the command; NoStream if it has no events
	Position eventstore.Position // of the command's last event; zero if it has none
	Events   []Event
	Replayed bool // the command had been carried out before
	// Versions of the policies that it was decided under, or refused; nil if
	// replayed.
	Versions map[string]int
	// Merged is what others changed since the revision that the caller saw, if
	// the command was carried out all the same; see [Request].Merge.
	Merged []FieldChange

	// Of a dry run only:
	Effects []domain.Effect
	Trace   []domain.Ruling
}

// Event is an event that a command led to, personal values open.
type Event struct {
	ID   uuid.UUID
	Type string
	Data json.RawMessage // nil in a replayed result
}

// Config is what a handler works with. Store, Keys, Contracts, Authorization
// and Now must be set.
type Config struct {
	Store         eventstore.Store
	Keys          *privacy.Keys
	Contracts     envelope.Contracts
	Sources       []domain.Source
	Authorization domain.Authorization
	Now           func() time.Time
	Log           zerolog.Logger
	Tracer        trace.Tracer
	// Preview says what the reactions would do about events; nil for none.
	Preview func(context.Context, []domain.Recorded[any]) ([]domain.Effect, error)
	// Observe is told of every command that ended; nil for nobody.
	Observe func(Observation)
	// Rejections records what is refused; nil for nobody.
	Rejections *Rejections
	// CacheStates is how many folded states are kept; 0 means 65,536.
	CacheStates int
}

// Handler carries requests out. It is safe for concurrent use.
type Handler struct {
	Config
	sources  map[reflect.Type]domain.Source
	infos    map[string]map[string]domain.CommandInfo // by category and name
	required map[reflect.Type][]field                 // of commands, by their type
	states   *cache
}

// New returns a handler. It panics if cfg lacks what every handler needs,
// since that is a mistake in the program.
func New(cfg Config) *Handler {
	if cfg.Store == nil || cfg.Keys == nil || cfg.Authorization == nil || cfg.Now == nil {
		panic("command: incomplete configuration")
	}
	infos := indexCommands(cfg.Contracts)
	return &Handler{
		Config:   cfg,
		sources:  indexSources(cfg.Sources),
		infos:    infos,
		required: indexRequired(infos),
		states:   newCache(cfg.CacheStates),
	}
}

// ErrMustMatch says that the command replaces or approves what a person has looked at, so the
// caller must name the revision that it saw.
var ErrMustMatch = domain.Invalid("revision-required",
	"this command replaces or approves what you have seen: name the revision that you saw").ByRule("X1")

// errReused: the command's ID was used before, for something else.
var errReused = domain.Invalid("idempotency-key-reused",
	"this key was used before with another command or another body").ByRule("X2")

// errGuess: a dry run would say whether a code is right and count no wrong one.
var errGuess = domain.Invalid("no-dry-run", "a code is tried for good: this command has no dry run").ByRule("S6")

const maxAttempts = 5 // conflicts in a row before the caller hears of them

func indexCommands(contracts envelope.Contracts) map[string]map[string]domain.CommandInfo {
	index := make(map[string]map[string]domain.CommandInfo, len(contracts))
	for category, c := range contracts {
		index[category] = map[string]domain.CommandInfo{}
		for _, info := range c.Commands() {
			index[category][info.Name] = info
		}
	}
	return index
}

// Handle carries req out. It blocks until the events are durable.
//
// Errors: an [*domain.Error] if a rule refused; a [*StaleError] if the
// aggregate has moved on since the revision that the caller saw; the store's
// errors ([eventstore.ErrUnavailable], [eventstore.ErrWrongRevision] after
// five lost races); [domain.ErrUnknownType] for a category or a command that
// no contract has.
func (h *Handler) Handle(ctx context.Context, req Request) (Result, error) {
	start := h.Now()
	ctx, span := h.Tracer.Start(ctx, "command "+req.Command, trace.WithAttributes(
		attribute.String("konto.command_id", req.ID.String()),
		attribute.String("konto.stream", envelope.Stream(req.Category, req.Target)),
		attribute.String("konto.correlation_id", req.Correlation)))
	defer span.End()

	res, retries, err := h.carryOut(ctx, req, start)
	h.report(req, res, retries, err, start)
	if err != nil {
		span.RecordError(err)
	}
	return res, err
}

func (h *Handler) carryOut(ctx context.Context, req Request, start time.Time) (Result, int, error) {
	t, err := h.understand(req, start)
	if err != nil {
		return Result{}, 0, err
	}
	for attempt := 0; ; attempt++ {
		res, err := h.try(ctx, t)
		lost := errors.Is(err, eventstore.ErrWrongRevision) || errors.Is(err, eventstore.ErrUnknownOutcome)
		if !lost || attempt == maxAttempts-1 || ctx.Err() != nil {
			return res, attempt, err
		}
	}
}

// task is a request that has been understood.
type task struct {
	Request
	contract domain.Contract
	info     domain.CommandInfo
	cmd      any
	at       time.Time
	versions map[string]int // of the policies that the decision is made under
}

func (h *Handler) understand(req Request, start time.Time) (task, error) {
	contract, ok := h.Contracts[req.Category]
	if !ok {
		return task{}, fmt.Errorf("category %q: %w", req.Category, domain.ErrUnknownType)
	}
	cmd, err := contract.DecodeCommand(domain.Raw{Type: req.Command, Data: req.Body})
	if err != nil {
		return task{}, err
	}
	t := task{Request: req, contract: contract, cmd: cmd, at: start.UTC().Truncate(time.Microsecond)}
	t.info = h.infos[contract.Category()][req.Command]
	return t, nil
}

// try is one attempt. The state's lock is held from the last look at it to the
// end of the append, and never while facts are looked up.
func (h *Handler) try(ctx context.Context, t task) (Result, error) {
	e := h.states.entry(t.contract, t.Target)
	a := domain.Attempt{Category: t.Category, Command: t.Command, ID: t.Target, Actor: t.Actor, At: t.at}
	if done, res, err := h.approach(ctx, t, e, &a); done || err != nil {
		return res, err
	}
	if err := h.attribute(ctx, t, &a); err != nil {
		return Result{}, err
	}
	trace, meta, err := h.admit(ctx, &t, e, a)
	if err != nil {
		return Result{Stream: e.stream, Revision: eventstore.NoStream, Trace: trace, Versions: t.versions}, err
	}
	if t.DryRun && t.info.Guessable {
		return Result{Stream: e.stream, Trace: trace}, errGuess
	}
	if err := e.lock(ctx); err != nil {
		return Result{}, err
	}
	defer e.unlock()
	if err := h.load(ctx, e, false); err != nil {
		return Result{}, err
	}
	if e.tenant != "" && e.tenant != a.Owner {
		return Result{}, e.moved(eventstore.NoStream)
	}
	if done, res, err := h.replay(ctx, t, e); done {
		return res, err
	}
	merged, err := h.match(ctx, t, e, meta)
	if err != nil {
		return Result{Stream: e.stream, Revision: e.revision}, err
	}
	res, err := h.decide(ctx, t, e, meta, trace)
	res.Merged = merged
	return res, err
}

// decide asks the aggregate and stores what it says. The caller holds the lock.
func (h *Handler) decide(ctx context.Context, t task, e *entry, meta domain.Meta, trace []domain.Ruling) (Result, error) {
	events, refused := t.contract.Decide(e.state, t.cmd, meta)
	refused = h.whoMay(t, meta, refused)
	if missing := h.complete(t); missing != nil && !shut(refused) {
		events, refused = nil, missing
	}
	if len(events) == 0 || t.DryRun {
		if err := h.believe(ctx, e); err != nil {
			return Result{}, err
		}
	}
	switch {
	case refused != nil && len(events) == 0:
		return Result{Stream: e.stream, Revision: e.revision, Trace: trace, Versions: t.versions}, refused
	case t.DryRun:
		return h.rehearse(ctx, t, e, meta, events, trace, refused)
	case len(events) == 0:
		return Result{Stream: e.stream, Revision: e.revision}, nil
	}
	return h.append(ctx, t, e, meta, events, refused)
}

// believe reads the stream's tail if e was not read in this turn. An
// [eventstore.ErrWrongRevision] says that the stream has moved on: whatever was
// made of e so far, from the authorization on, has to be made again.
func (h *Handler) believe(ctx context.Context, e *entry) error {
	if !e.cached {
		return nil
	}
	before := e.revision
	if err := h.load(ctx, e, true); err != nil {
		return err
	}
	if e.revision != before {
		return e.moved(before)
	}
	return nil
}

// approach returns what the command led to if it had been carried out before.
// That comes first: a caller who missed the answer gets it also when the
// command would be refused by now. Otherwise it sets which tenant owns the
// aggregate.
func (h *Handler) approach(ctx context.Context, t task, e *entry, a *domain.Attempt) (done bool, res Result, err error) {
	if err := e.lock(ctx); err != nil {
		return false, res, err
	}
	defer e.unlock()
	if err := h.load(ctx, e, false); err != nil {
		return false, res, err
	}
	if a.Owner, a.Exists = e.tenant, e.revision >= 0; a.Exists {
		return h.replay(ctx, t, e)
	}
	return false, res, nil
}

// replay returns what an earlier attempt of the same command led to.
func (h *Handler) replay(ctx context.Context, t task, e *entry) (bool, Result, error) {
	last, ok := e.commands[commandKey(t.ID)]
	if !ok {
		return false, Result{}, nil // nearly always; the rest is apart, since what it needs is made on the heap
	}
	return h.replayFrom(ctx, t, e, last)
}

func (h *Handler) replayFrom(ctx context.Context, t task, e *entry, last eventstore.Revision) (bool, Result, error) {
	keys, err := h.Keys.Tenant(ctx, e.tenant)
	if err != nil {
		return true, Result{}, fmt.Errorf("keys: %w", err)
	}
	res := Result{Stream: e.stream, Revision: last, Replayed: true}
	o := eventstore.ReadStream{From: last, Direction: eventstore.Backward}
	for r, err := range h.Store.Read(ctx, e.stream, o) {
		if err != nil {
			return true, Result{}, fmt.Errorf("read %s: %w", e.stream, err)
		}
		m, err := envelope.ParseMeta(r.Meta)
		if err != nil {
			return true, Result{}, err
		}
		if m.Command != t.ID.String() {
			break
		}
		if m.CommandType != t.Command || m.Actor.ID != t.Actor.ID || m.BodyMAC != bodyMAC(keys.MAC, t) {
			return true, Result{}, errReused
		}
		if len(res.Events) == 0 {
			res.Position = r.Position
		}
		res.Events = append([]Event{{ID: uuid.UUID(r.ID), Type: r.Type}}, res.Events...)
		if m.Refused != nil {
			return true, res, m.Refused
		}
	}
	return len(res.Events) > 0, res, nil // none: another command has the same key
}
