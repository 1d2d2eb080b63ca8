package relay_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/relay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEventsSurviveTheBus(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.append(3)
	p.appendTo("$settings", p.event(`{}`))
	odd := p.event("\x00\xff")
	odd.Type, odd.Binary, odd.Meta = "Odd.v2 with * and >", true, nil
	p.appendTo("no dash, übel", odd)
	control := p.event(`{}`)
	control.Meta = []byte("{\n \"tenant\": \"t\"\r\n}\n")
	p.appendTo("counter-control", control)
	p.appendTo("-", p.event(``))
	p.appendTo("counter-last", p.event(`{}`))
	p.relay()
	p.held(7)
	// A reader that starts at the end of the store gets all over the bus.
	got := make(chan []eventstore.Recorded)
	after := p.end()
	began := make(chan struct{})
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var out []eventstore.Recorded
		for batch, err := range p.feed().From(ctx, after) {
			if err != nil {
				t.Error(err)
			}
			if batch == nil {
				close(began)
			}
			if out = append(out, batch...); len(out) == 4 {
				break
			}
		}
		got <- out
	}()
	<-began
	for _, e := range []eventstore.Event{odd, control} {
		e.ID = p.event("").ID
		p.appendTo("late, übel", e)
	}
	p.append(2)
	if diff := cmp.Diff(p.all()[7:], <-got); diff != "" {
		t.Errorf("over the bus (-want +got):\n%s", diff)
	}
	p.check(p.readToEnd(p.feed(), eventstore.Position{}))
}

func TestLargeEventsTravelByReference(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.relay(func(r *relay.Relay) { r.MaxPayload = 4 << 10 })
	p.append(2)
	big := p.event(string(make([]byte, 64<<10)))
	p.appendTo("counter-big", big)
	p.append(2)
	s := p.held(5)
	m, err := s.GetMsg(t.Context(), 3)
	if err != nil || len(m.Data) != 0 || m.Header.Get(relay.HeaderReference) == "" {
		t.Errorf("message of the large event: %v bytes, %v, %v, want a reference", len(m.Data), m.Header, err)
	}
	p.check(p.readToEnd(p.feed(), eventstore.Position{}))
}

// spoil is something that can happen to the bus.
type spoil struct {
	name string
	do   func(*testing.T, *pipeline, jetstream.JetStream)
}

func spoils() []spoil {
	return []spoil{
		{"stream deleted", func(t *testing.T, _ *pipeline, js jetstream.JetStream) {
			t.Helper()
			if err := js.DeleteStream(t.Context(), relay.StreamName); err != nil {
				t.Log(err)
			}
		}},
		{"tail dropped", func(t *testing.T, _ *pipeline, js jetstream.JetStream) {
			t.Helper()
			s, err := js.Stream(t.Context(), relay.StreamName)
			if err != nil {
				t.Log(err)
				return
			}
			last := s.CachedInfo().State.LastSeq
			for i := range uint64(3) {
				_ = s.DeleteMsg(t.Context(), last-i)
			}
		}},
		{"stream purged", func(t *testing.T, _ *pipeline, js jetstream.JetStream) {
			t.Helper()
			if s, err := js.Stream(t.Context(), relay.StreamName); err == nil {
				_ = s.Purge(t.Context())
			}
		}},
		{"server restarted", func(t *testing.T, p *pipeline, _ jetstream.JetStream) {
			t.Helper()
			if err := p.bus.Restart(t.Context(), false); err != nil {
				t.Error(err)
			}
		}},
		{"directory wiped", func(t *testing.T, p *pipeline, _ jetstream.JetStream) {
			t.Helper()
			if err := p.bus.Restart(t.Context(), true); err != nil {
				t.Error(err)
			}
		}},
		{"foreign message", func(t *testing.T, _ *pipeline, js jetstream.JetStream) {
			t.Helper()
			_, _ = js.Publish(t.Context(), "konto.events.x.Y", []byte("noise"))
		}},
	}
}

