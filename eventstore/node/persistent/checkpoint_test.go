package persistent_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/eventstore"
	"konto/eventstore/node/persistent"
)

func every(least, most int, after time.Duration) setting {
	return settings(func(s *persistent.Settings) {
		s.MinCheckpointCount, s.MaxCheckpointCount, s.CheckpointAfter = least, most, after
	})
}

func TestCheckpoint(t *testing.T) {
	t.Parallel()
	type step struct {
		ack  []int
		pass time.Duration
		want string // "" is none
	}
	for _, row := range []struct {
		name  string
		when  setting
		steps []step
	}{
		{"at once with the maximum", every(1, 3, 0), []step{{[]int{0, 1}, 0, ""}, {[]int{2}, 0, "2"}, {[]int{3, 4}, 0, "2"}, {[]int{5}, 0, "5"}}},
		{"never before an unfinished one", every(1, 3, 0), []step{{[]int{0, 2, 3, 4}, 0, "0"}, {[]int{5}, 0, "0"}, {[]int{1}, 0, "5"}}},
		{"not if the first is unfinished", every(1, 3, 0), []step{{[]int{1, 2, 3, 4}, 0, ""}, {[]int{0}, 0, "4"}}},
		{"by the timer with the minimum", every(2, 100, 2*time.Second), []step{
			{[]int{0}, 3 * time.Second, ""}, {[]int{1}, 0, "1"}, {[]int{2, 3}, time.Second, "1"}, {nil, time.Second, "3"},
		}},
		{"never by a timer of 0", every(1, 100, 0), []step{{[]int{0, 1, 2, 3}, time.Hour, ""}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.append("s", 8)
			n.create("s", row.when)
			c := n.subscribe("s", 10)
			m := c.next(8)
			for i, s := range row.steps {
				for _, a := range s.ack {
					c.ack(m[a])
				}
				n.pass(s.pass)
				n.settle(c)
				if got := n.info("s").LastCheckpointed; got != s.want {
					t.Errorf("step %d: checkpoint = %q, want %q", i, got, s.want)
				}
			}
		})
	}
}

func TestCheckpointEvents(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	for _, stream := range []string{"s", persistent.All} {
		n.append("s", 3)
		n.create(stream, every(1, 1, 0))
		c := n.subscribe(stream, 10)
		var want []string
		for _, m := range c.next(3) {
			c.ack(m)
			n.settle(c)
			want = append(want, `"`+map[bool]string{true: m.Event.Position.String(), false: string(m.Event.Data)}[stream == persistent.All]+`"`)
		}
		if d := cmp.Diff(want, n.written(checkpointsOf(stream), 3)); d != "" {
			t.Errorf("%s: all checkpoints (-want +got):\n%s", stream, d)
		}
		seen := n.read(checkpointsOf(stream))
		if len(seen) != 2 || seen[1].Type != "$SubscriptionCheckpoint" || seen[1].Binary {
			t.Errorf("%s: checkpoints that are to be seen = %v, want the last two, as JSON", stream, seen)
		}
		if m, err := n.store.Metadata(t.Context(), checkpointsOf(stream)); err != nil || m.MaxCount != 2 {
			t.Errorf("%s: metadata = %+v, %v, want a maximum of 2", stream, m, err)
		}
	}
}

func TestResume(t *testing.T) {
	t.Parallel()
	for _, stream := range []string{"s", persistent.All} {
		t.Run(stream, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.append("s", 8)
			n.create(stream, every(1, 4, 0), func(d *persistent.Definition) {
				if stream == persistent.All {
					d.Filter = prefixes("s")
				}
			})
			c := n.subscribe(stream, 10)
			m := c.next(8)
			c.ack(m[:4]...)
			n.settle(c)
			c.ack(m[4], m[6]) // not worth a checkpoint
			crashed := n.crash()
			c = crashed.subscribe(stream, 10)
			expect(t, "after a crash: from the checkpoint on", c.next(4), "4", "5", "6", "7")
			n.reopen()
			c = n.subscribe(stream, 10)
			expect(t, "after a restart: from the first unfinished on", c.next(3), "5", "6", "7")
			n.append("s", 1)
			expect(t, "and further", c.next(1), "0")
		})
	}
}

// crash returns a node with what the disk would hold after a power cut.
func (n *node) crash() *node {
	n.tb.Helper()
	other := &node{tb: n.tb, fs: n.fs.CrashClone(crashConfig), tick: make(chan time.Time)}
	other.now.Store(n.now.Load())
	other.ids.Store(1 << 32)
	other.open()
	n.tb.(testing.TB).Cleanup(other.close)
	return other
}

func TestOldCheckpoint(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 4)
	n.write(checkpointsOf("s"), eventstore.Event{ID: n.id(), Type: "$SubscriptionCheckpoint", Data: []byte("1")}) // as older versions wrote it
	n.write("$persistentSubscriptionConfig", eventstore.Event{ID: n.id(), Type: "$PersistentConfig", Data: []byte(`{"version":"2","entries":[{
		"stream":"s","group":"g","startPosition":"0","messageTimeout":30000,"maxRetryCount":10,"liveBufferSize":500,"readBatchSize":20,
		"historyBufferSize":500,"checkPointAfter":2000,"minCheckPointCount":10,"maxCheckPointCount":1000,"namedConsumerStrategy":"RoundRobin"}]}`)})
	n.write(checkpointsOf("s"), eventstore.Event{ID: n.id(), Type: "$SubscriptionCheckpoint", Data: []byte(`"x"`)}) // as nobody writes it
	n.reopen()
	c := n.subscribe("s", 10)
	expect(t, "after it", c.next(2), "2", "3")
}

func TestTombstone(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 2)
	n.create("s", every(1, 1, 0))
	c := n.subscribe("s", 10)
	m := c.next(2)
	if _, err := n.store.Tombstone(t.Context(), "s", eventstore.Any); err != nil {
		t.Fatal(err)
	}
	m = append(m, c.next(1)...)
	if m[2].Event.Type != "$streamDeleted" {
		t.Errorf("third event is a %s, want the tombstone", m[2].Event.Type)
	}
	c.ack(m...)
	n.settle(c)
	n.pass(time.Second)
	c.nothing()
	n.reopen()
	c = n.subscribe("s", 10)
	c.nothing()
}

func TestSourceIsDeletedAndComesBack(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.append("s", 2)
	n.create("s")
	c := n.subscribe("s", 10)
	c.ack(c.next(2)...)
	if _, err := n.store.Delete(t.Context(), "s", eventstore.Any); err != nil {
		t.Fatal(err)
	}
	n.append("s", 1)
	m := c.next(1)
	if m[0].Event.Revision != 2 {
		t.Errorf("next is %s, want 2", m[0].Event.Revision)
	}
}
