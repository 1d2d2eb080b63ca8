package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"konto/eventstore"
)

// Import adds records as another store wrote them: with their revisions, which
// may leave holes where that store was scavenged, and their times, to the
// microsecond. Positions are this store's. It is how a history is copied;
// nobody else should write meanwhile.
//
// The records are added in their order, and it returns when they are durable.
// A revision must be higher than those the stream has. It stops at the first
// record that it cannot take: those before it are added, none after it is.
// MaxAppendBytes does not apply, the limit of a single record does.
//
// Nothing follows from a record by itself: a stream that was soft-deleted lives
// again when its metadata says so, which is among the records. Errors are those
// of Append.
func (s *Store) Import(ctx context.Context, records []eventstore.Recorded) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var requests []*request
	stopped := new(bool)
	for len(records) > 0 {
		n := 1
		for n < len(records) && records[n].Stream == records[0].Stream && records[n].Revision == records[n-1].Revision+1 {
			n++
		}
		r, err := newImport(records[:n])
		if err != nil {
			return err
		}
		r.stopped = stopped
		requests, records = append(requests, r), records[n:]
	}
	if err := s.enqueue(requests...); err != nil {
		return err
	}
	for _, r := range requests {
		select {
		case <-r.done:
			if r.err != nil && !errors.Is(r.err, errStopped) {
				return r.err
			}
		case <-ctx.Done():
			return fmt.Errorf("import: %w: %w", eventstore.ErrUnknownOutcome, ctx.Err())
		}
	}
	return nil
}

// errStopped: a record before this one could not be taken.
var errStopped = errors.New("engine: import stopped")

// newImport makes a request of records with consecutive revisions of one stream.
func newImport(records []eventstore.Recorded) (*request, error) {
	stream := records[0].Stream
	if err := validTarget(stream, eventstore.Any); err != nil {
		return nil, err
	}
	events := make([]eventstore.Event, len(records))
	for i := range records {
		if records[i].Revision < 0 {
			return nil, fmt.Errorf("%w: %s in stream %s", eventstore.ErrInvalid, records[i].Revision, stream)
		}
		events[i] = records[i].Event
	}
	if err := validEvents(stream, events); err != nil {
		return nil, err
	}
	r := newRequest(imports, stream, eventstore.Any, newPart(stream, events))
	for i := range records {
		r.events[i].Revision, r.events[i].At = records[i].Revision, records[i].At.UTC().Truncate(time.Microsecond)
	}
	return r, nil
}

// decideImport says whether the records go on where the stream is.
func (r *request) decideImport(h head) (result eventstore.Appended, stored bool, err error) {
	first, last := r.events[0].Revision, r.events[len(r.events)-1].Revision
	switch {
	case *r.stopped:
		return result, false, errStopped
	case first <= h.revision:
		return result, false, &eventstore.WrongRevisionError{Stream: r.target, Expected: first - 1, Current: h.revision}
	}
	return eventstore.Appended{Revision: last}, true, nil
}

// addImport adds imported records to the group, and what they say of a stream
// to the facts.
func (s *Store) addImport(g *group, r *request, h head) error {
	subject, ok := describes(r.target)
	ends := r.result.Revision == tombstoned
	if !ok {
		subject = r.target
	}
	if !ok && !ends {
		r.result.Position = s.add(g, &r.part, r.result.Revision)
		s.writer.heads.Add(r.target, head{revision: r.result.Revision, deleted: h.deleted})
		return nil
	}
	f, err := s.groupFact(subject)
	if err != nil {
		return err
	}
	about, err := s.head(subject)
	if err != nil {
		return err
	}
	r.result.Position = s.add(g, &r.part, r.result.Revision)
	if ends {
		about.revision, f.tombstone = tombstoned, r.result.Position.Commit
	} else {
		f.learn(r)
	}
	s.writer.facts[subject] = f
	s.writer.heads.Add(subject, head{revision: about.revision, deleted: f.truncateBefore == deleted})
	return nil
}
