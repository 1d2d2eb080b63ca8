package persistent_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/eventstore"
	"konto/eventstore/node/filter"
	"konto/eventstore/node/persistent"
)

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	inside := n.write("s", eventstore.Event{ID: n.id(), Type: "t"}).Position
	inside.Commit, inside.Prepare = inside.Commit+3, inside.Prepare+3
	for name, change := range map[string]setting{
		"no stream":             func(d *persistent.Definition) { d.Stream = "" },
		"no group":              func(d *persistent.Definition) { d.Group = "" },
		"unknown strategy":      strategy("Whoever"),
		"no strategy":           strategy(""),
		"batch as large":        settings(func(s *persistent.Settings) { s.ReadBatchSize = s.HistoryBufferSize }),
		"no batch":              settings(func(s *persistent.Settings) { s.ReadBatchSize = 0 }),
		"negative time-out":     settings(func(s *persistent.Settings) { s.MessageTimeout = -1 }),
		"negative checkpoint":   settings(func(s *persistent.Settings) { s.CheckpointAfter = -1 }),
		"negative retries":      settings(func(s *persistent.Settings) { s.MaxRetryCount = -1 }),
		"negative live buffer":  settings(func(s *persistent.Settings) { s.LiveBufferSize = -1 }),
		"negative minimum":      settings(func(s *persistent.Settings) { s.MinCheckpointCount = -1 }),
		"negative maximum":      settings(func(s *persistent.Settings) { s.MaxCheckpointCount = -1 }),
		"negative subscribers":  settings(func(s *persistent.Settings) { s.MaxSubscriberCount = -1 }),
		"negative start":        from(-2),
		"filter of a stream":    func(d *persistent.Definition) { d.Filter = prefixes("a") },
		"expression of another": func(d *persistent.Definition) { d.Stream, d.Filter = persistent.All, &filter.Spec{Regex: "(?=a)"} },
		"within an event": func(d *persistent.Definition) {
			d.Stream, d.Start.Position = persistent.All, inside
		},
		"two positions": func(d *persistent.Definition) {
			d.Stream, d.Start.Position = persistent.All, eventstore.Position{Commit: 1, Prepare: 7}
		},
	} {
		var invalid *persistent.InvalidError
		if err := n.groups.Create(t.Context(), definition("s", change)); !errors.As(err, &invalid) || invalid.Reason == "" {
			t.Errorf("%s: Create = %v, want an InvalidError with a reason", name, err)
		}
	}
	if list, err := n.groups.List(t.Context(), ""); err != nil || len(list) > 0 {
		t.Errorf("List = %v, %v, want none", list, err)
	}
	if _, err := n.groups.Subscribe(t.Context(), key("s"), persistent.Consumer{}); !isInvalid(err) {
		t.Errorf("Subscribe without slots = %v, want an InvalidError", err)
	}
}

func isInvalid(err error) bool {
	var invalid *persistent.InvalidError
	return errors.As(err, &invalid)
}

func TestUnusualSettings(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 3)
	n.create("s", settings(func(s *persistent.Settings) {
		*s = persistent.Settings{ReadBatchSize: 1, HistoryBufferSize: 2, Strategy: persistent.DispatchToSingle}
	}))
	c := n.subscribe("s", math.MaxInt32)
	m := c.next(3)
	expect(t, "all", m, "0", "1", "2")
	c.ack(m...) // each is worth a checkpoint
	n.written(checkpointsOf("s"), 1)
}

func TestNoSuchGroup(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.create("s")
	other := persistent.Key{Stream: "s", Group: "other"}
	d := definition("s")
	d.Key = other
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Update":       func() error { return n.groups.Update(ctx, d) },
		"Delete":       func() error { return n.groups.Delete(ctx, other) },
		"Info":         func() error { _, err := n.groups.Info(ctx, other); return err },
		"List":         func() error { _, err := n.groups.List(ctx, "t"); return err },
		"ReplayParked": func() error { return n.groups.ReplayParked(ctx, other, eventstore.Last) },
		"Subscribe": func() error {
			_, err := n.groups.Subscribe(ctx, other, persistent.Consumer{Slots: 1})
			return err
		},
	} {
		if err := call(); !errors.Is(err, persistent.ErrNotFound) {
			t.Errorf("%s = %v, want ErrNotFound", name, err)
		}
	}
	if err := n.groups.Create(ctx, definition("s")); !errors.Is(err, persistent.ErrExists) {
		t.Errorf("second Create = %v, want ErrExists", err)
	}
	if err := n.groups.ReplayParked(ctx, key("s"), -1); !isInvalid(err) {
		t.Errorf("ReplayParked to a negative version = %v, want an InvalidError", err)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		acked int
		want  []string // after an update that starts at 3
	}{
		{"without a checkpoint the new start counts", 1, []string{"3", "4", "5"}},
		{"the checkpoint counts", 2, []string{"2", "3", "4", "5"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.append("s", 6)
			n.create("s", settings(func(s *persistent.Settings) { s.MaxCheckpointCount = 2 }))
			c := n.subscribe("s", 10)
			c.ack(c.next(6)[:row.acked]...)
			n.settle(c)
			if err := n.groups.Update(t.Context(), definition("s", from(3), settings(func(s *persistent.Settings) { s.MaxRetryCount = 77 }))); err != nil {
				t.Fatal(err)
			}
			c.dropped()
			if err := c.Ack(t.Context(), n.id()); !errors.Is(err, persistent.ErrDropped) {
				t.Errorf("Ack after the update = %v, want ErrDropped", err)
			}
			for range 2 {
				if got := n.info("s"); got.Settings.MaxRetryCount != 77 || got.StartFrom != "3" {
					t.Errorf("after the update: %d retries from %s, want 77 from 3", got.Settings.MaxRetryCount, got.StartFrom)
				}
				c = n.subscribe("s", 10)
				expect(t, row.name, c.next(len(row.want)), row.want...)
				c.nothing()
				n.reopen()
			}
		})
	}
}

