package engine

import (
	"context"
	"fmt"
	"iter"
	"math"

	"konto/eventstore"
)

// Subscribe implements [eventstore.Store]. A subscriber that keeps up is served
// from memory; one that does not reads from disk until it has caught up. The
// writer never waits for either.
func (s *Store) Subscribe(ctx context.Context, from eventstore.Position) iter.Seq2[[]eventstore.Recorded, error] {
	return func(yield func([]eventstore.Recorded, error) bool) {
		p := pagePool.Get().(*page) //nolint:forcetypeassert // the pool holds nothing else
		defer p.free()
		p.piece = fullCopies
		var buf []eventstore.Recorded
		next := after(from)
		for {
			if err := s.mayRead(ctx); err != nil {
				yield(nil, err)
				return
			}
			batch, wait := s.tail.after(next-1, &buf)
			if wait != nil {
				select {
				case <-wait:
				case <-ctx.Done():
				case <-s.closed:
				}
				continue
			}
			if len(batch) == 0 {
				var err error
				if batch, err = s.fromDisk(p, next); err != nil {
					yield(nil, fmt.Errorf("subscribe: %w", err))
					return
				}
			}
			if len(batch) == 0 {
				continue // the tail has moved on in the meantime
			}
			next = batch[len(batch)-1].Position.Commit + 1
			if !yield(batch, nil) {
				return
			}
		}
	}
}

// fromDisk returns the next events that are no longer in the tail.
func (s *Store) fromDisk(p *page, next uint64) ([]eventstore.Recorded, error) {
	p.size, p.most = fullPage, math.MaxInt
	_, err := s.fill(p, func(p *page) (bool, error) {
		return false, s.scan(p, next, s.durable.Load()+1, true)
	})
	return p.events, err
}
