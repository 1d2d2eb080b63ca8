package persistent

import (
	"bytes"
	"encoding/json"
	"hash/fnv"
	"slices"
	"strings"

	"konto/eventstore"
)

// A strategy says which consumer gets a message.
type strategy interface {
	// pick returns a consumer with room, or nil if m must wait.
	pick(m *message, consumers []*consumer) *consumer
	// joined and left say that somebody has come or gone; consumers is the new list.
	joined(c *consumer, consumers []*consumer)
	left(c *consumer)
	// overtakes reports whether others may pass a message that must wait.
	overtakes() bool
}

// newStrategy returns nil if there is none of this name.
func newStrategy(name string) strategy {
	switch name {
	case RoundRobin:
		return &roundRobin{}
	case DispatchToSingle:
		return single{}
	case Pinned:
		return &pinned{key: sourceStream}
	case PinnedByCorrelation:
		return &pinned{key: correlation}
	}
	return nil
}

type roundRobin struct{ next int }

func (r *roundRobin) pick(_ *message, consumers []*consumer) *consumer {
	for i := range consumers {
		n := (r.next + i) % len(consumers)
		if c := consumers[n]; c.room() {
			r.next = n + 1
			return c
		}
	}
	return nil
}

func (*roundRobin) joined(*consumer, []*consumer) {}
func (*roundRobin) left(*consumer)                {}
func (*roundRobin) overtakes() bool               { return false }

type single struct{}

func (single) pick(_ *message, consumers []*consumer) *consumer {
	for _, c := range consumers {
		if c.room() {
			return c
		}
	}
	return nil
}

func (single) joined(*consumer, []*consumer) {}
func (single) left(*consumer)                {}
func (single) overtakes() bool               { return false }

// buckets is how finely pinned strategies divide streams (EventStoreDB's number).
const buckets = 1024

// pinned gives all messages with the same key to the same consumer, as long as
// consumers neither come nor go. Keys are divided into buckets; a bucket gets
// an owner when it is first needed.
type pinned struct {
	key    func(*eventstore.Recorded) string
	owners [buckets]*consumer
}

func (p *pinned) pick(m *message, consumers []*consumer) *consumer {
	if m.bucket < 0 {
		h := fnv.New32a()
		_, _ = h.Write([]byte(p.key(&m.event)))
		m.bucket = int(h.Sum32() % buckets)
	}
	owner := p.owners[m.bucket]
	if owner == nil {
		owner = slices.MinFunc(consumers, func(a, b *consumer) int { return a.buckets - b.buckets })
		p.owners[m.bucket] = owner
		owner.buckets++
	}
	if !owner.room() {
		return nil
	}
	return owner
}

// joined gives the newcomer its share of the buckets in use.
func (p *pinned) joined(c *consumer, consumers []*consumer) {
	used := 0
	for _, o := range consumers {
		used += o.buckets
	}
	share := used / len(consumers)
	for i := 0; i < buckets && c.buckets < share; i++ {
		if o := p.owners[i]; o != nil && o != c && o.buckets > share {
			o.buckets--
			c.buckets++
			p.owners[i] = c
		}
	}
}

func (p *pinned) left(c *consumer) {
	for i, o := range p.owners {
		if o == c {
			p.owners[i] = nil
		}
	}
}

func (*pinned) overtakes() bool { return true }

// sourceStream is the stream an event was written to: that of a link's target,
// also if the link was not resolved.
func sourceStream(r *eventstore.Recorded) string {
	link := r.Link
	switch {
	case link == nil && r.Type == linkType:
		link = r
	case link == nil || !unresolved(r):
		return r.Stream
	}
	if _, stream, ok := strings.Cut(string(link.Data), "@"); ok {
		return stream
	}
	return link.Stream
}

// unresolved reports whether the target of a link is gone.
func unresolved(r *eventstore.Recorded) bool { return r.Link != nil && r.ID == (eventstore.ID{}) }

// correlation is the event's correlation ID, or its stream if it has none.
func correlation(r *eventstore.Recorded) string {
	meta := r.Meta
	if unresolved(r) {
		meta = r.Link.Meta
	}
	if bytes.Contains(meta, []byte("$correlationId")) {
		var m struct {
			ID string `json:"$correlationId"`
		}
		if json.Unmarshal(meta, &m) == nil && m.ID != "" {
			return m.ID
		}
	}
	return sourceStream(r)
}
