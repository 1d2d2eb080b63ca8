package persistent_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/eventstore"
	"konto/eventstore/node/persistent"
)

func TestSlots(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 5)
	n.create("s")
	c := n.subscribe("s", 2)
	first := c.next(2)
	expect(t, "first", first, "0", "1")
	c.nothing() // two are unacknowledged
	c.ack(first[1])
	second := c.next(1)
	expect(t, "after an ack", second, "2")
	c.nack(persistent.Skip, first[0])
	expect(t, "after a skip", c.next(1), "3")
	n.pass(30 * time.Second)
	expect(t, "after the others timed out", c.next(2), "2+", "3+")
}

func TestStart(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		start persistent.Start
		want  []string // of events 0 to 2 before the group is made, and 3 to 5 after
	}{
		{"start", persistent.Start{}, sequence(0, 6)},
		{"revision is inclusive", persistent.Start{Revision: 2}, sequence(2, 6)},
		{"in the future", persistent.Start{Revision: 4}, sequence(4, 6)},
		{"end, nobody attached", persistent.Start{End: true}, sequence(3, 6)},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			six := func(from, to int) {
				for i := from; i < to; i++ {
					n.write("s", eventstore.Event{ID: n.id(), Type: "t", Data: fmt.Append(nil, i)})
				}
			}
			six(0, 3)
			n.create("s", func(d *persistent.Definition) { d.Start = row.start })
			six(3, 6)
			c := n.subscribe("s", 10)
			expect(t, row.name, c.next(len(row.want)), row.want...)
			c.nothing()
			n.reopen() // nothing was acknowledged: the same again
			c = n.subscribe("s", 10)
			expect(t, row.name+", again", c.next(len(row.want)), row.want...)
			c.nothing()
		})
	}
}

func TestSourceNeedNotExist(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.create("s", fromEnd)
	c := n.subscribe("s", 10)
	c.nothing()
	n.append("s", 2)
	expect(t, "appended", c.next(2), "0", "1")
}

func TestNack(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		action persistent.Action
		again  []string // what comes again
		parked int64
	}{
		{persistent.Unknown, []string{"0+"}, 0},
		{persistent.Retry, []string{"0+"}, 0},
		{persistent.Park, nil, 1},
		{persistent.Skip, nil, 0},
		{persistent.Stop, nil, 0},
	} {
		t.Run(fmt.Sprint(row.action), func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.append("s", 3)
			n.create("s")
			c := n.subscribe("s", 1)
			c.nack(row.action, c.next(1)...)
			for _, want := range append(row.again, "1", "2") {
				m := c.next(1)
				expect(t, "next", m, want)
				c.ack(m...)
			}
			c.nothing()
			if got := n.info("s").Parked; got != row.parked {
				t.Errorf("parked = %d, want %d", got, row.parked)
			}
		})
	}
}

func TestRetriesRunOut(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 1)
	n.create("s", settings(func(s *persistent.Settings) { s.MaxRetryCount = 3 }))
	c := n.subscribe("s", 1)
	for i, again := range []func(m persistent.Message){
		func(m persistent.Message) { c.nack(persistent.Retry, m) },
		func(persistent.Message) { n.pass(30 * time.Second) },
		func(persistent.Message) { c.Close(); c = n.subscribe("s", 1) },
		func(m persistent.Message) { c.nack(persistent.Unknown, m) },
	} {
		m := c.next(1)
		expect(t, "try", m, "0"+strings.Repeat("+", i))
		again(m[0])
	}
	c.nothing()
	parked := n.read(parkedOf("s"))
	if len(parked) != 1 || string(parked[0].Data) != "0@s" {
		t.Errorf("parked = %v, want a link to 0@s", parked)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		timeout time.Duration
		pass    []time.Duration
		want    string
	}{
		{"not yet", 30 * time.Second, []time.Duration{29 * time.Second}, ""},
		{"exactly", 30 * time.Second, []time.Duration{10 * time.Second, 20 * time.Second}, "0+"},
		{"zero is with the next tick", 0, []time.Duration{0}, "0+"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.append("s", 1)
			n.create("s", settings(func(s *persistent.Settings) { s.MessageTimeout = row.timeout }))
			c := n.subscribe("s", 1)
			c.next(1)
			for _, d := range row.pass {
				n.pass(d)
			}
			if row.want == "" {
				c.nothing()
				return
			}
			expect(t, "after the time", c.next(1), row.want)
		})
	}
}

