package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"konto/eventstore"
)

// A read works in pages: it decodes a page of events, lets go of the database
// and only then yields them. So a slow reader holds no table or memtable, and
// Close never waits for one.
const (
	firstPage = 64
	fullPage  = 512
)

type page struct {
	events  []eventstore.Recorded
	used    int // events has been so long
	decoder decoder
}

// Read implements [eventstore.Store].
func (s *Store) Read(ctx context.Context, stream string, o eventstore.ReadStream) iter.Seq2[eventstore.Recorded, error] {
	return s.guard(ctx, "read "+stream, func() iter.Seq2[eventstore.Recorded, error] {
		return s.readStream(stream, o, 0)
	})
}

// ReadAll implements [eventstore.Store].
func (s *Store) ReadAll(ctx context.Context, o eventstore.ReadAll) iter.Seq2[eventstore.Recorded, error] {
	return s.guard(ctx, "read $all", func() iter.Seq2[eventstore.Recorded, error] {
		return s.readAll(o, 0)
	})
}

// guard ends a read early when ctx ends or the store closes.
func (s *Store) guard(ctx context.Context, what string, read func() iter.Seq2[eventstore.Recorded, error]) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		if err := s.mayRead(ctx); err != nil {
			yield(eventstore.Recorded{}, err)
			return
		}
		for r, err := range read() {
			if err == nil {
				err = s.mayRead(ctx)
			}
			if err != nil {
				yield(eventstore.Recorded{}, fmt.Errorf("%s: %w", what, err))
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (s *Store) mayRead(ctx context.Context) error {
	if s.isClosed.Load() {
		return eventstore.ErrClosed
	}
	return ctx.Err()
}

// readAll yields the events of all streams up to the position horizon, or, if
// that is 0, the durable ones.
func (s *Store) readAll(o eventstore.ReadAll, horizon uint64) iter.Seq2[eventstore.Recorded, error] {
	forward := o.Direction == eventstore.Forward
	lower, upper := uint64(0), bound(o.From) // [lower, upper)
	if forward {
		lower, upper = after(o.From), ^uint64(0)
	}
	return s.pages(o.Limit, func(p *page, size int) (more bool, err error) {
		top := min(upper, s.visible(horizon)+1)
		p.events, err = s.scan(p, lower, top, size, forward)
		if len(p.events) > 0 {
			last := p.events[len(p.events)-1].Position.Commit
			if forward {
				lower = last + 1
			} else {
				upper = last
			}
		}
		return len(p.events) == size, err
	})
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

// pages yields what fill puts into pages, at most limit events (0: all).
func (s *Store) pages(limit int, fill func(p *page, size int) (more bool, err error)) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		p := pagePool.Get().(*page) //nolint:forcetypeassert // the pool holds nothing else
		defer p.free()
		size := firstPage
		for {
			if limit > 0 {
				size = min(size, limit)
			}
			more, err := s.fill(p, size, fill)
			for i := range p.events {
				if !yield(p.events[i], nil) {
					return
				}
			}
			if err != nil {
				yield(eventstore.Recorded{}, err)
				return
			}
			if limit > 0 {
				if limit -= len(p.events); limit == 0 {
					return
				}
			}
			if !more {
				return
			}
			size = fullPage
		}
	}
}

func (s *Store) fill(p *page, size int, fill func(*page, int) (bool, error)) (bool, error) {
	s.reading.RLock()
	defer s.reading.RUnlock()
	p.used, p.events = max(p.used, len(p.events)), p.events[:0]
	if s.isClosed.Load() {
		return false, eventstore.ErrClosed
	}
	return fill(p, size)
}

var pagePool = sync.Pool{New: func() any { return new(page) }}

func (p *page) free() {
	clear(p.events[:max(p.used, len(p.events))])
	p.events, p.used, p.decoder.stream = p.events[:0], 0, ""
	if len(p.decoder.types) > 256 {
		p.decoder.types = map[string]string{}
	}
	pagePool.Put(p)
}

// next makes room for one more event and returns it.
func (p *page) next() *eventstore.Recorded {
	if len(p.events) == cap(p.events) {
		p.events = append(p.events, eventstore.Recorded{})
	} else {
		p.events = p.events[:len(p.events)+1]
	}
	return &p.events[len(p.events)-1]
}

// scan decodes up to size events with positions in [lower, upper).
func (s *Store) scan(p *page, lower, upper uint64, size int, forward bool) ([]eventstore.Recorded, error) {
	if lower >= upper {
		return p.events, nil
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: eventKey(nil, lower), UpperBound: eventKey(nil, upper)})
	if err != nil {
		return p.events, readError(err)
	}
	defer it.Close() //nolint:errcheck // it.Error has been read
	first, step := it.First, it.Next
	if !forward {
		first, step = it.Last, it.Prev
	}
	for ok := first(); ok; ok = step() {
		if err := p.take(it); err != nil {
			return p.events, err
		}
		if len(p.events) == size {
			return p.events, nil
		}
	}
	if err := it.Error(); err != nil {
		return p.events, readError(err)
	}
	return p.events, nil
}

// take decodes the record under the iterator into the page.
func (p *page) take(it *pebble.Iterator) error {
	key := it.Key()
	if len(key) != eventKeyLen {
		return corrupt("event key of %d bytes", len(key))
	}
	value, err := it.ValueAndErr()
	if err != nil {
		return readError(err)
	}
	if err := p.decoder.decode(p.next(), binary.BigEndian.Uint64(key[1:]), value); err != nil {
		p.events = p.events[:len(p.events)-1]
		return err
	}
	return nil
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
