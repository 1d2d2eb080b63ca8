package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// clock is a store's, and stands still unless it is told.
type clock struct{ seconds atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.seconds.Store(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Unix())
	return c
}

func (c *clock) Now() time.Time { return time.Unix(c.seconds.Load(), 0).UTC() }

func (c *clock) pass(seconds int) { c.seconds.Add(int64(seconds)) }

// visible says what a reader must see of a stream, by all that was ever
// written: it looks at every event where the engine looks at its facts.
func visible(all []eventstore.Recorded, stream string, now time.Time) ([]eventstore.Recorded, error) {
	var events []eventstore.Recorded
	var metadata *eventstore.Recorded
	described, isMetadata := strings.CutPrefix(stream, "$$")
	for i, r := range all {
		if r.Stream == described && r.Revision == math.MaxInt64 {
			return nil, eventstore.ErrStreamDeleted
		}
		switch r.Stream {
		case stream:
			events = append(events, r)
		case "$$" + stream:
			metadata = &all[i]
		}
	}
	if len(events) == 0 {
		return nil, eventstore.ErrStreamNotFound
	}
	if isMetadata {
		return events[len(events)-1:], nil
	}
	var m struct {
		TruncateBefore *int64 `json:"$tb"`
		MaxCount       *int64 `json:"$maxCount"`
		MaxAge         *int64 `json:"$maxAge"`
	}
	if metadata == nil || !understood(metadata.Data, &m) {
		return events, nil
	}
	if m.TruncateBefore != nil && *m.TruncateBefore == math.MaxInt64 {
		return nil, eventstore.ErrStreamNotFound
	}
	var seen []eventstore.Recorded
	for i, r := range events {
		switch {
		case m.TruncateBefore != nil && int64(r.Revision) < *m.TruncateBefore:
		case m.MaxCount != nil && *m.MaxCount > 0 && int64(len(events)-i) > *m.MaxCount:
		case m.MaxAge != nil && *m.MaxAge > 0 && r.At.Before(now.Add(-time.Duration(*m.MaxAge)*time.Second)):
		default:
			seen = append(seen, r)
		}
	}
	return seen, nil
}

func understood(data []byte, into any) bool { return json.Unmarshal(data, into) == nil }

func all(ctx context.Context, s eventstore.Store) (events []eventstore.Recorded, err error) {
	for r, err := range s.ReadAll(ctx, eventstore.ReadAll{}) {
		if err != nil {
			return nil, err
		}
		events = append(events, r)
	}
	return events, nil
}

func places(read iter.Seq2[eventstore.Recorded, error]) (list []eventstore.Revision, err error) {
	for r, err := range read {
		if err != nil {
			return list, err
		}
		list = append(list, r.Revision)
	}
	return list, nil
}

// compareReads compares what a store shows of a stream with what it must show.
func compareReads(ctx context.Context, s *engine.Store, stream string, now time.Time, o eventstore.ReadStream) error {
	events, err := all(ctx, s)
	if err != nil {
		return err
	}
	return compareWith(ctx, s, events, stream, now, o)
}

func compareWith(ctx context.Context, s *engine.Store, events []eventstore.Recorded, stream string, now time.Time, o eventstore.ReadStream) error {
	seen, wantErr := visible(events, stream, now)
	var want []eventstore.Revision
	for i := range seen {
		r := seen[i].Revision
		if o.Direction == eventstore.Backward {
			r = seen[len(seen)-1-i].Revision
		}
		if o.Direction == eventstore.Forward && r >= o.From || o.Direction == eventstore.Backward && r <= o.From {
			want = append(want, r)
		}
	}
	if o.Limit > 0 {
		want = want[:min(o.Limit, len(want))]
	}
	got, err := places(s.Read(ctx, stream, o))
	if !errors.Is(err, wantErr) || wantErr == nil && err != nil {
		return fmt.Errorf("read %s %+v: %w, want %w", stream, o, err, wantErr)
	}
	if d := cmp.Diff(want, got); d != "" {
		return fmt.Errorf("read %s %+v: got + and not -:\n%s", stream, o, d)
	}
	return compareInfo(ctx, s, stream, seen, wantErr)
}

