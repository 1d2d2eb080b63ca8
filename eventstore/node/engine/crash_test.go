package engine_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

var (
	cuts = flag.Int("cuts", 5, "power cuts in TestPowerCuts")
	seed = flag.Uint64("seed", 1, "of the first power cut; each cut has its own")
)

// TestPowerCuts cuts the power at random moments while writers append, lets a
// random share of what was not synced survive, and checks what comes back.
func TestPowerCuts(t *testing.T) {
	t.Parallel()
	for i := range *cuts {
		if err := powerCuts(t.Context(), *seed+uint64(i), wholeDisk); err != nil {
			t.Fatalf("-cuts=1 -seed=%d: %v", *seed+uint64(i), err)
		}
	}
}

// TestPowerCutsFindMissingSync leaves out one sync of the log in three: the
// test above must not be blind.
func TestPowerCutsFindMissingSync(t *testing.T) {
	t.Parallel()
	const tries = 40
	for i := range tries {
		err := powerCuts(t.Context(), *seed+uint64(i), func(fs vfs.FS) vfs.FS { return &forgetful{FS: fs, every: 3} })
		if err != nil {
			t.Logf("found at try %d: %v", i+1, err)
			return
		}
	}
	t.Errorf("%d power cuts of a disk that forgets to sync its log were survived", tries)
}

func wholeDisk(fs vfs.FS) vfs.FS { return fs }

// forgetful leaves out every n-th sync of a log.
type forgetful struct {
	vfs.FS
	every, syncs int64
}

type forgetfulFile struct {
	vfs.File
	fs *forgetful
}

func (f *forgetful) wrap(name string, file vfs.File, err error) (vfs.File, error) {
	if err != nil || !strings.HasSuffix(name, ".log") {
		return file, err
	}
	return &forgetfulFile{file, f}, nil
}

func (f *forgetful) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	return f.wrap(name, file, err)
}

func (f *forgetful) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(from, to, c)
	return f.wrap(to, file, err)
}

func (f *forgetfulFile) lucky() bool { return atomic.AddInt64(&f.fs.syncs, 1)%f.fs.every != 0 }

func (f *forgetfulFile) Sync() error {
	if f.lucky() {
		return f.File.Sync()
	}
	return nil
}

func (f *forgetfulFile) SyncData() error {
	if f.lucky() {
		return f.File.SyncData()
	}
	return nil
}

func (f *forgetfulFile) SyncTo(int64) (bool, error) { return false, nil }

// history is what the outside world knows about a store.
type history struct {
	sync.Mutex
	tried map[eventstore.ID]eventstore.Event
	acked []appended
	ended []ending              // acknowledged deletes and tombstones
	seen  []eventstore.Recorded // by a subscriber
}

// ending is a delete or a tombstone: an event of a type, in a stream.
type ending struct {
	stream, typ string
	at          eventstore.Position
}

type appended struct {
	stream   string
	expected eventstore.Revision
	events   []eventstore.Event
	at       eventstore.Appended
}

// powerCuts runs three lives of one disk, each ended by a power cut.
func powerCuts(ctx context.Context, seed uint64, disk func(vfs.FS) vfs.FS) error {
	rng := rand.New(rand.NewPCG(seed, 7))
	fs := vfs.NewCrashableMem()
	h := &history{tried: map[eventstore.ID]eventstore.Event{}}
	for life := range 3 {
		s, err := engine.Open("store", engine.Config{FS: disk(fs), MemTableBytes: 1 << 20, TailBytes: 64 << 10, CachedHeads: 4, RememberedIDs: 64, Indexes: rng.IntN(2) == 0})
		if err != nil {
			return fmt.Errorf("life %d: %w", life, err)
		}
		if err := h.check(ctx, s); err != nil {
			return errors.Join(fmt.Errorf("life %d: %w", life, err), s.Close())
		}
		fs, err = h.live(ctx, s, fs, rng, life)
		if err := errors.Join(err, s.Close()); err != nil {
			return fmt.Errorf("life %d: %w", life, err)
		}
	}
	s, err := engine.Open("store", engine.Config{FS: disk(fs), Indexes: true})
	if err != nil {
		return err
	}
	return errors.Join(h.check(ctx, s), compareIndexes(ctx, s, rng), s.Close())
}

