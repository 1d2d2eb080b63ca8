package engine

import "konto/eventstore"

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
