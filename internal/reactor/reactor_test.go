package reactor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"konto/domain"
	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/envelope"
	"konto/internal/reactor"
	"konto/internal/relay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
				To: e.Data.Customer, Address: e.Data.Mail, Channel: domain.Mail, Template: "placed",
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

func (o *outside) wait(t *testing.T, n int) []reactor.Job {
	t.Helper()
	timeout := time.NewTimer(20 * time.Second)
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
		case <-timeout.C:
			t.Fatalf("%d effects were carried out in time, want %d", len(jobs), n)
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

func TestEffects(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.append("stranger-1", "Whatever", nil)
	id := f.append("order-1", "Placed", placed{Customer: "p1", N: 7, Mail: domain.About("p1", "old@example.test")})
	f.append("order-1", "Paid", paid{})
	r := f.reactor()
	f.run(r)
	jobs := f.out.wait(t, 2)
	slices.SortFunc(jobs, func(a, b reactor.Job) int { return bytes.Compare([]byte(a.Reaction), []byte(b.Reaction)) })
	for i := range jobs {
		if jobs[i].At.IsZero() || jobs[i].ID == uuid.Nil {
			t.Errorf("job %+v has no time or ID", jobs[i])
		}
		jobs[i].At, jobs[i].ID = time.Time{}, uuid.Nil
	}
	want := []reactor.Job{
		{
			Tenant: "t1", Correlation: "c1", Causation: jobs[0].Causation, Reaction: "remind", Attempt: 1,
			Dispatch: &reactor.DispatchJob{Category: "order", To: "1", Command: "Remind", Data: []byte(`{"n":0}`)},
		},
		{
			Tenant: "t1", Correlation: "c1", Causation: uuid.UUID(id).String(), Reaction: "tell", Attempt: 1,
			Notice: &reactor.NoticeJob{To: "p1", Tenant: "t1", Address: "old@example.test", Channel: domain.Mail, Template: "placed", Data: []byte(`{"n":7}`)},
		},
	}
	if diff := cmp.Diff(want, jobs); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
}

// The reactor is stopped at random points; effects fail before and after they
// were carried out; the file is lost once. Each ID is carried out once.
func TestCrashes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(3, 4))
	chance := func(percent int) bool {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(100) < percent
	}
	f.out.fault = func(reactor.Job, bool) error {
		if chance(10) {
			return errors.New("broken pipe")
		}
		return nil
	}
	for i := range 12 {
		r := f.reactor()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		stopped := chance(50)
		if stopped { // right after a batch was stored
			r.Metrics.Reacted = func(int, int, time.Duration) { cancel() }
		}
		r.Seal = func(ctx context.Context, tenant, stream, id, typ string, b []byte) ([]byte, error) {
			if chance(2) { // before a batch is stored
				return nil, errors.New("no key now")
			}
			return seal(ctx, tenant, stream, id, typ, b)
		}
		go func() { done <- r.Run(ctx) }()
		f.place(25)
		if !stopped {
			f.out.wait(t, 10*i) // anywhere in the middle
			cancel()
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	stop := f.run(f.reactor())
	f.check(f.out.wait(t, f.effects()))
	stop()
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	f.out.fault = nil
	f.place(10)
	r := f.reactor()
	f.run(r)
	f.check(f.out.wait(t, f.effects()))
	f.idle(r)
	f.check(f.out.wait(t, f.effects()))
}

// idle waits until nothing is left to do.
func (f *fixture) idle(r *reactor.Reactor) reactor.Status {
	f.t.Helper()
	for {
		s, err := r.Status(f.t.Context())
		if err == nil && s.LagEvents == 0 && s.Waiting == 0 {
			return s
		}
		if err != nil && !errors.Is(err, reactor.ErrNotRunning) {
			f.t.Fatal(err)
		}
	}
}

func TestDelayAcrossRestarts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.after = time.Hour
	var mu sync.Mutex
	now := time.Now()
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	r := f.reactor()
	r.Now = clock
	stop := f.run(r)
	f.append("order-1", "Paid", paid{})
	for s := f.idle(r); s.Scheduled != 1; s = f.idle(r) {
	}
	f.place(1) // nobody waits for what is delayed
	f.out.wait(t, 1)
	stop()
	mu.Lock()
	now = now.Add(time.Hour + time.Minute)
	mu.Unlock()
	r = f.reactor()
	r.Now = clock
	f.run(r)
	if jobs := f.out.wait(t, 2); jobs[1].Reaction != "remind" {
		t.Errorf("the delayed effect was %+v, want the reminder", jobs[1])
	}
}

