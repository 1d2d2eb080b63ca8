package engine_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

var (
	histories = flag.Int("histories", 12, "histories in TestLinearizable")
	history1  = flag.Uint64("history", 1, "number of the first history; each has its own random choices")
)

// TestLinearizable records what clients see who append to streams, read, delete
// and tombstone them while the power is cut twice, and looks for an order of
// their operations that explains it, stream by stream.
func TestLinearizable(t *testing.T) {
	t.Parallel()
	for i := range *histories {
		number := *history1 + uint64(i)
		operations, err := record(t.Context(), number)
		if err != nil {
			t.Fatalf("-histories=1 -history=%d: %v", number, err)
		}
		switch porcupine.CheckOperationsTimeout(streamModel(), operations, time.Minute) {
		case porcupine.Ok:
		case porcupine.Unknown:
			t.Errorf("-histories=1 -history=%d: no answer about %d operations in a minute", number, len(operations))
		case porcupine.Illegal:
			for _, o := range operations {
				t.Logf("%d-%d client %d: %+v = %+v", o.Call, o.Return, o.ClientId, o.Input, o.Output)
			}
			t.Fatalf("-histories=1 -history=%d: %d operations are not linearizable", number, len(operations))
		}
	}
}

// An operation on one stream. IDs are single letters, in the order of the events.
type operation struct {
	stream   string
	kind     kind
	expected eventstore.Revision // of everything but a read
	ids      string              // of an append
}

type kind int

const (
	appending kind = iota
	reading
	readingBack
	deleting
	tombstoning
)

// An outcome says what a client was told.
type outcome struct {
	verdict verdict
	at      eventstore.Revision // of an accepted append
	current eventstore.Revision // told to one with a wrong revision
	read    string              // IDs a read has seen, oldest first
}

type verdict int

const (
	accepted verdict = iota
	wrongRevision
	notFound
	gone    // the stream has a tombstone, or is deleted where it must exist
	unknown // the power went
)

// streamState is what the rules of EventStoreDB need to know of a stream.
type streamState struct {
	ids        string // of all events, the hidden ones too
	from       int    // revision of the oldest one that is not hidden
	deleted    bool   // and not written to since
	tombstoned bool
}

func (s streamState) last() eventstore.Revision {
	if s.tombstoned {
		return math.MaxInt64
	}
	return eventstore.Revision(len(s.ids) - 1)
}

func streamModel() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			parts := map[string][]porcupine.Operation{}
			for _, o := range history {
				stream := o.Input.(operation).stream
				parts[stream] = append(parts[stream], o)
			}
			var out [][]porcupine.Operation
			for _, part := range parts {
				out = append(out, part)
			}
			return out
		},
		Init: func() any { return streamState{} },
		Step: func(state, input, output any) (bool, any) {
			before, told := state.(streamState), output.(outcome)
			want, after := before.apply(input.(operation))
			if told.verdict == unknown {
				return true, after // it happened now, or, ordered last, never
			}
			return want == told, after
		},
	}
}

// apply says what must come of an operation.
func (s streamState) apply(o operation) (outcome, streamState) {
	switch {
	case s.tombstoned:
		return outcome{verdict: gone}, s
	case o.kind == reading || o.kind == readingBack:
		if s.ids == "" || s.deleted {
			return outcome{verdict: notFound}, s
		}
		return outcome{read: s.ids[s.from:]}, s
	case o.expected == eventstore.StreamExists && s.deleted:
		return outcome{verdict: gone}, s
	case o.kind == appending:
		return s.append(o)
	}
	exists := s.ids != "" || s.deleted
	fits := o.expected == s.last() && (exists || o.kind == tombstoning) || o.expected == eventstore.NoStream && s.deleted ||
		o.expected == eventstore.Any && (exists || o.kind == tombstoning) || o.expected == eventstore.StreamExists && exists
	switch {
	case !fits:
		return outcome{verdict: wrongRevision, current: s.last()}, s
	case o.kind == tombstoning:
		s.tombstoned = true
	default:
		s.deleted = true
	}
	return outcome{}, s
}

