package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"konto/eventstore/esdb"
	"konto/internal/demo"
	"konto/internal/identity"
	"konto/internal/past"
	"konto/internal/system"
)

// stopLimit is how long a stop may take before it is given up.
const stopLimit = 20 * time.Second

func (a *app) dev() *cobra.Command {
	var o devOptions
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run everything on this machine, with a demo company",
		Long: `Runs the whole system in one process: event store, bus, read models, API,
issuer and mailbox, all embedded, with a demo company to try things on. It is
not for production: its issuer gives tokens to whoever can read the data
directory. Data is kept between runs.

With --history, a new data directory gets the year before this one first: the
demo company, its partner and as many other companies as you say live through
it, the same way each time, so that lists, timelines and the audit are full. It
takes some seconds for each. A directory that has data keeps what it has.

With --clock, time can be moved forward: konto clock advance 30d lets a month
pass, with every deadline, retry and reminder in it at its own moment. Data that
was made under such a clock stays under it. It needs the embedded event store:
deadlines go by the time at which the store took an event.

With --store, events are in the EventStoreDB there, and what belongs to them,
such as keys, is still in the data directory: the two go together.`,
		Example: `  konto dev
  konto dev --reset --addr 127.0.0.1:9000
  konto dev --history 5
  konto dev --clock=2026-01-01
  konto dev --data other --store 'esdb://127.0.0.1:2113?tls=false'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return usage(err)
			}
			return a.runDev(cmd.Context(), o)
		},
	}
	c.Flags().StringVar(&a.devData, "data", defaultData(a.getenv), "directory that everything is kept in")
	c.Flags().StringVar(&o.addr, "addr", "127.0.0.1:8080", "HOST:PORT to serve on; port 0 picks one")
	c.Flags().StringVar(&o.store, "store", "", storeUsage)
	c.Flags().StringVar(&o.esdbAddr, "esdb-addr", "", esdbAddrUsage)
	c.Flags().StringVar(&o.seed, "seed", "demo", "what to begin with: demo or empty")
	c.Flags().IntVar(&o.history, "history", 0, "let so many companies, and the demo company, live through the year before; for a new data directory")
	c.Flags().StringVar(&o.clock, "clock", "", "run on a clock that konto clock moves, from this time or date on; alone: from now on")
	c.Flags().Lookup("clock").NoOptDefVal = "now"
	c.Flags().BoolVar(&o.reset, "reset", false, "throw away what the data directory holds, first")
	return c
}

// devOptions are the flags of konto dev.
type devOptions struct {
	addr, store, esdbAddr, seed, clock string
	history                            int
	reset                              bool
}

func (o devOptions) validate() error {
	switch {
	case o.seed != "demo" && o.seed != "empty":
		return fmt.Errorf("--seed %s: want demo or empty", o.seed)
	case o.reset && o.store != "":
		return errors.New("--reset: what --store holds cannot be thrown away; name another --data and an empty store")
	case o.store != "":
		if err := esdb.Check(o.store); err != nil {
			return fmt.Errorf("--store: %w", err)
		}
	}
	switch {
	case o.history < 0 || o.history > maxHistory:
		return fmt.Errorf("--history %d: want 0 to %d companies", o.history, maxHistory)
	case o.history > 0 && o.seed != "demo":
		return errors.New("--history: the demo company is in it; konto simulate --into makes a history without")
	case o.history > 0 && o.store != "":
		return errors.New("--history: the clock of another event store cannot be moved; konto store copy brings a history there")
	}
	if o.clock != "" && o.store != "" {
		return errors.New("--clock: the clock of another event store cannot be moved, and deadlines go by it")
	}
	if _, err := o.clockStart(); err != nil {
		return fmt.Errorf("--clock %s: %w", o.clock, err)
	}
	return system.CheckEsdbAddr(o.esdbAddr, o.store)
}

func (a *app) runDev(ctx context.Context, o devOptions) error {
	start := time.Now()
	if o.reset || past.Unfinished(a.devData) {
		if err := resetData(a.devData); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(a.devData, 0o700); err != nil {
		return err
	}
	log, closeLog, err := a.devLog(ctx.Done())
	if err != nil {
		return err
	}
	defer closeLog()
	if o.history > 0 {
		if err := a.devHistory(ctx, o, log); err != nil {
			return err
		}
		start = time.Now()
	}
	now, clock, err := a.devClock(o)
	if err != nil {
		return err
	}
	l, err := readLocal(a.devData)
	if err != nil || l.StripeSecret == "" {
		l = local{StripeSecret: newSecret()}
	}
	l.Clock = clock != nil
	begun := beginning{options: o, start: start, prepared: make(chan struct{})}
	started := a.slow("starting on " + a.devData)
	s, err := system.Start(ctx, system.Config{
		Data: a.devData, Addr: o.addr, Store: o.store, EsdbAddr: o.esdbAddr, Dev: true, Stripe: system.Stripe{Secrets: []string{l.StripeSecret}},
		Version: buildVersion(), Log: log, Now: now, Getenv: a.getenv,
		Clock: clock, Moved: a.renewTokens, Prepared: begun.prepared,
	})
	started()
	if err != nil {
		return addressTaken(err)
	}
	begun.ready = time.Since(start)
	err = a.present(ctx, s, l, begun)
	if err == nil {
		a.untilStopped(ctx, s)
	}
	return a.stop(s, err)
}

// beginning is how a konto dev begins.
type beginning struct {
	options  devOptions
	start    time.Time
	ready    time.Duration // from the start until it serves
	prepared chan struct{} // closed once the demo company is there
}

// present makes the demo company and prints the first screen.
func (a *app) present(ctx context.Context, s *system.System, l local, b beginning) error {
	l.URL, l.Issuer, l.Audience = s.URL(), s.URL()+"/dev/issuer", "konto"
	if err := l.write(a.devData); err != nil {
		return err
	}
	if err := a.renewTokens(s); err != nil {
		return err
	}
	found := a.slow("waiting for the event store")
	err := s.AwaitStore(ctx)
	found()
	if err != nil {
		return err
	}
	if b.options.seed == "demo" {
		made := a.slow("making the demo company")
		err := past.Demo(ctx, s)
		made()
		if err != nil {
			return fmt.Errorf("%w; if another version made what is in %s, --reset begins anew and --seed empty goes on without", err, a.devData)
		}
	}
	close(b.prepared)
	a.printFirstScreen(s, b, time.Since(b.start))
	return nil
}

// untilStopped returns when the program is told to stop or a part has failed.
func (a *app) untilStopped(ctx context.Context, s *system.System) {
	select {
	case <-ctx.Done():
		if !a.quiet {
			_, _ = fmt.Fprintln(a.stderr, "\nstopping …")
		}
	case <-s.Failed():
	}
}

// stop stops s, also when ctx has ended, and returns what went wrong first.
func (a *app) stop(s *system.System, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	if err := s.Stop(ctx); cause == nil {
		return err
	}
	return cause
}

// devLog writes everything to a file in the data directory and warnings to the
// terminal, whose first screen should stay readable. Once the program is
// stopping the terminal gets errors only: what a stop interrupts is a warning,
// and goes on at the next start.
func (a *app) devLog(stopping <-chan struct{}) (zerolog.Logger, func(), error) {
	f, err := os.OpenFile(filepath.Join(a.devData, "konto.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return zerolog.Nop(), nil, err
	}
	terminal := zerolog.ConsoleWriter{Out: a.stderr, TimeFormat: time.TimeOnly, NoColor: !a.colored(a.stderr)}
	w := zerolog.MultiLevelWriter(f, warnings{terminal, stopping})
	log := zerolog.New(w).Level(zerolog.InfoLevel).With().Timestamp().Logger()
	return log, func() { _ = f.Close() }, nil
}

// warnings lets warnings and errors through, and only errors when stopping.
type warnings struct {
	io.Writer
	stopping <-chan struct{}
}

// WriteLevel implements [zerolog.LevelWriter].
func (w warnings) WriteLevel(level zerolog.Level, line []byte) (int, error) {
	least := zerolog.WarnLevel
	select {
	case <-w.stopping:
		least = zerolog.ErrorLevel
	default:
	}
	if level < least {
		return len(line), nil
	}
	return w.Write(line)
}

// resetData removes what konto keeps in a data directory and nothing else, and
// refuses a directory that holds anything else.
func resetData(data string) error {
	ours := []string{
		"konto.lock", "konto.log", "dev.json", clockFile, past.ClockFile, "store.json", "root.key", "issuer.key", "recovery.key", "tokens", "events", "bus",
		"keys.db", "keys.db-wal", "keys.db-shm", "read.db", "read.db-wal", "read.db-shm",
		"reactor.db", "reactor.db-wal", "reactor.db-shm",
	}
	entries, err := os.ReadDir(data)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	known := map[string]bool{}
	for _, name := range ours {
		known[name] = true
	}
	for _, e := range entries {
		if !known[e.Name()] {
			return fmt.Errorf("--reset: %s holds %s, which is not konto's; nothing was removed", data, e.Name())
		}
	}
	if err := system.Idle(data); err != nil {
		return err
	}
	for _, name := range ours {
		if err := os.RemoveAll(filepath.Join(data, name)); err != nil {
			return err
		}
	}
	return nil
}

func writeTokens(issuer *identity.Issuer, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, p := range demo.People() {
		token, err := mintBy(issuer, p)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, p.Name), []byte(token), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// mintBy returns a token for a person.
func mintBy(issuer *identity.Issuer, p demo.Person) (string, error) {
	return issuer.Mint(p.Identity(), tokenLife)
}
