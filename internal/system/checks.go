package system

import (
	"context"
	"errors"
	"fmt"
	"time"

	"konto/eventstore"
	"konto/internal/httpapi"
	"konto/internal/obs"
	"konto/internal/projector"
	"konto/internal/reactor"
)

// checkTime bounds one question to a part.
const checkTime = 2 * time.Second

var (
	errStarting     = errors.New("still starting")
	errPreparing    = errors.New("what it begins with is still being made")
	errDisconnected = errors.New("not connected")
)

// checks are what /readyz asks: each dependency, and each projection with its lag.
func (s *System) checks() []httpapi.Check {
	checks := []httpapi.Check{
		{Name: "store", Run: s.checkStore},
		{Name: "bus", Run: s.checkBus},
		{Name: "read-database", Run: s.checkRead},
		{Name: "projections", Run: s.checkProjections},
		{Name: "outbox", Run: s.checkOutbox},
	}
	if s.cfg.Prepared != nil {
		checks = append(checks, httpapi.Check{Name: "beginnings", Run: s.checkPrepared})
	}
	for i, c := range checks {
		checks[i].Run = func(ctx context.Context) (map[string]any, error) {
			ctx, cancel := context.WithTimeout(ctx, checkTime)
			defer cancel()
			return c.Run(ctx)
		}
	}
	return checks
}

func (s *System) checkPrepared(context.Context) (map[string]any, error) {
	select {
	case <-s.cfg.Prepared:
		return nil, nil //nolint:nilnil // there is nothing to know but that it is so
	default:
		return nil, errPreparing
	}
}

func (s *System) checkStore(ctx context.Context) (map[string]any, error) {
	head, err := eventstore.Head(ctx, s.store)
	if err != nil {
		return nil, fmt.Errorf("the event store does not answer: %w", err)
	}
	return map[string]any{"position": head.String()}, nil
}

func (s *System) checkBus(context.Context) (map[string]any, error) {
	if !s.bus.Conn().IsConnected() {
		return nil, errDisconnected
	}
	return map[string]any{"relayed": s.relay.Position().String()}, nil
}

func (s *System) checkRead(ctx context.Context) (map[string]any, error) {
	var one int
	return nil, s.read.QueryRowContext(ctx, `SELECT 1`).Scan(&one)
}

func (s *System) checkProjections(ctx context.Context) (map[string]any, error) {
	all, err := s.projections(ctx)
	if err != nil {
		return nil, err
	}
	facts := map[string]any{}
	for _, p := range all {
		facts[p.Projection] = map[string]any{
			"state": p.State, "position": p.Position.String(), "lagEvents": p.LagEvents, "lagSeconds": p.LagSeconds, "failure": p.Failure,
		}
		if p.State == projector.Failed {
			err = errors.New("projection " + p.Projection + " cannot apply its next event")
		}
	}
	select {
	case <-s.projector.Ready():
	default:
		err = errStarting
	}
	return facts, err
}

func (s *System) checkOutbox(ctx context.Context) (map[string]any, error) {
	o, err := s.outbox(ctx)
	if err != nil {
		return nil, err
	}
	facts := map[string]any{
		"waiting": o.Waiting, "scheduled": o.Scheduled, "dead": o.Dead, "oldestSeconds": o.Oldest.Seconds(),
		"lagEvents": o.LagEvents, "lagSeconds": o.LagSeconds,
	}
	if o.Problem != "" {
		err = errors.New(o.Problem)
	}
	return facts, err
}

// projections and outbox ask the store first: those whom they ask wait for one
// that is away.
func (s *System) projections(ctx context.Context) ([]projector.Status, error) {
	if _, err := s.checkStore(ctx); err != nil {
		return nil, err
	}
	return s.projector.Status(ctx)
}

func (s *System) outbox(ctx context.Context) (reactor.Status, error) {
	if _, err := s.checkStore(ctx); err != nil {
		return reactor.Status{}, err
	}
	return s.reactor.Status(ctx)
}

func (s *System) projectionLag() []obs.Projection {
	ctx, cancel := context.WithTimeout(s.running, checkTime)
	defer cancel()
	all, err := s.projections(ctx)
	if err != nil {
		return nil // /readyz says why
	}
	lag := make([]obs.Projection, len(all))
	for i, p := range all {
		lag[i] = obs.Projection{
			Name: p.Projection, Position: p.Position.Commit, LagEvents: float64(p.LagEvents),
			LagSeconds: p.LagSeconds, Failed: p.State == projector.Failed,
		}
	}
	return lag
}

func (s *System) outboxDepth() (pending, dead int, oldest time.Duration) {
	ctx, cancel := context.WithTimeout(s.running, checkTime)
	defer cancel()
	o, err := s.outbox(ctx)
	if err != nil {
		return 0, 0, 0 // /readyz says why
	}
	return o.Waiting, o.Dead, o.Oldest
}
