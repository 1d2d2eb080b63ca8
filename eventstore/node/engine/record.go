package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/maphash"
	"math"
	"time"

	"konto/eventstore"
)

// Keys. The first byte says what is stored:
//
//	'e' end(8)                         → chunk: head, then records
//	's' len(2) stream revision(8)      → run: where an append's events are
//	'w' len(2) stream                  → what readers of a stream need besides
//	'x' len(2) index ordinal(8)        → positions of events in an index
//	'm' name                           → the store's own facts
//
// Numbers in keys are big-endian, so that keys sort as numbers do. The length
// before the stream name keeps one name from being the beginning of another.
//
// A position is the offset of a record in all records, so a chunk's end is the
// position that follows its last record, and its length says where it begins.
// With the end as key, one seek finds the chunk that holds a position.
const (
	eventPrefix  = 'e'
	streamPrefix = 's'
	factPrefix   = 'w'
	indexPrefix  = 'x'
	metaPrefix   = 'm'

	chunkKeyLen    = 1 + 8
	maxStreamBytes = 1024
	maxTypeBytes   = 1024
	// maxRecordBytes is EventStoreDB's limit of an event.
	maxRecordBytes = 16<<20 - 10_000
)

func chunkKey(buf []byte, end uint64) []byte {
	return binary.BigEndian.AppendUint64(append(buf[:0], eventPrefix), end)
}

func runKey(buf []byte, stream string, revision uint64) []byte {
	buf = binary.BigEndian.AppendUint16(append(buf[:0], streamPrefix), uint16(len(stream))) //nolint:gosec // validated: at most maxStreamBytes
	return binary.BigEndian.AppendUint64(append(buf, stream...), revision)
}

// The head of a chunk is, little-endian,
//
//	mark(8) crc(4) size of the records(4) end(8)
//
// The mark is a number that each store draws for itself; it says where in a
// file chunks begin (tables.go). The checksum (CRC-32C) covers what follows it.
// It saves who reads the whole chunk from checking each record.
const chunkHead = 8 + 4 + 4 + 8

// A record is, little-endian, with size that of the whole:
//
//	crc(4) size(4) flags(1) at(8, µs) revision(8) | id(16) len(2) type len(2) stream len(4) meta data
//
// The checksum (CRC-32C) covers everything after it, the part behind the bar
// first, and then the position: the writer goroutine, which alone knows the
// part before the bar, must not read the event again.
const (
	recordHead  = 4 + 4 + 1 + 8 + 8
	recordFixed = recordHead + 16 + 2 + 2 + 4

	flagBinary byte = 1 << 0
	flagLink   byte = 1 << 1 // reserved: the record links to another
	flagsKnown      = flagBinary | flagLink
)

// A run is the value under a stream key: first position(8), last position(8),
// number of events(4), CRC-32C of all that and the key(4).
const runLen = 8 + 8 + 4 + 4

// ErrCorrupt means that what is on disk is not what was written. Errors that match it
// match [eventstore.ErrUnavailable] too.
var ErrCorrupt = errors.New("engine: corrupt store")

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %w: %s", eventstore.ErrUnavailable, ErrCorrupt, fmt.Sprintf(format, args...))
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // the same table each time

func recordLen(stream string, e *eventstore.Event) int {
	return recordFixed + len(stream) + len(e.Type) + len(e.Meta) + len(e.Data)
}

// appendRecord encodes what a caller knows of an event. It leaves the checksum
// of that part in the checksum's place.
func appendRecord(buf []byte, stream string, e *eventstore.Event) []byte {
	start := len(buf)
	buf = append(buf, make([]byte, recordHead)...)
	binary.LittleEndian.PutUint32(buf[start+4:], uint32(recordLen(stream, e))) //nolint:gosec // validated: little more than MaxAppendBytes
	if e.Binary {
		buf[start+8] |= flagBinary
	}
	buf = append(buf, e.ID[:]...)
	buf = binary.LittleEndian.AppendUint16(buf, uint16(len(e.Type))) //nolint:gosec // validated: at most maxTypeBytes
	buf = append(buf, e.Type...)
	buf = binary.LittleEndian.AppendUint16(buf, uint16(len(stream))) //nolint:gosec // validated: at most maxStreamBytes
	buf = append(buf, stream...)
	buf = binary.LittleEndian.AppendUint32(buf, uint32(len(e.Meta))) //nolint:gosec // validated: at most MaxAppendBytes
	buf = append(buf, e.Meta...)
	buf = append(buf, e.Data...)
	binary.LittleEndian.PutUint32(buf[start:], crc32.Checksum(buf[start+recordHead:], castagnoli()))
	return buf
}

// finishRecord fills in what only the writer knows.
func finishRecord(rec []byte, position, revision uint64, at time.Time) {
	binary.LittleEndian.PutUint64(rec[9:], uint64(at.UnixMicro()))
	binary.LittleEndian.PutUint64(rec[17:], revision)
	binary.LittleEndian.PutUint32(rec, finishSum(binary.LittleEndian.Uint32(rec), rec, position))
}

