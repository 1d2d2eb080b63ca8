package persistent

import (
	"context"

	"konto/eventstore"
	"konto/eventstore/node/filter"
)

// Busy reports whether the subscription's group has something to read or to
// write, for tests that want to see that something does not happen.
func (s *Subscription) Busy(ctx context.Context) (busy bool, err error) {
	g := s.group
	end, err := s.end(ctx)
	if err != nil {
		return false, nil //nolint:nilerr // a group whose store is closed is not busy
	}
	err = g.do(ctx, func() {
		seen := g.state.seen.revision >= end.revision
		if g.all() {
			seen = g.state.seen.position.Compare(end.position) >= 0
		}
		busy = g.active > 0 || g.reads == following && g.state.room() && !seen
	})
	return busy, err
}

// end is where the last event is that the group may see.
func (s *Subscription) end(ctx context.Context) (place, error) {
	g := s.group
	if !g.all() {
		info, err := g.store.Stream(ctx, g.Stream)
		return place{revision: info.Last}, err
	}
	newest := eventstore.ReadAll{From: eventstore.End, Direction: eventstore.Backward}
	for e, err := range g.store.ReadAll(ctx, newest) {
		if err != nil || !filter.Hidden(&e) {
			return at(&e), err
		}
	}
	return place{}, nil
}

// Fetch is Next without waiting.
func (s *Subscription) Fetch(ctx context.Context) (messages []Message, err error) {
	err = s.group.do(ctx, func() { messages = s.consumer.fetch(s.group.now()) })
	return messages, err
}
