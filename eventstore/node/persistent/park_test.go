package persistent_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/eventstore"
	"konto/eventstore/node/persistent"
)

// park has the group g of s park the first count of its events.
func (n *node) park(c *client, count int) {
	n.tb.Helper()
	for _, m := range c.next(count) {
		c.nack(persistent.Park, m)
	}
	n.settle(c)
}

func TestParked(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 4)
	n.create("s", settings(func(s *persistent.Settings) { s.MaxCheckpointCount = 1; s.MaxRetryCount = 0 }))
	c := n.subscribe("s", 4)
	m := c.next(4)
	c.nack(persistent.Park, m[2])
	if err := c.Nack(t.Context(), persistent.Retry, strings.Repeat("é", 5000), ids(m[3:])...); err != nil {
		t.Fatal(err)
	}
	n.settle(c)
	c.nothing()
	type meta struct {
		Added  time.Time
		Reason string
		Number int64 `json:"subscriptionEventNumber"`
	}
	parked := n.read(parkedOf("s"))
	if len(parked) != 2 {
		t.Fatalf("%d events are parked, want 2", len(parked))
	}
	var got []meta
	for _, e := range parked {
		var m meta
		if err := json.Unmarshal(e.Meta, &m); err != nil {
			t.Errorf("metadata %s: %v", e.Meta, err)
		}
		if len(m.Reason) > 4<<10 || strings.ContainsRune(m.Reason, '\uFFFD') {
			t.Errorf("reason of %d bytes, or cut within a character", len(m.Reason))
		}
		m.Reason = m.Reason[:min(len(m.Reason), 30)]
		got = append(got, m)
		if e.Type != "$>" || !e.Binary {
			t.Errorf("parked as %s, binary %v, want a link", e.Type, e.Binary)
		}
	}
	want := []meta{{n.clock(), "a reason", 2}, {n.clock(), "the retry limit was reached: é"[:30], 3}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("metadata (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"2@s", "3@s"}, n.written(parkedOf("s"), 2)); d != "" {
		t.Errorf("links (-want +got):\n%s", d)
	}
	i := n.info("s")
	if i.Parked != 2 || i.InFlight != 2 || i.Outstanding != 2 {
		t.Errorf("parked %d, in flight %d, outstanding %d, want 2, 2, 2", i.Parked, i.InFlight, i.Outstanding)
	}
	c.ack(m[:2]...)
	n.settle(c)
	if got := n.info("s").LastCheckpointed; got != "3" {
		t.Errorf("checkpoint = %q, want 3: what is parked is finished", got)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 5)
	n.create("s", settings(func(s *persistent.Settings) { s.ReadBatchSize = 2; s.HistoryBufferSize = 3 }))
	c := n.subscribe("s", 10)
	n.park(c, 5)
	if err := n.groups.ReplayParked(t.Context(), key("s"), eventstore.Last); err != nil {
		t.Fatal(err)
	}
	m := c.next(5)
	expect(t, "replayed", m, "0", "1", "2", "3", "4")
	for i, x := range m {
		if x.Event.Link == nil || x.Event.Link.Stream != parkedOf("s") || x.Event.Link.Revision != eventstore.Revision(i) || x.Event.Stream != "s" {
			t.Errorf("replayed %d is %+v by %+v, want it by its link", i, x.Event, x.Event.Link)
		}
	}
	n.settle(c)
	if got := n.info("s"); got.Parked != 0 || got.InFlight != 5 {
		t.Errorf("while replayed messages are out: %d parked, %d in flight, want 0 and 5", got.Parked, got.InFlight)
	}
	c.nack(persistent.Retry, m[0])
	expect(t, "tried again", c.next(1), "0+")
	c.ack(m[0], m[2], m[3])
	c.nack(persistent.Park, m[1]) // once more
	c.ack(m[4])
	n.settle(c)
	if got := n.read(parkedOf("s")); len(got) != 1 || string(got[0].Data) != "1@s" || got[0].Revision != 5 {
		t.Errorf("parked = %v, want the one that was parked again", got)
	}
	n.reopen()
	if got := n.info("s").Parked; got != 1 {
		t.Errorf("parked after a restart = %d, want 1", got)
	}
}

