package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"konto/internal/demo"
	"konto/internal/system"
)

// printFirstScreen says what a person needs to begin.
func (a *app) printFirstScreen(s *system.System, begun beginning, total time.Duration) {
	if a.quiet {
		_, _ = fmt.Fprintln(a.stdout, s.URL())
		return
	}
	style := a.style(a.stdout)
	strong, faint := style.strong, style.faint
	konto := program()
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "  "+format+"\n", args...) }
	b.WriteString("\n")
	line("%s  %s", strong("konto "+buildVersion().Version), faint(fmt.Sprintf(
		"dev, not for production · ready in %d ms, with the demo company in %d ms", begun.ready.Milliseconds(), total.Milliseconds())))
	b.WriteString("\n")
	named := func(name, format string, args ...any) {
		line("%s %s", strong(fmt.Sprintf("%-9s", name)), fmt.Sprintf(format, args...))
	}
	named("API", "%s/v1    page: %s/docs", s.URL(), s.URL())
	named("Mailbox", "%s/-/mail", s.URL())
	named("Health", "%s/readyz  /metrics  /version", s.URL())
	named("Data", "%s    %s", a.devData, faint("kept; --reset begins anew; the log is konto.log in it"))
	if s.Shown() != "" {
		named("Events", "%s    %s", s.Shown(), faint("read-only, for clients of EventStoreDB"))
	}
	if begun.options.seed == "demo" {
		b.WriteString("\n")
		line("%s    %s", strong("People"), faint("tokens for 12 hours in "+a.devData+"/tokens/NAME"))
		for _, p := range demo.People() {
			line("  %-9s %s", p.Name, p.Title)
		}
		b.WriteString("\n")
		line("%s", strong("Try, in another terminal"))
		if begun.options.history > 0 {
			line("  %s get /v1/timeline", konto)
			line("  %s get /v1/customers --as saga", konto)
			line("  %s readiness", konto)
		}
		anna, _ := demo.Find("anna")
		line("  %s trigger card.declined", konto)
		line("  %s mail", konto)
		line("  %s audit open --purpose \"a first look\" --whole --personal --as eva", konto)
		line("  %s account history card-%s --as eva", konto, demo.AnnasCard)
		line("  %s account state secinfo-%s --as anna", konto, anna.ID)
		line("  curl -s -H \"Authorization: Bearer $(cat %s/tokens/saga)\" %s/v1/customers", a.devData, s.URL())
	}
	b.WriteString("\n")
	line("%s", faint("Ctrl-C stops it."))
	_, _ = fmt.Fprintln(a.stdout, b.String())
}

// slow tells a person at a terminal what takes more than a second, unless done
// is called before.
func (a *app) slow(what string) (done func()) {
	if a.quiet || !terminal(a.stderr) {
		return func() {}
	}
	t := time.AfterFunc(time.Second, func() { _, _ = fmt.Fprintln(a.stderr, what+" …") })
	return func() { t.Stop() }
}

func trimSpace(b []byte) string { return strings.TrimSpace(string(b)) }

// noArgs is cobra.NoArgs as a usage error.
func noArgs(cmd *cobra.Command, args []string) error {
	if err := cobra.NoArgs(cmd, args); err != nil {
		return usage(err)
	}
	return nil
}