func finishSum(sum uint32, rec []byte, position uint64) uint32 {
	var tail [recordHead - 4 + 8]byte
	copy(tail[:], rec[4:recordHead])
	binary.LittleEndian.PutUint64(tail[recordHead-4:], position)
	return crc32.Update(sum, castagnoli(), tail[:])
}

// recordSize returns the size of the record that b begins with, or 0 if there
// can be none. Only the record's checksum tells whether the size is right.
func recordSize(b []byte) int {
	if len(b) < recordFixed {
		return 0
	}
	n := int(binary.LittleEndian.Uint32(b[4:]))
	if n < recordFixed || n > len(b) {
		return 0
	}
	return n
}

// decoder turns records into events.
type decoder struct {
	seed  maphash.Seed
	names [1 << nameBits]string // the newest stream names and types
}

const nameBits = 9

// checkRecord compares the record found at position with its checksum.
func checkRecord(position uint64, rec []byte) error {
	if sum := crc32.Checksum(rec[recordHead:], castagnoli()); finishSum(sum, rec, position) != binary.LittleEndian.Uint32(rec) {
		return corrupt("record at %d has a wrong checksum", position)
	}
	return nil
}

// decode fills r with a record that was checked. r keeps parts of rec, which
// must not change any more.
func (d *decoder) decode(r *eventstore.Recorded, position uint64, rec []byte) error {
	if rec[8]&^flagsKnown != 0 {
		return corrupt("record at %d has unknown flags %#x", position, rec[8])
	}
	r.Binary = rec[8]&flagBinary != 0
	r.At = time.UnixMicro(int64(binary.LittleEndian.Uint64(rec[9:]))).UTC() //nolint:gosec // as encoded
	r.Revision = eventstore.Revision(binary.LittleEndian.Uint64(rec[17:]) & math.MaxInt64)
	r.Position = eventstore.Position{Commit: position, Prepare: position}
	r.Link = nil
	r.ID = eventstore.ID(rec[recordHead : recordHead+16])
	rest := rec[recordHead+16:]
	typ, rest, ok1 := cut(rest, 2)
	stream, rest, ok2 := cut(rest, 2)
	meta, data, ok3 := cut(rest, 4)
	if !ok1 || !ok2 || !ok3 {
		return corrupt("record at %d has wrong lengths", position)
	}
	r.Type, r.Stream = d.name(typ), d.name(stream)
	r.Meta, r.Data = meta, data
	return nil
}

// cut splits b after a length of n bytes and as many bytes as it says.
func cut(b []byte, n int) (field, rest []byte, ok bool) {
	if len(b) < n {
		return nil, nil, false
	}
	size := int(binary.LittleEndian.Uint16(b))
	if n == 4 {
		size = int(binary.LittleEndian.Uint32(b))
	}
	if size > len(b)-n {
		return nil, nil, false
	}
	return b[n : n+size : n+size], b[n+size:], true
}

// name gives one string for all events of a stream or type, unless many others
// came between them.
func (d *decoder) name(b []byte) string {
	if d.seed == (maphash.Seed{}) {
		d.seed = maphash.MakeSeed()
	}
	p := &d.names[maphash.Bytes(d.seed, b)%uint64(len(d.names))]
	if *p != string(b) { // no allocation to compare
		*p = string(b)
	}
	return *p
}

type run struct {
	revision    uint64 // of the first event; from the key
	first, last uint64 // positions
	count       uint64
}

func (r run) lastRevision() eventstore.Revision {
	return eventstore.Revision(r.revision + r.count - 1) //nolint:gosec // revisions are below 2^63
}

func appendRun(buf, key []byte, r run) []byte {
	buf = binary.BigEndian.AppendUint64(buf[:0], r.first)
	buf = binary.BigEndian.AppendUint64(buf, r.last)
	buf = binary.BigEndian.AppendUint32(buf, uint32(r.count)) //nolint:gosec // an append has at most MaxAppendBytes events
	return binary.BigEndian.AppendUint32(buf, crc32.Update(crc32.Checksum(buf, castagnoli()), castagnoli(), key))
}

func decodeRun(key, value []byte) (run, error) {
	if len(value) != runLen || len(key) < 8 {
		return run{}, corrupt("index entry of %d bytes", len(value))
	}
	sum := crc32.Update(crc32.Checksum(value[:runLen-4], castagnoli()), castagnoli(), key)
	r := run{
		revision: binary.BigEndian.Uint64(key[len(key)-8:]),
		first:    binary.BigEndian.Uint64(value),
		last:     binary.BigEndian.Uint64(value[8:]),
		count:    uint64(binary.BigEndian.Uint32(value[16:])),
	}
	if sum != binary.BigEndian.Uint32(value[20:]) || r.count == 0 {
		return run{}, corrupt("index entry for position %d has a wrong checksum", r.first)
	}
	return r, nil
}
