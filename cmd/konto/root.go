package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"konto/internal/httpapi"
)

// app is the program with its global flags.
type app struct {
	environment
	output  string // -o
	json    bool   // --json
	color   string
	quiet   bool
	timeout time.Duration
	devData string // data directory of the konto dev to call
	url     string
	token   string // --token-file
	as      string
	end     func() // lets go of the timeout
}

// outputs are the forms that answers are printed in.
var outputs = []string{"table", "json", "jsonl"}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "konto",
		Short: "Accounts, cards and customers with a history you can prove",
		Long: `Konto keeps the accounts that a business runs on. Every change is a command,
every accepted command is an event, and everything else follows from those.

Start with:
  konto dev                      the whole system on this machine, with a demo company
  konto help exit-codes          what the exit codes mean`,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.checkFlags(cmd) },
		SilenceErrors:     true, // exit prints them
		SilenceUsage:      true,
		Version:           buildVersion().Version,
	}
	root.SetVersionTemplate("konto {{.Version}}\n")
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), "{{if .Runnable}}", "{{if and .Runnable (not .Annotations.group)}}", 1))
	root.SetFlagErrorFunc(flagError)
	a.globalFlags(root.PersistentFlags())
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run:"},
		&cobra.Group{ID: "use", Title: "Use:"},
		&cobra.Group{ID: "dev", Title: "Try and measure:"},
	)
	root.AddCommand(a.commands()...)
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(outputs, cobra.ShellCompDirectiveNoFileComp))
	_ = root.RegisterFlagCompletionFunc("as", cobra.FixedCompletions(names(), cobra.ShellCompDirectiveNoFileComp))
	return root
}

func (a *app) globalFlags(f *pflag.FlagSet) {
	f.StringVarP(&a.output, "output", "o", "table", "how answers are printed: `FORM` is table, json or jsonl")
	f.BoolVar(&a.json, "json", false, "the same as -o json")
	f.StringVar(&a.color, "color", "auto", "colour for people: `WHEN` is auto, always or never; NO_COLOR is respected")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "no progress and no hints")
	passingVar(f, &a.timeout, "timeout", 0, "give up after this `TIME`, such as 10s; 0 never does")
	f.StringVar(&a.devData, "dev-data", defaultData(a.getenv), "data `DIRECTORY` of the konto dev to call")
	f.StringVar(&a.url, "url", "", "Konto to call; default: KONTO_URL, or the konto dev on this machine")
	f.StringVar(&a.token, "token-file", "", "`FILE` with an access token; default: KONTO_TOKEN_FILE")
	f.StringVar(&a.as, "as", "", "call as a person of the demo company: `NAME` as konto token lists them; default: anna")
}

func (a *app) checkFlags(cmd *cobra.Command) error {
	if a.json {
		a.output = "json"
	}
	if !slices.Contains(outputs, a.output) {
		return usage(fmt.Errorf("-o %s: want table, json or jsonl", a.output))
	}
	if !slices.Contains([]string{"auto", "always", "never"}, a.color) {
		return usage(fmt.Errorf("--color %s: want auto, always or never", a.color))
	}
	if a.timeout > 0 {
		ctx, cancel := context.WithTimeout(cmd.Context(), a.timeout)
		a.end = cancel
		cmd.SetContext(ctx)
	}
	return nil
}

// commands are all subcommands, each in the file of its name.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		in("run", a.dev()), in("run", a.serve()), in("run", a.node()),
		in("use", a.cmd()), in("use", a.get()), in("use", a.account()), in("use", a.audit()), in("use", a.event()),
		in("use", a.store()), in("use", a.policies()), in("use", a.canI()), in("use", a.readiness()), in("use", a.rules()),
		in("dev", a.trigger()), in("dev", a.clock()), in("dev", a.simulate()), in("dev", a.mail()), in("dev", a.newToken()), in("dev", a.bench()),
		a.version(), exitCodesTopic(), configTopic(),
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

// group makes c a command that only holds others: alone it prints its help,
// and what it does not hold is wrong use.
func group(c *cobra.Command) *cobra.Command {
	c.Annotations = map[string]string{"group": "true"}
	c.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		var verbs []string
		for _, sub := range cmd.Commands() {
			verbs = append(verbs, sub.Name())
		}
		return usage(fmt.Errorf("unknown command %q for %q%s", args[0], cmd.CommandPath(), didYouMean(args[0], verbs)))
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return c
}

// flagError says which flag was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && len(unknown.GetSpecifiedName()) > 1 {
		var flags []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { flags = append(flags, f.Name) })
		if near := nearest(unknown.GetSpecifiedName(), flags); near != "" {
			return usage(fmt.Errorf("%w; did you mean --%s?", err, near))
		}
	}
	return usage(err)
}

// nearest returns which of the words was probably meant, or "". Cobra knows
// how to tell, but for its own commands only.
func nearest(word string, words []string) string {
	c := &cobra.Command{SuggestionsMinimumDistance: 2}
	for _, w := range words {
		c.AddCommand(&cobra.Command{Use: w, Run: func(*cobra.Command, []string) {}})
	}
	if near := c.SuggestionsFor(word); len(near) > 0 {
		return near[0]
	}
	return ""
}

func didYouMean(word string, words []string) string {
	if near := nearest(word, words); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// program is what a person types to run this program again.
func program() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/konto"
	}
	return filepath.Base(os.Args[0])
}

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print which build this is", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := buildVersion()
			return a.print(v, func(w *tabwriter.Writer) {
				_, _ = fmt.Fprintf(w, "konto %s  %s  %s\n", v.Version, v.Revision, v.Go)
			})
		},
	}
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
