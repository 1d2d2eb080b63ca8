package persistent_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"konto/eventstore"
	"konto/eventstore/node/engine"
	"konto/eventstore/node/persistent"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a store with its groups, and a clock that stands still.
type node struct {
	tb     failing
	fs     *vfs.MemFS
	store  *engine.Store
	groups *persistent.Groups
	now    atomic.Int64 // nanoseconds since 1970
	ids    atomic.Uint64
	tick   chan time.Time
	broken atomic.Bool // the disk takes no more writes
	dirty  atomic.Bool // it takes them, but does not sync them
}

// failing is what a node needs of a test; a property of rapid's has it, too.
type failing interface {
	Helper()
	Context() context.Context
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Log(args ...any)
	Logf(format string, args ...any)
}

func newNode(tb testing.TB) *node {
	tb.Helper()
	n := bareNode(tb)
	tb.Cleanup(n.close)
	return n
}

// bareNode returns a node that the caller must close.
func bareNode(tb failing) *node {
	tb.Helper()
	n := &node{tb: tb, fs: vfs.NewCrashableMem(), tick: make(chan time.Time)}
	n.now.Store(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).UnixNano())
	n.open()
	return n
}

func (n *node) open() {
	n.tb.Helper()
	var err error
	disk := errorfs.Wrap(n.fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		sync := op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
		write := op.Kind.ReadOrWrite() == errorfs.OpIsWrite && op.Kind != errorfs.OpFileClose
		if n.broken.Load() && write || n.dirty.Load() && sync {
			return syscall.EIO
		}
		return nil
	}))
	n.store, err = engine.Open("store", engine.Config{FS: disk, Now: n.clock, Indexes: true, MemTableBytes: 1 << 20, CacheBytes: 1 << 20})
	if err != nil {
		n.tb.Fatal(err)
	}
	n.openGroups()
}

func (n *node) openGroups() {
	n.tb.Helper()
	var err error
	n.groups, err = persistent.Open(n.tb.Context(), persistent.Config{
		Store: n.store, Now: n.clock, NewID: n.id, Tick: n.tick, Log: zerolog.New(zerolog.NewTestWriter(n.tb)).Level(zerolog.WarnLevel),
	})
	if err != nil {
		n.tb.Fatal(err)
	}
}

func (n *node) close() {
	if err := errors.Join(n.groups.Close(), n.store.Close()); err != nil {
		n.tb.Error(err)
	}
}

// reopen ends the process in good order and starts it again.
func (n *node) reopen() {
	n.tb.Helper()
	n.close()
	n.open()
}

func (n *node) clock() time.Time { return time.Unix(0, n.now.Load()).UTC() }

func (n *node) id() (id eventstore.ID) {
	binary.BigEndian.PutUint64(id[8:], n.ids.Add(1))
	return id
}

// pass lets time go by and returns when every group has seen it.
func (n *node) pass(d time.Duration) {
	n.tb.Helper()
	n.now.Add(int64(d))
	for range 2 { // the second one is taken when the first has been dealt with
		select {
		case n.tick <- n.clock():
		case <-n.tb.Context().Done():
			n.tb.Fatal("nobody ticks")
		}
	}
}

// append adds events whose data are 0, 1, 2...
func (n *node) append(stream string, count int) []eventstore.Event {
	n.tb.Helper()
	events := make([]eventstore.Event, count)
	for i := range events {
		events[i] = eventstore.Event{ID: n.id(), Type: "happened", Data: []byte(strconv.Itoa(i))}
	}
	n.write(stream, events...)
	return events
}

func (n *node) write(stream string, events ...eventstore.Event) eventstore.Appended {
	n.tb.Helper()
	a, err := n.store.Append(n.tb.Context(), stream, eventstore.Any, events...)
	if err != nil {
		n.tb.Fatal(err)
	}
	return a
}

func key(stream string) persistent.Key { return persistent.Key{Stream: stream, Group: "g"} }

type setting func(*persistent.Definition)

func from(r eventstore.Revision) setting {
	return func(d *persistent.Definition) { d.Start = persistent.Start{Revision: r} }
}

func fromEnd(d *persistent.Definition) { d.Start = persistent.Start{End: true} }

func settings(f func(*persistent.Settings)) setting {
	return func(d *persistent.Definition) { f(&d.Settings) }
}

func strategy(name string) setting {
	return settings(func(s *persistent.Settings) { s.Strategy = name })
}

func definition(stream string, o ...setting) persistent.Definition {
	d := persistent.Definition{Key: key(stream), Settings: persistent.DefaultSettings()}
	for _, f := range o {
		f(&d)
	}
	return d
}

// create makes the group g of a stream, from its first event on.
func (n *node) create(stream string, o ...setting) {
	n.tb.Helper()
	if err := n.groups.Create(n.tb.Context(), definition(stream, o...)); err != nil {
		n.tb.Fatalf("Create: %v", err)
	}
}

// client is a consumer that remembers what it was given.
type client struct {
	node *node
	*persistent.Subscription
	fetched []persistent.Message
}

func (n *node) subscribe(stream string, slots int) *client {
	n.tb.Helper()
	s, err := n.groups.Subscribe(n.tb.Context(), key(stream), persistent.Consumer{Slots: slots, From: "127.0.0.1:1", ConnectionName: "c" + strconv.Itoa(slots)})
	if err != nil {
		n.tb.Fatalf("Subscribe: %v", err)
	}
	return &client{node: n, Subscription: s}
}

