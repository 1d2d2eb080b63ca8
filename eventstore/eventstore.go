// Package eventstore is the port to the system of record: streams of events
// that are appended to, read and followed.
//
// The port carries bytes and knows no event of Konto's. Its shape is what
// EventStoreDB offers, so that an implementation over the official client is a
// translation and no emulation:
//
//   - a [Position] is opaque: positions grow along $all, have gaps, and mean
//     nothing but their order;
//   - system events (type or stream starting with "$") and links exist in what
//     a store holds, and readers must expect them in $all;
//   - metadata is bytes, like data.
//
// Every implementation passes the suite in eventstoretest.
package eventstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"
)

// Errors that every implementation returns, perhaps wrapped. Test for them
// with [errors.Is].
var (
	// ErrWrongRevision: the stream is not where the writer expected it to be.
	// Nothing was stored. The error is a [*WrongRevisionError].
	ErrWrongRevision = errors.New("eventstore: wrong expected revision")
	// ErrStreamNotFound: no event was ever written to the stream, or all of
	// them have been truncated away.
	ErrStreamNotFound = errors.New("eventstore: stream not found")
	// ErrStreamDeleted: the stream has a tombstone; it can never be written again.
	ErrStreamDeleted = errors.New("eventstore: stream deleted")
	// ErrInvalid: the request can never succeed (an empty stream name or event
	// type, an event without an ID, no events).
	ErrInvalid = errors.New("eventstore: invalid request")
	// ErrTooLarge: an event or an append is over the store's size limit.
	ErrTooLarge = errors.New("eventstore: too large")
	// ErrUnavailable: the store cannot serve now; the same call may succeed
	// later. Nothing was stored.
	ErrUnavailable = errors.New("eventstore: unavailable")
	// ErrUnknownOutcome: the append may or may not have been stored. Repeat it
	// with the same event IDs to find out.
	ErrUnknownOutcome = errors.New("eventstore: outcome unknown")
	// ErrClosed: Close has been called.
	ErrClosed = errors.New("eventstore: closed")
)

// WrongRevisionError says where the stream was. It matches [ErrWrongRevision].
type WrongRevisionError struct {
	Stream   string
	Expected Revision
	Current  Revision // [NoStream] if the stream does not exist
}

func (e *WrongRevisionError) Error() string {
	return fmt.Sprintf("%v: stream %s is at %s, expected %s", ErrWrongRevision, e.Stream, e.Current, e.Expected)
}

// Is reports whether target is [ErrWrongRevision].
func (e *WrongRevisionError) Is(target error) bool { return target == ErrWrongRevision }

// Revision is the place of an event in its stream, from 0, without gaps. As
// an expected revision it may also be one of the negative constants, whose
// values are EventStoreDB's.
type Revision int64

// Expected revisions that are not numbers.
const (
	NoStream     Revision = -1 // the stream has no event
	Any          Revision = -2 // whatever is there
	StreamExists Revision = -4 // the stream has at least one event
)

// Last is the end of a stream, as a place to read from.
const Last Revision = math.MaxInt64

func (r Revision) String() string {
	switch r {
	case NoStream:
		return "no stream"
	case Any:
		return "any"
	case StreamExists:
		return "stream exists"
	case Last:
		return "last"
	}
	return fmt.Sprintf("revision %d", int64(r))
}

// Position is the place of an event in $all. The zero value lies before the
// first event.
type Position struct{ Commit, Prepare uint64 }

// End lies after every event.
var End = Position{math.MaxUint64, math.MaxUint64}

// Compare returns -1, 0 or +1 as p lies before, at or after q.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Commit, q.Commit), cmp.Compare(p.Prepare, q.Prepare))
}

// String returns EventStoreDB's text form, such as "C:120/P:120".
func (p Position) String() string { return fmt.Sprintf("C:%d/P:%d", p.Commit, p.Prepare) }

// ParsePosition is the inverse of [Position.String]. It also takes a single
// decimal number for both parts. A malformed text is an [ErrInvalid].
func ParsePosition(s string) (Position, error) {
	commit, prepare := s, s
	if text, ok := strings.CutPrefix(s, "C:"); ok {
		commit, prepare, _ = strings.Cut(text, "/P:")
	}
	c, err := strconv.ParseUint(commit, 10, 64)
	p, err2 := strconv.ParseUint(prepare, 10, 64)
	if errors.Join(err, err2) != nil {
		return Position{}, fmt.Errorf("%w: position %q", ErrInvalid, s)
	}
	return Position{Commit: c, Prepare: p}, nil
}

