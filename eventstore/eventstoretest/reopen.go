package eventstoretest

import (
	"context"
	"errors"
	"testing"

	"konto/eventstore"
)

// RunReopen checks what a store must still know after it was closed and opened
// again. newDir returns a fresh place for a store, and open opens the store there.
func RunReopen(t *testing.T, newDir func(t *testing.T) string, open func(t *testing.T, dir string) eventstore.Store) {
	t.Helper()
	t.Run("Reopen", func(t *testing.T) {
		t.Parallel()
		dir := newDir(t)
		stream, other := Stream(), Stream()
		var ends []eventstore.Appended
		var appends [][]eventstore.Event
		var newest eventstore.Position
		expected := eventstore.NoStream
		for range 5 {
			s := open(t, dir)
			checkReopened(t, s, stream, appends, ends)
			head, err := eventstore.Head(t.Context(), s)
			if err != nil || head != newest {
				t.Errorf("Head after reopening = %v, %v, want %v", head, err, newest)
			}
			for n := range 3 {
				events := Events(1 + n)
				at := mustAppend(t, s, stream, expected, events...)
				if at.Position.Compare(newest) <= 0 {
					t.Errorf("position %v was given out again, the newest was %v", at.Position, newest)
				}
				appends, ends, expected, newest = append(appends, events), append(ends, at), at.Revision, at.Position
			}
			newest = mustAppend(t, s, other, eventstore.Any, Events(1)...).Position
			if err := s.Close(); err != nil {
				t.Fatalf("Close = %v", err)
			}
		}
	})
}

func checkReopened(t *testing.T, s eventstore.Store, stream string, appends [][]eventstore.Event, ends []eventstore.Appended) {
	t.Helper()
	var want []eventstore.Event
	for _, events := range appends {
		want = append(want, events...)
	}
	if len(appends) == 0 {
		return
	}
	diff(t, "stream after reopening", ids(readStream(t.Context(), t, s, stream, eventstore.ReadStream{})), wantIDs(want))
	expected := eventstore.NoStream
	for i, events := range appends {
		got, err := s.Append(t.Context(), stream, expected, events...)
		if err != nil || got != ends[i] {
			t.Errorf("append %d again after reopening = %+v, %v, want %+v", i, got, err, ends[i])
		}
		expected = ends[i].Revision
	}
	if got, err := s.Append(t.Context(), stream, expected-1, Events(1)...); !errors.Is(err, eventstore.ErrWrongRevision) {
		t.Errorf("Append at an old revision after reopening = %+v, %v", got, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	got, err := follow(ctx, s, ends[0].Position, len(want)-1, map[string]bool{stream: true}, nothing)
	if err != nil {
		t.Errorf("Subscribe after reopening = %v", err)
	}
	diff(t, "subscription after reopening", ids(got), wantIDs(want[1:]))
}
