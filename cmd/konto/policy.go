package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"konto/internal/client"
	"konto/internal/diff"
	"konto/internal/httpapi"
	"konto/internal/retrial"
)

func (a *app) policies() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "policy",
		Short: "Rules that are data: their versions, and what another version would have decided",
		Long: `A policy is a set of rules that changes over the years. Version 1 is the
program's; operators publish later ones. Events name the versions that they
were decided under.`,
	})
	c.AddCommand(a.policyList(), a.policyShow(), a.policyDiff(), a.policyPublish(), a.policyBacktest())
	return c
}

func (a *app) policyList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the policies and the versions in force", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			var list []httpapi.PolicySummary
			if err := c.Get(cmd.Context(), "/v1/policies", &list); err != nil {
				return err
			}
			return a.print(list, func(w *tabwriter.Writer) {
				_, _ = fmt.Fprintln(w, "POLICY\tIN FORCE\tVERSIONS\tEDITIONS\tABOUT")
				for _, p := range list {
					_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\n", p.Name, p.Version, p.Published, strings.Join(p.Editions, ", "), p.Summary)
				}
			})
		},
	}
}

func (a *app) policy(cmd *cobra.Command, name string) (*client.Client, httpapi.PolicyVersions, error) {
	var p httpapi.PolicyVersions
	c, err := a.client()
	if err == nil {
		err = c.Get(cmd.Context(), "/v1/policies/"+url.PathEscape(name), &p)
	}
	return c, p, err
}

// rulesOf returns the rules of a version, by its number, or of an edition.
func rulesOf(p httpapi.PolicyVersions, version string) (json.RawMessage, error) {
	for _, v := range p.Versions {
		if strconv.Itoa(v.Number) == version {
			return v.Rules, nil
		}
	}
	for _, e := range p.Ready {
		if e.Name == version {
			return e.Rules, nil
		}
	}
	known := slices.Clone(p.Editions)
	return nil, usage(fmt.Errorf("policy %s has no version or edition %s; it has versions 1 to %d and editions %s",
		p.Name, version, p.Published, strings.Join(known, ", ")))
}

func (a *app) policyShow() *cobra.Command {
	var version string
	c := &cobra.Command{
		Use: "show NAME", Short: "Show a policy's versions, or the rules of one",
		Example: "  konto policy show customer-editors --version 1",
		Args:    oneArg("the policy's NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, p, err := a.policy(cmd, args[0])
			if err != nil {
				return err
			}
			if version != "" {
				rules, err := rulesOf(p, version)
				if err != nil {
					return err
				}
				return a.printRaw(rules)
			}
			return a.print(p, func(w *tabwriter.Writer) {
				_, _ = fmt.Fprintln(w, "VERSION\tEFFECTIVE\tRULES\tNOTE")
				for _, v := range p.Versions {
					from, mark := "from the beginning", ""
					if v.EffectiveAt != nil {
						from = v.EffectiveAt.UTC().Format(time.RFC3339)
					}
					if v.AnnouncedFor != nil {
						from += ", put off from " + v.AnnouncedFor.UTC().Format(time.RFC3339)
					}
					if v.LocksOut > 0 && !v.InForce {
						from += fmt.Sprintf(", organizations not ready: %d", v.LocksOut)
					}
					if v.InForce {
						mark = " (in force)"
					}
					_, _ = fmt.Fprintf(w, "%d%s\t%s\t%s\t%s\n", v.Number, mark, from, v.Rules, visible(v.Note))
				}
				for _, e := range p.Ready {
					_, _ = fmt.Fprintf(w, "%s\tnot published\t%s\t\n", e.Name, e.Rules)
				}
			})
		},
	}
	c.Flags().StringVar(&version, "version", "", "only the rules of this version or edition")
	return c
}

