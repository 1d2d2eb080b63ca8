// Package memory is an event store in memory, for tests and for the simulator.
//
// It keeps the whole contract of [eventstore.Store] except durability: what is
// appended is gone with the process. Positions have gaps, as EventStoreDB's
// have, so that code which counts on their numbers fails in a test already. It
// remembers every event ID for ever, so an append with [eventstore.Any] can be
// repeated at any time.
//
// [Store.Fault] breaks appends in the two ways an append can break: before and
// after it was stored.
package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"konto/eventstore"
)

// MaxAppendBytes is the limit of an append: the sum of data, metadata and type
// lengths. EventStoreDB's default (MaxAppendSize).
const MaxAppendBytes = 1 << 20

// Store keeps everything in memory. The zero value is empty and ready. Its
// fields must not change once the store is in use.
type Store struct {
	// Now gives the time of an append. Nil means the system clock.
	Now func() time.Time
	// Fault, if not nil, is asked before and after each append is stored. An
	// error it returns is what the caller gets, stored or not. It may be called
	// from several goroutines and may use the store.
	Fault func(stream string, stored bool) error

	mu      sync.RWMutex
	closed  bool
	streams map[string][]int // indices into all
	all     []eventstore.Recorded
	ids     map[eventstore.ID]int // index into all
	next    uint64                // position of the next event
	grown   chan struct{}         // closed when all grows or the store closes
}

var _ eventstore.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store { return &Store{} }

// Append implements [eventstore.Store].
func (s *Store) Append(ctx context.Context, stream string, expected eventstore.Revision, events ...eventstore.Event) (eventstore.Appended, error) {
	if err := ctx.Err(); err != nil {
		return eventstore.Appended{}, err
	}
	if err := validate(stream, expected, events); err != nil {
		return eventstore.Appended{}, err
	}
	if s.Fault != nil {
		if err := s.Fault(stream, false); err != nil {
			return eventstore.Appended{}, err
		}
	}
	done, err := s.store(stream, expected, events)
	if err == nil && s.Fault != nil {
		if err := s.Fault(stream, true); err != nil {
			return eventstore.Appended{}, err
		}
	}
	return done, err
}

func validate(stream string, expected eventstore.Revision, events []eventstore.Event) error {
	switch {
	case stream == "" || stream == "$$":
		return fmt.Errorf("%w: stream name %q", eventstore.ErrInvalid, stream)
	case expected < eventstore.NoStream && expected != eventstore.Any && expected != eventstore.StreamExists:
		return fmt.Errorf("%w: expected %s", eventstore.ErrInvalid, expected)
	case len(events) == 0:
		return fmt.Errorf("%w: no events", eventstore.ErrInvalid)
	}
	size := 0
	for i, e := range events {
		if e.Type == "" || e.ID == (eventstore.ID{}) {
			return fmt.Errorf("%w: event %d has no type or no ID", eventstore.ErrInvalid, i)
		}
		size += len(e.Type) + len(e.Data) + len(e.Meta)
	}
	if size > MaxAppendBytes {
		return fmt.Errorf("%w: append of %d bytes, at most %d", eventstore.ErrTooLarge, size, MaxAppendBytes)
	}
	return nil
}

func (s *Store) store(stream string, expected eventstore.Revision, events []eventstore.Event) (eventstore.Appended, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return eventstore.Appended{}, eventstore.ErrClosed
	}
	have := s.streams[stream]
	if done, ok, err := s.repeated(stream, have, expected, events); ok || err != nil {
		return done, err
	}
	if s.streams == nil {
		s.streams, s.ids = map[string][]int{}, map[eventstore.ID]int{}
		s.next = 64 // position 0 means "before everything"
	}
	at := s.now()
	for _, e := range events {
		e.Data, e.Meta = slices.Clone(e.Data), slices.Clone(e.Meta)
		r := eventstore.Recorded{
			Event: e, Stream: stream, Revision: eventstore.Revision(len(have)),
			Position: eventstore.Position{Commit: s.next, Prepare: s.next}, At: at,
		}
		s.next += 64 + uint64(len(e.Data)+len(e.Meta))
		s.ids[e.ID] = len(s.all)
		have, s.all = append(have, len(s.all)), append(s.all, r)
	}
	s.streams[stream] = have
	s.wake()
	return s.where(have[len(have)-1]), nil
}

// repeated finds out whether the append may happen (false, nil), has happened
// already (true), or does not fit.
func (s *Store) repeated(stream string, have []int, expected eventstore.Revision, events []eventstore.Event) (eventstore.Appended, bool, error) {
	current := eventstore.Revision(len(have) - 1)
	wrong := &eventstore.WrongRevisionError{Stream: stream, Expected: expected, Current: current}
	switch {
	case expected == eventstore.StreamExists && current < 0, expected > current:
		return eventstore.Appended{}, false, wrong
	case expected == current:
		return eventstore.Appended{}, false, nil
	}
	last := 0
	for i, e := range events {
		at, known := s.ids[e.ID]
		known = known && s.all[at].Stream == stream
		if expected >= eventstore.NoStream {
			at = int(expected) + 1 + i
			known = at < len(have) && s.all[have[at]].ID == e.ID
			at = have[min(at, len(have)-1)]
		} else if !known && i == 0 {
			return eventstore.Appended{}, false, nil
		}
		if !known {
			return eventstore.Appended{}, false, wrong
		}
		last = at
	}
	return s.where(last), true, nil
}

func (s *Store) where(i int) eventstore.Appended {
	return eventstore.Appended{Revision: s.all[i].Revision, Position: s.all[i].Position}
}

func (s *Store) now() time.Time {
	if s.Now != nil {
		return s.Now().UTC().Truncate(time.Microsecond)
	}
	return time.Now().UTC().Truncate(time.Microsecond) //nolint:forbidigo // the default of the clock field
}

// wake ends all waits for growth. The caller holds mu.
func (s *Store) wake() {
	if s.grown != nil {
		close(s.grown)
		s.grown = nil
	}
}

// Fork returns a store that begins with what s holds. What is appended to
// either is not in the other.
func (s *Store) Fork() *Store {
	s.mu.RLock()
	defer s.mu.RUnlock()
	f := &Store{Now: s.Now, Fault: s.Fault, streams: make(map[string][]int, len(s.streams)), ids: maps.Clone(s.ids), next: s.next}
	f.all = slices.Clip(s.all) // what is in it never changes
	for name, indices := range s.streams {
		f.streams[name] = slices.Clip(indices)
	}
	return f
}

// Close implements [eventstore.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.wake()
	return nil
}
