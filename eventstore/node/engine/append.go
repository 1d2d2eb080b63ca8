package engine

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"konto/eventstore"
)

// request is an append on its way to the writer and back.
type request struct {
	stream   string
	expected eventstore.Revision
	events   []eventstore.Recorded // Data and Meta point into records
	records  []byte                // the events' records, one after another
	state    atomic.Int32

	// The answer; set before done gets its token.
	result eventstore.Appended
	err    error
	stored bool // its events are in the group it was answered with
	done   chan struct{}
}

// States of a request. A caller whose context ends may withdraw one that waits.
const (
	waiting int32 = iota
	taken
	withdrawn
)

// Append implements [eventstore.Store]. It blocks until the events are synced,
// together with those of all other callers that wait. It copies the events
// before it blocks. When ctx ends while the append is being written, the error
// matches both [eventstore.ErrUnknownOutcome] and ctx's.
func (s *Store) Append(ctx context.Context, stream string, expected eventstore.Revision, events ...eventstore.Event) (eventstore.Appended, error) {
	if err := ctx.Err(); err != nil {
		return eventstore.Appended{}, err
	}
	if err := s.validate(stream, expected, events); err != nil {
		return eventstore.Appended{}, err
	}
	return s.submit(ctx, newRequest(stream, expected, events))
}

// Check does what an append of no events does: it compares revisions. It
// returns the revision of the stream's newest event, and no position. Errors
// are those of Append.
func (s *Store) Check(ctx context.Context, stream string, expected eventstore.Revision) (eventstore.Appended, error) {
	if err := ctx.Err(); err != nil {
		return eventstore.Appended{}, err
	}
	if err := validTarget(stream, expected); err != nil {
		return eventstore.Appended{}, err
	}
	return s.submit(ctx, newRequest(stream, expected, nil))
}

// submit hands r to the writer and waits for the answer.
func (s *Store) submit(ctx context.Context, r *request) (eventstore.Appended, error) {
	if err := s.enqueue(r); err != nil {
		return eventstore.Appended{}, err
	}
	select {
	case <-r.done:
		return r.result, r.err
	case <-ctx.Done():
	}
	if r.state.CompareAndSwap(waiting, withdrawn) {
		return eventstore.Appended{}, ctx.Err()
	}
	select {
	case <-r.done:
		return r.result, r.err
	default:
		return eventstore.Appended{}, fmt.Errorf("append %s: %w: %w", r.stream, eventstore.ErrUnknownOutcome, ctx.Err())
	}
}

func (s *Store) validate(stream string, expected eventstore.Revision, events []eventstore.Event) error {
	if err := validTarget(stream, expected); err != nil {
		return err
	}
	if len(events) == 0 {
		return fmt.Errorf("%w: no events", eventstore.ErrInvalid)
	}
	size := 0
	for i := range events {
		e := &events[i]
		if e.Type == "" || len(e.Type) > maxTypeBytes || e.ID == (eventstore.ID{}) {
			return fmt.Errorf("%w: event %d has no ID or a type of %d bytes", eventstore.ErrInvalid, i, len(e.Type))
		}
		size += len(e.Type) + len(e.Data) + len(e.Meta)
	}
	if size > s.config.MaxAppendBytes {
		return fmt.Errorf("%w: append of %d bytes, at most %d", eventstore.ErrTooLarge, size, s.config.MaxAppendBytes)
	}
	return nil
}

func validTarget(stream string, expected eventstore.Revision) error {
	switch {
	case stream == "", stream == "$$", len(stream) > maxStreamBytes:
		return fmt.Errorf("%w: stream name of %d bytes", eventstore.ErrInvalid, len(stream))
	case expected < eventstore.NoStream && expected != eventstore.Any && expected != eventstore.StreamExists:
		return fmt.Errorf("%w: expected %s", eventstore.ErrInvalid, expected)
	}
	return nil
}

func newRequest(stream string, expected eventstore.Revision, events []eventstore.Event) *request {
	size := 0
	for i := range events {
		size += recordLen(stream, &events[i])
	}
	r := &request{
		stream: stream, expected: expected, done: make(chan struct{}, 1),
		events: make([]eventstore.Recorded, len(events)), records: make([]byte, 0, size),
	}
	for i := range events {
		e := &events[i]
		r.records = appendRecord(r.records, stream, e)
		end := len(r.records)
		data := end - len(e.Data)
		meta := data - len(e.Meta)
		r.events[i] = eventstore.Recorded{Event: *e, Stream: stream}
		r.events[i].Data, r.events[i].Meta = r.records[data:end:end], r.records[meta:data:data]
	}
	return r
}

func (s *Store) enqueue(r *request) error {
	if cause := s.failure(); cause != nil {
		return unavailable(r.stream, cause)
	}
	s.queue.Lock()
	closed := s.queue.closed
	if !closed {
		s.queue.waiting = append(s.queue.waiting, r)
	}
	first := len(s.queue.waiting) == 1
	s.queue.Unlock()
	if closed {
		return eventstore.ErrClosed
	}
	if first {
		s.wakeWriter()
	}
	return nil
}

func (s *Store) wakeWriter() {
	select {
	case s.queue.filled <- struct{}{}:
	default:
	}
}

func unavailable(stream string, cause error) error {
	return fmt.Errorf("append %s: %w: %w", stream, eventstore.ErrUnavailable, cause)
}

// answer hands the outcome to the caller. cause, if not nil, is why the group
// could not be made durable.
func (r *request) answer(cause error) {
	switch {
	case cause == nil:
	case r.stored || r.err == nil:
		r.result, r.err = eventstore.Appended{}, fmt.Errorf("append %s: %w: %w", r.stream, eventstore.ErrUnknownOutcome, cause)
	case errors.Is(r.err, eventstore.ErrWrongRevision): // measured against events that may not be durable
		r.err = unavailable(r.stream, cause)
	}
	r.done <- struct{}{}
}
