package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/esdb"
	"konto/eventstore/node/engine"
)

// TestNodeCrash kills `konto node` at random moments KONTO_CRASH_CYCLES times
// (default 3) while 16 writers append to it and two subscribers follow it, all
// through the official client. Nothing that was acknowledged is lost or is
// there twice, no position is used again, and each subscriber sees every event
// once and in order, across all of that.
func TestNodeCrash(t *testing.T) {
	cycles := 3
	if n, err := strconv.Atoi(os.Getenv("KONTO_CRASH_CYCLES")); err == nil {
		cycles = n
	}
	c := &nodeCrash{T: t, data: filepath.Join(t.TempDir(), "node"), addr: freeAddress(t), moved: make(chan struct{})}
	c.start()
	t.Cleanup(c.kill)
	store, err := esdb.Open(esdb.Config{ConnectionString: "esdb://" + c.addr + "?tls=false", Now: time.Now, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var writers, followers sync.WaitGroup
	for n := range 16 {
		writers.Go(func() { c.write(ctx, store, n) })
	}
	following, end := context.WithCancel(t.Context())
	seen := make([][]eventstore.Recorded, 2)
	for i := range seen {
		followers.Go(func() { seen[i] = c.follow(following, store, i) })
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for i := range cycles {
		if i%4 != 3 { // the others are interrupted as they start
			c.appended()
		}
		<-time.NewTimer(time.Duration(random.IntN(150)) * time.Millisecond).C
		c.kill()
		c.start()
	}
	stop()
	writers.Wait()
	head := c.head(store)
	c.await(head)
	end()
	followers.Wait()
	c.kill()
	if err := store.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	c.check(seen)
	t.Logf("%d kills: %d appends acknowledged, %d events seen by each follower", cycles, len(c.acked), len(seen[0]))
}

// nodeCrash is a node on a directory and what its writers know of it.
type nodeCrash struct {
	*testing.T
	data, addr string
	process    *exec.Cmd

	mu    sync.Mutex
	acked []nodeAppend
	seen  [2]eventstore.Position // by each follower
	moved chan struct{}          // closed and made anew when acked or seen changes
}

// nodeAppend is an append that the node acknowledged.
type nodeAppend struct {
	stream string
	events []eventstore.Event
	at     eventstore.Appended
}

func (c *nodeCrash) start() {
	c.Helper()
	c.process = exec.Command("konto", "node", "--data", c.data, "--addr", c.addr, "--insecure") // it is killed on purpose
	if err := c.process.Start(); err != nil {
		c.Fatal(err)
	}
}

func (c *nodeCrash) kill() {
	_ = c.process.Process.Kill() // SIGKILL: nothing is written any more
	_ = c.process.Wait()
}

// write appends to a stream of its own and to one that all share, and sends
// again what was not answered.
func (c *nodeCrash) write(ctx context.Context, store eventstore.Store, n int) {
	random := rand.New(rand.NewPCG(uint64(n), 5))
	next := eventstore.NoStream
	for ctx.Err() == nil {
		stream, expected := fmt.Sprintf("own-%d", n), next
		if random.IntN(4) == 0 {
			stream, expected = "shared-0", eventstore.Any
		}
		events := make([]eventstore.Event, 1+random.IntN(3))
		for i := range events {
			events[i] = eventstore.Event{ID: eventstore.ID(uuid.New()), Type: "Written", Data: fmt.Appendf(nil, `{"writer":%d}`, n)}
		}
		at, err := store.Append(ctx, stream, expected, events...)
		for err != nil && ctx.Err() == nil {
			if errors.Is(err, eventstore.ErrWrongRevision) {
				c.Errorf("append to %s at %v: %v", stream, expected, err)
				return
			}
			at, err = store.Append(ctx, stream, expected, events...)
		}
		if err != nil {
			return
		}
		if expected != eventstore.Any {
			next = at.Revision
		}
		c.mu.Lock()
		c.acked = append(c.acked, nodeAppend{stream, events, at})
		c.tell()
		c.mu.Unlock()
	}
}

// follow returns what follower i has seen when ctx ends.
func (c *nodeCrash) follow(ctx context.Context, store eventstore.Store, i int) (seen []eventstore.Recorded) {
	for ctx.Err() == nil {
		var after eventstore.Position
		if len(seen) > 0 {
			after = seen[len(seen)-1].Position
		}
		for batch, err := range store.Subscribe(ctx, after) {
			if err != nil {
				break // the node is down: go on from where we were
			}
			for _, r := range batch {
				seen = append(seen, eventstore.Recorded{Event: eventstore.Event{ID: r.ID}, Stream: r.Stream, Revision: r.Revision, Position: r.Position})
			}
			c.mu.Lock()
			c.seen[i] = batch[len(batch)-1].Position
			c.tell()
			c.mu.Unlock()
		}
	}
	return seen
}

// head asks until the node is there to answer.
func (c *nodeCrash) head(store eventstore.Store) eventstore.Position {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), time.Minute)
	defer cancel()
	for {
		head, err := eventstore.Head(ctx, store)
		if err == nil {
			return head
		}
		if ctx.Err() != nil {
			c.Fatal(err)
		}
	}
}

// tell wakes who waits. Call it with mu held.
func (c *nodeCrash) tell() {
	close(c.moved)
	c.moved = make(chan struct{})
}

// appended waits until one more append is acknowledged.
func (c *nodeCrash) appended() {
	c.Helper()
	c.mu.Lock()
	before := len(c.acked)
	c.mu.Unlock()
	c.wait("no append acknowledged", func() bool { return len(c.acked) > before })
}

// await waits until all followers have come to p.
func (c *nodeCrash) await(p eventstore.Position) {
	c.Helper()
	c.wait(fmt.Sprint("followers are not at ", p), func() bool { return c.seen[0].Compare(p) >= 0 && c.seen[1].Compare(p) >= 0 })
}

func (c *nodeCrash) wait(what string, done func() bool) {
	c.Helper()
	timeout := time.NewTimer(time.Minute)
	defer timeout.Stop()
	for {
		c.mu.Lock()
		ok, moved := done(), c.moved
		c.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-moved:
		case <-timeout.C:
			c.Fatalf("after a minute: %s", what)
		}
	}
}

