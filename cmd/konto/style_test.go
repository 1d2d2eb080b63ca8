package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"text/tabwriter"

	"konto/internal/history"
)

func TestCut(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text    string
		columns int
		want    string
	}{
		{"short\n", 10, "short\n"},
		{"exactly 10\n", 10, "exactly 10\n"},
		{"eleven long\n", 10, "eleven lo…\n"},
		{"one is long\nand å, ä and ö count once\nend", 12, "one is long\nand å, ä an…\nend"},
		{"any width at all\n", 0, "any width at all\n"},
		{"", 5, ""},
	} {
		if got := cut(test.text, test.columns); got != test.want {
			t.Errorf("cut(%q, %d) = %q, want %q", test.text, test.columns, got, test.want)
		}
	}
}

// TestColored checks who decides about colour where nobody is at a terminal.
func TestColored(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		color string
		env   map[string]string
		want  bool
	}{
		{"no terminal", "auto", nil, false},
		{"always", "always", map[string]string{"NO_COLOR": "1"}, true},
		{"never", "never", map[string]string{"CLICOLOR_FORCE": "1"}, false},
		{"forced", "auto", map[string]string{"CLICOLOR_FORCE": "1"}, true},
		{"forced off", "auto", map[string]string{"CLICOLOR_FORCE": "0"}, false},
		{"NO_COLOR before CLICOLOR_FORCE", "auto", map[string]string{"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, false},
		{"a dumb terminal", "auto", map[string]string{"TERM": "dumb", "CLICOLOR_FORCE": "1"}, false},
	} {
		a := &app{color: test.color, environment: environment{getenv: func(name string) string { return test.env[name] }}}
		if got := a.colored(io.Discard); got != test.want {
			t.Errorf("%s: colored = %t, want %t", test.name, got, test.want)
		}
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Åsa Öberg, 한국":      "Åsa Öberg, 한국",
		"می\u200cخواهم":      "می\u200cخواهم",
		"a\nb\r\x00":         `a\nb\r\x00`,
		"\x1b[31mred\u009bm": `\x1b[31mred\u009bm`,
		"\u202eb":            `\u202eb`,
		"a\xff":              `a\xff`,
		"":                   "",
	} {
		if got := visible(in); got != want {
			t.Errorf("visible(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestStoredTextIsShown checks that what somebody wrote, when it was taken,
// neither commands a terminal nor looks like a line of ours.
func TestStoredTextIsShown(t *testing.T) {
	t.Parallel()
	const forged = "ok\n  9  2026-01-01 00:00:00  CardRemoved  by ann\x1b[31m"
	reason, err := json.Marshal(forged)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	a := &app{output: "table", color: "never", environment: environment{stdout: &out, getenv: func(string) string { return "" }}}
	if err := a.printHistory([]history.Entry{{Type: "CardAdded", Reason: reason}}); err != nil {
		t.Fatal(err)
	}
	if err := a.print(nil, func(w *tabwriter.Writer) { printAuditSessions(w, []auditSession{{Purpose: forged}}) }); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Count(got, "\n") != 4 || strings.Count(got, `\x1b[31m`) != 2 || strings.Contains(got, "\x1b") {
		t.Errorf("printed:\n%s", got)
	}
}
