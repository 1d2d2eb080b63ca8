package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"konto/domain/securityinfo"
	"konto/internal/httpapi"
	"konto/internal/outlook"
	"konto/projections"
)

func (a *app) readiness() *cobra.Command {
	var q httpapi.OutlookQuery
	c := &cobra.Command{
		Use: "readiness [PERSON]", Short: "Ask who could recover their account, now and after a change",
		Long: `Without a PERSON, lists who of the organization could recover their account now.

With a PERSON's ID, answers for them, now and after a change that you only
think of: nothing is changed, and nobody is told. It also says whether the
change would leave the organization without a global admin who could recover,
and what the rules say against it. Whether you may make the change, konto can-i
says.`,
		Example: `  konto readiness --as anna
  konto readiness 01930000-0000-7000-8000-000000000010 --remove alternateEmail --as anna
  konto readiness 01930000-0000-7000-8000-000000000010 --remove-role global-admin --edition two-gates-always --as anna`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch changes := given(cmd, "remove", "assign-role", "remove-role", "off-board", "edition", "version", "rules"); {
			case len(args) > 1:
				return usage(errors.New("readiness: want one PERSON's ID, or none for everybody"))
			case len(args) == 0 && changes:
				return usage(errors.New("readiness: want the ID of the PERSON whom the change is about"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.readyPeople(cmd, q.Tenant)
			}
			q.ID = args[0]
			return a.readyPerson(cmd, q)
		},
	}
	f := c.Flags()
	f.StringSliceVar(&q.Remove, "remove", nil, "contacts that would be removed: mobile, alternateMobile, office, alternateEmail")
	f.StringVar(&q.AssignRole, "assign-role", "", "role that would be given, such as global-admin")
	f.StringVar(&q.RemoveRole, "remove-role", "", "role that would be taken")
	f.BoolVar(&q.Offboard, "off-board", false, "the person would leave")
	f.StringVar(&q.Edition, "edition", "", "edition of the policy account-recovery that would come into force")
	f.IntVar(&q.Version, "version", 0, "published version of it that would come into force")
	f.StringVar(&q.Rules, "rules", "", "rules of it that would come into force, as JSON")
	f.StringVar(&q.Tenant, "tenant", "", "whose; your own organization's if absent")
	c.MarkFlagsMutuallyExclusive("edition", "version", "rules")
	return c
}

// given reports whether one of the flags was given.
func given(cmd *cobra.Command, names ...string) bool {
	for _, n := range names {
		if cmd.Flags().Changed(n) {
			return true
		}
	}
	return false
}

func (a *app) readyPeople(cmd *cobra.Command, tenant string) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	var all []projections.Readiness
	for next := ""; ; {
		var page httpapi.Page[projections.Readiness]
		values := url.Values{"limit": {"500"}}
		if next != "" {
			values.Set("cursor", next)
		}
		if tenant != "" {
			values.Set("tenant", tenant)
		}
		if err := c.Get(cmd.Context(), "/v1/recovery-readiness?"+values.Encode(), &page); err != nil {
			return err
		}
		all = append(all, page.Items...)
		if next = page.Next; next == "" {
			break
		}
	}
	return a.print(all, func(w *tabwriter.Writer) {
		_, _ = fmt.Fprintln(w, "PERSON\tREADY\tGATE\tUSABLE\tMISSING\tADDRESS")
		for _, r := range all {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.AdminID, yesNo(r.Ready), r.Gate, slotNames(r.Usable), strings.Join(r.Missing, ", "), shared(r.SharedEmail))
		}
	})
}

func (a *app) readyPerson(cmd *cobra.Command, q httpapi.OutlookQuery) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	values := url.Values{}
	set := func(name, value string) {
		if value != "" {
			values.Set(name, value)
		}
	}
	set("remove", strings.Join(q.Remove, ","))
	set("assign-role", q.AssignRole)
	set("remove-role", q.RemoveRole)
	set("edition", q.Edition)
	set("rules", q.Rules)
	set("tenant", q.Tenant)
	if q.Offboard {
		set("off-board", "true")
	}
	if cmd.Flags().Changed("version") {
		set("version", strconv.Itoa(q.Version))
	}
	var o httpapi.Outlook
	if err := c.Get(cmd.Context(), "/v1/recovery-readiness/"+url.PathEscape(q.ID)+"?"+values.Encode(), &o); err != nil {
		return err
	}
	return a.print(o, func(w *tabwriter.Writer) { printOutlook(w, o) })
}

func printOutlook(w *tabwriter.Writer, o httpapi.Outlook) {
	side := func(when string, r outlook.Prospect) {
		_, _ = fmt.Fprintf(w, "%s\t%s\tgate %s, usable: %s\n", when, yesNo(r.Ready), r.Gate, slotNames(r.Usable))
		if !r.SignsIn {
			_, _ = fmt.Fprintf(w, "\t\tthe account cannot be used, so there is nothing to recover\n")
		}
		if len(r.Missing) > 0 {
			_, _ = fmt.Fprintf(w, "\t\tmissing: %s\n", strings.Join(r.Missing, ", "))
		}
		for _, c := range r.CoolingDown {
			_, _ = fmt.Fprintf(w, "\t\t%s counts from %s\n", c.Slot, c.UsableFrom.UTC().Format(time.RFC3339))
		}
	}
	side("ready now", o.Now)
	if o.After == nil {
		return
	}
	side("ready after", *o.After)
	_, _ = fmt.Fprintf(w, "recoverable global admins\t%d\tafter: %d\n", o.GlobalAdmins.Now, *o.GlobalAdmins.After)
	_, _ = fmt.Fprintf(w, "\t\tcool-downs do not matter here: they end by themselves, and lock nobody out\n")
	_, _ = fmt.Fprintf(w, "locks out\t%s\n", yesNo(o.LocksOut))
	for _, r := range o.Refusals {
		_, _ = fmt.Fprintf(w, "refused\t%s %s\t%s\n", r.Rule, r.Code, r.Detail)
		if r.Instead != "" {
			_, _ = fmt.Fprintf(w, "\t\tinstead: %s\n", r.Instead)
		}
	}
}

func slotNames(slots []securityinfo.Slot) string {
	names := make([]string, len(slots))
	for i, s := range slots {
		names[i] = string(s)
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// shared says that the alternate address recovers another account, too (I6).
func shared(b bool) string {
	if b {
		return "shared"
	}
	return ""
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