// check compares the directory with what writers and followers were told.
func (c *nodeCrash) check(seen [][]eventstore.Recorded) {
	c.Helper()
	store, err := engine.Open(filepath.Join(c.data, "events"), engine.Config{})
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	var all []eventstore.Recorded
	byID, next := map[eventstore.ID]eventstore.Recorded{}, map[string]eventstore.Revision{}
	for r, err := range store.ReadAll(c.Context(), eventstore.ReadAll{}) {
		if err != nil {
			c.Fatal(err)
		}
		if _, again := byID[r.ID]; again {
			c.Errorf("event %v is there twice", r.ID)
		}
		if r.Revision != next[r.Stream] {
			c.Errorf("%s has revision %d where %d follows", r.Stream, r.Revision, next[r.Stream])
		}
		next[r.Stream], byID[r.ID] = r.Revision+1, r
		all = append(all, r)
	}
	for _, a := range c.acked {
		for i, e := range a.events {
			r, ok := byID[e.ID]
			want := a.at.Revision - eventstore.Revision(len(a.events)-1-i)
			if !ok || r.Stream != a.stream || r.Revision != want || i == len(a.events)-1 && r.Position != a.at.Position {
				c.Errorf("acknowledged event %s@%d at %v: there %t, %s@%d at %v", a.stream, want, a.at.Position, ok, r.Stream, r.Revision, r.Position)
			}
		}
	}
	for i, s := range seen {
		if len(s) != len(all) {
			c.Errorf("follower %d saw %d events, the store has %d", i, len(s), len(all))
		}
		for n := range min(len(s), len(all)) {
			if s[n].ID != all[n].ID || s[n].Position != all[n].Position {
				c.Fatalf("follower %d: event %d is %v at %v, in the store it is %v at %v", i, n, s[n].ID, s[n].Position, all[n].ID, all[n].Position)
			}
		}
	}
}
