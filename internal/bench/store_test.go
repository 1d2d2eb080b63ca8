package bench_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/node"
	"konto/internal/bench"
)

// serveNode makes the test binary stand in for konto node.
const serveNode = "serve-node"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == serveNode {
		os.Exit(serve(os.Args[2]))
	}
	os.Exit(m.Run())
}

func serve(dir string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	n, err := node.Open(ctx, node.Config{
		Dir: dir, Addr: "127.0.0.1:0", Insecure: true, Now: time.Now, NewID: func() eventstore.ID { return eventstore.ID(uuid.New()) }, Log: zerolog.Nop(),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(n.Addr())
	ended := make(chan error, 1)
	go func() { ended <- n.Serve() }()
	<-ctx.Done()
	if err := errors.Join(n.Close(context.WithoutCancel(ctx)), <-ended); err != nil {
		return 1
	}
	return 0
}

func storeConfig(t *testing.T, only ...bench.StoreKind) bench.StoreConfig {
	t.Helper()
	dir, err := os.MkdirTemp("", "konto-bench-test-") //nolint:usetesting // t.TempDir is closed to the user that PostgreSQL runs as
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return bench.StoreConfig{
		Dir: dir, Duration: 300 * time.Millisecond, Callers: []int{1, 4}, Only: only, Long: 700, Short: 20, Large: 3000, Now: time.Now,
	}
}

// TestRunStore measures each store for an instant: every cell has figures, and
// nothing is left on the disk.
func TestRunStore(t *testing.T) {
	t.Parallel()
	for _, kind := range bench.StoreKinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			cfg := storeConfig(t, kind)
			last, total := 0, 0
			cfg.Progress = func(_ string, done, of int) { last, total = done, of }
			r, err := bench.RunStore(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Stores) != 1 || r.Stores[0].Kind != kind {
				t.Fatalf("report is about %+v", r.Stores)
			}
			s := r.Stores[0]
			if s.Left != "" {
				t.Skip(s.Left)
			}
			if last != total-1 {
				t.Errorf("the last step was %d of %d", last, total)
			}
			if len(s.Appends) != len(cfg.Callers) || r.Sync.PerSecond <= 0 {
				t.Errorf("%d cells, sync %+v", len(s.Appends), r.Sync)
			}
			for _, c := range s.Appends {
				if c.PerSecond <= 0 || c.PerSync <= 0 || c.Latency.P99 < c.Latency.P50 || (c.Ceiling != nil) != (kind == bench.StoreNode) {
					t.Errorf("%+v has no figures", c)
				}
			}
			if s.Reads == nil || s.Reads.All <= 0 || s.Reads.Stream <= 0 || s.Reads.Short <= 0 || s.PeakMB <= 0 {
				t.Errorf("reads %+v, peak %v", s.Reads, s.PeakMB)
			}
			if left, err := os.ReadDir(cfg.Dir); err != nil || len(left) > 0 {
				t.Errorf("%v is left in the directory, %v", left, err)
			}
			var table strings.Builder
			r.Table(&table)
			if !strings.Contains(table.String(), string(kind)+"\t4\t") {
				t.Errorf("the table lacks a row:\n%s", table.String())
			}
			if b, err := json.Marshal(r); err != nil || !strings.Contains(string(b), `"perSync"`) {
				t.Errorf("JSON = %s, %v", b, err)
			}
		})
	}
}

// TestFigures says of each of the design's figures whether it was reached.
func TestFigures(t *testing.T) {
	t.Parallel()
	cfg := storeConfig(t, bench.StoreEngine)
	cfg.Callers = []int{256}
	r, err := bench.RunStore(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Figures) != 4 {
		t.Errorf("%d figures, want appends and three reads", len(r.Figures))
	}
	for _, f := range r.Figures {
		if f.Have <= 0 || f.Reached != (f.Have >= f.Want) {
			t.Errorf("figure %+v", f)
		}
	}
}

func TestRunLargeStore(t *testing.T) {
	t.Parallel()
	cfg := storeConfig(t)
	cfg.Duration = time.Second // other tests run beside it
	cfg.Serve = []string{os.Args[0], serveNode}
	r, err := bench.RunLargeStore(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if r.Events != cfg.Large || r.StartMS <= 0 || r.EndStartMS <= 0 || r.Appends.PerSecond <= 0 ||
		r.ReadAll <= 0 || r.ReadShort <= 0 || r.PeakMB < r.IdleMB || r.IdleMB <= 0 || len(r.LoadFigures) != 2 {
		t.Errorf("report %+v", r)
	}
	var table strings.Builder
	r.Table(&table)
	if !strings.Contains(table.String(), "MB while a node with 3000 events serves") {
		t.Errorf("the table lacks a figure:\n%s", table.String())
	}
}

func TestStoreConfigThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*bench.StoreConfig){
		"no clock":          func(c *bench.StoreConfig) { c.Now = nil },
		"no callers":        func(c *bench.StoreConfig) { c.Callers = []int{0} },
		"no events":         func(c *bench.StoreConfig) { c.Long = -1 },
		"unknown store":     func(c *bench.StoreConfig) { c.Only = append(slices.Clone(c.Only), "tape") },
		"no such directory": func(c *bench.StoreConfig) { c.Dir = "/nonexistent/konto" },
	} {
		cfg := storeConfig(t, bench.StoreEngine)
		change(&cfg)
		if _, err := bench.RunStore(t.Context(), cfg); err == nil {
			t.Errorf("%s: RunStore = nil, want an error", name)
		}
	}
}
