package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"konto/eventstore"
	"konto/eventstore/esdb"
	"konto/eventstore/node/engine"
	"konto/internal/obs"
	"konto/internal/storecopy"
	"konto/internal/system"
)

func (a *app) store() *cobra.Command {
	c := group(&cobra.Command{Use: "store", Short: "Move a history from one event store to another"})
	c.AddCommand(a.storeCopy())
	return c
}

func (a *app) storeCopy() *cobra.Command {
	var from, to string
	var checkOnly bool
	c := &cobra.Command{
		Use:   "copy --from STORE --to STORE",
		Short: "Copy all streams, and check the copy",
		Long: `Copies every event with its stream, revision, ID and metadata, in the order of
the source, and then compares the two. A STORE is a directory (the data
directory of konto dev, konto serve or konto node, which must not run) or a
connection string (esdb://HOST:PORT?tls=false), or @FILE with a connection string
in it, which is the way to give a password.

Nobody else may write to the target meanwhile. A copy that was stopped, in
whatever way, goes on when it is started again. A source that grows is copied
up to where it was at the start; run it again for the rest.

Links, stream metadata, soft-deleted streams and tombstones are carried. The
streams of a node itself (settings, users, statistics, persistent
subscriptions, what projections derive) are not. Over a connection string the
target gives the time of recording, and revisions that a scavenge removed are
filled with events of the type $scavenged.

Konto's keys are no events: personal values open with keys.db and root.key of
the source, so copy those two files to the new data directory. Leave read.db,
bus and reactor.db behind; they are made anew, and nobody is told twice.`,
		Example: `  konto store copy --from konto-data --to @cluster.txt
  konto store copy --from 'esdb://127.0.0.1:2113?tls=false' --to backup
  konto store copy --from konto-data --to backup --check-only`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from == "" || to == "" {
				return usage(errors.New("want --from STORE and --to STORE"))
			}
			return a.copyStore(cmd.Context(), from, to, checkOnly)
		},
	}
	c.Flags().StringVar(&from, "from", "", "`STORE` to copy: a directory or a connection string")
	c.Flags().StringVar(&to, "to", "", "`STORE` to copy to; a directory that does not exist is made")
	c.Flags().BoolVar(&checkOnly, "check-only", false, "write nothing, only compare")
	return c
}

// errDiffers: the check has found differences.
var errDiffers = errors.New("the stores differ")

func (a *app) copyStore(ctx context.Context, from, to string, checkOnly bool) (err error) {
	if from == to {
		return usage(errors.New("--from and --to are the same store"))
	}
	source, err := a.openStore(ctx, from, false)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := a.openStore(ctx, to, !checkOnly)
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	progress, done := a.copyProgress()
	report, err := storecopy.Run(ctx, storecopy.Config{From: source, To: target, CheckOnly: checkOnly, Progress: progress})
	done()
	if err != nil {
		if ctx.Err() != nil && !checkOnly && !a.quiet {
			_, _ = fmt.Fprintf(a.stderr, "Stopped after %d events; the same command goes on from there.\n", report.Copied)
		}
		return err
	}
	if err := a.print(report, func(w *tabwriter.Writer) { copyTable(w, report, checkOnly) }); err != nil {
		return err
	}
	if !report.Same() {
		return fmt.Errorf("%w: %d differences", errDiffers, report.Different)
	}
	return nil
}

func copyTable(w *tabwriter.Writer, r storecopy.Report, checkOnly bool) {
	row := func(n int64, what string) {
		if n > 0 {
			_, _ = fmt.Fprintf(w, "%d\t%s\n", n, what)
		}
	}
	if !checkOnly {
		_, _ = fmt.Fprintf(w, "%d\tcopied\n", r.Copied)
		row(r.Found, "there before")
	}
	_, _ = fmt.Fprintf(w, "%d\tevents of %d streams compared\n", r.Events, r.Streams)
	row(r.Metadata, "streams with metadata")
	row(r.Deleted, "streams with a tombstone")
	row(r.LeftOut, "events of the node's own streams, not carried")
	row(r.Fillers, "events that stand for scavenged ones ("+storecopy.Filler+")")
	row(r.Times, "with the target's own time of recording")
	row(r.Rewritten, "metadata that the target has written itself")
	row(r.Foreign, "events of other streams in the target")
	row(r.Later, "events in the target since the copy")
	row(r.Different, "DIFFERENCES")
	for _, d := range r.Differences {
		_, _ = fmt.Fprintf(w, "\t%s\n", d)
	}
	if r.Grown {
		_, _ = fmt.Fprint(w, "\tThe source has grown meanwhile: run it again for the rest.\n")
	}
	_, _ = fmt.Fprintf(w, "\tup to %s, SHA-256 %s\n", r.UpTo, r.Digest)
}

