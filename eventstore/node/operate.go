package node

import (
	"context"
	"errors"
	"sync"

	"github.com/google/uuid"

	"konto/eventstore/node/engine"
)

// operator does what the Operations service is asked for.
type operator struct{ *Node }

// StartScavenge implements grpc.Operator.
func (o operator) StartScavenge() (id string, started bool) { return o.scavenge.start() }

// StopScavenge implements grpc.Operator.
func (o operator) StopScavenge(ctx context.Context, id string) (bool, error) {
	return o.scavenge.stop(ctx, id)
}

// Shutdown implements grpc.Operator.
func (o operator) Shutdown() { o.tell.Do(func() { close(o.told) }) }

// RestartPersistent implements grpc.Operator.
func (o operator) RestartPersistent(ctx context.Context) error {
	if o.groups == nil {
		return nil
	}
	return o.groups.Restart(ctx)
}

// scavenger runs one scavenge at a time, in a goroutine.
type scavenger struct {
	store *engine.Store
	cfg   Config

	sync.Mutex
	id     string // of the one that runs; "" if none does
	cancel context.CancelFunc
	done   chan struct{}
	closed bool
}

func newScavenger(store *engine.Store, cfg Config) *scavenger {
	return &scavenger{store: store, cfg: cfg, cancel: func() {}}
}

func (s *scavenger) start() (id string, started bool) {
	s.Lock()
	defer s.Unlock()
	if s.id != "" || s.closed {
		return s.id, false
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.id, s.cancel, s.done = uuid.UUID(s.cfg.NewID()).String(), cancel, make(chan struct{})
	go s.run(ctx, s.id, s.done)
	return s.id, true
}

func (s *scavenger) run(ctx context.Context, id string, done chan struct{}) {
	defer close(done)
	begun := s.cfg.Now()
	found, err := s.store.Scavenge(ctx, func(uint64, uint64) {})
	s.Lock()
	s.id = ""
	s.cancel()
	s.Unlock()
	log, took := s.cfg.Log.With().Str("scavenge", id).Logger(), s.cfg.Now().Sub(begun)
	switch {
	case err == nil:
		log.Info().Int64("events", found.Events).Int64("bytes", found.Bytes).Dur("took", took).Msg("scavenged")
	case errors.Is(err, context.Canceled):
		log.Info().Dur("took", took).Msg("scavenge stopped")
	default:
		log.Error().Err(err).Dur("took", took).Msg("scavenge failed")
	}
}

func (s *scavenger) stop(ctx context.Context, id string) (ran bool, err error) {
	s.Lock()
	if id == "" || id != s.id {
		s.Unlock()
		return false, nil
	}
	s.cancel()
	done := s.done
	s.Unlock()
	select {
	case <-done:
		return true, nil
	case <-ctx.Done():
		return true, ctx.Err()
	}
}

func (s *scavenger) close() error {
	s.Lock()
	s.closed = true
	s.cancel()
	done := s.done
	s.Unlock()
	if done != nil {
		<-done
	}
	return nil
}
