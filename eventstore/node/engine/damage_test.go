package engine_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// TestDamage flips a bit or cuts off the end of a file of a store that was
// closed. What can still be read must be what was written: damage is reported,
// or hits bytes that hold no event.
func TestDamage(t *testing.T) {
	t.Parallel()
	disk := vfs.NewCrashableMem()
	want := map[eventstore.Position]string{}
	for life := range 2 { // the second leaves what it wrote in the log
		s, err := engine.Open("store", engine.Config{FS: disk})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 60 {
			data := strings.Repeat(fmt.Sprintf("%d/%d ", life, i), 100)
			at, err := s.Append(t.Context(), fmt.Sprintf("s-%d", i%7), eventstore.Any, eventstore.Event{ID: eventID(uint64(100*life + i)), Type: "T", Data: []byte(data)})
			if err != nil {
				t.Fatal(err)
			}
			want[at.Position] = data
		}
		if life == 1 {
			disk = disk.CrashClone(vfs.CrashCloneCfg{})
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	rng := rand.New(rand.NewPCG(4, 2))
	const tries = 48
	reported, silent := 0, 0
	for try := range tries {
		fs := disk.CrashClone(vfs.CrashCloneCfg{})
		what := damage(t, fs, rng)
		got, err := readEverything(t, fs)
		if err != nil {
			reported++
			continue
		}
		for p, data := range got {
			if want[p] != data {
				t.Errorf("try %d, %s: event at %v reads %.20q", try, what, p, data)
			}
		}
		if lost := len(want) - len(got); lost > 0 {
			// Only the end of the log can look like a write the power cut off.
			if !strings.Contains(what, ".log") {
				t.Errorf("try %d, %s: %d events are gone without an error", try, what, lost)
			}
			silent++
		}
	}
	if reported == 0 {
		t.Error("no damage was reported")
	}
	t.Logf("%d of %d damages reported, %d looked like a power cut", reported, tries, silent)
}

func damage(t *testing.T, fs vfs.FS, rng *rand.Rand) string {
	t.Helper()
	names, err := fs.List("store/db")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, name := range names {
		if strings.HasSuffix(name, ".log") || strings.HasSuffix(name, ".sst") || strings.HasPrefix(name, "MANIFEST") {
			files = append(files, "store/db/"+name)
		}
	}
	name := files[rng.IntN(len(files))]
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil || len(content) == 0 {
		return "nothing"
	}
	at := rng.IntN(len(content))
	what := fmt.Sprintf("%s bit flip at %d of %d", name, at, len(content))
	if rng.IntN(4) == 0 {
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
	return what
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
	for i := range 7 {
		for r, err := range s.Read(t.Context(), fmt.Sprintf("s-%d", i), eventstore.ReadStream{}) {
			if err != nil {
				if errors.Is(err, eventstore.ErrStreamNotFound) && len(got) < 7 {
					continue
				}
				return nil, wantCorrupt(t, err)
			}
			if got[r.Position] != string(r.Data) {
				t.Errorf("s-%d@%d differs from $all", i, r.Revision)
			}
		}
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
