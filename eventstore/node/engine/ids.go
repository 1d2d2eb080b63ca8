package engine

import "konto/eventstore"

// idCache remembers where the newest events are, by ID.
type idCache struct {
	places map[eventstore.ID]place
	ring   []eventstore.ID
	oldest int
}

type place struct {
	stream   string
	revision eventstore.Revision
	position uint64
}

func newIDCache(size int) *idCache {
	return &idCache{places: make(map[eventstore.ID]place), ring: make([]eventstore.ID, 0, size)}
}

func placeOf(r *eventstore.Recorded) place { return place{r.Stream, r.Revision, r.Position.Commit} }

func (m *idCache) add(id eventstore.ID, at place) {
	if _, again := m.places[id]; !again {
		if len(m.ring) < cap(m.ring) {
			m.ring = append(m.ring, id)
		} else {
			delete(m.places, m.ring[m.oldest])
			m.ring[m.oldest] = id
			m.oldest = (m.oldest + 1) % len(m.ring)
		}
	}
	m.places[id] = at
}

func (m *idCache) find(id eventstore.ID, stream string) (eventstore.Appended, bool) {
	p, ok := m.places[id]
	at := eventstore.Position{Commit: p.position, Prepare: p.position}
	return eventstore.Appended{Revision: p.revision, Position: at}, ok && p.stream == stream
}
