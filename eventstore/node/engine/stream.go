package engine

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"

	"github.com/cockroachdb/pebble/v2"

	"konto/eventstore"
)

// readStream yields the events of a stream up to the position horizon, or, if
// that is 0, the durable ones.
func (s *Store) readStream(stream string, o eventstore.ReadStream, horizon uint64) iter.Seq2[eventstore.Recorded, error] {
	forward := o.Direction == eventstore.Forward
	from, found := int64(o.From), false
	if forward {
		from = max(from, 0)
	}
	return s.pages(o.Limit, func(p *page, size int) (bool, error) {
		exists, err := s.scanStream(p, stream, from, s.visible(horizon), size, forward)
		if err == nil && !exists && !found {
			return false, fmt.Errorf("%w: %s", eventstore.ErrStreamNotFound, stream)
		}
		found = true
		if n := len(p.events); n > 0 {
			from = int64(p.events[n-1].Revision) + 1
			if !forward {
				from -= 2
			}
		}
		return err == nil && len(p.events) == size && from >= 0, err
	})
}

// scanStream decodes up to size events of a stream, starting with revision
// from. It reports whether the stream has any event up to position visible.
func (s *Store) scanStream(p *page, stream string, from int64, visible uint64, size int, forward bool) (exists bool, err error) {
	if stream == "" || len(stream) > maxStreamBytes {
		return false, nil
	}
	lower, upper := runKey(nil, stream, 0), runKey(nil, stream, math.MaxUint64)
	runs, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return false, readError(err)
	}
	defer runs.Close() //nolint:errcheck // its Error has been read
	ok := seekRun(runs, upper, from)
	if !ok { // nothing at or below from: does the stream exist at all?
		ok = runs.First()
		if !ok {
			return false, iterError(runs)
		}
		first, err := currentRun(runs)
		return err == nil && first.first <= visible, err
	}
	events, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{eventPrefix}, UpperBound: []byte{eventPrefix + 1}})
	if err != nil {
		return false, readError(err)
	}
	defer events.Close() //nolint:errcheck // its Error has been read
	w := walk{page: p, events: events, stream: stream, from: from, size: size, forward: forward}
	for ; ok; ok = w.nextRun(runs) {
		r, err := currentRun(runs)
		if err != nil {
			return exists, err
		}
		if r.first > visible {
			if forward && !exists { // from lies in what is not durable yet
				exists = s.anyBefore(runs, visible)
				return exists, nil
			}
			if forward {
				return exists, nil
			}
			continue
		}
		exists = true
		if done, err := w.run(r); done || err != nil {
			return true, err
		}
	}
	return exists, iterError(runs)
}

// seekRun moves to the run that holds revision from, or to the newest one.
func seekRun(runs *pebble.Iterator, upper []byte, from int64) bool {
	if from < 0 {
		return false
	}
	if from == math.MaxInt64 {
		return runs.Last()
	}
	key := append([]byte(nil), upper...)
	binary.BigEndian.PutUint64(key[len(key)-8:], uint64(from)+1)
	return runs.SeekLT(key)
}

func (s *Store) anyBefore(runs *pebble.Iterator, visible uint64) bool {
	if !runs.First() {
		return false
	}
	first, err := currentRun(runs)
	return err == nil && first.first <= visible
}

func currentRun(runs *pebble.Iterator) (run, error) {
	value, err := runs.ValueAndErr()
	if err != nil {
		return run{}, readError(err)
	}
	return decodeRun(runs.Key(), value)
}

func iterError(it *pebble.Iterator) error {
	if err := it.Error(); err != nil {
		return readError(err)
	}
	return nil
}

// newestRun returns the last run of a stream, durable or not; a zero one if
// there is none.
func (s *Store) newestRun(stream string) (run, error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: runKey(nil, stream, 0), UpperBound: runKey(nil, stream, math.MaxUint64)})
	if err != nil {
		return run{}, readError(err)
	}
	defer it.Close() //nolint:errcheck // its Error has been read
	if !it.Last() {
		return run{}, iterError(it)
	}
	return currentRun(it)
}

// walk decodes the events of runs into a page.
type walk struct {
	page    *page
	events  *pebble.Iterator
	stream  string
	from    int64
	size    int
	forward bool
	key     []byte
}

func (w *walk) nextRun(runs *pebble.Iterator) bool {
	if w.forward {
		return runs.Next()
	}
	return runs.Prev()
}

// run decodes the events of r that are wanted and reports whether the page is full.
func (w *walk) run(r run) (done bool, err error) {
	revision, position, step := r.revision, r.first, uint64(1)
	if !w.forward {
		revision, position, step = uint64(r.lastRevision()), r.last, ^uint64(0) //nolint:gosec // not negative
	}
	for n := range r.count {
		if !w.move(n == 0, position) {
			if err := iterError(w.events); err != nil {
				return false, err
			}
			return false, corrupt("stream index points to position %d, where no event is", position)
		}
		if w.wanted(revision) {
			if err := w.page.take(w.events); err != nil {
				return false, err
			}
			if e := &w.page.events[len(w.page.events)-1]; uint64(e.Revision) != revision || e.Stream != w.stream { //nolint:gosec // not negative
				w.page.events = w.page.events[:len(w.page.events)-1]
				return false, corrupt("stream index points to position %d, where another event is", position)
			}
			if len(w.page.events) == w.size {
				return true, nil
			}
		}
		revision += step
	}
	return false, nil
}

func (w *walk) wanted(revision uint64) bool {
	if w.forward {
		return revision >= uint64(w.from) //nolint:gosec // not negative
	}
	return revision <= uint64(w.from) //nolint:gosec // not negative
}

// move goes to the first event of a run, or to the neighbour of the one before.
func (w *walk) move(first bool, position uint64) bool {
	switch {
	case !first && w.forward:
		return w.events.Next()
	case !first:
		return w.events.Prev()
	}
	w.key = eventKey(w.key, position)
	if w.forward && w.events.Valid() && w.events.Next() && string(w.events.Key()) == string(w.key) {
		return true // the runs are neighbours, as in a store with one busy stream
	}
	return w.events.SeekGE(w.key) && string(w.events.Key()) == string(w.key)
}
