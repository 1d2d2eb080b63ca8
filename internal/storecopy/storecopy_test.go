package storecopy_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/eventstore/node/engine"
	"konto/internal/storecopy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// plain is a store of which only the port can be seen: what a copy finds over
// the network.
type plain struct{ eventstore.Store }

func openEngine(t *testing.T) *engine.Store {
	t.Helper()
	s, err := engine.Open("store", engine.Config{FS: vfs.NewMem(), MemTableBytes: 1 << 20, CacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func event(n uint64, typ string, data string) eventstore.Event {
	e := eventstore.Event{Type: typ, Data: []byte(data), Meta: fmt.Appendf(nil, `{"n":%d}`, n), Binary: typ == "$>" || n%7 == 0}
	for i := range 8 {
		e.ID[i] = byte(n >> (8 * i))
	}
	e.ID[15] = 1
	return e
}

// write appends some events to some streams, links and metadata among them. It
// draws what it writes from seed.
func write(t *testing.T, s eventstore.Store, seed uint64, appends int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	n := seed << 32
	add := func(stream string, events ...eventstore.Event) {
		if _, err := s.Append(t.Context(), stream, eventstore.Any, events...); err != nil {
			t.Fatal(err)
		}
	}
	for i := range appends {
		stream := fmt.Sprintf("account-%d", r.IntN(20))
		switch r.IntN(10) {
		case 0:
			n++
			add("links", event(n, "$>", "0@"+stream))
		case 1:
			n++
			add("$$"+stream, event(n, "$metadata", fmt.Sprintf(`{"$maxCount":%d}`, 10+i)))
		case 2:
			n++
			add("$stats-127.0.0.1:2113", event(n, "$statsCollected", "{}"))
		default:
			events := make([]eventstore.Event, 1+r.IntN(3))
			for k := range events {
				n++
				events[k] = event(n, "Happened", fmt.Sprintf(`{"n":%d}`, n))
			}
			add(stream, events...)
		}
	}
}

func all(t *testing.T, s eventstore.Store) []eventstore.Recorded {
	t.Helper()
	var out []eventstore.Recorded
	for r, err := range s.ReadAll(t.Context(), eventstore.ReadAll{}) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// carried is what of all a copy must hold, in its order.
func carried(all []eventstore.Recorded) (out []string) {
	for _, r := range all {
		if !strings.HasPrefix(r.Stream, "$stats") {
			out = append(out, fmt.Sprintf("%s@%d %x %s %t %s %s", r.Stream, r.Revision, r.ID, r.Type, r.Binary, r.Data, r.Meta))
		}
	}
	return out
}

// targets are the ways to write to a store.
var targets = map[string]func(t *testing.T) eventstore.Store{
	"a directory":   func(t *testing.T) eventstore.Store { t.Helper(); return openEngine(t) },
	"over the port": func(t *testing.T) eventstore.Store { t.Helper(); return plain{openEngine(t)} },
	"memory":        func(*testing.T) eventstore.Store { return memory.New() },
}

func run(t *testing.T, cfg storecopy.Config) storecopy.Report {
	t.Helper()
	r, err := storecopy.Run(t.Context(), cfg)
	if err != nil {
		t.Fatalf("Run = %v", err)
	}
	return r
}

// TestCopy copies, copies again, lets the source grow and copies the rest.
func TestCopy(t *testing.T) {
	t.Parallel()
	for name, open := range targets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := openEngine(t), open(t)
			write(t, from, 1, 1500)
			var phases []storecopy.Phase
			cfg := storecopy.Config{From: from, To: to, Progress: func(p storecopy.Progress) {
				if len(phases) == 0 || phases[len(phases)-1] != p.Phase {
					phases = append(phases, p.Phase)
				}
				if p.Done < 0 || p.Done > 1 {
					t.Errorf("progress %v", p)
				}
			}}
			first := run(t, cfg)
			want := carried(all(t, from))
			if diff := cmp.Diff(want, carried(all(t, to))); diff != "" {
				t.Fatalf("the copy differs (-want +got):\n%s", diff)
			}
			if !first.Same() || first.Copied != int64(len(want)) || first.Found != 0 || first.LeftOut == 0 || first.Grown {
				t.Errorf("first report %+v, want %d copied", first, len(want))
			}
			again := run(t, cfg)
			if again.Copied != 0 && first.Exact || again.Digest != first.Digest || !again.Same() {
				t.Errorf("second report %+v, want nothing new, digest %s", again, first.Digest)
			}
			write(t, from, 2, 200)
			rest := run(t, cfg)
			if diff := cmp.Diff(carried(all(t, from)), carried(all(t, to))); diff != "" {
				t.Errorf("the copy of what came later differs (-want +got):\n%s", diff)
			}
			if rest.Digest == first.Digest || !rest.Same() || rest.Found == 0 {
				t.Errorf("third report %+v", rest)
			}
			if diff := cmp.Diff([]storecopy.Phase{storecopy.Finding, storecopy.Copying, storecopy.Checking}, phases[:3]); diff != "" {
				t.Errorf("phases (-want +got):\n%s", diff)
			}
			if back := run(t, storecopy.Config{From: to, To: openEngine(t)}); back.Digest != rest.Digest {
				t.Errorf("a copy of the copy has digest %s, want %s", back.Digest, rest.Digest)
			}
		})
	}
}

// TestUnknownOutcome repeats what may not have arrived.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	from, to := openEngine(t), memory.New()
	write(t, from, 4, 30)
	n := 0
	to.Fault = func(_ string, stored bool) error {
		if n++; n%5 == 0 && n < 60 {
			if stored {
				return eventstore.ErrUnknownOutcome
			}
			return eventstore.ErrUnavailable
		}
		return nil
	}
	run(t, storecopy.Config{From: from, To: to})
	if diff := cmp.Diff(carried(all(t, from)), carried(all(t, to))); diff != "" {
		t.Errorf("the copy differs (-want +got):\n%s", diff)
	}
}

