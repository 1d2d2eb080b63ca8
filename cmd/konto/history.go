package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"konto/internal/past"
	"konto/internal/simulate"
)

const (
	// maxHistory is how many companies konto dev begins with at most. More is
	// for konto simulate, which says how long it takes.
	maxHistory = 1000
	// historySeed makes the same history every time.
	historySeed = 1
)

// devHistory makes the year before, unless the data directory has data.
func (a *app) devHistory(ctx context.Context, o devOptions, log zerolog.Logger) error {
	if _, err := os.Stat(filepath.Join(a.devData, "events")); !errors.Is(err, fs.ErrNotExist) {
		if err == nil && !a.quiet {
			_, _ = fmt.Fprintf(a.stderr, "%s has data: no history is made; --reset begins anew\n", a.devData)
		}
		return err
	}
	end, err := o.clockStart()
	if err != nil {
		return err
	}
	cfg := simulate.Config{Tenants: o.history, Years: 1, Seed: historySeed, Start: end.UTC().Truncate(24*time.Hour).AddDate(-1, 0, 0)}
	_, err = a.lived(cfg, func(cfg simulate.Config) (simulate.Report, error) {
		return past.Make(ctx, past.Config{Data: a.devData, Simulation: cfg, Demo: true, Version: buildVersion(), Log: log, Getenv: a.getenv})
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("the history is not finished, and the next start begins it anew: %w", err)
	}
	return err
}
