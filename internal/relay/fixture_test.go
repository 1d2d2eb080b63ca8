package relay_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/bus"
	"konto/internal/relay"
)

// pipeline is a store, a bus and what runs between them.
type pipeline struct {
	t     *testing.T
	store *memory.Store
	bus   *bus.Bus
	log   zerolog.Logger
	group sync.WaitGroup
	mu    sync.Mutex
	next  uint64
	want  []eventstore.ID
	at    eventstore.Position // of the last event
}

func newPipeline(t *testing.T) *pipeline {
	t.Helper()
	p := &pipeline{t: t, store: memory.New(), log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.ErrorLevel)}
	b, err := bus.Start(t.Context(), bus.Config{Dir: t.TempDir(), Log: p.log})
	if err != nil {
		t.Fatal(err)
	}
	p.bus = b
	t.Cleanup(func() {
		p.group.Wait()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// relay runs a relay until the returned function is called.
func (p *pipeline) relay(change ...func(*relay.Relay)) (stop func()) {
	ctx, cancel := context.WithCancel(p.t.Context())
	r := &relay.Relay{Store: p.store, Conn: p.bus.Conn(), Now: time.Now, Rand: rand.New(rand.NewPCG(1, 2)), Log: p.log}
	for _, c := range change {
		c(r)
	}
	done := make(chan struct{})
	p.group.Go(func() {
		defer close(done)
		if err := r.Run(ctx); err != nil {
			p.t.Errorf("Run() = %v, want nil", err)
		}
	})
	stop = func() { cancel(); <-done }
	p.t.Cleanup(stop)
	return stop
}

func (p *pipeline) feed() *relay.Feed {
	return &relay.Feed{Store: p.store, Conn: p.bus.Conn(), Idle: 100 * time.Millisecond, Now: time.Now, Log: p.log}
}

// event makes the next event; its ID tells its number.
func (p *pipeline) event(data string) eventstore.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	e := eventstore.Event{Type: "Counted", Data: []byte(data), Meta: []byte(`{"tenant":"t","name":"Zoë"}`)}
	binary.BigEndian.PutUint64(e.ID[8:], p.next)
	return e
}

func (p *pipeline) append(n int) {
	p.t.Helper()
	for i := range n {
		p.appendTo(fmt.Sprintf("counter-%d", i%7), p.event(fmt.Sprintf(`{"n":%d}`, i)))
	}
}

func (p *pipeline) appendTo(stream string, e eventstore.Event) {
	p.t.Helper()
	a, err := p.store.Append(p.t.Context(), stream, eventstore.Any, e)
	if err != nil {
		p.t.Error(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = a.Position
	if (eventstore.Recorded{Event: e, Stream: stream}).System() {
		return
	}
	p.want = append(p.want, e.ID)
}

func (p *pipeline) end() eventstore.Position {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

// all is what the store holds for readers.
func (p *pipeline) all() []eventstore.Recorded {
	var out []eventstore.Recorded
	for e, err := range p.store.ReadAll(p.t.Context(), eventstore.ReadAll{}) {
		if err != nil {
			p.t.Error(err)
		}
		if !e.System() {
			out = append(out, e)
		}
	}
	return out
}

// read takes from the feed until until says that the last event is out.
func (p *pipeline) read(f *relay.Feed, after eventstore.Position, until func(eventstore.Position) bool) []eventstore.Recorded {
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	var out []eventstore.Recorded
	for batch, err := range f.From(ctx, after) {
		if err != nil {
			p.t.Errorf("feed: %v", err)
			return out
		}
		out = append(out, batch...)
		if len(out) > 0 && until(out[len(out)-1].Position) {
			return out
		}
	}
	p.t.Errorf("feed gave %d of %d events in time", len(out), len(p.want))
	return out
}

func (p *pipeline) readToEnd(f *relay.Feed, after eventstore.Position) []eventstore.Recorded {
	return p.read(f, after, func(at eventstore.Position) bool { return at == p.end() })
}

// held waits until the stream holds n messages.
func (p *pipeline) held(n uint64) jetstream.Stream {
	p.t.Helper()
	js, err := jetstream.New(p.bus.Conn())
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	for {
		s, err := js.Stream(ctx, relay.StreamName)
		if err == nil && s.CachedInfo().State.Msgs == n {
			return s
		}
		if ctx.Err() != nil {
			p.t.Fatalf("stream does not come to hold %d messages: %v, %+v", n, err, s)
		}
	}
}

func (p *pipeline) check(got []eventstore.Recorded) {
	p.t.Helper()
	want := p.all()
	if diff := cmp.Diff(want, got); diff != "" {
		if len(diff) > 2000 {
			diff = diff[:2000]
		}
		p.t.Errorf("feed gave %d events, want %d (-want +got):\n%s", len(got), len(want), diff)
	}
}
