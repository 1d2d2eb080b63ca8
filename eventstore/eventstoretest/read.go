package eventstoretest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"konto/eventstore"
)

func testRecorded(t *testing.T, s eventstore.Store) {
	t.Helper()
	stream := Stream()
	events := Events(4)
	events[1].Binary, events[1].Data = true, []byte{0, 255, 1, 254, '\n'}
	events[2].Meta = nil
	events[3].Data = nil
	events[3].Meta = []byte(`{ "spaces" :  "stay", "ü": "\u00fc" }`)
	from := time.Now().Add(-time.Minute) //nolint:forbidigo // a test: the store has the real clock
	mustAppend(t, s, stream, eventstore.NoStream, events...)
	to := time.Now().Add(time.Minute) //nolint:forbidigo // as above
	got := readStream(t.Context(), t, s, stream, eventstore.ReadStream{})
	for i, r := range got {
		if d := cmp.Diff(events[i], r.Event, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("event %d: got + and not -:\n%s", i, d)
		}
		if r.Stream != stream || r.Revision != eventstore.Revision(i) || r.Link != nil {
			t.Errorf("event %d is %s@%d, link %v", i, r.Stream, r.Revision, r.Link)
		}
		if r.At.Location() != time.UTC || r.At.Before(from) || r.At.After(to) {
			t.Errorf("event %d was recorded at %v, want now in UTC", i, r.At)
		}
		if r.Position == (eventstore.Position{}) || i > 0 && r.Position.Compare(got[i-1].Position) <= 0 {
			t.Errorf("event %d is at %v, not after the one before", i, r.Position)
		}
	}
	inAll := readAll(t, s, eventstore.ReadAll{}, stream)
	if d := cmp.Diff(got, inAll, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("$all differs from the stream: $all +, stream -:\n%s", d)
	}
}

func testReadRanges(t *testing.T, s eventstore.Store) {
	t.Helper()
	stream := Stream()
	events := Events(9)
	mustAppend(t, s, stream, eventstore.NoStream, events[:2]...)
	mustAppend(t, s, stream, 1, events[2:3]...)
	mustAppend(t, s, stream, 2, events[3:8]...)
	mustAppend(t, s, stream, 7, events[8:]...)
	mustAppend(t, s, stream+"x", eventstore.NoStream, Events(2)...) // a name that begins with the other
	reversed := slices.Clone(events)
	slices.Reverse(reversed)
	for _, test := range []struct {
		name string
		read eventstore.ReadStream
		want []eventstore.Event
	}{
		{"all", eventstore.ReadStream{}, events},
		{"limit", eventstore.ReadStream{Limit: 4}, events[:4]},
		{"from the middle", eventstore.ReadStream{From: 5}, events[5:]},
		{"from the middle with limit", eventstore.ReadStream{From: 5, Limit: 2}, events[5:7]},
		{"the last", eventstore.ReadStream{From: 8}, events[8:]},
		{"more than there is", eventstore.ReadStream{From: 6, Limit: 100}, events[6:]},
		{"beyond the end", eventstore.ReadStream{From: 9}, nil},
		{"far beyond the end", eventstore.ReadStream{From: eventstore.Last}, nil},
		{"backward from the end", eventstore.ReadStream{From: eventstore.Last, Direction: eventstore.Backward}, reversed},
		{"backward with limit", eventstore.ReadStream{From: eventstore.Last, Direction: eventstore.Backward, Limit: 3}, reversed[:3]},
		{"backward from the middle", eventstore.ReadStream{From: 5, Direction: eventstore.Backward}, reversed[3:]},
		{"backward from the middle with limit", eventstore.ReadStream{From: 5, Direction: eventstore.Backward, Limit: 4}, reversed[3:7]},
		{"backward from beyond the end", eventstore.ReadStream{From: 20, Direction: eventstore.Backward, Limit: 1}, reversed[:1]},
		{"backward from the first", eventstore.ReadStream{Direction: eventstore.Backward}, events[:1]},
	} {
		got := readStream(t.Context(), t, s, stream, test.read)
		diff(t, test.name, ids(got), wantIDs(test.want))
	}
}

func testReadMissing(t *testing.T, s eventstore.Store) {
	t.Helper()
	stream := Stream()
	mustAppend(t, s, stream+"x", eventstore.NoStream, Events(1)...)
	for _, o := range []eventstore.ReadStream{{}, {From: 7}, {From: eventstore.Last, Direction: eventstore.Backward}} {
		n := 0
		for r, err := range s.Read(t.Context(), stream, o) {
			if !errors.Is(err, eventstore.ErrStreamNotFound) {
				t.Errorf("Read(%+v) of a missing stream = %+v, %v, want ErrStreamNotFound", o, r, err)
			}
			n++
		}
		if n != 1 {
			t.Errorf("Read(%+v) of a missing stream yields %d times, want 1", o, n)
		}
	}
}

