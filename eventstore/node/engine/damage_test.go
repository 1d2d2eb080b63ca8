package engine_test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

var damages = flag.Int("damages", 20, "of each store in TestDamage")

// TestDamage flips a bit or cuts off the end of any file of a store: one that
// was closed, one whose process died, and one whose power was cut. What can
// still be read must be what was written: damage is reported, or hits bytes
// that do not matter.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, st := range damagedStores(t) {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			reported, harmless := map[string]int{}, map[string]int{}
			rng := rand.New(rand.NewPCG(*seed, 2))
			for range *damages {
				fs := st.clone()
				kind, what := damage(t, fs, rng, anyKind)
				lost, err := st.survives(t, fs, what)
				switch {
				case err != nil:
					reported[kind]++
				case lost == 0:
					harmless[kind]++
				case kind == "log" && !st.noted:
					// The end of the log looks like a write that the power cut off.
				default:
					t.Errorf("%s: %d events are gone without an error", what, lost)
				}
			}
			if len(reported) == 0 {
				t.Error("no damage was reported")
			}
			t.Logf("%d damages: reported %v, harmless %v", *damages, reported, harmless)
		})
	}
}

// TestDamageNeedsGuards damages what the guards are for, and takes them away:
// the test above must not be blind.
func TestDamageNeedsGuards(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ store, guard, kind string }{
		{"closed", "tables.guard", "MANIFEST"},
		{"killed", "log.guard", "log"},
	} {
		t.Run(c.guard, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(*seed, 3))
			// A store that had time to tidy up hides no damage, so there are several.
			const several, tries = 5, 100
			for range several {
				stores := damagedStores(t)
				st := stores[slices.IndexFunc(stores, func(st damagedStore) bool { return st.name == c.store })]
				for try := range tries {
					fs := st.clone()
					if err := fs.Remove("store/db/" + c.guard); err != nil {
						t.Fatal(err)
					}
					_, what := damage(t, fs, rng, func(kind string) bool { return kind == c.kind })
					if lost, err := st.survives(t, fs, what); err == nil && lost > 0 {
						t.Logf("found at try %d, %s: %d events are gone", try+1, what, lost)
						return
					}
				}
			}
			t.Errorf("%d damages to %s passed without %s", several*tries, c.kind, c.guard)
		})
	}
}

// damagedStore is one before the damage.
type damagedStore struct {
	name  string
	disk  *vfs.MemFS
	want  map[eventstore.Position]string
	noted bool // the end of the log survived
}

const damagedStreams = 7

// damagedStores makes stores with tables, compacted ones too, and some with
// events that only the log has.
func damagedStores(t *testing.T) []damagedStore {
	t.Helper()
	disk := vfs.NewCrashableMem()
	want := map[eventstore.Position]string{}
	var stores []damagedStore
	note := func(name string, noted bool, kept int) {
		cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: kept, RNG: rand.New(rand.NewPCG(1, 1))}
		stores = append(stores, damagedStore{name, disk.CrashClone(cfg), maps.Clone(want), noted})
	}
	for life := range 2 {
		s, err := engine.Open("store", engine.Config{FS: disk, MemTableBytes: 1 << 20, Indexes: true})
		if err != nil {
			t.Fatal(err)
		}
		var at eventstore.Appended
		for i := range 70 {
			data := strings.Repeat(fmt.Sprintf("%d/%d ", life, i), 10+i%3*1700)
			at, err = s.Append(t.Context(), fmt.Sprintf("s-%d", i%damagedStreams), eventstore.Any, eventstore.Event{ID: eventID(uint64(100*life + i)), Type: "T", Data: []byte(data)})
			if err != nil {
				t.Fatal(err)
			}
			want[at.Position] = data
		}
		if life == 1 {
			note("power cut", false, 0)
			awaitNoted(t, s, at.Position.Commit)
			note("killed", true, 100)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	note("closed", true, 100)
	return stores
}

// awaitNoted waits until it is noted that the log has got to position.
func awaitNoted(t *testing.T, s *engine.Store, position uint64) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for t.Context().Err() == nil {
		noted, err := s.NotedEnd()
		if err != nil {
			t.Fatal(err)
		}
		if noted == position {
			return
		}
		<-tick.C
	}
}

func (st damagedStore) clone() *vfs.MemFS { return st.disk.CrashClone(vfs.CrashCloneCfg{}) }

// survives reads the damaged store and returns how many events it does not
// have. What it has must be right.
func (st damagedStore) survives(t *testing.T, fs vfs.FS, what string) (lost int, err error) {
	t.Helper()
	got, err := readEverything(t, fs)
	if err != nil {
		return 0, err
	}
	for p, data := range got {
		if st.want[p] != data {
			t.Errorf("%s: event at %v reads %.20q", what, p, data)
		}
	}
	return len(st.want) - len(got), nil
}

func anyKind(string) bool { return true }

// damage damages a file of a kind that counts.
func damage(t *testing.T, fs vfs.FS, rng *rand.Rand, counts func(kind string) bool) (kind, what string) {
	t.Helper()
	files := map[string][]string{}
	for _, dir := range []string{"store", "store/db"} {
		names, err := fs.List(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			kind := name[strings.LastIndexByte(name, '.')+1:] // log, sst, guard
			if before, _, ok := strings.Cut(kind, "-"); ok {
				kind = before // MANIFEST, OPTIONS, and the markers that name them
			}
			path := fs.PathJoin(dir, name)
			if info, err := fs.Stat(path); err == nil && !info.IsDir() && info.Size() > 0 && counts(kind) {
				files[kind] = append(files[kind], path)
			}
		}
	}
	kinds := slices.Sorted(maps.Keys(files))
	kind = kinds[rng.IntN(len(kinds))]
	name := files[kind][rng.IntN(len(files[kind]))]
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	at := rng.IntN(len(content))
	what = fmt.Sprintf("%s bit flip at %d of %d", name, at, len(content))
	if rng.IntN(3) == 0 {
		content, what = content[:at], fmt.Sprintf("%s cut to %d of %d", name, at, len(content))
	} else {
		content[at] ^= 1 << rng.IntN(8)
	}
	out, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = out.Write(content)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		t.Fatal(err)
	}
	return kind, what
}

// readEverything reads $all and every stream, and reports the first error.
func readEverything(t *testing.T, fs vfs.FS) (map[eventstore.Position]string, error) {
	t.Helper()
	s, err := engine.Open("store", engine.Config{FS: fs})
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	got := map[eventstore.Position]string{}
	for r, err := range s.ReadAll(t.Context(), eventstore.ReadAll{}) {
		if err != nil {
			return nil, wantCorrupt(t, err)
		}
		got[r.Position] = string(r.Data)
	}
	n := 0
	for i := range damagedStreams {
		for r, err := range s.Read(t.Context(), fmt.Sprintf("s-%d", i), eventstore.ReadStream{}) {
			if err != nil {
				if errors.Is(err, eventstore.ErrStreamNotFound) && len(got) < damagedStreams {
					continue
				}
				return nil, wantCorrupt(t, err)
			}
			if n++; got[r.Position] != string(r.Data) {
				t.Errorf("s-%d@%d differs from $all", i, r.Revision)
			}
		}
	}
	if n != len(got) {
		t.Errorf("streams have %d events, $all %d", n, len(got))
	}
	return got, nil
}

func wantCorrupt(t *testing.T, err error) error {
	t.Helper()
	if !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("read of a damaged store = %v, want ErrUnavailable", err)
	}
	return err
}
