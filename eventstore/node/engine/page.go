package engine

import (
	"sync"

	"konto/eventstore"
)

// A page ends with a chunk, so it may hold some more events than these, and one
// more chunk than these bytes.
const (
	firstPage = 64
	fullPage  = 1024
	longPage  = fullPage + 1 // of a read that has filled one: it may go ahead
	pageBytes = 512 << 10
)

// page is what a read decodes at once.
type page struct {
	events  []eventstore.Recorded
	used    int // events has been so long
	most    int // events the reader wants at most
	size    int // events that fill the page
	room    int // bytes that fill the page
	bytes   int // of the events' records
	decoder decoder
	marks   []int // where records begin in a chunk
	copies  []byte
	piece   int           // size of the next copies
	done    chan struct{} // holds a token when a page that is filled ahead is ready
	err     error         // of a page that is filled ahead

	first, end uint64 // positions of a page out of tables; 0 if it holds none
}

var pagePool = sync.Pool{New: func() any { return &page{done: make(chan struct{}, 1)} }}

func newPage() *page {
	p := pagePool.Get().(*page) //nolint:forcetypeassert // the pool holds nothing else
	p.piece, p.bytes = firstCopies, 0
	return p
}

// want says when the page is full, and how many events the reader wants at most.
func (p *page) want(events, bytes, most int) { p.size, p.room, p.most = events, bytes, most }

func (p *page) full() bool { return len(p.events) >= p.size || p.bytes >= p.room }

func (p *page) free() {
	clear(p.events[:max(p.used, len(p.events))])
	p.events, p.used, p.copies, p.err = p.events[:0], 0, nil, nil
	pagePool.Put(p)
}

// next makes room for one more event and returns it.
func (p *page) next() *eventstore.Recorded {
	if len(p.events) == cap(p.events) {
		p.events = append(p.events, eventstore.Recorded{})
	} else {
		p.events = p.events[:len(p.events)+1]
	}
	return &p.events[len(p.events)-1]
}

// mark finds the records of c with positions in [lower, upper), beginning with
// the one at offset from. The last mark is where the last record ends.
func (p *page) mark(c chunk, from int, lower, upper uint64) error {
	p.marks = p.marks[:0]
	for from < len(c.records) && c.first+uint64(from) < upper { //nolint:gosec // not negative
		if c.first+uint64(from) >= lower { //nolint:gosec // not negative
			p.marks = append(p.marks, from)
		}
		n := recordSize(c.records[from:])
		if n == 0 {
			return corrupt("record at %d has a wrong size", c.first+uint64(from)) //nolint:gosec // not negative
		}
		from += n
	}
	p.marks = append(p.marks, from)
	return nil
}

// take decodes the marked records into the page, as many as are wanted.
func (p *page) take(c chunk, forward bool) error {
	marks, n := p.marks, min(len(p.marks)-1, p.most-len(p.events))
	for k := range n {
		i := k
		if !forward {
			i = len(marks) - 2 - k
		}
		record := c.records[marks[i]:marks[i+1]:marks[i+1]]
		position := c.first + uint64(marks[i]) //nolint:gosec // not negative
		if !c.checked {
			record = p.keep(record)
			if err := checkRecord(position, record); err != nil {
				return err
			}
		}
		if err := p.decoder.decode(p.next(), position, record); err != nil {
			p.events = p.events[:len(p.events)-1]
			return err
		}
		p.bytes += len(record)
	}
	return nil
}

// Copies of records share memory, which is allocated in pieces of this size: a
// small first one for a read of a few events, then larger ones. It is also what
// an event that a reader keeps may keep in memory.
const (
	firstCopies = 4 << 10
	fullCopies  = 16 << 10
)

// keep copies a record, so that it outlives the chunk it is in.
func (p *page) keep(record []byte) []byte {
	n := len(record)
	if n > cap(p.copies)-len(p.copies) {
		if n > p.piece/4 {
			return append([]byte(nil), record...)
		}
		p.copies = make([]byte, 0, p.piece)
		p.piece = fullCopies
	}
	at := len(p.copies)
	p.copies = append(p.copies, record...)
	return p.copies[at : at+n : at+n]
}
