package persistent_test

import (
	"testing"

	"konto/eventstore"
	"konto/eventstore/node/filter"
	"konto/eventstore/node/persistent"
)

func prefixes(p ...string) *filter.Spec { return &filter.Spec{Prefixes: p} }

func TestAllStart(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("a", 1)
	second := n.write("a", eventstore.Event{ID: n.id(), Type: "t", Data: []byte("1")})
	n.append("b", 1)
	for name, start := range map[string]persistent.Start{
		"start":    {},
		"position": {Position: second.Position},
		"end":      {End: true},
	} {
		d := definition(persistent.All)
		d.Group, d.Start, d.Filter = name, start, prefixes("a", "b")
		if name == "end" {
			d.Filter = nil // nor does a group see how it was made
		}
		if err := n.groups.Create(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	n.reopen()
	n.write("a", eventstore.Event{ID: n.id(), Type: "t", Data: []byte("later")})
	for name, want := range map[string][]string{
		"start":    {"0", "1", "0", "later"},
		"position": {"1", "0", "later"},
		"end":      {"later"},
	} {
		s, err := n.groups.Subscribe(t.Context(), persistent.Key{Stream: persistent.All, Group: name}, persistent.Consumer{Slots: 10})
		if err != nil {
			t.Fatal(err)
		}
		c := &client{node: n, Subscription: s}
		got := c.next(len(want))
		if name == "end" {
			continue // groups that were made later are events
		}
		expect(t, name, got, want...)
		c.nothing()
	}
}

func TestAllFilter(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		spec filter.Spec
		want []string
	}{
		{"stream prefixes", filter.Spec{Prefixes: []string{"a-", "c-"}}, []string{"a-1/x", "a-1/y", "c-1/x"}},
		{"stream expression", filter.Spec{Regex: "^[bc]-"}, []string{"b-1/y", "c-1/x"}},
		{"type prefixes", filter.Spec{ByType: true, Prefixes: []string{"y"}}, []string{"a-1/y", "b-1/y"}},
		{"type expression", filter.Spec{ByType: true, Regex: "^x$"}, []string{"a-1/x", "c-1/x"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.create(persistent.All, func(d *persistent.Definition) { d.Filter = &row.spec })
			for _, s := range []string{"a-1/x", "a-1/y", "b-1/y", "c-1/x"} {
				n.write(s[:3], eventstore.Event{ID: n.id(), Type: s[4:], Data: []byte(s)})
			}
			c := n.subscribe(persistent.All, 10)
			expect(t, row.name, c.next(len(row.want)), row.want...)
			c.nothing()
			n.reopen() // the filter is stored
			c = n.subscribe(persistent.All, 10)
			expect(t, row.name+", again", c.next(len(row.want)), row.want...)
		})
	}
}

func TestAllHidesItsOwnTraces(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.create(persistent.All, func(d *persistent.Definition) {
		d.Filter = &filter.Spec{Regex: "."}
		d.Settings.MaxCheckpointCount = 1
	})
	n.append("a", 2)
	c := n.subscribe(persistent.All, 10)
	m := c.next(1) // its definition
	if m[0].Event.Stream != "$persistentSubscriptionConfig" {
		t.Fatalf("first event is of %s", m[0].Event.Stream)
	}
	c.ack(m...)
	m = c.next(2)
	expect(t, "events", m, "0", "1")
	c.nack(persistent.Park, m[0])
	c.ack(m[1])
	n.written(checkpointsOf(persistent.All), 2)
	n.written(parkedOf(persistent.All), 1)
	m = c.next(1) // the metadata of its checkpoints is not hidden
	if s := m[0].Event.Stream; s != "$$"+checkpointsOf(persistent.All) {
		t.Errorf("the group sees %s", s)
	}
	c.ack(m...)
	n.written(checkpointsOf(persistent.All), 3)
	c.nothing()
}

func TestCheckpointPassesWhatIsNotWanted(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.create(persistent.All, func(d *persistent.Definition) {
		d.Filter = prefixes("wanted")
		d.Settings.MaxCheckpointCount = 20
	})
	c := n.subscribe(persistent.All, 10)
	n.append("other", 25)
	got := n.written(checkpointsOf(persistent.All), 1)
	if p, err := eventstore.ParsePosition(got[0][1 : len(got[0])-1]); err != nil || p == (eventstore.Position{}) {
		t.Errorf("checkpoint = %s, %v, want a position behind what was not wanted", got, err)
	}
	c.nothing()
}
