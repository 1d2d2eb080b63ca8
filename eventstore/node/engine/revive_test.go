package engine_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

func randomID() eventstore.ID { return eventstore.ID(uuid.New()) }

// texts returns the data of what a reader sees of a stream.
func texts(t *testing.T, s *engine.Store, stream string) (list []string) {
	t.Helper()
	for _, r := range collect(t, s.Read(t.Context(), stream, eventstore.ReadStream{})) {
		list = append(list, string(r.Data))
	}
	return list
}

// TestRevive: an append or new metadata brings a deleted stream back.
func TestRevive(t *testing.T) {
	t.Parallel()
	const gone = `{"$tb":9223372036854775807}`
	for _, test := range []struct {
		name     string
		before   string // metadata before the delete
		set      string // instead of the delete; empty: Delete
		metadata string // written then; empty: an event is appended
		want     string // metadata afterwards
		writes   int    // events of the metadata stream
		visible  int
	}{
		{"append", "", "", "", `{"$tb":3}`, 2, 1},
		{"append, metadata before", `{"$maxCount":9}`, "", "", `{"$tb":3}`, 3, 1},
		{"append, other keys", "", `{ "b" : [1, 2.50], "$tb": 9223372036854775807, "a":"\u00fc"}`, "", `{"b":[1, 2.50],"$tb":3,"a":"\u00fc"}`, 2, 1},
		{"metadata", "", "", `{"$maxCount":2,"x":{"y":null}}`, `{"$maxCount":2,"x":{"y":null},"$tb":3}`, 3, 0},
		{"metadata that truncates", "", "", `{"$tb":1}`, `{"$tb":3}`, 3, 0},
		{"metadata that deletes", "", "", gone, `{"$tb":3}`, 3, 0},
		{"empty metadata", "", "", `{}`, `{"$tb":3}`, 3, 0},
		{"no metadata at all", "", "", `12`, `12`, 2, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, t.TempDir(), engine.Config{})
			defer func() { _ = s.Close() }()
			three(t, s, "a-1")
			if test.before != "" {
				must(t)(s.Append(t.Context(), "$$a-1", eventstore.Any, metadata(test.before)))
			}
			if test.set == "" {
				must(t)(s.Delete(t.Context(), "a-1", 2))
				if got := texts(t, s, "$$a-1"); !cmp.Equal(got, []string{gone}) {
					t.Errorf("metadata of a deleted stream is %q", got)
				}
			} else {
				must(t)(s.Append(t.Context(), "$$a-1", eventstore.Any, metadata(test.set)))
			}
			if info, err := s.Stream(t.Context(), "a-1"); err != nil || info != (engine.Info{First: eventstore.NoStream, Last: 2, Deleted: true}) {
				t.Errorf("Stream of a deleted one = %+v, %v", info, err)
			}
			for _, err := range s.Read(t.Context(), "a-1", eventstore.ReadStream{}) {
				if !errors.Is(err, eventstore.ErrStreamNotFound) {
					t.Errorf("Read of a deleted stream = %v, want ErrStreamNotFound", err)
				}
			}
			if test.metadata == "" {
				must(t)(s.Append(t.Context(), "a-1", eventstore.NoStream, fresh(1)...))
			} else {
				must(t)(s.Append(t.Context(), "$$a-1", eventstore.Any, metadata(test.metadata)))
			}
			if got := texts(t, s, "$$a-1"); !cmp.Equal(got, []string{test.want}) {
				t.Errorf("metadata is %q, want %q", got, test.want)
			}
			if got := texts(t, s, "a-1"); len(got) != test.visible {
				t.Errorf("%d events are visible, want %d", len(got), test.visible)
			}
			m, err := s.Metadata(t.Context(), "a-1")
			if err != nil || m.Revision != eventstore.Revision(test.writes-1) {
				t.Errorf("Metadata = %+v, %v, want revision %d", m, err, test.writes-1)
			}
			if at, err := s.Append(t.Context(), "a-1", eventstore.StreamExists, fresh(1)...); err != nil || at.Revision < 3 {
				t.Errorf("Append to a revived stream = %+v, %v", at, err)
			}
		})
	}
}

// TestDeleteAndAppendAtOnce lets deletes and appends share groups: what an
// append must know of a delete may not be readable yet.
func TestDeleteAndAppendAtOnce(t *testing.T) {
	t.Parallel()
	hold, held := make(chan struct{}), make(chan struct{}, 1000)
	s := open(t, t.TempDir(), engine.Config{Listener: engine.Listener{Committed: func(engine.Group) {
		held <- struct{}{}
		<-hold
	}}})
	defer func() { _ = s.Close() }()
	must(t)(s.Append(t.Context(), "a-0", eventstore.Any, fresh(1)...))
	<-held // what comes now waits, and makes large groups
	done := make(chan error)
	const rounds = 60
	for i := range 3 * rounds {
		go func() {
			var err error
			if i%3 == 0 {
				_, err = s.Delete(t.Context(), "a-0", eventstore.Any)
			} else {
				_, err = s.Append(t.Context(), "a-0", eventstore.Any, fresh(2)...)
			}
			done <- err
		}()
	}
	close(hold)
	for range 3 * rounds {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	events, err := all(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	last := eventstore.NoStream
	for i, r := range events {
		if r.Stream != "a-0" {
			continue
		}
		if r.Revision != last+1 {
			t.Fatalf("event %d has revision %d after %d", i, r.Revision, last)
		}
		last = r.Revision
	}
	if err := compareReads(t.Context(), s, "a-0", events[0].At, eventstore.ReadStream{}); err != nil {
		t.Error(err)
	}
}

// TestLargest: events may have EventStoreDB's largest size, if the store allows it.
func TestLargest(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), engine.Config{MaxAppendBytes: 16 << 20})
	defer func() { _ = s.Close() }()
	e := fresh(1)
	e[0].Data = make([]byte, 16<<20-10_000)
	if _, err := s.Append(t.Context(), "a-1", eventstore.Any, e...); !errors.Is(err, eventstore.ErrTooLarge) {
		t.Errorf("Append of a record over the limit = %v, want ErrTooLarge", err)
	}
	e[0].Data = e[0].Data[:len(e[0].Data)-200]
	e[0].Data[len(e[0].Data)-1] = 7
	must(t)(s.Append(t.Context(), "a-1", eventstore.Any, e...))
	for _, r := range collect(t, s.Read(t.Context(), "a-1", eventstore.ReadStream{})) {
		if len(r.Data) != len(e[0].Data) || r.Data[len(r.Data)-1] != 7 || r.Revision == math.MaxInt64 {
			t.Errorf("read %d bytes, want %d", len(r.Data), len(e[0].Data))
		}
	}
}
