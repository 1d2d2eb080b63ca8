package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"konto/domain/policy"
	"konto/domain/rules"
)

// ruleRow is a rule with all that the register knows of it.
type ruleRow struct {
	// Sentences are those of the help pages that the rule follows from.
	Sentences []rules.Sentence `json:"sentences,omitempty"`
	rules.Rule
	Kind  string       `json:"kind"`
	Rows  []string     `json:"rows,omitempty"` // commands whose row of the authorization table follows from it
	Tests []rules.Test `json:"tests"`
}

func (a *app) rules() *cobra.Command {
	var coverage bool
	c := &cobra.Command{
		Use:   "rules",
		Short: "List the business rules: where each comes from, and what shows it",
		Long: `Lists the rules that refusals name, with the page that each comes from, the
commands that it governs, and how many tests show it. --coverage counts them.`,
		Example: `  konto rules
  konto rules show C4
  konto rules --coverage`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			rows, err := register()
			if err != nil {
				return err
			}
			if coverage {
				return a.printCoverage(rows)
			}
			return a.print(rows, func(w *tabwriter.Writer) {
				_, _ = fmt.Fprintln(w, "RULE\tTESTS\tCOMES FROM\tSAYS")
				for _, r := range rows {
					_, _ = fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", r.ID, len(r.Tests), origin(r.Source), r.Says)
				}
			})
		},
	}
	c.Flags().BoolVar(&coverage, "coverage", false, "count the rules of each kind that tests show")
	c.AddCommand(&cobra.Command{
		Use: "show RULE", Short: "Show one rule: its sentence, its commands, its messages and its tests",
		Example: "  konto rules show C4",
		Args:    oneArg("the RULE, such as C4"),
		RunE: func(_ *cobra.Command, args []string) error {
			rows, err := register()
			if err != nil {
				return err
			}
			i := slices.IndexFunc(rows, func(r ruleRow) bool { return strings.EqualFold(r.ID, args[0]) })
			if i < 0 {
				return usage(errors.New("there is no rule " + args[0] + "; konto rules lists all"))
			}
			return a.printRule(rows[i])
		},
	})
	return c
}

// register returns all rules with what the program knows of each.
func register() ([]ruleRow, error) {
	tests, err := rules.Tests()
	if err != nil {
		return nil, err
	}
	rows := make([]ruleRow, len(rules.All))
	for i, r := range rules.All {
		rows[i] = ruleRow{Rule: r, Kind: rules.KindOf(r.ID).Name, Sentences: rules.SentencesOf(r.ID), Tests: tests[r.ID]}
		if rows[i].Tests == nil {
			rows[i].Tests = []rules.Test{}
		}
		for _, row := range policy.Table.Commands {
			if row.Rule == r.ID {
				rows[i].Rows = append(rows[i].Rows, row.Command)
			}
		}
	}
	return rows, nil
}

func origin(s rules.Source) string {
	if len(s.Languages) == 0 {
		return s.Page
	}
	return s.Page + " (" + strings.Join(s.Languages, ", ") + ")"
}

func (a *app) printRule(r ruleRow) error {
	return a.print(r, func(w *tabwriter.Writer) {
		line := func(name, value string) {
			if value != "" {
				_, _ = fmt.Fprintf(w, "%s\t%s\n", name, value)
			}
		}
		line("rule", r.ID+", "+r.Kind)
		line("says", r.Says)
		line("comes from", origin(r.Source))
		for _, s := range r.Sentences {
			line("sentence", s.ID+", "+origin(s.Source)+": "+s.Says)
		}
		line("policy", r.Policy)
		commands := slices.Concat(r.Commands, r.Rows)
		slices.Sort(commands)
		line("commands", strings.Join(slices.Compact(commands), ", "))
		line("messages", strings.Join(r.Messages, ", "))
		for _, t := range r.Tests {
			line("test", t.Name+"  "+t.File)
		}
	})
}

// coverageRow counts the rules of a kind.
type coverageRow struct {
	Kind  string  `json:"kind"`
	Rules int     `json:"rules"`
	Shown int     `json:"shown"` // by one test or more
	Tests int     `json:"tests"`
	Part  float64 `json:"percent"`
}

func (a *app) printCoverage(rows []ruleRow) error {
	var table []coverageRow
	total := coverageRow{Kind: "all"}
	add := func(c *coverageRow, r ruleRow) {
		c.Rules++
		c.Tests += len(r.Tests)
		if len(r.Tests) > 0 {
			c.Shown++
		}
		c.Part = float64(1000*c.Shown/c.Rules) / 10
	}
	for _, k := range rules.Kinds {
		c := coverageRow{Kind: k.Prefix + " " + k.Name}
		for _, r := range rows {
			if r.Kind == k.Name {
				add(&c, r)
				add(&total, r)
			}
		}
		table = append(table, c)
	}
	table = append(table, total)
	return a.print(table, func(w *tabwriter.Writer) {
		_, _ = fmt.Fprintln(w, "KIND\tRULES\tSHOWN\tTESTS\tPERCENT")
		for _, c := range table {
			_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.1f\n", c.Kind, c.Rules, c.Shown, c.Tests, c.Part)
		}
	})
}
