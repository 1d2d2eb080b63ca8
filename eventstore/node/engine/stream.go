package engine

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"math"

	"github.com/cockroachdb/pebble/v2"

	"konto/eventstore"
)

// readStream yields the events of a stream up to the position horizon, hidden
// ones included, or, if that is 0, those that are durable and may be seen.
func (s *Store) readStream(ctx context.Context, stream string, o eventstore.ReadStream, horizon uint64) iter.Seq2[eventstore.Recorded, error] {
	forward := o.Direction == eventstore.Forward
	from, found := int64(o.From), false
	if forward {
		from = max(from, 0)
	}
	return s.pages(ctx, "read "+stream, o.Limit, func(p *page) (bool, error) {
		visible, w := s.visible(horizon), window{}
		if horizon == 0 {
			var err error
			if w, err = s.window(stream, visible); err != nil {
				return false, err
			}
			if err := w.refuse(stream); err != nil {
				if found && w.tombstone == 0 { // truncated meanwhile
					err = nil
				}
				return false, err
			}
		}
		if forward {
			from = max(from, w.first)
		}
		exists, err := s.scanStream(p, stream, from, w.first, visible, forward)
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
		return err == nil && p.full() && from >= 0, err
	})
}

// scanStream decodes a page of events of a stream, starting with revision
// from and none below least. It reports whether the stream has any event up to
// position visible.
func (s *Store) scanStream(p *page, stream string, from, least int64, visible uint64, forward bool) (exists bool, err error) {
	if stream == "" || len(stream) > maxStreamBytes {
		return false, nil
	}
	lower, upper := runKey(nil, stream, 0), runKey(nil, stream, math.MaxUint64)
	runs, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return false, readError(err)
	}
	defer runs.Close() //nolint:errcheck // its Error has been read
	ok := from >= least && seekRun(runs, upper, from)
	if !ok && forward { // a scavenge may have left a hole where from is
		ok = runs.First()
	}
	if !ok { // nothing at or below from: does the stream exist at all?
		ok = runs.First()
		if !ok {
			return false, iterError(runs)
		}
		first, err := currentRun(runs)
		return err == nil && first.first <= visible, err
	}
	w := walk{page: p, db: s.db, stream: stream, from: uint64(from), least: uint64(least), forward: forward} //nolint:gosec // not negative
	defer w.close()
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
		if !forward && int64(r.lastRevision()) < least {
			return true, nil
		}
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

// walk decodes the events of runs into a page.
type walk struct {
	page    *page
	db      *pebble.DB
	events  *pebble.Iterator // nil until an event is wanted: whoever is up to date wants none
	chunk   chunk            // under events
	stream  string
	from    uint64
	least   uint64 // of a walk backward
	forward bool
	key     []byte
}

func (w *walk) close() {
	if w.events != nil {
		_ = w.events.Close() // its Error has been read
	}
}

func (w *walk) nextRun(runs *pebble.Iterator) bool {
	if w.forward {
		return runs.Next()
	}
	return runs.Prev()
}

// run decodes the events of r that are wanted and reports whether the page is full.
func (w *walk) run(r run) (done bool, err error) {
	if w.forward {
		return w.runForward(r)
	}
	return w.runBackward(r)
}

func (w *walk) runForward(r run) (done bool, err error) {
	if r.revision+r.count <= w.from {
		return false, nil
	}
	revision := r.revision
	for position := r.first; position <= r.last && !w.page.full(); position = w.chunk.end() {
		if err := w.move(position, r); err != nil {
			return false, err
		}
		if err := w.page.mark(w.chunk, int(position-w.chunk.first), position, r.last+1); err != nil { //nolint:gosec // in a chunk
			return false, err
		}
		found := uint64(len(w.page.marks) - 1) //nolint:gosec // at least 1
		if skip := min(found, w.from-min(w.from, revision)); skip > 0 {
			w.page.marks, revision, found = w.page.marks[skip:], revision+skip, found-skip
		}
		if err := w.take(revision); err != nil {
			return false, err
		}
		revision += found
	}
	return w.page.full(), nil
}

func (w *walk) runBackward(r run) (done bool, err error) {
	revision := r.revision + r.count // of what follows
	for position := r.last; !w.page.full() && revision > w.least; position = w.chunk.first - 1 {
		if err := w.move(position, r); err != nil {
			return false, err
		}
		first := max(r.first, w.chunk.first)
		if err := w.page.mark(w.chunk, int(first-w.chunk.first), first, position+1); err != nil { //nolint:gosec // in a chunk
			return false, err
		}
		found := uint64(len(w.page.marks) - 1) //nolint:gosec // at least 1
		if skip := min(found, revision-min(revision, w.from+1)); skip > 0 {
			w.page.marks, revision, found = w.page.marks[:len(w.page.marks)-int(skip)], revision-skip, found-skip //nolint:gosec // at most len(marks)
		}
		if hidden := found - min(found, revision-w.least); hidden > 0 { // the end of the walk
			w.page.marks, found = w.page.marks[hidden:], found-hidden
		}
		if err := w.take(revision - 1); err != nil {
			return false, err
		}
		revision -= found
		if first == r.first {
			break
		}
	}
	return w.page.full(), nil
}

// take decodes the marked events and checks that they are the stream's, from
// revision on.
func (w *walk) take(revision uint64) error {
	before := len(w.page.events)
	if err := w.page.take(w.chunk, w.forward); err != nil {
		return err
	}
	for i := before; i < len(w.page.events); i++ {
		e := &w.page.events[i]
		if uint64(e.Revision) != revision || e.Stream != w.stream { //nolint:gosec // not negative
			w.page.events = w.page.events[:i]
			return corrupt("stream index points to position %d, where another event is", e.Position.Commit)
		}
		if w.forward {
			revision++
		} else {
			revision--
		}
	}
	return nil
}

// move goes to the chunk that holds position, which is one of r.
func (w *walk) move(position uint64, r run) (err error) {
	if w.chunk.holds(position) {
		return nil
	}
	if w.events == nil {
		if w.events, err = w.db.NewIter(&pebble.IterOptions{LowerBound: []byte{eventPrefix}, UpperBound: []byte{eventPrefix + 1}}); err != nil {
			return readError(err)
		}
	}
	neighbour := w.chunk.records != nil && w.forward && position == w.chunk.end() && w.events.Next()
	if !neighbour {
		w.key = chunkKey(w.key, position+1)
		if !w.events.SeekGE(w.key) {
			if err := iterError(w.events); err != nil {
				return err
			}
			return corrupt("stream index points to position %d, where no event is", position)
		}
	}
	if w.chunk, err = currentChunk(w.events); err != nil {
		return err
	}
	if !w.chunk.holds(position) {
		return corrupt("stream index points to position %d, where no event is", position)
	}
	if w.wide(r) {
		w.chunk, err = w.chunk.copy()
	}
	return err
}

// wide reports whether r has most of the chunk.
func (w *walk) wide(r run) bool {
	return r.last-r.first > maxChunkBytes && w.page.most > firstPage
}
