package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"konto/internal/client"
	"konto/internal/demo"
	"konto/internal/past"
	"konto/internal/simulate"
	"konto/internal/testclock"
)

// simulateOptions are the flags of konto simulate.
type simulateOptions struct {
	tenants, years int
	seed           uint64
	start          string
	into           string
}

func (a *app) simulate() *cobra.Command {
	var o simulateOptions
	c := &cobra.Command{
		Use:   "simulate",
		Short: "Make believable histories: companies that live for years",
		Long: `Makes companies whose people, cards, subscriptions and partners live through
years, on a clock that is moved. The same seed makes the same history.

It goes to the konto dev on this machine, which has to run with --clock, and
moves its clock. With --into it goes straight into a new data directory instead,
for konto dev --data to show; konto store copy brings it to another event store.`,
		Example: `  konto simulate --into history --tenants 10 --years 2 --seed 7
  konto dev --data history --seed empty
  konto simulate --tenants 1`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			start, err := o.begins(time.Now())
			if err != nil {
				return usage(err)
			}
			cfg := simulate.Config{Tenants: o.tenants, Years: o.years, Seed: o.seed, Start: start}
			if o.into != "" {
				return a.simulateInto(cmd.Context(), o, cfg)
			}
			return a.simulateHere(cmd.Context(), cfg)
		},
	}
	f := c.Flags()
	f.IntVar(&o.tenants, "tenants", 3, "how many companies")
	f.IntVar(&o.years, "years", 1, "how many years they live through")
	f.Uint64Var(&o.seed, "seed", 1, "the same seed makes the same history")
	f.StringVar(&o.start, "start", "", "when it begins, a date or an RFC 3339 time; default: so that it ends today, or now on a test clock")
	f.StringVar(&o.into, "into", "", "new data directory to make it in")
	return c
}

// begins is when the history begins.
func (o simulateOptions) begins(now time.Time) (time.Time, error) {
	switch {
	case o.start != "" && o.into == "":
		return now, errors.New("--start: it is for --into; a running clock goes on from where it is")
	case o.start != "":
		return moment(o.start)
	}
	return now.UTC().Truncate(24*time.Hour).AddDate(-o.years, 0, 0), nil
}

// simulateInto makes the past of a new data directory.
func (a *app) simulateInto(ctx context.Context, o simulateOptions, cfg simulate.Config) error {
	if entries, err := os.ReadDir(o.into); err == nil && len(entries) > 0 {
		return usage(fmt.Errorf("--into %s: it is not empty", o.into))
	}
	if err := os.MkdirAll(o.into, 0o700); err != nil {
		return err
	}
	a.devData = o.into
	log, closeLog, err := a.devLog(ctx.Done())
	if err != nil {
		return err
	}
	defer closeLog()
	report, err := a.lived(cfg, func(cfg simulate.Config) (simulate.Report, error) {
		return past.Make(ctx, past.Config{Data: o.into, Simulation: cfg, Version: buildVersion(), Log: log, Getenv: a.getenv})
	})
	if err != nil {
		return err
	}
	// A history that ends in the past is on the real clock from now on.
	if report.To.After(time.Now()) {
		_, err = testclock.Open(filepath.Join(o.into, clockFile), report.To, time.Now)
	}
	return errors.Join(err, a.printSimulation(report))
}

// simulateHere goes to the konto dev on this machine.
func (a *app) simulateHere(ctx context.Context, cfg simulate.Config) error {
	l, err := readLocal(a.devData)
	if err != nil {
		return err
	}
	c := &client.Client{Base: l.URL}
	if _, err := c.Do(ctx, http.MethodGet, "/livez", nil, nil); err != nil {
		return err // it has ended; what it ran on does not matter
	}
	if !l.Clock {
		return errors.New("this konto dev runs on the real clock; start it with --clock, or name a new directory with --into")
	}
	now, err := l.now()
	if err != nil {
		return err
	}
	cfg.Start = now().Add(time.Minute).Truncate(time.Minute)
	cfg.Place = past.Place(l.URL, l.StripeSecret, func(p demo.Person) (string, error) { return l.mint(a.devData, p) })
	cfg.Place.AdvanceTo = func(ctx context.Context, to time.Time) error {
		if at, err := l.now(); err != nil || !to.After(at()) {
			return err // a clock that goes has got there by itself
		}
		body := fmt.Sprintf(`{"to":%q}`, to.Format(time.RFC3339Nano))
		_, err := c.Do(ctx, http.MethodPost, clockRoute, http.Header{"Content-Type": {"application/json"}}, []byte(body))
		return err
	}
	report, err := a.lived(cfg, func(cfg simulate.Config) (simulate.Report, error) { return simulate.Run(ctx, cfg) })
	if err != nil {
		return err
	}
	return a.printSimulation(report)
}

// lived runs a simulation and tells people how far it is.
func (a *app) lived(cfg simulate.Config, run func(simulate.Config) (simulate.Report, error)) (simulate.Report, error) {
	if a.quiet {
		return run(cfg)
	}
	progress, done := a.progress()
	defer done()
	cfg.Progress = func(at time.Time, done, total int) { progress(at.UTC().Format(time.DateOnly), done, total) }
	return run(cfg)
}

func (a *app) printSimulation(report simulate.Report) error {
	return a.print(report, func(w *tabwriter.Writer) {
		_, _ = fmt.Fprintf(w, "%d companies with %d people, %s to %s\n", report.Tenants, report.People,
			report.From.Format(time.DateOnly), report.To.Format(time.DateOnly))
		for _, part := range []struct {
			title  string
			counts map[string]int
		}{{"COMMAND", report.Commands}, {"CHARGE", report.Charges}, {"REFUSED", report.Refused}} {
			_, _ = fmt.Fprintf(w, "\n%s\tTIMES\n", part.title)
			for _, name := range simulate.Names(part.counts) {
				_, _ = fmt.Fprintf(w, "%s\t%d\n", name, part.counts[name])
			}
		}
	})
}
