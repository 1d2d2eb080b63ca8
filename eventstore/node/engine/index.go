package engine

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"konto/eventstore"
)

// Indexes list events by what they have in common. They read like streams of
// links, under the names that EventStoreDB's standard projections use, but are
// written with the events themselves, never late, and not in $all.
const (
	indexStreams     = "$streams"   // event 0 of each stream
	indexCategory    = "$ce-"       // of streams whose name has this before its first "-"
	indexType        = "$et-"       // of this type; deletes and tombstones are "$deleted"
	indexCorrelation = "$bc-"       // with this $correlationId in their JSON metadata
	indexStreamsOf   = "$category-" // like $streams, of one category; no links, but names of streams
)

const deletedType = "$deleted"

// isIndex reports whether a name is that of an index. Streams whose name begins
// with "$" are in none but those of types and correlations.
func isIndex(name string) bool {
	return name == indexStreams || strings.HasPrefix(name, indexCategory) || strings.HasPrefix(name, indexType) ||
		strings.HasPrefix(name, indexCorrelation) || strings.HasPrefix(name, indexStreamsOf)
}

// indexed reports whether a stream is an index of this store.
func (s *Store) indexed(stream string) bool { return s.config.Indexes && isIndex(stream) }

// indexName is the name of an index in two parts, which need not be put
// together for each event.
type indexName struct{ prefix, rest string }

func (n indexName) String() string { return n.prefix + n.rest }

// postings are what a group adds to indexes.
type postings struct {
	names     []indexName
	positions [][]uint64
	at        map[indexName]int
}

func (p *postings) add(prefix, rest string, position uint64) {
	n := indexName{prefix, rest}
	i, ok := p.at[n]
	if !ok {
		if len(prefix)+len(rest) > maxStreamBytes {
			return // nobody can name it
		}
		i = len(p.names)
		p.at[n] = i
		p.names = append(p.names, n)
		if i < cap(p.positions) {
			p.positions = p.positions[:i+1]
			p.positions[i] = p.positions[i][:0]
		} else {
			p.positions = append(p.positions, nil)
		}
	}
	p.positions[i] = append(p.positions[i], position)
}

// clear leaves the names to whoever has them.
func (p *postings) clear() {
	clear(p.at)
	p.names, p.positions = nil, p.positions[:0]
}

// post says in which indexes the events of a part are. Correlations are known
// by then, or are looked for.
func (p *postings) post(part *part) {
	if part.correlations == nil {
		part.correlations = correlations(part.events)
	}
	category, _, isCategory := strings.Cut(part.stream, "-")
	own := strings.HasPrefix(part.stream, "$")
	isCategory = isCategory && !own && category != ""
	for i := range part.events {
		e := &part.events[i]
		at := e.Position.Commit
		if !own && e.Revision == 0 {
			p.add(indexStreams, "", at)
			if isCategory {
				p.add(indexStreamsOf, category, at)
			}
		}
		if isCategory {
			p.add(indexCategory, category, at)
		}
		switch {
		case e.Type == eventstore.LinkType:
		case endsStream(e):
			p.add(indexType, deletedType, at)
		default:
			p.add(indexType, e.Type, at)
		}
		if c := part.correlations[i]; c != "" {
			p.add(indexCorrelation, c, at)
		}
	}
}

// endsStream reports whether an event deletes a stream, softly or for ever.
func endsStream(e *eventstore.Recorded) bool {
	if e.Type != metadataType {
		return e.Type == tombstoneType
	}
	m, err := parseMetadata(e)
	_, ok := describes(e.Stream)
	return ok && err == nil && m.TruncateBefore == deleted
}

// correlations returns what correlates each event with others, or "".
func correlations(events []eventstore.Recorded) []string {
	list := make([]string, len(events))
	for i := range events {
		list[i] = correlation(events[i].Meta)
	}
	return list
}

const correlationKey = "$correlationId"