func (a *app) policyDiff() *cobra.Command {
	return &cobra.Command{
		Use: "diff NAME A B", Short: "Show what differs between two versions or editions",
		Example: "  konto policy diff customer-editors 1 role-table",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 3 {
				return usage(errors.New("diff: want the policy's NAME and two versions or editions"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			_, p, err := a.policy(cmd, args[0])
			if err != nil {
				return err
			}
			from, err := rulesOf(p, args[1])
			if err != nil {
				return err
			}
			to, err := rulesOf(p, args[2])
			if err != nil {
				return err
			}
			changes, err := diff.Between(from, to)
			if err != nil {
				return err
			}
			return a.print(changes, func(w *tabwriter.Writer) {
				for _, line := range summary(changes) {
					_, _ = fmt.Fprintln(w, line)
				}
			})
		},
	}
}

func (a *app) policyPublish() *cobra.Command {
	var file, edition, at, note, key string
	var backdate, dryRun bool
	c := &cobra.Command{
		Use: "publish NAME --file FILE|--edition NAME --note WHY", Short: "Publish the next version of a policy",
		Example: `  konto policy publish customer-editors --edition role-table --note "agents, too" --as operator
  konto policy publish customer-editors --file rules.json --effective-at 2027-01-01 --note "new year"`,
		Args: oneArg("the policy's NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (file == "") == (edition == "") {
				return usage(errors.New("publish: want --file or --edition"))
			}
			c, p, err := a.policy(cmd, args[0])
			if err != nil {
				return err
			}
			var rules json.RawMessage
			if file != "" {
				rules, err = a.readData("@" + strings.TrimPrefix(file, "@"))
			} else {
				rules, err = rulesOf(p, edition)
			}
			if err != nil {
				return err
			}
			body := map[string]any{"number": p.Next, "rules": rules, "note": note}
			if at != "" {
				from, err := effectiveFrom(at)
				if err != nil {
					return err
				}
				body["effectiveAt"] = from
			}
			if backdate {
				body["backdate"] = true
			}
			accepted, err := c.Send(cmd.Context(), client.Command{
				Collection: "policies", ID: args[0], Name: "PublishPolicyVersion", Body: body, Key: key, DryRun: dryRun,
			})
			if err != nil {
				return err
			}
			return a.printAccepted(accepted, dryRun)
		},
	}
	f := c.Flags()
	f.StringVar(&file, "file", "", "`FILE` with the rules as JSON")
	f.StringVar(&edition, "edition", "", "an edition or an earlier version, by `NAME`")
	f.StringVar(&at, "effective-at", "", "a `TIME` or date from which the rules are in force; default: at once")
	f.StringVar(&note, "note", "", "why, for auditors")
	f.BoolVar(&backdate, "backdate", false, "allow --effective-at in the past")
	f.StringVar(&key, "key", "", "Idempotency-Key: sent again with the same key, it is the same command")
	f.BoolVar(&dryRun, "dry-run", false, "show what would happen, and change nothing")
	return c
}

// effectiveFrom reads a time or a date.
func effectiveFrom(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, usage(fmt.Errorf("%q: want a time (2026-03-01T12:00:00Z) or a date (2026-03-01)", s))
}

func (a *app) policyBacktest() *cobra.Command {
	var name, edition, file, from, to, tenant string
	var version, limit int
	c := &cobra.Command{
		Use: "backtest --name NAME --version N|--edition NAME|--file FILE", Short: "List past decisions that another version would have changed",
		Long: `Decides the commands that were carried out under a policy once more, under
another version, and lists those that would have ended differently. Nothing is
changed. Commands about people who were erased cannot be decided again, and are
listed. Commands that were refused were not kept, so that another version might
have let them pass: how many there are is told, by rule.`,
		Example: `  konto policy backtest --name customer-editors --version 2 --as operator
  konto policy backtest --name customer-editors --edition role-table --from 2026-01-01`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if name == "" || version == 0 && edition == "" && file == "" {
				return usage(errors.New("backtest: want --name, and --version, --edition or --file"))
			}
			q := url.Values{"limit": {strconv.Itoa(limit)}}
			for k, v := range map[string]string{"from": from, "to": to, "tenant": tenant, "edition": edition} {
				if v != "" {
					q.Set(k, v)
				}
			}
			if version != 0 {
				q.Set("version", strconv.Itoa(version))
			}
			if file != "" {
				rules, err := a.readData("@" + strings.TrimPrefix(file, "@"))
				if err != nil {
					return err
				}
				q.Set("rules", string(rules))
			}
			c, err := a.client()
			if err != nil {
				return err
			}
			var r retrial.Report
			if err := c.Get(cmd.Context(), "/v1/policies/"+url.PathEscape(name)+"/backtest?"+q.Encode(), &r); err != nil {
				return err
			}
			return a.print(r, func(w *tabwriter.Writer) { printBacktest(w, r) })
		},
	}
	f := c.Flags()
	f.StringVar(&name, "name", "", "the policy's `NAME`")
	f.IntVar(&version, "version", 0, "the version in question")
	f.StringVar(&edition, "edition", "", "or an edition that is not published, by `NAME`")
	f.StringVar(&file, "file", "", "or a `FILE` with rules as JSON")
	f.StringVar(&from, "from", "", "commands recorded from this `TIME` or date on")
	f.StringVar(&to, "to", "", "commands recorded before this `TIME` or date")
	f.StringVar(&tenant, "tenant", "", "only this tenant's accounts; an auditor's own by default")
	f.IntVar(&limit, "limit", 500, "list at most so many differences")
	return c
}