func (s streamState) append(o operation) (outcome, streamState) {
	wrong := outcome{verdict: wrongRevision, current: s.last()}
	write := func() (outcome, streamState) {
		if s.deleted {
			s.from, s.deleted = len(s.ids), false
		}
		s.ids += o.ids
		return outcome{at: s.last()}, s
	}
	switch {
	case o.expected == s.last():
		return write()
	case o.expected > s.last(), o.expected == eventstore.StreamExists && s.ids == "":
		return wrong, s
	case o.expected >= eventstore.NoStream:
		rest := s.ids[o.expected+1:]
		switch {
		case strings.HasPrefix(rest, o.ids):
			return outcome{at: o.expected + eventstore.Revision(len(o.ids))}, s
		case o.expected == eventstore.NoStream && s.deleted && rest[0] != o.ids[0]:
			return write()
		}
		return wrong, s
	}
	at := eventstore.NoStream
	for i := range len(o.ids) {
		found := strings.LastIndexByte(s.ids, o.ids[i]) // a new beginning may have repeated it
		switch {
		case found < 0 && i == 0:
			return write()
		case found < 0:
			return wrong, s
		}
		at = eventstore.Revision(found)
	}
	return outcome{at: at}, s
}

// recorder lets clients work on one disk and notes what they see.
type recorder struct {
	sync.Mutex
	began    time.Time
	letters  atomic.Int64
	history  []porcupine.Operation
	tried    []operation                           // appends
	position map[eventstore.Position]eventstore.ID // what was ever seen there
	faults   []error
}

// record runs three lives of one disk, the first two ended by a power cut.
func record(ctx context.Context, number uint64) ([]porcupine.Operation, error) {
	rng := rand.New(rand.NewPCG(number, 11))
	r := &recorder{began: time.Now(), position: map[eventstore.Position]eventstore.ID{}}
	fs := vfs.NewCrashableMem()
	for life := range 3 {
		s, err := engine.Open("store", engine.Config{FS: errorfs.Wrap(fs, unhurried()), MemTableBytes: 1 << 20, CachedHeads: []int{1, 2, 64}[rng.IntN(3)]})
		if err != nil {
			return nil, err
		}
		if fs, err = r.live(ctx, s, fs, rng, life); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		if err := s.Close(); err != nil {
			return nil, err
		}
	}
	return r.history, errors.Join(r.faults...)
}

// unhurried lets others go first at each sync, so that they meet in a group as
// they do behind a real disk.
func unhurried() errorfs.Injector {
	return errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData {
			for range 64 {
				runtime.Gosched()
			}
		}
		return nil
	})
}

// live ends after a random number of operations, and returns what a power cut
// at that moment leaves on the disk.
func (r *recorder) live(ctx context.Context, s *engine.Store, fs *vfs.MemFS, rng *rand.Rand, life int) (*vfs.MemFS, error) {
	const clients = 5
	var cut atomic.Bool
	var done atomic.Int64
	var wg sync.WaitGroup
	enough, ops := make(chan struct{}), int64(10+rng.IntN(30))
	for c := range clients {
		private := rand.New(rand.NewPCG(rng.Uint64(), uint64(c)))
		wg.Go(func() {
			for n := done.Add(1); n <= ops; n = done.Add(1) {
				if n == ops { // while the others are at work
					close(enough)
				}
				r.client(ctx, s, life*clients+c, private, &cut)
			}
		})
	}
	<-enough
	cut.Store(true) // nobody is told anything from here on
	after := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
	wg.Wait()
	return after, ctx.Err()
}

// client does one operation.
func (r *recorder) client(ctx context.Context, s *engine.Store, id int, rng *rand.Rand, cut *atomic.Bool) {
	stream := []string{"a-1", "a-2"}[rng.IntN(2)]
	o := operation{stream: stream, expected: []eventstore.Revision{eventstore.Any, eventstore.NoStream, eventstore.StreamExists}[rng.IntN(3)]}
	switch n := rng.IntN(100); {
	case n < 30:
		o.kind = reading + kind(rng.IntN(2))
	case n < 34:
		o.kind = deleting
	case n < 35:
		o.kind = tombstoning
	case n < 55 && r.repeat(rng, &o):
	default:
		for range 1 + rng.IntN(3) {
			o.ids += string([]byte{byte(r.letters.Add(1))})
		}
		if rng.IntN(2) == 0 {
			o.expected = lastRevision(ctx, s, stream)
		}
	}
	if o.kind == appending {
		r.Lock()
		r.tried = append(r.tried, o)
		r.Unlock()
	}
	call := time.Since(r.began).Nanoseconds()
	told, seen := r.perform(ctx, s, o)
	end := time.Since(r.began).Nanoseconds()
	if cut.Load() {
		if o.kind == reading || o.kind == readingBack {
			return
		}
		told, seen, end = outcome{verdict: unknown}, nil, math.MaxInt64
	}
	r.see(seen)
	r.Lock()
	defer r.Unlock()
	r.history = append(r.history, porcupine.Operation{ClientId: id, Input: o, Call: call, Output: told, Return: end})
}

