package main

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"konto/internal/client"
)

// printProblem says what the API refused, by which rule, and what to do instead.
func (a *app) printProblem(p *client.Problem) {
	w, s := a.stderr, a.style(a.stderr)
	line := func(name, value string) {
		if value != "" {
			_, _ = fmt.Fprintf(w, "  %s %s\n", s.faint(fmt.Sprintf("%-9s", name)), visible(value))
		}
	}
	_, _ = fmt.Fprintf(w, "%s %s %s\n", s.bad("konto:"), visible(p.Detail), s.faint("("+strconv.Itoa(p.Status)+" "+p.Code+")"))
	line("rule", p.Rule)
	line("because", p.Because.Says)
	line("source", p.Because.Page)
	line("it says", p.Because.Sentence.Says)
	line("who may", strings.Join(p.WhoMay, ", "))
	line("instead", alternative(p.Instead, p.InsteadBy))
	for _, e := range p.Errors {
		detail := e.Detail
		if len(p.Errors) > 1 && e.Rule != "" {
			detail += " (rule " + e.Rule + ")"
		}
		line(cmp.Or(e.Pointer, e.Parameter, e.Code), detail)
	}
	for _, c := range p.Changes {
		mark := ""
		if c.Conflict {
			mark = ", as you do"
		}
		line("changed", changed(c)+mark)
	}
	if p.Status == http.StatusPreconditionRequired && p.Facts.Revision != nil {
		line("seen", fmt.Sprintf("it is at revision %d now: look at it, then add --if-match %d", *p.Facts.Revision, *p.Facts.Revision))
	}
	line("request", p.RequestID)
}

// alternative says which command is allowed instead, and to whom.
func alternative(command string, by []string) string {
	if command == "" || len(by) == 0 {
		return command
	}
	return command + ", by " + strings.Join(by, ", ")
}

// changed says what somebody made of a field.
func changed(c client.Change) string {
	return fmt.Sprintf("%s: %s → %s by %s at %s (revision %d)",
		field(c.Field), before(c.Before), c.After, c.By, c.At.UTC().Format("2006-01-02 15:04:05"), c.Revision)
}
