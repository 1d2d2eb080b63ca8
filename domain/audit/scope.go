package audit

import (
	"errors"
	"slices"
	"strings"

	"konto/domain"
)

// Scope is what a session covers. What it does not name is not covered.
type Scope struct {
	Whole    bool     `json:"whole,omitzero"`     // everything of the organization
	Kinds    []string `json:"kinds,omitempty"`    // of accounts, such as "card"
	Accounts []string `json:"accounts,omitempty"` // streams, such as "card-0193…"
	// Personal shows personal values, too; without it there is only that there
	// are some.
	Personal bool `json:"personal,omitzero"`
}

// Covers reports whether s covers an account of a category. Without a stream,
// everything of the category is asked for; without a category, everything.
func (s Scope) Covers(category, stream string) bool {
	return s.Whole || category != "" && slices.Contains(s.Kinds, category) || stream != "" && slices.Contains(s.Accounts, stream)
}

// maxNamed is the most kinds, and the most accounts, that a scope names.
const maxNamed = 100

// problems returns what is wrong with s.
func (s Scope) problems(kinds []string) []*domain.Error {
	var wrong []*domain.Error
	named := len(s.Kinds) + len(s.Accounts)
	if s.Whole == (named > 0) || len(s.Kinds) > maxNamed || len(s.Accounts) > maxNamed || repeats(s.Kinds) || repeats(s.Accounts) {
		wrong = append(wrong, ErrScope)
	}
	if slices.ContainsFunc(s.Kinds, func(k string) bool { return !slices.Contains(kinds, k) }) {
		wrong = append(wrong, ErrKind.With("kinds", kinds))
	}
	if slices.ContainsFunc(s.Accounts, func(a string) bool { return !isStream(a, kinds) }) {
		wrong = append(wrong, ErrAccount)
	}
	return wrong
}

func repeats(names []string) bool {
	sorted := slices.Sorted(slices.Values(names))
	return len(slices.Compact(sorted)) < len(names)
}

// maxStream is the most bytes of a stream's name: a kind and two UUIDs.
const maxStream = 100

// isStream reports whether name is that of an account's stream. What it lets
// pass can hold no name or address of a person.
func isStream(name string, kinds []string) bool {
	kind, id, ok := strings.Cut(name, "-")
	return ok && len(name) <= maxStream && slices.Contains(kinds, kind) && consistsOf(id, "0123456789abcdef-")
}

func consistsOf(s, letters string) bool { return s != "" && strings.Trim(s, letters) == "" }

// SessionTerms are the limits of audit sessions.
type SessionTerms struct {
	MaxMinutes     int  `json:"maxMinutes"`     // the longest session, 1 to 43,200 (30 days)
	DefaultMinutes int  `json:"defaultMinutes"` // of one that names no length, 1 to MaxMinutes
	PurposeNeeded  bool `json:"purposeNeeded"`  // a session says what it is for
}

// Validate says that a limit is out of its range.
func (t SessionTerms) Validate() error {
	if t.MaxMinutes < 1 || t.MaxMinutes > 30*24*60 {
		return errors.New("maxMinutes must be 1 to 43200")
	}
	if t.DefaultMinutes < 1 || t.DefaultMinutes > t.MaxMinutes {
		return errors.New("defaultMinutes must be 1 to maxMinutes")
	}
	return nil
}

// SessionPolicy says how long auditors may read, and whether they say why.
var SessionPolicy = domain.Policy[SessionTerms]{
	Name:  "audit-sessions",
	First: SessionTerms{MaxMinutes: 5 * 24 * 60, DefaultMinutes: 8 * 60, PurposeNeeded: true}, // a week's work, a day's work
}
