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
	// CacheStates is how many folded states are kept; 0 means 65,536.
	CacheStates int
}

// Observation is what there is to count about a command.
type Observation struct {
	Command  string
	Outcome  string // "accepted", "replayed", "nothing", "refused", "stale", "failed", "dry-run"
	Code     string // of a refusal
	Duration time.Duration
	Retries  int // conflicts with another writer
}

// Handler carries requests out. It is safe for concurrent use.
type Handler struct {
	Config
	sources map[reflect.Type]domain.Source
	states  *cache
}

// New returns a handler. It panics if cfg lacks what every handler needs,
// since that is a mistake in the program.
func New(cfg Config) *Handler {
	if cfg.Store == nil || cfg.Keys == nil || cfg.Authorization == nil || cfg.Now == nil {
		panic("command: incomplete configuration")
	}
	return &Handler{
		Config:  cfg,
		sources: indexSources(cfg.Sources),
		states:  newCache(cfg.CacheStates),
	}
}

// ErrMustMatch says that the command replaces what a person has looked at, so the
// caller must name the revision that it saw.
var ErrMustMatch = domain.Invalid("revision-required",
	"this command replaces what you have seen: name the revision that you saw").ByRule("X1")

// errReused: the command's ID was used before, for something else.
var errReused = domain.Invalid("idempotency-key-reused",
	"this key was used before with another command or another body").ByRule("X2")

const maxAttempts = 5 // conflicts in a row before the caller hears of them

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
		attribute.String("konto.stream", envelope.Stream(req.Category, req.Target))))
	defer span.End()

	res, retries, err := h.carryOut(ctx, req, start)
	h.report(req, res, retries, err, h.Now().Sub(start))
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
	for _, t.info = range contract.Commands() {
		if t.info.Name == req.Command {
			break
		}
	}
	return t, nil
}

// try is one attempt. The state's lock is held from the last look at it to the
// end of the append, and never while facts are looked up.
func (h *Handler) try(ctx context.Context, t task) (Result, error) {
	e := h.states.entry(t.contract, t.Target)
	owner, trace, facts, err := h.admit(ctx, t, e)
	if err != nil {
		return Result{Stream: e.stream, Revision: eventstore.NoStream, Trace: trace}, err
	}
	if err := e.lock(ctx); err != nil {
		return Result{}, err
	}
	defer e.unlock()
	if err := h.load(ctx, e, false); err != nil {
		return Result{}, err
	}
	if e.tenant != "" && e.tenant != owner {
		return Result{}, &eventstore.WrongRevisionError{Stream: e.stream, Expected: eventstore.NoStream, Current: e.revision}
	}
	if done, res, err := h.replay(ctx, t, e, owner); done {
		return res, err
	}
	meta := h.metaFor(t, owner)
	meta.Facts = facts
	if err := h.match(ctx, t, e, meta); err != nil {
		return Result{Stream: e.stream, Revision: e.revision}, err
	}
	events, refused := h.decide(ctx, t, e, meta)
	switch {
	case refused != nil && len(events) == 0:
		return Result{Stream: e.stream, Revision: e.revision, Trace: trace}, refused
	case t.DryRun:
		return h.rehearse(ctx, t, e, meta, events, trace, refused)
	case len(events) == 0:
		return Result{Stream: e.stream, Revision: e.revision}, nil
	}
	return h.append(ctx, t, e, meta, events, refused)
}

// decide runs the rule. That there is nothing to store is not believed of a
// cached state before the stream's tail has been read.
func (h *Handler) decide(ctx context.Context, t task, e *entry, m domain.Meta) ([]any, error) {
	events, refused := t.contract.Decide(e.state, t.cmd, m)
	if len(events) > 0 || !e.cached {
		return events, refused
	}
	before := e.revision
	if err := h.load(ctx, e, true); err != nil {
		return nil, err
	}
	if e.revision == before {
		return events, refused
	}
	return t.contract.Decide(e.state, t.cmd, m)
}

