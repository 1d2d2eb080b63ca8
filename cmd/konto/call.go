package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"konto/domain"
	"konto/domain/policy"
	"konto/internal/client"
)

func (a *app) cmd() *cobra.Command {
	var data, reason, key string
	var ifMatch int64
	var dryRun, merge bool
	c := &cobra.Command{
		Use:   "cmd NAME ID [--data JSON|@FILE|-]",
		Short: "Send a command to an account",
		Long: `Sends a command. NAME is the command's, such as AddCard; ID is the account's.
konto cmd ls lists all commands, konto cmd schema NAME what one takes.`,
		Example: `  konto cmd ConfirmContactVerification ID --data '{"slot":"mobile","code":"123456"}'
  konto cmd UpdateCardDetails ID --data @card.json --if-match 3 --reason "new expiry" --dry-run`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usage(errors.New("cmd: want the command's NAME and the account's ID"))
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return commandNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			collection, err := collectionOf(args[0])
			if err != nil {
				return err
			}
			body, err := a.readData(data)
			if err != nil {
				return err
			}
			send := client.Command{Collection: collection, ID: args[1], Name: args[0], Body: body, Key: key, Reason: reason, DryRun: dryRun, Merge: merge}
			if cmd.Flags().Changed("if-match") {
				send.IfMatch = &ifMatch
			}
			c, err := a.client()
			if err != nil {
				return err
			}
			accepted, err := c.Send(cmd.Context(), send)
			if err != nil {
				return err
			}
			return a.printAccepted(accepted, dryRun)
		},
	}
	f := c.Flags()
	f.StringVarP(&data, "data", "d", "{}", "the command's body: JSON, @FILE, or - for standard input")
	f.StringVar(&reason, "reason", "", "why, for auditors")
	f.StringVar(&key, "key", "", "Idempotency-Key: sent again with the same key, it is the same command")
	f.Int64Var(&ifMatch, "if-match", 0, "the revision that you saw")
	f.BoolVar(&merge, "merge", false, "carry it out also if others changed what it does not touch since --if-match")
	f.BoolVar(&dryRun, "dry-run", false, "show what would happen, and change nothing")
	c.AddCommand(a.cmdSchema(), &cobra.Command{
		Use: "ls", Short: "List all commands", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.listCommands() },
	})
	return c
}

// contracts calls each with every command that callers may send.
func contracts(each func(c domain.Contract, info domain.CommandInfo)) {
	for _, c := range policy.Contracts {
		for _, info := range c.Commands() {
			if !info.Internal {
				each(c, info)
			}
		}
	}
}

func commandNames() []string {
	var names []string
	contracts(func(_ domain.Contract, info domain.CommandInfo) { names = append(names, info.Name) })
	slices.Sort(names)
	return names
}

func collectionOf(name string) (found string, err error) {
	contracts(func(c domain.Contract, info domain.CommandInfo) {
		if info.Name == name {
			found = c.Collection()
		}
	})
	if found == "" {
		return "", usage(fmt.Errorf("there is no command %s%s; konto cmd ls lists all", name, didYouMean(name, commandNames())))
	}
	return found, nil
}

// readData returns a body given as JSON, as @FILE or as - for standard input.
func (a *app) readData(data string) (json.RawMessage, error) {
	body := []byte(data)
	var err error
	switch name, isFile := strings.CutPrefix(data, "@"); {
	case isFile:
		body, err = os.ReadFile(name) //nolint:gosec // the caller names the file
	case data == "-":
		body, err = io.ReadAll(a.stdin)
	}
	if err != nil {
		return nil, usage(err)
	}
	if !json.Valid(body) {
		return nil, usage(errors.New("--data is not JSON"))
	}
	return body, nil
}

func (a *app) listCommands() error {
	type row struct {
		Name       string `json:"name"`
		Collection string `json:"collection"`
		IfMatch    bool   `json:"ifMatch"` // required
		Summary    string `json:"summary"`
	}
	var rows []row
	contracts(func(c domain.Contract, info domain.CommandInfo) {
		rows = append(rows, row{info.Name, c.Collection(), info.CallerSaw, info.Summary})
	})
	return a.print(rows, func(w *tabwriter.Writer) {
		_, _ = fmt.Fprintln(w, "COMMAND\tCOLLECTION\tWHAT IT DOES")
		for _, r := range rows {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", r.Name, r.Collection, r.Summary)
		}
	})
}

func (a *app) printAccepted(accepted client.Accepted, dryRun bool) error {
	switch {
	case a.output != "table":
		return a.printRaw(accepted.Raw)
	case dryRun:
		a.printCautions(accepted)
		return a.printRehearsal(accepted)
	}
	for _, e := range accepted.Events {
		_, _ = fmt.Fprintf(a.stdout, "%s  %s@%d  %s\n", e.Type, accepted.Stream, accepted.Revision, e.ID)
	}
	if accepted.WebhookSecret != "" {
		_, _ = fmt.Fprintln(a.stdout, "secret  "+accepted.WebhookSecret)
	}
	switch {
	case accepted.Replayed:
		_, _ = fmt.Fprintln(a.stderr, "carried out before: nothing changed")
	case len(accepted.Events) == 0:
		_, _ = fmt.Fprintln(a.stderr, "nothing to do")
	}
	for _, c := range accepted.Merged {
		_, _ = fmt.Fprintln(a.stderr, "merged with "+visible(changed(c)))
	}
	a.printCautions(accepted)
	return nil
}

// printCautions says what people should know of a command's consequences.
func (a *app) printCautions(accepted client.Accepted) {
	for _, c := range accepted.Cautions {
		_, _ = fmt.Fprintln(a.stderr, "mind: "+c.Detail)
	}
}

// printRehearsal says what a command would lead to.
func (a *app) printRehearsal(would client.Accepted) error {
	if !a.quiet {
		_, _ = fmt.Fprintln(a.stderr, "dry run: nothing was changed")
	}
	return a.print(nil, func(w *tabwriter.Writer) {
		_, _ = fmt.Fprintln(w, "WOULD\tWHAT\tDETAIL")
		for _, r := range would.Trace {
			if r.Passed {
				_, _ = fmt.Fprintf(w, "allow\t%s\t%s\n", r.Check, r.Why)
			}
		}
		for _, e := range would.Events {
			_, _ = fmt.Fprintf(w, "record\t%s\t%s\n", e.Type, e.Data)
		}
		for _, e := range would.Effects {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", verb(e), e.Name, e.To)
		}
	})
}

func verb(e client.Effect) string {
	if e.Kind == "notice" {
		return "tell by " + e.Channel
	}
	return "send"
}

func (a *app) get() *cobra.Command {
	return &cobra.Command{
		Use:   "get PATH",
		Short: "Read a resource",
		Example: `  konto get /v1/cards
  konto get /readyz -o json`,
		Args: oneArg("PATH, such as /v1/cards"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			if !strings.HasPrefix(args[0], "/") {
				args[0] = "/" + args[0]
			}
			answer, err := c.Do(cmd.Context(), http.MethodGet, args[0], nil, nil)
			if err != nil {
				return err
			}
			return a.printRaw(answer)
		},
	}
}

// oneArg is cobra.ExactArgs(1) that says what is missing.
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage(fmt.Errorf("%s: want %s", cmd.Name(), what))
		}
		return nil
	}
}
