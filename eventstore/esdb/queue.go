package esdb

import (
	"context"
	"sync"

	"konto/eventstore"
)

const (
	// What a reader may have waiting, in events and in bytes of content: enough
	// to keep both sides busy, and no more, since gRPC holds as much again.
	maxWaiting      = 2048
	maxWaitingBytes = 4 << 20
)

// queue is between the client's stream and its reader. When it is full the
// stream stands still, and gRPC's flow control stops the server.
type queue struct {
	mu     sync.Mutex
	events []eventstore.Recorded
	bytes  int
	ended  bool
	err    error // why it ended; nil: there is no more

	filled chan struct{} // has room for one token
	taken  chan struct{} // has room for one token
}

func newQueue() *queue {
	return &queue{filled: make(chan struct{}, 1), taken: make(chan struct{}, 1)}
}

// put adds an event, and waits while the queue is full. It reports whether ctx
// still lives.
func (q *queue) put(ctx context.Context, r eventstore.Recorded) bool {
	size := len(r.Data) + len(r.Meta)
	q.mu.Lock()
	for len(q.events) >= maxWaiting || q.bytes >= maxWaitingBytes {
		q.mu.Unlock()
		select {
		case <-q.taken:
		case <-ctx.Done():
			return false
		}
		q.mu.Lock()
	}
	q.events = append(q.events, r)
	q.bytes += size
	first := len(q.events) == 1
	q.mu.Unlock()
	if first {
		token(q.filled)
	}
	return true
}

// end says that nothing more comes. Only the first call counts.
func (q *queue) end(err error) {
	q.mu.Lock()
	if !q.ended {
		q.ended, q.err = true, err
	}
	q.mu.Unlock()
	token(q.filled)
}

// take returns everything that waits, at least one event, and gives the queue
// the room of spare for what comes next. Without events it returns why: how
// the queue has ended, or how ctx has.
func (q *queue) take(ctx context.Context, spare []eventstore.Recorded) ([]eventstore.Recorded, error) {
	for {
		q.mu.Lock()
		events := q.events
		ended, err := q.ended, q.err
		if len(events) > 0 {
			q.events, q.bytes = spare[:0], 0
		}
		q.mu.Unlock()
		switch {
		case len(events) > 0:
			token(q.taken)
			return events, nil
		case ended:
			return nil, err
		}
		select {
		case <-q.filled:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func token(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}
