package domain_test

import (
	"strings"
	"testing"

	"konto/domain"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"":                          true,
		"Åsa Öberg":                 true,
		"می\u200cخواهم":             true, // Persian
		"क्\u200dष":                 true, // Hindi
		"two\nlines":                false,
		"a\tb":                      false,
		"\x00":                      false,
		"\x1b[31mred":               false,
		"\u009b31m":                 false, // the same as one character
		"\u202egnp.exe":             false, // from right to left
		"\u2066a":                   false,
		"a\u200bb":                  false, // zero-width space
		"soft\u00adhyphen":          false,
		"\ufeffmark":                false,
		"a\u2028b":                  false, // line separator
		"\xff":                      false, // no UTF-8
		strings.Repeat("å", 10):     true,
		strings.Repeat("å", 11):     false,
		strings.Repeat("\u3164", 3): true, // a letter to Unicode; it is blank
	} {
		if got := domain.Line(s, 10); got != want {
			t.Errorf("Line(%q, 10) = %t, want %t", s, got, want)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{"two\nlines": true, "a\r\nb": false, "\u202eb": false, "eleven\nlong": false} {
		if got := domain.Text(s, 10); got != want {
			t.Errorf("Text(%q, 10) = %t, want %t", s, got, want)
		}
	}
}

func TestBlank(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"": true, " \t\u00a0\u3000": true, "\u200b": true, "\u00ad": true, "\ufeff": true, "\u202e": true, "\u200d": true,
		"\u3164": true, "\u115f\u1160": true, "\uffa0": true, "\u034f": true, "\ufe0f": true, "\u2800": true,
		".": false, " a ": false, "한": false, "\u3164x": false, "\xff": false,
	} {
		if got := domain.Blank(s); got != want {
			t.Errorf("Blank(%q) = %t, want %t", s, got, want)
		}
	}
}