func compareInfo(ctx context.Context, s *engine.Store, stream string, seen []eventstore.Recorded, wantErr error) error {
	info, err := s.Stream(ctx, stream)
	if err != nil {
		return err
	}
	first := eventstore.NoStream
	if len(seen) > 0 {
		first = seen[0].Revision
		if last := seen[len(seen)-1].Revision; info.Last != last {
			return fmt.Errorf("the last of %s is %d, want %d", stream, info.Last, last)
		}
	}
	if info.First != first || info.Tombstoned != errors.Is(wantErr, eventstore.ErrStreamDeleted) {
		return fmt.Errorf("%s is %+v, want first %d, %w", stream, info, first, wantErr)
	}
	return nil
}

// TestWindows writes, truncates and deletes streams while time passes, and
// compares every read with what $all says must be visible.
func TestWindows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		now := newClock()
		n := uint64(0)
		newID := func() eventstore.ID { n++; return eventID(n) }
		fs := vfs.NewMem()
		reopen := func() *engine.Store {
			s, err := engine.Open("store", engine.Config{FS: fs, Now: now.Now, NewID: newID, MemTableBytes: 1 << 20, CachedHeads: 1 + int(n%3)})
			if err != nil {
				r.Fatal(err)
			}
			return s
		}
		s := reopen()
		defer func() { _ = s.Close() }()
		stream := rapid.SampledFrom([]string{"a-1", "a-2"})
		expected := rapid.SampledFrom([]eventstore.Revision{eventstore.Any, eventstore.NoStream, eventstore.StreamExists})
		add := func(stream string, events ...eventstore.Event) {
			for i := range events {
				events[i].ID = newID()
			}
			_, err := s.Append(r.Context(), stream, expected.Draw(r, "expected"), events...)
			if err != nil && !errors.Is(err, eventstore.ErrWrongRevision) && !errors.Is(err, eventstore.ErrStreamDeleted) {
				r.Fatal(err)
			}
		}
		r.Repeat(map[string]func(*rapid.T){
			"append": func(r *rapid.T) {
				events := make([]eventstore.Event, rapid.IntRange(1, 40).Draw(r, "events"))
				for i := range events {
					events[i].Type = "T"
				}
				add(stream.Draw(r, "stream"), events...)
			},
			"metadata": func(r *rapid.T) {
				m := map[string]any{"color": "blue"}
				for key, most := range map[string]int64{"$tb": 100, "$maxCount": 50, "$maxAge": 100} {
					if rapid.Bool().Draw(r, key+" set") {
						m[key] = rapid.Int64Range(-2, most).Draw(r, key)
					}
				}
				if rapid.IntRange(0, 9).Draw(r, "odd") == 0 {
					m["$maxCount"] = "many"
				}
				data, err := json.Marshal(m)
				if err != nil {
					r.Fatal(err)
				}
				add("$$"+stream.Draw(r, "stream"), eventstore.Event{Type: "$metadata", Data: data})
			},
			"delete": func(r *rapid.T) {
				_, err := s.Delete(r.Context(), stream.Draw(r, "stream"), expected.Draw(r, "expected"))
				if err != nil && !errors.Is(err, eventstore.ErrWrongRevision) && !errors.Is(err, eventstore.ErrStreamDeleted) {
					r.Fatal(err)
				}
			},
			"tombstone": func(r *rapid.T) {
				if rapid.IntRange(0, 9).Draw(r, "rarely") != 0 {
					r.Skip()
				}
				_, err := s.Tombstone(r.Context(), stream.Draw(r, "stream"), eventstore.Any)
				if err != nil && !errors.Is(err, eventstore.ErrStreamDeleted) {
					r.Fatal(err)
				}
			},
			"time": func(r *rapid.T) { now.pass(rapid.IntRange(0, 60).Draw(r, "seconds")) },
			"reopen": func(r *rapid.T) {
				if err := s.Close(); err != nil {
					r.Fatal(err)
				}
				s = reopen()
			},
			"": func(r *rapid.T) {
				name := rapid.SampledFrom([]string{"", "$$"}).Draw(r, "of") + stream.Draw(r, "stream")
				o := eventstore.ReadStream{
					From:      eventstore.Revision(rapid.IntRange(0, 120).Draw(r, "from")),
					Direction: eventstore.Direction(rapid.Bool().Draw(r, "backward")),
					Limit:     rapid.IntRange(0, 30).Draw(r, "limit"),
				}
				if rapid.Bool().Draw(r, "all") {
					o.Limit, o.From = 0, 0
					if o.Direction == eventstore.Backward {
						o.From = eventstore.Last
					}
				}
				if err := compareReads(r.Context(), s, name, now.Now(), o); err != nil {
					r.Fatal(err)
				}
			},
		})
	})
}
