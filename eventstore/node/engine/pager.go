package engine

import (
	"math"

	"konto/eventstore"
)

// A read works in pages: it decodes a page of events, lets go of the database
// and only then yields them. So a slow reader holds no table or memtable, and
// Close never waits for one.
//
// A long read decodes its next pages in goroutines while the reader looks at
// the one before, so that it has more than one processor core. At most
// aheadPages are held for a reader that does not come back.
const aheadPages = 2

// source says what the pages of a read hold.
type source interface {
	// fill decodes the page that follows what was read, and reports whether
	// there may be another one.
	fill(p *page) (more bool, err error)
	// ahead returns what fills the page after all that were begun, or nil: then
	// they must be read before it is known what follows. What it returns is
	// called in a goroutine of its own.
	ahead() func(*page) error
	// passed is told what a page that was filled ahead holds, in order, and
	// reports whether it is what follows the one before.
	passed(p *page) bool
}

// inOrder is a source that never fills ahead.
type inOrder func(*page) (more bool, err error)

func (f inOrder) fill(p *page) (more bool, err error) { return f(p) }
func (inOrder) ahead() func(*page) error              { return nil }
func (inOrder) passed(*page) bool                     { return true }

// pager gives the pages of one read, one after the other.
type pager struct {
	s     *Store
	from  source
	left  int     // events the reader still wants
	size  int     // events that fill the next page
	page  *page   // the newest one
	begun []*page // filled ahead, in order
	spare []*page
}

func (s *Store) newPager(limit int, from source) *pager {
	if limit <= 0 {
		limit = math.MaxInt
	}
	return &pager{s: s, from: from, left: limit, size: firstPage, page: newPage()}
}

// next returns the events of the next page, valid until the next call, and
// whether there may be another one. With an error there is none, but there may
// be events before it.
func (r *pager) next() (events []eventstore.Recorded, more bool, err error) {
	if r.size == longPage && r.left > 2*fullPage {
		for len(r.begun) < aheadPages && r.begin() {
		}
	}
	if len(r.begun) > 0 && r.take() {
		more, err = true, r.page.err
	} else {
		r.page.want(min(r.size, r.left), pageBytes, r.left)
		more, err = r.s.fill(r.page, r.from.fill)
		switch {
		case r.size == firstPage:
			r.size = fullPage
		case len(r.page.events) >= fullPage || r.page.bytes >= pageBytes:
			r.size = longPage
		}
	}
	events = r.page.events[:min(r.left, len(r.page.events))]
	r.left -= len(events)
	return events, more && err == nil && r.left > 0, err
}

// begin starts to fill the page after those that were begun, if there is one.
func (r *pager) begin() bool {
	fill := r.from.ahead()
	if fill == nil {
		return false
	}
	p := r.unused()
	p.want(math.MaxInt, math.MaxInt, math.MaxInt)
	r.begun = append(r.begun, p)
	go func() {
		_, p.err = r.s.fill(p, func(p *page) (bool, error) { return true, fill(p) })
		p.done <- struct{}{}
	}()
	return true
}

// take waits for the oldest of the pages that were begun, and begins one more.
// It reports whether the page is the one that follows; if not, it drops them all.
func (r *pager) take() bool {
	p := r.begun[0]
	<-p.done
	if !r.from.passed(p) {
		p.done <- struct{}{}
		r.drop()
		return false
	}
	r.begun = append(r.begun[:0], r.begun[1:]...)
	r.spare = append(r.spare, r.page)
	r.page = p
	if p.err == nil {
		r.begin()
	}
	return true
}

// drop waits for the pages that were begun and forgets what they hold.
func (r *pager) drop() {
	for _, p := range r.begun {
		<-p.done
		r.spare = append(r.spare, p)
	}
	r.begun = r.begun[:0]
}

func (r *pager) unused() *page {
	if n := len(r.spare); n > 0 {
		p := r.spare[n-1]
		r.spare = r.spare[:n-1]
		return p
	}
	return newPage()
}

// close gives the pages back. It waits for those that are being filled.
func (r *pager) close() {
	r.drop()
	for _, p := range r.spare {
		p.free()
	}
	r.page.free()
	r.spare, r.page = nil, nil
}

// fill decodes a page. It is the only place where a read holds the database.
func (s *Store) fill(p *page, fill func(*page) (bool, error)) (bool, error) {
	s.reading.RLock()
	defer s.reading.RUnlock()
	p.used, p.events, p.bytes, p.first, p.end = max(p.used, len(p.events)), p.events[:0], 0, 0, 0
	if s.isClosed.Load() {
		return false, eventstore.ErrClosed
	}
	return fill(p)
}
