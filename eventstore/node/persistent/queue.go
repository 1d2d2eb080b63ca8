package persistent

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"konto/eventstore"
)

// message is an event on its way through a group.
type message struct {
	event    eventstore.Recorded
	seq      uint64 // its place among the group's messages, or its revision in the parked stream
	replayed bool   // from the parked stream
	before   place  // where the group goes on if this is the first message that is unfinished
	retries  int

	holder *consumer // who has it, or nil
	taken  bool      // the holder has fetched it
	since  time.Time // when it was given to the holder, or fetched by it
	twin   *message  // another one with the same ID that the holder has

	bucket int // of the pinned strategies; -1: not known yet
	index  int // among the unfinished
}

// original is the record that was read: the link, if there is one. Consumers
// answer by its ID.
func (m *message) original() *eventstore.Recorded { return original(&m.event) }

func original(r *eventstore.Recorded) *eventstore.Recorded {
	if r.Link != nil {
		return r.Link
	}
	return r
}

// queue holds messages that wait, in the order of seq.
type queue struct{ items []*message }

func (q *queue) push(m *message) { q.items = append(q.items, m) }

// insert puts m in its place.
func (q *queue) insert(m *message) {
	i, _ := slices.BinarySearchFunc(q.items, m.seq, func(o *message, seq uint64) int { return cmp.Compare(o.seq, seq) })
	q.items = slices.Insert(q.items, i, m)
}

type verdict int

const (
	given   verdict = iota // it leaves the queue
	skipped                // it stays, try the next one
	stopped                // it stays, and so do all others
)

// sweep offers messages in their order until try says to stop.
func (q *queue) sweep(try func(*message) verdict) {
	kept, i := 0, 0
loop:
	for ; i < len(q.items); i++ {
		switch try(q.items[i]) {
		case given:
		case skipped:
			q.items[kept] = q.items[i]
			kept++
		case stopped:
			break loop
		}
	}
	if kept == 0 {
		clear(q.items[:i])
		q.items = q.items[i:]
		return
	}
	q.items = slices.Delete(q.items, kept, i)
}

// unfinished holds the messages of a source that are neither acknowledged nor
// skipped nor parked, the oldest first.
type unfinished []*message

func (u unfinished) Len() int           { return len(u) }
func (u unfinished) Less(i, j int) bool { return u[i].seq < u[j].seq }

func (u unfinished) Swap(i, j int) {
	u[i], u[j] = u[j], u[i]
	u[i].index, u[j].index = i, j
}

// Push implements [heap.Interface].
func (u *unfinished) Push(m any) {
	added := m.(*message) //nolint:forcetypeassert // nothing else is pushed
	added.index = len(*u)
	*u = append(*u, added)
}

// Pop implements [heap.Interface].
func (u *unfinished) Pop() any {
	last := len(*u) - 1
	m := (*u)[last]
	(*u)[last] = nil
	*u = (*u)[:last]
	return m
}

func (u *unfinished) add(m *message)    { heap.Push(u, m) }
func (u *unfinished) remove(m *message) { heap.Remove(u, m.index) }

func (u unfinished) oldest() *message {
	if len(u) == 0 {
		return nil
	}
	return u[0]
}
