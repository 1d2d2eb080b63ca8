package engine

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// A long read of $all takes chunks out of pebble's tables itself: pebble would
// copy each block to its cache first, in memory that has to be allocated and
// cleared, and drive out what others read again.
//
// It depends on little: a value is somewhere in a table as it was written. A
// chunk begins with the store's mark, 8 bytes that nobody outside knows, so
// that no event's data can pass for one; its checksum covers it; and a page is
// taken only if its chunks follow one another without a gap. With anything
// else, such as a table that a compaction has replaced in the meantime, the
// read asks pebble. A file is open while a page is decoded, not longer.

var markKey = [...]byte{metaPrefix, 'm', 'a', 'r', 'k'}

// drawMark gives a new store its mark. It is a secret, not an ID: Config.NewID
// may give what somebody can guess.
func (s *Store) drawMark() error {
	var mark [8]byte
	_, _ = rand.Read(mark[:]) // never fails
	return s.db.Set(markKey[:], mark[:], pebble.Sync)
}

func (s *Store) readMark() error {
	value, closer, err := s.db.Get(markKey[:])
	if errors.Is(err, pebble.ErrNotFound) {
		return corrupt("no mark")
	}
	if err != nil {
		return err
	}
	defer closer.Close() //nolint:errcheck // always nil
	if copy(s.mark[:], value) != len(s.mark) {
		return corrupt("mark of %d bytes", len(value))
	}
	_, unfinished, err := s.db.Get(scavengeKey[:])
	if errors.Is(err, pebble.ErrNotFound) {
		s.whole.Store(true)
		return nil
	}
	if err == nil {
		err = unfinished.Close()
	}
	return err
}

// table is one with events.
type table struct {
	path        string
	size        int64
	first, last uint64 // ends of its first and last chunks
}

// tables lists the tables with events that pebble has now, in order. There are
// none if some overlap: then only pebble knows which events count.
func (s *Store) tables(from uint64) ([]table, error) {
	levels, err := s.db.SSTables(pebble.WithKeyRangeFilter(chunkKey(nil, from), []byte{eventPrefix + 1}))
	if err != nil {
		return nil, readError(err)
	}
	var all []table
	for _, level := range levels {
		for i := range level {
			t := &level[i]
			first, last := t.Smallest.UserKey, t.Largest.UserKey
			if len(first) != chunkKeyLen || len(last) != chunkKeyLen || first[0] != eventPrefix || last[0] != eventPrefix || t.Virtual {
				return nil, nil
			}
			all = append(all, table{
				path:  s.fence.PathJoin(s.path, t.BackingSSTNum.String()+".sst"),
				size:  int64(t.Size), //nolint:gosec // of a file
				first: binary.BigEndian.Uint64(first[1:]),
				last:  binary.BigEndian.Uint64(last[1:]),
			})
		}
	}
	slices.SortFunc(all, func(a, b table) int { return cmp.Compare(a.first, b.first) })
	for i := 1; i < len(all); i++ {
		if all[i].first <= all[i-1].last {
			return nil, nil
		}
	}
	return all, nil
}

// tableScan is where a long read is in the tables.
type tableScan struct {
	tables []table
	at     int64  // offset in the first of them
	next   uint64 // position that follows the pages that passed; 0: none has
}

// scanTables returns where to find position from in the tables, or nil.
func (s *Store) scanTables(from uint64) *tableScan {
	if !s.whole.Load() {
		return nil
	}
	s.reading.RLock()
	defer s.reading.RUnlock()
	if s.isClosed.Load() {
		return nil
	}
	tables, err := s.tables(from)
	for len(tables) > 0 && tables[0].last <= from {
		tables = tables[1:]
	}
	if err != nil || len(tables) == 0 {
		return nil
	}
	at, err := s.locate(tables[0], from)
	if err != nil {
		return nil
	}
	return &tableScan{tables: tables, at: at}
}

