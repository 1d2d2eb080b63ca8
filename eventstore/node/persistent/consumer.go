package persistent

import (
	"slices"
	"time"

	"konto/eventstore"
)

// Consumer says who consumes.
type Consumer struct {
	Slots          int    // messages it holds at most; positive
	From           string // its address
	Username       string
	ConnectionName string
}

// consumer is one of a group's. The group's goroutine owns it.
type consumer struct {
	Consumer
	held    map[eventstore.ID]*message // by ID of the original
	count   int                        // of held, twins included
	outbox  []*message                 // given, not fetched
	filled  chan struct{}              // holds a token if there is something in outbox
	dropped chan struct{}              // closed when the group lets it go

	buckets int // of a pinned strategy, that it owns
	meter   meter
	latency *latency // nil: not measured
}

func newConsumer(c Consumer) *consumer {
	return &consumer{Consumer: c, held: map[eventstore.ID]*message{}, filled: make(chan struct{}, 1), dropped: make(chan struct{})}
}

// wake tells whoever fetches that there is something.
func (c *consumer) wake() {
	select {
	case c.filled <- struct{}{}:
	default:
	}
}

func (c *consumer) room() bool { return c.count < c.Slots }

// give puts a message into the outbox.
func (c *consumer) give(m *message, now time.Time) {
	id := m.original().ID
	m.holder, m.taken, m.since, m.twin = c, false, now, nil
	if first := c.held[id]; first != nil {
		for first.twin != nil {
			first = first.twin
		}
		first.twin = m // what came first is answered first
	} else {
		c.held[id] = m
	}
	c.count++
	c.outbox = append(c.outbox, m)
	c.meter.count++
}

// fetch empties the outbox.
func (c *consumer) fetch(now time.Time) []Message {
	fetched := make([]Message, len(c.outbox))
	for i, m := range c.outbox {
		m.taken, m.since = true, now
		fetched[i] = Message{Event: m.event, Retries: m.retries}
	}
	clear(c.outbox)
	c.outbox = c.outbox[:0]
	return fetched
}

// answered finds the message that an answer is about: one that was fetched.
func (c *consumer) answered(id eventstore.ID) *message {
	m := c.held[id]
	for m != nil && !m.taken {
		m = m.twin
	}
	return m
}

// release takes a message back.
func (c *consumer) release(m *message) {
	id := m.original().ID
	if first := c.held[id]; first != m {
		for first.twin != m {
			first = first.twin
		}
		first.twin = m.twin
	} else if m.twin != nil {
		c.held[id] = m.twin
	} else {
		delete(c.held, id)
	}
	if !m.taken {
		c.outbox = slices.DeleteFunc(c.outbox, func(o *message) bool { return o == m })
	}
	m.holder, m.twin = nil, nil
	c.count--
}

// holding returns all messages the consumer has, in their order.
func (c *consumer) holding() []*message {
	all := make([]*message, 0, c.count)
	for _, m := range c.held {
		for ; m != nil; m = m.twin {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, byAge)
	return all
}

// byAge orders messages of the source before replayed ones, each by their order.
func byAge(a, b *message) int {
	switch {
	case a.replayed != b.replayed && a.replayed:
		return 1
	case a.replayed != b.replayed, a.seq < b.seq:
		return -1
	case a.seq > b.seq:
		return 1
	}
	return 0
}
