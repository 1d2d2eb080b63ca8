package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"konto/eventstore"
	"konto/eventstore/eventstoretest"
	"konto/eventstore/node/engine"
)

// TestStoreWithIndexes: with indexes on, the store keeps the port's contract.
func TestStoreWithIndexes(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T, dir string) eventstore.Store {
		t.Helper()
		return open(t, dir, engine.Config{Indexes: true, CachedHeads: 8})
	}
	eventstoretest.Run(t, func(t *testing.T) eventstore.Store {
		t.Helper()
		return open(t, t.TempDir())
	})
	eventstoretest.RunReopen(t, func(t *testing.T) string {
		t.Helper()
		return filepath.Join(t.TempDir(), "store")
	}, open)
}

// indexEntry is an event of an index, as $all says it must be.
type indexEntry struct {
	Type, Data string
	At         eventstore.Position
	target     eventstore.ID
}

// indexesOf says what each index must hold.
func indexesOf(all []eventstore.Recorded) map[string][]indexEntry {
	indexes := map[string][]indexEntry{}
	for _, r := range all {
		link := indexEntry{"$>", fmt.Sprintf("%d@%s", r.Revision, r.Stream), r.Position, r.ID}
		itself := link
		if r.Type == "$>" {
			link.Data = string(r.Data)
		}
		add := func(name string, e indexEntry) { indexes[name] = append(indexes[name], e) }
		category, _, ok := strings.Cut(r.Stream, "-")
		own := strings.HasPrefix(r.Stream, "$")
		ok = ok && category != ""
		if !own && r.Revision == 0 {
			add("$streams", itself)
		}
		if !own && ok {
			if r.Revision == 0 {
				add("$category-"+category, indexEntry{"$@", r.Stream, r.Position, r.ID})
			}
			add("$ce-"+category, link)
		}
		var m struct {
			ID string `json:"$correlationId"`
		}
		if json.Unmarshal(r.Meta, &m) == nil && m.ID != "" {
			add("$bc-"+m.ID, link)
		}
		switch {
		case r.Type == "$>":
		case r.Type == "$streamDeleted", r.Type == "$metadata" && strings.Contains(string(r.Data), "9223372036854775807"):
			add("$et-$deleted", link)
		default:
			add("$et-"+r.Type, link)
		}
	}
	return indexes
}

// compareIndexes compares all indexes with what $all says.
func compareIndexes(ctx context.Context, s *engine.Store, rng *rand.Rand) error {
	events, err := all(ctx, s)
	if err != nil {
		return err
	}
	for name, want := range indexesOf(events) {
		if err := compareIndex(ctx, s, name, want, 0, rng); err != nil {
			return err
		}
	}
	return nil
}

// compareIndex reads an index, the first of whose events are hidden, from a
// random place on in a random way.
func compareIndex(ctx context.Context, s *engine.Store, name string, want []indexEntry, first int, rng *rand.Rand) error {
	o := eventstore.ReadStream{
		From: eventstore.Revision(rng.IntN(len(want) + 2)), Limit: rng.IntN(2) * rng.IntN(len(want)+2),
		Direction: rng.IntN(2) == 0, ResolveLinks: rng.IntN(2) == 0,
	}
	var order []int
	for i := range want {
		if i >= first && (o.Direction == eventstore.Forward && i >= int(o.From) || o.Direction == eventstore.Backward && i <= int(o.From)) {
			order = append(order, i)
		}
	}
	if o.Direction == eventstore.Backward {
		slices.Reverse(order)
	}
	if o.Limit > 0 {
		order = order[:min(o.Limit, len(order))]
	}
	n := 0
	for r, err := range s.Read(ctx, name, o) {
		if err != nil {
			return fmt.Errorf("read %s %+v: %w", name, o, err)
		}
		link := r
		if r.Link != nil {
			link = *r.Link
		}
		if n == len(order) {
			return fmt.Errorf("read %s %+v: more than %d events", name, o, n)
		}
		w := want[order[n]]
		got := indexEntry{link.Type, string(link.Data), link.Position, w.target}
		if got != w || link.Stream != name || int(link.Revision) != order[n] || !link.Binary || link.ID == w.target {
			return fmt.Errorf("read %s %+v: %dth is %+v, want %+v", name, o, n, link, w)
		}
		isLink := w.Type == "$>"
		if o.ResolveLinks != (r.Link != nil) && isLink || r.Link != nil && r.ID != (eventstore.ID{}) && fmt.Sprintf("%d@%s", r.Revision, r.Stream) != w.Data {
			return fmt.Errorf("read %s %+v: %dth is resolved to %+v, want %+v", name, o, n, r, w)
		}
		n++
	}
	if n != len(order) {
		return fmt.Errorf("read %s %+v: %d events, want %d", name, o, n, len(order))
	}
	info, err := s.Stream(ctx, name)
	if want := (engine.Info{First: eventstore.Revision(first), Last: eventstore.Revision(len(want) - 1)}); err != nil || info != want {
		return fmt.Errorf("%s is %+v, %w, want %+v", name, info, err, want)
	}
	return nil
}