func TestUpdateKeepsTheFilter(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.create(persistent.All, func(d *persistent.Definition) { d.Filter = prefixes("wanted") })
	if err := n.groups.Update(t.Context(), definition(persistent.All)); err != nil {
		t.Fatal(err)
	}
	n.append("other", 1)
	n.append("wanted", 1)
	c := n.subscribe(persistent.All, 10)
	if m := c.next(1); m[0].Event.Stream != "wanted" {
		t.Errorf("got an event of %s, want one of wanted", m[0].Event.Stream)
	}
	c.nothing()
}

func TestDelete(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 3)
	n.create("s", settings(func(s *persistent.Settings) { s.MaxCheckpointCount = 1 }))
	c := n.subscribe("s", 10)
	m := c.next(3)
	c.ack(m[0])
	c.nack(persistent.Park, m[1])
	n.written(checkpointsOf("s"), 2)
	n.written(parkedOf("s"), 1)
	if err := n.groups.Delete(t.Context(), key("s")); err != nil {
		t.Fatal(err)
	}
	c.dropped()
	for _, stream := range []string{checkpointsOf("s"), parkedOf("s")} {
		if got := n.read(stream); got != nil {
			t.Errorf("%s has %d events after the group was deleted", stream, len(got))
		}
	}
	if _, err := n.groups.List(t.Context(), "s"); !errors.Is(err, persistent.ErrNotFound) {
		t.Errorf("List after the group was deleted = %v, want ErrNotFound", err)
	}
	n.reopen()
	n.create("s", settings(func(s *persistent.Settings) { s.MaxCheckpointCount = 2 }))
	for range 2 {
		if got := n.info("s"); got.Parked != 0 || got.LastCheckpointed != "" {
			t.Errorf("a new group of the same name has %d parked and a checkpoint at %q", got.Parked, got.LastCheckpointed)
		}
		c = n.subscribe("s", 10)
		expect(t, "from the start", c.next(3), "0", "1", "2")
		n.reopen()
	}
	c = n.subscribe("s", 10)
	c.ack(c.next(2)...)
	n.settle(c)
	n.reopen()
	if got := n.info("s"); got.LastCheckpointed != "1" {
		t.Errorf("checkpoint of the new group = %q, want 1", got.LastCheckpointed)
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 4)
	n.create("s")
	c := n.subscribe("s", 10)
	c.ack(c.next(4)[:2]...)
	if err := n.groups.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.dropped()
	c.Close() // does nothing
	c = n.subscribe("s", 10)
	expect(t, "what was not finished", c.next(2), "2", "3")
}

func TestClosed(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.create("s")
	c := n.subscribe("s", 1)
	if err := n.groups.Close(); err != nil {
		t.Fatal(err)
	}
	c.dropped()
	if err := n.groups.Create(t.Context(), definition("t")); !errors.Is(err, persistent.ErrNotReady) {
		t.Errorf("Create = %v, want ErrNotReady", err)
	}
	if _, err := n.groups.Info(t.Context(), key("s")); !errors.Is(err, persistent.ErrNotReady) {
		t.Errorf("Info = %v, want ErrNotReady", err)
	}
	if _, err := n.groups.List(t.Context(), ""); !errors.Is(err, persistent.ErrNotReady) {
		t.Errorf("List = %v, want ErrNotReady", err)
	}
}

func TestDefinitionsAreStored(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 3)
	n.append("other", 3)
	want := map[string]persistent.Definition{}
	for i, d := range []persistent.Definition{
		definition("s"),
		definition("other", fromEnd, strategy(persistent.Pinned)),
		definition(persistent.All, func(d *persistent.Definition) { d.Filter = &filter.Spec{ByType: true, Regex: "^a"} }),
		definition("empty", fromEnd, strategy(persistent.PinnedByCorrelation), settings(func(s *persistent.Settings) {
			*s = persistent.Settings{
				ResolveLinks: true, ExtraStatistics: true, MessageTimeout: 2 * time.Second, MaxRetryCount: 3,
				LiveBufferSize: 4, ReadBatchSize: 5, HistoryBufferSize: 6, CheckpointAfter: 7 * time.Millisecond,
				MinCheckpointCount: 8, MaxCheckpointCount: 9, MaxSubscriberCount: 10, Strategy: persistent.DispatchToSingle,
			}
		})),
	} {
		d.Group = strings.Repeat("g", i+1)
		want[d.String()] = d
		if err := n.groups.Create(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	// What cannot be understood is passed over.
	n.write("$persistentSubscriptionConfig", eventstore.Event{ID: n.id(), Type: "$PersistentConfig", Data: []byte("{")})
	n.write("$persistentSubscriptionConfig", eventstore.Event{ID: n.id(), Type: "$PersistentConfig", Data: []byte(`{"entries":[{"stream":"x"}]}`)})
	n.write("$persistentSubscriptionConfig", eventstore.Event{ID: n.id(), Type: "other", Data: []byte("{}")})
	n.reopen()
	list, err := n.groups.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]persistent.Definition{}
	for _, i := range list {
		got[i.String()] = i.Definition
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("definitions after a restart (-want +got):\n%s", d)
	}
	if list, err := n.groups.List(t.Context(), "s"); err != nil || len(list) != 1 || list[0].Stream != "s" {
		t.Errorf("List of s = %v, %v, want its group", list, err)
	}
}
