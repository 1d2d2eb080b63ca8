package persistent_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"konto/eventstore"
	"konto/eventstore/node/persistent"
)

// TestMachine does anything to a group, in any order, and sees that
//   - every event comes until it is acknowledged, skipped or parked, and what is
//     parked comes when it is replayed,
//   - no two consumers have the same message, and none has more than its slots,
//   - it is said how often a message was tried,
//   - no checkpoint is behind an unfinished event, also after a power cut.
func TestMachine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		defer m.node.close()
		t.Repeat(map[string]func(*rapid.T){
			"":           m.check,
			"append":     m.append,
			"subscribe":  m.subscribe,
			"fetch":      m.fetch,
			"ack":        m.ack,
			"nack":       m.nack,
			"pass":       m.pass,
			"disconnect": m.disconnect,
			"restart":    m.restart,
			"crash":      m.crash,
			"replay":     m.replay,
		})
		m.finish(t)
	})
}

// machine is a group and what must be true of it.
type machine struct {
	node    *node
	def     persistent.Definition
	events  int          // numbered from 0
	done    map[int]bool // acknowledged or skipped at some time
	parked  map[int]bool // parked at some time
	tries   map[string]int
	holders map[string]*fake // of each message
	clients []*fake
	stored  int // events that the last checkpoint covers
}

// fake is a consumer. It holds messages by name.
type fake struct {
	*persistent.Subscription
	slots int
	held  map[string]persistent.Message
	order []string
}

func newMachine(t *rapid.T) *machine {
	m := &machine{
		node: bareNode(t), done: map[int]bool{}, parked: map[int]bool{}, tries: map[string]int{}, holders: map[string]*fake{},
	}
	stream := rapid.SampledFrom([]string{"s", persistent.All}).Draw(t, "source")
	m.def = definition(stream, func(d *persistent.Definition) {
		if stream == persistent.All {
			d.Filter = prefixes("s")
		}
		s := &d.Settings
		s.Strategy = rapid.SampledFrom([]string{
			persistent.RoundRobin, persistent.DispatchToSingle, persistent.Pinned, persistent.PinnedByCorrelation,
		}).Draw(t, "strategy")
		s.MaxRetryCount = rapid.IntRange(0, 3).Draw(t, "retries")
		s.ReadBatchSize = rapid.IntRange(1, 3).Draw(t, "batch")
		s.HistoryBufferSize = s.ReadBatchSize + rapid.IntRange(1, 4).Draw(t, "history")
		s.LiveBufferSize = rapid.IntRange(0, 4).Draw(t, "live")
		s.MinCheckpointCount, s.MaxCheckpointCount = 1, rapid.IntRange(1, 6).Draw(t, "checkpoint")
	})
	if err := m.node.groups.Create(m.node.tb.Context(), m.def); err != nil {
		t.Fatal(err)
	}
	return m
}

// name is of a message: its number, and where it is parked if it was replayed.
func name(m persistent.Message) string {
	if l := m.Event.Link; l != nil {
		return fmt.Sprint("parked ", l.Revision)
	}
	return string(m.Event.Data)
}

func number(t *rapid.T, m persistent.Message) int {
	n, err := strconv.Atoi(string(m.Event.Data))
	if err != nil {
		t.Fatalf("message %+v: %v", m, err)
	}
	return n
}

func (m *machine) append(t *rapid.T) {
	for range rapid.IntRange(1, 5).Draw(t, "count") {
		stream := "s"
		if m.def.Stream == persistent.All {
			stream += strconv.Itoa(rapid.IntRange(0, 3).Draw(t, "stream"))
		}
		meta := fmt.Sprintf(`{"$correlationId":"%d"}`, m.events%3)
		m.node.write(stream, eventstore.Event{ID: m.node.id(), Type: "t", Data: fmt.Append(nil, m.events), Meta: []byte(meta)})
		m.events++
	}
}

func (m *machine) subscribe(t *rapid.T) {
	slots := rapid.IntRange(1, 4).Draw(t, "slots")
	s, err := m.node.groups.Subscribe(m.node.tb.Context(), m.def.Key, persistent.Consumer{Slots: slots})
	if err != nil {
		t.Fatal(err)
	}
	m.clients = append(m.clients, &fake{Subscription: s, slots: slots, held: map[string]persistent.Message{}})
}

