package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// longStore returns a disk with some thousand events, of a few bytes to more
// than a megabyte, in several tables, and what it holds.
func longStore(t *testing.T, sizes []int) (*vfs.MemFS, ledger) {
	t.Helper()
	fs := vfs.NewCrashableMem()
	s := open(t, "store", engine.Config{FS: fs, MemTableBytes: 1 << 20, MaxAppendBytes: 4 << 20})
	rng := rand.New(rand.NewPCG(8, 8))
	for n := uint64(0); n < 4000; {
		events := make([]eventstore.Event, 1+rng.IntN(100))
		for i := range events {
			size := sizes[rng.IntN(len(sizes))]
			if len(sizes) > 3 && rng.IntN(1500) == 0 {
				size = []int{100_000, 1_500_000}[rng.IntN(2)]
			}
			events[i] = eventstore.Event{ID: eventID(n), Type: "T", Data: bytes.Repeat([]byte{byte('a' + n%26)}, size)}
			n++
		}
		_, err := s.Append(t.Context(), fmt.Sprintf("a-%d", rng.IntN(5)), eventstore.Any, events...)
		if err != nil && !errors.Is(err, eventstore.ErrTooLarge) {
			t.Fatal(err)
		}
	}
	l := ledger{collect(t, s.ReadAll(t.Context(), eventstore.ReadAll{From: eventstore.End, Direction: eventstore.Backward}))}
	slices.Reverse(l.events)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return fs, l
}

// TestLongReads compares long reads, which decode pages ahead, with what is
// there, before and after a scavenge, and leaves some of them in the middle.
func TestLongReads(t *testing.T) {
	t.Parallel()
	fs, l := longStore(t, []int{1, 200, 600, 3000})
	s := open(t, "store", engine.Config{FS: fs, MemTableBytes: 1 << 20})
	defer func() { _ = s.Close() }()
	rng := rand.New(rand.NewPCG(1, 9))
	check := func() {
		t.Helper()
		if !s.HasTables(l.events[0].Position.Commit + 1) {
			t.Fatal("long reads do not use tables")
		}
		for range 6 {
			from := rng.IntN(len(l.events))
			limit := rng.IntN(2) * rng.IntN(len(l.events))
			got := collect(t, s.ReadAll(t.Context(), eventstore.ReadAll{From: l.events[from].Position, Limit: limit}))
			same(t, "forward", got, l.events[from+1:], limit)
			got = collect(t, s.ReadAll(t.Context(), eventstore.ReadAll{From: l.events[from].Position, Direction: eventstore.Backward, Limit: limit}))
			same(t, "backward", got, reversed(l.events[:from]), limit)
			n := 0
			for _, err := range s.ReadAll(t.Context(), eventstore.ReadAll{}) {
				if err != nil {
					t.Fatal(err)
				}
				if n++; n > from {
					break
				}
			}
		}
		followed := 0
		for batch, err := range s.Subscribe(t.Context(), eventstore.Position{}) {
			if err != nil {
				t.Fatal(err)
			}
			same(t, "subscribe", batch, l.events[followed:followed+len(batch)], 0)
			if followed += len(batch); followed == len(l.events) {
				break
			}
		}
	}
	check()
	must(t)(s.Append(t.Context(), "$$a-1", eventstore.Any, metadata(`{"$maxCount":3}`)))
	must(t)(s.Tombstone(t.Context(), "a-2", eventstore.Any))
	if err := l.follow(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	l.scavenge(time.Now())
	if got, err := s.Scavenge(t.Context(), nil); err != nil || got.Events < 700 {
		t.Fatalf("Scavenge = %+v, %v", got, err)
	}
	check()
}

// TestLongReadsOfDamage flips bits in files: a long read finds what was written
// or an error.
func TestLongReadsOfDamage(t *testing.T) {
	t.Parallel()
	disk, l := longStore(t, []int{300})
	rng := rand.New(rand.NewPCG(4, 3))
	reported := 0
	for try := range 30 {
		fs := disk.CrashClone(vfs.CrashCloneCfg{})
		_, what := damage(t, fs, rng, anyKind)
		s, err := engine.Open("store", engine.Config{FS: fs, RememberedIDs: 1})
		if err != nil {
			reported++
			continue
		}
		i := 0
		for r, err := range s.ReadAll(t.Context(), eventstore.ReadAll{}) {
			if err != nil {
				_ = wantCorrupt(t, err)
				reported++
				i = len(l.events)
				break
			}
			if i >= len(l.events) || !sameEvent(r, l.events[i]) {
				t.Fatalf("try %d, %s: event %d at %v was never written or has another place", try, what, i, r.Position)
			}
			i++
		}
		if i < len(l.events) && !strings.Contains(what, ".log") {
			t.Errorf("try %d, %s: %d events are gone without an error", try, what, len(l.events)-i)
		}
		if err := s.Close(); err != nil && !errors.Is(err, eventstore.ErrUnavailable) && !errors.Is(err, engine.ErrCorrupt) {
			t.Logf("try %d, %s: Close = %v", try, what, err)
		}
	}
	if reported == 0 {
		t.Error("no damage was reported")
	}
}
