package engine_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// state brings a fresh stream into a state and returns its newest events' IDs.
type state func(t *testing.T, s *engine.Store, stream string) []eventstore.Event

func empty(*testing.T, *engine.Store, string) []eventstore.Event { return nil }

// three appends of one event each.
func three(t *testing.T, s *engine.Store, stream string) (events []eventstore.Event) {
	t.Helper()
	for range 3 {
		e := fresh(1)
		must(t)(s.Append(t.Context(), stream, eventstore.Any, e...))
		events = append(events, e...)
	}
	return events
}

func described(t *testing.T, s *engine.Store, stream string) []eventstore.Event {
	t.Helper()
	must(t)(s.Append(t.Context(), "$$"+stream, eventstore.Any, metadata(`{"$acl":{"$r":"ops"},"color":"blue"}`)))
	return nil
}

func softDeleted(t *testing.T, s *engine.Store, stream string) []eventstore.Event {
	t.Helper()
	events := three(t, s, stream)
	must(t)(s.Delete(t.Context(), stream, eventstore.Any))
	return events
}

func hardDeleted(t *testing.T, s *engine.Store, stream string) []eventstore.Event {
	t.Helper()
	events := three(t, s, stream)
	must(t)(s.Tombstone(t.Context(), stream, eventstore.Any))
	return events
}

