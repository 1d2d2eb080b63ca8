package grpc

import (
	"regexp"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
)

// filter says which events of $all a client wants.
type filter struct {
	byType   bool // by event type, else by stream
	pattern  *regexp.Regexp
	prefixes []string
	types    map[string]bool // answers that were given before, by type
	interval uint64          // of checkpoints, in events looked at
}

// rememberedTypes bounds the answers a filter remembers: an event type comes
// again and again, and a pattern costs more than a look into a map.
const rememberedTypes = 256

// defaultWindow is how far the official clients search for a match at a time,
// and EventStoreDB if they do not say.
const defaultWindow = 32

// parseFilter reads a filter. That of a subscription must say how often it
// wants checkpoints.
func parseFilter(o *streams.ReadReq_Options_FilterOptions, subscribe bool) (*filter, error) {
	f := &filter{}
	var e *streams.ReadReq_Options_FilterOptions_Expression
	switch by := o.GetFilter().(type) {
	case *streams.ReadReq_Options_FilterOptions_StreamIdentifier:
		e = by.StreamIdentifier
	case *streams.ReadReq_Options_FilterOptions_EventType:
		e, f.byType = by.EventType, true
	default:
		return nil, invalidArgument("a filter without an expression")
	}
	if err := f.parse(e.GetRegex(), e.GetPrefix()); err != nil {
		return nil, err
	}
	window := uint64(defaultWindow)
	switch w := o.GetWindow().(type) {
	case *streams.ReadReq_Options_FilterOptions_Max:
		window = uint64(w.Max)
	case *streams.ReadReq_Options_FilterOptions_Count:
	default:
		if subscribe {
			return nil, invalidArgument("a filter without a window")
		}
	}
	f.interval = window * uint64(o.GetCheckpointIntervalMultiplier())
	if subscribe && f.interval == 0 {
		return nil, invalidArgument("a filter with a window or a checkpoint interval of 0")
	}
	return f, nil
}

func (f *filter) parse(pattern string, prefixes []string) error {
	if pattern == "" {
		f.prefixes = prefixes
		return nil
	}
	if subtracts(pattern) {
		return invalidArgument("regular expression: character class subtraction is not supported")
	}
	p, err := regexp.Compile(pattern)
	if err != nil {
		return invalidArgument("regular expression: %v", err)
	}
	f.pattern = p
	if f.byType {
		f.types = make(map[string]bool)
	}
	return nil
}

// subtracts finds the one construct of .NET, "[a-z-[aeiou]]", that RE2 accepts
// and understands differently.
func subtracts(pattern string) bool {
	class := false
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '\\':
			i++
		case !class:
			class = pattern[i] == '['
		case pattern[i] == ']':
			class = false
		case pattern[i] == '-' && strings.HasPrefix(pattern[i:], "-["):
			return !strings.HasPrefix(pattern[i:], "-[:")
		}
	}
	return false
}

// matches reports whether r, as it is in the log, is wanted. No filter wants all.
func (f *filter) matches(r *eventstore.Recorded) bool {
	switch {
	case f == nil:
		return true
	case f.pattern == nil && f.byType:
		return f.startsWell(r.Type)
	case f.pattern == nil:
		return f.startsWell(r.Stream)
	case !f.byType:
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

func (f *filter) startsWell(name string) bool {
	for _, prefix := range f.prefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// hidden reports whether $all does not show r: what EventStoreDB writes about
// itself and about what a persistent subscription to $all has done, which
// would otherwise make it do more.
func hidden(r *eventstore.Recorded) bool {
	if len(r.Stream) == 0 || r.Stream[0] != '$' {
		return false
	}
	if r.Stream == "$epoch-information" {
		return true
	}
	return strings.HasPrefix(r.Stream, "$persistentsubscription-$all::") &&
		(strings.HasSuffix(r.Stream, "-checkpoint") || strings.HasSuffix(r.Stream, "-parked"))
}
