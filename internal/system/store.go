package system

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"konto/eventstore"
	"konto/eventstore/esdb"
	"konto/eventstore/node/engine"
)

// openStore opens the event store. It does not wait for one that is away.
func (s *System) openStore(ctx context.Context) error {
	open := s.openEmbedded
	switch {
	case s.cfg.OpenStore != nil:
		open = s.cfg.OpenStore
	case s.cfg.Store != "":
		open = s.openRemote
	}
	store, err := open(ctx)
	if err != nil {
		return err
	}
	s.store = store
	s.atStop("event store", func(context.Context) error { return store.Close() })
	return nil
}

func (s *System) openEmbedded(context.Context) (eventstore.Store, error) {
	log := s.component("store")
	return engine.Open(filepath.Join(s.cfg.Data, "events"), engine.Config{FS: s.cfg.FS, Now: s.cfg.Now, Listener: engine.Listener{
		Failed:     func(err error) { log.Error().Err(err).Msg("store is read-only") },
		Slowed:     func(slow bool) { log.Warn().Bool("slow", slow).Msg("disk is behind") },
		Background: func(err error) { log.Warn().Err(err).Msg("store background work") },
	}})
}

func (s *System) openRemote(context.Context) (eventstore.Store, error) {
	return esdb.Open(esdb.Config{ConnectionString: s.cfg.Store, Now: s.cfg.Now, Log: s.component("store")})
}

// AwaitStore blocks until the event store has been reached, which an embedded
// one always is. Errors: [eventstore.ErrClosed], ctx's.
func (s *System) AwaitStore(ctx context.Context) error {
	if store, ok := s.store.(distant); ok {
		return store.Ready(ctx)
	}
	return nil
}

// distant is a store that may be away.
type distant interface {
	Ready(ctx context.Context) error
	Patient() eventstore.Store
}

// patient is the event store for the parts that work in the background: what
// they read waits while the store is away, and goes on at once when it is back.
func (s *System) patient() eventstore.Store {
	if store, ok := s.store.(distant); ok {
		return store.Patient()
	}
	return s.store
}

// onStore is a part that begins by reading the event store: it begins when
// that is there, and again if it was gone too soon.
func (s *System) onStore(part func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		for {
			if err := s.AwaitStore(ctx); err != nil {
				return err
			}
			err := part(ctx)
			if !errors.Is(err, eventstore.ErrUnavailable) || !wait(ctx, time.Second) {
				return err
			}
		}
	}
}

// wait waits for d and reports whether ctx still lives.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
