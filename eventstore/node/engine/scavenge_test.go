package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// ledger is all that a store must hold: what was written and what scavenges
// have left of it.
type ledger struct{ events []eventstore.Recorded }

// follow takes over what was written since.
func (l *ledger) follow(ctx context.Context, s eventstore.Store) error {
	from := eventstore.Position{}
	if len(l.events) > 0 {
		from = l.events[len(l.events)-1].Position
	}
	for r, err := range s.ReadAll(ctx, eventstore.ReadAll{From: from}) {
		if err != nil {
			return err
		}
		r.Data = bytes.Clone(r.Data)
		l.events = append(l.events, r)
	}
	return nil
}

// scavenge removes what a scavenge at a time must remove.
func (l *ledger) scavenge(now time.Time) (removed int) {
	stays := map[string]eventstore.Revision{} // by stream: the oldest revision
	for _, r := range l.events {
		if _, known := stays[r.Stream]; known {
			continue
		}
		seen, err := visible(l.events, r.Stream, now)
		last := eventstore.NoStream
		for _, e := range l.events {
			if e.Stream == r.Stream && e.Revision != math.MaxInt64 {
				last = e.Revision
			}
		}
		switch {
		case errors.Is(err, eventstore.ErrStreamDeleted):
			stays[r.Stream] = math.MaxInt64
		case len(seen) > 0:
			stays[r.Stream] = seen[0].Revision
		default:
			stays[r.Stream] = last
		}
	}
	before := len(l.events)
	l.events = slices.DeleteFunc(l.events, func(r eventstore.Recorded) bool { return r.Revision < stays[r.Stream] })
	return before - len(l.events)
}

// check compares $all, read in both directions, and all streams.
func (l *ledger) check(ctx context.Context, s *engine.Store, now time.Time) error {
	backward := slices.Clone(l.events)
	slices.Reverse(backward)
	for _, c := range []struct {
		o    eventstore.ReadAll
		want []eventstore.Recorded
	}{{eventstore.ReadAll{}, l.events}, {eventstore.ReadAll{From: eventstore.End, Direction: eventstore.Backward}, backward}} {
		i := 0
		for r, err := range s.ReadAll(ctx, c.o) {
			if err != nil {
				return err
			}
			if i >= len(c.want) || !sameEvent(r, c.want[i]) {
				return fmt.Errorf("read of $all %+v: event %d of %d is %s@%d at %v", c.o, i, len(c.want), r.Stream, r.Revision, r.Position)
			}
			i++
		}
		if i < len(c.want) {
			return fmt.Errorf("read of $all %+v: %d events, want %d", c.o, i, len(c.want))
		}
	}
	streams := map[string]bool{}
	for _, r := range l.events {
		streams[r.Stream] = true
	}
	for stream := range streams {
		for _, o := range []eventstore.ReadStream{{}, {From: 3}, {From: eventstore.Last, Direction: eventstore.Backward}, {From: 5, Direction: eventstore.Backward}} {
			if err := compareWith(ctx, s, l.events, stream, now, o); err != nil {
				return err
			}
		}
	}
	return nil
}

func sameEvent(a, b eventstore.Recorded) bool {
	return a.ID == b.ID && a.Position == b.Position && a.Stream == b.Stream && a.Revision == b.Revision && bytes.Equal(a.Data, b.Data)
}

