package engine

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/cockroachdb/pebble/v2"
)

// chunk is one under an iterator. Unless it was copied, it is gone when the
// iterator moves.
type chunk struct {
	first   uint64 // position of its first record
	records []byte
	sum     uint32 // what the checksum should be
	rest    []byte // what the checksum covers
	checked bool   // the checksum was right, and records do not change
}

// sealChunk completes a chunk: the space for its head, and records.
func sealChunk(value []byte, mark [8]byte, end uint64) {
	copy(value, mark[:])
	binary.LittleEndian.PutUint32(value[12:], uint32(len(value)-chunkHead)) //nolint:gosec // at most little more than MaxAppendBytes
	binary.LittleEndian.PutUint64(value[16:], end)
	binary.LittleEndian.PutUint32(value[8:], crc32.Checksum(value[12:], castagnoli()))
}

// openChunk takes a chunk apart. Its checksum is still to be verified, or that
// of each record which is used.
func openChunk(value []byte) (chunk, error) {
	if len(value) < chunkHead+recordFixed {
		return chunk{}, corrupt("chunk of %d bytes", len(value))
	}
	n, end := uint64(len(value)-chunkHead), binary.LittleEndian.Uint64(value[16:]) //nolint:gosec // positive
	if uint64(binary.LittleEndian.Uint32(value[12:])) != n || n >= end {
		return chunk{}, corrupt("chunk of %d bytes before %d", len(value), end)
	}
	return chunk{first: end - n, records: value[chunkHead:], sum: binary.LittleEndian.Uint32(value[8:]), rest: value[12:]}, nil
}

// check verifies the checksum of a chunk whose memory does not change.
func (c *chunk) check() error {
	if crc32.Checksum(c.rest, castagnoli()) != c.sum {
		return corrupt("chunk at %d has a wrong checksum", c.first)
	}
	c.checked = true
	return nil
}

// copy is for a reader that wants most of the records: to copy them all first
// and to check them at once is faster than to do so for each.
func (c chunk) copy() (chunk, error) {
	c.rest = append([]byte(nil), c.rest...)
	c.records = c.rest[chunkHead-12:]
	return c, c.check()
}

func (c chunk) end() uint64 { return c.first + uint64(len(c.records)) }

func (c chunk) holds(position uint64) bool { return c.first <= position && position < c.end() }

// currentChunk returns the chunk under an iterator.
func currentChunk(it *pebble.Iterator) (chunk, error) {
	key := it.Key()
	value, err := it.ValueAndErr()
	if err != nil {
		return chunk{}, readError(err)
	}
	c, err := openChunk(value)
	if err == nil && (len(key) != chunkKeyLen || c.end() != binary.BigEndian.Uint64(key[1:])) {
		err = corrupt("chunk at %d with another one's key", c.first)
	}
	return c, err
}