// admit finds out who owns the aggregate, asks whether the actor may send the
// command, and gathers the facts that the rule needs.
func (h *Handler) admit(ctx context.Context, t task, e *entry) (string, []domain.Ruling, domain.Facts, error) {
	a := domain.Attempt{Category: t.Category, Command: t.Command, ID: t.Target, Actor: t.Actor}
	if err := h.owner(ctx, t, e, &a); err != nil {
		return "", nil, a.Facts, err
	}
	var err error
	a.Facts, err = h.gather(ctx, a.Facts, func(f domain.Facts) []domain.Need {
		a.Facts = f
		return h.Authorization.Needs(a)
	})
	if err != nil {
		return "", nil, a.Facts, err
	}
	trace, err := h.Authorization.Rule(a)
	if err != nil {
		return "", trace, a.Facts, err
	}
	facts := a.Facts
	if n, ok := t.cmd.(domain.Needer); ok {
		meta := h.metaFor(t, a.Owner)
		facts, err = h.gather(ctx, facts, func(f domain.Facts) []domain.Need {
			meta.Facts = f
			return n.Needs(meta)
		})
	}
	return a.Owner, trace, facts, err
}

// owner sets which tenant owns the aggregate, or would.
func (h *Handler) owner(ctx context.Context, t task, e *entry, a *domain.Attempt) error {
	if err := e.lock(ctx); err != nil {
		return err
	}
	defer e.unlock()
	if err := h.load(ctx, e, false); err != nil {
		return err
	}
	a.Owner, a.Exists = e.tenant, e.revision >= 0
	switch {
	case a.Exists:
	case t.Actor.Kind == domain.KindPerson:
		a.Owner = h.Authorization.Owner(t.Category, t.Target, t.Actor)
	default:
		a.Owner = t.Tenant
	}
	return nil
}

// metaFor is what the rule may know, but for the facts.
func (h *Handler) metaFor(t task, owner string) domain.Meta {
	return domain.Meta{
		ID: t.Target, Tenant: owner, Actor: t.Actor, At: t.at, Command: t.ID.String(),
		Code: func(verification string) string { return h.Keys.Code(owner, verification) },
		MAC:  func(purpose, value string) string { return h.Keys.MAC(owner, purpose, value) },
	}
}

// replay returns what an earlier attempt of the same command led to.
func (h *Handler) replay(ctx context.Context, t task, e *entry, owner string) (bool, Result, error) {
	last, ok := e.commands[commandKey(t.ID)]
	if !ok {
		return false, Result{}, nil
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
		if m.CommandType != t.Command || m.BodyMAC != h.bodyMAC(owner, t) {
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
	return true, res, nil
}

func (h *Handler) report(req Request, res Result, retries int, err error, took time.Duration) {
	o := Observation{Command: req.Command, Duration: took, Retries: retries}
	var rule *domain.Error
	var stale *StaleError
	var fault error
	level := zerolog.InfoLevel
	switch {
	case errors.As(err, &rule):
		o.Outcome, o.Code = "refused", rule.Code
	case errors.As(err, &stale):
		o.Outcome = "stale"
	case err != nil:
		o.Outcome, level, fault = "failed", zerolog.WarnLevel, err
	case req.DryRun:
		o.Outcome = "dry-run"
	case res.Replayed:
		o.Outcome = "replayed"
	case len(res.Events) == 0:
		o.Outcome = "nothing"
	default:
		o.Outcome = "accepted"
	}
	if h.Observe != nil {
		h.Observe(o)
	}
	h.Log.WithLevel(level).AnErr(zerolog.ErrorFieldName, fault).
		Str("command", req.Command).Str("command_id", req.ID.String()).
		Str("stream", envelope.Stream(req.Category, req.Target)).
		Str("correlation_id", req.Correlation).Str("outcome", o.Outcome).Str("code", o.Code).
		Int64("revision", int64(res.Revision)).Uint64("position", res.Position.Commit).
		Int("events", len(res.Events)).Int("retries", retries).Dur("dur_ms", took).Msg("command")
}
