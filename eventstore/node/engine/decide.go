package engine

import (
	"context"

	"konto/eventstore"
)

// decide finds out, on the writer's goroutine, what becomes of an append to a
// stream whose newest event has the revision current. If stored is true, the
// caller must add its events, the last of which gets the revision in the
// result. The order of the rules is EventStoreDB's.
func (s *Store) decide(r *request, current eventstore.Revision) (result eventstore.Appended, stored bool, err error) {
	fresh := eventstore.Appended{Revision: current + eventstore.Revision(len(r.events))}
	wrong := func() error {
		return &eventstore.WrongRevisionError{Stream: r.stream, Expected: r.expected, Current: current}
	}
	switch {
	case r.expected == eventstore.StreamExists && current < 0, r.expected > current:
		return result, false, wrong()
	case r.expected == current:
		return fresh, len(r.events) > 0, nil
	case len(r.events) == 0 && r.expected >= eventstore.NoStream:
		return result, false, wrong()
	case len(r.events) == 0:
		return fresh, false, nil
	case r.mayRepeat(current):
		return s.repeatedAt(r, wrong())
	}
	for i := range r.events {
		at, known := s.writer.ids.find(r.events[i].ID, r.stream)
		switch {
		case !known && i == 0:
			return fresh, true, nil
		case !known:
			return result, false, wrong()
		}
		result = at
	}
	return result, false, nil
}

// mayRepeat reports whether only a look at older events can tell what r is.
func (r *request) mayRepeat(current eventstore.Revision) bool {
	return len(r.events) > 0 && r.expected >= eventstore.NoStream && r.expected < current
}

// repeatedAt compares the events with those that follow the expected revision.
func (s *Store) repeatedAt(r *request, wrong error) (result eventstore.Appended, stored bool, err error) {
	i := 0
	from := eventstore.ReadStream{From: r.expected + 1, Limit: len(r.events)}
	for have, err := range s.readStream(context.Background(), r.stream, from, everything) {
		if err != nil {
			return eventstore.Appended{}, false, err
		}
		if have.ID != r.events[i].ID {
			return eventstore.Appended{}, false, wrong
		}
		result = eventstore.Appended{Revision: have.Revision, Position: have.Position}
		i++
	}
	if i < len(r.events) {
		return eventstore.Appended{}, false, wrong
	}
	return result, false, nil
}

// head returns the revision of the newest event of a stream, durable or not.
func (s *Store) head(stream string) (eventstore.Revision, error) {
	if revision, ok := s.writer.heads.Get(stream); ok {
		return revision, nil
	}
	newest, err := s.newestRun(stream)
	if err != nil {
		return 0, err
	}
	revision := eventstore.NoStream
	if newest.count > 0 {
		revision = newest.lastRevision()
	}
	s.writer.heads.Add(stream, revision)
	return revision, nil
}

// idCache remembers where the newest events are, by ID.
type idCache struct {
	places map[eventstore.ID]place
	ring   []eventstore.ID
	oldest int
}

type place struct {
	stream string
	at     eventstore.Appended
}

func newIDCache(size int) *idCache {
	return &idCache{places: make(map[eventstore.ID]place), ring: make([]eventstore.ID, 0, size)}
}

func (m *idCache) add(r *eventstore.Recorded) {
	if _, again := m.places[r.ID]; !again {
		if len(m.ring) < cap(m.ring) {
			m.ring = append(m.ring, r.ID)
		} else {
			delete(m.places, m.ring[m.oldest])
			m.ring[m.oldest] = r.ID
			m.oldest = (m.oldest + 1) % len(m.ring)
		}
	}
	m.places[r.ID] = place{r.Stream, eventstore.Appended{Revision: r.Revision, Position: r.Position}}
}

func (m *idCache) find(id eventstore.ID, stream string) (eventstore.Appended, bool) {
	p, ok := m.places[id]
	return p.at, ok && p.stream == stream
}