func (m *machine) client(t *rapid.T) *fake {
	if len(m.clients) == 0 {
		t.Skip("nobody")
	}
	return rapid.SampledFrom(m.clients).Draw(t, "client")
}

func (m *machine) fetch(t *rapid.T) { m.fetchFor(t, m.client(t)) }

func (m *machine) fetchFor(t *rapid.T, c *fake) int {
	messages, err := c.Fetch(m.node.tb.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range messages {
		n := name(x)
		if other := m.holders[n]; other != nil {
			t.Fatalf("message %s went to two consumers", n)
		}
		if x.Event.Link == nil && number(t, x) < m.stored {
			t.Fatalf("message %s came though the checkpoint covers %d", n, m.stored)
		}
		if x.Retries != m.tries[n] {
			t.Fatalf("message %s came with %d retries, want %d", n, x.Retries, m.tries[n])
		}
		m.holders[n], c.held[n], c.order = c, x, append(c.order, n)
	}
	if len(c.held) > c.slots {
		t.Fatalf("a consumer of %d slots has %d messages", c.slots, len(c.held))
	}
	return len(messages)
}

// some draws messages that a consumer has.
func (m *machine) some(t *rapid.T) (*fake, []string) {
	c := m.client(t)
	if len(c.held) == 0 {
		t.Skip("it has nothing")
	}
	count := rapid.IntRange(1, len(c.order)).Draw(t, "count")
	return c, rapid.Permutation(c.order).Draw(t, "which")[:count]
}

// give takes messages from a consumer and returns their IDs.
func (m *machine) give(c *fake, names []string) (list []eventstore.ID) {
	for _, n := range names {
		list = append(list, original(c.held[n]).ID)
		delete(m.holders, n)
		delete(c.held, n)
	}
	c.order = slices.DeleteFunc(c.order, func(n string) bool { return slices.Contains(names, n) })
	return list
}

func (m *machine) ack(t *rapid.T) {
	c, names := m.some(t)
	for _, n := range names {
		m.done[number(t, c.held[n])] = true
		delete(m.tries, n)
	}
	if err := c.Ack(m.node.tb.Context(), m.give(c, names)...); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) nack(t *rapid.T) {
	c, names := m.some(t)
	action := rapid.SampledFrom([]persistent.Action{
		persistent.Unknown, persistent.Retry, persistent.Park, persistent.Skip, persistent.Stop,
	}).Draw(t, "action")
	for _, n := range names {
		switch action {
		case persistent.Park:
			m.park(t, c.held[n])
		case persistent.Skip, persistent.Stop:
			m.done[number(t, c.held[n])] = true
			delete(m.tries, n)
		default:
			m.again(t, c.held[n])
		}
	}
	if err := c.Nack(m.node.tb.Context(), action, "because", m.give(c, names)...); err != nil {
		t.Fatal(err)
	}
}

// again says that a message failed.
func (m *machine) again(t *rapid.T, x persistent.Message) {
	if m.tries[name(x)] >= m.def.Settings.MaxRetryCount {
		m.park(t, x)
		return
	}
	m.tries[name(x)]++
}

func (m *machine) park(t *rapid.T, x persistent.Message) {
	m.parked[number(t, x)] = true
	delete(m.tries, name(x))
}

// pass lets a tick come, or half a minute go by: then whoever has something has
// had it too long.
func (m *machine) pass(t *rapid.T) {
	m.settle(t)
	if rapid.Bool().Draw(t, "tick only") {
		m.node.pass(0)
		return
	}
	for _, c := range m.clients {
		for _, n := range c.order {
			m.again(t, c.held[n])
		}
		m.give(c, slices.Clone(c.order))
	}
	m.node.pass(30 * time.Second)
}

func (m *machine) disconnect(t *rapid.T) {
	c := m.client(t)
	for _, n := range c.order {
		m.again(t, c.held[n])
	}
	m.give(c, slices.Clone(c.order))
	m.clients = slices.DeleteFunc(m.clients, func(o *fake) bool { return o == c })
	c.Close()
}

func (m *machine) restart(t *rapid.T) {
	m.settle(t)
	if err := m.node.groups.Restart(m.node.tb.Context()); err != nil {
		t.Fatal(err)
	}
	m.lost(t)
}

// crash cuts the power, at any time, also while something is being written.
func (m *machine) crash(t *rapid.T) {
	disk := m.node.fs.CrashClone(crashConfig)
	m.node.close()
	m.node.fs = disk
	m.node.open()
	m.lost(t)
}

// lost says that all consumers are gone, and what the group knew of messages.
func (m *machine) lost(t *rapid.T) {
	for _, c := range m.clients {
		if _, err := c.Fetch(m.node.tb.Context()); err == nil {
			t.Fatal("a consumer survived")
		}
	}
	m.clients, m.holders, m.tries = nil, map[string]*fake{}, map[string]int{}
	m.stored = m.covered(t)
}

func (m *machine) replay(t *rapid.T) {
	m.settle(t)
	stopAt := rapid.SampledFrom([]eventstore.Revision{0, 1, 2, 5, eventstore.Last}).Draw(t, "to")
	if err := m.node.groups.ReplayParked(m.node.tb.Context(), m.def.Key, stopAt); err != nil {
		t.Fatal(err)
	}
}

// covered is the number of events before the checkpoint on disk.
func (m *machine) covered(t *rapid.T) int {
	written := m.node.read(fmt.Sprintf("$persistentsubscription-%s::g-checkpoint", m.def.Stream))
	if len(written) == 0 {
		return 0
	}
	text := strings.Trim(string(written[len(written)-1].Data), `"`)
	if m.def.Stream != persistent.All {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n + 1
	}
	p, err := eventstore.ParsePosition(text)
	if err != nil {
		t.Fatal(err)
	}
	covered := 0
	for r, err := range m.node.store.ReadAll(m.node.tb.Context(), eventstore.ReadAll{}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Stream[0] == 's' && r.Position.Compare(p) <= 0 {
			covered++
		}
	}
	return covered
}

func (m *machine) check(t *rapid.T) {
	for i := range m.covered(t) {
		if !m.done[i] && !m.parked[i] {
			t.Fatalf("the checkpoint covers event %d, which is not finished", i)
		}
	}
	info, err := m.node.groups.Info(m.node.tb.Context(), m.def.Key)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range info.Connections {
		if c.InFlight > c.Slots || c.AvailableSlots != c.Slots-c.InFlight {
			t.Fatalf("a consumer of %d slots has %d messages and room for %d", c.Slots, c.InFlight, c.AvailableSlots)
		}
	}
	if most := m.def.Settings.HistoryBufferSize; info.ReadBuffer > most || info.LiveBuffer > m.def.Settings.LiveBufferSize+m.def.Settings.ReadBatchSize {
		t.Fatalf("%d and %d events wait, at most %d and %d may", info.ReadBuffer, info.LiveBuffer, most, m.def.Settings.LiveBufferSize)
	}
}

// settle returns when nothing happens any more by itself.
func (m *machine) settle(t *rapid.T) {
	if len(m.clients) > 0 {
		m.node.settle(&client{node: m.node, Subscription: m.clients[0].Subscription})
	}
}

// finish acknowledges everything there is, and sees that that is everything.
func (m *machine) finish(t *rapid.T) {
	m.subscribe(t)
	for quiet := 0; quiet < 2; {
		m.settle(t)
		got := 0
		for _, c := range m.clients {
			got += m.fetchFor(t, c)
			for _, n := range c.order {
				m.done[number(t, c.held[n])] = true
				delete(m.tries, n)
			}
			if err := c.Ack(m.node.tb.Context(), m.give(c, slices.Clone(c.order))...); err != nil {
				t.Fatal(err)
			}
		}
		if got > 0 {
			quiet = 0
			continue
		}
		quiet++
		if err := m.node.groups.ReplayParked(m.node.tb.Context(), m.def.Key, eventstore.Last); err != nil {
			t.Fatal(err)
		}
	}
	for i := range m.events {
		if !m.done[i] {
			t.Fatalf("event %d was never acknowledged; parked: %v", i, m.parked[i])
		}
	}
	m.node.pass(2 * time.Second)
	m.settle(t)
	if left := m.node.read(fmt.Sprintf("$persistentsubscription-%s::g-parked", m.def.Stream)); len(left) > 0 {
		t.Fatalf("%d messages are parked at the end", len(left))
	}
	if m.events > 0 && len(m.done) == m.events && m.covered(t) != m.events {
		t.Fatalf("at the end the checkpoint covers %d of %d events", m.covered(t), m.events)
	}
	m.check(t)
}