func must(t *testing.T) func(any, error) {
	t.Helper()
	return func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func fresh(n int) []eventstore.Event {
	events := make([]eventstore.Event, n)
	for i := range events {
		events[i] = eventstore.Event{ID: randomID(), Type: "T", Data: []byte(`{}`)}
	}
	return events
}

func metadata(data string) eventstore.Event {
	return eventstore.Event{ID: randomID(), Type: "$metadata", Data: []byte(data)}
}

// Outcomes of an append or a delete.
const (
	isWritten = iota
	isRepeated
	isWrong
	isGone
)

// TestDecide goes through the rules of an append, in their order.
func TestDecide(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), engine.Config{})
	t.Cleanup(func() { _ = s.Close() })
	same := func(e []eventstore.Event) []eventstore.Event { return e }
	tail := func(e []eventstore.Event) []eventstore.Event { return e[1:] }
	mixed := func(e []eventstore.Event) []eventstore.Event { return append(e[:1:1], fresh(1)...) }
	new1 := func([]eventstore.Event) []eventstore.Event { return fresh(1) }
	none := func([]eventstore.Event) []eventstore.Event { return nil }
	for _, test := range []struct {
		name     string
		state    state
		expected eventstore.Revision
		events   func([]eventstore.Event) []eventstore.Event
		want     int
		revision eventstore.Revision
	}{
		{"tombstoned, any", hardDeleted, eventstore.Any, new1, isGone, 0},
		{"tombstoned, no stream", hardDeleted, eventstore.NoStream, new1, isGone, 0},
		{"tombstoned, the last revision", hardDeleted, 2, new1, isGone, 0},
		{"tombstoned, the tombstone's revision", hardDeleted, math.MaxInt64, new1, isGone, 0},
		{"tombstoned, the same events", hardDeleted, eventstore.NoStream, same, isGone, 0},
		{"tombstoned, no events", hardDeleted, eventstore.Any, none, isGone, 0},

		{"exists, soft-deleted", softDeleted, eventstore.StreamExists, new1, isGone, 0},
		{"exists, soft-deleted, the same events", softDeleted, eventstore.StreamExists, same, isGone, 0},
		{"exists, nothing there", empty, eventstore.StreamExists, new1, isWrong, eventstore.NoStream},
		{"exists, only metadata", described, eventstore.StreamExists, new1, isWritten, 0},
		{"exists", three, eventstore.StreamExists, new1, isWritten, 3},

		{"any, nothing there", empty, eventstore.Any, new1, isWritten, 0},
		{"any, all known", three, eventstore.Any, same, isRepeated, 2},
		{"exists, all known", three, eventstore.StreamExists, tail, isRepeated, 2},
		{"any, the first known", three, eventstore.Any, mixed, isWrong, 2},
		{"any, soft-deleted", softDeleted, eventstore.Any, new1, isWritten, 3},
		{"any, soft-deleted, all known", softDeleted, eventstore.Any, same, isRepeated, 2},

		{"exact", three, 2, new1, isWritten, 3},
		{"no stream, nothing there", empty, eventstore.NoStream, new1, isWritten, 0},
		{"no stream, only metadata", described, eventstore.NoStream, new1, isWritten, 0},
		{"a revision to come", three, 3, new1, isWrong, 2},
		{"an older one", three, 1, new1, isWrong, 2},
		{"an older one, the same events", three, eventstore.NoStream, same, isRepeated, 2},
		{"an older one, only the first", three, eventstore.NoStream, func(e []eventstore.Event) []eventstore.Event { return e[:1] }, isRepeated, 0},
		{"an older one, a later one differs", three, eventstore.NoStream, mixed, isWrong, 2},
		{"an older one, others there", three, eventstore.NoStream, tail, isWrong, 2},
		{"soft-deleted, the last revision", softDeleted, 2, new1, isWritten, 3},
		{"soft-deleted, no stream", softDeleted, eventstore.NoStream, new1, isWritten, 3},
		{"soft-deleted, no stream, the same events", softDeleted, eventstore.NoStream, same, isRepeated, 2},
		{"soft-deleted, no stream, a later one differs", softDeleted, eventstore.NoStream, mixed, isWrong, 2},
		{"soft-deleted, an older one", softDeleted, 0, new1, isWrong, 2},

		{"nothing to any", three, eventstore.Any, none, isRepeated, 2},
		{"nothing to any, nothing there", empty, eventstore.Any, none, isRepeated, eventstore.NoStream},
		{"nothing to what exists", three, eventstore.StreamExists, none, isRepeated, 2},
		{"nothing to what does not exist", empty, eventstore.StreamExists, none, isWrong, eventstore.NoStream},
		{"nothing to the last revision", three, 2, none, isRepeated, 2},
		{"nothing to an older one", three, 1, none, isWrong, 2},
		{"nothing to no stream", three, eventstore.NoStream, none, isWrong, 2},
		{"nothing to one to come", three, 3, none, isWrong, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			stream := "a-" + test.name
			events := test.events(test.state(t, s, stream))
			before := s.Head()
			var got eventstore.Appended
			var err error
			if len(events) == 0 {
				got, err = s.Check(t.Context(), stream, test.expected)
			} else {
				got, err = s.Append(t.Context(), stream, test.expected, events...)
			}
			checkOutcome(t, err, test.want, eventstore.WrongRevisionError{Stream: stream, Expected: test.expected, Current: test.revision})
			if err == nil && got.Revision != test.revision {
				t.Errorf("Append = %+v, want revision %d", got, test.revision)
			}
			if fresh := got.Position.Compare(before) > 0; err == nil && len(events) > 0 && fresh != (test.want == isWritten) {
				t.Errorf("Append = %+v, the newest before was at %v", got, before)
			}
		})
	}
}

func checkOutcome(t *testing.T, err error, want int, refused eventstore.WrongRevisionError) {
	t.Helper()
	var wrongRevision *eventstore.WrongRevisionError
	switch {
	case want == isGone && !errors.Is(err, eventstore.ErrStreamDeleted):
		t.Errorf("error is %v, want ErrStreamDeleted", err)
	case want == isWrong && !errors.As(err, &wrongRevision):
		t.Errorf("error is %v, want a WrongRevisionError", err)
	case want == isWrong:
		if d := cmp.Diff(refused, *wrongRevision); d != "" {
			t.Errorf("got + and not -:\n%s", d)
		}
	case (want == isWritten || want == isRepeated) && err != nil:
		t.Errorf("error is %v, want none", err)
	}
}

// TestOtherStreamsIDs: an ID that another stream has is unknown here.
func TestOtherStreamsIDs(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), engine.Config{})
	t.Cleanup(func() { _ = s.Close() })
	events := three(t, s, "a-1")
	if at, err := s.Append(t.Context(), "a-2", eventstore.Any, events...); err != nil || at.Revision != 2 {
		t.Errorf("Append of another stream's IDs = %+v, %v, want revision 2", at, err)
	}
}

