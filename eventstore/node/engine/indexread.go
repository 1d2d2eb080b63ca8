package engine

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/uuid"

	"konto/eventstore"
)

// referenceType is the type of the events of $category- indexes. Their data is
// the name of a stream.
const referenceType = "$@"

// indexScan reads an index as if it were a stream.
type indexScan struct {
	s       *Store
	name    string
	next    int64 // ordinal
	forward bool
	resolve bool
	visible uint64
	least   int64 // ordinal below which nothing may be seen

	entries *pebble.Iterator
	buf     []uint64
	find    finder
	stream  string // whose window is known
	window  window
}

// readIndex is readStream for indexes.
func (s *Store) readIndex(ctx context.Context, name string, o eventstore.ReadStream) iter.Seq2[eventstore.Recorded, error] {
	r := indexScan{s: s, name: name, next: int64(o.From), forward: o.Direction == eventstore.Forward, resolve: o.ResolveLinks}
	if r.forward {
		r.next = max(r.next, 0)
	}
	found := false
	return s.pages(ctx, "read "+name, o.Limit, func(p *page) (bool, error) {
		w, info, err := r.page(p)
		if err == nil && !found && (info.Last < 0 || w.first == deleted) {
			err = fmt.Errorf("%w: %s", eventstore.ErrStreamNotFound, name)
		}
		found = true
		return p.full() && r.next >= 0, err
	})
}

// page fills a page with what follows.
func (r *indexScan) page(p *page) (w window, info Info, err error) {
	r.visible = r.s.durable.Load()
	if r.entries, err = r.s.indexIter(r.name); err != nil {
		return w, info, err
	}
	defer r.entries.Close() //nolint:errcheck // its Error has been read
	events, err := r.s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{eventPrefix}, UpperBound: []byte{eventPrefix + 1}})
	if err != nil {
		return w, info, readError(err)
	}
	defer events.Close() //nolint:errcheck // its Error has been read
	r.find, r.stream = finder{events: events}, ""
	if w, info, err = r.look(); err != nil || info.Last < 0 {
		return w, info, err
	}
	r.least = w.first
	if r.forward {
		return w, info, r.scanForward(p, max(r.next, r.least), int64(info.Last))
	}
	r.next = min(r.next, int64(info.Last))
	return w, info, r.scanBackward(p)
}

// look finds out where the index begins and ends.
func (r *indexScan) look() (w window, info Info, err error) {
	info = Info{First: eventstore.NoStream, Last: eventstore.NoStream}
	f, err := r.s.fact(r.name, r.visible)
	w.first = f.truncateBefore
	if err != nil {
		return w, info, err
	}
	last, err := r.last()
	if err != nil || last < 0 {
		return w, info, err
	}
	info.Last, info.Deleted = eventstore.Revision(last), w.first == deleted
	if w.first < deleted && f.maxCount > 0 {
		w.first = max(w.first, last-f.maxCount+1)
	}
	if w.first < deleted && f.maxAge > 0 {
		if w.first, err = r.firstSince(w.first, last, r.s.now().Add(-f.maxAge)); err != nil {
			return w, info, err
		}
	}
	if w.first <= last {
		info.First = eventstore.Revision(w.first)
	}
	return w, info, nil
}

// last returns the newest visible ordinal, or -1.
func (r *indexScan) last() (int64, error) {
	for ok := r.entries.Last(); ok; ok = r.entries.Prev() {
		first, positions, err := r.decode()
		if err != nil {
			return -1, err
		}
		for i, position := range slices.Backward(positions) {
			if position <= r.visible {
				return int64(first) + int64(i), nil //nolint:gosec // below 2^63
			}
		}
	}
	return -1, iterError(r.entries)
}

func (r *indexScan) decode() (first uint64, positions []uint64, err error) {
	first, r.buf, err = decodePostings(r.entries, r.buf[:0])
	return first, r.buf, err
}

// seek goes to the entry that holds an ordinal.
func (r *indexScan) seek(ordinal int64) bool {
	if ordinal == math.MaxInt64 {
		return r.entries.Last()
	}
	return r.entries.SeekLT(indexKey(nil, r.name, uint64(ordinal)+1)) //nolint:gosec // not negative
}

// firstSince returns the oldest ordinal from lo on whose event was written at a
// time or later. For one that a scavenge removed, the next event there is stands.
func (r *indexScan) firstSince(lo, last int64, since time.Time) (int64, error) {
	hi := last + 1
	for lo < hi {
		middle := lo + (hi-lo)/2
		if !r.seek(middle) {
			return 0, iterError(r.entries)
		}
		first, positions, err := r.decode()
		if err != nil {
			return 0, err
		}
		var e eventstore.Recorded
		found := false
		if i := middle - int64(first); i < int64(len(positions)) { //nolint:gosec // below 2^63
			if found, err = r.find.atOrAfter(positions[i], &e); err != nil {
				return 0, err
			}
		}
		if found && !e.At.Before(since) {
			hi = middle
		} else {
			lo = middle + 1
		}
	}
	return lo, nil
}

