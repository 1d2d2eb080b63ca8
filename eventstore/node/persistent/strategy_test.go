package persistent_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"konto/eventstore"
	"konto/eventstore/node/persistent"
)

func TestStrategies(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		strategy string
		slots    []int
		want     [][]string // of each consumer, of events 0 to 5
	}{
		{persistent.RoundRobin, []int{3, 3, 3}, [][]string{{"0", "3"}, {"1", "4"}, {"2", "5"}}},
		{persistent.RoundRobin, []int{1, 3, 3}, [][]string{{"0"}, {"1", "3", "5"}, {"2", "4"}}},
		{persistent.DispatchToSingle, []int{3, 3, 3}, [][]string{{"0", "1", "2"}, {"3", "4", "5"}, nil}},
		{persistent.DispatchToSingle, []int{10, 3, 3}, [][]string{sequence(0, 6), nil, nil}},
	} {
		t.Run(fmt.Sprint(row.strategy, row.slots), func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.create("s", strategy(row.strategy))
			clients := make([]*client, len(row.slots))
			for i, slots := range row.slots {
				clients[i] = n.subscribe("s", slots)
			}
			n.append("s", 6)
			for i, c := range clients {
				expect(t, fmt.Sprint("consumer ", i), append([]persistent.Message{}, c.next(len(row.want[i]))...), append([]string{}, row.want[i]...)...)
				c.nothing()
			}
		})
	}
}

// keyed appends events with a key of their own: a stream, or a correlation ID
// in one stream.
func (n *node) keyed(byCorrelation bool, keys ...string) {
	n.tb.Helper()
	for _, k := range keys {
		if byCorrelation {
			n.write("all-in-one", eventstore.Event{ID: n.id(), Type: "t", Data: []byte(k), Meta: fmt.Appendf(nil, `{"$correlationId":%q}`, k)})
		} else {
			n.write("p-"+k, eventstore.Event{ID: n.id(), Type: "t", Data: []byte(k)})
		}
	}
}

func TestPinned(t *testing.T) {
	t.Parallel()
	for _, name := range []string{persistent.Pinned, persistent.PinnedByCorrelation} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.create(persistent.All, strategy(name), func(d *persistent.Definition) { d.Filter = prefixes("p-", "all-in-one") })
			first, second := n.subscribe(persistent.All, 3), n.subscribe(persistent.All, 3)
			correlated := name == persistent.PinnedByCorrelation
			n.keyed(correlated, "a", "b") // buckets get their owners in turn
			a, b := first.next(1), second.next(1)
			expect(t, "first", a, "a")
			expect(t, "second", b, "b")
			n.keyed(correlated, "a", "a", "a", "b", "a", "b", "b")
			expect(t, "first is full", first.next(2), "a", "a")
			expect(t, "second goes on", second.next(2), "b", "b")
			first.nothing()
			second.nothing()
			first.ack(a...)
			expect(t, "first has room again", first.next(1), "a")
			second.Close()
			first.nothing() // full
			third := n.subscribe(persistent.All, 10)
			var owned []string
			for _, m := range third.next(4) {
				owned = append(owned, fmt.Sprint(string(m.Event.Data), m.Retries))
			}
			// Joining takes half of the buckets in use, so either may have got b.
			if d := cmp.Diff([]string{"b1", "b1", "b1", "b0"}, owned); d != "" {
				t.Errorf("who takes over (-want +got):\n%s", d)
			}
		})
	}
}

// Events without a correlation ID, links that are not resolved and those whose
// target is gone are pinned by the stream the event was written to.
func TestPinnedSource(t *testing.T) {
	t.Parallel()
	for _, resolve := range []bool{false, true} {
		t.Run(strconv.FormatBool(resolve), func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.append("a", 2)
			n.append("b", 2)
			for _, link := range []string{"0@a", "0@b", "1@a", "9@a", "9@b", "nonsense"} {
				n.write("links", eventstore.Event{ID: n.id(), Type: "$>", Binary: true, Data: []byte(link)})
			}
			n.create("links", strategy(persistent.PinnedByCorrelation), settings(func(s *persistent.Settings) { s.ResolveLinks = resolve }), fromEnd)
			first, second := n.subscribe("links", 10), n.subscribe("links", 10)
			for _, link := range []string{"0@a", "0@b", "1@a", "9@a", "9@b"} {
				n.write("links", eventstore.Event{ID: n.id(), Type: "$>", Binary: true, Data: []byte(link)})
			}
			got := func(c *client, count int) (links []string) {
				for _, m := range c.next(count) {
					links = append(links, string(original(m).Data))
				}
				return links
			}
			if d := cmp.Diff([]string{"0@a", "1@a", "9@a"}, got(first, 3)); d != "" {
				t.Errorf("first (-want +got):\n%s", d)
			}
			if d := cmp.Diff([]string{"0@b", "9@b"}, got(second, 2)); d != "" {
				t.Errorf("second (-want +got):\n%s", d)
			}
		})
	}
}