// TestDeletes goes through the rules of deletes, and what follows.
func TestDeletes(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), engine.Config{})
	t.Cleanup(func() { _ = s.Close() })
	for _, test := range []struct {
		name       string
		state      state
		expected   eventstore.Revision
		soft, hard int // what becomes of either
		current    eventstore.Revision
	}{
		{"nothing there, any", empty, eventstore.Any, isWrong, isWritten, eventstore.NoStream},
		{"nothing there, no stream", empty, eventstore.NoStream, isWrong, isWritten, eventstore.NoStream},
		{"nothing there, exists", empty, eventstore.StreamExists, isWrong, isWrong, eventstore.NoStream},
		{"nothing there, a revision", empty, 0, isWrong, isWrong, eventstore.NoStream},
		{"only metadata, any", described, eventstore.Any, isWritten, isWritten, 0},
		{"only metadata, exists", described, eventstore.StreamExists, isWritten, isWritten, 0},
		{"any", three, eventstore.Any, isWritten, isWritten, 0},
		{"exists", three, eventstore.StreamExists, isWritten, isWritten, 0},
		{"the last revision", three, 2, isWritten, isWritten, 0},
		{"an older revision", three, 1, isWrong, isWrong, 2},
		{"no stream", three, eventstore.NoStream, isWrong, isWrong, 2},
		{"a revision to come", three, 3, isWrong, isWrong, 2},
		{"soft-deleted, any", softDeleted, eventstore.Any, isWritten, isWritten, 0},
		{"soft-deleted, exists", softDeleted, eventstore.StreamExists, isGone, isGone, 0},
		{"soft-deleted, the last revision", softDeleted, 2, isWritten, isWritten, 0},
		{"soft-deleted, no stream", softDeleted, eventstore.NoStream, isWritten, isWritten, 0},
		{"soft-deleted, an older one", softDeleted, 1, isWrong, isWrong, 2},
		{"tombstoned, any", hardDeleted, eventstore.Any, isGone, isGone, 0},
		{"tombstoned, exists", hardDeleted, eventstore.StreamExists, isGone, isGone, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, hard := range []bool{false, true} {
				stream, remove, want, into, revision := "soft-"+test.name, s.Delete, test.soft, "$$", eventstore.Revision(0)
				if hard {
					stream, remove, want, into, revision = "hard-"+test.name, s.Tombstone, test.hard, "", math.MaxInt64
				}
				test.state(t, s, stream)
				if m, err := s.Stream(t.Context(), "$$"+stream); err == nil && !hard {
					revision = m.Last + 1
				}
				at, err := remove(t.Context(), stream, test.expected)
				checkOutcome(t, err, want, eventstore.WrongRevisionError{Stream: stream, Expected: test.expected, Current: test.current})
				if err == nil {
					wantEvent(t, s, at, into+stream, revision)
				}
			}
		})
	}
	for _, stream := range []string{"", "$$", "$$a"} {
		if _, err := s.Delete(t.Context(), stream, eventstore.Any); !errors.Is(err, eventstore.ErrInvalid) {
			t.Errorf("Delete(%q) = %v, want ErrInvalid", stream, err)
		}
		if _, err := s.Tombstone(t.Context(), stream, eventstore.Any); !errors.Is(err, eventstore.ErrInvalid) {
			t.Errorf("Tombstone(%q) = %v, want ErrInvalid", stream, err)
		}
	}
}

// wantEvent checks what $all holds at a position.
func wantEvent(t *testing.T, s *engine.Store, at eventstore.Position, stream string, revision eventstore.Revision) {
	t.Helper()
	before := eventstore.Position{Commit: at.Commit - 1, Prepare: at.Prepare - 1}
	for r, err := range s.ReadAll(t.Context(), eventstore.ReadAll{From: before, Limit: 1}) {
		if err != nil || r.Stream != stream || r.Revision != revision || r.Position != at {
			t.Errorf("at %v is %s@%d, %v, want %s@%d", at, r.Stream, r.Revision, err, stream, revision)
		}
	}
}