// TestScavenge writes, truncates, deletes and scavenges while time passes, and
// compares what can be read with what must be left.
func TestScavenge(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		now := newClock()
		n := uint64(0)
		newID := func() eventstore.ID { n++; return eventID(n) }
		fs := vfs.NewMem()
		reopen := func() *engine.Store {
			s, err := engine.Open("store", engine.Config{FS: fs, Now: now.Now, NewID: newID, MemTableBytes: 1 << 20})
			if err != nil {
				r.Fatal(err)
			}
			return s
		}
		s, l := reopen(), ledger{}
		defer func() { _ = s.Close() }()
		streams := rapid.SampledFrom([]string{"a-1", "a-2", "a-3"})
		ok := func(err error) {
			if err != nil && !errors.Is(err, eventstore.ErrWrongRevision) && !errors.Is(err, eventstore.ErrStreamDeleted) {
				r.Fatal(err)
			}
		}
		add := func(stream string, e ...eventstore.Event) {
			for i := range e {
				e[i].ID = newID()
			}
			_, err := s.Append(r.Context(), stream, eventstore.Any, e...)
			ok(err)
		}
		written := func() {
			if err := l.follow(r.Context(), s); err != nil {
				r.Fatal(err)
			}
		}
		r.Repeat(map[string]func(*rapid.T){
			"append": func(r *rapid.T) {
				events := make([]eventstore.Event, rapid.IntRange(1, 9).Draw(r, "events"))
				for i := range events {
					size := rapid.SampledFrom([]int{1, 500, 5000}).Draw(r, "size")
					events[i] = eventstore.Event{Type: "T", Data: bytes.Repeat([]byte{byte('a' + i)}, size)}
				}
				add(streams.Draw(r, "stream"), events...)
			},
			"truncate": func(r *rapid.T) {
				add("$$"+streams.Draw(r, "stream"), metadata(fmt.Sprintf(`{"$tb":%d}`, rapid.IntRange(0, 40).Draw(r, "before"))))
			},
			"count": func(r *rapid.T) {
				add("$$"+streams.Draw(r, "stream"), metadata(fmt.Sprintf(`{"$maxCount":%d}`, rapid.IntRange(1, 20).Draw(r, "count"))))
			},
			"age": func(r *rapid.T) {
				add("$$"+streams.Draw(r, "stream"), metadata(fmt.Sprintf(`{"$maxAge":%d}`, rapid.IntRange(1, 100).Draw(r, "age"))))
			},
			"delete": func(r *rapid.T) {
				_, err := s.Delete(r.Context(), streams.Draw(r, "stream"), eventstore.Any)
				ok(err)
			},
			"tombstone": func(r *rapid.T) {
				if rapid.IntRange(0, 5).Draw(r, "rarely") != 0 {
					r.Skip()
				}
				_, err := s.Tombstone(r.Context(), streams.Draw(r, "stream"), eventstore.Any)
				ok(err)
			},
			"time": func(*rapid.T) { now.pass(20) },
			"scavenge": func(r *rapid.T) {
				written()
				before := len(l.events)
				l.scavenge(now.Now())
				got, err := s.Scavenge(r.Context(), nil)
				if err != nil || int(got.Events) != before-len(l.events) {
					r.Fatalf("Scavenge = %+v, %v, want %d events", got, err, before-len(l.events))
				}
			},
			"reopen": func(r *rapid.T) {
				written()
				if err := s.Close(); err != nil {
					r.Fatal(err)
				}
				s = reopen()
			},
			"": func(r *rapid.T) {
				written()
				if err := l.check(r.Context(), s, now.Now()); err != nil {
					r.Fatal(err)
				}
			},
		})
	})
}

// TestScavengeReclaims checks that a scavenge makes space on disk free, and that
// positions go on where they were.
func TestScavengeReclaims(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	c := engine.Config{FS: fs, MemTableBytes: 1 << 20}
	s := open(t, "store", c)
	const streams, each = 40, 100
	data := bytes.Repeat([]byte("x"), 3000)
	for i := range each {
		for n := range streams {
			e := eventstore.Event{ID: eventID(uint64(i*streams + n)), Type: "T", Data: data}
			if _, err := s.Append(t.Context(), fmt.Sprintf("a-%d", n), eventstore.Any, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range streams / 2 {
		must(t)(s.Tombstone(t.Context(), fmt.Sprintf("a-%d", 2*n), eventstore.Any))
	}
	var l ledger
	if err := l.follow(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	head := s.Head()
	s = closeAndOpen(t, s, c)
	before := diskBytes(t, fs)
	var steps []uint64
	got, err := s.Scavenge(t.Context(), func(done, of uint64) {
		if done > of || len(steps) > 0 && done < steps[len(steps)-1] {
			t.Errorf("progress of %d after %d of %d", done, steps, of)
		}
		steps = append(steps, done)
	})
	want := l.scavenge(time.Now())
	if err != nil || got.Events != int64(want) || got.Streams != streams/2 || want != streams/2*each || got.Bytes < int64(want*len(data)) || len(steps) < 2 {
		t.Fatalf("Scavenge = %+v, %v in %d steps, want %d events", got, err, len(steps), want)
	}
	if again, err := s.Scavenge(t.Context(), nil); err != nil || again != (engine.Scavenged{}) {
		t.Errorf("Scavenge again = %+v, %v", again, err)
	}
	s = closeAndOpen(t, s, c)
	defer func() { _ = s.Close() }()
	if after := diskBytes(t, fs); after > before-got.Bytes*9/10 {
		t.Errorf("%d bytes on disk after a scavenge of %d, %d before", after, got.Bytes, before)
	}
	if s.Head() != head {
		t.Errorf("head is at %v, was at %v", s.Head(), head)
	}
	if err := l.check(t.Context(), s, time.Now()); err != nil {
		t.Error(err)
	}
	next, err := s.Append(t.Context(), "b", eventstore.NoStream, eventstore.Event{ID: eventID(1 << 60), Type: "T"})
	if err != nil || next.Position.Compare(head) <= 0 {
		t.Errorf("append after a scavenge is at %v, %v, want after %v", next.Position, err, head)
	}
}

func closeAndOpen(t *testing.T, s *engine.Store, c engine.Config) *engine.Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, "store", c)
}

func diskBytes(t *testing.T, fs vfs.FS) (n int64) {
	t.Helper()
	names, err := fs.List("store/db")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		info, err := fs.Stat("store/db/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".sst") {
			n += info.Size()
		}
	}
	return n
}
