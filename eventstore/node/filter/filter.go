// Package filter says which events of $all somebody wants: by the stream they
// are in or by their type, with a regular expression or with prefixes.
//
// It looks at records as they are in the log: a link is judged by its own
// stream and type, not by its target's. What EventStoreDB never shows in $all is
// [Hidden], whatever a filter says.
//
// Expressions are RE2's. Those of .NET that RE2 does not have (look-around,
// back-references, class subtraction) are refused and never misread.
package filter

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"konto/eventstore"
)

// Spec is a filter as a client says it and as it is stored. If Regex is empty,
// an event matches if its name starts with any of Prefixes.
type Spec struct {
	ByType   bool     `json:"byType,omitempty"` // by event type, else by stream
	Regex    string   `json:"regex,omitempty"`
	Prefixes []string `json:"prefixes,omitempty"`
}

// ErrInvalid is what Compile returns for an expression that it cannot use.
var ErrInvalid = errors.New("filter: invalid regular expression")

// Filter decides. It remembers answers, so it is for one goroutine. A nil
// *Filter wants everything.
type Filter struct {
	spec    Spec
	pattern *regexp.Regexp
	types   map[string]bool // answers that were given before, by type
}

// rememberedTypes bounds the answers a filter remembers: an event type comes
// again and again, and a pattern costs more than a look into a map.
const rememberedTypes = 256

// Compile makes a filter. Its error matches [ErrInvalid].
func Compile(s Spec) (*Filter, error) {
	f := &Filter{spec: s}
	if s.Regex == "" {
		return f, nil
	}
	if subtracts(s.Regex) {
		return nil, fmt.Errorf("%w: character class subtraction is not supported", ErrInvalid)
	}
	p, err := regexp.Compile(s.Regex)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	f.pattern = p
	if s.ByType {
		f.types = make(map[string]bool)
	}
	return f, nil
}

// subtracts finds the one construct of .NET, "[a-z-[aeiou]]", that RE2 accepts
// and understands differently: in a class, but not as the first thing in it, "-[".
func subtracts(pattern string) bool {
	class, begun := false, false
	for i := 0; i < len(pattern); i++ {
		rest := pattern[i:]
		switch {
		case rest[0] == '\\':
			i++
		case !class:
			if class, begun = rest[0] == '[', false; strings.HasPrefix(rest, "[^") {
				i++
			}
			continue
		case begun && strings.HasPrefix(rest, "-["):
			return true
		case begun && rest[0] == ']':
			class = false
		default:
			i += max(0, named(rest)-1)
		}
		begun = true
	}
	return false
}

// named returns the length of what stands for a class in a class, "[:digit:]",
// at the beginning of s.
func named(s string) int {
	s, opens := strings.CutPrefix(s, "[:")
	name, _, closes := strings.Cut(s, ":]")
	if !opens || !closes || strings.Trim(name, "^abcdefghijklmnopqrstuvwxyz") != "" {
		return 0
	}
	return len("[:") + len(name) + len(":]")
}

// Matches reports whether r, as it is in the log, is wanted.
func (f *Filter) Matches(r *eventstore.Recorded) bool {
	switch {
	case f == nil:
		return true
	case f.pattern == nil && f.spec.ByType:
		return f.startsWell(r.Type)
	case f.pattern == nil:
		return f.startsWell(r.Stream)
	case !f.spec.ByType:
		return f.pattern.MatchString(r.Stream)
	}
	ok, known := f.types[r.Type]
	if !known {
		ok = f.pattern.MatchString(r.Type)
		if len(f.types) < rememberedTypes {
			f.types[strings.Clone(r.Type)] = ok
		}
	}
	return ok
}

func (f *Filter) startsWell(name string) bool {
	for _, prefix := range f.spec.Prefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// Hidden reports whether $all does not show r: what EventStoreDB writes about
// itself and about what a persistent subscription to $all has done, which
// would otherwise make it do more.
func Hidden(r *eventstore.Recorded) bool {
	if r.Stream == "" || r.Stream[0] != '$' {
		return false
	}
	if r.Stream == "$epoch-information" {
		return true
	}
	return strings.HasPrefix(r.Stream, "$persistentsubscription-$all::") &&
		(strings.HasSuffix(r.Stream, "-checkpoint") || strings.HasSuffix(r.Stream, "-parked"))
}
