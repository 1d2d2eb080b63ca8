package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"konto/internal/obs"
	"konto/internal/system"
)

func (a *app) serve() *cobra.Command {
	var addr, store, esdbAddr, config, level string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run Konto with your own issuer and mail server",
		Long: `Runs Konto with real configuration. A value is taken from the first place that
has it: flag, environment variable (KONTO_ and the name, levels joined by "__",
"-" written "_": KONTO_IDENTITY__ISSUER), --config file, default. A variable
that ends in _FILE names a file that holds the value, for secrets.

Required: identity.issuer, mail.addr, mail.from. See konto help config.

Events are kept in the data directory, or in the EventStoreDB that --store
names. That may be away: Konto starts, says that it waits, and answers 503 to
what needs it, until it is there. A connection string with a password belongs
in KONTO_STORE or in a file that KONTO_STORE_FILE names.`,
		Example: `  konto serve --config konto.yaml
  konto serve --config konto.yaml --store 'esdb+discover://events.example.com?tlsCAFile=ca.crt'
  KONTO_IDENTITY__ISSUER=https://login.example.com konto serve --config konto.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.config(config)
			if err != nil {
				return usage(err)
			}
			if cmd.Flags().Changed("addr") || cfg.Addr == "" {
				cfg.Addr = addr
			}
			if cmd.Flags().Changed("data") || cfg.Data == "" {
				cfg.Data = a.devData
			}
			if cmd.Flags().Changed("store") {
				if hasPassword(store) {
					return usage(errors.New("--store: a password in a flag shows in the list of processes; use KONTO_STORE or KONTO_STORE_FILE"))
				}
				cfg.Store = store
			}
			if cmd.Flags().Changed("esdb-addr") {
				cfg.EsdbAddr = esdbAddr
			}
			return a.runServe(cmd.Context(), cfg, level)
		},
	}
	c.Flags().StringVar(&a.devData, "data", defaultData(a.getenv), "directory that everything is kept in")
	c.Flags().StringVar(&addr, "addr", "127.0.0.1:8080", "HOST:PORT to serve on")
	c.Flags().StringVar(&store, "store", "", storeUsage)
	c.Flags().StringVar(&esdbAddr, "esdb-addr", "", esdbAddrUsage)
	c.Flags().StringVar(&config, "config", "", "YAML file")
	c.Flags().StringVar(&level, "log-level", "info", "debug, info, warn or error")
	return c
}

// esdbAddrUsage describes --esdb-addr of serve and dev.
const esdbAddrUsage = "`HOST:PORT` of this machine where clients of EventStoreDB may read all events, without a password; default: nowhere"

// storeUsage describes --store of serve and dev.
const storeUsage = "EventStoreDB to keep events in, by its `CONNECTION` string; default: the data directory"

// hasPassword reports whether a connection string holds a password.
func hasPassword(connection string) bool {
	_, rest, _ := strings.Cut(connection, "://")
	who, _, ok := strings.Cut(rest, "@")
	return ok && strings.Contains(who, ":")
}

func (a *app) runServe(ctx context.Context, cfg system.Config, level string) error {
	f, ok := a.stderr.(*os.File)
	log, err := obs.Logger(a.stderr, level, ok && isatty.IsTerminal(f.Fd()), time.Now)
	if err != nil {
		return usage(err)
	}
	cfg.Version, cfg.Log, cfg.Now, cfg.Getenv = buildVersion(), log, time.Now, a.getenv
	if err := cfg.Validate(); err != nil {
		return usage(err)
	}
	s, err := system.Start(ctx, cfg)
	if err != nil {
		return addressTaken(err)
	}
	if s.Shown() != "" {
		log.Warn().Str("connection", s.Shown()).Msg("everybody on this machine can read all events")
	}
	log.Info().Str("url", s.URL()).Str("data", cfg.Data).Str("version", cfg.Version.Version).Msg("serving")
	a.untilStopped(ctx, s)
	return a.stop(s, nil)
}

// addressTaken adds to err what to do if another program has the address.
func addressTaken(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: another program has it; stop that, or use another --addr", err)
	}
	return err
}

// config returns what the configuration file and the environment say.
func (a *app) config(path string) (system.Config, error) {
	var cfg system.Config
	k, err := a.load(path)
	if err != nil {
		return cfg, err
	}
	if err := k.Unmarshal("", &cfg); err != nil {
		return cfg, errors.Join(errors.New("configuration"), err)
	}
	return cfg, nil
}

// load reads the configuration file and the environment, and refuses what no
// setting is called.
func (a *app) load(path string) (*koanf.Koanf, error) {
	k := koanf.New(".")
	if path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			return nil, fmt.Errorf("--config %s: %w", path, err)
		}
	}
	var failed error
	err := k.Load(env.Provider(".", env.Opt{
		Prefix: "KONTO_",
		TransformFunc: func(name, value string) (string, any) {
			key, v, err := setting(name, value)
			if err != nil && failed == nil {
				failed = err
			}
			return key, v
		},
	}), nil)
	if err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, failed
	}
	return k, checkNames(k)
}

// clientVariables are read by the commands that call a Konto.
var clientVariables = map[string]bool{"KONTO_URL": true, "KONTO_TOKEN_FILE": true}

// setting turns KONTO_IDENTITY__ISSUER into identity.issuer. A name that ends
// in _FILE stands for the content of the file that it names, unless the
// setting itself is called so. An empty variable is as good as none.
func setting(name, value string) (string, any, error) {
	if value == "" || clientVariables[name] || strings.HasPrefix(name, "KONTO_TEST_") || strings.HasPrefix(name, "KONTO_CRASH_") {
		return "", nil, nil
	}
	key := strings.ToLower(strings.TrimPrefix(name, "KONTO_"))
	key = strings.ReplaceAll(strings.ReplaceAll(key, "__", "."), "_", "-")
	if known(key) {
		return key, typed(key, value), nil
	}
	inner, isFile := strings.CutSuffix(key, "-file")
	if !isFile || !known(inner) {
		near := ""
		if k := nearest(key, settings()); k != "" {
			near = "; did you mean " + variable(k) + "?"
		}
		return "", nil, fmt.Errorf("%s: there is no setting %s%s; konto help config lists them", name, key, near)
	}
	content, err := os.ReadFile(value) //nolint:gosec // the operator names the file
	return inner, typed(inner, trimSpace(content)), err
}

// typed returns the value that text stands for: the signing secrets, of which
// there are two while one is rotated out, are separated by commas.
func typed(key, text string) any {
	if key == "stripe.secrets" {
		return strings.Split(text, ",")
	}
	return text
}
