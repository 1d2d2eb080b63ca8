package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"konto/internal/client"
	"konto/internal/system"
	"konto/internal/testclock"
)

const (
	clockFile  = "clock.json" // in the data directory
	clockRoute = "/dev/clock"
	clockAsk   = 5 * time.Second // how long the clock may take to say what time it is
)

func (a *app) clock() *cobra.Command {
	c := &cobra.Command{
		Use:   "clock",
		Short: "Read and move the clock of konto dev --clock",
		Long: `Prints what time it is for the konto dev on this machine, and moves its clock
forward. On the way it stops at every moment for which something is scheduled,
and lets that happen: a month of reminders and retries takes a second.`,
		Example: `  konto clock
  konto clock advance 36h
  konto clock advance 90d
  konto clock to 2026-03-01`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.askClock(cmd.Context(), http.MethodGet, "")
		},
	}
	c.AddCommand(&cobra.Command{
		Use: "advance DURATION", Short: "Let time pass: 90d, 36h, 15m", Args: oneArg("a DURATION, such as 36h or 90d"),
		RunE: func(cmd *cobra.Command, args []string) error {
			by, err := passing(args[0])
			if err != nil {
				return usage(err)
			}
			return a.askClock(cmd.Context(), http.MethodPost, fmt.Sprintf(`{"advance":%q}`, by))
		},
	}, &cobra.Command{
		Use: "to TIME", Short: "Let time pass until then: a date or an RFC 3339 time", Args: oneArg("a TIME, such as 2026-03-01"),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := moment(args[0])
			if err != nil {
				return usage(err)
			}
			return a.askClock(cmd.Context(), http.MethodPost, fmt.Sprintf(`{"to":%q}`, to.Format(time.RFC3339Nano)))
		},
	})
	return c
}

// moment reads a date, midnight UTC, or an RFC 3339 time.
func moment(s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%s: want a date such as 2026-03-01 or a time such as 2026-03-01T12:00:00Z", s)
	}
	return t, nil
}

func (a *app) askClock(ctx context.Context, method, body string) error {
	l, err := readLocal(a.devData)
	if err != nil {
		return err
	}
	c := &client.Client{Base: l.URL}
	answer, err := c.Do(ctx, method, clockRoute, http.Header{"Content-Type": {"application/json"}}, []byte(body))
	var p *client.Problem
	if errors.As(err, &p) && p.Status == http.StatusNotFound {
		return errors.New("this konto dev runs on the real clock; start it with --clock")
	}
	if err != nil {
		return err
	}
	var at system.Clocked
	if err := json.Unmarshal(answer, &at); err != nil {
		return err
	}
	return a.print(at, func(w *tabwriter.Writer) {
		_, _ = fmt.Fprintf(w, "%s\n", at.Now.Format(time.RFC3339))
		if at.Steps > 0 && !a.quiet {
			_, _ = fmt.Fprintf(a.stderr, "something was due %d times on the way\n", at.Steps)
		}
	})
}

// now is the clock that tokens have to go by.
func (l local) now() (func() time.Time, error) {
	if !l.Clock {
		return time.Now, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), clockAsk)
	defer cancel()
	c := &client.Client{Base: l.URL}
	var at system.Clocked
	if err := c.Get(ctx, clockRoute, &at); err != nil {
		return nil, fmt.Errorf("the test clock: %w", err)
	}
	return func() time.Time { return at.Now }, nil
}

// devClock returns the clock that konto dev runs on, and the same as one that
// can be moved if it is a test clock.
func (a *app) devClock(o devOptions) (func() time.Time, *testclock.Clock, error) {
	file := filepath.Join(a.devData, clockFile)
	if o.clock == "" {
		if testclock.Kept(file) {
			return nil, nil, fmt.Errorf("%s was made under a test clock: --clock goes on with it, --reset begins anew", a.devData)
		}
		return time.Now, nil, nil
	}
	start, err := o.clockStart()
	if err != nil {
		return nil, nil, err
	}
	c, err := testclock.Open(file, start, time.Now)
	if err != nil {
		return nil, nil, err
	}
	return c.Now, c, nil
}

// clockStart is the time that --clock names.
func (o devOptions) clockStart() (time.Time, error) {
	if o.clock == "" || o.clock == "now" {
		return time.Now(), nil
	}
	return moment(o.clock)
}

// renewTokens writes tokens for the people of the demo company as of now.
func (a *app) renewTokens(s *system.System) error {
	return writeTokens(s.Issuer(), filepath.Join(a.devData, "tokens"))
}