// testReadLong reads more than any buffer holds, in both directions, while
// other streams lie between the events.
func testReadLong(t *testing.T, s eventstore.Store) {
	t.Helper()
	stream, other := Stream(), Stream()
	var events []eventstore.Event
	next := eventstore.NoStream
	for _, n := range []int{1, 700, 1, 2, 600, 1} {
		more := Events(n)
		next = mustAppend(t, s, stream, next, more...).Revision
		mustAppend(t, s, other, eventstore.Any, Events(3)...)
		events = append(events, more...)
	}
	diff(t, "forward", ids(readStream(t.Context(), t, s, stream, eventstore.ReadStream{})), wantIDs(events))
	got := readStream(t.Context(), t, s, stream, eventstore.ReadStream{From: 1200, Direction: eventstore.Backward, Limit: 1150})
	slices.Reverse(got)
	diff(t, "backward", ids(got), wantIDs(events[1200-1149:1201]))
	diff(t, "$all", ids(readAll(t, s, eventstore.ReadAll{}, stream)), wantIDs(events))
}

func testReadCancelled(t *testing.T, s eventstore.Store) {
	t.Helper()
	stream := Stream()
	mustAppend(t, s, stream, eventstore.NoStream, Events(3)...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got int
	var last error
	for _, err := range s.Read(ctx, stream, eventstore.ReadStream{}) {
		if err == nil {
			got++
			cancel()
		}
		last = err
	}
	if got != 1 || !errors.Is(last, context.Canceled) {
		t.Errorf("Read with a context that ends yields %d events and %v", got, last)
	}
	for _, err := range s.ReadAll(ctx, eventstore.ReadAll{}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("ReadAll with an ended context = %v", err)
		}
	}
}

func testReadAllRanges(t *testing.T, s eventstore.Store) {
	t.Helper()
	streams := []string{Stream(), Stream(), Stream()}
	var events []eventstore.Event
	for i := range 12 {
		more := Events(1 + i%3)
		mustAppend(t, s, streams[i%len(streams)], eventstore.Any, more...)
		events = append(events, more...)
	}
	all := readAll(t, s, eventstore.ReadAll{}, streams...)
	diff(t, "all", ids(all), wantIDs(events))
	if !slices.IsSortedFunc(all, func(a, b eventstore.Recorded) int { return a.Position.Compare(b.Position) }) {
		t.Error("$all is not in the order of positions")
	}
	middle := all[len(all)/2].Position
	gap := eventstore.Position{Commit: middle.Commit + 1, Prepare: middle.Prepare + 1}
	before, following := all[:len(all)/2], all[len(all)/2+1:]
	for _, test := range []struct {
		name string
		read eventstore.ReadAll
		want []eventstore.Recorded
	}{
		{"after an event", eventstore.ReadAll{From: middle}, following},
		{"after a position between events", eventstore.ReadAll{From: gap}, following},
		{"after the end", eventstore.ReadAll{From: eventstore.End}, nil},
		{"before an event", eventstore.ReadAll{From: middle, Direction: eventstore.Backward}, before},
		{"before a position between events", eventstore.ReadAll{From: gap, Direction: eventstore.Backward}, all[:len(all)/2+1]},
		{"before the end", eventstore.ReadAll{From: eventstore.End, Direction: eventstore.Backward}, all},
		{"before the beginning", eventstore.ReadAll{Direction: eventstore.Backward}, nil},
	} {
		got := readAll(t, s, test.read, streams...)
		if test.read.Direction == eventstore.Backward {
			slices.Reverse(got)
		}
		diff(t, test.name, ids(got), ids(test.want))
	}
	n := 0
	for _, err := range s.ReadAll(t.Context(), eventstore.ReadAll{Limit: 5}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 5 {
		t.Errorf("ReadAll with limit 5 yields %d events", n)
	}
	head, err := eventstore.Head(t.Context(), s)
	if err != nil || head.Compare(all[len(all)-1].Position) < 0 {
		t.Errorf("Head = %v, %v, want at least %v", head, err, all[len(all)-1].Position)
	}
}

func testSystem(t *testing.T, s eventstore.Store) {
	t.Helper()
	stream := "$" + Stream()
	events := Events(2)
	events[1].Type = "$metadata"
	mustAppend(t, s, stream, eventstore.Any, events...)
	all := readAll(t, s, eventstore.ReadAll{}, stream)
	diff(t, "$all", ids(all), wantIDs(events))
	for _, r := range all {
		if !r.System() {
			t.Errorf("System() of %s in %s = false", r.Type, r.Stream)
		}
	}
}

func testKeptSlices(t *testing.T, s eventstore.Store) {
	t.Helper()
	stream := Stream()
	events := Events(1500)
	mustAppend(t, s, stream, eventstore.NoStream, events...)
	var data [][]byte
	for _, r := range readStream(t.Context(), t, s, stream, eventstore.ReadStream{}) {
		data = append(data, r.Data)
	}
	readAll(t, s, eventstore.ReadAll{}, stream)
	for i := range events {
		if string(data[i]) != string(events[i].Data) {
			t.Fatalf("data of event %d changed to %s after it was read", i, data[i])
		}
	}
}