func TestReplayStopsAt(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 5)
	n.create("s")
	c := n.subscribe("s", 10)
	n.park(c, 5)
	for _, row := range []struct {
		stopAt eventstore.Revision
		want   []string
		left   int64
	}{
		{0, nil, 5},
		{2, []string{"0", "1"}, 3},
		{2, nil, 3},
		{3, []string{"2"}, 2},
		{100, []string{"3", "4"}, 0},
		{eventstore.Last, nil, 0},
	} {
		if err := n.groups.ReplayParked(t.Context(), key("s"), row.stopAt); err != nil {
			t.Fatal(err)
		}
		m := c.next(len(row.want))
		expect(t, row.stopAt.String(), append([]persistent.Message{}, m...), append([]string{}, row.want...)...)
		c.nothing()
		c.ack(m...)
		n.settle(c)
		if got := n.info("s").Parked; got != row.left {
			t.Errorf("to %s: %d parked, want %d", row.stopAt, got, row.left)
		}
		if got := int64(len(n.read(parkedOf("s")))); got != row.left {
			t.Errorf("to %s: %d in the parked stream, want %d", row.stopAt, got, row.left)
		}
	}
}

// A crash in the middle of a replay loses nothing: what was not finished is
// parked as before.
func TestReplayAndCrash(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 4)
	n.create("s")
	c := n.subscribe("s", 10)
	n.park(c, 4)
	if err := n.groups.ReplayParked(t.Context(), key("s"), eventstore.Last); err != nil {
		t.Fatal(err)
	}
	m := c.next(4)
	c.ack(m[0], m[1], m[3])
	n.pass(time.Second)
	n.settle(c)
	after := n.crash()
	if got := after.info("s").Parked; got != 2 {
		t.Errorf("parked after a crash = %d, want 2: those from the first unfinished one on", got)
	}
	c = after.subscribe("s", 10)
	after.settle(c)
	c.fetched = nil
	if err := after.groups.ReplayParked(t.Context(), key("s"), eventstore.Last); err != nil {
		t.Fatal(err)
	}
	var again []string
	for len(again) < 2 {
		for _, m := range c.next(1) {
			if m.Event.Link != nil {
				again = append(again, string(m.Event.Data))
			}
		}
	}
	if d := cmp.Diff([]string{"2", "3"}, again); d != "" {
		t.Errorf("replayed after a crash (-want +got):\n%s", d)
	}
}

func TestReplayOfWhatIsGone(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 2)
	n.create("s")
	c := n.subscribe("s", 10)
	n.park(c, 2)
	n.write("$$s", eventstore.Event{ID: n.id(), Type: "$metadata", Data: []byte(`{"$tb":1}`)})
	if err := n.groups.ReplayParked(t.Context(), key("s"), eventstore.Last); err != nil {
		t.Fatal(err)
	}
	m := c.next(2)
	expect(t, "the first is gone", m, "", "1")
	if m[0].Event.ID != (eventstore.ID{}) || string(m[0].Event.Link.Data) != "0@s" {
		t.Errorf("event without a target = %+v, want the link alone", m[0].Event)
	}
	c.nack(persistent.Park, m[0])
	c.ack(m[1])
	n.settle(c)
	if got := n.read(parkedOf("s")); len(got) != 1 || string(got[0].Data) != "0@s" {
		t.Errorf("parked again = %v, want a link to 0@s", got)
	}
}

func TestParkedStreamWasThrownAway(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 3)
	n.create("s")
	c := n.subscribe("s", 10)
	n.park(c, 2)
	if _, err := n.store.Delete(t.Context(), parkedOf("s"), eventstore.Any); err != nil {
		t.Fatal(err)
	}
	if err := n.groups.ReplayParked(t.Context(), key("s"), eventstore.Last); err != nil {
		t.Fatal(err)
	}
	expect(t, "only what is in the stream", c.next(1), "2")
	c.nothing()
	if got := n.info("s"); got.Parked != 0 || got.Status != "Live" {
		t.Errorf("parked = %d, status = %s, want 0 and Live", got.Parked, got.Status)
	}
}

func TestParkedThroughALink(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 2)
	n.write("links", eventstore.Event{ID: n.id(), Type: "$>", Binary: true, Data: []byte("1@s")})
	n.create("links", settings(func(s *persistent.Settings) { s.ResolveLinks = true }))
	c := n.subscribe("links", 10)
	n.park(c, 1)
	if d := cmp.Diff([]string{"1@s"}, n.written(parkedOf("links"), 1)); d != "" {
		t.Errorf("links (-want +got):\n%s", d)
	}
	if err := n.groups.ReplayParked(t.Context(), key("links"), eventstore.Last); err != nil {
		t.Fatal(err)
	}
	m := c.next(1)
	expect(t, "replayed", m, "1")
}

func TestRepliesToTheWrongConsumer(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 2)
	n.create("s")
	first, second := n.subscribe("s", 1), n.subscribe("s", 1)
	mine, theirs := first.next(1), second.next(1)
	first.ack(theirs...)
	second.nack(persistent.Park, mine...)
	first.nothing()
	if got := n.info("s"); got.InFlight != 2 || got.Parked != 0 {
		t.Errorf("after answers of others: %d in flight, %d parked, want 2 and 0", got.InFlight, got.Parked)
	}
}
