package persistent_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"konto/eventstore"
	"konto/eventstore/node/persistent"
)

// breaks lets the disk fail and returns what happens meanwhile, and the node as
// it is after a power cut: with what was written and not synced, or without.
func (n *node) breaks(stored bool, meanwhile func()) *node {
	n.tb.Helper()
	config := vfs.CrashCloneCfg{}
	if stored {
		n.dirty.Store(true)
		config = vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 2))}
	} else {
		n.broken.Store(true)
	}
	meanwhile()
	disk := n.fs.CrashClone(config)
	_ = errors.Join(n.groups.Close(), n.store.Close()) // the disk is broken
	other := &node{tb: n.tb, fs: disk, tick: make(chan time.Time)}
	other.now.Store(n.now.Load())
	other.ids.Store(1 << 32)
	other.open()
	return other
}

func TestFaultWhileDefinitionsChange(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{false, true} {
		t.Run(fmt.Sprint("stored ", stored), func(t *testing.T) {
			t.Parallel()
			n := bareNode(t)
			n.append("s", 3)
			n.create("s")
			c := n.subscribe("s", 10)
			other := n.breaks(stored, func() {
				for what, err := range map[string]error{
					"Create": n.groups.Create(t.Context(), definition("other")),
					"Update": n.groups.Update(t.Context(), definition("s", from(2))),
					"Delete": n.groups.Delete(t.Context(), key("s")),
				} {
					if err == nil {
						t.Errorf("%s with a broken disk = nil", what)
					}
				}
				if _, err := n.groups.Info(t.Context(), key("other")); !errors.Is(err, persistent.ErrNotFound) {
					t.Errorf("Info of a group that could not be made = %v, want ErrNotFound", err)
				}
				expect(t, "the old group goes on", c.next(3), "0", "1", "2")
			})
			defer other.close()
			if i := other.info("s"); i.StartFrom != "0" {
				t.Errorf("the old group starts from %s, want 0", i.StartFrom)
			}
			if _, err := other.groups.Info(t.Context(), key("other")); (err == nil) != stored {
				t.Errorf("Info of the new group = %v, want it if it was stored", err)
			}
		})
	}
}

// What cannot be parked is not finished.
func TestFaultWhileParking(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{false, true} {
		t.Run(fmt.Sprint("stored ", stored), func(t *testing.T) {
			t.Parallel()
			n := bareNode(t)
			n.append("s", 3)
			n.create("s", every(1, 1, time.Second))
			c := n.subscribe("s", 10)
			m := c.next(3)
			other := n.breaks(stored, func() {
				c.nack(persistent.Park, m[0])
				c.ack(m[1:]...)
				n.settle(c)
				n.pass(time.Second) // and again
				n.settle(c)
				if i := n.info("s"); i.Parked != 0 || i.Outstanding != 1 || i.LastCheckpointed != "" {
					t.Errorf("with a broken disk: %d parked, %d outstanding, checkpoint %q, want 0, 1 and none", i.Parked, i.Outstanding, i.LastCheckpointed)
				}
			})
			defer other.close()
			c = other.subscribe("s", 10)
			expect(t, "afterwards", c.next(3), "0", "1", "2")
			c.ack(c.fetched...)
		})
	}
}

func TestFaultWhileTruncating(t *testing.T) {
	t.Parallel()
	n := bareNode(t)
	n.append("s", 2)
	n.create("s")
	c := n.subscribe("s", 10)
	n.park(c, 2)
	other := n.breaks(false, func() {
		if err := n.groups.ReplayParked(t.Context(), key("s"), eventstore.Last); err != nil {
			t.Fatal(err)
		}
		c.ack(c.next(2)...)
		n.settle(c)
	})
	defer other.close()
	if got := other.info("s").Parked; got != 2 {
		t.Errorf("parked afterwards = %d, want 2: that they are done is nowhere", got)
	}
}

// A source that cannot be read drops the consumers.
func TestFaultWhileReading(t *testing.T) {
	t.Parallel()
	n := bareNode(t)
	n.append("s", 1)
	n.create("s")
	c := n.subscribe("s", 10)
	c.next(1)
	if err := n.store.Close(); err != nil {
		t.Fatal(err)
	}
	c.dropped()
	n.pass(time.Second) // it tries again, and fails again
	if err := c.Ack(t.Context(), n.id()); err != nil {
		t.Errorf("Ack of a dropped consumer = %v, want nil: it has nothing", err)
	}
	c.Close()
	if _, err := n.groups.Info(t.Context(), key("s")); err == nil {
		t.Error("Info with a closed store = nil")
	}
	if err := n.groups.Restart(t.Context()); !errors.Is(err, eventstore.ErrClosed) {
		t.Errorf("Restart = %v, want ErrClosed", err)
	}
	if _, err := n.groups.Info(t.Context(), key("s")); !errors.Is(err, persistent.ErrNotReady) {
		t.Errorf("Info after a restart that failed = %v, want ErrNotReady", err)
	}
	if err := n.groups.Close(); err != nil {
		t.Error(err)
	}
}