// writeAnything appends events of all sorts, and deletes.
func writeAnything(t *testing.T, s *engine.Store, rng *rand.Rand, n int) {
	t.Helper()
	for range n {
		stream := []string{"a-1", "a-2", "b-1-x", "plain", "$own-1", "-odd"}[rng.IntN(6)]
		events := make([]eventstore.Event, 1+rng.IntN(3)*rng.IntN(40))
		for i := range events {
			events[i] = eventstore.Event{ID: eventID(rng.Uint64()), Type: fmt.Sprintf("T%d", rng.IntN(3)), Data: []byte(`{}`)}
			switch rng.IntN(6) {
			case 0:
				events[i].Meta = fmt.Appendf(nil, `{"x":{"$correlationId":"no"},"$correlationId":"c%d"}`, rng.IntN(5))
			case 1:
				events[i].Meta = fmt.Appendf(nil, `{"\u0024correlationId":"c%d"}`, rng.IntN(5))
			case 2:
				events[i].Meta = []byte(`{"$correlationId":7} "$correlationId"`)
			case 3:
				events[i].Type, events[i].Data, events[i].Binary = "$>", []byte("0@a-1"), true
			}
		}
		var err error
		switch m := rng.IntN(100); {
		case m < 90:
			_, err = s.Append(t.Context(), stream, eventstore.Any, events...)
		case m < 97:
			_, err = s.Delete(t.Context(), stream, eventstore.Any)
		default:
			_, err = s.Tombstone(t.Context(), "a-2", eventstore.Any)
		}
		if err != nil && !errors.Is(err, eventstore.ErrStreamDeleted) && !errors.Is(err, eventstore.ErrWrongRevision) {
			t.Fatal(err)
		}
	}
}