// live lets writers append until the power is cut, and returns what is left.
func (h *history) live(ctx context.Context, s *engine.Store, fs *vfs.MemFS, rng *rand.Rand, life int) (*vfs.MemFS, error) {
	const writers = 8
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var count atomic.Int64
	cut, last := make(chan struct{}), int64(1+rng.IntN([]int{20, 20, 20, 20, 20, 20, 20, 250}[rng.IntN(8)])) // most lives are short
	for w := range writers {
		private := rand.New(rand.NewPCG(rng.Uint64(), uint64(w)))
		wg.Go(func() { // ends when ctx does
			for n := 0; ctx.Err() == nil; n++ {
				stream := fmt.Sprintf("s-%d", private.IntN(12))
				if h.change(ctx, s, private, stream, fmt.Sprint(life, w, n)) && count.Add(1) == last {
					close(cut)
				}
			}
		})
	}
	wg.Go(func() { h.follow(ctx, s) })
	<-cut
	h.Lock()
	acked, ended, seen := len(h.acked), len(h.ended), len(h.seen)
	h.Unlock()
	after := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
	cancel()
	wg.Wait()
	h.acked, h.ended, h.seen = h.acked[:acked], h.ended[:ended], h.seen[:seen] // the rest was said after the power was gone
	return after, nil
}

// change changes a stream and reports whether that was acknowledged.
func (h *history) change(ctx context.Context, s *engine.Store, rng *rand.Rand, stream, name string) bool {
	var err error
	e := ending{stream: "$$" + stream, typ: "$metadata"}
	switch n := rng.IntN(100); {
	case n < 85:
		return h.appendSome(ctx, s, rng, stream, name)
	case n < 92:
		limits := fmt.Appendf(nil, `{"$maxCount":%d,"$tb":%d,"$maxAge":100000}`, rng.IntN(6)-1, rng.IntN(6)-1)
		metadata := eventstore.Event{ID: eventID(rng.Uint64()), Type: "$metadata", Data: limits}
		h.try(metadata)
		var done eventstore.Appended
		done, err = s.Append(ctx, "$$"+stream, eventstore.Any, metadata)
		e.at = done.Position
	case n < 99 || stream == "s-0": // one stream lives on, or no append may ever succeed again
		e.at, err = s.Delete(ctx, stream, eventstore.Any)
	default:
		e.stream, e.typ = stream, "$streamDeleted"
		e.at, err = s.Tombstone(ctx, stream, eventstore.Any)
	}
	if err != nil {
		return false
	}
	h.Lock()
	defer h.Unlock()
	h.ended = append(h.ended, e)
	return true
}

func (h *history) try(events ...eventstore.Event) {
	h.Lock()
	defer h.Unlock()
	for _, e := range events {
		h.tried[e.ID] = e
	}
}

// appendSome appends one to four events and reports whether it was acknowledged.
func (h *history) appendSome(ctx context.Context, s *engine.Store, rng *rand.Rand, stream, name string) bool {
	info, err := s.Stream(ctx, stream)
	if err != nil {
		return false
	}
	expected := info.Last
	events := make([]eventstore.Event, 1+rng.IntN(4))
	for i := range events {
		events[i] = eventstore.Event{ID: eventID(rng.Uint64()), Type: "T", Data: fmt.Appendf(nil, `%q`, strings.Repeat(name, 1+rng.IntN(1000))), Meta: []byte(name)}
	}
	h.try(events...)
	at, err := s.Append(ctx, stream, expected, events...)
	if err != nil {
		return false
	}
	h.Lock()
	defer h.Unlock()
	expected = at.Revision - eventstore.Revision(len(events)) // to a deleted stream, one that expected none
	h.acked = append(h.acked, appended{stream, expected, events, at})
	return true
}

// follow notes what a subscriber gets.
func (h *history) follow(ctx context.Context, s eventstore.Store) {
	h.Lock()
	from := eventstore.Position{}
	if len(h.seen) > 0 {
		from = h.seen[len(h.seen)-1].Position
	}
	h.Unlock()
	for batch, err := range s.Subscribe(ctx, from) {
		if err != nil {
			return
		}
		h.Lock()
		h.seen = append(h.seen, batch...)
		h.Unlock()
	}
}

