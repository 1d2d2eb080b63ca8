package engine

import (
	"context"
	"fmt"
	"math"

	"github.com/cockroachdb/pebble/v2"

	"konto/eventstore"
)

// Info says where a stream begins and ends, by durable events.
type Info struct {
	First      eventstore.Revision // the oldest event a reader may see; NoStream if none
	Last       eventstore.Revision // the newest event, seen or not; NoStream if none was ever written
	Deleted    bool                // soft-deleted: nothing was written since
	Tombstoned bool
}

// Stream describes a stream. One that never was is no error. Errors are those
// of Read, without [eventstore.ErrStreamNotFound] and [eventstore.ErrStreamDeleted].
func (s *Store) Stream(ctx context.Context, stream string) (Info, error) {
	info := Info{First: eventstore.NoStream, Last: eventstore.NoStream}
	err := s.look(ctx, func() error {
		if s.indexed(stream) {
			var err error
			info, err = s.describeIndex(stream)
			return err
		}
		return s.describe(stream, s.durable.Load(), &info)
	})
	if err != nil {
		return Info{}, fmt.Errorf("describe %s: %w", stream, err)
	}
	return info, nil
}

func (s *Store) describe(stream string, visible uint64, info *Info) error {
	last, err := s.lastRun(stream, visible)
	if err != nil {
		return err
	}
	w, err := s.window(stream, visible)
	if err != nil {
		return err
	}
	info.Tombstoned, info.Deleted = w.tombstone != 0, w.first == deleted
	if last.count == 0 {
		return nil
	}
	info.Last = last.lastRevision()
	if info.Deleted || info.Tombstoned || w.first > int64(info.Last) {
		return nil
	}
	first, err := s.firstRun(stream)
	if err != nil {
		return err
	}
	info.First = max(eventstore.Revision(w.first), eventstore.Revision(first.revision)) //nolint:gosec // below 2^63
	return nil
}

// look runs a short read of the database.
func (s *Store) look(ctx context.Context, read func() error) error {
	if err := s.mayRead(ctx); err != nil {
		return err
	}
	s.reading.RLock()
	defer s.reading.RUnlock()
	if s.isClosed.Load() {
		return eventstore.ErrClosed
	}
	return read()
}

// lastRun returns the newest run of a stream up to position visible; a zero one
// if there is none.
func (s *Store) lastRun(stream string, visible uint64) (run, error) {
	if stream == "" || len(stream) > maxStreamBytes {
		return run{}, nil
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: runKey(nil, stream, 0), UpperBound: runKey(nil, stream, math.MaxUint64)})
	if err != nil {
		return run{}, readError(err)
	}
	defer it.Close() //nolint:errcheck // its Error has been read
	return newestVisible(it, visible)
}

// firstRun returns the oldest run of a stream; a zero one if there is none.
func (s *Store) firstRun(stream string) (run, error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: runKey(nil, stream, 0), UpperBound: runKey(nil, stream, math.MaxUint64)})
	if err != nil {
		return run{}, readError(err)
	}
	defer it.Close() //nolint:errcheck // its Error has been read
	if !it.First() {
		return run{}, iterError(it)
	}
	return currentRun(it)
}

// IsBoundary reports whether a record begins at p, or did before a scavenge. The
// position that follows the newest durable record counts as one too.
func (s *Store) IsBoundary(ctx context.Context, p eventstore.Position) (is bool, err error) {
	err = s.look(ctx, func() (err error) {
		is, err = s.isBoundary(p.Commit)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("find %v: %w", p, err)
	}
	return is && p.Commit == p.Prepare, nil
}

func (s *Store) isBoundary(position uint64) (bool, error) {
	durable := s.durable.Load()
	if position == 0 || position == durable {
		return true, nil
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{eventPrefix}, UpperBound: []byte{eventPrefix + 1}})
	if err != nil {
		return false, readError(err)
	}
	defer it.Close() //nolint:errcheck // its Error has been read
	if !it.SeekGE(chunkKey(nil, min(position, durable)+1)) {
		return false, iterError(it)
	}
	c, err := currentChunk(it)
	if err != nil {
		return false, err
	}
	if position > durable {
		return position == c.end(), nil // the newest record ends its chunk
	}
	from := c.first
	for from < position {
		n := recordSize(c.records[from-c.first:])
		if n == 0 {
			return false, corrupt("record at %d has a wrong size", from)
		}
		from += uint64(n) //nolint:gosec // positive
	}
	return from == position || c.first > position, nil // or nothing is there any more
}

// Head is the position of the newest durable event, zero if there is none.
func (s *Store) Head() eventstore.Position {
	n := s.durable.Load()
	return eventstore.Position{Commit: n, Prepare: n}
}