// TestOtherData refuses a target whose streams are not those of the source,
// and leaves the streams of others alone.
func TestOtherData(t *testing.T) {
	t.Parallel()
	for name, open := range targets {
		for _, test := range []struct {
			name    string
			there   func(add func(stream string, e eventstore.Event))
			refused bool
		}{
			{"another stream", func(add func(string, eventstore.Event)) { add("guest-1", event(1, "Else", "{}")) }, false},
			{"another event", func(add func(string, eventstore.Event)) { add("account-0", event(1, "Else", "{}")) }, true},
			{"another event of a later stream", func(add func(string, eventstore.Event)) { add("last", event(1, "Else", "{}")) }, true},
		} {
			t.Run(name+"/"+test.name, func(t *testing.T) {
				t.Parallel()
				from, to := openEngine(t), open(t)
				write(t, from, 5, 100)
				if _, err := from.Append(t.Context(), "last", eventstore.NoStream, event(5<<32+1<<20, "Happened", "{}")); err != nil {
					t.Fatal(err)
				}
				test.there(func(stream string, e eventstore.Event) {
					if _, err := to.Append(t.Context(), stream, eventstore.Any, e); err != nil {
						t.Fatal(err)
					}
				})
				report, err := storecopy.Run(t.Context(), storecopy.Config{From: from, To: to})
				if errors.Is(err, storecopy.ErrOtherData) != test.refused || !test.refused && (err != nil || !report.Same() || report.Foreign != 1) {
					t.Errorf("Run = %+v, %v, refused: want %t", report, err, test.refused)
				}
			})
		}
	}
}

// altered is a source that differs from the store in one event.
type altered struct {
	eventstore.Store
	change func(*eventstore.Recorded) (drop bool)
}

func (a altered) ReadAll(ctx context.Context, o eventstore.ReadAll) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		for r, err := range a.Store.ReadAll(ctx, o) {
			if err == nil && a.change(&r) {
				continue
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// TestCheck finds every difference that a copy may have.
func TestCheck(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*eventstore.Recorded) bool{
		"":              func(*eventstore.Recorded) bool { return false },
		"data":          func(r *eventstore.Recorded) bool { r.Data = []byte("{}"); return false },
		"metadata":      func(r *eventstore.Recorded) bool { r.Meta = []byte("{}"); return false },
		"type":          func(r *eventstore.Recorded) bool { r.Type = "Else"; return false },
		"content type":  func(r *eventstore.Recorded) bool { r.Binary = !r.Binary; return false },
		"ID":            func(r *eventstore.Recorded) bool { r.ID[14]++; return false },
		"revision":      func(r *eventstore.Recorded) bool { r.Revision += 100; return false },
		"stream":        func(r *eventstore.Recorded) bool { r.Stream = "account-x"; return false },
		"missing event": func(*eventstore.Recorded) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := openEngine(t), openEngine(t)
			write(t, from, 6, 300)
			digest := run(t, storecopy.Config{From: from, To: plain{to}}).Digest
			n := 0
			damaged := altered{to, func(r *eventstore.Recorded) bool {
				if strings.HasPrefix(r.Stream, "account-") {
					n++
					return n == 77 && change(r)
				}
				return false
			}}
			before := len(all(t, to))
			r := run(t, storecopy.Config{From: from, To: damaged, CheckOnly: true})
			if r.Same() != (name == "") || r.Digest != digest || len(r.Differences) == 0 && name != "" {
				t.Errorf("report %+v", r)
			}
			if after := len(all(t, to)); after != before {
				t.Errorf("the check has written %d events", after-before)
			}
		})
	}
}

// TestTooLarge names the event that the target does not take.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	from, err := engine.Open("store", engine.Config{FS: vfs.NewMem(), MaxAppendBytes: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = from.Close() }()
	for n, size := range []int{100, 3 << 20} {
		if _, err := from.Append(t.Context(), "s", eventstore.Any, event(uint64(n+1), "Happened", strings.Repeat("x", size))); err != nil {
			t.Fatal(err)
		}
	}
	_, err = storecopy.Run(t.Context(), storecopy.Config{From: from, To: memory.New()})
	if !errors.Is(err, eventstore.ErrTooLarge) || !strings.Contains(err.Error(), "s@1") {
		t.Errorf("Run = %v, want ErrTooLarge for s@1", err)
	}
}

// TestHole copies a stream whose first events a scavenge has removed.
func TestHole(t *testing.T) {
	t.Parallel()
	for _, hole := range []int{1, 5, 1203} {
		t.Run(strconv.Itoa(hole), func(t *testing.T) {
			t.Parallel()
			from, to := memory.New(), openEngine(t)
			for n := range hole + 3 {
				if _, err := from.Append(t.Context(), "s", eventstore.Revision(n-1), event(uint64(n+1), "Happened", "{}")); err != nil {
					t.Fatal(err)
				}
			}
			scavenged := altered{from, func(r *eventstore.Recorded) bool { return int(r.Revision) < hole }}
			for range 2 {
				r := run(t, storecopy.Config{From: scavenged, To: plain{to}})
				if !r.Same() || r.Fillers != int64(hole) || r.Events != 3 {
					t.Errorf("report %+v, want %d fillers", r, hole)
				}
			}
			got := all(t, to)
			if len(got) != hole+3 || got[0].Type != storecopy.Filler || got[hole].ID != event(uint64(hole+1), "", "").ID {
				t.Errorf("the target holds %d events, want %d", len(got), hole+3)
			}
		})
	}
}