// repeat makes o one of the appends that were tried before, on any disk and
// perhaps at this moment by somebody else, often with its end changed.
func (r *recorder) repeat(rng *rand.Rand, o *operation) bool {
	r.Lock()
	defer r.Unlock()
	if len(r.tried) == 0 {
		return false
	}
	*o = r.tried[len(r.tried)-1-rng.IntN(min(len(r.tried), 8))]
	switch n := len(o.ids); rng.IntN(6) {
	case 0:
		o.ids = o.ids[:1+rng.IntN(n)]
	case 1:
		o.ids = o.ids[:rng.IntN(n)] + string([]byte{byte(r.letters.Add(1))})
	case 2:
		o.expected = eventstore.Any
	}
	return true
}

func lastRevision(ctx context.Context, s *engine.Store, stream string) eventstore.Revision {
	for e, err := range s.Read(ctx, stream, eventstore.ReadStream{From: eventstore.Last, Direction: eventstore.Backward, Limit: 1}) {
		if err == nil {
			return e.Revision
		}
	}
	return eventstore.NoStream
}

func (r *recorder) perform(ctx context.Context, s *engine.Store, o operation) (told outcome, seen []place) {
	var err error
	switch o.kind {
	case reading, readingBack:
		told.read, seen, err = r.read(ctx, s, o)
	case deleting:
		_, err = s.Delete(ctx, o.stream, o.expected)
	case tombstoning:
		_, err = s.Tombstone(ctx, o.stream, o.expected)
	case appending:
		var events []eventstore.Event
		for _, letter := range []byte(o.ids) {
			events = append(events, eventstore.Event{ID: eventstore.ID{letter}, Type: "T", Data: []byte{letter}})
		}
		var done eventstore.Appended
		if done, err = s.Append(ctx, o.stream, o.expected, events...); err == nil {
			seen = append(seen, place{done.Position, events[len(events)-1].ID})
			told.at = done.Revision
		}
	}
	var wrong *eventstore.WrongRevisionError
	switch {
	case err == nil:
		return told, seen
	case errors.As(err, &wrong):
		return outcome{verdict: wrongRevision, current: wrong.Current}, nil
	case errors.Is(err, eventstore.ErrStreamNotFound):
		return outcome{verdict: notFound}, nil
	case errors.Is(err, eventstore.ErrStreamDeleted):
		return outcome{verdict: gone}, nil
	}
	r.fault(fmt.Errorf("%+v: %w", o, err))
	return outcome{verdict: unknown}, nil
}

func (r *recorder) read(ctx context.Context, s *engine.Store, o operation) (ids string, seen []place, err error) {
	q, next := eventstore.ReadStream{}, eventstore.Revision(-1)
	if o.kind == readingBack {
		q = eventstore.ReadStream{From: eventstore.Last, Direction: eventstore.Backward}
	}
	for e, err := range s.Read(ctx, o.stream, q) {
		if err != nil {
			return "", nil, err
		}
		seen = append(seen, place{e.Position, e.ID})
		if next >= 0 && e.Revision != next {
			r.fault(fmt.Errorf("%+v: revision %d where %d follows", o, e.Revision, next))
		}
		if o.kind == readingBack {
			ids, next = string(e.ID[:1])+ids, e.Revision-1
		} else {
			ids, next = ids+string(e.ID[:1]), e.Revision+1
		}
	}
	return ids, seen, nil
}

type place struct {
	position eventstore.Position
	id       eventstore.ID
}

// see holds positions to the events that were first seen there.
func (r *recorder) see(places []place) {
	for _, p := range places {
		r.Lock()
		was, seen := r.position[p.position]
		r.position[p.position] = p.id
		r.Unlock()
		if seen && was != p.id {
			r.fault(fmt.Errorf("position %v belonged to %v, now to %v", p.position, was, p.id))
		}
	}
}

func (r *recorder) fault(err error) {
	r.Lock()
	defer r.Unlock()
	r.faults = append(r.faults, err)
}
