package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/term"
	"github.com/mattn/go-isatty"

	"konto/domain"
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

// visible writes out what stands in a line and would not be seen there, or would
// change what is: control characters, those that turn the direction of writing,
// and others that leave no mark. What is stored may hold them: a terminal obeys
// them, and a line that somebody made up looks like one of ours.
func visible(line string) string {
	if domain.Line(line, len(line)) {
		return line
	}
	var b strings.Builder
	for i, r := range line {
		switch _, size := utf8.DecodeRuneInString(line[i:]); {
		case r == utf8.RuneError && size == 1:
			_, _ = fmt.Fprintf(&b, `\x%02x`, line[i])
		case domain.Line(string(r), 1):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// visibleLines is visible for text that has lines of its own.
func visibleLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = visible(lines[i])
	}
	return strings.Join(lines, "\n")
}
