package grpc

import (
	"encoding/binary"
	"math"
	"strconv"
	"sync"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"konto/eventstore"
)

// encoder writes ReadResp messages from their ends to their beginnings: that
// way the length of a part is known when it is due, and one pass is enough. The
// messages of a call share blocks of memory. A block is written again when all
// its messages were sent and the encoder is done with it.
type encoder struct {
	block  []byte
	shared mem.Buffer // the block, counted
	at     int        // block[at:] is written
	next   int        // size of the next block
}

// Blocks are small for a call that reads an event or two, and then as large as
// some twenty events of 600 bytes.
const (
	firstBlock = 2 << 10
	fullBlock  = 16 << 10
)

// blockPool has blocks of fullBlock bytes.
type blockPool struct{ sync.Pool }

var blocks = &blockPool{sync.Pool{New: func() any {
	b := make([]byte, fullBlock)
	return &b
}}}

// Get implements [mem.BufferPool].
func (p *blockPool) Get(int) *[]byte { return p.Pool.Get().(*[]byte) } //nolint:forcetypeassert // it holds nothing else

// Put implements [mem.BufferPool].
func (p *blockPool) Put(b *[]byte) { p.Pool.Put(b) }

// begin makes room for a message of at most n bytes and returns its end.
func (e *encoder) begin(n int) (end int) {
	if n <= e.at {
		return e.at
	}
	e.free()
	e.next = min(max(2*e.next, firstBlock), fullBlock)
	if e.next == fullBlock && n <= fullBlock {
		b := blocks.Get(fullBlock)
		e.block, e.shared = *b, mem.NewBuffer(b, blocks)
	} else {
		e.block = make([]byte, max(n, e.next))
		e.shared = mem.SliceBuffer(e.block)
	}
	e.at = len(e.block)
	return e.at
}

// free lets go of the block. What was encoded stays until it is freed, too.
func (e *encoder) free() {
	if e.shared != nil {
		e.shared.Free()
	}
	e.block, e.shared, e.at = nil, nil, 0
}

func (e *encoder) varint(v uint64) {
	e.at -= protowire.SizeVarint(v)
	binary.PutUvarint(e.block[e.at:], v)
}

// tag is a field's number and type, for numbers below 16.
func (e *encoder) tag(field protowire.Number, t protowire.Type) {
	e.at--
	e.block[e.at] = byte(field)<<3 | byte(t) //nolint:gosec // below 16
}

// number is a field unless it is 0, which is what a field that is not there means.
func (e *encoder) number(field protowire.Number, v uint64) {
	if v != 0 {
		e.varint(v)
		e.tag(field, protowire.VarintType)
	}
}

func (e *encoder) bytes(field protowire.Number, b []byte) {
	if len(b) > 0 {
		e.at -= len(b)
		copy(e.block[e.at:], b)
		e.close(field, e.at+len(b))
	}
}

func (e *encoder) string(field protowire.Number, s string) {
	e.at -= len(s)
	copy(e.block[e.at:], s)
	e.close(field, e.at+len(s))
}

// close ends what was written since end as a field of its own.
func (e *encoder) close(field protowire.Number, end int) {
	e.varint(uint64(end - e.at)) //nolint:gosec // not negative
	e.tag(field, protowire.BytesType)
}

// Names of the metadata and values of the content type, as EventStoreDB has them.
const (
	keyType        = "type"
	keyCreated     = "created"
	keyContentType = "content-type"

	contentJSON   = "application/json"
	contentBinary = "application/octet-stream"
)

// The most a message has beside names, data and metadata: of each recorded
// event at most 220 bytes.
const overhead = 512

// event encodes a ReadResp with an event: r, or the link r.Link and, if withTarget
// is set, r. It returns the encoded message, which is to be freed.
func (e *encoder) event(r *eventstore.Recorded, withTarget, text bool) mem.Buffer {
	original := r
	size := overhead + sizeOf(r)
	if r.Link != nil {
		original = r.Link
		size += sizeOf(r.Link)
	}
	end := e.begin(size)
	if original.Position.Commit == math.MaxUint64 {
		e.emptyMessage(4)
	} else {
		e.present(3, original.Position.Commit)
	}
	if r.Link != nil {
		e.recorded(2, r.Link, text)
	}
	if withTarget {
		e.recorded(1, r, text)
	}
	e.close(1, end)
	return e.shared.Slice(e.at, end)
}

func sizeOf(r *eventstore.Recorded) int {
	return len(r.Stream) + len(r.Type) + len(r.Data) + len(r.Meta)
}

// present is a number in a oneof: there, even if it is 0.
func (e *encoder) present(field protowire.Number, v uint64) {
	e.varint(v)
	e.tag(field, protowire.VarintType)
}

func (e *encoder) emptyMessage(field protowire.Number) { e.close(field, e.at) }

func (e *encoder) recorded(field protowire.Number, r *eventstore.Recorded, text bool) {
	end := e.at
	e.bytes(8, r.Data)
	e.bytes(7, r.Meta)
	content := contentJSON
	if r.Binary {
		content = contentBinary
	}
	e.entry(keyContentType, content)
	e.created(ticks(r.At))
	e.entry(keyType, r.Type)
	e.number(5, r.Position.Commit)
	e.number(4, r.Position.Prepare)
	e.number(3, uint64(r.Revision)) //nolint:gosec // not negative
	name := e.at
	e.string(3, r.Stream)
	e.close(2, name)
	e.id(r.ID, text)
	e.close(field, end)
}

// entry is one of the map of metadata.
func (e *encoder) entry(key, value string) {
	end := e.at
	e.string(2, value)
	e.string(1, key)
	e.close(6, end)
}

// created is an entry with a decimal number. Clients end the process if it is
// missing or not a number.
func (e *encoder) created(ticks int64) {
	end := e.at
	var decimal [20]byte
	e.bytes(2, strconv.AppendInt(decimal[:0], ticks, 10))
	e.string(1, keyCreated)
	e.close(6, end)
}

func (e *encoder) id(id eventstore.ID, text bool) {
	end := e.at
	if text {
		e.at -= 36
		appendText(e.block[e.at:e.at], id)
		e.close(2, end)
	} else {
		e.number(2, binary.BigEndian.Uint64(id[8:]))
		e.number(1, binary.BigEndian.Uint64(id[:8]))
		e.close(1, end)
	}
	e.close(1, end)
}
