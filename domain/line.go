package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line reports whether s may stand on a line that people read: at most so many
// characters of valid UTF-8, and nothing that moves what stands around it or
// hides in it: no control character, no line separator, and no format character
// (such as U+202E, which turns the direction of what follows). The two joiners
// are allowed, since Persian and Hindi need them between letters. It says
// nothing of an empty s; see [Blank].
func Line(s string, most int) bool {
	if utf8.RuneCountInString(s) > most || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r == zeroWidthNonJoiner || r == zeroWidthJoiner {
			continue
		}
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return false
		}
	}
	return true
}

// Text is [Line] for text of several lines.
func Text(s string, most int) bool { return Line(strings.ReplaceAll(s, "\n", " "), most) }

// Blank reports whether nobody sees anything of s: it is empty, or made of
// spaces and of characters that leave no mark (Unicode's default ignorable code
// points, the Hangul fillers among them, and the blank Braille pattern).
func Blank(s string) bool {
	for _, r := range s {
		if !unicode.In(r, unicode.White_Space, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) &&
			r != blankBraille {
			return false
		}
	}
	return true
}

const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
	blankBraille       = '\u2800'
)