// ID identifies an event for ever (RFC 9562 UUID).
type ID [16]byte

// Event is an event to append.
type Event struct {
	ID   ID
	Type string
	Data []byte
	Meta []byte
	// Binary says that Data is not JSON. EventStoreDB's content-type metadata.
	Binary bool
}

// Recorded is an event as the store holds it. Its byte slices are read-only;
// a reader may keep them.
type Recorded struct {
	Event
	Stream   string
	Revision Revision
	Position Position
	At       time.Time // when the store accepted it, UTC
	// Link is the link event through which a read with ResolveLinks reached
	// this one, or nil. If what it links to is not there, or hidden, this one
	// is all zero (no ID), but for Link. Where the read is, is Link's place.
	Link *Recorded
}

// System reports whether r is the store's own event rather than a writer's.
func (r Recorded) System() bool {
	return strings.HasPrefix(r.Type, "$") || strings.HasPrefix(r.Stream, "$")
}

// Appended says where an append ended: the revision and the position of its
// last event.
type Appended struct {
	Revision Revision
	Position Position
}

// Direction is the order of a read.
type Direction bool

// The directions.
const (
	Forward  Direction = false
	Backward Direction = true
)

// LinkType is the type of a link: an event whose data is the text
// "<revision>@<stream>" and stands for another event. A read with ResolveLinks
// yields the other one in its place, with Link set. Links are not followed
// further, and data that does not begin with a number is no link's.
const LinkType = "$>"

// ReadStream says what to read of a stream. The zero value is all of it, oldest first.
type ReadStream struct {
	From         Revision // inclusive; [Last] starts a backward read at the end
	Direction    Direction
	Limit        int // at most so many events; 0 means no limit
	ResolveLinks bool
}

// ReadAll says what to read of $all. The zero value is all of it, oldest first.
type ReadAll struct {
	// From: a forward read yields events after it, a backward read events
	// before it ([End] for the newest).
	From         Position
	Direction    Direction
	Limit        int // at most so many events; 0 means no limit
	ResolveLinks bool
}

// Store is an event store. All methods are safe for concurrent use and end
// early with ctx's error when ctx ends.
type Store interface {
	// Append adds events to stream in one step, contiguous and in order, or
	// adds nothing. It returns when they are durable.
	//
	// An append whose event IDs are those that already follow the expected
	// revision succeeds again, adds nothing and returns where those events
	// are. With [Any] and [StreamExists] the same holds as far as the store
	// remembers IDs (EventStoreDB: a bounded cache of recent IDs).
	//
	// Errors: [ErrWrongRevision], [ErrStreamDeleted], [ErrInvalid],
	// [ErrTooLarge], [ErrUnavailable], [ErrUnknownOutcome], [ErrClosed].
	Append(ctx context.Context, stream string, expected Revision, events ...Event) (Appended, error)

	// Read yields the events of one stream. It ends at what was the end when
	// the read got there. Errors: [ErrStreamNotFound], [ErrStreamDeleted],
	// [ErrUnavailable], [ErrClosed]; after an error nothing follows.
	Read(ctx context.Context, stream string, o ReadStream) iter.Seq2[Recorded, error]

	// ReadAll yields the events of all streams, system events and links
	// included. Errors: [ErrUnavailable], [ErrClosed]; after an error nothing
	// follows.
	ReadAll(ctx context.Context, o ReadAll) iter.Seq2[Recorded, error]

	// Subscribe yields every event of $all after a position, in order, none
	// twice and none left out, and then waits for more until ctx ends. Each
	// step yields all that has come, at least one event; the slice is valid
	// until the next step. Events are yielded only once they are durable.
	// Errors as for ReadAll; the last error is ctx's when ctx ends.
	Subscribe(ctx context.Context, after Position) iter.Seq2[[]Recorded, error]

	// Close releases the store. Calls under way end with [ErrClosed].
	Close() error
}

// Head returns the position of the newest event of s, or the zero position if
// there is none.
func Head(ctx context.Context, s Store) (Position, error) {
	for r, err := range s.ReadAll(ctx, ReadAll{From: End, Direction: Backward, Limit: 1}) {
		return r.Position, err
	}
	return Position{}, nil
}
