package engine

import (
	"context"
	"fmt"
	"math"
	"strings"

	"konto/eventstore"
)

// head is what the writer knows of a stream, durable or not.
type head struct {
	revision eventstore.Revision // of the newest event; that of a tombstone is tombstoned
	deleted  bool                // soft-deleted, and nothing was written since
}

// tombstoned is the revision of a tombstone.
const tombstoned = eventstore.Revision(math.MaxInt64)

// decide finds out, on the writer's goroutine, what becomes of a request for a
// stream with head h. If stored is true, the caller must add its events, the
// last of which gets the revision in the result. The order of the rules is
// EventStoreDB's.
func (s *Store) decide(r *request, h head) (result eventstore.Appended, stored bool, err error) {
	if err := s.refuse(r, h); err != nil {
		return result, false, err
	}
	switch r.kind {
	case imports:
		return r.decideImport(h)
	case deletes, tombstones:
		return s.decideEnd(r, h)
	case appends:
	}
	fresh := eventstore.Appended{Revision: h.revision + eventstore.Revision(len(r.events))}
	switch {
	case r.expected > h.revision:
		return result, false, r.wrong(h)
	case r.expected == h.revision:
		return fresh, len(r.events) > 0, nil
	case len(r.events) == 0 && r.expected >= eventstore.NoStream:
		return result, false, r.wrong(h)
	case len(r.events) == 0:
		return fresh, false, nil
	case r.mayRepeat(h):
		return s.repeatedAt(r, h)
	}
	for i := range r.events {
		at, known := s.writer.ids.find(r.events[i].ID, r.stream)
		switch {
		case !known && i == 0:
			return fresh, true, nil
		case !known:
			return result, false, r.wrong(h)
		}
		result = at
	}
	return result, false, nil
}

// refuse applies the rules that come before all others.
func (s *Store) refuse(r *request, h head) error {
	gone := h.revision == tombstoned
	if described, ok := strings.CutPrefix(r.target, metadataPrefix); ok && !gone {
		d, err := s.head(described)
		if err != nil {
			return err
		}
		gone = d.revision == tombstoned
	}
	switch {
	case gone, r.expected == eventstore.StreamExists && h.deleted:
		return fmt.Errorf("%v %s: %w", r.kind, r.target, eventstore.ErrStreamDeleted)
	case r.expected != eventstore.StreamExists || h.revision >= 0:
		return nil
	}
	described, err := s.isDescribed(r.target)
	if err == nil && !described {
		err = r.wrong(h)
	}
	return err
}

// isDescribed reports whether a stream has metadata: one that has is taken to exist.
func (s *Store) isDescribed(stream string) (bool, error) {
	m, err := s.head(metadataPrefix + stream)
	return m.revision >= 0, err
}

// decideEnd decides a soft or hard delete. It is never found to be a repeated one.
func (s *Store) decideEnd(r *request, h head) (result eventstore.Appended, stored bool, err error) {
	again := r.expected == eventstore.NoStream && h.deleted
	if r.expected >= eventstore.NoStream && r.expected != h.revision && !again {
		return result, false, r.wrong(h)
	}
	if r.kind == tombstones {
		return eventstore.Appended{Revision: tombstoned}, true, nil
	}
	if h.revision < 0 {
		described, err := s.isDescribed(r.target)
		if err != nil || !described {
			return result, false, orElse(err, r.wrong(h))
		}
	}
	m, err := s.head(r.stream)
	return eventstore.Appended{Revision: m.revision + 1}, err == nil, err
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func (r *request) wrong(h head) error {
	return &eventstore.WrongRevisionError{Stream: r.target, Expected: r.expected, Current: h.revision}
}

// mayRepeat reports whether only a look at older events can tell what r is.
func (r *request) mayRepeat(h head) bool {
	return r.kind == appends && len(r.events) > 0 && r.expected >= eventstore.NoStream && r.expected < h.revision
}

// repeatedAt compares the events with those that follow the expected revision.
func (s *Store) repeatedAt(r *request, h head) (result eventstore.Appended, stored bool, err error) {
	i := 0
	from := eventstore.ReadStream{From: r.expected + 1, Limit: len(r.events)}
	for have, err := range s.readStream(context.Background(), r.stream, from, everything) {
		if err != nil {
			return eventstore.Appended{}, false, err
		}
		if have.ID != r.events[i].ID || have.Revision != r.expected+1+eventstore.Revision(i) {
			break
		}
		result = eventstore.Appended{Revision: have.Revision, Position: have.Position}
		i++
	}
	switch {
	case i == len(r.events):
		return result, false, nil
	case i == 0 && r.expected == eventstore.NoStream && h.deleted: // a new beginning
		return eventstore.Appended{Revision: h.revision + eventstore.Revision(len(r.events))}, true, nil
	}
	return eventstore.Appended{}, false, r.wrong(h)
}

// head returns what is known of a stream. See writer.looked.
func (s *Store) head(stream string) (head, error) {
	s.writer.looked++
	if h, ok := s.writer.heads.Get(stream); ok {
		return h, nil
	}
	h := head{revision: eventstore.NoStream}
	newest, err := s.lastRun(stream, everything)
	if err != nil {
		return h, err
	}
	if newest.count > 0 {
		h.revision = newest.lastRevision()
	}
	f, err := s.newestFact(stream)
	if err != nil {
		return h, err
	}
	h.deleted = f.truncateBefore == deleted
	s.writer.heads.Add(stream, h)
	return h, nil
}
