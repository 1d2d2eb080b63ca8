package esdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"

	"konto/eventstore"
)

// reader is one read or subscription. A pump, which is a goroutine for each
// stream that is opened, fills a queue; whoever empties it opens the next
// stream when one is lost.
type reader struct {
	store  *Store
	caller context.Context //nolint:containedctx // of one iteration
	ctx    context.Context //nolint:containedctx // ends with the caller, the store or stop
	stop   context.CancelFunc
	source source
	// patient readers wait as long as the store is away.
	patient bool

	queue    *queue // nil while no stream is open
	watch    *time.Timer
	failures int       // in a row
	until    time.Time // when it is enough of them
}

// start begins to read. The caller must call stop.
func (s *Store) start(ctx context.Context, from source, patient bool) *reader {
	r := &reader{store: s, caller: ctx, source: from, patient: patient}
	r.ctx, r.stop = s.during(ctx)
	return r
}

// next returns all events that have come, at least one, or why there are none;
// no event and no error is the end. Spare is a slice to fill again.
func (r *reader) next(spare []eventstore.Recorded) ([]eventstore.Recorded, error) {
	for {
		if ended := r.store.ended(r.caller); ended != nil {
			return nil, ended
		}
		if r.queue == nil {
			if over, err := r.source.over(); over || err != nil {
				return nil, err
			}
			if err := r.open(); err != nil {
				return nil, err
			}
		}
		events, err := r.queue.take(r.ctx, spare)
		if len(events) > 0 {
			r.failures = 0
			return events, nil
		}
		r.queue = nil
		r.watch.Stop()
		if ended := r.store.ended(r.caller); ended != nil {
			return nil, ended
		}
		if err == nil {
			return nil, nil
		}
		if err := r.settle(err); err != nil {
			return nil, err
		}
	}
}

// open starts a pump.
func (r *reader) open() error {
	x, err := r.store.enter(r.ctx, r.patient)
	if err != nil {
		return err
	}
	q := newQueue()
	if !r.store.spawn(func() { r.pump(x, q) }) {
		x.leave()
		return eventstore.ErrClosed
	}
	r.queue = q
	r.watch = time.AfterFunc(x.of.limit, func() {
		if x.overdue() {
			q.end(errHangs)
		}
	})
	return nil
}

// pump fills q from one stream of the client, within the call x.
func (r *reader) pump(x *call, q *queue) {
	// Whoever empties the queue does not wait for the client, which hangs if it
	// does not end with its context.
	forget := context.AfterFunc(r.ctx, x.abandon)
	defer forget()
	defer x.leave()
	err := r.copy(x, q)
	if err != nil && !x.sent() {
		x.of.spoil()
	}
	if err != nil && lost(err) {
		x.of.retire()
	}
	q.end(err)
}

func (r *reader) copy(x *call, q *queue) (err error) {
	defer recovered(&err)
	from, err := r.source.open(x, x.of.client)
	if err != nil {
		return err
	}
	defer from.close()
	if x.hung() { // another pump may be at work instead
		return errHangs
	}
	for {
		e, err := from.recv()
		switch {
		case errors.Is(err, io.EOF) && !r.source.live():
			x.of.proved.Store(true)
			return nil
		case err != nil:
			return err
		case e == nil || e.OriginalEvent() == nil || !r.source.passed(e):
			continue
		}
		x.of.proved.Store(true)
		if !q.put(r.ctx, fromClient(e)) {
			return r.ctx.Err()
		}
	}
}

// settle looks what to do about err, by which a stream has ended. It returns
// nil when the next one may be opened, and the port's error otherwise.
func (r *reader) settle(err error) error {
	if notFound(err) {
		return eventstore.ErrStreamNotFound
	}
	if r.misplaced(err) {
		moved, err := r.source.look(r.ctx)
		if moved || err != nil {
			return err
		}
	}
	if no := refusal(err); no != nil {
		return no
	}
	if r.failures++; r.failures == 1 {
		r.until = r.store.now().Add(r.store.patience)
	}
	if !r.patient && !r.store.now().Before(r.until) {
		return fmt.Errorf("%w: %w", eventstore.ErrUnavailable, reason(err))
	}
	return r.store.pause(r.ctx, min(minRetry<<min(r.failures-1, 10), maxRetry))
}

// misplaced reports whether err may say that no record begins at a position.
// Servers say it as InvalidArgument, or say nothing of their reason, as they
// also do when something else went wrong for once.
func (r *reader) misplaced(err error) bool {
	_, rpc := codeOf(err)
	return rpc == codes.InvalidArgument || rpc == codes.Unknown && r.failures > 0
}

// fromClient is an event as the port has it. If a link's target is gone, only
// the link is left.
func fromClient(e *esdb.ResolvedEvent) eventstore.Recorded {
	var r eventstore.Recorded
	if e.Event != nil {
		r = recorded(e.Event)
	}
	if e.Link != nil {
		link := recorded(e.Link)
		r.Link = &link
	}
	return r
}

func recorded(e *esdb.RecordedEvent) eventstore.Recorded {
	at := eventstore.Position(e.Position)
	if at == eventstore.End { // how servers before 22.6 say that they do not tell
		at = eventstore.Position{}
	}
	return eventstore.Recorded{
		Event: eventstore.Event{
			ID: eventstore.ID(e.EventID), Type: e.EventType, Data: e.Data, Meta: e.UserMetadata,
			Binary: e.ContentType != "application/json",
		},
		Stream: e.StreamID, Revision: eventstore.Revision(e.EventNumber), //nolint:gosec // below 2^63
		Position: at, At: e.CreatedDate.In(time.UTC),
	}
}
