package persistent

import "context"

// Busy reports whether the subscription's group has something to read or to
// write, for tests that want to see that something does not happen.
func (s *Subscription) Busy(ctx context.Context) (busy bool, err error) {
	g := s.group
	err = g.do(ctx, func() {
		end, err := (&Groups{config: Config{Store: g.store}}).end(ctx, g.Key)
		if err != nil {
			return
		}
		seen := g.state.seen.revision >= end.revision
		if g.all() {
			seen = g.state.caughtUp
		}
		busy = g.active > 0 || g.reads == following && g.state.room() && !seen
	})
	return busy, err
}

// Fetch is Next without waiting.
func (s *Subscription) Fetch(ctx context.Context) (messages []Message, err error) {
	err = s.group.do(ctx, func() { messages = s.consumer.fetch(s.group.now()) })
	return messages, err
}
