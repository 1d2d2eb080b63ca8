package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"konto/internal/bench"
	"konto/internal/system"
)

func (a *app) bench() *cobra.Command {
	cfg := bench.Config{Now: time.Now, Start: system.Start}
	var only []string
	var profile string
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure this machine: commands, event store, lags, replay, rebuild",
		Long: `Starts whole systems in temporary directories and measures them beside what the
machine can do without them. It needs no running Konto and touches no data.
Absolute figures say as much about the machine as about Konto, and other work
on it disturbs them; ratios less so.`,
		Example: `  konto bench
  konto bench --only commands --callers 64 --duration 10s
  konto simulate --into history --tenants 20 && konto bench --only replay,rebuild --history history
  konto bench --dir /mnt/disk-under-test -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, s := range only {
				cfg.Only = append(cfg.Only, bench.Section(s))
			}
			done := func() {}
			if !a.quiet {
				cfg.Progress, done = a.progress()
			}
			stop, err := profileTo(profile)
			if err != nil {
				return err
			}
			report, err := bench.Run(cmd.Context(), cfg)
			done()
			stop()
			if err != nil {
				return err
			}
			return a.print(report, func(w *tabwriter.Writer) { report.Table(w) })
		},
	}
	f := c.Flags()
	passingVar(f, &cfg.Duration, "duration", 3*time.Second, "how long each cell is measured")
	f.IntSliceVar(&cfg.Callers, "callers", []int{1, 16, 64, 256}, "callers at the same time, one cell each")
	f.StringSliceVar(&only, "only", nil, "sections: "+listed(bench.Sections()))
	f.IntVar(&cfg.Accounts, "accounts", 2048, "accounts that commands go to")
	f.IntVar(&cfg.Events, "events", 200_000, "events of the history that is rebuilt")
	f.StringVar(&cfg.History, "history", "", "data directory such as konto simulate makes: its longest account is replayed, its read models are rebuilt")
	f.StringVar(&cfg.Dir, "dir", "", "directory on the disk to measure; default: the system's temporary directory")
	f.StringVar(&profile, "cpuprofile", "", "file to write a CPU profile of it all to, for go tool pprof")
	c.AddCommand(a.benchStore())
	return c
}

// listed names all that a flag takes.
func listed[S ~string](all []S) string {
	names := make([]string, 0, len(all))
	for _, s := range all {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

func profileTo(file string) (stop func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.Create(file) //nolint:gosec // the caller names the file
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}

// progress returns what is told of progress, and what ends it: a bar on a
// terminal, elsewhere a line for each step, or [progressLines] of very many.
func (a *app) progress() (func(step string, done, total int), func()) {
	f, ok := a.stderr.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		last := -1
		return func(step string, done, total int) {
			if last < 0 || done != last && (total <= progressLines || done*progressLines/total != last*progressLines/total) {
				_, _ = fmt.Fprintf(a.stderr, "[%d/%d] %s\n", min(done+1, total), total, step)
				last = done
			}
		}, func() {}
	}
	bars := mpb.New(mpb.WithOutput(f), mpb.WithWidth(40))
	var now atomic.Value // the bar is drawn by a goroutine of its own
	now.Store("")
	bar := bars.AddBar(0, mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Percentage(decor.WC{W: 5})),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return now.Load().(string) })))
	return func(step string, done, total int) {
			now.Store(step)
			bar.SetTotal(int64(total), false)
			bar.SetCurrent(int64(done))
		}, func() {
			bar.Abort(true)
			bars.Wait()
		}
}

// progressLines are so many lines of progress at most, where there is no terminal.
const progressLines = 25