func printBacktest(w *tabwriter.Writer, r retrial.Report) {
	_, _ = fmt.Fprintf(w, "%d commands replayed: %d the same, %d different; %d not decidable\n", r.Replayed, r.Same, r.Different, r.Undecidable)
	if len(r.Differences) > 0 {
		_, _ = fmt.Fprintln(w, "AT\tCOMMAND\tSTREAM\tBY\tWOULD BE\tWHY")
	}
	for _, d := range r.Differences {
		why := strings.Join(d.Fields, " ")
		if d.Now.Refused != nil {
			why = d.Now.Refused.Rule + " " + d.Now.Refused.Detail
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", d.At.UTC().Format(time.RFC3339), d.Command, d.Stream, d.Actor.ID, d.Kind, why)
	}
	for _, u := range r.Undecided {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\tnot decidable\t%s\n", u.At.UTC().Format(time.RFC3339), u.Command, u.Stream, u.Actor.ID, u.Why)
	}
	if r.RefusedNotReplayed == 0 {
		return
	}
	_, _ = fmt.Fprintf(w, "%d more were refused under this policy and are not replayed, since nothing of them was kept:\n", r.RefusedNotReplayed)
	_, _ = fmt.Fprintln(w, "RULE\tCOMMAND\tREFUSED WITH\tTIMES")
	for _, f := range r.Refusals {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%d\n", cmp.Or(f.Rule, "-"), f.Command, f.Code, f.Commands)
	}
}

func (a *app) canI() *cobra.Command {
	var about string
	cmd := &cobra.Command{
		Use: "can-i COMMAND ID", Short: "Ask whether you may send a command to an account, and why",
		Long: `Asks the authorization, without doing anything: your roles, how you stand to the
account, and conditions such as whose the card is. The account's own rules may
still refuse what the command says; --dry-run of konto cmd shows that. A case
belongs to the organization whose subscription it is about: name that with
--about to ask whether you may open it.`,
		Example: `  konto can-i UpdateCardDetails 01930000-0000-7000-8000-000000000030 --as bo
  konto can-i RequestSwitchToInvoice 01930000-0000-7000-8000-000000000070 --about 01930000-0000-7000-8000-000000000020 --as support`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usage(errors.New("can-i: want the COMMAND's name and the account's ID"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			var p httpapi.CanI
			q := url.Values{"command": {args[0]}, "target": {args[1]}}
			if about != "" {
				q.Set("about", about)
			}
			if err := c.Get(cmd.Context(), "/v1/can-i?"+q.Encode(), &p); err != nil {
				return err
			}
			return a.print(p, func(w *tabwriter.Writer) { printPermission(w, p) })
		},
	}
	cmd.Flags().StringVar(&about, "about", "", "the ID of what a new account would be about")
	return cmd
}

func printPermission(w *tabwriter.Writer, p httpapi.CanI) {
	answer := "yes"
	if !p.Allowed {
		answer = "no"
	}
	if p.Allowed && !p.Exists {
		answer = "yes, if it makes a new account"
	}
	_, _ = fmt.Fprintf(w, "%s\t%s\n", answer, p.Command)
	for _, r := range p.Trace {
		mark := "-"
		if r.Passed {
			mark = "+"
		}
		_, _ = fmt.Fprintf(w, "  %s %s\t%s\n", mark, r.Check, r.Why)
	}
	if p.Provided != "" {
		_, _ = fmt.Fprintf(w, "provided that\t%s\n", p.Provided)
	}
	if p.Refusal == nil {
		return
	}
	_, _ = fmt.Fprintf(w, "refused\t%s\n", p.Refusal.Detail)
	if b := p.Refusal.Because; b != nil {
		_, _ = fmt.Fprintf(w, "rule %s\t%s\nfrom\t%s\n", p.Refusal.Rule, b.Says, b.Page)
	}
	if p.Refusal.Instead != "" {
		_, _ = fmt.Fprintf(w, "instead\t%s\n", p.Refusal.Instead)
	}
}
