package projector_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"konto/domain"
	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/projector"
	"konto/internal/readdb"
	"konto/projections"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestX3OnceAndInOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(300)
	f.append("stranger-1", f.event("Whatever", nil))
	p := f.projector(sums("a", 1, nil), sums("b", 1, nil))
	stop := f.run(p.Run)
	f.wait()
	<-p.Ready()
	f.add(300)
	f.wait()
	stop()
	f.add(200) // while nobody looks
	if err := f.bus.Restart(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	p = f.projector(sums("a", 1, nil), sums("b", 2, nil)) // b is rebuilt
	f.run(p.Run)
	f.wait("a", "b")
	f.check("a")
	f.check("b")
	<-p.Ready()
	if s := f.status(p, "b"); s.State != projector.Live || s.LagEvents != 0 || s.Position != f.at || s.Version != 2 {
		t.Errorf("status of b = %+v, want live at %s without lag", s, f.at)
	}
}

// Restarts at any moment, under load, lose and repeat nothing.
func TestX3Restarts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	written := make(chan struct{})
	go func() {
		defer close(written)
		f.add(2000)
	}()
	for i := 0; ; i++ {
		stop := f.run(f.projector(sums("a", 1, nil), sums("b", 1, nil)).Run)
		changed := make(chan struct{})
		go func() { // let it come a little further
			defer close(changed)
			c, _ := f.db.Checkpoint("a")
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_ = f.db.Wait(ctx, eventstore.Position{Commit: c.Position.Commit + 1}, "a")
		}()
		<-changed
		stop()
		select {
		case <-written:
			if i > 5 {
				f.run(f.projector(sums("a", 1, nil), sums("b", 1, nil)).Run)
				f.wait("a", "b")
				f.check("a")
				f.check("b")
				return
			}
		default:
		}
	}
}

func TestFailureStopsOneProjection(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var broken atomic.Int64
	broken.Store(150)
	failed := make(chan string, 100)
	p := f.projector(sums("good", 1, nil), sums("bad", 1, &broken))
	p.Metrics.Failed = func(name, category string) { failed <- name + " " + category }
	f.add(100)
	f.run(p.Run)
	f.wait()
	f.add(100)
	f.wait("good")
	if got, want := <-failed, "bad apply"; got != want {
		t.Errorf("failed: %s, want %s", got, want)
	}
	s := f.status(p, "bad")
	if s.State != projector.Failed || s.Failure == nil || s.Failure.Category != projector.FailureApply || s.LagEvents == 0 {
		t.Errorf("status of bad = %+v, want a failure to apply", s)
	}
	if err := f.db.Wait(t.Context(), f.at, "bad"); !errors.Is(err, readdb.ErrStalled) {
		t.Errorf("Wait for bad = %v, want %v", err, readdb.ErrStalled)
	}
	if s := f.status(p, "good"); s.State != projector.Live || s.Failure != nil {
		t.Errorf("status of good = %+v, want live", s)
	}
	<-failed // it is tried again
	broken.Store(0)
	f.recovers("bad")
	f.add(50)
	f.recovers("bad")
	f.check("good")
	f.check("bad")
}

// recovers waits although the projection is marked as failed.
func (f *fixture) recovers(name string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 20*time.Second)
	defer cancel()
	for {
		err := f.db.Wait(ctx, f.at, name)
		if err == nil {
			return
		}
		if !errors.Is(err, readdb.ErrStalled) {
			f.t.Fatal(err)
		}
	}
}

func TestUnreadableEvents(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		event    eventstore.Event
		category string // of failure, empty for none
	}{
		{"unknown type of a known category", eventstore.Event{Type: "Multiplied", Data: []byte(`{}`)}, projector.FailureUnknownType},
		{"broken data that somebody wants", eventstore.Event{Type: "Added", Data: []byte(`{"n":"x"}`)}, projector.FailureDecode},
		{"broken metadata", eventstore.Event{Type: "Added", Data: []byte(`{}`), Meta: []byte(`[`)}, projector.FailureDecode},
		{"broken data that nobody wants", eventstore.Event{Type: "Dropped", Data: []byte(`[`)}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			p := f.projector(sums("a", 1, nil))
			f.run(p.Run)
			f.add(3)
			test.event.ID = eventstore.ID(uuid.New())
			f.append("counter-x", test.event)
			err := f.db.Wait(t.Context(), f.at, "a")
			if (err != nil) != (test.category != "") {
				t.Fatalf("Wait() = %v, want a failure: %v", err, test.category != "")
			}
			s := f.status(p, "a")
			switch {
			case test.category == "" && s.Failure != nil:
				t.Errorf("failure %+v, want none", s.Failure)
			case test.category != "" && (s.Failure == nil || s.Failure.Category != test.category || s.Failure.Position != f.at):
				t.Errorf("failure %+v, want %s at %s", s.Failure, test.category, f.at)
			}
		})
	}
}

func TestStoreReplaced(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(50)
	stop := f.run(f.projector(sums("a", 1, nil)).Run)
	f.wait()
	stop()
	old := f.store
	f.store = memory.New()
	defer func() { f.store = old }()
	f.n = 0
	f.add(5)
	p := f.projector(sums("a", 1, nil))
	p.Feed.Conn = nil
	f.run(p.Run)
	<-p.Ready()
	f.wait()
	f.check("a")
}

func TestEveryAndAnnotate(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var mu sync.Mutex
	var seen []string
	p := f.projector(projections.Projection{
		Name: "log", Version: 1,
		Every: func(_ context.Context, _ projections.Tx, e domain.Recorded[any]) error {
			mu.Lock()
			defer mu.Unlock()
			line := e.Type + " " + e.Tenant + " " + e.ID
			if a, ok := e.Data.(added); ok {
				line += " " + a.Note
			}
			seen = append(seen, line)
			return nil
		},
	})
	p.Annotate = func(data []byte, tenant, stream, _, _ string) []byte {
		return []byte(strings.Replace(string(data), "sealed", "sealed for "+tenant+" "+stream, 1))
	}
	f.append("counter-1", f.event("Added", added{Note: "sealed"}), f.event("Dropped", dropped{}))
	f.run(p.Run)
	<-p.Ready()
	f.wait()
	mu.Lock()
	defer mu.Unlock()
	if got, want := strings.Join(seen, "; "), "Added t1 1 sealed for t1 counter-1; Dropped t1 1"; got != want {
		t.Errorf("Every saw %q, want %q", got, want)
	}
}

func TestRebuild(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(9000)
	f.append("$system", f.event("x", nil))
	p := f.projector(sums("a", 1, nil), sums("b", 1, nil))
	db := f.open("other.db")
	var calls [][2]int
	for range 2 { // the second starts over
		calls = nil
		if err := p.Rebuild(t.Context(), db, func(done, total int) { calls = append(calls, [2]int{done, total}) }); err != nil {
			t.Fatal(err)
		}
	}
	if sum, events := f.total(db, "b"); events != 9000 || sum != 9000*9001/2 {
		t.Errorf("rebuilt sum %d of %d events", sum, events)
	}
	if last := calls[len(calls)-1]; last != [2]int{9000, 9000} || len(calls) < 3 {
		t.Errorf("progress %v, want steps up to 9000 of 9000", calls)
	}
	var broken atomic.Int64
	broken.Store(77)
	p = f.projector(sums("a", 1, &broken))
	if err := p.Rebuild(t.Context(), db, nil); err == nil || !strings.Contains(err.Error(), "apply") {
		t.Errorf("Rebuild of a broken projection = %v, want its failure", err)
	}
}
