package reactor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"konto/domain"
	"konto/internal/reactor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
			Notice: &reactor.NoticeJob{To: "p1", Tenant: "t1", Address: "old@example.test", Without: "old@example.test", Channel: domain.Mail, Template: "placed", Data: []byte(`{"n":7}`)},
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
