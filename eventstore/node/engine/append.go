package engine

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"konto/eventstore"
)

// part is what a request adds to one stream, in one run.
type part struct {
	stream  string
	events  []eventstore.Recorded // Data and Meta point into records
	records []byte                // the events' records, one after another

	correlations []string // of each event, or nil if nobody has looked; for indexes
}

// request is an append, or another change of a stream, on its way to the writer
// and back.
type request struct {
	kind     kind
	target   string // the stream that expected is about
	expected eventstore.Revision
	part           // what it stores
	also     *part // metadata that has to follow from it, or nil
	stopped  *bool // of an import: an earlier request of it was refused; the writer's
	state    atomic.Int32

	// The answer; set before done gets its token.
	result eventstore.Appended
	err    error
	stored bool // its events are in the group it was answered with
	done   chan struct{}
}

// Kinds of requests.
type kind int

const (
	appends kind = iota
	deletes
	tombstones
	imports
)

func (k kind) String() string { return [...]string{"append", "delete", "tombstone", "import"}[k] }

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
	return s.submit(ctx, newRequest(appends, stream, expected, newPart(stream, events)))
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
	return s.submit(ctx, newRequest(appends, stream, expected, part{stream: stream}))
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
		return eventstore.Appended{}, fmt.Errorf("%v %s: %w: %w", r.kind, r.target, eventstore.ErrUnknownOutcome, ctx.Err())
	}
}

func (s *Store) validate(stream string, expected eventstore.Revision, events []eventstore.Event) error {
	if err := validTarget(stream, expected); err != nil {
		return err
	}
	if len(events) == 0 {
		return fmt.Errorf("%w: no events", eventstore.ErrInvalid)
	}
	if err := validEvents(stream, events); err != nil {
		return err
	}
	size := 0
	for i := range events {
		size += len(events[i].Type) + len(events[i].Data) + len(events[i].Meta)
	}
	if size > s.config.MaxAppendBytes {
		return fmt.Errorf("%w: append of %d bytes, at most %d", eventstore.ErrTooLarge, size, s.config.MaxAppendBytes)
	}
	return nil
}

func validEvents(stream string, events []eventstore.Event) error {
	for i := range events {
		e := &events[i]
		if e.Type == "" || len(e.Type) > maxTypeBytes || e.ID == (eventstore.ID{}) {
			return fmt.Errorf("%w: event %d has no ID or a type of %d bytes", eventstore.ErrInvalid, i, len(e.Type))
		}
		if n := recordLen(stream, e); n > maxRecordBytes {
			return fmt.Errorf("%w: event %d makes a record of %d bytes, at most %d", eventstore.ErrTooLarge, i, n, maxRecordBytes)
		}
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

func newRequest(k kind, target string, expected eventstore.Revision, p part) *request {
	return &request{kind: k, target: target, expected: expected, part: p, done: make(chan struct{}, 1)}
}

// newPart encodes events for a stream; their places are still to be given.
func newPart(stream string, events []eventstore.Event) part {
	size := 0
	for i := range events {
		size += recordLen(stream, &events[i])
	}
	p := part{stream: stream, events: make([]eventstore.Recorded, len(events)), records: make([]byte, 0, size)}
	for i := range events {
		e := &events[i]
		p.records = appendRecord(p.records, stream, e)
		end := len(p.records)
		data := end - len(e.Data)
		meta := data - len(e.Meta)
		p.events[i] = eventstore.Recorded{Event: *e, Stream: stream}
		p.events[i].Data, p.events[i].Meta = p.records[data:end:end], p.records[meta:data:data]
	}
	return p
}

// enqueue hands requests to the writer, which takes them in their order.
func (s *Store) enqueue(requests ...*request) error {
	if len(requests) == 0 {
		return nil
	}
	if cause := s.failure(); cause != nil {
		return unavailable(requests[0], cause)
	}
	if s.config.Indexes {
		for _, r := range requests {
			if isIndex(r.target) {
				return fmt.Errorf("%w: %v %s: an index", eventstore.ErrInvalid, r.kind, r.target)
			}
			r.correlations = correlations(r.events) // not on the writer's goroutine
		}
	}
	s.queue.Lock()
	closed := s.queue.closed
	if !closed {
		s.queue.waiting = append(s.queue.waiting, requests...)
	}
	first := len(s.queue.waiting) == len(requests)
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

func unavailable(r *request, cause error) error {
	return fmt.Errorf("%v %s: %w: %w", r.kind, r.target, eventstore.ErrUnavailable, cause)
}

// answer hands the outcome to the caller. cause, if not nil, is why the group
// could not be made durable.
func (r *request) answer(cause error) {
	switch {
	case cause == nil:
	case r.stored || r.err == nil:
		r.result, r.err = eventstore.Appended{}, fmt.Errorf("%v %s: %w: %w", r.kind, r.target, eventstore.ErrUnknownOutcome, cause)
	case errors.Is(r.err, eventstore.ErrWrongRevision), errors.Is(r.err, eventstore.ErrStreamDeleted): // measured against events that may not be durable
		r.err = unavailable(r, cause)
	}
	r.done <- struct{}{}
}
