package engine

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"konto/eventstore"
)

// sweep removes what the planned streams lose.
func (v *scavenger) sweep(ctx context.Context) error {
	for at := v.from; at < v.to; {
		if err := ctx.Err(); err != nil {
			return err
		}
		began := v.s.config.Now()
		w := sweep{scavenger: v, batch: v.s.db.NewBatch(), at: at}
		if err := v.s.look(ctx, w.read); err != nil {
			_ = w.batch.Close() // err is what matters
			return err
		}
		at = w.at
		if err := w.apply(); err != nil {
			return err
		}
		if v.progress != nil {
			v.progress(min(at, v.to), v.to)
		}
		if w.events == 0 {
			continue
		}
		if err := v.pause(ctx, v.s.config.Now().Sub(began)); err != nil {
			return err
		}
	}
	return nil
}

// sweep is what becomes one batch.
type sweep struct {
	*scavenger
	batch         *pebble.Batch
	at            uint64 // chunks that end up to here have been read
	events, bytes int64  // that go
	open          []string
	key, value    []byte
}

// read fills the batch.
func (w *sweep) read() error {
	chunks, err := w.s.db.NewIter(&pebble.IterOptions{LowerBound: chunkKey(nil, w.at+1), UpperBound: []byte{eventPrefix + 1}})
	if err != nil {
		return readError(err)
	}
	defer chunks.Close() //nolint:errcheck // its Error has been read
	runs, err := w.s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{streamPrefix}, UpperBound: []byte{streamPrefix + 1}})
	if err != nil {
		return readError(err)
	}
	defer runs.Close() //nolint:errcheck // its Error has been read
	seen, more := 0, chunks.First()
	for ; more && seen < sweepBytes && w.batch.Len() < rewriteBytes; more = chunks.Next() {
		c, err := currentChunk(chunks)
		if err == nil && c.first < w.to {
			c, err = c.copy()
		}
		if err != nil {
			return err
		}
		if c.first >= w.to {
			more = false
			break
		}
		if err := w.chunk(c, runs); err != nil {
			return err
		}
		seen += len(c.records)
		w.at = c.end()
	}
	if !more {
		w.at = max(w.at, w.to)
	}
	w.shorten()
	return iterError(chunks)
}

// chunk removes records from a chunk and writes what is left of it.
func (w *sweep) chunk(c chunk, runs *pebble.Iterator) error {
	kept, hole := 0, false // offset of records to keep
	for at := 0; at < len(c.records); {
		record := c.records[at:]
		n := recordSize(record)
		if n == 0 {
			return corrupt("record at %d has a wrong size", c.first+uint64(at))
		}
		goes, err := w.goes(record[:n], c.first+uint64(at), runs)
		if err != nil {
			return err
		}
		if goes {
			w.keep(c, kept, at)
			kept, hole = at+n, true
			w.events++
			w.bytes += int64(n)
		}
		at += n
	}
	switch {
	case !hole:
		return nil
	case kept == len(c.records):
		w.key = chunkKey(w.key, c.end())
		_ = w.batch.Delete(w.key, nil) // a batch in memory: never fails
	default:
		w.keep(c, kept, len(c.records))
	}
	w.touch(c.end())
	return nil
}

// keep makes a chunk of the records in [from, to).
func (w *sweep) keep(c chunk, from, to int) {
	if from == to {
		return
	}
	end := c.first + uint64(to) //nolint:gosec // not negative
	op := w.batch.SetDeferred(chunkKeyLen, chunkHead+to-from)
	chunkKey(op.Key, end)
	copy(op.Value[chunkHead:], c.records[from:to])
	sealChunk(op.Value, w.s.mark, end)
	_ = op.Finish() // a batch in memory: never fails
}

// goes reports whether the record at a position is to be removed. If so, it has
// removed it from the index.
func (w *sweep) goes(record []byte, position uint64, runs *pebble.Iterator) (bool, error) {
	stream, ok := recordStream(record)
	if !ok {
		return false, corrupt("record at %d has wrong lengths", position)
	}
	revision := binary.LittleEndian.Uint64(record[17:])
	l := w.gone[string(stream)] // no allocation to look it up
	if l == nil || revision >= l.before || position >= w.until {
		return false, nil
	}
	if l.run.count == 0 {
		if err := w.findRun(l, string(stream), revision, runs); err != nil {
			return false, err
		}
	}
	if l.run.first != position || l.run.revision != revision {
		return false, corrupt("stream index does not lead to position %d", position)
	}
	if !l.open {
		l.open = true
		w.open = append(w.open, string(stream))
	}
	l.run.first, l.run.revision, l.run.count = position+uint64(len(record)), revision+1, l.run.count-1
	if l.run.count == 0 {
		w.key = runKey(w.key, string(stream), l.old)
		_ = w.batch.Delete(w.key, nil) // a batch in memory: never fails
		l.open = false
	}
	return true, nil
}

// findRun looks up the run that begins with a revision.
func (w *sweep) findRun(l *loss, stream string, revision uint64, runs *pebble.Iterator) (err error) {
	w.key = runKey(w.key, stream, revision)
	if !runs.SeekGE(w.key) {
		return iterError(runs)
	}
	if string(runs.Key()) != string(w.key) {
		return nil // the caller finds that it does not fit
	}
	l.run, err = currentRun(runs)
	l.old = revision
	return err
}

// shorten writes the runs of which some events stay.
func (w *sweep) shorten() {
	for _, stream := range w.open {
		l := w.gone[stream]
		if !l.open {
			continue
		}
		l.open = false
		w.key = runKey(w.key, stream, l.old)
		_ = w.batch.Delete(w.key, nil) // a batch in memory: never fails
		w.key = runKey(w.key, stream, l.run.revision)
		w.value = appendRun(w.value, w.key, l.run)
		_ = w.batch.Set(w.key, w.value, nil) // likewise
		l.old = l.run.revision
	}
}

// apply writes the batch. Readers use several iterators at once, so none may be
// under way while it becomes visible.
func (w *sweep) apply() error {
	defer w.batch.Close() //nolint:errcheck // memory goes back to a pool
	if w.events == 0 {
		return nil
	}
	w.note(w.batch)
	s := w.s
	s.reading.Lock()
	if s.isClosed.Load() {
		s.reading.Unlock()
		return eventstore.ErrClosed
	}
	s.whole.Store(false)
	err := s.db.ApplyNoSyncWait(w.batch, pebble.Sync)
	s.reading.Unlock()
	if err == nil {
		err = w.batch.SyncWait()
	}
	if err != nil {
		s.fence.fail(err)
	}
	if err := s.failure(); err != nil {
		return fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
	}
	w.result.Events += w.events
	w.result.Bytes += w.bytes
	return nil
}

// recordStream returns the stream of a record.
func recordStream(record []byte) (stream []byte, ok bool) {
	_, rest, ok := cut(record[recordHead+16:], 2)
	if !ok {
		return nil, false
	}
	stream, _, ok = cut(rest, 2)
	return stream, ok
}
