package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"konto/eventstore"
	"konto/eventstore/node"
	"konto/eventstore/node/engine"
	"konto/internal/obs"
	"konto/internal/system"
)

func (a *app) node() *cobra.Command {
	var flags node.Config
	var config, level string
	c := &cobra.Command{
		Use:   "node (--data DIR | --mem) (--insecure | --tls-dev | --tls-cert FILE --tls-key FILE)",
		Short: "Run an event store that clients of EventStoreDB can call",
		Long: `Runs the event store by itself, on one port that speaks EventStoreDB's gRPC
protocol: streams, subscriptions, persistent subscriptions, access control. It
is one node; there is no cluster. /health/live and /stats are on the same port.

The directory of a stopped konto dev or konto serve is served with --read-only.

Users are admin and ops, both with the password changeit, until you change it.
--insecure serves plain text to everybody who can reach the address and asks
nobody who they are; clients of EventStoreDB send no password over plain text.

A value is taken from the first place that has it: flag, environment variable
(KONTO_NODE__MAX_APPEND_BYTES), the section node of the --config file.`,
		Example: `  konto node --mem --insecure
  konto node --data events --tls-dev
  konto node --data /var/lib/events --addr 0.0.0.0:2113 --tls-cert node.crt --tls-key node.key`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.nodeConfig(cmd, config, flags)
			if err != nil {
				return usage(err)
			}
			return a.runNode(cmd.Context(), cfg, level)
		},
	}
	f := c.Flags()
	f.StringVar(&flags.Dir, "data", "", "`DIRECTORY` that events are kept in")
	f.BoolVar(&flags.Memory, "mem", false, "keep events in memory; they are gone at the end")
	f.StringVar(&flags.Addr, "addr", node.DefaultAddr, "`HOST:PORT` to serve on; port 0 picks one")
	f.StringVar(&flags.Advertise, "advertise", "", "`HOST:PORT` that clients are told to dial, if it is another")
	f.BoolVar(&flags.Insecure, "insecure", false, "plain text, and everybody may do everything")
	f.StringVar(&flags.CertFile, "tls-cert", "", "`FILE` with the certificate chain, PEM")
	f.StringVar(&flags.KeyFile, "tls-key", "", "`FILE` with its private key, PEM")
	f.BoolVar(&flags.DevTLS, "tls-dev", false, "TLS with a certificate for this machine, which is made")
	f.BoolVar(&flags.ReadOnly, "read-only", false, "refuse whatever changes something")
	f.BoolVar(&flags.AllowAnonymous, "allow-anonymous", false, "let callers without a password have what everybody has who signed in")
	f.IntVar(&flags.MaxAppendBytes, "max-append-bytes", 0, "how large one append may be; 0 is 1 MiB, at most 16 MiB")
	f.IntVar(&flags.MaxEventBytes, "max-event-bytes", 0, "how large one event may be; 0 is as large as an append")
	f.StringVar(&config, "config", "", "YAML `FILE`")
	f.StringVar(&level, "log-level", "info", "debug, info, warn or error")
	return c
}

// nodeConfig returns what the file and the environment say, with the flags
// that were given over it.
func (a *app) nodeConfig(cmd *cobra.Command, path string, flags node.Config) (node.Config, error) {
	var cfg node.Config
	k, err := a.load(path)
	if err != nil {
		return cfg, err
	}
	if err := k.Unmarshal("node", &cfg); err != nil {
		return cfg, errors.Join(errors.New("configuration"), err)
	}
	for name, set := range map[string]func(){
		"data":             func() { cfg.Dir = flags.Dir },
		"mem":              func() { cfg.Memory = flags.Memory },
		"addr":             func() { cfg.Addr = flags.Addr },
		"advertise":        func() { cfg.Advertise = flags.Advertise },
		"insecure":         func() { cfg.Insecure = flags.Insecure },
		"tls-cert":         func() { cfg.CertFile = flags.CertFile },
		"tls-key":          func() { cfg.KeyFile = flags.KeyFile },
		"tls-dev":          func() { cfg.DevTLS = flags.DevTLS },
		"read-only":        func() { cfg.ReadOnly = flags.ReadOnly },
		"allow-anonymous":  func() { cfg.AllowAnonymous = flags.AllowAnonymous },
		"max-append-bytes": func() { cfg.MaxAppendBytes = flags.MaxAppendBytes },
		"max-event-bytes":  func() { cfg.MaxEventBytes = flags.MaxEventBytes },
	} {
		if cmd.Flags().Changed(name) {
			set()
		}
	}
	cfg.Now, cfg.NewID = time.Now, newEventID
	if err := cfg.Validate(); err != nil {
		return cfg, err
	}
	return cfg, notOurs(cfg)
}

