package eventstoretest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"konto/eventstore"
)

func testExpected(t *testing.T, s eventstore.Store) {
	t.Helper()
	const missing = eventstore.NoStream
	for _, test := range []struct {
		name     string
		have     int // events in the stream
		expected eventstore.Revision
		refused  bool
	}{
		{"no stream, missing", 0, eventstore.NoStream, false},
		{"any, missing", 0, eventstore.Any, false},
		{"stream exists, missing", 0, eventstore.StreamExists, true},
		{"revision 0, missing", 0, 0, true},
		{"no stream, there", 2, eventstore.NoStream, true},
		{"any, there", 2, eventstore.Any, false},
		{"stream exists, there", 2, eventstore.StreamExists, false},
		{"the last revision", 2, 1, false},
		{"an older revision", 2, 0, true},
		{"a revision to come", 2, 2, true},
		{"a revision far away", 2, eventstore.Last, true},
	} {
		stream, current := Stream(), missing
		if test.have > 0 {
			current = mustAppend(t, s, stream, eventstore.NoStream, Events(test.have)...).Revision
		}
		done, err := s.Append(t.Context(), stream, test.expected, Events(1)...)
		if !test.refused {
			if err != nil || done.Revision != current+1 {
				t.Errorf("%s: Append = %+v, %v, want revision %d", test.name, done, err, current+1)
			}
			continue
		}
		var wrong *eventstore.WrongRevisionError
		if !errors.Is(err, eventstore.ErrWrongRevision) || !errors.As(err, &wrong) {
			t.Errorf("%s: Append = %+v, %v, want ErrWrongRevision", test.name, done, err)
			continue
		}
		want := eventstore.WrongRevisionError{Stream: stream, Expected: test.expected, Current: current}
		diff(t, test.name, *wrong, want)
	}
}

func testAtomic(t *testing.T, s eventstore.Store) {
	t.Helper()
	stream, other := Stream(), Stream()
	first, second := Events(3), Events(4)
	at := mustAppend(t, s, stream, eventstore.NoStream, first...)
	mustAppend(t, s, other, eventstore.NoStream, Events(2)...)
	if _, err := s.Append(t.Context(), stream, 0, Events(5)...); !errors.Is(err, eventstore.ErrWrongRevision) {
		t.Fatalf("Append at a wrong revision = %v", err)
	}
	end := mustAppend(t, s, stream, at.Revision, second...)
	got := readStream(t.Context(), t, s, stream, eventstore.ReadStream{})
	diff(t, "stream", ids(got), append(wantIDs(first), wantIDs(second)...))
	for i, r := range got {
		if r.Revision != eventstore.Revision(i) {
			t.Errorf("event %d has revision %d", i, r.Revision)
		}
	}
	if last := got[len(got)-1]; (eventstore.Appended{Revision: last.Revision, Position: last.Position}) != end {
		t.Errorf("Append = %+v, but the last event is at %d, %v", end, last.Revision, last.Position)
	}
	all := readAll(t, s, eventstore.ReadAll{}, stream, other)
	for i := 4; i < len(all) && i < 5+4; i++ {
		if i > 5 && all[i].Stream != stream {
			t.Errorf("event %d of $all is in %s: the append is not contiguous", i, all[i].Stream)
		}
	}
}

