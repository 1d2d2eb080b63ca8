package projector

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/google/uuid"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/readdb"
	"konto/internal/relay/typed"
	"konto/projections"
)

type handler = func(context.Context, projections.Tx, domain.Recorded[any]) error

// runner is a projection on its way.
type runner struct {
	projections.Projection
	handlers map[reflect.Type][]handler
	at       eventstore.Position // of the checkpoint
	attempts int                 // failures since the last success
}

func newRunner(p projections.Projection, at eventstore.Position) *runner {
	r := &runner{Projection: p, at: at, handlers: map[reflect.Type][]handler{}}
	for _, h := range p.Handlers {
		r.handlers[h.Type] = append(r.handlers[h.Type], h.Apply)
	}
	return r
}

// wants reports whether r does something on events of type t.
func (r *runner) wants(t reflect.Type) bool { return r.Every != nil || len(r.handlers[t]) > 0 }

// decoder returns one that decodes what some projection wants.
func (p *Projector) decoder() *typed.Decoder {
	every, wanted := false, map[reflect.Type]bool{}
	for _, x := range p.Projections {
		every = every || x.Every != nil
		for _, h := range x.Handlers {
			wanted[h.Type] = true
		}
	}
	return typed.NewDecoder(p.Contracts, p.Annotate, func(t reflect.Type) bool { return every || wanted[t] })
}

// commit takes the cohort over items, up to a position, in one transaction. It
// returns those that could not be taken; they are where they were. After an
// error all are where the database says.
func (p *Projector) commit(ctx context.Context, db *readdb.DB, cohort []*runner, items []typed.Event, to eventstore.Position) (failed []*runner, err error) {
	began := p.Now()
	var moved []*runner
	faults := map[*runner]*fault{}
	err = db.Write(ctx, func(ctx context.Context, tx *readdb.Tx) error {
		for _, r := range cohort {
			if r.at.Compare(to) >= 0 {
				continue
			}
			f, err := r.take(ctx, tx, items)
			switch {
			case f != nil:
				faults[r] = f
			case err != nil:
				return err
			default:
				moved = append(moved, r)
			}
		}
		return advance(ctx, db, tx, moved, to)
	})
	if err != nil {
		if errors.Is(err, readdb.ErrMoved) {
			err = errors.Join(err, db.Reload(ctx))
		}
		for _, r := range cohort {
			c, _ := db.Checkpoint(r.Name)
			r.at = c.Position
		}
		return nil, err
	}
	p.committed(db, moved, len(items), to, p.Now().Sub(began))
	for r, f := range faults {
		p.failed(ctx, db, r, f)
		failed = append(failed, r)
	}
	return failed, nil
}

// advance moves the checkpoints of runners, with one statement for those that
// are at the same place: all of them, most of the time.
func advance(ctx context.Context, db *readdb.DB, tx *readdb.Tx, runners []*runner, to eventstore.Position) error {
	from := map[eventstore.Position][]readdb.Checkpoint{}
	for _, r := range runners {
		from[r.at] = append(from[r.at], readdb.Checkpoint{Projection: r.Name, Version: r.Version})
	}
	for at, cs := range from {
		if err := db.Advance(ctx, tx, at, to, cs...); err != nil {
			return err
		}
	}
	return nil
}

// take applies events and undoes what it did if one of them cannot be applied.
// Most events concern few read models; the others pass without a savepoint.
func (r *runner) take(ctx context.Context, tx *readdb.Tx, events []typed.Event) (f *fault, err error) {
	if !r.concerned(events) {
		return nil, nil
	}
	err = tx.Savepoint(ctx, func() error {
		if f = r.apply(ctx, tx, events); f != nil {
			return f
		}
		return nil
	})
	return f, err
}

// concerned reports whether r does something on one of events, or fails on it.
func (r *runner) concerned(events []typed.Event) bool {
	return slices.ContainsFunc(events, func(e typed.Event) bool {
		return !e.Foreign && (e.Type == nil || errors.Is(e.Err, domain.ErrUnknownType) || r.wants(e.Type))
	})
}

func (p *Projector) committed(db *readdb.DB, moved []*runner, events int, to eventstore.Position, took time.Duration) {
	names := make([]string, len(moved))
	for i, r := range moved {
		r.at, r.attempts, names[i] = to, 0, r.Name
		p.board().recovered(r)
		if p.Metrics.Applied != nil {
			p.Metrics.Applied(r.Name, events, took)
		}
	}
	db.Advanced(to, names...)
	p.Log.Debug().Int("projections", len(moved)).Int("events", events).Stringer("position", to).Dur("took", took).Msg("projected")
}

func (p *Projector) failed(ctx context.Context, db *readdb.DB, r *runner, f *fault) {
	r.attempts++
	p.board().fails(r, f)
	if p.Metrics.Failed != nil {
		p.Metrics.Failed(r.Name, f.category)
	}
	p.Log.Error().Err(f.err).Str("projection", r.Name).Str("category", f.category).Str("event", f.eventID()).
		Str("type", f.event.Type).Stringer("position", f.event.Position).Int("attempt", r.attempts).Msg("projection stands still")
	if err := db.Fail(ctx, r.Name, f.Error()); err != nil && ctx.Err() == nil {
		p.Log.Warn().Err(err).Str("projection", r.Name).Msg("failure not recorded")
	}
}

// apply runs the handlers of r on those events that it has not seen.
func (r *runner) apply(ctx context.Context, tx projections.Tx, events []typed.Event) *fault {
	for i := range events {
		e := &events[i]
		if e.Record.Position.Compare(r.at) <= 0 || e.Foreign {
			continue
		}
		switch {
		case errors.Is(e.Err, domain.ErrUnknownType):
			return &fault{e.Record, FailureUnknownType, e.Err}
		case e.Err != nil && (e.Type == nil || r.wants(e.Type)):
			return &fault{e.Record, FailureDecode, e.Err}
		case e.Err != nil || !r.wants(e.Type):
			continue
		}
		if err := r.handle(ctx, tx, e); err != nil {
			return &fault{e.Record, FailureApply, err}
		}
	}
	return nil
}

func (r *runner) handle(ctx context.Context, tx projections.Tx, e *typed.Event) (err error) {
	defer func() { // a mistake in one read model is no reason to lose the others
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	for _, h := range r.handlers[e.Type] {
		if err := h(ctx, tx, e.Decoded); err != nil {
			return err
		}
	}
	if r.Every != nil {
		return r.Every(ctx, tx, e.Decoded)
	}
	return nil
}

// fault is why a projection stands still.
type fault struct {
	event    *eventstore.Recorded
	category string
	err      error
}

func (f *fault) Error() string {
	return fmt.Sprintf("%s: %s %s at %s: %v", f.category, f.event.Type, f.eventID(), f.event.Position, f.err)
}

func (f *fault) Unwrap() error { return f.err }

func (f *fault) eventID() string { return uuid.UUID(f.event.ID).String() }

func without(all, some []*runner) []*runner {
	return slices.DeleteFunc(slices.Clone(all), func(r *runner) bool { return slices.Contains(some, r) })
}

func lowest(cohort []*runner) eventstore.Position {
	at := eventstore.End
	for _, r := range cohort {
		if r.at.Compare(at) < 0 {
			at = r.at
		}
	}
	return at
}
