package persistent

import (
	"context"

	"konto/eventstore"
)

// Message is an event for a consumer. Its event is read-only.
type Message struct {
	Event   eventstore.Recorded
	Retries int // how often it was tried before
}

// Action is what a consumer wants done with a message it refuses.
type Action int

// The actions; the numbers are the protocol's.
const (
	Unknown Action = iota // as Retry
	Park                  // keep it in the parked stream
	Retry                 // give it to somebody again
	Skip                  // forget it
	Stop                  // as Skip
)

// Subscription is a consumer's connection to a group. Its methods may be called
// at the same time, Next by one goroutine. Close it.
type Subscription struct {
	group    *group
	consumer *consumer
}

// ID identifies the group, as EventStoreDB does it.
func (s *Subscription) ID() string { return s.group.String() }

// Next waits for messages and returns all there are, in order. Errors:
// [ErrDropped], ctx's.
func (s *Subscription) Next(ctx context.Context) ([]Message, error) {
	for {
		select {
		case <-s.consumer.filled:
		case <-s.consumer.dropped:
			return nil, ErrDropped
		case <-s.group.done:
			return nil, ErrDropped
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		var messages []Message
		err := s.group.do(ctx, func() { messages = s.consumer.fetch(s.group.now()) })
		if err != nil {
			s.consumer.wake() // for the next call
			return nil, err
		}
		if len(messages) > 0 {
			return messages, nil
		}
	}
}

// Ack says that messages are done. ids are those of the events, or of the links
// where they came through one. IDs of messages that the consumer does not have
// (any more) are ignored. Errors: [ErrDropped], ctx's.
func (s *Subscription) Ack(ctx context.Context, ids ...eventstore.ID) error {
	return s.group.do(ctx, func() { s.group.state.ack(s.consumer, ids, s.group.now()) })
}

// Nack refuses messages. reason is kept with those that are parked; it may be
// cut. Everything else is as for Ack.
func (s *Subscription) Nack(ctx context.Context, action Action, reason string, ids ...eventstore.ID) error {
	return s.group.do(ctx, func() { s.group.state.nack(s.consumer, ids, action, reason, s.group.now()) })
}

// Close gives back what the consumer has. It is done at once, and may be called
// again.
func (s *Subscription) Close() {
	_ = s.group.do(context.Background(), func() { s.group.state.leave(s.consumer, s.group.now()) }) // or the group has stopped
}