// notOurs refuses to let clients write to the history of a Konto: every rule
// is in front of the store, none is in it.
func notOurs(cfg node.Config) error {
	if cfg.Dir == "" || cfg.ReadOnly {
		return nil
	}
	if _, err := os.Stat(filepath.Join(cfg.Dir, "keys.db")); err != nil {
		return nil //nolint:nilerr // it is none, or opening it says more
	}
	return fmt.Errorf("--data %s: this is the history of konto dev or konto serve, and what clients append to it is checked by no rule; look at it with --read-only, or copy it with konto store copy", cfg.Dir)
}

func newEventID() eventstore.ID { return eventstore.ID(uuid.Must(uuid.NewV7())) }

func (a *app) runNode(ctx context.Context, cfg node.Config, level string) error {
	f, ok := a.stderr.(*os.File)
	log, err := obs.Logger(a.stderr, level, ok && isatty.IsTerminal(f.Fd()), time.Now)
	if err != nil {
		return usage(err)
	}
	cfg.Log = log
	if a.getenv("GOGC") == "" {
		tuning, stop := context.WithCancel(ctx)
		var tuned sync.WaitGroup
		tuned.Go(func() { system.TuneMemory(tuning) }) // worth a third more appends
		defer tuned.Wait()
		defer stop()
	}
	n, err := node.Open(ctx, cfg)
	if errors.Is(err, engine.ErrLocked) {
		return fmt.Errorf("%w: %s; stop it, or use another --data", system.ErrInUse, cfg.Dir)
	}
	if err != nil {
		return addressTaken(err)
	}
	served := make(chan error, 1)
	go func() { served <- n.Serve() }()
	if err := a.printNode(n, cfg); err != nil {
		return errors.Join(err, n.Close(context.WithoutCancel(ctx)))
	}
	select {
	case <-ctx.Done():
		if !a.quiet {
			_, _ = fmt.Fprintln(a.stderr, "\nstopping …")
		}
	case <-n.ShutDown():
	case err := <-served:
		return errors.Join(err, n.Close(context.WithoutCancel(ctx)))
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	return errors.Join(n.Close(stopping), <-served)
}

// printNode says how to connect.
func (a *app) printNode(n *node.Node, cfg node.Config) error {
	switch {
	case a.wantsLines():
		b, err := json.Marshal(map[string]string{"connectionString": n.ConnectionString(), "url": n.URL(), "certificate": n.CertFile()})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(a.stdout, string(b))
		return err
	case a.quiet:
		_, err := fmt.Fprintln(a.stdout, n.ConnectionString())
		return err
	}
	style := a.style(a.stdout)
	var b strings.Builder
	named := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %s %s\n", style.strong(fmt.Sprintf("%-9s", name)), fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(&b, "\n  %s  %s\n\n", style.strong("konto "+buildVersion().Version), style.faint("node, an event store for clients of EventStoreDB"))
	named("Connect", "%s", n.ConnectionString())
	if cfg.Memory {
		named("Data", "in memory    %s", style.faint("gone at the end"))
	} else {
		dir, err := filepath.Abs(cfg.Dir)
		if err != nil {
			return err
		}
		named("Data", "%s", dir)
	}
	named("Health", "%s/health/live  /stats", n.URL())
	switch {
	case cfg.Insecure:
		named("Access", "insecure: whoever reaches the address may do everything")
	case n.CertFile() != "":
		named("Access", "users; clients trust the node by %s", n.CertFile())
		named("", "%s", style.faint("tlsCAFile in the connection string, --cacert of curl; not for production"))
	default:
		named("Access", "users; admin and ops are there from the start")
	}
	fmt.Fprintf(&b, "\n  %s\n", style.faint("Ctrl-C stops it."))
	_, err := fmt.Fprintln(a.stdout, b.String())
	return err
}