// TestIndexes turns indexes on and off between the lives of a store: they are
// always whole.
func TestIndexes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		rng := rand.New(rand.NewPCG(seed, 21))
		fs := vfs.NewMem()
		for life := range 5 {
			indexes := rng.IntN(2) == 0 || life == 4
			s := open(t, "store", engine.Config{FS: fs, Indexes: indexes, MemTableBytes: 1 << 20, CachedHeads: 1 + rng.IntN(20)})
			for range 2 {
				writeAnything(t, s, rng, rng.IntN(60))
				if !indexes {
					continue
				}
				if err := compareIndexes(t.Context(), s, rng); err != nil {
					t.Errorf("seed %d, life %d: %v", seed, life, err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestIndexWindow: an index has metadata like a stream.
func TestIndexWindow(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := open(t, t.TempDir(), engine.Config{Indexes: true, Now: now.Now})
	defer func() { _ = s.Close() }()
	for range 10 {
		three(t, s, "a-1")
		now.pass(10)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for data, first := range map[string]int{`{"$maxCount":7}`: 23, `{"$tb":3}`: 3, `{"$tb":30}`: 30, `{"$maxAge":45}`: 18, `{"$maxAge":5}`: 30, `{"$maxAge":450}`: 0} {
		must(t)(s.Append(t.Context(), "$$$ce-a", eventstore.Any, metadata(data)))
		events, err := all(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		want := indexesOf(events)["$ce-a"]
		if first == len(want) {
			if got, err := places(s.Read(t.Context(), "$ce-a", eventstore.ReadStream{})); err != nil || len(got) > 0 {
				t.Errorf("%s: Read of an index all of which is hidden = %v, %v", data, got, err)
			}
			continue
		}
		for range 20 {
			if err := compareIndex(t.Context(), s, "$ce-a", want, first, rng); err != nil {
				t.Errorf("%s: %v", data, err)
			}
		}
	}
	must(t)(s.Append(t.Context(), "$$$ce-a", eventstore.Any, metadata(`{"$tb":9223372036854775807}`)))
	for _, name := range []string{"$ce-a", "$ce-none"} {
		if _, err := places(s.Read(t.Context(), name, eventstore.ReadStream{})); !errors.Is(err, eventstore.ErrStreamNotFound) {
			t.Errorf("Read of %s = %v, want ErrStreamNotFound", name, err)
		}
	}
}

// TestIndexNames: nobody appends to an index; without indexes they are names
// like others.
func TestIndexNames(t *testing.T) {
	t.Parallel()
	on, off := open(t, t.TempDir(), engine.Config{Indexes: true}), open(t, t.TempDir(), engine.Config{})
	defer func() { _, _ = on.Close(), off.Close() }()
	for _, name := range []string{"$streams", "$ce-a", "$et-T", "$bc-1", "$category-a"} {
		_, appended := on.Append(t.Context(), name, eventstore.Any, fresh(1)...)
		_, checked := on.Check(t.Context(), name, eventstore.Any)
		_, softDeleted := on.Delete(t.Context(), name, eventstore.Any)
		_, tombstoned := on.Tombstone(t.Context(), name, eventstore.Any)
		for _, err := range []error{appended, checked, softDeleted, tombstoned} {
			if !errors.Is(err, eventstore.ErrInvalid) {
				t.Errorf("change of %s = %v, want ErrInvalid", name, err)
			}
		}
		must(t)(off.Append(t.Context(), name, eventstore.Any, fresh(1)...))
	}
}

func TestFollowIndex(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), engine.Config{Indexes: true})
	defer func() { _ = s.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	three(t, s, "a-1")
	links := follow(ctx, s, engine.Follow{Stream: "$ce-a", After: eventstore.NoStream})
	links.want(t, "$>@0", "$>@1", "$>@2", "live")
	events := follow(ctx, s, engine.Follow{Stream: "$ce-a", After: 1, ResolveLinks: true})
	events.want(t, "T@2", "live")
	names := follow(ctx, s, engine.Follow{Stream: "$category-a", After: eventstore.Last})
	names.want(t, "live")
	must(t)(s.Append(t.Context(), "b-1", eventstore.Any, fresh(1)...))
	must(t)(s.Append(t.Context(), "a-2", eventstore.Any, fresh(2)...))
	links.want(t, "$>@3", "$>@4", "live")
	events.want(t, "T@0", "T@1", "live")
	names.want(t, "$@@1", "live")
	must(t)(s.Append(t.Context(), "$$$ce-a", eventstore.Any, metadata(`{"$tb":9223372036854775807}`)))
	hidden := follow(ctx, s, engine.Follow{Stream: "$ce-a", After: eventstore.NoStream})
	hidden.want(t, "live")
	must(t)(s.Append(t.Context(), "$$$ce-a", eventstore.Any, metadata(`{"$maxCount":1}`)))
	must(t)(s.Append(t.Context(), "a-2", eventstore.Any, fresh(1)...))
	hidden.want(t, "$>@5", "live")
	links.want(t, "$>@5", "live")
	events.want(t, "T@2", "live")
	cancel()
	for _, f := range []following{links, events, names, hidden} {
		f.end(t, context.Canceled)
	}
}

// TestIndexIDs: the events of an index always have the same IDs.
func TestIndexIDs(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), engine.Config{Indexes: true})
	defer func() { _ = s.Close() }()
	three(t, s, "a-1")
	seen := map[eventstore.ID]bool{}
	for range 2 {
		for _, name := range []string{"$ce-a", "$et-T"} {
			for _, r := range collect(t, s.Read(t.Context(), name, eventstore.ReadStream{})) {
				seen[r.ID] = true
			}
		}
	}
	if want := 6; len(seen) != want {
		t.Errorf("%d IDs, want %d: %s", len(seen), want, cmp.Diff(nil, seen))
	}
}

// TestIndexAfterScavenge: what is gone is left out, the numbers of the others stay.
func TestIndexAfterScavenge(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := open(t, t.TempDir(), engine.Config{Indexes: true, Now: now.Now})
	defer func() { _ = s.Close() }()
	for range 4 {
		three(t, s, "a-1")
		three(t, s, "a-2")
		now.pass(10)
	}
	must(t)(s.Append(t.Context(), "$$a-1", eventstore.Any, metadata(`{"$tb":11}`)))
	if done, err := s.Scavenge(t.Context(), nil); err != nil || done.Events != 11 {
		t.Fatalf("Scavenge = %+v, %v, want 11 events", done, err)
	}
	for data, first := range map[string]int{`{}`: 0, `{"$maxAge":35}`: 6, `{"$maxAge":15}`: 18} {
		must(t)(s.Append(t.Context(), "$$$ce-a", eventstore.Any, metadata(data)))
		var want []eventstore.Revision
		for i := range eventstore.Revision(24) {
			if second := i%6 >= 3; int(i) >= first && (second || i == 20) {
				want = append(want, i)
			}
		}
		for _, o := range []eventstore.ReadStream{{}, {ResolveLinks: true}, {From: eventstore.Last, Direction: eventstore.Backward}} {
			var got []eventstore.Revision
			for _, r := range collect(t, s.Read(t.Context(), "$ce-a", o)) {
				if r.Link != nil {
					r = *r.Link
				}
				got = append(got, r.Revision)
			}
			if o.Direction == eventstore.Backward {
				slices.Reverse(got)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s, %+v: got + and not -:\n%s", data, o, d)
			}
		}
	}
}
