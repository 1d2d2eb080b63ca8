package esdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"konto/eventstore"
)

const (
	// maxRecord is how large a record EventStoreDB takes: its gRPC limit, less
	// what it keeps for itself.
	maxRecord = 16<<20 - 10_000
	// usualLimit is the largest append that a server takes unless it is
	// configured otherwise (MaxAppendSize).
	usualLimit = 1 << 20

	minRetry = 10 * time.Millisecond
	maxRetry = 500 * time.Millisecond
)

// Append implements [eventstore.Store].
//
// When ctx ends while the outcome is unknown, the error is both
// [eventstore.ErrUnknownOutcome] and ctx's.
func (s *Store) Append(ctx context.Context, stream string, expected eventstore.Revision, events ...eventstore.Event) (eventstore.Appended, error) {
	if err := s.ended(ctx); err != nil {
		return eventstore.Appended{}, err
	}
	data, size, err := toClient(stream, events)
	if err != nil {
		return eventstore.Appended{}, fmt.Errorf("append to %s: %w", stream, err)
	}
	revision, err := toExpected(expected)
	if err != nil {
		return eventstore.Appended{}, fmt.Errorf("append to %s: %w", stream, err)
	}
	ctx, cancel := s.during(ctx)
	defer cancel()
	a := attempt{Store: s, stream: stream, expected: expected, revision: revision, events: data, size: size}
	at, err := a.untilKnown(ctx)
	if err != nil {
		return eventstore.Appended{}, fmt.Errorf("append to %s: %w", stream, err)
	}
	return at, nil
}

// attempt is an append on its way.
type attempt struct {
	*Store
	stream   string
	expected eventstore.Revision
	revision esdb.ExpectedRevision
	events   []esdb.EventData
	size     int

	until  time.Time // when the repeating ends; zero before the first failure
	doubt  error     // why the outcome of an attempt is unknown
	paused time.Duration
}

// untilKnown repeats the append while it is unknown or may yet be stored.
func (a *attempt) untilKnown(ctx context.Context) (eventstore.Appended, error) {
	for {
		at, verdict, err := a.once(ctx)
		if err == nil {
			return at, nil
		}
		wrong := errors.Is(err, eventstore.ErrWrongRevision) // the server has looked for these very events
		switch {
		case wrong || verdict == refused && a.doubt == nil:
			return at, err
		case verdict == unknown:
			a.doubt = err
		}
		if a.until.IsZero() {
			a.until = a.now().Add(a.patience)
		}
		if verdict == refused || !a.now().Before(a.until) || a.pauseAfter(ctx) != nil {
			return at, a.giveUp(ctx, err)
		}
	}
}

func (a *attempt) pauseAfter(ctx context.Context) error {
	a.paused = min(max(2*a.paused, minRetry), maxRetry)
	return a.pause(ctx, a.paused)
}

// giveUp says how an append ended that was repeated in vain. Err is of the
// last attempt.
func (a *attempt) giveUp(ctx context.Context, err error) error {
	switch ended := a.ended(ctx); {
	case a.doubt != nil && ended != nil:
		return fmt.Errorf("%w: %w", eventstore.ErrUnknownOutcome, ended)
	case a.doubt != nil:
		return fmt.Errorf("%w: %w", eventstore.ErrUnknownOutcome, reason(a.doubt))
	case ended != nil:
		return ended
	case errors.Is(err, eventstore.ErrUnavailable):
		return err
	}
	return fmt.Errorf("%w: %w", eventstore.ErrUnavailable, reason(err))
}

// waited is the verdict when there was no connection to be had: only to clear
// a doubt is it worth to wait longer.
func waited(doubt error) outcome {
	if doubt != nil {
		return notStored
	}
	return refused
}

