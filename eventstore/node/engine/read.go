package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"konto/eventstore"
)

// Read implements [eventstore.Store].
func (s *Store) Read(ctx context.Context, stream string, o eventstore.ReadStream) iter.Seq2[eventstore.Recorded, error] {
	if s.indexed(stream) {
		return s.readIndex(ctx, stream, o)
	}
	read := s.readStream(ctx, stream, o, 0)
	if o.ResolveLinks {
		return s.resolved(ctx, read)
	}
	return read
}

// ReadAll implements [eventstore.Store].
func (s *Store) ReadAll(ctx context.Context, o eventstore.ReadAll) iter.Seq2[eventstore.Recorded, error] {
	read := s.readAll(ctx, o, 0)
	if o.ResolveLinks {
		return s.resolved(ctx, read)
	}
	return read
}

func (s *Store) mayRead(ctx context.Context) error {
	if s.isClosed.Load() {
		return eventstore.ErrClosed
	}
	return ctx.Err()
}

func (s *Store) visible(horizon uint64) uint64 {
	if horizon != 0 {
		return horizon
	}
	return s.durable.Load()
}

// everything is the horizon of a read that sees what is not durable yet.
const everything = ^uint64(0) - 1

// after returns the smallest position number after p, and bound the smallest
// that is not before p. Positions of this store have equal parts.
func after(p eventstore.Position) uint64 {
	if p.Prepare < p.Commit || p.Commit == ^uint64(0) {
		return p.Commit
	}
	return p.Commit + 1
}

func bound(p eventstore.Position) uint64 {
	if p.Prepare > p.Commit {
		return p.Commit + 1
	}
	return p.Commit
}

// pages yields what fill puts into pages, at most limit events (0: all). It ends
// early when ctx ends or the store closes.
func (s *Store) pages(ctx context.Context, what string, limit int, fill func(*page) (more bool, err error)) iter.Seq2[eventstore.Recorded, error] {
	return s.events(ctx, what, func() *pager { return s.newPager(limit, inOrder(fill)) })
}

// events yields the events of a pager.
func (s *Store) events(ctx context.Context, what string, begin func() *pager) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		pages := begin()
		defer pages.close()
		for more := true; more; {
			var events []eventstore.Recorded
			err := s.mayRead(ctx)
			if err == nil {
				events, more, err = pages.next()
			}
			for i := range events {
				if stop := s.mayRead(ctx); stop != nil {
					err = stop
					break
				}
				if !yield(events[i], nil) {
					return
				}
			}
			if err != nil {
				yield(eventstore.Recorded{}, fmt.Errorf("%s: %w", what, err))
				return
			}
		}
	}
}

// readAll yields the events of all streams up to the position horizon, or, if
// that is 0, the durable ones.
func (s *Store) readAll(ctx context.Context, o eventstore.ReadAll, horizon uint64) iter.Seq2[eventstore.Recorded, error] {
	return s.events(ctx, "read $all", func() *pager { return s.allPages(o, horizon) })
}

// allPages returns a pager of $all.
func (s *Store) allPages(o eventstore.ReadAll, horizon uint64) *pager {
	r := &allReader{s: s, horizon: horizon, forward: o.Direction == eventstore.Forward, upper: bound(o.From)}
	if r.forward {
		r.lower, r.upper = after(o.From), ^uint64(0)
	}
	return s.newPager(o.Limit, r)
}

// allReader says what comes next of $all.
type allReader struct {
	s            *Store
	lower, upper uint64 // positions wanted: [lower, upper)
	horizon      uint64
	forward      bool
	at           uint64     // ahead has come so far; 0: it has not begun
	tables       *tableScan // what ahead reads; nil: it asks pebble
	shun         int        // so many pages ahead are not looked for in tables
}

// shunned is how many pages a read asks pebble for when tables have no page of
// it, as where a scavenge has left many holes.
const shunned = 16