// next returns the next count messages.
func (c *client) next(count int) []persistent.Message {
	c.node.tb.Helper()
	ctx, cancel := context.WithTimeout(c.node.tb.Context(), 10*time.Second)
	defer cancel()
	for len(c.fetched) < count {
		more, err := c.Next(ctx)
		if err != nil {
			c.node.tb.Fatalf("Next: %v, with %d of %d messages: %v", err, len(c.fetched), count, numbers(c.fetched))
		}
		c.fetched = append(c.fetched, more...)
	}
	got := c.fetched[:count:count]
	c.fetched = c.fetched[count:]
	return got
}

// nothing fails the test if there is anything for the client.
func (c *client) nothing() {
	c.node.tb.Helper()
	c.node.settle(c)
	ctx, cancel := context.WithCancel(c.node.tb.Context())
	cancel()
	for range 8 { // a select of two that are ready takes either
		got, err := c.Next(ctx)
		if c.fetched = append(c.fetched, got...); len(c.fetched) > 0 {
			c.node.tb.Fatalf("Next = %v, want nothing", numbers(c.fetched))
		}
		if !errors.Is(err, context.Canceled) {
			c.node.tb.Fatalf("Next: %v", err)
		}
	}
}

// settle returns when the client's group has nothing to read and nothing to write.
func (n *node) settle(c *client) {
	n.tb.Helper()
	for {
		busy, err := c.Busy(n.tb.Context())
		if err != nil {
			n.tb.Fatal(err)
		}
		if !busy {
			return
		}
	}
}

func (c *client) ack(messages ...persistent.Message) {
	c.node.tb.Helper()
	if err := c.Ack(c.node.tb.Context(), ids(messages)...); err != nil {
		c.node.tb.Fatalf("Ack: %v", err)
	}
}

func (c *client) nack(a persistent.Action, messages ...persistent.Message) {
	c.node.tb.Helper()
	if err := c.Nack(c.node.tb.Context(), a, "a reason", ids(messages)...); err != nil {
		c.node.tb.Fatalf("Nack: %v", err)
	}
}

// dropped waits until the subscription ends.
func (c *client) dropped() {
	c.node.tb.Helper()
	for {
		if _, err := c.Next(c.node.tb.Context()); errors.Is(err, persistent.ErrDropped) {
			return
		} else if err != nil {
			c.node.tb.Fatalf("Next: %v, want ErrDropped", err)
		}
	}
}

func original(m persistent.Message) eventstore.Recorded {
	if m.Event.Link != nil {
		return *m.Event.Link
	}
	return m.Event
}

func ids(messages []persistent.Message) []eventstore.ID {
	all := make([]eventstore.ID, len(messages))
	for i, m := range messages {
		all[i] = original(m).ID
	}
	return all
}

// numbers are the messages as text: "stream/data", with "+" for each retry.
func numbers(messages []persistent.Message) []string {
	all := make([]string, len(messages))
	for i, m := range messages {
		all[i] = string(m.Event.Data)
		for range m.Retries {
			all[i] += "+"
		}
	}
	return all
}

func expect(tb testing.TB, what string, got []persistent.Message, want ...string) {
	tb.Helper()
	if d := cmp.Diff(want, numbers(got)); d != "" {
		tb.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

func sequence(from, to int) []string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, strconv.Itoa(i))
	}
	return all
}

// read returns what is to be seen of a stream.
func (n *node) read(stream string) []eventstore.Recorded {
	n.tb.Helper()
	var all []eventstore.Recorded
	for r, err := range n.store.Read(n.tb.Context(), stream, eventstore.ReadStream{}) {
		if errors.Is(err, eventstore.ErrStreamNotFound) {
			return nil
		} else if err != nil {
			n.tb.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// written waits until a stream has so many events, hidden ones included, and
// returns their data.
func (n *node) written(stream string, count int) []string {
	n.tb.Helper()
	ctx, cancel := context.WithTimeout(n.tb.Context(), 10*time.Second)
	defer cancel()
	var data []string
	for step, err := range n.store.Follow(ctx, engine.Follow{}) {
		if err != nil {
			n.tb.Fatalf("%s has %d events, want %d: %v", stream, len(data), count, err)
		}
		for _, e := range step.Events {
			if e.Stream == stream {
				data = append(data, string(e.Data))
			}
		}
		if len(data) >= count {
			break
		}
	}
	return data
}

func (n *node) info(stream string) persistent.Info {
	n.tb.Helper()
	i, err := n.groups.Info(n.tb.Context(), key(stream))
	if err != nil {
		n.tb.Fatalf("Info: %v", err)
	}
	return i
}

const (
	checkpoints = "$persistentsubscription-%s::g-checkpoint"
	parkedNames = "$persistentsubscription-%s::g-parked"
)

func checkpointsOf(stream string) string { return fmt.Sprintf(checkpoints, stream) }
func parkedOf(stream string) string      { return fmt.Sprintf(parkedNames, stream) }

// crashConfig loses everything that was not synced.
var crashConfig vfs.CrashCloneCfg
