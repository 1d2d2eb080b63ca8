package system

import (
	"context"
	"errors"
	"path/filepath"
	"sync"

	"konto/eventstore"
	"konto/internal/origin"
	"konto/internal/reactor"
	"konto/projections"
)

// lineage is which event store the data directory's checkpoints are of.
type lineage struct {
	mu      sync.Mutex
	settled bool
	keeper  origin.Keeper
}

// startOrigin keeps in mind which store this is.
func (s *System) startOrigin(context.Context) error {
	if s.cfg.WriteOnly {
		return nil
	}
	s.lineage.keeper = origin.Keeper{Store: s.store, Path: filepath.Join(s.cfg.Data, "store.json")}
	log := s.component("origin")
	s.run("origin", s.derived(func(ctx context.Context) error {
		return s.lineage.keeper.Run(ctx, func(err error) {
			if !errors.Is(err, eventstore.ErrUnavailable) {
				log.Warn().Err(err).Msg("which event store this is was not written down")
			}
		})
	}))
	return nil
}

// derived is a part that goes on from positions it has kept: it begins when it
// is known that they are this store's.
func (s *System) derived(part func(ctx context.Context) error) func(ctx context.Context) error {
	return s.onStore(func(ctx context.Context) error {
		if err := s.settleLineage(ctx); err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the part was not needed any more
			}
			return err
		}
		return part(ctx)
	})
}

// settleLineage finds out, once, whether the event store was replaced by
// another, and then has everything that was derived made anew.
func (s *System) settleLineage(ctx context.Context) error {
	l := &s.lineage
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.settled {
		return nil
	}
	same, err := l.keeper.Same(ctx)
	if err != nil {
		return err
	}
	if !same {
		s.cfg.Log.Warn().Msg("event store was replaced: read models are made anew")
		for _, p := range projections.All {
			if err := s.read.Reset(ctx, p); err != nil {
				return err
			}
		}
		if err := reactor.Reset(ctx, s.reactor.Path); err != nil {
			return err
		}
		if err := l.keeper.Forget(); err != nil {
			return err
		}
	}
	l.settled = true
	return nil
}
