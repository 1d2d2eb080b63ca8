// Package past gives a new data directory a past: it runs a whole Konto there,
// on a clock that stands still between two steps, and lets [simulate] live
// through the years. What `konto simulate --into`, `konto dev --history` and
// `konto bench` begin with is made here.
//
// # What is guaranteed
//
// The directory is as that Konto left it: whoever runs one there finds event
// store, keys and read models of one piece. A directory whose past was not
// finished, also because the process was killed, says so: [Unfinished]. Nothing
// but its past is in such a directory, so that it may be thrown away.
package past

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"konto/internal/demo"
	"konto/internal/httpapi"
	"konto/internal/simulate"
	"konto/internal/system"
	"konto/internal/testclock"
)

// ClockFile is the name of the file in the data directory that keeps the clock of
// a past while it is made.
const ClockFile = "past.clock.json"

const (
	// webhookSecret signs what the gateway says of the past.
	webhookSecret = "whsec_past"
	// stopLimit bounds the stop of the Konto that made it.
	stopLimit = 20 * time.Second
)

// Config says what past, and where.
type Config struct {
	Data string // directory; new or empty
	// Simulation says how many companies, years and which seed. Its place is
	// overwritten.
	Simulation simulate.Config
	// Demo has the demo company be there from the beginning and live through it,
	// with its partner looking after all others.
	Demo    bool
	Version httpapi.Version
	Log     zerolog.Logger
	Getenv  func(string) string // see [system.Config]
}

// Unfinished reports whether the making of the directory's past was cut short.
func Unfinished(data string) bool {
	_, err := os.Stat(filepath.Join(data, ClockFile))
	return !errors.Is(err, fs.ErrNotExist)
}

// Make makes it. It blocks for about two seconds of one core for each company
// and year, and stops with ctx.
func Make(ctx context.Context, cfg Config) (report simulate.Report, err error) {
	start := cfg.Simulation.Start
	clock, err := testclock.Open(filepath.Join(cfg.Data, ClockFile), start, func() time.Time { return start })
	if err != nil {
		return report, fmt.Errorf("past: %w", err)
	}
	s, err := system.Start(ctx, system.Config{
		Data: cfg.Data, Addr: "127.0.0.1:0", Dev: true, Stripe: system.Stripe{Secrets: []string{webhookSecret}},
		Version: cfg.Version, Log: cfg.Log, Now: clock.Now, Clock: clock, Getenv: cfg.Getenv,
	})
	if err != nil {
		return report, fmt.Errorf("past: %w", err)
	}
	report, err = cfg.live(ctx, s)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	if err = errors.Join(err, s.Stop(stopping)); err != nil {
		return report, err
	}
	return report, os.Remove(filepath.Join(cfg.Data, ClockFile))
}

// live lets the companies live in s.
func (cfg Config) live(ctx context.Context, s *system.System) (simulate.Report, error) {
	if err := s.AwaitStore(ctx); err != nil {
		return simulate.Report{}, err
	}
	sim := cfg.Simulation
	if cfg.Demo {
		if err := Demo(ctx, s); err != nil {
			return simulate.Report{}, err
		}
		sim.Settled = settled()
	}
	sim.Place = Place(s.URL(), webhookSecret, func(p demo.Person) (string, error) { return s.Issuer().Mint(p.Identity(), tokenLife) })
	sim.Place.AdvanceTo = func(ctx context.Context, to time.Time) error {
		_, err := s.AdvanceTo(ctx, to)
		return err
	}
	return simulate.Run(ctx, sim)
}

// settled are the companies of the demo world, the partner first.
func settled() []simulate.Settled {
	partner := simulate.Settled{ID: demo.Nordvind, Name: "Nordvind ApS", Domain: "nordvind.example", Country: "DK"}
	company := simulate.Settled{
		ID: demo.Norrsken, Name: "Norrsken Trädgård AB", Domain: "norrsken.example", Country: "SE",
		Standing: []simulate.Standing{{SubscriptionID: demo.Subscription, CardToken: demo.AnnasToken, AmountMinor: 1_788_00}},
	}
	for _, name := range []string{"bo", "saga", "ida"} {
		partner.People = append(partner.People, person(name))
	}
	for _, name := range []string{"anna", "mikkel", "eva"} {
		company.People = append(company.People, person(name))
	}
	return []simulate.Settled{partner, company}
}

func person(name string) simulate.Person {
	p, _ := demo.Find(name)
	return simulate.Person{ID: p.ID, Tenant: p.Tenant, Roles: p.Roles}
}
