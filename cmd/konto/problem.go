package main

import (
	"fmt"
	"io"
	"strings"

	"konto/internal/client"
)

// printProblem says what the API refused, by which rule, and what to do instead.
func printProblem(w io.Writer, p *client.Problem) {
	line := func(name, value string) {
		if value != "" {
			_, _ = fmt.Fprintf(w, "  %-9s %s\n", name, value)
		}
	}
	_, _ = fmt.Fprintf(w, "konto: %s (%d %s)\n", p.Detail, p.Status, p.Code)
	line("rule", p.Rule)
	line("who may", strings.Join(p.WhoMay, ", "))
	line("instead", p.Instead)
	for _, e := range p.Errors {
		line(e.Pointer, e.Detail)
	}
	line("request", p.RequestID)
}
