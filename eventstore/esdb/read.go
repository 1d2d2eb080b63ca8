package esdb

import (
	"context"
	"fmt"
	"iter"
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"konto/eventstore"
)

// Read implements [eventstore.Store]. A connection that is lost on the way is
// made good: the read goes on behind the last event that it has had.
func (s *Store) Read(ctx context.Context, stream string, o eventstore.ReadStream) iter.Seq2[eventstore.Recorded, error] {
	return s.read(ctx, stream, o, false)
}

// ReadAll implements [eventstore.Store]. See [Store.Read].
//
// From should be the position of an event, or zero or [eventstore.End]. The
// server takes no other, so what lies at one is found by reading backward from
// the end, and costs as much.
func (s *Store) ReadAll(ctx context.Context, o eventstore.ReadAll) iter.Seq2[eventstore.Recorded, error] {
	return s.readAll(ctx, o, false)
}

// Subscribe implements [eventstore.Store]. While the store is away it waits.
// After is as for [Store.ReadAll]. It ends with [eventstore.ErrUnavailable] if
// the store refuses to be read.
func (s *Store) Subscribe(ctx context.Context, after eventstore.Position) iter.Seq2[[]eventstore.Recorded, error] {
	return func(yield func([]eventstore.Recorded, error) bool) {
		r := s.start(ctx, &liveSource{store: s, after: after}, true)
		defer r.stop()
		var spare []eventstore.Recorded
		for {
			events, err := r.next(spare)
			if err != nil {
				yield(nil, wrap("subscribe to $all", err))
				return
			}
			if !yield(events, nil) {
				return
			}
			clear(events) // lets go of what they hold
			spare = events
		}
	}
}

// Patient returns s for whoever has nothing better to do than wait: its reads
// wait while the store is away, as subscriptions do, instead of failing. Its
// Close closes s.
func (s *Store) Patient() eventstore.Store { return patient{s} }

type patient struct{ *Store }

func (p patient) Read(ctx context.Context, stream string, o eventstore.ReadStream) iter.Seq2[eventstore.Recorded, error] {
	return p.read(ctx, stream, o, true)
}

func (p patient) ReadAll(ctx context.Context, o eventstore.ReadAll) iter.Seq2[eventstore.Recorded, error] {
	return p.readAll(ctx, o, true)
}

func (s *Store) read(ctx context.Context, stream string, o eventstore.ReadStream, patient bool) iter.Seq2[eventstore.Recorded, error] {
	return s.single(ctx, "read "+stream, patient, func() source {
		return &streamSource{stream: stream, next: o.From, left: limit(o.Limit), o: o}
	})
}

func (s *Store) readAll(ctx context.Context, o eventstore.ReadAll, patient bool) iter.Seq2[eventstore.Recorded, error] {
	return s.single(ctx, "read $all", patient, func() source {
		return &allSource{store: s, from: o.From, left: limit(o.Limit), o: o}
	})
}

// single yields the events of a source that ends, one by one.
func (s *Store) single(ctx context.Context, what string, patient bool, from func() source) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		r := s.start(ctx, from(), patient)
		defer r.stop()
		var spare []eventstore.Recorded
		for {
			events, err := r.next(spare)
			if err != nil {
				yield(eventstore.Recorded{}, wrap(what, err))
				return
			}
			if len(events) == 0 {
				return
			}
			for _, e := range events {
				if err := s.ended(ctx); err != nil {
					yield(eventstore.Recorded{}, wrap(what, err))
					return
				}
				if !yield(e, nil) {
					return
				}
			}
			clear(events)
			spare = events
		}
	}
}

func wrap(what string, err error) error { return fmt.Errorf("%s: %w", what, err) }

// limit is how many events to ask for.
func limit(n int) uint64 {
	if n <= 0 {
		return math.MaxInt64
	}
	return uint64(n)
}

// source is something to read, from wherever the reading is. Its methods are
// called by one goroutine at a time.
type source interface {
	// over reports whether there is nothing to ask for, or nothing that can be.
	over() (bool, error)
	// open makes a stream of the client's.
	open(ctx context.Context, client *esdb.Client) (stream, error)
	// passed is told of each event that comes, and reports whether it is one
	// that was asked for.
	passed(e *esdb.ResolvedEvent) bool
	// look is for when the server may not know the place where the source is.
	// It reports whether it has found another that is as good.
	look(ctx context.Context) (bool, error)
	// live reports whether the source has no end.
	live() bool
}

// stream is the client's, for reads and subscriptions.
type stream struct {
	// recv returns nil for what is not an event, and [io.EOF] at the end.
	recv  func() (*esdb.ResolvedEvent, error)
	close func()
}

// streamSource reads one stream.
type streamSource struct {
	stream string
	o      eventstore.ReadStream
	next   eventstore.Revision
	left   uint64
	done   bool
}

func (s *streamSource) live() bool { return false }

func (s *streamSource) over() (bool, error) {
	switch {
	case s.stream == "":
		return false, eventstore.ErrStreamNotFound
	case s.o.From < 0:
		return false, fmt.Errorf("%w: no such revision: %d", eventstore.ErrInvalid, int64(s.o.From))
	}
	return s.done || s.left == 0, nil
}

