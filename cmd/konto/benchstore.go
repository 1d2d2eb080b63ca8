package main

import (
	"context"
	"errors"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"konto/internal/bench"
)

func (a *app) benchStore() *cobra.Command {
	cfg := bench.StoreConfig{Now: time.Now}
	var only []string
	var profile string
	var large bool
	c := &cobra.Command{
		Use:   "store",
		Short: "Measure event stores side by side",
		Long: `Appends and reads the same events in the embedded engine, in the node through
EventStoreDB's official client, in PostgreSQL and in JetStream, one after the
other in one run, beside what the disk and gRPC can do without a store. It
starts all of them itself, in temporary directories; without PostgreSQL on this
machine that part is left out.

With --large it fills one store, and measures how fast konto node starts with it
and what memory it takes while it serves reads and appends. That takes minutes
and some 1,000 bytes of disk for each event.`,
		Example: `  konto bench store
  konto bench store --only engine,node --callers 256 --duration 10s
  konto bench store --large --events 5000000`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if large && (len(only) > 0 || cmd.Flags().Changed("callers")) {
				return usage(errors.New("--large measures one load: it takes no --only and no --callers"))
			}
			if !large && cmd.Flags().Changed("events") {
				return usage(errors.New("--events is for --large"))
			}
			for _, s := range only {
				cfg.Only = append(cfg.Only, bench.StoreKind(s))
			}
			return a.runBenchStore(cmd.Context(), cfg, large, profile)
		},
	}
	f := c.Flags()
	passingVar(f, &cfg.Duration, "duration", 3*time.Second, "how long each cell is measured")
	f.IntSliceVar(&cfg.Callers, "callers", []int{1, 16, 64, 256}, "writers at the same time, one cell each")
	f.StringSliceVar(&only, "only", nil, "stores: "+listed(bench.StoreKinds()))
	f.BoolVar(&large, "large", false, "measure start and memory of a large store instead")
	f.IntVar(&cfg.Large, "events", 5_000_000, "events of the large store")
	f.StringVar(&cfg.Dir, "dir", "", "directory on the disk to measure; default: the system's temporary directory")
	f.StringVar(&profile, "cpuprofile", "", "file to write a CPU profile of it all to, for go tool pprof")
	return c
}

func (a *app) runBenchStore(ctx context.Context, cfg bench.StoreConfig, large bool, profile string) error {
	done := func() {}
	if !a.quiet {
		cfg.Progress, done = a.progress()
	}
	stop, err := profileTo(profile)
	if err != nil {
		return err
	}
	defer stop()
	if large {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		cfg.Serve = []string{self, "node", "--insecure", "--addr", "127.0.0.1:0", "--log-level", "error", "--data"}
		report, err := bench.RunLargeStore(ctx, cfg)
		done()
		if err != nil {
			return err
		}
		return a.print(report, func(w *tabwriter.Writer) { report.Table(w) })
	}
	report, err := bench.RunStore(ctx, cfg)
	done()
	if err != nil {
		return err
	}
	return a.print(report, func(w *tabwriter.Writer) { report.Table(w) })
}
