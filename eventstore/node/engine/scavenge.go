package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"konto/eventstore"
)

// Scavenged says what a scavenge reclaimed.
type Scavenged struct {
	Events, Bytes int64 // removed
	Streams       int   // looked at because something of them is hidden
}

// ErrScavenging means that a scavenge is under way.
var ErrScavenging = errors.New("engine: a scavenge is under way")

// Scavenge removes from disk what truncation, deletion and expiry hid when it
// began, and makes its space free. The last event of a stream stays, for its
// number, and so does a tombstone. Positions and revisions stay as they are; $all
// has holes.
//
// It runs beside readers and writers, with pauses. It may be stopped at any time,
// also by a power cut, and called again. progress, if not nil, hears from time to
// time up to which position it has come and where it will end; it must return
// soon. Errors: [ErrScavenging], [eventstore.ErrUnavailable],
// [eventstore.ErrClosed] and ctx's. What was removed before an error is in the
// result.
func (s *Store) Scavenge(ctx context.Context, progress func(done, of uint64)) (Scavenged, error) {
	if !s.scavenging.TryLock() {
		return Scavenged{}, ErrScavenging
	}
	defer s.scavenging.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-ctx.Done():
		case <-s.closed:
			cancel(eventstore.ErrClosed)
		case <-s.fence.closed:
			cancel(fmt.Errorf("%w: %w", eventstore.ErrUnavailable, s.failure()))
		}
	}()
	v := scavenger{s: s, progress: progress, until: s.durable.Load()}
	err := v.run(ctx)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err != nil {
		err = fmt.Errorf("scavenge: %w", err)
	}
	return v.result, err
}

// scavenger is one scavenge. It removes events in the order of their positions,
// so that a stream always loses its oldest ones, and in each batch the events of
// some chunks together with what the index says of them: whenever it stops, the
// store is whole.
type scavenger struct {
	s        *Store
	progress func(done, of uint64)
	until    uint64 // the newest event that was durable at the beginning; it stays
	result   Scavenged

	gone     map[string]*loss
	from, to uint64 // positions between which events go
	touched  []interval
}

// loss is what a stream loses.
type loss struct {
	before uint64 // events with revisions below go
	run    run    // the one the events that go now are in; count is 0: to be looked up
	open   bool   // some events of the run have gone in this batch
	old    uint64 // revision of the run on disk
}

// interval is a range of chunks, by their ends.
type interval struct{ first, last uint64 }

// Bounds of what is done at once.
const (
	maxLosses       = 50_000   // streams for which the log is swept together
	factsAtOnce     = 256      // looked at without a pause for writers of facts
	sweepBytes      = 1 << 20  // read for one batch
	rewriteBytes    = 1 << 20  // written with one batch
	compactTogether = 16 << 20 // positions between what is compacted together
	maxPause        = 50 * time.Millisecond
)

func (v *scavenger) run(ctx context.Context) error {
	if err := v.unfinished(); err != nil {
		return err
	}
	for key := []byte{factPrefix}; key != nil; {
		v.gone, v.from, v.to = map[string]*loss{}, math.MaxUint64, 0
		var err error
		if key, err = v.plan(ctx, key); err != nil {
			return err
		}
		v.result.Streams += len(v.gone)
		if err := v.sweep(ctx); err != nil {
			return err
		}
	}
	return v.reclaim(ctx)
}

// plan finds streams that lose events, beginning with the facts at key. It
// returns where to go on, or nil.
func (v *scavenger) plan(ctx context.Context, key []byte) (rest []byte, err error) {
	for key != nil && len(v.gone) < maxLosses {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := v.s.look(ctx, func() error {
			key, err = v.planSome(key)
			return err
		}); err != nil {
			return nil, err
		}
	}
	return key, nil
}

func (v *scavenger) planSome(key []byte) (rest []byte, err error) {
	it, err := v.s.db.NewIter(&pebble.IterOptions{LowerBound: key, UpperBound: []byte{factPrefix + 1}})
	if err != nil {
		return nil, readError(err)
	}
	defer it.Close() //nolint:errcheck // its Error has been read
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		if n++; n > factsAtOnce {
			return append([]byte(nil), it.Key()...), nil
		}
		stream := string(it.Key()[min(len(it.Key()), 3):])
		if err := errors.Join(v.planStream(stream), v.planStream(metadataPrefix+stream)); err != nil {
			return nil, err
		}
	}
	return nil, iterError(it)
}