// fill implements source.
func (r *allReader) fill(p *page) (more bool, err error) {
	r.at, r.tables = 0, nil
	if r.shun == 1 {
		r.shun = 0
	}
	top := min(r.upper, r.s.visible(r.horizon)+1)
	err = r.s.scan(p, r.lower, top, 0, ^uint64(0), r.forward)
	r.follow(p)
	return p.full(), err
}

// follow goes on behind a page.
func (r *allReader) follow(p *page) {
	if len(p.events) == 0 {
		return
	}
	last := p.events[len(p.events)-1].Position.Commit
	if r.forward {
		r.lower = last + 1
	} else {
		r.upper = last
	}
}

// passed implements source.
func (r *allReader) passed(p *page) bool {
	if t := r.tables; t != nil {
		switch {
		case p.err != nil, p.end != 0 && t.next == 0 && p.first > r.lower, p.end != 0 && t.next != 0 && p.first != t.next:
			if t.next == 0 { // not even one
				r.shun = shunned
			}
			return false
		case p.end != 0:
			t.next = p.end
		}
	}
	r.follow(p)
	return true
}

// ahead implements source.
func (r *allReader) ahead() func(*page) error {
	if !r.forward {
		return r.back()
	}
	top := min(r.upper, r.s.visible(r.horizon)+1)
	if r.at == 0 {
		r.at = r.lower
		if r.shun == 0 {
			r.tables = r.s.scanTables(r.lower)
		}
	}
	if r.tables != nil {
		if fill := r.tables.ahead(r.s, r.lower, top); fill != nil {
			return fill
		}
		return nil // the page that follows comes from pebble
	}
	// The page holds the chunks that end in a range of positions, so that it
	// does not depend on those before it.
	from, to := r.at, r.at+pageBytes
	if to >= top || to < from {
		return nil
	}
	if r.shun == 1 {
		return nil // fill follows, and then tables may have pages again
	}
	r.shun = max(r.shun-1, 0)
	r.at = to
	lower, upper := r.lower, r.upper
	return func(p *page) error { return r.s.scan(p, lower, upper, from, to, true) }
}

// back is ahead for a read that goes backward.
func (r *allReader) back() func(*page) error {
	to := r.at
	if r.at == 0 {
		r.at, to = r.upper, ^uint64(0)
	}
	if r.at < pageBytes {
		return nil
	}
	r.at -= pageBytes
	from, lower, upper := r.at, r.lower, r.upper
	return func(p *page) error { return r.s.scan(p, lower, upper, from, to, false) }
}

// scan decodes the events with positions in [lower, upper) of the chunks that
// end in (from, to], or as many as fill the page.
func (s *Store) scan(p *page, lower, upper, from, to uint64, forward bool) error {
	if lower >= upper {
		return nil
	}
	o := pebble.IterOptions{LowerBound: chunkKey(nil, max(lower, from)+1), UpperBound: []byte{eventPrefix + 1}}
	if to != ^uint64(0) {
		o.UpperBound = chunkKey(nil, to+1)
	}
	it, err := s.db.NewIter(&o)
	if err != nil {
		return readError(err)
	}
	defer it.Close() //nolint:errcheck // it.Error has been read
	step := it.Next
	var ok bool
	if forward {
		ok = it.First()
	} else {
		step = it.Prev
		ok = it.SeekGE(chunkKey(nil, upper)) || it.Last()
	}
	for ; ok && !p.full(); ok = step() {
		c, err := currentChunk(it)
		if err != nil {
			return err
		}
		if c.first >= upper {
			if forward {
				return nil
			}
			continue
		}
		if p.most-len(p.events) > firstPage {
			if c, err = c.copy(); err != nil {
				return err
			}
		}
		if err := p.mark(c, 0, lower, upper); err != nil {
			return err
		}
		if err := p.take(c, forward); err != nil {
			return err
		}
	}
	return iterError(it)
}

func readError(err error) error {
	switch {
	case errors.Is(err, pebble.ErrClosed):
		return eventstore.ErrClosed
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("%w: %w: %w", eventstore.ErrUnavailable, ErrCorrupt, err)
	}
	return fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
}