// check compares a store with what was promised to the outside world.
func (h *history) check(ctx context.Context, s *engine.Store) error {
	all := map[eventstore.ID]eventstore.Recorded{}
	var order []eventstore.Recorded
	next, there := map[string]eventstore.Revision{}, map[eventstore.Position]eventstore.Recorded{}
	for r, err := range s.ReadAll(ctx, eventstore.ReadAll{}) {
		if err != nil {
			return err
		}
		tried, ok := h.tried[r.ID]
		if own := r.Type == "$metadata" && strings.Contains(string(r.Data), "$tb") || r.Type == "$streamDeleted"; !ok && !own || ok && (string(tried.Data) != string(r.Data) || string(tried.Meta) != string(r.Meta)) {
			return fmt.Errorf("event at %v was never appended", r.Position)
		}
		if r.Type == "$streamDeleted" {
			next[r.Stream] = math.MaxInt64
		}
		if r.Revision != next[r.Stream] {
			return fmt.Errorf("event at %v is %s@%d, want revision %d", r.Position, r.Stream, r.Revision, next[r.Stream])
		}
		next[r.Stream]++
		there[r.Position] = r
		all[r.ID] = r
		order = append(order, r)
	}
	for _, a := range h.acked {
		for i, e := range a.events {
			r, ok := all[e.ID]
			if !ok || r.Stream != a.stream || r.Revision != a.expected+1+eventstore.Revision(i) {
				return fmt.Errorf("acknowledged event %d of the append to %s at %d: got %+v, %t", i, a.stream, a.expected, r.Revision, ok)
			}
			if i == len(a.events)-1 && r.Position != a.at.Position {
				return fmt.Errorf("acknowledged event is at %v, was at %v", r.Position, a.at.Position)
			}
		}
	}
	for _, e := range h.ended {
		if r := there[e.at]; r.Stream != e.stream || r.Type != e.typ {
			return fmt.Errorf("acknowledged %s of %s: %s of %s is at %v", e.typ, e.stream, r.Type, r.Stream, e.at)
		}
	}
	// What a subscriber saw is the beginning of the order, and it may go on.
	if len(order) < len(h.seen) {
		return fmt.Errorf("a subscriber saw %d events, %d are left", len(h.seen), len(order))
	}
	for i, r := range h.seen {
		if order[i].ID != r.ID || order[i].Position != r.Position {
			return fmt.Errorf("event %d of $all is at %v, a subscriber saw another one at %v", i, order[i].Position, r.Position)
		}
	}
	return errors.Join(h.checkStreams(ctx, s, order, next), h.checkRepeated(ctx, s, len(order)))
}

// checkStreams compares what is visible of streams with what $all says.
func (h *history) checkStreams(ctx context.Context, s *engine.Store, order []eventstore.Recorded, next map[string]eventstore.Revision) error {
	var errs []error
	for stream := range next {
		for _, o := range []eventstore.ReadStream{{}, {From: eventstore.Last, Direction: eventstore.Backward}} {
			errs = append(errs, compareWith(ctx, s, order, stream, time.Now(), o))
		}
	}
	return errors.Join(errs...)
}

// checkRepeated repeats every acknowledged append: each must find its events.
func (h *history) checkRepeated(ctx context.Context, s *engine.Store, events int) error {
	for _, a := range h.acked {
		at, err := s.Append(ctx, a.stream, a.expected, a.events...)
		if errors.Is(err, eventstore.ErrStreamDeleted) {
			if info, err := s.Stream(ctx, a.stream); err == nil && info.Tombstoned {
				continue
			}
		}
		if err != nil || at != a.at {
			return fmt.Errorf("repeated append to %s at %d = %+v, %w, want %+v", a.stream, a.expected, at, err, a.at)
		}
	}
	n := 0
	for _, err := range s.ReadAll(ctx, eventstore.ReadAll{}) {
		if err != nil {
			return err
		}
		n++
	}
	if n != events {
		return fmt.Errorf("repeated appends added %d events", n-events)
	}
	return nil
}
