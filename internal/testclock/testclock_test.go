package testclock_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"konto/internal/testclock"
)

var (
	start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	day   = 24 * time.Hour
)

// real is a real clock in the hands of a test.
type real struct{ at time.Time }

func (r *real) now() time.Time { return r.at }

func open(t *testing.T, file string, at time.Time, r *real) *testclock.Clock {
	t.Helper()
	c, err := testclock.Open(file, at, r.now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func want(t *testing.T, c *testclock.Clock, at time.Time) {
	t.Helper()
	if got := c.Now(); !got.Equal(at) {
		t.Errorf("Now = %s, want %s", got, at)
	}
}

func TestClockMovesForwardOnly(t *testing.T) {
	t.Parallel()
	r := &real{start.Add(400 * day)}
	c := open(t, filepath.Join(t.TempDir(), "clock.json"), start, r)
	want(t, c, start)
	r.at = r.at.Add(time.Minute)
	want(t, c, start.Add(time.Minute))
	if err := c.Set(start.Add(90 * day)); err != nil {
		t.Fatal(err)
	}
	want(t, c, start.Add(90*day))
	if err := c.Set(start); !errors.Is(err, testclock.ErrBackward) {
		t.Errorf("Set to what has passed = %v, want ErrBackward", err)
	}
	want(t, c, start.Add(90*day))
}

func TestClockGoesOnWhereItStood(t *testing.T) {
	t.Parallel()
	file, r := filepath.Join(t.TempDir(), "clock.json"), &real{start}
	if testclock.Kept(file) {
		t.Error("Kept = true before there was a clock")
	}
	c := open(t, file, start, r)
	if err := c.Set(start.Add(90 * day)); err != nil {
		t.Fatal(err)
	}
	r.at = r.at.Add(time.Hour)
	r.at = r.at.Add(7 * day) // nothing runs, and nothing was closed
	if !testclock.Kept(file) {
		t.Error("Kept = false")
	}
	want(t, open(t, file, start, r), start.Add(97*day+time.Hour))
	want(t, open(t, file, start.Add(100*day), r), start.Add(100*day))
}

func TestClockWithoutItsFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := testclock.Open(filepath.Join(dir, "none", "clock.json"), start, time.Now); err == nil {
		t.Error("Open in no directory: no error")
	}
	file := filepath.Join(dir, "clock.json")
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := testclock.Open(file, start, time.Now); err == nil {
		t.Error("Open of half a file: no error")
	}
}
