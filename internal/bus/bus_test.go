package bus_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"konto/internal/bus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, dir string) *bus.Bus {
	t.Helper()
	b, err := bus.Start(t.Context(), bus.Config{Dir: dir, Log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestStartIsQuick(t *testing.T) {
	began := time.Now()
	b := start(t, t.TempDir())
	if took := time.Since(began); took > time.Second { // 50 ms on an idle machine
		t.Errorf("Start took %v", took)
	} else {
		t.Logf("Start took %v", took)
	}
	if got, want := b.Conn().MaxPayload(), int64(bus.MaxPayload); got != want {
		t.Errorf("MaxPayload() = %d, want %d", got, want)
	}
}

func TestRestart(t *testing.T) {
	ctx := t.Context()
	b := start(t, t.TempDir())
	js, err := jetstream.New(b.Conn())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(ctx, "s", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	count := func() (uint64, error) {
		s, err := js.Stream(ctx, "S")
		if err != nil {
			return 0, err
		}
		return s.CachedInfo().State.Msgs, nil
	}
	restart(t, b, false)
	if n, err := count(); n != 1 || err != nil {
		t.Errorf("after a restart: %d messages, %v, want 1", n, err)
	}
	restart(t, b, true)
	if _, err := count(); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("after a wipe: %v, want %v", err, jetstream.ErrStreamNotFound)
	}
}

func restart(t *testing.T, b *bus.Bus, wipe bool) {
	t.Helper()
	if err := b.Restart(t.Context(), wipe); err != nil {
		t.Fatal(err)
	}
}

func TestUnusableDirectory(t *testing.T) {
	dir := t.TempDir()
	// JetStream wants a directory of this name.
	if err := os.WriteFile(filepath.Join(dir, "jetstream"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := bus.Start(t.Context(), bus.Config{Dir: dir, Log: zerolog.Nop()})
	if err != nil {
		t.Fatalf("Start on a broken directory: %v", err)
	}
	_ = b.Close()
}

func TestInvalid(t *testing.T) {
	for _, c := range []bus.Config{{}, {Dir: "d", MaxStore: -1}} {
		if err := c.Validate(); err == nil {
			t.Errorf("Validate(%+v) = nil, want an error", c)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bus.Start(ctx, bus.Config{Dir: t.TempDir()}); err == nil {
		t.Error("Start with an ended context = nil, want an error")
	}
}
