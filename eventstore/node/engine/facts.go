package engine

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"konto/eventstore"
)

// fact is what a reader of a stream needs to know besides its events. It is
// written in the batch of the event that changes it. Most streams have none.
type fact struct {
	metadata       uint64 // position of the newest event of the metadata stream; 0: none
	tombstone      uint64 // position; 0: none
	truncateBefore int64  // as the metadata says, like the limits that follow
	maxCount       int64
	maxAge         time.Duration
}

const factLen = 5*8 + 4

// deleted says that a stream is soft-deleted: its metadata truncates everything.
const deleted = math.MaxInt64

// limit takes over what metadata says of a stream's window.
func (f *fact) limit(m Metadata) {
	f.truncateBefore, f.maxCount, f.maxAge = int64(m.TruncateBefore), m.MaxCount, m.MaxAge
}

func factKey(buf []byte, stream string) []byte {
	buf = binary.BigEndian.AppendUint16(append(buf[:0], factPrefix), uint16(len(stream))) //nolint:gosec // validated: at most maxStreamBytes
	return append(buf, stream...)
}

func appendFact(buf, key []byte, f fact) []byte {
	buf = buf[:0]
	for _, n := range []uint64{f.metadata, f.tombstone, uint64(f.truncateBefore), uint64(f.maxCount), uint64(f.maxAge)} { //nolint:gosec // not negative
		buf = binary.BigEndian.AppendUint64(buf, n)
	}
	return binary.BigEndian.AppendUint32(buf, crc32.Update(crc32.Checksum(buf, castagnoli()), castagnoli(), key))
}

func decodeFact(key, value []byte) (fact, error) {
	if len(value) != factLen {
		return fact{}, corrupt("facts of %d bytes about a stream", len(value))
	}
	sum := crc32.Update(crc32.Checksum(value[:factLen-4], castagnoli()), castagnoli(), key)
	if sum != binary.BigEndian.Uint32(value[factLen-4:]) {
		return fact{}, corrupt("facts about a stream have a wrong checksum")
	}
	n := func(i int) uint64 { return binary.BigEndian.Uint64(value[8*i:]) }
	return fact{
		metadata: n(0), tombstone: n(1), truncateBefore: int64(n(2)), maxCount: int64(n(3)), maxAge: time.Duration(n(4)), //nolint:gosec // as encoded
	}, nil
}

// anyFact reports whether the store knows facts about any stream.
func (s *Store) anyFact() (bool, error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{factPrefix}, UpperBound: []byte{factPrefix + 1}})
	if err != nil {
		return false, readError(err)
	}
	defer it.Close() //nolint:errcheck // its Error has been read
	return it.First(), iterError(it)
}

// newestFact returns the facts about a stream, durable or not.
func (s *Store) newestFact(stream string) (fact, error) {
	if !s.facts.Load() || len(stream) > maxStreamBytes {
		return fact{}, nil
	}
	key := factKey(nil, stream)
	value, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return fact{}, nil
	}
	if err != nil {
		return fact{}, readError(err)
	}
	defer closer.Close() //nolint:errcheck // always nil
	return decodeFact(key, value)
}

// fact returns the facts about a stream up to position visible. A metadata
// stream has those that EventStoreDB gives it: one event, and the tombstone of
// the stream it describes.
func (s *Store) fact(stream string, visible uint64) (fact, error) {
	if !s.facts.Load() && !strings.HasPrefix(stream, metadataPrefix) {
		return fact{}, nil
	}
	if described, ok := strings.CutPrefix(stream, metadataPrefix); ok {
		f, err := s.fact(described, visible)
		return fact{tombstone: f.tombstone, maxCount: 1}, err
	}
	f, err := s.newestFact(stream)
	if err != nil {
		return fact{}, err
	}
	if f.tombstone > visible {
		f.tombstone = 0
	}
	if f.metadata > visible {
		return s.olderFact(stream, f.tombstone, visible)
	}
	return f, nil
}

// olderFact finds out what a fact was before the newest, not yet visible
// metadata replaced it.
func (s *Store) olderFact(stream string, tombstone, visible uint64) (fact, error) {
	f := fact{tombstone: tombstone}
	newest, err := s.lastRun(metadataPrefix+stream, visible)
	if err != nil || newest.count == 0 {
		return f, err
	}
	var e eventstore.Recorded
	found, err := s.eventAt(newest.last, &e)
	if err != nil || !found {
		return f, err
	}
	f.metadata = newest.last
	m, _ := parseMetadata(&e) // what cannot be parsed is none
	f.limit(m)
	return f, nil
}

// metadataEvent returns the newest durable event of a stream's metadata stream.
// The caller holds reading.
func (s *Store) metadataEvent(stream string) (e eventstore.Recorded, found bool, err error) {
	f, err := s.fact(stream, s.durable.Load())
	if err != nil || f.metadata == 0 || f.tombstone != 0 {
		return e, false, err
	}
	found, err = s.eventAt(f.metadata, &e)
	return e, found, err
}

// eventAt reads the event at a position. It reports false if nothing is there
// any more.
func (s *Store) eventAt(position uint64, e *eventstore.Recorded) (found bool, err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{eventPrefix}, UpperBound: []byte{eventPrefix + 1}})
	if err != nil {
		return false, readError(err)
	}
	defer it.Close() //nolint:errcheck // its Error has been read
	f := finder{events: it}
	return f.find(position, e)
}

// finder reads single events by their positions.
type finder struct {
	events  *pebble.Iterator
	chunk   chunk
	key     []byte
	decoder decoder
}

func (f *finder) find(position uint64, e *eventstore.Recorded) (found bool, err error) {
	if err := f.seek(position); err != nil || !f.chunk.holds(position) {
		return false, err
	}
	return true, f.decode(position, e)
}

// atOrAfter reads the event at a position or, if that is gone, the next one.
func (f *finder) atOrAfter(position uint64, e *eventstore.Recorded) (found bool, err error) {
	if err := f.seek(position); err != nil || len(f.chunk.records) == 0 {
		return false, err
	}
	return true, f.decode(max(position, f.chunk.first), e)
}

// seek goes to the chunk that holds a position, or to the one that follows it.
func (f *finder) seek(position uint64) (err error) {
	if f.chunk.holds(position) {
		return nil
	}
	f.key, f.chunk = chunkKey(f.key, position+1), chunk{}
	if !f.events.SeekGE(f.key) {
		return iterError(f.events)
	}
	f.chunk, err = currentChunk(f.events)
	return err
}

func (f *finder) decode(position uint64, e *eventstore.Recorded) error {
	record := f.chunk.records[position-f.chunk.first:]
	n := recordSize(record)
	if n == 0 {
		return corrupt("record at %d has a wrong size", position)
	}
	record = append([]byte(nil), record[:n]...)
	if err := checkRecord(position, record); err != nil {
		return err
	}
	return f.decoder.decode(e, position, record)
}