// once is one attempt.
func (a *attempt) once(ctx context.Context) (eventstore.Appended, outcome, error) {
	x, err := a.enter(ctx, false)
	if err != nil { // it has been patient already
		return eventstore.Appended{}, waited(a.doubt), err
	}
	deadline := a.deadline
	if !a.until.IsZero() {
		deadline = min(deadline, max(time.Second, a.until.Sub(a.now())))
	}
	c := x.of
	res, err := do(x, func(ctx context.Context) (*esdb.WriteResult, error) {
		return c.client.AppendToStream(ctx, a.stream, esdb.AppendToStreamOptions{ExpectedRevision: a.revision, Deadline: &deadline}, a.events...)
	})
	if err == nil {
		return eventstore.Appended{
			Revision: eventstore.Revision(res.NextExpectedVersion), //nolint:gosec // below 2^63
			Position: eventstore.Position{Commit: res.CommitPosition, Prepare: res.PreparePosition},
		}, 0, nil
	}
	if lost(err) {
		c.retire()
	}
	if code, _ := codeOf(err); code == esdb.ErrorCodeWrongExpectedVersion {
		verdict, err := a.wrongRevision(ctx, err)
		return eventstore.Appended{}, verdict, err
	}
	verdict, err := judge(err, x.sent())
	if verdict == notStored && cutOff(err) && a.size > usualLimit {
		return eventstore.Appended{}, refused, fmt.Errorf("%w: %d bytes, and the server stopped listening", eventstore.ErrTooLarge, a.size)
	}
	return eventstore.Appended{}, verdict, err
}

// wrongRevision is the port's error for the client's.
func (a *attempt) wrongRevision(ctx context.Context, err error) (outcome, error) {
	at, ok := currentOf(err)
	if !ok {
		at = eventstore.NoStream
		for r, err := range a.Read(ctx, a.stream, eventstore.ReadStream{From: eventstore.Last, Direction: eventstore.Backward, Limit: 1}) {
			switch {
			case errors.Is(err, eventstore.ErrStreamNotFound):
			case err != nil:
				return notStored, err
			default:
				at = r.Revision
			}
		}
	}
	return refused, &eventstore.WrongRevisionError{Stream: a.stream, Expected: a.expected, Current: at}
}

func toExpected(r eventstore.Revision) (esdb.ExpectedRevision, error) {
	switch {
	case r >= 0:
		return esdb.Revision(uint64(r)), nil
	case r == eventstore.NoStream:
		return esdb.NoStream{}, nil
	case r == eventstore.Any:
		return esdb.Any{}, nil
	case r == eventstore.StreamExists:
		return esdb.StreamExists{}, nil
	}
	return nil, fmt.Errorf("%w: no such expectation: %d", eventstore.ErrInvalid, int64(r))
}

// toClient checks events and returns them as the client takes them, with their
// size in bytes. What the server would refuse is refused here, since it cannot
// always say so (the client gives an event without an ID a random one, and
// hears nothing of what ends a call that is still being sent).
func toClient(stream string, events []eventstore.Event) (data []esdb.EventData, size int, err error) {
	switch {
	case stream == "":
		return nil, 0, fmt.Errorf("%w: no stream name", eventstore.ErrInvalid)
	case len(events) == 0:
		return nil, 0, fmt.Errorf("%w: no events", eventstore.ErrInvalid)
	}
	data = make([]esdb.EventData, len(events))
	for i, e := range events {
		switch {
		case e.Type == "":
			return nil, 0, fmt.Errorf("%w: event %d has no type", eventstore.ErrInvalid, i)
		case e.ID == eventstore.ID{}:
			return nil, 0, fmt.Errorf("%w: event %d has no ID", eventstore.ErrInvalid, i)
		}
		n := len(e.Data) + len(e.Meta) + 2*len(e.Type)
		if n > maxRecord {
			return nil, 0, fmt.Errorf("%w: event %d has %d bytes, at most %d can be sent", eventstore.ErrTooLarge, i, n, maxRecord)
		}
		size += n
		data[i] = esdb.EventData{EventID: uuid.UUID(e.ID), EventType: e.Type, ContentType: esdb.ContentTypeJson, Data: e.Data, Metadata: e.Meta}
		if e.Binary {
			data[i].ContentType = esdb.ContentTypeBinary
		}
	}
	return data, size, nil
}