func TestWhatWasNotFetchedIsNotTried(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 2)
	n.create("s", settings(func(s *persistent.Settings) { s.MaxRetryCount = 0 }))
	c := n.subscribe("s", 2)
	n.settle(c)
	n.pass(time.Minute)
	n.pass(time.Minute)
	c.Close()
	c = n.subscribe("s", 2)
	expect(t, "two time-outs and a lost consumer later", c.next(2), "0", "1")
}

func TestLostConsumer(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 6)
	n.create("s", strategy(persistent.DispatchToSingle))
	first, second := n.subscribe("s", 3), n.subscribe("s", 1)
	expect(t, "first", first.next(3), "0", "1", "2")
	m := second.next(1)
	expect(t, "second", m, "3")
	first.Close()
	first.Close() // does nothing
	for _, want := range []string{"0+", "1+", "2+", "4", "5"} {
		second.ack(m...)
		m = second.next(1)
		expect(t, "in order, retries first", m, want)
	}
}

func TestRetriesComeFirstByPosition(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 8)
	n.create("s")
	c := n.subscribe("s", 4)
	m := c.next(4)
	for _, i := range []int{3, 0, 2} {
		c.nack(persistent.Retry, m[i]) // and each comes back at once
	}
	m = append(c.next(3), m[1])
	expect(t, "as they were refused", m[:3], "3+", "0+", "2+")
	if err := c.Nack(t.Context(), persistent.Retry, "", ids(m)...); err != nil {
		t.Fatal(err)
	}
	expect(t, "refused together", c.next(4), "0++", "1+", "2++", "3++")
}

func TestSubscriberLimit(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.create("s", settings(func(s *persistent.Settings) { s.MaxSubscriberCount = 2 }))
	c := n.subscribe("s", 1)
	n.subscribe("s", 1)
	third := func() error {
		_, err := n.groups.Subscribe(t.Context(), key("s"), persistent.Consumer{Slots: 1})
		return err
	}
	if err := third(); err == nil || err.Error() != persistent.ErrSubscriberLimit.Error() {
		t.Errorf("third Subscribe = %v, want ErrSubscriberLimit", err)
	}
	c.Close()
	if err := third(); err != nil {
		t.Errorf("Subscribe after one left = %v", err)
	}
}

func TestEqualIDs(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	id := n.id()
	n.write("a", eventstore.Event{ID: id, Type: "t", Data: []byte("a")})
	n.write("b", eventstore.Event{ID: id, Type: "t", Data: []byte("b")})
	n.create(persistent.All, func(d *persistent.Definition) { d.Filter = prefixes("a", "b") })
	c := n.subscribe(persistent.All, 10)
	m := c.next(2)
	expect(t, "both", m, "a", "b")
	c.ack(m[0])
	if got := n.info(persistent.All).InFlight; got != 1 {
		t.Errorf("in flight after one ack = %d, want 1", got)
	}
	c.nack(persistent.Retry, m[1])
	expect(t, "the other one", c.next(1), "b+")
}

func TestResolveLinks(t *testing.T) {
	t.Parallel()
	link := func(n *node, data string) eventstore.ID {
		id := n.id()
		n.write("links", eventstore.Event{ID: id, Type: "$>", Binary: true, Data: []byte(data)})
		return id
	}
	for _, resolve := range []bool{false, true} {
		t.Run(strconv.FormatBool(resolve), func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.append("s", 2)
			want := []eventstore.ID{link(n, "1@s"), link(n, "7@s")}
			n.create("links", settings(func(s *persistent.Settings) { s.ResolveLinks = resolve }))
			c := n.subscribe("links", 10)
			m := c.next(2)
			if d := cmp.Diff(want, ids(m)); d != "" {
				t.Errorf("answered by (-want +got):\n%s", d)
			}
			data, target := "1@s", false
			if resolve {
				data, target = "1", true
			}
			if got := m[0].Event; string(got.Data) != data || (got.Link != nil) != target {
				t.Errorf("event = %s with link %v, want %s", got.Data, got.Link, data)
			}
			if got := m[1].Event; resolve && (got.ID != (eventstore.ID{}) || got.Link == nil) {
				t.Errorf("event of a link to nothing = %+v, want the link alone", got)
			}
			c.ack(m...)
			if got := n.info("links").InFlight; got != 0 {
				t.Errorf("in flight = %d, want 0", got)
			}
		})
	}
}
