package bench_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"konto/internal/bench"
	"konto/internal/system"
)

func config(t *testing.T, only ...bench.Section) bench.Config {
	t.Helper()
	return bench.Config{
		Dir: t.TempDir(), Duration: 200 * time.Millisecond, Callers: []int{1, 4}, Accounts: 40, Events: 2000,
		Only: only, Now: time.Now, Start: system.Start,
	}
}

// TestRun measures for an instant: every cell has figures, what was backlog is
// gone, and nothing is left on the disk.
func TestRun(t *testing.T) {
	t.Parallel()
	cfg := config(t, bench.Commands, bench.Replay, bench.Rebuild)
	steps := 0
	cfg.Progress = func(string, int, int) { steps++ }
	r, err := bench.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, cells := range [][]bench.CommandCell{r.Commands.Full, r.Commands.Write} {
		if len(cells) != len(cfg.Callers) {
			t.Errorf("%d cells, want %d", len(cells), len(cfg.Callers))
		}
		for _, c := range cells {
			if c.PerSecond <= 0 || c.Ceiling.PerSecond <= 0 || c.Ratio <= 0 || c.Latency.P99 < c.Latency.P50 {
				t.Errorf("%+v has no figures", c)
			}
		}
	}
	for _, c := range r.Commands.Full {
		if c.Visible == nil || c.Visible.N == 0 || c.Backlog == nil || c.Drained == nil {
			t.Errorf("%+v does not say when commands were visible", c)
		}
	}
	if r.Replay.ReplayMS <= 0 || r.Rebuild.Events != 2000 || r.Rebuild.PerSecond <= 0 {
		t.Errorf("replay %+v, rebuild %+v", r.Replay, r.Rebuild)
	}
	if r.Idle != nil || r.Engine != nil {
		t.Error("sections ran that nobody asked for")
	}
	if steps == 0 {
		t.Error("no progress was told")
	}
	if left, err := os.ReadDir(cfg.Dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left in the directory, %v", left, err)
	}
	var table strings.Builder
	r.Table(&table)
	for _, want := range []string{"EVERYTHING ON", "READ SIDE STOPPED", "REPLAY", "REBUILD", "4 callers"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
	if b, err := json.Marshal(r); err != nil || !strings.Contains(string(b), `"visibleMs"`) {
		t.Errorf("JSON = %s, %v", b, err)
	}
}

func TestIdle(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("sends 250 commands one by one")
	}
	r, err := bench.Run(t.Context(), config(t, bench.Idle))
	if err != nil {
		t.Fatal(err)
	}
	if i := r.Idle; i.Command.N != 200 || i.Visible.N != 200 || i.Mail.N != 50 || i.Mail.P50 <= 0 || i.StartMS <= 0 {
		t.Errorf("%+v, want 200 commands and 50 mails", i)
	}
}

func TestConfigThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*bench.Config){
		"no clock":          func(c *bench.Config) { c.Now = nil },
		"no system":         func(c *bench.Config) { c.Start = nil },
		"no callers":        func(c *bench.Config) { c.Callers = []int{0} },
		"too many callers":  func(c *bench.Config) { c.Callers = []int{41} },
		"unknown section":   func(c *bench.Config) { c.Only = []bench.Section{"disk"} },
		"no such directory": func(c *bench.Config) { c.Dir = "/nonexistent/konto" },
	} {
		cfg := config(t, bench.Replay)
		change(&cfg)
		if _, err := bench.Run(t.Context(), cfg); err == nil {
			t.Errorf("%s: Run = nil, want an error", name)
		}
	}
}

// TestRunFails reports why a system did not start, and cleans up.
func TestRunFails(t *testing.T) {
	t.Parallel()
	cfg := config(t, bench.Commands)
	cause := errors.New("no memory")
	cfg.Start = func(ctx context.Context, c system.Config) (*system.System, error) { return nil, cause }
	if _, err := bench.Run(t.Context(), cfg); !errors.Is(err, cause) {
		t.Errorf("Run = %v, want %v", err, cause)
	}
	if left, err := os.ReadDir(cfg.Dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left in the directory, %v", left, err)
	}
}