// openStore opens what name stands for. Unless create is set, a directory must
// hold a store already. A connection string may hold a password: no error
// repeats it.
func (a *app) openStore(ctx context.Context, name string, create bool) (eventstore.Store, error) {
	if file, ok := strings.CutPrefix(name, "@"); ok {
		text, err := os.ReadFile(file) //nolint:gosec // the caller names the file
		if err != nil {
			return nil, err
		}
		return a.dialStore(ctx, trimSpace(text))
	}
	if scheme, rest, ok := strings.Cut(name, "://"); ok {
		if login, _, ok := strings.Cut(rest, "@"); ok && strings.Contains(login, ":") {
			return nil, usage(errors.New("a password on the command line can be seen by others of this machine; write the connection string to a file and name that as @FILE"))
		}
		return a.dialStore(ctx, scheme+"://"+rest)
	}
	dir, found := storeDir(name)
	if !found && !create {
		return nil, fmt.Errorf("%s: %w", name, errNoStore)
	}
	s, err := engine.Open(dir, engine.Config{Now: time.Now})
	if errors.Is(err, engine.ErrLocked) {
		return nil, fmt.Errorf("%s: %w; stop what runs there first, or copy from its address", name, system.ErrInUse)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// dialLimit is how long a store may take to answer the first time.
const dialLimit = 15 * time.Second

func (a *app) dialStore(ctx context.Context, name string) (eventstore.Store, error) {
	log, err := obs.Logger(a.stderr, "warn", terminal(a.stderr), time.Now)
	if err != nil {
		return nil, err
	}
	s, err := esdb.Open(esdb.Config{ConnectionString: name, Patience: dialLimit, Log: log, Now: time.Now})
	if err != nil {
		return nil, usage(err)
	}
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: no event store answers within %s", eventstore.ErrUnavailable, dialLimit), s.Close())
	}
	return s, nil
}

// errNoStore: nothing that could be copied.
var errNoStore = errors.New("there is no event store in this directory")

// storeDir returns where in a directory the store is, or is to be: a data
// directory has it in events, beside other things.
func storeDir(name string) (dir string, found bool) {
	for _, dir := range []string{filepath.Join(name, "events"), name} {
		if _, err := os.Stat(filepath.Join(dir, "db")); err == nil {
			return dir, true
		}
	}
	return filepath.Join(name, "events"), false
}

// How often a line is printed where no bar can be.
const lineEvery = 5 * time.Second

// copyProgress shows how far a copy is: a bar for each phase on a terminal, some
// lines elsewhere.
func (a *app) copyProgress() (progress func(storecopy.Progress), done func()) {
	if a.quiet || a.wantsLines() && !terminal(a.stderr) { // a program reads what went wrong there
		return nil, func() {}
	}
	var phase storecopy.Phase
	var began, printed time.Time
	text := func(p storecopy.Progress) string {
		took := time.Since(began)
		if p.Events <= 1 && p.Done < 1 {
			return string(p.Phase)
		}
		line := fmt.Sprintf("%s: %d events", p.Phase, p.Events)
		if s := took.Seconds(); s >= 1 {
			left := time.Duration(float64(took) * (1 - p.Done) / max(p.Done, 1e-6))
			line += fmt.Sprintf(", %.0f/s, %s left", float64(p.Events)/s, left.Round(time.Second))
		}
		return line
	}
	begins := func(p storecopy.Progress) bool {
		if p.Phase == phase {
			return false
		}
		phase, began = p.Phase, time.Now()
		return true
	}
	if !terminal(a.stderr) {
		return func(p storecopy.Progress) {
			if begins(p) || p.Done == 1 || time.Since(printed) >= lineEvery {
				printed = time.Now()
				_, _ = fmt.Fprintf(a.stderr, "[%3.0f%%] %s\n", 100*p.Done, text(p))
			}
		}, func() {}
	}
	bars := mpb.New(mpb.WithOutput(a.stderr), mpb.WithWidth(40))
	var now atomic.Value // the bar is drawn by a goroutine of its own
	now.Store("")
	bar := bars.AddBar(progressParts, mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Percentage(decor.WC{W: 5})),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return now.Load().(string) })))
	return func(p storecopy.Progress) {
			begins(p)
			now.Store(text(p))
			bar.SetCurrent(min(int64(p.Done*progressParts), progressParts-1)) // the end is done's
		}, func() {
			bar.Abort(true)
			bars.Wait()
		}
}

// progressParts is how finely a bar is divided.
const progressParts = 10_000
