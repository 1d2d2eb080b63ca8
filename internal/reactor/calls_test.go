package reactor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"konto/domain"
	"konto/internal/reactor"
)

// A line of calls waits for its own system, however long it is; other lines and
// other effects do not. Within a line calls are made one after the other.
func TestCallsHoldNobodyBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := f.reactor()
	r.Reactions = []domain.Reaction{
		domain.Whenever("call", func(e domain.Recorded[placed]) []domain.Effect {
			return []domain.Effect{
				domain.Dispatch{To: e.ID, Command: remind{N: e.Data.N}, Line: e.Data.Customer},
				domain.Notice{To: e.Data.Customer, Channel: domain.Mail, Template: "placed", Data: map[string]int{"n": e.Data.N}},
			}
		}),
	}
	const slow, each = "p0", 700 // more of a line than the reactor has in memory
	released := make(chan struct{})
	var mu sync.Mutex
	running, last, most := map[string]int{}, map[string]int{}, 0
	r.Dispatch = func(ctx context.Context, j reactor.Job) error {
		var c remind
		if err := json.Unmarshal(j.Dispatch.Data, &c); err != nil {
			return err
		}
		line := fmt.Sprintf("p%d", c.N%5)
		mu.Lock()
		running[line]++
		most = max(most, running[line])
		if last[line] > c.N {
			t.Errorf("%s: call %d came after %d", line, c.N, last[line])
		}
		last[line] = c.N
		mu.Unlock()
		if line == slow {
			select {
			case <-released:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		err := f.out.do(ctx, j)
		mu.Lock()
		running[line]--
		mu.Unlock()
		return err
	}
	for range each {
		f.append(fmt.Sprintf("order-slow-%d", f.n), "Placed", placed{Customer: slow, N: 5 * f.n})
		f.n++
	}
	for n := range 20 {
		customer := fmt.Sprintf("p%d", 1+n%4)
		f.append(fmt.Sprintf("order-quick-%d", n), "Placed", placed{Customer: customer, N: 5*n + 1 + n%4})
	}
	f.run(r)
	f.out.wait(t, each+20+20) // all notices, and the calls of the quick lines
	close(released)
	f.out.wait(t, 2*(each+20))
	if most != 1 {
		t.Errorf("%d calls of one line at once, want 1", most)
	}
}

// A call that fails is made again before the next of its line.
func TestCallsAreRetriedInOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := f.reactor()
	r.Reactions = []domain.Reaction{
		domain.Whenever("call", func(e domain.Recorded[placed]) []domain.Effect {
			return []domain.Effect{domain.Dispatch{To: e.ID, Tenant: "t2", Command: remind{N: e.Data.N}, Line: "x"}}
		}),
	}
	var mu sync.Mutex
	failures := 3
	r.Dispatch = func(ctx context.Context, j reactor.Job) error {
		mu.Lock()
		fails := failures > 0
		failures--
		mu.Unlock()
		if j.Dispatch.Tenant != "t2" || j.Tenant != "t1" {
			t.Errorf("job for %s of %s, want t2 of t1", j.Dispatch.Tenant, j.Tenant)
		}
		if fails {
			return context.DeadlineExceeded
		}
		return f.out.do(ctx, j)
	}
	f.place(10)
	f.run(r)
	for i, j := range f.out.wait(t, 10) {
		var c remind
		if err := json.Unmarshal(j.Dispatch.Data, &c); err != nil || c.N != i {
			t.Errorf("call %d is %d (%v)", i, c.N, err)
		}
	}
}

// A process that remembers what it did before writes nothing, so that an event
// that concerns nobody costs no transaction.
func TestUnchangedMemoryIsNotWritten(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := f.reactor()
	seen := make(chan int, 100)
	r.Reactions = []domain.Reaction{
		domain.Process("watch", domain.On(func(e domain.Recorded[placed]) string { return "all" },
			func(c *count, e domain.Recorded[placed]) []domain.Effect {
				if e.Data.N == 2 {
					c.Orders = 7
				}
				seen <- c.Orders
				return nil
			})),
	}
	f.place(5)
	stop := f.run(r)
	want := []int{0, 0, 7, 7, 7}
	for i := range want {
		select {
		case got := <-seen:
			if got != want[i] {
				t.Errorf("event %d: the process remembers %d, want %d", i, got, want[i])
			}
		case <-time.NewTimer(10 * time.Second).C:
			t.Fatal("the events did not come")
		}
	}
	stop()
	f.place(1)
	f.run(f.reactorWith(r.Reactions))
	select {
	case got := <-seen:
		if got != 7 {
			t.Errorf("after a restart the process remembers %d, want 7", got)
		}
	case <-time.NewTimer(10 * time.Second).C:
		t.Fatal("the event did not come")
	}
}

func (f *fixture) reactorWith(reactions []domain.Reaction) *reactor.Reactor {
	r := f.reactor()
	r.Reactions = reactions
	return r
}
