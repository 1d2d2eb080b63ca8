// Package eventstoretest is the contract of [eventstore.Store] as tests. Every
// implementation runs it:
//
//	func TestStore(t *testing.T) {
//		eventstoretest.Run(t, func(t *testing.T) eventstore.Store { return memory.New() })
//	}
//
// The suite counts on nothing that EventStoreDB does not promise: other events
// may be in the store already and may come at any time, positions have gaps,
// and an implementation may remember event IDs only for a while. It does count
// on an append being readable, in its stream and in $all, once it has returned.
package eventstoretest

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"konto/eventstore"
)

// timeout bounds a wait for something that must happen.
const timeout = 30 * time.Second

// Run checks the contract. newStore returns a store for one test; the suite
// closes it. It may return one that holds events already.
func Run(t *testing.T, newStore func(t *testing.T) eventstore.Store) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s eventstore.Store)
	}{
		{"Append/Expected", testExpected},
		{"Append/Atomic", testAtomic},
		{"Append/RepeatedExact", testRepeatedExact},
		{"Append/RepeatedAny", testRepeatedAny},
		{"Append/Invalid", testInvalid},
		{"Append/Cancelled", testAppendCancelled},
		{"Append/OneWinner", testOneWinner},
		{"Append/RepeatedAtOnce", testRepeatedAtOnce},
		{"Append/CallerReusesBuffers", testReusedBuffers},
		{"Recorded", testRecorded},
		{"Read/Ranges", testReadRanges},
		{"Read/Missing", testReadMissing},
		{"Read/Long", testReadLong},
		{"Read/Cancelled", testReadCancelled},
		{"Read/Links", testLinks},
		{"ReadAll/Ranges", testReadAllRanges},
		{"ReadAll/System", testSystem},
		{"Read/KeepsSlices", testKeptSlices},
		{"Subscribe/FromAnywhere", testSubscribeFrom},
		{"Subscribe/WhileWriting", testSubscribeWhileWriting},
		{"Subscribe/Ends", testSubscribeEnds},
		{"Subscribe/Slow", testSubscribeSlow},
		{"Close", testClose},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("Close() = %v", err)
				}
			})
			test.run(t, s)
		})
	}
}

// Stream returns a stream name that no other test uses.
func Stream() string { return "eventstoretest-" + rand.Text() }

// Events returns n events with fresh IDs.
func Events(n int) []eventstore.Event {
	events := make([]eventstore.Event, n)
	for i := range events {
		id := uuid.New() //nolint:forbidigo // fresh IDs for a store that may hold others
		events[i] = eventstore.Event{
			ID: eventstore.ID(id), Type: fmt.Sprintf("Type%d", i%3),
			Data: fmt.Appendf(nil, `{"id":%q}`, id), Meta: fmt.Appendf(nil, `{"n":%d}`, i),
		}
	}
	return events
}

// mustAppend appends events or ends the test.
func mustAppend(t *testing.T, s eventstore.Store, stream string, expected eventstore.Revision, events ...eventstore.Event) eventstore.Appended {
	t.Helper()
	done, err := s.Append(t.Context(), stream, expected, events...)
	if err != nil {
		t.Fatalf("Append(%s, %s, %d events) = %v", stream, expected, len(events), err)
	}
	return done
}

func readStream(ctx context.Context, t *testing.T, s eventstore.Store, stream string, o eventstore.ReadStream) []eventstore.Recorded {
	t.Helper()
	var got []eventstore.Recorded
	for r, err := range s.Read(ctx, stream, o) {
		if err != nil {
			t.Fatalf("Read(%s, %+v) = %v after %d events", stream, o, err, len(got))
		}
		got = append(got, r)
	}
	return got
}

// readAll returns the events of some streams in the order in which $all has them.
func readAll(t *testing.T, s eventstore.Store, o eventstore.ReadAll, streams ...string) []eventstore.Recorded {
	t.Helper()
	var got []eventstore.Recorded
	for r, err := range s.ReadAll(t.Context(), o) {
		if err != nil {
			t.Fatalf("ReadAll(%+v) = %v after %d events", o, err, len(got))
		}
		for _, stream := range streams {
			if r.Stream == stream {
				got = append(got, r)
			}
		}
	}
	return got
}

func ids(events []eventstore.Recorded) []string {
	var got []string
	for _, e := range events {
		got = append(got, uuid.UUID(e.ID).String())
	}
	return got
}

func wantIDs(events []eventstore.Event) []string {
	var want []string
	for _, e := range events {
		want = append(want, uuid.UUID(e.ID).String())
	}
	return want
}

func diff(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: got + and not -:\n%s", what, d)
	}
}
