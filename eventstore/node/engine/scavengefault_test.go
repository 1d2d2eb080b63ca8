package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// littered returns a disk with a store of which a scavenge removes most, and
// what it holds.
func littered(t *testing.T) (*vfs.MemFS, ledger) {
	t.Helper()
	fs := vfs.NewCrashableMem()
	s := open(t, "store", engine.Config{FS: fs, MemTableBytes: 1 << 20})
	const streams, each, size = 8, 150, 2000
	for i := range each {
		for n := range streams {
			e := eventstore.Event{ID: eventID(uint64(i*streams + n)), Type: "T", Data: bytes.Repeat([]byte{byte('a' + i%26)}, size)}
			must(t)(s.Append(t.Context(), fmt.Sprintf("a-%d", n), eventstore.Any, e))
		}
	}
	must(t)(s.Tombstone(t.Context(), "a-0", eventstore.Any))
	must(t)(s.Delete(t.Context(), "a-1", eventstore.Any))
	for n := 2; n < 6; n++ {
		must(t)(s.Append(t.Context(), fmt.Sprintf("$$a-%d", n), eventstore.Any, metadata(`{"$maxCount":20}`)))
	}
	var l ledger
	if err := errors.Join(l.follow(t.Context(), s), s.Close()); err != nil {
		t.Fatal(err)
	}
	return fs, l
}

// among checks what a store holds that is in a scavenge or was cut off in one:
// all that must stay, and nothing that never was.
func (l *ledger) among(ctx context.Context, s *engine.Store, left *ledger, now time.Time) error {
	stay := map[eventstore.ID]bool{}
	for _, r := range left.events {
		stay[r.ID] = true
	}
	rest := l.events
	for r, err := range s.ReadAll(ctx, eventstore.ReadAll{}) {
		if err != nil {
			return err
		}
		if r.Stream == "new" {
			continue
		}
		i := slices.IndexFunc(rest, func(e eventstore.Recorded) bool { return sameEvent(e, r) })
		if i < 0 {
			return fmt.Errorf("event at %v was never written or is out of order", r.Position)
		}
		rest = rest[i+1:]
		delete(stay, r.ID)
	}
	if len(stay) > 0 {
		return fmt.Errorf("%d events are gone that should stay", len(stay))
	}
	for n := range 8 {
		for _, stream := range []string{fmt.Sprintf("a-%d", n), fmt.Sprintf("$$a-%d", n)} {
			if err := compareWith(ctx, s, l.events, stream, now, eventstore.ReadStream{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestScavengeFaults lets the n-th change of the disk during a scavenge fail, or
// cuts the power there, while somebody appends.
func TestScavengeFaults(t *testing.T) {
	t.Parallel()
	base, l := littered(t)
	left := ledger{slices.Clone(l.events)}
	left.scavenge(time.Now())
	for offset, mode := range []string{"power cut", "once", "forever"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			n, step := int64(1), int64(1)
			if !*everyFault {
				n, step = int64(1+5*offset), 31
			}
			for ; faultyScavenge(t, base.CrashClone(vfs.CrashCloneCfg{}), &l, &left, n, mode); n += step {
				if t.Failed() {
					t.Fatalf("at operation %d", n)
				}
			}
			if n < 20 {
				t.Errorf("only %d operations were tried", n)
			}
		})
	}
}

func faultyScavenge(t *testing.T, disk *vfs.MemFS, l, left *ledger, n int64, mode string) (reached bool) {
	t.Helper()
	var armed atomic.Bool
	var changes atomic.Int64
	var cut *vfs.MemFS
	var acked, ackedAtCut []eventstore.ID
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(uint64(n), 5))
	faulty := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if !armed.Load() || op.Kind.ReadOrWrite() == errorfs.OpIsRead || op.Kind == errorfs.OpFileClose {
			return nil
		}
		switch i := changes.Add(1); {
		case i == n && mode == "power cut":
			mu.Lock()
			defer mu.Unlock()
			cut, ackedAtCut = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng}), slices.Clone(acked)
		case i == n && mode != "power cut", i > n && mode == "forever":
			return fmt.Errorf("%v %s: %w", op.Kind, op.Path, syscall.EIO)
		}
		return nil
	}))
	s := open(t, "store", engine.Config{FS: faulty, MemTableBytes: 1 << 20})
	armed.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := uint64(1 << 50); ctx.Err() == nil && i < 1<<50+20; i++ {
			if _, err := s.Append(ctx, "new", eventstore.Any, eventstore.Event{ID: eventID(i), Type: "T", Data: []byte(strings.Repeat("n", 1000))}); err == nil {
				mu.Lock()
				acked = append(acked, eventID(i))
				mu.Unlock()
			}
		}
	})
	_, err := s.Scavenge(t.Context(), nil)
	if err != nil && (mode == "power cut" || !errors.Is(err, syscall.EIO) || !errors.Is(err, eventstore.ErrUnavailable)) {
		t.Errorf("Scavenge with a fault = %v", err)
	}
	if err := l.among(t.Context(), s, left, time.Now()); err != nil {
		t.Errorf("after a scavenge that ended with %v: %v", err, err)
	}
	cancel()
	wg.Wait()
	if err := s.Close(); err != nil && !errors.Is(err, syscall.EIO) {
		t.Errorf("Close = %v", err)
	}
	afterScavenge(t, disk.CrashClone(vfs.CrashCloneCfg{}), l, left, acked)
	if cut != nil {
		afterScavenge(t, cut, l, left, ackedAtCut)
	}
	return changes.Load() >= n
}

