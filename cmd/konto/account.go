package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"konto/internal/diff"
	"konto/internal/history"
	"konto/internal/httpapi"
)

func (a *app) account() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "account",
		Short: "Replay an account: its history, its state at a moment, what changed",
		Long: `An account is one stream, such as card-0193… or secinfo-0193…. A moment is a
revision (12), a time (2026-03-01T12:00:00Z) or a date (2026-03-01).`,
	})
	c.AddCommand(a.accountHistory(), a.accountState(), a.accountDiff())
	return c
}

const streamArg = "the account's STREAM, such as card-0193…"

func (a *app) accountHistory() *cobra.Command {
	return &cobra.Command{
		Use:     "history STREAM",
		Short:   "Every event: who, when, why, and what it changed",
		Example: "  konto account history card-01930000-0000-7000-8000-000000000030 --as eva",
		Args:    oneArg(streamArg),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			var events []history.Entry
			for from := int64(0); ; {
				var page httpapi.HistoryPage
				path := "/v1/accounts/" + url.PathEscape(args[0]) + "/history?limit=1000&from=" + strconv.FormatInt(from, 10)
				if err := c.Get(cmd.Context(), path, &page); err != nil {
					return err
				}
				events = append(events, page.Events...)
				if page.Next == nil {
					break
				}
				from = *page.Next
			}
			if a.output != "table" {
				return a.print(events, nil)
			}
			return a.printHistory(events)
		},
	}
}

// printHistory writes a block for each event, since what changed is too wide
// for a table.
func (a *app) printHistory(events []history.Entry) error {
	var b strings.Builder
	st, columns := a.style(a.stdout), width(a.stdout)
	for _, e := range events {
		head := fmt.Sprintf("%3d  %s  ", e.Revision, e.RecordedAt.UTC().Format(time.DateTime))
		b.WriteString(head + st.strong(visible(e.Type)) + "  " + visible(actorName(e)) + "\n")
		var reason string
		_ = json.Unmarshal(e.Reason, &reason) // absent, or not for this reader
		lines := summary(e.Changes)
		if reason != "" {
			lines = append([]string{"reason: " + reason}, lines...)
		}
		for _, line := range lines {
			b.WriteString(cut("     "+visible(line)+"\n", columns))
		}
	}
	_, err := io.WriteString(a.stdout, b.String())
	return err
}

func actorName(e history.Entry) string {
	if len(e.Actor.Roles) == 0 {
		return "by " + string(e.Actor.Kind) + " " + e.Actor.ID
	}
	return fmt.Sprintf("by %s %s", e.Actor.Roles[0], e.Actor.ID)
}

// field writes a JSON pointer as people do.
func field(pointer string) string {
	return strings.ReplaceAll(strings.TrimPrefix(pointer, "/"), "/", ".")
}

// before is what a field was; "nothing" if it was not there.
func before(value json.RawMessage) string {
	if len(value) == 0 {
		return "nothing"
	}
	return string(value)
}

// summary is one line for each change.
func summary(changes []diff.Change) []string {
	lines := make([]string, len(changes))
	for i, c := range changes {
		field := field(c.Field)
		switch {
		case c.Before == nil || string(c.Before) == "null":
			lines[i] = fmt.Sprintf("+ %s = %s", field, c.After)
		case c.After == nil:
			lines[i] = fmt.Sprintf("- %s (was %s)", field, c.Before)
		default:
			lines[i] = fmt.Sprintf("~ %s: %s → %s", field, c.Before, c.After)
		}
	}
	return lines
}

func (a *app) accountState() *cobra.Command {
	var asOf string
	c := &cobra.Command{
		Use:     "state STREAM",
		Short:   "The state at a moment: only what had been recorded then",
		Example: "  konto account state card-01930000-0000-7000-8000-000000000030 --as-of 2026-03-01",
		Args:    oneArg(streamArg),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			var s history.Snapshot
			path := "/v1/accounts/" + url.PathEscape(args[0]) + "/state?as-of=" + url.QueryEscape(asOf)
			if err := c.Get(cmd.Context(), path, &s); err != nil {
				return err
			}
			if a.output == "table" && !a.quiet {
				_, _ = fmt.Fprintf(a.stderr, "%s at revision %d, recorded %s\n", s.Stream, s.Revision, s.RecordedAt.UTC().Format(time.RFC3339))
			}
			if a.output == "table" {
				return a.printRaw(s.State)
			}
			return a.print(s, nil)
		},
	}
	c.Flags().StringVar(&asOf, "as-of", "", "a revision, a time or a date; default: now")
	return c
}

func (a *app) accountDiff() *cobra.Command {
	var from, to string
	c := &cobra.Command{
		Use:     "diff STREAM --from MOMENT [--to MOMENT]",
		Short:   "What differs between two moments",
		Example: "  konto account diff card-01930000-0000-7000-8000-000000000030 --from 0 --to 3",
		Args:    oneArg(streamArg),
		RunE: func(cmd *cobra.Command, args []string) error {
			if from == "" {
				return usage(errors.New("diff: want --from"))
			}
			c, err := a.client()
			if err != nil {
				return err
			}
			var d history.Difference
			path := "/v1/accounts/" + url.PathEscape(args[0]) + "/diff?from=" + url.QueryEscape(from) + "&to=" + url.QueryEscape(to)
			if err := c.Get(cmd.Context(), path, &d); err != nil {
				return err
			}
			return a.print(d, func(w *tabwriter.Writer) {
				_, _ = fmt.Fprintf(w, "revision %d → %d\n", d.From.Revision, d.To.Revision)
				for _, line := range summary(d.Changes) {
					_, _ = fmt.Fprintln(w, line)
				}
			})
		},
	}
	c.Flags().StringVar(&from, "from", "", "a revision, a time or a date")
	c.Flags().StringVar(&to, "to", "", "the same; default: now")
	return c
}
