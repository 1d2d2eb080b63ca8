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
	checked bool   // records are a copy whose checksum was right
}

// sealChunk returns the checksum of a chunk: the records and then their end.
func sealChunk(records []byte, end uint64) uint32 {
	var tail [8]byte
	binary.LittleEndian.PutUint64(tail[:], end)
	return crc32.Update(crc32.Checksum(records, castagnoli()), castagnoli(), tail[:])
}

// copy is for a reader that wants most of the records: to copy them all first
// and to check them at once is faster than to do so for each.
func (c chunk) copy() (chunk, error) {
	c.records = append([]byte(nil), c.records...)
	if sealChunk(c.records, c.end()) != c.sum {
		return chunk{}, corrupt("chunk at %d has a wrong checksum", c.first)
	}
	c.checked = true
	return c, nil
}

func (c chunk) end() uint64 { return c.first + uint64(len(c.records)) }

func (c chunk) holds(position uint64) bool { return c.first <= position && position < c.end() }

// currentChunk returns the chunk under an iterator. Its checksum is still to be
// verified, or that of each record which is used.
func currentChunk(it *pebble.Iterator) (chunk, error) {
	key := it.Key()
	value, err := it.ValueAndErr()
	if err != nil {
		return chunk{}, readError(err)
	}
	n := len(value) - chunkSumLen
	if len(key) != chunkKeyLen || n < recordFixed || uint64(n) >= binary.BigEndian.Uint64(key[1:]) {
		return chunk{}, corrupt("chunk of %d bytes with a key of %d bytes", len(value), len(key))
	}
	return chunk{
		first:   binary.BigEndian.Uint64(key[1:]) - uint64(n), //nolint:gosec // positive
		records: value[:n:n],
		sum:     binary.LittleEndian.Uint32(value[n:]),
	}, nil
}