// correlation finds the correlation ID in an event's metadata. Most have none,
// which is seen without parsing; a backslash may hide one.
func correlation(meta []byte) (id string) {
	if !bytes.Contains(meta, []byte(correlationKey)) && bytes.IndexByte(meta, '\\') < 0 {
		return ""
	}
	d := decodeJSON(meta)
	err := members(d, func(key string) error {
		if key != correlationKey || d.PeekKind() != '"' {
			return d.SkipValue()
		}
		t, err := d.ReadToken()
		if err == nil {
			id = t.String()
		}
		return err
	})
	if err != nil {
		return "" // not JSON
	}
	return id
}

func indexKey(buf []byte, name string, ordinal uint64) []byte {
	buf = binary.BigEndian.AppendUint16(append(buf[:0], indexPrefix), uint16(len(name))) //nolint:gosec // postings: at most maxStreamBytes
	return binary.BigEndian.AppendUint64(append(buf, name...), ordinal)
}

// appendPostings encodes positions: the first, then what each is more than the
// one before, and a CRC-32C of all that and the key.
func appendPostings(buf, key []byte, positions []uint64) []byte {
	buf = buf[:0]
	last := uint64(0)
	for _, p := range positions {
		buf = binary.AppendUvarint(buf, p-last)
		last = p
	}
	return binary.BigEndian.AppendUint32(buf, crc32.Update(crc32.Checksum(buf, castagnoli()), castagnoli(), key))
}

// decodePostings returns the positions under an iterator, and the ordinal of the
// first one.
func decodePostings(it *pebble.Iterator, buf []uint64) (first uint64, positions []uint64, err error) {
	key := it.Key()
	value, err := it.ValueAndErr()
	if err != nil {
		return 0, nil, readError(err)
	}
	if len(value) < 5 || len(key) < 8 {
		return 0, nil, corrupt("index entry of %d bytes", len(value))
	}
	rest, sum := value[:len(value)-4], value[len(value)-4:]
	if crc32.Update(crc32.Checksum(rest, castagnoli()), castagnoli(), key) != binary.BigEndian.Uint32(sum) {
		return 0, nil, corrupt("index entry has a wrong checksum")
	}
	last := uint64(0)
	for len(rest) > 0 {
		d, n := binary.Uvarint(rest)
		if n <= 0 {
			return 0, nil, corrupt("index entry of %d bytes", len(value))
		}
		last, rest = last+d, rest[n:]
		buf = append(buf, last)
	}
	return binary.BigEndian.Uint64(key[len(key)-8:]), buf, nil
}

// sealIndexes adds to the batch what the group adds to indexes, one entry for
// each, and says that they are complete.
func (s *Store) sealIndexes(batch *pebble.Batch, last uint64) ([]indexName, error) {
	w := &s.writer
	defer w.postings.clear()
	for i, n := range w.postings.names {
		name, positions := n.String(), w.postings.positions[i]
		next, err := s.nextOrdinal(name)
		if err != nil {
			return nil, fmt.Errorf("index %s: %w", name, err)
		}
		w.key = indexKey(w.key, name, next)
		w.value = appendPostings(w.value, w.key, positions)
		_ = batch.Set(w.key, w.value, nil) // a batch in memory: never fails
		w.ordinals.Add(name, next+uint64(len(positions)))
	}
	w.value = binary.BigEndian.AppendUint64(w.value[:0], last)
	_ = batch.Set(indexedKey(), w.value, nil)
	return w.postings.names, nil
}

// nextOrdinal returns the ordinal of the next event of an index. All groups
// before this one can be read.
func (s *Store) nextOrdinal(name string) (uint64, error) {
	if next, ok := s.writer.ordinals.Get(name); ok {
		return next, nil
	}
	it, err := s.indexIter(name)
	if err != nil {
		return 0, err
	}
	defer it.Close() //nolint:errcheck // its Error has been read
	if !it.Last() {
		return 0, iterError(it)
	}
	first, positions, err := decodePostings(it, nil)
	return first + uint64(len(positions)), err
}

func (s *Store) indexIter(name string) (*pebble.Iterator, error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: indexKey(nil, name, 0), UpperBound: indexKey(nil, name, math.MaxUint64)})
	if err != nil {
		return nil, readError(err)
	}
	return it, nil
}
