package bench

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

func (s *storeBench) engineContender() contender {
	return contender{
		kind: StoreEngine, what: "embedded engine, in process, one sync for all that wait",
		append: func(_ context.Context, dir string, _ int) (*side, error) {
			store, err := engine.Open(dir, engine.Config{Now: s.Now})
			if err != nil {
				return nil, err
			}
			return s.portSide(store), nil
		},
		read: func(ctx context.Context, dir string) (*side, error) {
			store, err := s.filled(ctx, dir, engine.Config{Now: s.Now})
			if err != nil {
				return nil, err
			}
			return s.portSide(store), nil
		},
	}
}

// filled opens an engine and gives it what is to be read.
func (s *storeBench) filled(ctx context.Context, dir string, c engine.Config) (*engine.Store, error) {
	store, err := engine.Open(dir, c)
	if err != nil {
		return nil, err
	}
	if err := s.fill(ctx, store); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}

// fillBatch is how many events of a stream are appended at once.
const fillBatch = 500

func (s *storeBench) fill(ctx context.Context, store eventstore.Store) error {
	for n := 0; n < s.Long; n += fillBatch {
		events := make([]eventstore.Event, min(fillBatch, s.Long-n))
		for i := range events {
			events[i] = event(uint64(n + i))
		}
		if _, err := store.Append(ctx, "long", eventstore.Any, events...); err != nil {
			return err
		}
	}
	// Event by event, so that the streams lie mixed, as those of a life do.
	return each(ctx, s.Short, func(ctx context.Context, i int) error {
		for n := range uint64(shortStream) {
			if _, err := store.Append(ctx, short(i), eventstore.Any, event(uint64(i+1)<<40+n)); err != nil { //nolint:gosec // small
				return err
			}
		}
		return nil
	})
}

// writerStream is the nth stream of a writer.
func writerStream(writer, n int) string { return fmt.Sprintf("account-%d-%d", writer, n) }

// portSide measures a store through the port. Closing it closes the store.
func (s *storeBench) portSide(store eventstore.Store) *side {
	count := func(events iter.Seq2[eventstore.Recorded, error]) (n int, err error) {
		for _, err := range events {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	return &side{
		loop: func(w int) loop {
			return s.turns(w, func(ctx context.Context, stream string, expected int, e *eventstore.Event) error {
				_, err := store.Append(ctx, stream, eventstore.Revision(expected), *e)
				return err
			})
		},
		all: func(ctx context.Context) (int, error) { return count(store.ReadAll(ctx, eventstore.ReadAll{})) },
		stream: func(ctx context.Context) (int, error) {
			return count(store.Read(ctx, "long", eventstore.ReadStream{}))
		},
		short: func(ctx context.Context, n int) (int, error) {
			return count(store.Read(ctx, short(n), eventstore.ReadStream{}))
		},
		close: store.Close,
	}
}

// turns is a writer that appends to each of its streams in turn. The event is
// made outside the time that counts.
func (s *storeBench) turns(writer int, put func(ctx context.Context, stream string, expected int, e *eventstore.Event) error) loop {
	var names [streamsEach]string
	for i := range names {
		names[i] = writerStream(writer, i)
	}
	n := 0
	return func(ctx context.Context) (time.Duration, error) {
		e := event(uint64(writer)<<40 + uint64(n)) //nolint:gosec // small
		stream, expected := names[n%streamsEach], n/streamsEach-1
		n++
		began := s.Now()
		err := put(ctx, stream, expected, &e)
		return s.Now().Sub(began), err
	}
}
