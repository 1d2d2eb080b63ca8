package main

import (
	"io"
	"testing"
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
