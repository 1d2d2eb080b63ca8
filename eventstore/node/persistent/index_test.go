package persistent_test

import (
	"strconv"
	"testing"

	"konto/eventstore"
	"konto/eventstore/node/persistent"
)

// A group can read an index, which holds links that nobody has written.
func TestIndexAsSource(t *testing.T) {
	t.Parallel()
	for _, resolve := range []bool{false, true} {
		t.Run(strconv.FormatBool(resolve), func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.append("card-1", 2)
			n.append("other-1", 1)
			n.append("card-2", 1)
			n.create("$ce-card", every(1, 1, 0), strategy(persistent.Pinned), settings(func(s *persistent.Settings) { s.ResolveLinks = resolve }))
			c := n.subscribe("$ce-card", 10)
			want := []string{"0@card-1", "1@card-1", "0@card-2"}
			if resolve {
				want = []string{"0", "1", "0"}
			}
			m := c.next(3)
			expect(t, "the index", m, want...)
			n.append("card-3", 1)
			m = append(m, c.next(1)...)
			c.ack(m[0], m[1], m[3])
			c.nack(persistent.Park, m[2])
			n.settle(c)
			if i := n.info("$ce-card"); i.LastCheckpointed != "3" || i.LastKnown != "3" || i.Parked != 1 {
				t.Errorf("checkpoint %q of %q, %d parked, want 3 of 3 and 1", i.LastCheckpointed, i.LastKnown, i.Parked)
			}
			if err := n.groups.ReplayParked(t.Context(), key("$ce-card"), eventstore.Last); err != nil {
				t.Fatal(err)
			}
			expect(t, "replayed", c.next(1), want[2])
			n.reopen()
			c = n.subscribe("$ce-card", 10)
			c.nothing()
			n.append("card-4", 1)
			c.next(1)
		})
	}
}
