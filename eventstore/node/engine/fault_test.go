package engine_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// TestFaults lets the n-th change of the disk fail, for n = 1, 2, ... until a
// life of the store passes without it: once, as a passing fault does, and from
// then on, as a full or dead disk does.
var everyFault = flag.Bool("every-fault", false, "let TestFaults try each operation, not one in 17")

func TestFaults(t *testing.T) {
	t.Parallel()
	for offset, cause := range []syscall.Errno{syscall.EIO, syscall.ENOSPC} {
		for _, forever := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v/forever=%t", cause, forever), func(t *testing.T) {
				t.Parallel()
				n, step := int64(1), int64(1)
				if !*everyFault {
					n, step = int64(1+offset), 17
				}
				for ; faultyLife(t, n, cause, forever); n += step {
					if t.Failed() {
						t.Fatalf("at operation %d", n)
					}
				}
				if n < 50 {
					t.Errorf("only %d operations were tried", n)
				}
			})
		}
	}
}

// faultyLife reports whether the n-th change was reached.
func faultyLife(t *testing.T, n int64, cause error, forever bool) bool {
	t.Helper()
	disk := vfs.NewCrashableMem()
	var changes atomic.Int64
	faulty := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		switch op.Kind.ReadOrWrite() {
		case errorfs.OpIsRead:
			return nil
		case errorfs.OpIsWrite:
		}
		if op.Kind == errorfs.OpFileClose || op.Kind == errorfs.OpLock {
			return nil // files opened to be read are closed too
		}
		if i := changes.Add(1); i == n || forever && i > n {
			return fmt.Errorf("%v %s: %w", op.Kind, op.Path, cause)
		}
		return nil
	}))
	h := &history{tried: map[eventstore.ID]eventstore.Event{}}
	var failed atomic.Int64
	s, err := engine.Open("store", engine.Config{FS: faulty, MemTableBytes: 1 << 20, Listener: engine.Listener{Failed: func(error) { failed.Add(1) }}})
	if err != nil {
		if !errors.Is(err, cause) {
			t.Errorf("Open with a fault = %v", err)
		}
	} else {
		appendUntilFault(t, s, h, cause)
		if err := s.Close(); err != nil && !errors.Is(err, cause) {
			t.Errorf("Close = %v", err)
		}
		if failed.Load() > 1 {
			t.Errorf("Failed was called %d times", failed.Load())
		}
	}
	reached := changes.Load() >= n
	// Both what the disk says now and what a power cut leaves must be right.
	rng := rand.New(rand.NewPCG(uint64(n), 3))
	for name, fs := range map[string]vfs.FS{
		"restart":   disk,
		"power cut": disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng}),
	} {
		s, err := engine.Open("store", engine.Config{FS: fs})
		if err != nil {
			t.Errorf("Open after a fault, %s: %v", name, err)
			continue
		}
		if err := errors.Join(h.check(t.Context(), s), s.Close()); err != nil {
			t.Errorf("after a fault, %s: %v", name, err)
		}
	}
	return reached
}

func appendUntilFault(t *testing.T, s *engine.Store, h *history, cause error) {
	t.Helper()
	broken := false
	revision := eventstore.NoStream
	for i := range 16 {
		e := eventstore.Event{ID: eventID(uint64(i)), Type: "T", Data: []byte(strings.Repeat("x", 100_000))}
		h.tried[e.ID] = e
		at, err := s.Append(t.Context(), "s", revision, e)
		switch {
		case err == nil && broken:
			t.Errorf("append %d after a fault succeeded", i)
		case err == nil:
			h.acked = append(h.acked, appended{"s", revision, []eventstore.Event{e}, at})
			revision++
		case !errors.Is(err, cause):
			t.Fatalf("append %d = %v, want %v", i, err, cause)
		case broken && !errors.Is(err, eventstore.ErrUnavailable):
			t.Errorf("append %d after a fault = %v, want ErrUnavailable", i, err)
		case !errors.Is(err, eventstore.ErrUnavailable) && !errors.Is(err, eventstore.ErrUnknownOutcome):
			t.Errorf("append %d at a fault = %v", i, err)
		}
		broken = broken || err != nil
	}
	// Reads go on, and see what was acknowledged and nothing else.
	n := 0
	for r, err := range s.ReadAll(t.Context(), eventstore.ReadAll{}) {
		if err != nil {
			t.Fatalf("ReadAll after a fault = %v", err)
		}
		if n >= len(h.acked) || r.ID != h.acked[n].events[0].ID {
			t.Fatalf("ReadAll after a fault: event %d at %v was not acknowledged", n, r.Position)
		}
		n++
	}
	if n != len(h.acked) {
		t.Errorf("ReadAll after a fault yields %d events, %d were acknowledged", n, len(h.acked))
	}
}
