package main

import (
	"io"
	"os"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/term"
	"github.com/mattn/go-isatty"
)

// style is how words stand out for people.
type style struct{ strong, faint, bad func(...string) string }

// style returns how words stand out on w: not at all where colour is not
// wanted or w is no terminal.
func (a *app) style(w io.Writer) style {
	if !a.colored(w) {
		plain := func(text ...string) string { return strings.Join(text, " ") }
		return style{plain, plain, plain}
	}
	return style{
		strong: lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Color("6")).Render,
		faint:  lipgloss.NewStyle().Faint(true).Render,
		bad:    lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Color("1")).Render,
	}
}

// colored reports whether what goes to w may have colour: --color decides,
// then NO_COLOR (no-color.org), CLICOLOR_FORCE, and whether w is a terminal.
func (a *app) colored(w io.Writer) bool {
	force := a.getenv("CLICOLOR_FORCE")
	switch {
	case a.color == "always":
		return true
	case a.color == "never", a.getenv("NO_COLOR") != "", a.getenv("TERM") == "dumb":
		return false
	case force != "" && force != "0":
		return true
	}
	return terminal(w)
}

// terminal reports whether a person reads w.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// width is how many characters a line on w may have; 0 is any number.
func width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return 0
	}
	columns, _, err := term.GetSize(f.Fd())
	if err != nil {
		return 0
	}
	return columns
}

// cut shortens the lines of text to so many characters; 0 is any number.
func cut(text string, columns int) string {
	if columns <= 0 {
		return text
	}
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		body := []rune(strings.TrimSuffix(line, "\n"))
		if len(body) > columns {
			lines[i] = string(body[:columns-1]) + "…\n"
		}
	}
	return strings.Join(lines, "")
}
