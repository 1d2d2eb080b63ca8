package filter_test

import (
	"errors"
	"testing"

	"konto/eventstore"
	"konto/eventstore/node/filter"
)

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name         string
		spec         filter.Spec
		stream, kind string
		want         bool
	}{
		{"stream prefix", filter.Spec{Prefixes: []string{"x", "account-"}}, "account-1", "e", true},
		{"no stream prefix", filter.Spec{Prefixes: []string{"x", "account-"}}, "my-account-1", "e", false},
		{"prefixes are ordinal", filter.Spec{Prefixes: []string{"Account"}}, "account", "e", false},
		{"type prefix", filter.Spec{ByType: true, Prefixes: []string{"card."}}, "account-1", "card.added", true},
		{"no type prefix", filter.Spec{ByType: true, Prefixes: []string{"account"}}, "account-1", "card.added", false},
		{"stream expression, not anchored", filter.Spec{Regex: "unt-[0-9]$"}, "account-1", "e", true},
		{"no stream expression", filter.Spec{Regex: "^unt"}, "account-1", "e", false},
		{"type expression", filter.Spec{ByType: true, Regex: `^[^\$].*`}, "s", "added", true},
		{"no type expression", filter.Spec{ByType: true, Regex: `^[^\$].*`}, "s", "$metadata", false},
		{"expression wins over prefixes", filter.Spec{Regex: "^a", Prefixes: []string{"b"}}, "b", "e", false},
		{"nothing wanted", filter.Spec{}, "a", "e", false},
	} {
		f, err := filter.Compile(row.spec)
		if err != nil {
			t.Errorf("%s: Compile(%+v) = %v", row.name, row.spec, err)
			continue
		}
		r := &eventstore.Recorded{Event: eventstore.Event{Type: row.kind}, Stream: row.stream}
		for range 2 { // the second answer may be remembered
			if got := f.Matches(r); got != row.want {
				t.Errorf("%s: Matches(%s, %s) = %v, want %v", row.name, row.stream, row.kind, got, row.want)
			}
		}
	}
	if !(*filter.Filter)(nil).Matches(&eventstore.Recorded{}) {
		t.Error("no filter does not want everything")
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{
		"(", "(?=a)", "(?<!a)b", `(a)\1`, "[a-z-[aeiou]]", `[\w-[d]]`,
		"[]+-[b]]", "[^]+-[b]]", "[a-z-[:digit:]]", "[a-z-[:b]]", "[[:alpha:]+-[b]]", // RE2 would read them as something else
	} {
		if f, err := filter.Compile(filter.Spec{Regex: pattern}); !errors.Is(err, filter.ErrInvalid) {
			t.Errorf("Compile(%q) = %v, %v, want ErrInvalid", pattern, f, err)
		}
	}
	for _, pattern := range []string{`\[a-[b]`, "[a-z[]", "[[:alpha:]-]", `[a\-[]`, "[-[a]", "[^-[a]", "[-[:alpha:]]", "[]a]-[b]"} {
		if _, err := filter.Compile(filter.Spec{Regex: pattern}); err != nil {
			t.Errorf("Compile(%q) = %v", pattern, err)
		}
	}
}

func TestHidden(t *testing.T) {
	t.Parallel()
	for stream, want := range map[string]bool{
		"":                   false,
		"account-1":          false,
		"$settings":          false,
		"$epoch-information": true,
		"$$$persistentsubscription-$all::g-checkpoint": false,
		"$persistentsubscription-$all::g-checkpoint":   true,
		"$persistentsubscription-$all::g-parked":       true,
		"$persistentsubscription-$all::g-other":        false,
		"$persistentsubscription-s::g-checkpoint":      false,
	} {
		if got := filter.Hidden(&eventstore.Recorded{Stream: stream}); got != want {
			t.Errorf("Hidden(%q) = %v, want %v", stream, got, want)
		}
	}
}
