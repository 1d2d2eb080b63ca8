package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// following notes what a follower gets: revisions, "live", and how it ended.
type following struct {
	got   chan string
	ended chan error
}

func follow(ctx context.Context, s *engine.Store, f engine.Follow) following {
	n := following{make(chan string, 100), make(chan error, 1)}
	go func() {
		var last error
		for step, err := range s.Follow(ctx, f) {
			for _, r := range step.Events {
				n.got <- fmt.Sprintf("%s@%d", r.Type, r.Revision)
			}
			if step.Live {
				n.got <- "live"
			}
			last = err
		}
		n.ended <- last
	}()
	return n
}

func (n following) want(t *testing.T, want ...string) {
	t.Helper()
	late := time.NewTimer(10 * time.Second)
	defer late.Stop()
	for i := range want {
		select {
		case got := <-n.got:
			if got != want[i] {
				t.Fatalf("follower got %s, want %s, the %dth of %q", got, want[i], i, want)
			}
		case <-late.C:
			t.Fatalf("follower got nothing, want %s, the %dth of %q", want[i], i, want)
		}
	}
}

func (n following) end(t *testing.T, want error) {
	t.Helper()
	if err := <-n.ended; !errors.Is(err, want) {
		t.Errorf("follower ended with %v, want %v", err, want)
	}
	if len(n.got) > 0 {
		t.Errorf("follower got %s at the end", <-n.got)
	}
}

func TestFollowStream(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), engine.Config{TailBytes: 1})
	defer func() { _ = s.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	three(t, s, "a-1")
	fromStart := follow(ctx, s, engine.Follow{Stream: "a-1", After: eventstore.NoStream})
	fromStart.want(t, "T@0", "T@1", "T@2", "live")
	fromMiddle := follow(ctx, s, engine.Follow{Stream: "a-1", After: 0})
	fromMiddle.want(t, "T@1", "T@2", "live")
	fromEnd := follow(ctx, s, engine.Follow{Stream: "a-1", After: eventstore.Last})
	fromEnd.want(t, "live")
	fromFuture := follow(ctx, s, engine.Follow{Stream: "a-1", After: 3})
	fromFuture.want(t, "live")
	other := follow(ctx, s, engine.Follow{Stream: "a-2", After: eventstore.Last})
	other.want(t, "live")
	everything := follow(ctx, s, engine.Follow{AfterAll: eventstore.End})
	everything.want(t, "live")

	must(t)(s.Append(t.Context(), "a-1", eventstore.Any, fresh(1)...))
	for _, f := range []following{fromStart, fromMiddle, fromEnd, everything} {
		f.want(t, "T@3", "live")
	}
	fromFuture.want(t, "live")
	must(t)(s.Delete(t.Context(), "a-1", eventstore.Any))
	everything.want(t, "$metadata@0", "live")
	deleted := follow(ctx, s, engine.Follow{Stream: "a-1", After: eventstore.NoStream})
	deleted.want(t, "live")
	must(t)(s.Append(t.Context(), "a-1", eventstore.Any, fresh(1)...))
	for _, f := range []following{fromStart, fromMiddle, fromEnd, fromFuture, deleted} {
		f.want(t, "T@4", "live")
	}
	everything.want(t, "T@4", "$metadata@1", "live")
	must(t)(s.Tombstone(t.Context(), "a-1", eventstore.Any))
	for _, f := range []following{fromStart, fromMiddle, fromEnd, fromFuture, deleted} {
		f.want(t, "$streamDeleted@9223372036854775807")
		f.end(t, eventstore.ErrStreamDeleted)
	}
	everything.want(t, "$streamDeleted@9223372036854775807", "live")
	tooLate := follow(ctx, s, engine.Follow{Stream: "a-1", After: eventstore.Last})
	tooLate.end(t, eventstore.ErrStreamDeleted)
	must(t)(s.Append(t.Context(), "a-2", eventstore.Any, fresh(1)...))
	other.want(t, "T@0", "live")
	everything.want(t, "T@0", "live")
	cancel()
	other.end(t, context.Canceled)
	everything.end(t, context.Canceled)
}

// TestFollowWhileWriting: a follower that comes and goes misses nothing.
func TestFollowWhileWriting(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), engine.Config{})
	defer func() { _ = s.Close() }()
	const appends = 300
	go func() {
		for range appends {
			if _, err := s.Append(context.WithoutCancel(t.Context()), "a-1", eventstore.Any, fresh(2)...); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	next := eventstore.Revision(0)
	for next < 2*appends {
		steps := 0
		for step, err := range s.Follow(t.Context(), engine.Follow{Stream: "a-1", After: next - 1}) {
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range step.Events {
				if r.Revision != next {
					t.Fatalf("follower got revision %d, want %d", r.Revision, next)
				}
				next++
			}
			if steps++; steps > 5 || next == 2*appends {
				break
			}
		}
	}
}

func TestFollowCloses(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), engine.Config{})
	f, g := follow(t.Context(), s, engine.Follow{Stream: "a-1"}), follow(t.Context(), s, engine.Follow{})
	f.want(t, "live")
	g.want(t, "live")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	f.end(t, eventstore.ErrClosed)
	g.end(t, eventstore.ErrClosed)
}

func TestIsBoundary(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), engine.Config{})
	defer func() { _ = s.Close() }()
	if is, err := s.IsBoundary(t.Context(), eventstore.Position{}); err != nil || !is {
		t.Errorf("IsBoundary of the beginning = %t, %v", is, err)
	}
	must(t)(s.Append(t.Context(), "a-1", eventstore.Any, fresh(300)...))
	three(t, s, "a-1")
	var want, got []uint64
	for _, r := range collect(t, s.ReadAll(t.Context(), eventstore.ReadAll{})) {
		want = append(want, r.Position.Commit)
	}
	for p := uint64(64); p < s.Head().Commit+1000; p++ {
		is, err := s.IsBoundary(t.Context(), eventstore.Position{Commit: p, Prepare: p})
		if err != nil {
			t.Fatal(err)
		}
		if is {
			got = append(got, p)
		}
	}
	if end := got[len(got)-1]; end <= s.Head().Commit {
		t.Errorf("the end of the log is no boundary, only %d is", end)
	}
	got = got[:len(got)-1]
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("boundaries: got + and not -:\n%s", d)
	}
	if is, err := s.IsBoundary(t.Context(), eventstore.Position{Commit: want[1], Prepare: want[0]}); err != nil || is {
		t.Errorf("IsBoundary of unequal parts = %t, %v", is, err)
	}
}
