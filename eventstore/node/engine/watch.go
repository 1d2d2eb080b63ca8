package engine

import (
	"sync"
	"sync/atomic"

	"konto/eventstore"
)

// watch wakes the followers of single streams, and only those whose stream has
// grown.
type watch struct {
	followers atomic.Int64
	mu        sync.Mutex
	streams   map[string]*watched
}

type watched struct {
	followers int
	grown     chan struct{} // closed when an event comes
}

func (w *watch) join(stream string) {
	w.followers.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.streams == nil {
		w.streams = map[string]*watched{}
	}
	if w.streams[stream] == nil {
		w.streams[stream] = &watched{grown: make(chan struct{})}
	}
	w.streams[stream].followers++
}

func (w *watch) leave(stream string) {
	w.followers.Add(-1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.streams[stream].followers--; w.streams[stream].followers == 0 {
		delete(w.streams, stream)
	}
}

// grown returns what to wait for. The caller has joined.
func (w *watch) grown(stream string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.streams[stream].grown
}

// publish wakes the followers of the streams and indexes of a durable group.
func (w *watch) publish(group []eventstore.Recorded, indexes []indexName) {
	if w.followers.Load() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last := ""
	for i := range group {
		if group[i].Stream == last {
			continue
		}
		last = group[i].Stream
		w.wake(last)
	}
	for _, n := range indexes {
		w.wake(n.String())
	}
}

// wake is called with mu held.
func (w *watch) wake(stream string) {
	if f := w.streams[stream]; f != nil {
		close(f.grown)
		f.grown = make(chan struct{})
	}
}