func testRepeatedExact(t *testing.T, s eventstore.Store) {
	t.Helper()
	stream := Stream()
	a, b, c := Events(1), Events(3), Events(2)
	afterA := mustAppend(t, s, stream, eventstore.NoStream, a...)
	afterB := mustAppend(t, s, stream, afterA.Revision, b...)
	afterC := mustAppend(t, s, stream, afterB.Revision, c...)
	var places []eventstore.Appended
	for _, r := range readStream(t.Context(), t, s, stream, eventstore.ReadStream{}) {
		places = append(places, eventstore.Appended{Revision: r.Revision, Position: r.Position})
	}
	bc := append(append([]eventstore.Event{}, b...), c...)
	for _, test := range []struct {
		name     string
		expected eventstore.Revision
		events   []eventstore.Event
		want     eventstore.Appended // zero: wrong revision
	}{
		{"the first again", eventstore.NoStream, a, places[0]},
		{"a later one again", afterA.Revision, b, afterB},
		{"the last again", afterB.Revision, c, afterC},
		{"only its beginning", afterA.Revision, b[:2], places[2]},
		{"two appends as one", afterA.Revision, bc, afterC},
		{"from the middle", 1, b[1:], afterB},
		{"the beginning, then others", afterA.Revision, append(append([]eventstore.Event{}, b...), Events(1)...), eventstore.Appended{}},
		{"more than there is", afterB.Revision, append(append([]eventstore.Event{}, c...), Events(1)...), eventstore.Appended{}},
		{"in another order", afterA.Revision, []eventstore.Event{b[1], b[0], b[2]}, eventstore.Appended{}},
		{"at another revision", eventstore.NoStream, b, eventstore.Appended{}},
		{"at a revision to come", afterC.Revision + 1, c, eventstore.Appended{}},
	} {
		got, err := s.Append(t.Context(), stream, test.expected, test.events...)
		if test.want == (eventstore.Appended{}) {
			if !errors.Is(err, eventstore.ErrWrongRevision) {
				t.Errorf("%s: Append = %+v, %v, want ErrWrongRevision", test.name, got, err)
			}
		} else if err != nil || got != test.want {
			t.Errorf("%s: Append = %+v, %v, want %+v", test.name, got, err, test.want)
		}
	}
	if got := readStream(t.Context(), t, s, stream, eventstore.ReadStream{}); len(got) != len(places) {
		t.Errorf("stream has %d events after repeated appends, want %d", len(got), len(places))
	}
	// The same IDs in another stream are other events.
	if _, err := s.Append(t.Context(), Stream(), eventstore.NoStream, a...); err != nil {
		t.Errorf("Append of the same IDs to another stream = %v", err)
	}
}

func testRepeatedAny(t *testing.T, s eventstore.Store) {
	t.Helper()
	stream := Stream()
	a, b := Events(2), Events(2)
	afterA := mustAppend(t, s, stream, eventstore.Any, a...)
	afterB := mustAppend(t, s, stream, eventstore.StreamExists, b...)
	for _, expected := range []eventstore.Revision{eventstore.Any, eventstore.StreamExists} {
		for _, test := range []struct {
			events []eventstore.Event
			want   eventstore.Appended
		}{{a, afterA}, {b, afterB}} {
			got, err := s.Append(t.Context(), stream, expected, test.events...)
			if err != nil || got != test.want {
				t.Errorf("Append again with %s = %+v, %v, want %+v", expected, got, err, test.want)
			}
		}
		mixed := append(append([]eventstore.Event{}, b...), Events(1)...)
		if got, err := s.Append(t.Context(), stream, expected, mixed...); !errors.Is(err, eventstore.ErrWrongRevision) {
			t.Errorf("Append of old and new events with %s = %+v, %v, want ErrWrongRevision", expected, got, err)
		}
	}
	if got := readStream(t.Context(), t, s, stream, eventstore.ReadStream{}); len(got) != 4 {
		t.Errorf("stream has %d events after repeated appends, want 4", len(got))
	}
	other := Stream()
	mustAppend(t, s, other, eventstore.NoStream, Events(1)...)
	if got, err := s.Append(t.Context(), other, eventstore.Any, a...); err != nil || got.Revision != 2 {
		t.Errorf("Append of the same IDs to another stream = %+v, %v, want revision 2", got, err)
	}
}

