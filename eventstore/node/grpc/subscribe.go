package grpc

import (
	"context"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	"konto/eventstore/node/access"
	"konto/eventstore/node/engine"
)

// liveEvents is how many events may come at once to a subscription that is
// live. With more it has fallen behind, and is told when it has caught up again.
// EventStoreDB keeps that many for each subscription.
const liveEvents = 32

// subscription follows $all or a stream until the client leaves. It holds one
// step of the store's and what is in the client's flow control window: the
// store reads again from disk what a slow client has not taken.
type subscription struct {
	*reader
	live       bool
	sinceLive  int
	considered uint64              // events looked at since a checkpoint was due
	seen       eventstore.Position // of the last event looked at
	checkpoint eventstore.Position // the last one sent
}

func (w *reader) subscribe(ctx context.Context) error {
	follow, err := w.follow(ctx)
	if err != nil {
		return err
	}
	id := text(w.server.config.NewID())
	err = w.send(&streams.ReadResp{Content: &streams.ReadResp_Confirmation{
		Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: id},
	}})
	if err != nil {
		return err
	}
	ctx, stop := w.server.whileAllowed(ctx, w.query.operation(), w.query.name())
	defer stop()
	s := &subscription{reader: w}
	for step, err := range w.server.config.Store.Follow(ctx, follow) {
		if err == nil {
			err = s.step(ctx, step)
		}
		if ctx.Err() != nil {
			return fail(context.Cause(ctx), w.query.name())
		}
		if err != nil {
			return fail(err, w.query.name())
		}
	}
	return nil
}

// follow finds out where the subscription begins. The end is found before the
// client is told that it is subscribed: what it then writes is after it.
func (w *reader) follow(ctx context.Context) (engine.Follow, error) {
	q, store := w.query, w.server.config.Store
	if q.stream == "" {
		after := q.from.position
		if q.from.end {
			after = store.Head()
		}
		return engine.Follow{AfterAll: after, ResolveLinks: q.resolve}, w.boundary(ctx)
	}
	info, err := store.Stream(ctx, q.stream)
	switch {
	case err != nil:
		return engine.Follow{}, fail(err, q.stream)
	case info.Tombstoned:
		return engine.Follow{}, streamDeleted(q.stream)
	}
	after := q.from.revision
	switch {
	case q.from.start:
		after = eventstore.NoStream
	case q.from.end:
		after = info.Last
	}
	return engine.Follow{Stream: q.stream, After: after, ResolveLinks: q.resolve}, nil
}

func (s *subscription) step(ctx context.Context, step engine.Step) error {
	for i := range step.Events {
		if err := s.event(ctx, &step.Events[i]); err != nil {
			return err
		}
	}
	if !step.Live {
		return nil
	}
	late := !s.live || s.sinceLive > liveEvents
	s.live, s.sinceLive = true, 0
	if !late {
		return nil
	}
	if err := s.check(); err != nil {
		return err
	}
	return s.send(&streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}})
}

// event sends an event of a step if the client wants it, and a checkpoint when
// one is due: after every so many events, sent or not, so that a client whose
// events are rare need not begin at the last of them again.
func (s *subscription) event(ctx context.Context, r *eventstore.Recorded) error {
	s.sinceLive++
	raw := original(r)
	if s.query.stream != "" {
		return s.reader.event(ctx, r)
	}
	s.seen = raw.Position
	if s.query.wanted.wants(raw) {
		if err := s.reader.event(ctx, r); err != nil {
			return err
		}
	}
	if s.considered++; s.considered < s.query.wanted.interval {
		return nil
	}
	s.considered = 0
	return s.check()
}

// check sends a checkpoint at the last event looked at, unless that was done.
func (s *subscription) check() error {
	if s.query.wanted.interval == 0 || s.seen.Compare(s.checkpoint) <= 0 {
		return nil
	}
	s.checkpoint = s.seen
	return s.send(&streams.ReadResp{Content: &streams.ReadResp_Checkpoint_{Checkpoint: &streams.ReadResp_Checkpoint{
		CommitPosition: s.seen.Commit, PreparePosition: s.seen.Prepare,
	}}})
}

// whileAllowed returns a context that ends, with the reason, when the caller is
// no longer allowed to do op with a stream. Call stop.
func (s *Server) whileAllowed(ctx context.Context, op access.Operation, stream string) (allowed context.Context, stop func()) {
	if s.config.Access == nil {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	changed, leave := s.config.Access.Watch(stream)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for { // the first look is for what changed before the watch began
			if err := s.allow(ctx, op, stream); err != nil {
				cancel(err)
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-done
		leave()
	}
}