// locate returns an offset in a table that is at most some pieces before the
// chunk with position from.
func (s *Store) locate(t table, from uint64) (int64, error) {
	f, err := s.fence.Open(t.path)
	if err != nil {
		return 0, err
	}
	defer f.Close() //nolint:errcheck // only read
	lo, hi := int64(0), t.size/tablePiece
	r := tableReader{mark: s.mark[:], file: f}
	for lo < hi { // the last piece with a chunk that begins at from or before
		mid := (lo + hi + 1) / 2
		r.begin(mid * tablePiece)
		c, err := r.next(t.size)
		switch {
		case err == nil && c.first <= from:
			lo = mid
		case err == nil || errors.Is(err, io.EOF):
			hi = mid - 1
		default:
			return 0, err
		}
	}
	return lo * tablePiece, nil
}

// tablePiece is how much of a table is read at once. An event that a reader
// keeps keeps as much in memory.
const tablePiece = 64 << 10

// ahead returns what decodes the events in [lower, upper) of the next part of
// the tables, or nil if there is no more.
func (t *tableScan) ahead(s *Store, lower, upper uint64) func(*page) error {
	for len(t.tables) > 0 && t.at >= t.tables[0].size {
		t.tables, t.at = t.tables[1:], 0
	}
	if len(t.tables) == 0 {
		return nil
	}
	from, to, path := t.at, t.at+pageBytes, t.tables[0].path
	t.at = to
	return func(p *page) error {
		if !s.whole.Load() {
			return errNotWhole
		}
		return s.scanTable(p, path, from, to, lower, upper)
	}
}

var (
	errNotWhole = errors.New("tables may hold what was removed")
	errGap      = errors.New("chunks do not follow one another")
)

// scanTable decodes the events in [lower, upper) of the chunks that begin in
// [from, to) of a file.
func (s *Store) scanTable(p *page, path string, from, to int64, lower, upper uint64) error {
	f, err := s.fence.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	r := tableReader{mark: s.mark[:], file: f}
	r.begin(from)
	for {
		c, err := r.next(to)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case c.end() <= lower:
			continue
		case c.first >= upper:
			return nil
		case p.end == 0:
			p.first = c.first
		case c.first != p.end:
			return errGap
		}
		p.end = c.end()
		if err := p.mark(c, 0, lower, upper); err != nil {
			return err
		}
		if err := p.take(c, true); err != nil {
			return err
		}
	}
}

// tableReader finds chunks in a file.
type tableReader struct {
	mark  []byte
	file  vfs.File
	at    int64  // offset of what follows piece
	piece []byte // what was read and not looked at
}

func (r *tableReader) begin(at int64) { r.at, r.piece = at, nil }

// next returns the next chunk that begins before offset to, checked, or io.EOF.
func (r *tableReader) next(to int64) (chunk, error) {
	for {
		i := bytes.Index(r.piece, r.mark)
		if i < 0 {
			i = max(0, len(r.piece)-len(r.mark)+1)
		}
		start := r.at - int64(len(r.piece)-i)
		if start >= to {
			return chunk{}, io.EOF
		}
		r.piece = r.piece[i:]
		need := tablePiece
		if len(r.piece) >= chunkHead && bytes.HasPrefix(r.piece, r.mark) {
			need = chunkHead + int(binary.LittleEndian.Uint32(r.piece[12:]))
			if need <= len(r.piece) {
				c, err := openChunk(r.piece[:need:need])
				if err == nil {
					err = c.check()
				}
				r.piece = r.piece[need:]
				return c, err
			}
			need = max(need, tablePiece)
		}
		if need > maxTableChunk {
			return chunk{}, errGap
		}
		piece := make([]byte, need)
		n, err := r.file.ReadAt(piece, start)
		if n <= len(r.piece) { // nothing new
			if err == nil || errors.Is(err, io.EOF) {
				err = io.EOF
			}
			return chunk{}, err
		}
		r.at, r.piece = start+int64(n), piece[:n]
	}
}

// maxTableChunk bounds what is believed of a chunk's size before its checksum
// was verified. Longer ones are read through pebble.
const maxTableChunk = 1 << 20