// The stream is spoilt while events come; the reader sees each once.
func TestFeedSurvives(t *testing.T) {
	t.Parallel()
	for _, r := range spoils() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			p := newPipeline(t)
			js, err := jetstream.New(p.bus.Conn())
			if err != nil {
				t.Fatal(err)
			}
			p.relay()
			p.append(100)
			p.held(100)
			const more = 4
			written := make(chan struct{})
			go func() {
				defer close(written)
				for range more {
					r.do(t, p, js)
					p.append(500)
				}
			}()
			got := p.read(p.feed(), eventstore.Position{}, func(at eventstore.Position) bool {
				select {
				case <-written:
					return at == p.end()
				default:
					return false
				}
			})
			<-written
			p.check(got)
		})
	}
}

// The stream comes to hold everything again, once, whatever it lost.
func TestRelayRefills(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.append(1000)
	stop := p.relay()
	s := p.held(1000)
	stop()
	for i := range uint64(10) {
		if err := s.DeleteMsg(t.Context(), 1000-i); err != nil {
			t.Fatal(err)
		}
	}
	p.held(990)
	stop = p.relay()
	p.held(1000)
	stop()
	if err := p.bus.Restart(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	p.relay()
	p.held(1000)
}

// A stream that is another store's copy is thrown away.
func TestStoreReplaced(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.append(20)
	stop := p.relay()
	p.held(20)
	stop()
	p.store = memory.New()
	for range 5 {
		e := p.event(`{}`)
		e.ID[0] = 1
		p.appendTo("counter-new", e)
	}
	stop = p.relay()
	p.held(5)
	p.check(p.readToEnd(p.feed(), eventstore.Position{}))
	stop()
	p.store = memory.New()
	for range 30 { // longer than the old one
		e := p.event(`{}`)
		e.ID[0] = 2
		p.appendTo("counter-newer", e)
	}
	p.relay()
	p.held(30)
	p.check(p.readToEnd(p.feed(), eventstore.Position{}))
}

// Several relays, stopped and started at random, publish each event once.
func TestRelaysRace(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	random := rand.New(rand.NewPCG(7, 7))
	written := make(chan struct{})
	go func() {
		defer close(written)
		for range 20 {
			p.append(100)
		}
	}()
	for range 12 {
		stop := p.relay(func(r *relay.Relay) { r.Rand = rand.New(rand.NewPCG(random.Uint64(), 1)) })
		stop2 := p.relay(func(r *relay.Relay) { r.Rand = rand.New(rand.NewPCG(random.Uint64(), 2)) })
		p.append(random.IntN(100))
		stop()
		p.append(random.IntN(10))
		stop2()
	}
	<-written
	p.relay()
	p.relay()
	s := p.held(uint64(len(p.all())))
	for i, e := range p.all() {
		m, err := s.GetMsg(t.Context(), uint64(i+1))
		if err != nil || m.Header.Get(relay.HeaderPosition) != e.Position.String() {
			t.Fatalf("message %d is at %s (%v), want %s", i+1, m.Header.Get(relay.HeaderPosition), err, e.Position)
		}
	}
}

// While the stream repeats what is known, what is new comes from the store.
func TestRefillDelaysNothing(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.append(10)
	stop := p.relay()
	last, err := p.held(10).GetMsg(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	last.Header.Del(jetstream.ExpectedLastSeqHeader)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	repeated := make(chan struct{}, 10_000)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	group.Go(func() {
		for tick := time.NewTicker(5 * time.Millisecond); ctx.Err() == nil; <-tick.C {
			last.Header.Set(jetstream.MsgIDHeader, uuid.NewString())
			_ = p.bus.Conn().PublishMsg(&nats.Msg{Subject: last.Subject, Header: last.Header, Data: last.Data})
			repeated <- struct{}{}
		}
	})
	var got []eventstore.Recorded
	for batch, err := range p.feed().From(ctx, eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		if batch == nil {
			group.Go(func() {
				for range 20 { // it is live by then
					<-repeated
				}
				p.append(1)
			})
		}
		if got = append(got, batch...); len(got) == 11 {
			break
		}
	}
	p.check(got)
}

func TestFeedWithoutBus(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.append(2500)
	f := p.feed()
	f.Conn = nil
	written := make(chan struct{})
	go func() {
		defer close(written)
		p.append(100)
	}()
	got := p.read(f, eventstore.Position{}, func(at eventstore.Position) bool {
		<-written
		return at == p.end()
	})
	p.check(got)
}
