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
	"github.com/stripe/stripe-go/v85/webhook"

	"konto/internal/client"
	"konto/internal/demo"
	"konto/internal/simulate"
	"konto/internal/system"
	"konto/internal/testclock"
)

// codeTime is how long a one-time code may take to arrive.
const codeTime = 10 * time.Second

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

// simulateInto runs a Konto on a clock that stands still between two steps.
func (a *app) simulateInto(ctx context.Context, o simulateOptions, cfg simulate.Config) (err error) {
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
	file := filepath.Join(o.into, clockFile)
	clock, err := testclock.Open(file, cfg.Start, func() time.Time { return cfg.Start })
	if err != nil {
		return err
	}
	secret := newSecret()
	s, err := system.Start(ctx, system.Config{
		Data: o.into, Addr: "127.0.0.1:0", Dev: true, Stripe: system.Stripe{Secrets: []string{secret}},
		Version: buildVersion(), Log: log, Now: clock.Now, Clock: clock, Getenv: a.getenv,
	})
	if err != nil {
		return err
	}
	defer func() { err = a.stop(s, err) }()
	if err := s.AwaitStore(ctx); err != nil {
		return err
	}
	cfg.Place = a.place(s.URL(), secret, func(p demo.Person) (string, error) { return mintBy(s.Issuer(), p) })
	cfg.Place.AdvanceTo = func(ctx context.Context, to time.Time) error {
		_, err := s.AdvanceTo(ctx, to)
		return err
	}
	report, err := a.runSimulation(ctx, cfg)
	if err != nil {
		return err
	}
	// A history that ends in the past is on the real clock from now on.
	if err := os.Remove(file); err != nil {
		return err
	}
	if report.To.After(time.Now()) {
		if _, err := testclock.Open(file, report.To, time.Now); err != nil {
			return err
		}
	}
	return nil
}

// simulateHere goes to the konto dev on this machine.
func (a *app) simulateHere(ctx context.Context, cfg simulate.Config) error {
	l, err := readLocal(a.devData)
	if err != nil {
		return err
	}
	if !l.Clock {
		return errors.New("this konto dev runs on the real clock; start it with --clock, or name a new directory with --into")
	}
	now, err := l.now()
	if err != nil {
		return err
	}
	cfg.Start = now().Add(time.Minute).Truncate(time.Minute)
	cfg.Place = a.place(l.URL, l.StripeSecret, func(p demo.Person) (string, error) { return l.mint(a.devData, p) })
	c := &client.Client{Base: l.URL}
	cfg.Place.AdvanceTo = func(ctx context.Context, to time.Time) error {
		if at, err := l.now(); err != nil || !to.After(at()) {
			return err // a clock that goes has got there by itself
		}
		body := fmt.Sprintf(`{"to":%q}`, to.Format(time.RFC3339Nano))
		_, err := c.Do(ctx, http.MethodPost, clockRoute, http.Header{"Content-Type": {"application/json"}}, []byte(body))
		return err
	}
	_, err = a.runSimulation(ctx, cfg)
	return err
}

// place is a Konto in development, by its URL.
func (a *app) place(base, secret string, token func(demo.Person) (string, error)) simulate.Place {
	open := &client.Client{Base: base}
	return simulate.Place{
		As: func(_ context.Context, p simulate.Person) (*client.Client, error) {
			t, err := token(demo.Person{ID: p.ID, Tenant: p.Tenant, Roles: p.Roles, Kind: p.Kind})
			return &client.Client{Base: base, Token: t}, err
		},
		Webhook: func(ctx context.Context, event []byte) error {
			signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: event, Secret: secret})
			_, err := open.Do(ctx, http.MethodPost, "/v1/gateways/stripe", http.Header{"Stripe-Signature": {signed.Header}}, event)
			return err
		},
		Code: func(ctx context.Context, recipient string) (string, error) {
			ctx, cancel := context.WithTimeout(ctx, codeTime)
			defer cancel()
			if err := open.Settle(ctx); err != nil {
				return "", err
			}
			sent, err := mails(ctx, open, recipient)
			if err != nil {
				return "", err
			}
			for _, m := range sent { // newest first
				if code := codes.FindString(m.Text); code != "" {
					return code, nil
				}
			}
			return "", simulate.ErrNoCode
		},
	}
}

func (a *app) runSimulation(ctx context.Context, cfg simulate.Config) (simulate.Report, error) {
	done := func() {}
	if !a.quiet {
		var progress func(string, int, int)
		progress, done = a.progress()
		cfg.Progress = func(at time.Time, done, total int) { progress(at.UTC().Format(time.DateOnly), done, total) }
	}
	report, err := simulate.Run(ctx, cfg)
	done()
	if err != nil {
		return report, err
	}
	return report, a.print(report, func(w *tabwriter.Writer) {
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
