package engine_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

func recordAt(stream string, at eventstore.Revision, typ, data string) eventstore.Recorded {
	e := eventstore.Event{Type: typ, Data: []byte(data), Meta: []byte("{}")}
	copy(e.ID[:], fmt.Sprintf("%d%s", at, stream))
	return eventstore.Recorded{Event: e, Stream: stream, Revision: at, At: time.UnixMicro(1_700_000_000_000_000 + int64(len(data))).UTC()}
}

// contents are records without their positions, which are each store's own.
func contents(t *testing.T, s *engine.Store) (out []eventstore.Recorded) {
	t.Helper()
	for r, err := range s.ReadAll(t.Context(), eventstore.ReadAll{}) {
		if err != nil {
			t.Fatal(err)
		}
		r.Position = eventstore.Position{}
		out = append(out, r)
	}
	return out
}

// TestImport copies a store that has seen everything, and then goes on with the
// copy as with the original.
func TestImport(t *testing.T) {
	t.Parallel()
	from, dir := open(t, t.TempDir(), engine.Config{}), t.TempDir()
	defer func() { _ = from.Close() }()
	add := func(s *engine.Store, stream string, e ...eventstore.Event) error {
		_, err := s.Append(t.Context(), stream, eventstore.Any, e...)
		return err
	}
	event := func(n byte, data string) eventstore.Event {
		return eventstore.Event{ID: eventstore.ID{n}, Type: "T", Data: []byte(data)}
	}
	_, err1 := from.Delete(t.Context(), "none", eventstore.Any)
	err := errors.Join(
		add(from, "a", event(1, "1"), event(2, "2")), add(from, "b", event(3, "3")), add(from, "$$a", event(4, `{"$maxCount":1}`)),
		add(from, "a", event(5, "5")), add(from, "c", event(6, "6")), add(from, "d", event(7, "7")), add(from, "e", event(8, "8")))
	_, err2 := from.Delete(t.Context(), "b", 0)
	_, err3 := from.Delete(t.Context(), "d", 0)
	_, err4 := from.Tombstone(t.Context(), "c", 0)
	if err := errors.Join(err, err2, err3, err4, add(from, "d", event(9, "9"))); err != nil || !errors.Is(err1, eventstore.ErrWrongRevision) {
		t.Fatal(err, err1)
	}
	to := open(t, dir, engine.Config{})
	for r, err := range from.ReadAll(t.Context(), eventstore.ReadAll{}) {
		if err == nil {
			err = to.Import(t.Context(), []eventstore.Recorded{r})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	to = open(t, dir, engine.Config{})
	defer func() { _ = to.Close() }()
	if diff := cmp.Diff(contents(t, from), contents(t, to)); diff != "" {
		t.Errorf("$all (-from +to):\n%s", diff)
	}
	for _, stream := range []string{"a", "$$a", "b", "$$b", "c", "d", "$$d", "e"} {
		info := func(s *engine.Store) string {
			i, err := s.Stream(t.Context(), stream)
			return fmt.Sprintf("%+v %v", i, err)
		}
		if got, want := info(to), info(from); got != want {
			t.Errorf("Stream(%s) = %s, want %s", stream, got, want)
		}
		// Both go on in the same way.
		goOn := func(s *engine.Store) string {
			err := add(s, stream, event(100, "{}"))
			return fmt.Sprint(info(s), err)
		}
		if got, want := goOn(to), goOn(from); got != want {
			t.Errorf("an append to %s: %s, want %s", stream, got, want)
		}
	}
}

// TestImportHoles imports what a scavenge has left.
func TestImportHoles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, engine.Config{})
	records := []eventstore.Recorded{
		recordAt("a", 5, "T", "a5"), recordAt("a", 6, "T", "a6"), recordAt("b", 0, "T", "b0"), recordAt("a", 9, "T", "a9"), recordAt("$$a", 3, "$metadata", `{"$maxCount":100}`),
	}
	if err := s.Import(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if diff := cmp.Diff(records, contents(t, s)); diff != "" {
			t.Errorf("$all (-want +got):\n%s", diff)
		}
		for _, from := range []eventstore.Revision{0, 4, 5, 6, 7, 9} {
			var got, want []eventstore.Revision
			for r, err := range s.Read(t.Context(), "a", eventstore.ReadStream{From: from}) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, r.Revision)
			}
			for _, at := range []eventstore.Revision{5, 6, 9} {
				if at >= from {
					want = append(want, at)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Read from %d (-want +got):\n%s", from, diff)
			}
		}
		var back []eventstore.Revision
		for r, err := range s.Read(t.Context(), "a", eventstore.ReadStream{From: eventstore.Last, Direction: eventstore.Backward}) {
			if err != nil {
				t.Fatal(err)
			}
			back = append(back, r.Revision)
		}
		if diff := cmp.Diff([]eventstore.Revision{9, 6, 5}, back); diff != "" {
			t.Errorf("Read backward (-want +got):\n%s", diff)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir, engine.Config{})
	}
	defer func() { _ = s.Close() }()
	if at, err := s.Append(t.Context(), "a", 9, eventstore.Event{ID: eventstore.ID{200}, Type: "T"}); err != nil || at.Revision != 10 {
		t.Errorf("Append after an import = %+v, %v, want revision 10", at, err)
	}
}

// TestImportRefused stops at the first record that does not fit.
func TestImportRefused(t *testing.T) {
	t.Parallel()
	ended := recordAt("c", 1<<63-1, "$streamDeleted", "")
	for _, test := range []struct {
		name    string
		records []eventstore.Recorded
		want    error
		stored  int
	}{
		{"nothing", nil, nil, 0},
		{"again", []eventstore.Recorded{recordAt("a", 0, "T", ""), recordAt("b", 0, "T", ""), recordAt("a", 0, "T", ""), recordAt("b", 1, "T", "")}, eventstore.ErrWrongRevision, 2},
		{"after a tombstone", []eventstore.Recorded{ended, recordAt("c", 3, "T", ""), recordAt("b", 0, "T", "")}, eventstore.ErrStreamDeleted, 1},
		{"no type", []eventstore.Recorded{recordAt("a", 0, "T", ""), recordAt("b", 0, "", "")}, eventstore.ErrInvalid, 0},
		{"no revision", []eventstore.Recorded{recordAt("a", -1, "T", "")}, eventstore.ErrInvalid, 0},
		{"no stream", []eventstore.Recorded{recordAt("", 0, "T", "")}, eventstore.ErrInvalid, 0},
		{"too large", []eventstore.Recorded{recordAt("a", 0, "T", string(make([]byte, 17<<20)))}, eventstore.ErrTooLarge, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, t.TempDir(), engine.Config{})
			defer func() { _ = s.Close() }()
			if err := s.Import(t.Context(), test.records); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("Import = %v, want %v", err, test.want)
			}
			if got := len(contents(t, s)); got != test.stored {
				t.Errorf("%d records are stored, want %d", got, test.stored)
			}
		})
	}
	s := open(t, t.TempDir(), engine.Config{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Import(t.Context(), []eventstore.Recorded{recordAt("a", 0, "T", "")}); !errors.Is(err, eventstore.ErrClosed) {
		t.Errorf("Import into a closed store = %v, want ErrClosed", err)
	}
}
