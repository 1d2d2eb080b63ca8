package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"konto/eventstore"
)

// A read works in pages: it decodes a page of events, lets go of the database
// and only then yields them. So a slow reader holds no table or memtable, and
// Close never waits for one. A page ends with a chunk, so a full one may hold
// some more events than these.
const (
	firstPage = 64
	fullPage  = 256
)

type page struct {
	events  []eventstore.Recorded
	used    int // events has been so long
	most    int // events the reader wants at most
	size    int // events that fill the page
	decoder decoder
	marks   []int // where records begin in a chunk
	copies  []byte
	piece   int // size of the next copies
}

func (p *page) full() bool { return len(p.events) >= p.size }

// Read implements [eventstore.Store].
func (s *Store) Read(ctx context.Context, stream string, o eventstore.ReadStream) iter.Seq2[eventstore.Recorded, error] {
	return s.readStream(ctx, stream, o, 0)
}

// ReadAll implements [eventstore.Store].
func (s *Store) ReadAll(ctx context.Context, o eventstore.ReadAll) iter.Seq2[eventstore.Recorded, error] {
	return s.readAll(ctx, o, 0)
}

func (s *Store) mayRead(ctx context.Context) error {
	if s.isClosed.Load() {
		return eventstore.ErrClosed
	}
	return ctx.Err()
}

// readAll yields the events of all streams up to the position horizon, or, if
// that is 0, the durable ones.
func (s *Store) readAll(ctx context.Context, o eventstore.ReadAll, horizon uint64) iter.Seq2[eventstore.Recorded, error] {
	forward := o.Direction == eventstore.Forward
	lower, upper := uint64(0), bound(o.From) // [lower, upper)
	if forward {
		lower, upper = after(o.From), ^uint64(0)
	}
	return s.pages(ctx, "read $all", o.Limit, func(p *page) (more bool, err error) {
		top := min(upper, s.visible(horizon)+1)
		err = s.scan(p, lower, top, forward)
		if len(p.events) > 0 {
			last := p.events[len(p.events)-1].Position.Commit
			if forward {
				lower = last + 1
			} else {
				upper = last
			}
		}
		return p.full(), err
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

// pages yields what fill puts into pages, at most limit events (0: all). It ends
// early when ctx ends or the store closes.
func (s *Store) pages(ctx context.Context, what string, limit int, fill func(*page) (more bool, err error)) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		p := pagePool.Get().(*page) //nolint:forcetypeassert // the pool holds nothing else
		defer p.free()
		p.size, p.most, p.piece = firstPage, math.MaxInt, firstCopies
		if limit > 0 {
			p.most = limit
		}
		for more := true; more && p.most > 0; p.size = fullPage {
			err := s.mayRead(ctx)
			if err == nil {
				more, err = s.fill(p, fill)
			}
			for i := range p.events {
				if stop := s.mayRead(ctx); stop != nil {
					err = stop
					break
				}
				if !yield(p.events[i], nil) {
					return
				}
			}
			if err != nil {
				yield(eventstore.Recorded{}, fmt.Errorf("%s: %w", what, err))
				return
			}
			p.most -= len(p.events)
		}
	}
}

func (s *Store) fill(p *page, fill func(*page) (bool, error)) (bool, error) {
	s.reading.RLock()
	defer s.reading.RUnlock()
	p.used, p.events = max(p.used, len(p.events)), p.events[:0]
	p.size = min(p.size, p.most)
	if s.isClosed.Load() {
		return false, eventstore.ErrClosed
	}
	return fill(p)
}

var pagePool = sync.Pool{New: func() any { return new(page) }}

func (p *page) free() {
	clear(p.events[:max(p.used, len(p.events))])
	p.events, p.used, p.decoder.stream, p.copies = p.events[:0], 0, "", nil
	if len(p.decoder.types) > 256 {
		p.decoder.typ, p.decoder.types = "", map[string]string{}
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

// scan decodes a page of events with positions in [lower, upper).
func (s *Store) scan(p *page, lower, upper uint64, forward bool) error {
	if lower >= upper {
		return nil
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: chunkKey(nil, lower+1), UpperBound: []byte{eventPrefix + 1}})
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
			c = c.copy()
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

// chunk is one under an iterator. Unless it was copied, it is gone when the
// iterator moves.
type chunk struct {
	first   uint64 // position of its first record
	records []byte
	copied  bool
}

// copy is for a reader that wants most of the records: to copy them all first
// is faster than to look for each in memory that is not in the processor's cache.
func (c chunk) copy() chunk {
	return chunk{c.first, append([]byte(nil), c.records...), true}
}

func (c chunk) end() uint64 { return c.first + uint64(len(c.records)) }

func (c chunk) holds(position uint64) bool { return c.first <= position && position < c.end() }

func currentChunk(it *pebble.Iterator) (chunk, error) {
	key := it.Key()
	records, err := it.ValueAndErr()
	if err != nil {
		return chunk{}, readError(err)
	}
	if len(key) != chunkKeyLen || uint64(len(records)) >= binary.BigEndian.Uint64(key[1:]) {
		return chunk{}, corrupt("chunk of %d bytes with a key of %d bytes", len(records), len(key))
	}
	return chunk{first: binary.BigEndian.Uint64(key[1:]) - uint64(len(records)), records: records}, nil
}

// mark finds the records of c with positions in [lower, upper), beginning with
// the one at offset from. The last mark is where the last record ends.
func (p *page) mark(c chunk, from int, lower, upper uint64) error {
	p.marks = p.marks[:0]
	for from < len(c.records) && c.first+uint64(from) < upper { //nolint:gosec // not negative
		if c.first+uint64(from) >= lower { //nolint:gosec // not negative
			p.marks = append(p.marks, from)
		}
		n := recordSize(c.records[from:])
		if n == 0 {
			return corrupt("record at %d has a wrong size", c.first+uint64(from)) //nolint:gosec // not negative
		}
		from += n
	}
	p.marks = append(p.marks, from)
	return nil
}

// take decodes the marked records into the page, as many as are wanted.
func (p *page) take(c chunk, forward bool) error {
	marks, n := p.marks, min(len(p.marks)-1, p.most-len(p.events))
	for k := range n {
		i := k
		if !forward {
			i = len(marks) - 2 - k
		}
		record := c.records[marks[i]:marks[i+1]:marks[i+1]]
		if !c.copied {
			record = p.keep(record)
		}
		if err := p.decoder.decode(p.next(), c.first+uint64(marks[i]), record); err != nil { //nolint:gosec // not negative
			p.events = p.events[:len(p.events)-1]
			return err
		}
	}
	return nil
}

// Copies of records share memory, which is allocated in pieces of this size: a
// small first one for a read of a few events, then larger ones. It is also what
// an event that a reader keeps may keep in memory.
const (
	firstCopies = 4 << 10
	fullCopies  = 16 << 10
)

// keep copies a record, so that it outlives the chunk it is in.
func (p *page) keep(record []byte) []byte {
	n := len(record)
	if n > cap(p.copies)-len(p.copies) {
		if n > p.piece/4 {
			return append([]byte(nil), record...)
		}
		p.copies = make([]byte, 0, p.piece)
		p.piece = fullCopies
	}
	at := len(p.copies)
	p.copies = append(p.copies, record...)
	return p.copies[at : at+n : at+n]
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
