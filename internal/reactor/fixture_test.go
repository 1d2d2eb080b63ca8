package reactor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"konto/domain"
	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/envelope"
	"konto/internal/reactor"
	"konto/internal/relay"
)

// The model: an order that is placed and paid, or reminded of.
type order struct{}

type placed struct {
	Customer string                  `json:"customer"`
	N        int                     `json:"n"`
	Mail     domain.Personal[string] `json:"mail,omitzero"`
}

type paid struct{}

type remind struct {
	N int `json:"n"`
}

func (placed) Evolve(*order)                                            {}
func (paid) Evolve(*order)                                              {}
func (remind) Decide(order, domain.Meta) ([]domain.Event[order], error) { return nil, nil }

var contracts = envelope.Index([]domain.Contract{
	domain.NewAggregate("order", "orders",
		domain.Records[placed]("Placed"), domain.Records[paid]("Paid"), domain.Accepts[remind]("Remind")),
})

type count struct {
	Orders int `json:"orders"`
}

func reactions(after time.Duration) []domain.Reaction {
	return []domain.Reaction{
		domain.Whenever("tell", func(e domain.Recorded[placed]) []domain.Effect {
			return []domain.Effect{domain.Notice{
				To: e.Data.Customer, Address: e.Data.Mail, Without: e.Data.Mail, Channel: domain.Mail, Template: "placed",
				Data: map[string]int{"n": e.Data.N},
			}}
		}),
		domain.Whenever("remind", func(e domain.Recorded[paid]) []domain.Effect {
			return []domain.Effect{domain.Dispatch{To: e.ID, Command: remind{}, After: after}}
		}),
		domain.Process("third", domain.On(func(e domain.Recorded[placed]) string { return e.Data.Customer },
			func(c *count, e domain.Recorded[placed]) []domain.Effect {
				if c.Orders++; c.Orders%3 == 0 {
					return []domain.Effect{domain.Dispatch{To: "third-" + e.ID, Command: remind{N: c.Orders}}}
				}
				return nil
			})),
	}
}

// outside is the world that effects reach. It keeps to effect IDs, as doers must.
type outside struct {
	mu    sync.Mutex
	jobs  []reactor.Job // each ID once, in the order of doing
	seen  map[uuid.UUID]int
	grown chan struct{}
	// fault, if not nil, is asked before and after an effect is carried out.
	fault func(j reactor.Job, done bool) error
}

func newOutside() *outside {
	return &outside{seen: map[uuid.UUID]int{}, grown: make(chan struct{})}
}

func (o *outside) do(_ context.Context, j reactor.Job) error {
	if o.fault != nil {
		if err := o.fault(j, false); err != nil {
			return err
		}
	}
	o.mu.Lock()
	if o.seen[j.ID]++; o.seen[j.ID] == 1 {
		o.jobs = append(o.jobs, j)
	}
	close(o.grown)
	o.grown = make(chan struct{})
	o.mu.Unlock()
	if o.fault != nil {
		return o.fault(j, true)
	}
	return nil
}

// patience is how long nothing may happen: a test fails later than a busy
// machine is slow.
const patience = time.Minute

func (o *outside) wait(t *testing.T, n int) []reactor.Job {
	t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		o.mu.Lock()
		jobs, grown := slices.Clone(o.jobs), o.grown
		o.mu.Unlock()
		if len(jobs) >= n {
			return jobs
		}
		select {
		case <-grown:
			timeout.Reset(patience)
		case <-timeout.C:
			t.Fatalf("nothing happens any more after %d effects, want %d", len(jobs), n)
		}
	}
}

type fixture struct {
	t     *testing.T
	store *memory.Store
	path  string
	out   *outside
	after time.Duration
	n     int
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return &fixture{t: t, store: memory.New(), path: filepath.Join(t.TempDir(), "reactor.db"), out: newOutside()}
}

// Sealing, for the test: the bytes turned around, bound to their place.
func seal(_ context.Context, tenant, stream, eventID, typ string, data []byte) ([]byte, error) {
	data = slices.Clone(data)
	slices.Reverse(data)
	return json.Marshal(map[string][]byte{tenant + stream + eventID + typ: data})
}

func open(_ context.Context, tenant, stream, eventID, typ string, data []byte) ([]byte, error) {
	var m map[string][]byte
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	b, ok := m[tenant+stream+eventID+typ]
	if !ok {
		return nil, errors.New("sealed for another place")
	}
	slices.Reverse(b)
	return b, nil
}

func (f *fixture) reactor() *reactor.Reactor {
	return &reactor.Reactor{
		Path: f.path, Feed: &relay.Feed{Store: f.store, Now: time.Now, Linger: -1, Log: zerolog.Nop()}, Store: f.store,
		Reactions: reactions(f.after), Contracts: contracts, Seal: seal, Open: open,
		Dispatch: f.out.do, Notify: f.out.do, MinBackoff: time.Millisecond, MaxBackoff: 20 * time.Millisecond,
		Now: time.Now, Rand: rand.New(rand.NewPCG(1, 1)), Log: zerolog.Nop(),
	}
}

func (f *fixture) run(r *reactor.Reactor) (stop func()) {
	ctx, cancel := context.WithCancel(f.t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		if err := r.Run(ctx); err != nil {
			f.t.Errorf("Run() = %v, want nil", err)
		}
	})
	stop = func() { cancel(); group.Wait() }
	f.t.Cleanup(stop)
	return stop
}

func (f *fixture) append(stream, typ string, data any) eventstore.ID {
	f.t.Helper()
	b, err := json.Marshal(data)
	if err != nil {
		f.t.Fatal(err)
	}
	id := eventstore.ID(uuid.New())
	_, err = f.store.Append(f.t.Context(), stream, eventstore.Any, eventstore.Event{
		ID: id, Type: typ, Data: b, Meta: []byte(`{"tenant":"t1","$correlationId":"c1"}`),
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

// place appends n orders of a few customers: n notices, and a dispatch for
// each third order of a customer.
func (f *fixture) place(n int) {
	for range n {
		f.append(fmt.Sprintf("order-%d", f.n), "Placed", placed{Customer: fmt.Sprintf("p%d", f.n%5), N: f.n})
		f.n++
	}
}

func (f *fixture) effects() int {
	total := f.n
	for c := range 5 {
		total += ((f.n - c + 4) / 5) / 3
	}
	return total
}

// check tells whether all effects are there, once, and each person's in order.
func (f *fixture) check(jobs []reactor.Job) {
	f.t.Helper()
	if got, want := len(jobs), f.effects(); got != want {
		f.t.Errorf("%d effects, want %d", got, want)
	}
	next, notices, thirds := map[string]int{}, 0, 0
	for _, j := range jobs {
		switch {
		case j.Dispatch != nil:
			var c remind
			if err := json.Unmarshal(j.Dispatch.Data, &c); err != nil || c.N%3 != 0 {
				f.t.Errorf("dispatch of %s (%v), want one for a third order", j.Dispatch.Data, err)
			}
			thirds++
		default:
			var data struct{ N int }
			if err := json.Unmarshal(j.Notice.Data, &data); err != nil {
				f.t.Error(err)
			}
			if last, ok := next[j.Notice.To]; ok && data.N != last+5 {
				f.t.Errorf("%s was told of %d after %d", j.Notice.To, data.N, last)
			}
			next[j.Notice.To] = data.N
			notices++
		}
	}
	if notices != f.n {
		f.t.Errorf("%d notices, want %d", notices, f.n)
	}
}
