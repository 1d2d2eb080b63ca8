package reactor

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/relay"
)

// Status is where the reactor is.
type Status struct {
	Position   eventstore.Position // up to which events are dealt with
	Head       eventstore.Position // of the store
	LagEvents  int                 // events yet to react to, counted up to 10,000
	LagSeconds float64             // age of the first of them
	Waiting    int                 // effects that are due and not done
	Scheduled  int                 // effects whose time has not come
	Dead       int                 // effects that can never be done
	Oldest     time.Duration       // age of the oldest waiting effect, since it was due
	Problem    string              // why it stands still; empty if it does not
}

const maxLag = 10_000

// Status says where the reactor is. It is an [ErrNotRunning] unless Run is
// under way.
func (r *Reactor) Status(ctx context.Context) (Status, error) {
	e, err := r.running()
	if err != nil {
		return Status{}, err
	}
	e.state.Lock()
	s := Status{Position: e.state.at, Problem: e.state.problem}
	e.state.Unlock()
	if s.Head, err = eventstore.Head(ctx, r.Store); err != nil {
		return Status{}, fmt.Errorf("reactor status: %w", err)
	}
	n, first, err := relay.Behind(ctx, r.Store, s.Position, maxLag)
	if err != nil {
		return Status{}, fmt.Errorf("reactor status: %w", err)
	}
	now := r.Now()
	if s.LagEvents = n; n > 0 {
		s.LagSeconds = max(0, now.Sub(first).Seconds())
	}
	var oldest sql.NullInt64
	err = e.outbox.file.QueryRowContext(ctx, `SELECT
		count(CASE WHEN due_at <= $1 THEN 1 END), count(CASE WHEN due_at > $1 THEN 1 END), min(due_at)
		FROM outbox WHERE state = 'pending'`, now.UnixMicro()).Scan(&s.Waiting, &s.Scheduled, &oldest)
	if err == nil {
		err = e.outbox.file.QueryRowContext(ctx, `SELECT count(*) FROM outbox WHERE state = 'dead'`).Scan(&s.Dead)
	}
	if err != nil {
		return Status{}, fmt.Errorf("reactor status: %w", err)
	}
	if s.Waiting > 0 {
		s.Oldest = now.Sub(time.UnixMicro(oldest.Int64))
	}
	return s, nil
}

// NextDue returns when the next effect's time comes that has not come yet; ok is
// false if none is scheduled. It is an [ErrNotRunning] unless Run is under way.
func (r *Reactor) NextDue(ctx context.Context) (at time.Time, ok bool, err error) {
	e, err := r.running()
	if err != nil {
		return time.Time{}, false, err
	}
	return e.outbox.nextDue(ctx, r.Now())
}

// Wake has the reactor look at its clock again, which somebody has moved. It
// does not block, and does nothing unless Run is under way.
func (r *Reactor) Wake() {
	if e, err := r.running(); err == nil {
		e.signal()
	}
}

// Preview returns the effects that events would have, given what processes
// remember now. Nothing is written and nothing is done. It is an
// [ErrNotRunning] unless Run is under way.
func (r *Reactor) Preview(ctx context.Context, events []domain.Recorded[any]) ([]domain.Effect, error) {
	e, err := r.running()
	if err != nil {
		return nil, err
	}
	effects, err := e.evaluate(ctx, events, newMemory(e.outbox.load))
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	out := make([]domain.Effect, len(effects))
	for i, x := range effects {
		out[i] = x.what
	}
	return out, nil
}
