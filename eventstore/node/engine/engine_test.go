package engine_test

import (
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"konto/eventstore"
	"konto/eventstore/eventstoretest"
	"konto/eventstore/node/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]engine.Config{
		"Default": {},
		"Small":   {CacheBytes: 1 << 20, MemTableBytes: 1 << 20, TailBytes: 4 << 10, CachedHeads: 2, RememberedIDs: 1 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eventstoretest.Run(t, func(t *testing.T) eventstore.Store {
				t.Helper()
				return open(t, t.TempDir(), c)
			})
			eventstoretest.RunReopen(t, func(t *testing.T) string {
				t.Helper()
				return filepath.Join(t.TempDir(), "new", "store")
			}, func(t *testing.T, dir string) eventstore.Store {
				t.Helper()
				return open(t, dir, c)
			})
		})
	}
}

func open(tb testing.TB, dir string, c engine.Config) *engine.Store {
	tb.Helper()
	s, err := engine.Open(dir, c)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestOpenTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, engine.Config{})
	if second, err := engine.Open(dir, engine.Config{}); !errors.Is(err, engine.ErrLocked) {
		t.Errorf("second Open = %v, %v, want ErrLocked", second, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir, engine.Config{}).Close(); err != nil {
		t.Error(err)
	}
}

func TestNewerFormat(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := open(t, dir, engine.Config{}).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := pebble.Open(filepath.Join(dir, "db"), &pebble.Options{Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Set([]byte("mformat"), binary.BigEndian.AppendUint32(nil, 99), pebble.Sync), db.Close()); err != nil {
		t.Fatal(err)
	}
	if s, err := engine.Open(dir, engine.Config{}); !errors.Is(err, engine.ErrFormat) {
		t.Errorf("Open of a newer format = %v, %v, want ErrFormat", s, err)
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		config engine.Config
		want   string // in the error; empty: none
	}{
		{engine.Config{}, ""},
		{engine.Config{MemTableBytes: 1 << 20}, ""},
		{engine.Config{MemTableBytes: 1}, "MemTableBytes is 1"},
		{engine.Config{CacheBytes: -1}, "CacheBytes is -1"},
		{engine.Config{MaxAppendBytes: 17 << 20}, "MaxAppendBytes"},
		{engine.Config{TailBytes: -1}, "TailBytes"},
		{engine.Config{CachedHeads: -1}, "CachedHeads"},
		{engine.Config{RememberedIDs: -1}, "RememberedIDs"},
	} {
		err := test.config.Validate()
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("Validate(%+v) = %v, want %q", test.config, err, test.want)
		}
	}
}

// TestClock checks that events carry the store's clock, in UTC and microseconds,
// and that the listener hears of each group.
func TestClock(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.FixedZone("x", 3600))
	groups := make(chan engine.Group, 1)
	s := open(t, t.TempDir(), engine.Config{Now: func() time.Time { return at }, Listener: engine.Listener{Committed: func(g engine.Group) { groups <- g }}})
	defer func() { _ = s.Close() }()
	if _, err := s.Append(t.Context(), "s", eventstore.NoStream, eventstore.Event{ID: eventstore.ID{1}, Type: "T"}, eventstore.Event{ID: eventstore.ID{2}, Type: "T"}); err != nil {
		t.Fatal(err)
	}
	if g := <-groups; g.Appends != 1 || g.Events != 2 || g.Took != 0 {
		t.Errorf("Committed heard %+v", g)
	}
	for r, err := range s.Read(t.Context(), "s", eventstore.ReadStream{}) {
		if want := at.UTC().Truncate(time.Microsecond); err != nil || !cmp.Equal(r.At, want) {
			t.Errorf("At = %v, %v, want %v", r.At, err, want)
		}
	}
}

// TestRememberedIDs checks that appends with Any can be repeated after a
// restart, and that only so many IDs are remembered.
func TestRememberedIDs(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), engine.Config{RememberedIDs: 3}
	s := open(t, dir, c)
	add := func(id byte) eventstore.Revision {
		at, err := s.Append(t.Context(), "s", eventstore.Any, eventstore.Event{ID: eventstore.ID{id}, Type: "T"})
		if err != nil {
			t.Fatal(err)
		}
		return at.Revision
	}
	for id := byte(1); id <= 4; id++ {
		add(id)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, c)
	defer func() { _ = s.Close() }()
	if got := add(2); got != 1 {
		t.Errorf("the second of four events again, three remembered: revision %d, want 1", got)
	}
	if got := add(1); got != 4 {
		t.Errorf("the first of four events again, three remembered: revision %d, want 4", got)
	}
}

// TestWithdrawn checks that an append whose context ends while it waits for the
// writer is not stored.
func TestWithdrawn(t *testing.T) {
	t.Parallel()
	hold, held := make(chan struct{}), make(chan struct{}, 100)
	s := open(t, t.TempDir(), engine.Config{Listener: engine.Listener{Committed: func(engine.Group) {
		held <- struct{}{}
		<-hold
	}}})
	defer func() { _ = s.Close() }()
	event := func(id byte) eventstore.Event { return eventstore.Event{ID: eventstore.ID{id}, Type: "T"} }
	if _, err := s.Append(t.Context(), "s", eventstore.Any, event(1)); err != nil {
		t.Fatal(err)
	}
	<-held // the acknowledging goroutine stands still: at most three more groups fit into the pipeline
	type answer struct {
		id  byte
		err error
	}
	const more = 8
	ctx, cancel := context.WithCancel(t.Context())
	answers := make(chan answer)
	for id := byte(2); id < 2+more; id++ {
		go func() {
			_, err := s.Append(ctx, "s", eventstore.Any, event(id))
			answers <- answer{id, err}
		}()
	}
	cancel()
	withdrawn, unknown := map[byte]bool{}, 0
	for range more {
		a := <-answers
		switch {
		case errors.Is(a.err, eventstore.ErrUnknownOutcome) && errors.Is(a.err, context.Canceled):
			unknown++
		case errors.Is(a.err, context.Canceled):
			withdrawn[a.id] = true
		default:
			t.Errorf("Append whose context ended = %v", a.err)
		}
	}
	close(hold)
	if _, err := s.Append(t.Context(), "s", eventstore.Any, event(100)); err != nil {
		t.Fatal(err)
	}
	for r, err := range s.Read(t.Context(), "s", eventstore.ReadStream{}) {
		if err != nil || withdrawn[r.ID[0]] {
			t.Errorf("event %d is stored although its append was withdrawn (%v)", r.ID[0], err)
		}
	}
}
