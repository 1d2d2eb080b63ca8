package engine

import (
	"sync"

	"konto/eventstore"
)

// tail keeps the newest durable events in memory, for subscribers.
type tail struct {
	mu     sync.Mutex
	groups [][]eventstore.Recorded // each sorted, not empty and never changed
	bytes  []int                   // of each group
	held   int                     // sum of bytes
	limit  int
	floor  uint64        // every durable event after this position is in groups
	grown  chan struct{} // closed when an event comes; nil if nobody waits
}

// publish adds a group and lets the oldest go.
func (t *tail) publish(group []eventstore.Recorded, bytes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.groups, t.bytes, t.held = append(t.groups, group), append(t.bytes, bytes), t.held+bytes
	drop := 0
	for t.held > t.limit && drop < len(t.groups) {
		oldest := t.groups[drop]
		t.floor = oldest[len(oldest)-1].Position.Commit
		t.held -= t.bytes[drop]
		t.groups[drop] = nil
		drop++
	}
	t.groups, t.bytes = t.groups[drop:], t.bytes[drop:]
	if t.grown != nil {
		close(t.grown)
		t.grown = nil
	}
}

// maxStep bounds the events a subscriber gets in one step.
const maxStep = 4096

// after returns the events after position: a group as it is (which nobody may
// write to), or several put together in buf. If there is none it returns a
// channel to wait for, and if the tail no longer reaches back so far neither.
func (t *tail) after(position uint64, buf *[]eventstore.Recorded) (batch []eventstore.Recorded, wait <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if position < t.floor {
		return nil, nil
	}
	first := t.find(position)
	if first == len(t.groups) {
		if t.grown == nil {
			t.grown = make(chan struct{})
		}
		return nil, t.grown
	}
	batch = t.groups[first]
	for len(batch) > 0 && batch[0].Position.Commit <= position {
		batch = batch[1:]
	}
	if first == len(t.groups)-1 || len(batch) >= maxStep {
		return batch, nil
	}
	*buf = append((*buf)[:0], batch...)
	for _, g := range t.groups[first+1:] {
		if len(*buf)+len(g) > maxStep {
			break
		}
		*buf = append(*buf, g...)
	}
	return *buf, nil
}

// find returns the index of the first group with an event after position.
func (t *tail) find(position uint64) int {
	lo, hi := 0, len(t.groups)
	for lo < hi {
		mid := (lo + hi) / 2
		if g := t.groups[mid]; g[len(g)-1].Position.Commit <= position {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