func testInvalid(t *testing.T, s eventstore.Store) {
	t.Helper()
	stream := Stream()
	noType, noID, large := Events(2), Events(2), Events(1)
	noType[1].Type = ""
	noID[1].ID = eventstore.ID{}
	large[0].Data = []byte(`"` + strings.Repeat("x", 32<<20) + `"`)
	for _, test := range []struct {
		name     string
		stream   string
		expected eventstore.Revision
		events   []eventstore.Event
		want     error
	}{
		{"no stream name", "", eventstore.Any, Events(1), eventstore.ErrInvalid},
		{"no events", stream, eventstore.Any, nil, eventstore.ErrInvalid},
		{"no type", stream, eventstore.Any, noType, eventstore.ErrInvalid},
		{"no ID", stream, eventstore.Any, noID, eventstore.ErrInvalid},
		{"no such expectation", stream, -3, Events(1), eventstore.ErrInvalid},
		{"too large", stream, eventstore.Any, large, eventstore.ErrTooLarge},
	} {
		if got, err := s.Append(t.Context(), test.stream, test.expected, test.events...); !errors.Is(err, test.want) {
			t.Errorf("%s: Append = %+v, %v, want %v", test.name, got, err, test.want)
		}
	}
	for _, err := range s.Read(t.Context(), stream, eventstore.ReadStream{}) {
		if !errors.Is(err, eventstore.ErrStreamNotFound) {
			t.Errorf("Read after refused appends = %v, want ErrStreamNotFound", err)
		}
	}
}

func testAppendCancelled(t *testing.T, s eventstore.Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := s.Append(ctx, Stream(), eventstore.Any, Events(1)...); !errors.Is(err, context.Canceled) {
		t.Errorf("Append with an ended context = %+v, %v, want %v", got, err, context.Canceled)
	}
}

// testOneWinner lets writers race for each revision of one stream.
func testOneWinner(t *testing.T, s eventstore.Store) {
	t.Helper()
	const writers, each = 8, 25
	stream := Stream()
	var won [writers]int
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			expected := eventstore.NoStream
			for won[i] < each {
				done, err := s.Append(t.Context(), stream, expected, Events(1)...)
				var wrong *eventstore.WrongRevisionError
				switch {
				case err == nil && done.Revision == expected+1:
					won[i]++
					expected = done.Revision
				case errors.As(err, &wrong) && wrong.Current > expected:
					expected = wrong.Current
				default:
					t.Errorf("Append at %s = %+v, %v", expected, done, err)
					return
				}
			}
		})
	}
	wg.Wait()
	got := readStream(t.Context(), t, s, stream, eventstore.ReadStream{})
	if len(got) != writers*each {
		t.Errorf("stream has %d events, want %d", len(got), writers*each)
	}
}

// testRepeatedAtOnce sends one append many times at the same moment, as an
// impatient client does.
func testRepeatedAtOnce(t *testing.T, s eventstore.Store) {
	t.Helper()
	stream, other := Stream(), Stream()
	expected := eventstore.NoStream
	for range 20 {
		events := Events(2)
		var got [8]eventstore.Appended
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				var err error
				if got[i], err = s.Append(t.Context(), stream, expected, events...); err != nil {
					t.Errorf("Append = %v", err)
				}
			})
			wg.Go(func() {
				if _, err := s.Append(t.Context(), other, eventstore.Any, Events(1)...); err != nil {
					t.Errorf("Append = %v", err)
				}
			})
		}
		wg.Wait()
		for _, at := range got {
			if at != got[0] || at.Revision != expected+2 {
				t.Fatalf("the same append at %s gave %+v", expected, got)
			}
		}
		expected += 2
	}
}

func testReusedBuffers(t *testing.T, s eventstore.Store) {
	t.Helper()
	stream := Stream()
	e := Events(1)[0]
	e.Data = []byte(`{"mine":true}`)
	mustAppend(t, s, stream, eventstore.NoStream, e)
	copy(e.Data, `{"over":null}`)
	got := readStream(t.Context(), t, s, stream, eventstore.ReadStream{})[0].Data
	if !bytes.Equal(got, []byte(`{"mine":true}`)) {
		t.Errorf("data after the caller wrote to its slice = %s", got)
	}
}