// planStream finds out what a stream loses.
func (v *scavenger) planStream(stream string) error {
	w, err := v.s.window(stream, v.until)
	if err != nil {
		return err
	}
	before := uint64(math.MaxInt64)
	if w.tombstone == 0 {
		last, err := v.s.lastRun(stream, v.until)
		if err != nil || last.count == 0 {
			return err
		}
		before = uint64(min(w.first, int64(last.lastRevision()))) //nolint:gosec // not negative
	}
	first, err := v.s.firstRun(stream)
	if err != nil || first.count == 0 || first.revision >= before || first.first >= v.until {
		return err
	}
	v.gone[stream] = &loss{before: before}
	v.from = min(v.from, first.first)
	final, err := v.s.runBelow(stream, before)
	v.to = max(v.to, min(v.until, final.last+1))
	return err
}

// runBelow returns the run that holds the revision below before, or the next
// older one.
func (s *Store) runBelow(stream string, before uint64) (run, error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: runKey(nil, stream, 0), UpperBound: runKey(nil, stream, before)})
	if err != nil {
		return run{}, readError(err)
	}
	defer it.Close() //nolint:errcheck // its Error has been read
	if !it.Last() {
		return run{}, iterError(it)
	}
	return currentRun(it)
}

// Key of what an unfinished scavenge has touched.
var scavengeKey = [...]byte{metaPrefix, 's', 'c', 'a', 'v', 'e', 'n', 'g', 'e'}

// unfinished takes over what an earlier scavenge removed and did not reclaim.
func (v *scavenger) unfinished() error {
	return v.s.look(context.Background(), func() error {
		value, closer, err := v.s.db.Get(scavengeKey[:])
		if errors.Is(err, pebble.ErrNotFound) {
			return nil
		}
		if err != nil {
			return readError(err)
		}
		defer closer.Close() //nolint:errcheck // always nil
		if len(value) != 16 {
			return corrupt("note of %d bytes about a scavenge", len(value))
		}
		v.touched = []interval{{binary.BigEndian.Uint64(value), binary.BigEndian.Uint64(value[8:])}}
		return nil
	})
}

// note adds to a batch what the scavenge has touched, that batch included.
func (v *scavenger) note(b *pebble.Batch) {
	all := v.touched[0]
	for _, i := range v.touched[1:] {
		all = interval{min(all.first, i.first), max(all.last, i.last)}
	}
	value := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, all.first), all.last)
	_ = b.Set(scavengeKey[:], value, nil) // a batch in memory: never fails
}

// touch remembers a chunk to be compacted.
func (v *scavenger) touch(end uint64) {
	if n := len(v.touched); n > 0 {
		if last := &v.touched[n-1]; end >= last.first && end <= last.last+compactTogether {
			last.last = max(last.last, end)
			return
		}
	}
	v.touched = append(v.touched, interval{end, end})
}

// reclaim makes the space of what was removed free, and tables fit to be read
// directly again.
func (v *scavenger) reclaim(ctx context.Context) error {
	if len(v.touched) == 0 {
		return nil
	}
	for _, i := range v.touched {
		if err := v.s.compact(ctx, chunkKey(nil, i.first), chunkKey(nil, i.last+1)); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := v.s.db.Delete(scavengeKey[:], pebble.Sync); err != nil {
		return readError(err)
	}
	if err := v.s.failure(); err != nil {
		return fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
	}
	v.s.whole.Store(true)
	return nil
}

// compact rewrites the tables with keys from first to last. Behind a closed fence
// pebble does not come back from it before the store is closed, whatever becomes
// of ctx.
func (s *Store) compact(ctx context.Context, first, last []byte) error {
	done := make(chan error, 1)
	s.compacting.Go(func() { done <- s.db.Compact(ctx, first, last, false) })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pause lets others have the disk and the processor.
func (v *scavenger) pause(ctx context.Context, d time.Duration) error {
	for {
		timer := time.NewTimer(min(d, maxPause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		if !v.s.indebted() {
			return nil
		}
		d = pacePollEvery
	}
}
