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
	follow := s.followStream(ctx, f)
	if f.Stream == "" {
		follow = s.followAll(ctx, f)
	}
	if f.ResolveLinks {
		return s.resolvedSteps(ctx, follow)
	}
	return follow
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
		s.watch.join(f.Stream)
		defer s.watch.leave(f.Stream)
		t := streamFollower{s: s, stream: f.Stream, resolve: f.ResolveLinks}
		err := t.begin(ctx, f.After)
		for err == nil {
			grown := s.watch.grown(f.Stream) // before the look, so that nothing is missed
			var found, more bool
			found, more, err = t.step(ctx, yield)
			switch {
			case err != nil:
			case !more:
				return
			case !found && !yield(Step{Live: true}, nil):
				return
			case !found:
				s.wait(ctx, grown)
			}
		}
		yield(Step{}, err)
	}
}

// streamFollower is where a follower of a stream or index is.
type streamFollower struct {
	s       *Store
	stream  string
	resolve bool
	next    uint64 // revision
}

// begin finds out where to start.
func (t *streamFollower) begin(ctx context.Context, after eventstore.Revision) error {
	info, err := t.s.Stream(ctx, t.stream)
	switch {
	case err != nil:
		return err
	case info.Tombstoned:
		return fmt.Errorf("follow %s: %w", t.stream, eventstore.ErrStreamDeleted)
	case after == eventstore.Last:
		after = info.Last
	}
	t.next = uint64(max(after, eventstore.NoStream) + 1)
	return nil
}

// step yields a page of events, if there is any, and reports whether the
// follower wants more.
func (t *streamFollower) step(ctx context.Context, yield func(Step, error) bool) (found, more bool, err error) {
	if err := t.s.mayRead(ctx); err != nil {
		return false, false, err
	}
	if t.next > math.MaxInt64 {
		return false, false, fmt.Errorf("follow %s: %w", t.stream, eventstore.ErrStreamDeleted)
	}
	p := newPage()
	defer p.free() // a follower that waits holds none
	p.want(fullPage, pageBytes, math.MaxInt)
	fill := t.fill
	if t.s.indexed(t.stream) {
		fill = t.fillIndex
	}
	if _, err := t.s.fill(p, fill); err != nil {
		return false, false, fmt.Errorf("follow %s: %w", t.stream, err)
	}
	if len(p.events) == 0 {
		return false, true, nil
	}
	return true, yield(Step{Events: p.events}, nil), nil
}

func (t *streamFollower) fill(p *page) (bool, error) {
	visible := t.s.durable.Load()
	w, err := t.s.window(t.stream, visible)
	if err != nil {
		return false, err
	}
	_, err = t.s.scanStream(p, t.stream, max(int64(t.next), w.first), 0, visible, true) //nolint:gosec // at most MaxInt64
	if n := len(p.events); n > 0 && err == nil {
		t.next = uint64(p.events[n-1].Revision) + 1 //nolint:gosec // not negative
	}
	return false, err
}

func (t *streamFollower) fillIndex(p *page) (bool, error) {
	r := indexScan{s: t.s, name: t.stream, next: int64(t.next), forward: true, resolve: t.resolve} //nolint:gosec // at most MaxInt64
	_, _, err := r.page(p)
	t.next = uint64(r.next) //nolint:gosec // not negative
	return false, err
}
