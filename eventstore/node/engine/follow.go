package engine

import (
	"context"
	"fmt"
	"iter"
	"math"

	"konto/eventstore"
)

// Follow says what to follow. Both starts are exclusive.
type Follow struct {
	Stream       string              // "" is $all
	After        eventstore.Revision // of a stream; NoStream is the beginning, Last is the end
	AfterAll     eventstore.Position // of $all; End is the end
	ResolveLinks bool
}

// Step is what a follower gets at once. Its events are valid until the next step.
type Step struct {
	Events []eventstore.Recorded // may be empty if Live
	Live   bool                  // the follower has seen everything durable and begins to wait
}

// Subscribe implements [eventstore.Store]. A subscriber that keeps up is served
// from memory; one that does not reads from disk until it has caught up. The
// writer never waits for either.
func (s *Store) Subscribe(ctx context.Context, from eventstore.Position) iter.Seq2[[]eventstore.Recorded, error] {
	return func(yield func([]eventstore.Recorded, error) bool) {
		for step, err := range s.Follow(ctx, Follow{AfterAll: from}) {
			if (err != nil || len(step.Events) > 0) && !yield(step.Events, err) {
				return
			}
		}
	}
}

// Follow yields what is there and then what comes, until ctx ends. A step with
// Live and no events is yielded each time the follower has caught up and begins
// to wait. A stream that does not exist is waited for. A tombstoned stream ends
// with [eventstore.ErrStreamDeleted], after the tombstone itself if the follower
// was there before it.
func (s *Store) Follow(ctx context.Context, f Follow) iter.Seq2[Step, error] {
	if f.Stream == "" {
		return s.followAll(ctx, f)
	}
	return s.followStream(ctx, f)
}

func (s *Store) followAll(ctx context.Context, f Follow) iter.Seq2[Step, error] {
	return func(yield func(Step, error) bool) {
		disk := diskPages{s: s}
		defer disk.close()
		var buf []eventstore.Recorded
		if f.AfterAll == eventstore.End {
			f.AfterAll = s.Head()
		}
		next := after(f.AfterAll)
		for {
			if err := s.mayRead(ctx); err != nil {
				yield(Step{}, err)
				return
			}
			batch, wait := s.tail.after(next-1, &buf)
			if wait != nil {
				disk.close()
				if !yield(Step{Live: true}, nil) {
					return
				}
				s.wait(ctx, wait)
				continue
			}
			if len(batch) == 0 {
				var err error
				if batch, err = disk.after(next - 1); err != nil {
					yield(Step{}, fmt.Errorf("follow $all: %w", err))
					return
				}
			}
			if len(batch) == 0 {
				continue // the tail has moved on in the meantime
			}
			next = batch[len(batch)-1].Position.Commit + 1
			if !yield(Step{Events: batch}, nil) {
				return
			}
		}
	}
}

// wait returns when c is closed, ctx ends or the store closes.
func (s *Store) wait(ctx context.Context, c <-chan struct{}) {
	select {
	case <-c:
	case <-ctx.Done():
	case <-s.closed:
	}
}

// diskPages gives events that are no longer in the tail.
type diskPages struct {
	s    *Store
	from *pager // nil if there is none
}

// after returns events after position, which is where the last ones ended. They
// are valid until the next call.
func (d *diskPages) after(position uint64) ([]eventstore.Recorded, error) {
	if d.from == nil {
		d.from = d.s.allPages(eventstore.ReadAll{From: eventstore.Position{Commit: position, Prepare: position}}, 0)
	}
	events, more, err := d.from.next()
	if !more && len(events) == 0 {
		d.close()
	}
	return events, err
}

func (d *diskPages) close() {
	if d.from != nil {
		d.from.close()
		d.from = nil
	}
}

func (s *Store) followStream(ctx context.Context, f Follow) iter.Seq2[Step, error] {
	return func(yield func(Step, error) bool) {
		next := max(int64(f.After), -1) + 1
		if f.After == eventstore.Last {
			info, err := s.Stream(ctx, f.Stream)
			if err != nil {
				yield(Step{}, err)
				return
			}
			next = int64(info.Last) + 1
		}
		s.watch.join(f.Stream)
		defer s.watch.leave(f.Stream)
		for {
			grown := s.watch.grown(f.Stream) // before the look, so that nothing is missed
			n, more, err := s.stepStream(ctx, f, next, yield)
			if err != nil {
				yield(Step{}, err)
				return
			}
			if !more {
				return
			}
			if n > next {
				next = n
				continue
			}
			if !yield(Step{Live: true}, nil) {
				return
			}
			s.wait(ctx, grown)
		}
	}
}

// stepStream yields a page of events from revision next on, if there are any,
// and returns the revision that follows.
func (s *Store) stepStream(ctx context.Context, f Follow, next int64, yield func(Step, error) bool) (int64, bool, error) {
	if err := s.mayRead(ctx); err != nil {
		return next, false, err
	}
	p := newPage()
	defer p.free() // a follower that waits holds none
	p.want(fullPage, pageBytes, math.MaxInt)
	_, err := s.fill(p, func(p *page) (bool, error) {
		_, err := s.scanStream(p, f.Stream, next, s.durable.Load(), true)
		return false, err
	})
	if err != nil {
		return next, false, fmt.Errorf("follow %s: %w", f.Stream, err)
	}
	if len(p.events) == 0 {
		return next, true, nil
	}
	next = int64(p.events[len(p.events)-1].Revision) + 1
	return next, yield(Step{Events: p.events}, nil), nil
}