func TestFailedEffects(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.out.fault = func(j reactor.Job, done bool) error {
		switch {
		case j.Notice == nil || done:
			return nil
		case j.Notice.To == "p1" && j.Attempt < 4: // comes right; those behind wait
			return errors.New("mailbox busy")
		case j.Notice.To == "p2":
			return fmt.Errorf("send: %w", reactor.Permanent("no-address", errors.New("nobody there")))
		case j.Notice.To == "p3" && j.Attempt == 1:
			panic("a mistake")
		}
		return nil
	}
	var mu sync.Mutex
	outcomes := map[string]int{}
	r := f.reactor()
	r.Metrics.Attempted = func(kind, outcome string, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		outcomes[kind+" "+outcome]++
	}
	f.run(r)
	f.place(30)
	f.append("order-x", "Placed", json.RawMessage(`{"customer":"p9","mail":{"$erased":{"subject":"p9"}}}`))
	jobs := f.out.wait(t, 30-6+10)
	s := f.idle(r)
	if s.Dead != 7 { // p2's and the one whose address is erased
		t.Errorf("%d effects are dead, want 7", s.Dead)
	}
	last := map[string]int{}
	for _, j := range jobs {
		if j.Notice == nil {
			continue
		}
		var data struct{ N int }
		if err := json.Unmarshal(j.Notice.Data, &data); err != nil {
			t.Fatal(err)
		}
		if n, ok := last[j.Notice.To]; ok && data.N <= n {
			t.Errorf("%s was told of %d after %d", j.Notice.To, data.N, n)
		}
		last[j.Notice.To] = data.N
	}
	mu.Lock()
	defer mu.Unlock()
	want := map[string]int{"dispatch done": 10, "notice done": 24, "notice dead": 7, "notice retry": 6*3 + 6}
	if diff := cmp.Diff(want, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

func TestStandsStillAtUnknownType(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := f.reactor()
	f.run(r)
	f.place(1)
	f.out.wait(t, 1)
	f.append("order-1", "Cancelled", nil)
	f.place(1)
	for {
		s, err := r.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Problem != "" {
			if s.LagEvents != 2 {
				t.Errorf("lag %d, want 2", s.LagEvents)
			}
			return
		}
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := f.reactor()
	if _, err := r.Preview(t.Context(), nil); !errors.Is(err, reactor.ErrNotRunning) {
		t.Errorf("Preview before Run = %v, want %v", err, reactor.ErrNotRunning)
	}
	f.run(r)
	f.append("order-1", "Placed", placed{Customer: "p1"})
	f.append("order-2", "Placed", placed{Customer: "p1"})
	f.out.wait(t, 2)
	f.idle(r)
	event := domain.Recorded[any]{Data: placed{Customer: "p1", N: 3}, ID: "3"}
	for range 2 { // a preview changes nothing
		got, err := r.Preview(t.Context(), []domain.Recorded[any]{event})
		if err != nil {
			t.Fatal(err)
		}
		want := []domain.Effect{
			domain.Notice{To: "p1", Channel: domain.Mail, Template: "placed", Data: map[string]int{"n": 3}},
			domain.Dispatch{To: "third-3", Command: remind{N: 3}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Preview() (-want +got):\n%s", diff)
		}
	}
}

// What waits in the file is sealed.
func TestNothingPersonalInTheFile(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.out.fault = func(reactor.Job, bool) error { return errors.New("down") }
	r := f.reactor()
	failed := make(chan struct{}, 100)
	r.Metrics.Attempted = func(string, string, time.Duration) { failed <- struct{}{} }
	stop := f.run(r)
	f.append("order-1", "Placed", placed{Customer: "p1", Mail: domain.About("p1", "secret@example.test")})
	<-failed
	stop()
	for _, name := range []string{f.path, f.path + "-wal"} {
		b, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("secret@example.test")) {
			t.Errorf("%s holds the address in clear", name)
		}
	}
}
