package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"konto/internal/httpapi"
)

// app is the program with its global flags.
type app struct {
	environment
	output  string // -o
	quiet   bool
	devData string // data directory of the konto dev to call
	url     string
	token   string // --token-file
	as      string
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "konto",
		Short: "Accounts, cards and customers with a history you can prove",
		Long: `Konto keeps the accounts that a business runs on. Every change is a command,
every accepted command is an event, and everything else follows from those.

Start with:
  konto dev                      the whole system on this machine, with a demo company
  konto help exit-codes          what the exit codes mean`,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if !slices.Contains([]string{"table", "json", "jsonl"}, a.output) {
				return usage(fmt.Errorf("-o %s: want table, json or jsonl", a.output))
			}
			return nil
		},
		SilenceErrors: true, // exit prints them
		SilenceUsage:  true,
		Version:       buildVersion().Version,
	}
	root.SetVersionTemplate("konto {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	f := root.PersistentFlags()
	f.StringVarP(&a.output, "output", "o", "table", "how answers are printed: table, json or jsonl")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "no progress and no hints")
	f.StringVar(&a.devData, "dev-data", defaultData(a.getenv), "data directory of the konto dev to call")
	f.StringVar(&a.url, "url", "", "Konto to call; default: KONTO_URL, or the konto dev on this machine")
	f.StringVar(&a.token, "token-file", "", "file with an access token; default: KONTO_TOKEN_FILE")
	f.StringVar(&a.as, "as", "", "call as a person of the demo company (with konto dev)")
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run:"},
		&cobra.Group{ID: "use", Title: "Use:"},
		&cobra.Group{ID: "dev", Title: "Try and measure:"},
	)
	root.AddCommand(a.commands()...)
	return root
}

// commands are all subcommands, each in the file of its name.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		in("run", a.dev()), in("run", a.serve()),
		in("use", a.cmd()), in("use", a.get()), in("use", a.account()), in("use", a.event()),
		in("dev", a.trigger()), in("dev", a.mail()), in("dev", a.newToken()),
		exitCodesTopic(), configTopic(),
	}
}

// defaultData is the data directory where nobody names another.
func defaultData(getenv func(string) string) string {
	if dir := getenv("KONTO_DATA"); dir != "" {
		return dir
	}
	return "./konto-data"
}

func in(group string, c *cobra.Command) *cobra.Command {
	c.GroupID = group
	return c
}

// program is what a person types to run this program again.
func program() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/konto"
	}
	return filepath.Base(os.Args[0])
}

func buildVersion() httpapi.Version {
	v := httpapi.Version{Version: "0.1.0-dev", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if m := info.Main.Version; m != "" && m != "(devel)" {
		v.Version = m
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Revision = s.Value
		}
	}
	return v
}