// afterScavenge checks a disk that a scavenge left, and scavenges to the end.
func afterScavenge(t *testing.T, fs *vfs.MemFS, l, left *ledger, acked []eventstore.ID) {
	t.Helper()
	s := open(t, "store", engine.Config{FS: fs})
	defer func() { _ = s.Close() }()
	if err := l.among(t.Context(), s, left, time.Now()); err != nil {
		t.Error(err)
	}
	if _, err := s.Scavenge(t.Context(), nil); err != nil {
		t.Error(err)
	}
	whole := ledger{slices.Clone(left.events)}
	if err := errors.Join(whole.follow(t.Context(), s), whole.check(t.Context(), s, time.Now())); err != nil {
		t.Error(err)
	}
	found := map[eventstore.ID]bool{}
	for _, r := range whole.events {
		found[r.ID] = true
	}
	for _, id := range acked {
		if !found[id] {
			t.Fatal("an event that was acknowledged during a scavenge is gone")
		}
	}
}

// TestReadDuringScavenge reads while a scavenge runs, from readers in the middle
// of what goes, too.
func TestReadDuringScavenge(t *testing.T) {
	t.Parallel()
	fs, l := littered(t)
	s := open(t, "store", engine.Config{FS: fs, MemTableBytes: 1 << 20})
	defer func() { _ = s.Close() }()
	left := ledger{slices.Clone(l.events)}
	left.scavenge(time.Now())
	read := func(o eventstore.ReadAll) func(func(eventstore.Recorded, error) bool) {
		return s.ReadAll(t.Context(), o)
	}
	forward, stop1 := iter.Pull2(read(eventstore.ReadAll{}))
	defer stop1()
	backward, stop2 := iter.Pull2(read(eventstore.ReadAll{From: eventstore.End, Direction: eventstore.Backward}))
	defer stop2()
	one, stop3 := iter.Pull2(s.Read(t.Context(), "a-7", eventstore.ReadStream{}))
	defer stop3()
	for range 70 {
		for _, next := range []func() (eventstore.Recorded, error, bool){forward, backward, one} {
			if _, err, ok := next(); err != nil || !ok {
				t.Fatal(err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for first := true; first || ctx.Err() == nil; first = false {
				if err := l.among(t.Context(), s, &left, time.Now()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	if again, err := s.Scavenge(ctx, func(done, _ uint64) {
		if _, err := s.Scavenge(ctx, nil); !errors.Is(err, engine.ErrScavenging) {
			t.Errorf("a second Scavenge = %v", err)
		}
	}); err != nil || again.Events == 0 {
		t.Errorf("Scavenge = %+v, %v", again, err)
	}
	cancel()
	wg.Wait()
	got := 70
	for {
		r, err, ok := one()
		if !ok {
			break
		}
		if err != nil || int(r.Revision) != got {
			t.Fatalf("read across a scavenge: %d, %v, want %d", r.Revision, err, got)
		}
		got++
	}
	if got != 150 {
		t.Errorf("read across a scavenge ends before %d", got)
	}
	last := eventstore.Position{}
	for {
		r, err, ok := forward()
		if !ok {
			break
		}
		if err != nil || r.Position.Compare(last) <= 0 {
			t.Fatalf("$all across a scavenge: %v, %v", r.Position, err)
		}
		last = r.Position
	}
	if last != s.Head() {
		t.Errorf("$all across a scavenge ends at %v, want %v", last, s.Head())
	}
	for {
		r, err, ok := backward()
		if !ok {
			break
		}
		if err != nil || r.Position.Compare(last) >= 0 {
			t.Fatalf("$all backward across a scavenge: %v, %v", r.Position, err)
		}
		last = r.Position
	}
	if last != left.events[0].Position && last != l.events[0].Position {
		t.Errorf("$all backward across a scavenge ends at %v", last)
	}
}

// TestScavengeEnds checks that a scavenge ends when its context does and when
// the store closes.
func TestScavengeEnds(t *testing.T) {
	t.Parallel()
	fs, _ := littered(t)
	s := open(t, "store", engine.Config{FS: fs, MemTableBytes: 1 << 20})
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := s.Scavenge(ctx, func(uint64, uint64) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("Scavenge whose context ends = %v", err)
	}
	closed := make(chan error, 1)
	begin := sync.OnceFunc(func() { go func() { closed <- s.Close() }() })
	for {
		_, err := s.Scavenge(t.Context(), func(uint64, uint64) { begin() })
		if err == nil { // it was faster
			begin()
			continue
		}
		if !errors.Is(err, eventstore.ErrClosed) {
			t.Errorf("Scavenge of a store that closes = %v", err)
		}
		break
	}
	if err := <-closed; err != nil {
		t.Errorf("Close = %v", err)
	}
}
