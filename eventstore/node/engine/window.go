package engine

import (
	"fmt"
	"math"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"konto/eventstore"
)

// window is what readers may see of a stream.
type window struct {
	first     int64  // oldest revision; deleted if the stream is soft-deleted
	tombstone uint64 // position; 0: none
}

// refuse returns why a stream cannot be read, or nil.
func (w window) refuse(stream string) error {
	switch {
	case w.tombstone != 0:
		return fmt.Errorf("%w: %s", eventstore.ErrStreamDeleted, stream)
	case w.first == deleted:
		return fmt.Errorf("%w: %s", eventstore.ErrStreamNotFound, stream)
	}
	return nil
}

// window returns what is visible of a stream, of what is up to position
// visible. The rules are EventStoreDB's: not below $tb, not more than $maxCount
// events, none older than $maxAge. Events of $all are never hidden.
func (s *Store) window(stream string, visible uint64) (window, error) {
	f, err := s.fact(stream, visible)
	w := window{first: f.truncateBefore, tombstone: f.tombstone}
	if err != nil || w.first == deleted || f.maxCount == 0 && f.maxAge == 0 {
		return w, err
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: runKey(nil, stream, 0), UpperBound: runKey(nil, stream, math.MaxInt64)}) // without a tombstone
	if err != nil {
		return w, readError(err)
	}
	defer it.Close() //nolint:errcheck // its Error has been read
	last, err := newestVisible(it, visible)
	if err != nil || last.count == 0 {
		return w, err
	}
	if f.maxCount > 0 {
		w.first = max(w.first, int64(last.lastRevision())-f.maxCount+1)
	}
	if f.maxAge > 0 {
		w.first, err = s.firstSince(it, stream, w.first, last, s.now().Add(-f.maxAge))
	}
	return w, err
}

func newestVisible(runs *pebble.Iterator, visible uint64) (run, error) {
	for ok := runs.Last(); ok; ok = runs.Prev() {
		r, err := currentRun(runs)
		if err != nil || r.first <= visible {
			return r, err
		}
	}
	return run{}, iterError(runs)
}

// firstSince returns the oldest revision from lo on that was written at a time
// or later; the one after last if there is none. It halves what is in question
// each time, and trusts the clock to have gone forward.
func (s *Store) firstSince(runs *pebble.Iterator, stream string, lo int64, last run, since time.Time) (int64, error) {
	events, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{eventPrefix}, UpperBound: []byte{eventPrefix + 1}})
	if err != nil {
		return 0, readError(err)
	}
	defer events.Close() //nolint:errcheck // its Error has been read
	find := finder{events: events}
	upper := runKey(nil, stream, 0)
	hi := int64(last.lastRevision()) + 1 // alive from here on
	for lo < hi {
		middle := lo + (hi-lo)/2
		if !seekRun(runs, upper, middle) {
			if err := iterError(runs); err != nil {
				return 0, err
			}
			lo = middle + 1 // gone
			continue
		}
		r, err := currentRun(runs)
		if err != nil {
			return 0, err
		}
		var e eventstore.Recorded
		found, err := find.find(r.last, &e)
		switch {
		case err != nil:
			return 0, err
		case found && !e.At.Before(since):
			first, err := find.firstSince(r, since)
			if err != nil || first > int64(r.revision) { //nolint:gosec // below 2^63
				return max(lo, first), err
			}
			hi = first
		default:
			lo = max(middle, int64(r.lastRevision())) + 1
		}
	}
	return max(lo, hi), nil
}

// firstSince returns the oldest revision of a run, the last of which is, that was
// written at a time or later. Only a run that was imported has several times.
func (f *finder) firstSince(r run, since time.Time) (int64, error) {
	revision := int64(r.revision) //nolint:gosec // below 2^63
	for position := r.first; position < r.last; revision++ {
		var e eventstore.Recorded
		found, err := f.find(position, &e)
		if err != nil || found && !e.At.Before(since) {
			return revision, err
		}
		if !found {
			return int64(r.lastRevision()), nil
		}
		position += uint64(recordLen(e.Stream, &e.Event)) //nolint:gosec // positive
	}
	return revision, nil
}
