package esdb

import (
	"context"

	"konto/eventstore"
)

// Exported for tests.
var (
	CurrentOf = currentOf
	Address   = func(text string) string {
		s, _ := parse(text)
		return s.address
	}
	NewQueue = newQueue
)

// Put is exported for tests.
func (q *queue) Put(ctx context.Context, r eventstore.Recorded) bool { return q.put(ctx, r) }

// Take is exported for tests.
func (q *queue) Take(ctx context.Context, spare []eventstore.Recorded) ([]eventstore.Recorded, error) {
	return q.take(ctx, spare)
}
