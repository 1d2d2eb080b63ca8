package origin_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/origin"
)

func add(t *testing.T, s eventstore.Store, id byte) {
	t.Helper()
	if _, err := s.Append(t.Context(), "s", eventstore.Any, eventstore.Event{ID: eventstore.ID{id}, Type: "T", Data: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
}

// keep runs a keeper for an instant.
func keep(t *testing.T, s eventstore.Store, path string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (&origin.Keeper{Store: s, Path: path}).Run(ctx, func(err error) { t.Error(err) }); err != nil {
		t.Fatal(err)
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	original := func(ids ...byte) eventstore.Store {
		s := memory.New()
		for _, id := range ids {
			add(t, s, id)
		}
		return s
	}
	for _, test := range []struct {
		name       string
		seen, then eventstore.Store
		want       bool
	}{
		{"the same events", original(1, 2, 3), original(1, 2, 3), true},
		{"more of them", original(1, 2), original(1, 2, 3), true},
		{"one event", original(1), original(1, 2), true},
		{"another event there", original(1, 2), original(1, 9, 3), false},
		{"another first event", original(1), original(2), false},
		{"elsewhere", original(1, 2), original(7, 1, 2), false},
		{"fewer", original(1, 2, 3), original(1, 2), false},
		{"none", original(1), original(), false},
		{"none remembered", original(), original(1), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "store.json")
			keep(t, test.seen, path)
			k := &origin.Keeper{Store: test.then, Path: path}
			if got, err := k.Same(t.Context()); err != nil || got != test.want {
				t.Errorf("Same = %t, %v, want %t", got, err, test.want)
			}
			if err := errors.Join(k.Forget(), k.Forget()); err != nil {
				t.Fatal(err)
			}
			if got, err := k.Same(t.Context()); err != nil || !got {
				t.Errorf("Same after Forget = %t, %v, want true", got, err)
			}
		})
	}
}

func TestDamagedFile(t *testing.T) {
	t.Parallel()
	s, path := memory.New(), filepath.Join(t.TempDir(), "store.json")
	add(t, s, 1)
	for _, text := range []string{"", "{", `{"previous":"x"}`, `{"previous":"C:0/P:0","position":"C:64/P:64","id":"00"}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := (&origin.Keeper{Store: s, Path: path}).Same(t.Context()); err != nil || got {
			t.Errorf("Same with the file %q = %t, %v, want false", text, got, err)
		}
	}
}

// TestRun remembers what comes while it runs, and tells what fails.
func TestRun(t *testing.T) {
	t.Parallel()
	s, path := memory.New(), filepath.Join(t.TempDir(), "store.json")
	add(t, s, 1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	failures := make(chan error, 1000)
	k := &origin.Keeper{Store: s, Path: path, Every: time.Millisecond}
	go func() { ended <- k.Run(ctx, func(err error) { failures <- err }) }()
	read := func() string {
		b, _ := os.ReadFile(path)
		return string(b)
	}
	waitFor(t, func() bool { return read() != "" })
	first := read()
	add(t, s, 2)
	waitFor(t, func() bool { return read() != first })
	if err := os.Mkdir(path+".new", 0o700); err != nil {
		t.Fatal(err)
	}
	add(t, s, 3)
	if err := <-failures; err == nil {
		t.Error("nil was told as a failure")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("it does not happen")
		}
	}
}