func (s *streamSource) look(context.Context) (bool, error) { return false, nil }

func (s *streamSource) open(ctx context.Context, client *esdb.Client) (stream, error) {
	o := esdb.ReadStreamOptions{Direction: direction(s.o.Direction), From: esdb.Revision(uint64(s.next)), ResolveLinkTos: s.o.ResolveLinks} //nolint:gosec // not below 0: see over and passed
	if s.next == eventstore.Last && s.o.Direction == eventstore.Backward {
		o.From = esdb.End{}
	}
	return reading(client.ReadStream(ctx, s.stream, o, s.left))
}

func (s *streamSource) passed(e *esdb.ResolvedEvent) bool {
	at := eventstore.Revision(e.OriginalEvent().EventNumber) //nolint:gosec // below 2^63
	s.left--
	if s.o.Direction == eventstore.Forward {
		s.done, s.next = at == eventstore.Last, at+1
	} else {
		s.done, s.next = at == 0, at-1
	}
	return true
}

// allSource reads $all.
type allSource struct {
	store *Store
	o     eventstore.ReadAll
	from  eventstore.Position
	left  uint64
	known bool // from is the position of an event, or has been looked for
}

func (s *allSource) live() bool { return false }

func (s *allSource) over() (bool, error) {
	nothing := eventstore.End
	if s.o.Direction == eventstore.Backward {
		nothing = eventstore.Position{}
	}
	return s.left == 0 || s.from == nothing, nil
}

func (s *allSource) open(ctx context.Context, client *esdb.Client) (stream, error) {
	o := esdb.ReadAllOptions{Direction: direction(s.o.Direction), From: position(s.from), ResolveLinkTos: s.o.ResolveLinks}
	count := s.left
	if s.o.Direction == eventstore.Forward && s.from != (eventstore.Position{}) {
		count++ // the server's reads begin with the event at a position, the port's after it
	}
	return reading(client.ReadAll(ctx, o, count))
}

func (s *allSource) passed(e *esdb.ResolvedEvent) bool {
	at := eventstore.Position(e.OriginalEvent().Position)
	if s.o.Direction == eventstore.Forward && at.Compare(s.from) <= 0 {
		return false
	}
	s.from, s.known = at, true
	s.left--
	return true
}

func (s *allSource) look(ctx context.Context) (bool, error) {
	before, behind, err := s.store.around(ctx, s.from, &s.known)
	if s.o.Direction == eventstore.Backward {
		before = behind
	}
	moved := before != s.from
	s.from = before
	return moved, err
}

// liveSource follows $all.
type liveSource struct {
	store *Store
	after eventstore.Position
	known bool
}

func (s *liveSource) live() bool { return true }

func (s *liveSource) over() (bool, error) { return false, nil }

func (s *liveSource) open(ctx context.Context, client *esdb.Client) (stream, error) {
	sub, err := client.SubscribeToAll(ctx, esdb.SubscribeToAllOptions{From: position(s.after)})
	if err != nil {
		return stream{}, err
	}
	return stream{
		recv: func() (*esdb.ResolvedEvent, error) {
			e := sub.Recv()
			if e.SubscriptionDropped != nil {
				return nil, e.SubscriptionDropped.Error
			}
			return e.EventAppeared, nil
		},
		close: func() { _ = sub.Close() }, // never fails
	}, nil
}

func (s *liveSource) passed(e *esdb.ResolvedEvent) bool {
	at := eventstore.Position(e.OriginalEvent().Position)
	if s.after != eventstore.End && at.Compare(s.after) <= 0 {
		return false
	}
	s.after, s.known = at, true
	return true
}

func (s *liveSource) look(ctx context.Context) (bool, error) {
	before, _, err := s.store.around(ctx, s.after, &s.known)
	moved := before != s.after
	s.after = before
	return moved, err
}

// around returns the positions of the newest event at or before p, zero if
// there is none, and of the oldest after it, [eventstore.End] if there is
// none. It looks once, and not for what every server knows.
func (s *Store) around(ctx context.Context, p eventstore.Position, known *bool) (before, behind eventstore.Position, err error) {
	if *known || p == eventstore.End || p == (eventstore.Position{}) {
		return p, p, nil
	}
	*known = true
	behind = eventstore.End
	for r, err := range s.ReadAll(ctx, eventstore.ReadAll{From: eventstore.End, Direction: eventstore.Backward}) {
		if err != nil {
			return p, p, err
		}
		if r.Position.Compare(p) <= 0 {
			if r.Position == p {
				behind = p
			}
			return r.Position, behind, nil
		}
		behind = r.Position
	}
	return before, behind, nil
}

func reading(r *esdb.ReadStream, err error) (stream, error) {
	if err != nil {
		return stream{}, err
	}
	return stream{recv: r.Recv, close: r.Close}, nil
}

func direction(d eventstore.Direction) esdb.Direction {
	if d == eventstore.Backward {
		return esdb.Backwards
	}
	return esdb.Forwards
}

func position(p eventstore.Position) esdb.AllPosition {
	switch p {
	case eventstore.Position{}:
		return esdb.Start{}
	case eventstore.End:
		return esdb.End{}
	}
	return esdb.Position(p)
}