func (r *indexScan) scanForward(p *page, from, last int64) error {
	for ok := from <= last && r.seek(from); ok && !p.full(); ok = r.entries.Next() {
		first, positions, err := r.decode()
		if err != nil {
			return err
		}
		for i := max(from-int64(first), 0); i < int64(len(positions)) && !p.full(); i++ { //nolint:gosec // below 2^63
			if positions[i] > r.visible {
				return nil
			}
			if err := r.take(p, int64(first)+i, positions[i]); err != nil { //nolint:gosec // below 2^63
				return err
			}
			r.next = int64(first) + i + 1 //nolint:gosec // below 2^63
		}
	}
	return iterError(r.entries)
}

func (r *indexScan) scanBackward(p *page) error {
	for ok := r.next >= r.least && r.seek(r.next); ok && !p.full(); ok = r.entries.Prev() {
		first, positions, err := r.decode()
		if err != nil {
			return err
		}
		for i := min(r.next-int64(first), int64(len(positions))-1); i >= 0 && !p.full(); i-- { //nolint:gosec // below 2^63
			if r.next < r.least {
				return nil
			}
			if err := r.take(p, int64(first)+i, positions[i]); err != nil { //nolint:gosec // below 2^63
				return err
			}
			r.next = int64(first) + i - 1 //nolint:gosec // below 2^63
		}
	}
	return iterError(r.entries)
}

// take adds the event at a position to the page, unless a scavenge removed it:
// as a link, or as what it links to.
func (r *indexScan) take(p *page, ordinal int64, position uint64) error {
	var e eventstore.Recorded
	found, err := r.find.find(position, &e)
	if err != nil || !found {
		return err
	}
	link := eventstore.Recorded{
		Event: eventstore.Event{
			ID:   linkID(e, r.name, ordinal),
			Type: eventstore.LinkType, Data: e.Data, Binary: true,
		},
		Stream: r.name, Revision: eventstore.Revision(ordinal), Position: e.Position, At: e.At,
	}
	p.bytes += len(e.Data) + len(e.Meta) + recordFixed
	switch {
	case strings.HasPrefix(r.name, indexStreamsOf):
		link.Type, link.Data = referenceType, []byte(e.Stream)
		*p.next() = link
		return nil
	case !r.passesOn(e):
		link.Data = append(strconv.AppendInt(nil, int64(e.Revision), 10), "@"+e.Stream...)
	}
	if !r.resolve {
		*p.next() = link
		return nil
	}
	target, err := r.target(e)
	if err != nil {
		return err
	}
	target.Link = &link
	*p.next() = target
	return nil
}

// linkID is the ID of a link in an index. Two events of one ID, in different
// streams, have links of different ones: consumers acknowledge them by it.
func linkID(e eventstore.Recorded, index string, ordinal int64) eventstore.ID {
	return eventstore.ID(uuid.NewSHA1(uuid.UUID(e.ID), strconv.AppendInt([]byte(index), ordinal, 10)))
}

// passesOn reports whether an event is a link that the index repeats: the list
// of all streams has their first events, whatever these are.
func (r *indexScan) passesOn(e eventstore.Recorded) bool {
	return e.Type == eventstore.LinkType && r.name != indexStreams
}

// target returns an event of an index as a reader may see it.
func (r *indexScan) target(e eventstore.Recorded) (eventstore.Recorded, error) {
	if r.passesOn(e) {
		if stream, revision, ok := parseLink(e.Data); ok {
			return r.s.target(stream, revision)
		}
		return e, nil
	}
	if r.stream != e.Stream {
		w, err := r.s.window(e.Stream, r.visible)
		if err != nil {
			return eventstore.Recorded{}, err
		}
		r.stream, r.window = e.Stream, w
	}
	if r.window.tombstone != 0 || int64(e.Revision) < r.window.first {
		return eventstore.Recorded{}, nil
	}
	return e, nil
}

// describeIndex is describe for indexes. The caller holds reading.
func (s *Store) describeIndex(name string) (info Info, err error) {
	r := indexScan{s: s, name: name, visible: s.durable.Load()}
	if r.entries, err = s.indexIter(name); err != nil {
		return info, err
	}
	defer r.entries.Close() //nolint:errcheck // its Error has been read
	events, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{eventPrefix}, UpperBound: []byte{eventPrefix + 1}})
	if err != nil {
		return info, readError(err)
	}
	defer events.Close() //nolint:errcheck // its Error has been read
	r.find.events = events
	_, info, err = r.look()
	return info, err
}
