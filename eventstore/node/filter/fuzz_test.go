package filter_test

import (
	"errors"
	"regexp"
	"slices"
	"testing"

	"konto/eventstore"
	"konto/eventstore/node/filter"
)

// What .NET takes for class subtraction: in a class, after something else in it,
// "-[". A bracket that closes a class does not if it is the first thing in it,
// or if it closes a name such as "[:digit:]".
const begin, more = `(?s)\[(?:\[:[a-z^]*:\]|[^^]|\^(?:\[:[a-z^]*:\]|.))`, `(?:\[:[a-z^]*:\]|[^\]])*`

var (
	escaped   = regexp.MustCompile(`(?s)\\.`)
	class     = regexp.MustCompile(begin + more + `(?:\]|$)`)
	subtracts = regexp.MustCompile("^" + begin + more + `-\[`)
)

// subtraction says the same as the package, by other means.
func subtraction(pattern string) bool {
	return slices.ContainsFunc(class.FindAllString(escaped.ReplaceAllLiteralString(pattern, "x"), -1), subtracts.MatchString)
}

// FuzzMatches compares what a filter wants with what its expression or its
// prefixes say, and what Compile refuses with what RE2 has not.
func FuzzMatches(f *testing.F) {
	for _, pattern := range []string{
		"", "^a", "(?i)A", "[a-z-[a]]", "[]+-[b]]", "[^-[a]", "(", `\d+$`, "(a*)*b", "a{1000}{1000}", `\bunt-[0-9]`, `^[^\$].*`,
		`\p{Greek}+|ä`, "(?s).", `[\w-[d]]`, "[[:alpha:]-]", "[[:alpha:]+-[b]]", "[[:^alpha:]-[:digit:]]", "a|b|", `\x{10FFFF}`,
	} {
		f.Add(pattern, "acc", "", "account-1", "card.added", true)
		f.Add(pattern, "$", "card.", "$metadata", "account-1", false)
	}
	f.Add("", "", "x", "", "", false)
	f.Fuzz(func(t *testing.T, pattern, first, second, one, other string, byType bool) {
		spec := filter.Spec{ByType: byType, Regex: pattern, Prefixes: []string{first, second}}
		got, err := filter.Compile(spec)
		want, wantErr := regexp.Compile(pattern)
		if refused := wantErr != nil || subtraction(pattern); refused != (err != nil) || err != nil && !errors.Is(err, filter.ErrInvalid) {
			t.Fatalf("Compile(%q) = %v, want an error: %v (%v)", pattern, err, refused, wantErr)
		}
		if err != nil {
			return
		}
		for _, name := range []string{one, other, one} { // the last answer may be remembered
			r := &eventstore.Recorded{Event: eventstore.Event{Type: name}, Stream: "-" + name}
			if !byType {
				r.Type, r.Stream = r.Stream, r.Type
			}
			matches := pattern != "" && want.MatchString(name)
			for _, prefix := range spec.Prefixes {
				matches = matches || pattern == "" && len(prefix) <= len(name) && name[:len(prefix)] == prefix
			}
			if ok := got.Matches(r); ok != matches {
				t.Errorf("Matches(%+v) of %+v = %v, want %v", r, spec, ok, matches)
			}
		}
	})
}
