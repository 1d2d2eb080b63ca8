package grpc

import (
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	"konto/eventstore/node/filter"
)

// wanted says which events of $all a client wants, and how often it wants to
// know how far the search has come.
type wanted struct {
	*filter.Filter
	interval uint64 // events looked at for each checkpoint; 0: no checkpoints
}

// defaultWindow is how far EventStoreDB searches for a match at a time if the
// client does not say.
const defaultWindow = 32

// parseFilter reads a filter. That of a subscription must say how often it
// wants checkpoints.
func parseFilter(o *streams.ReadReq_Options_FilterOptions, subscribe bool) (w wanted, err error) {
	var (
		spec filter.Spec
		e    *streams.ReadReq_Options_FilterOptions_Expression
	)
	switch by := o.GetFilter().(type) {
	case *streams.ReadReq_Options_FilterOptions_StreamIdentifier:
		e = by.StreamIdentifier
	case *streams.ReadReq_Options_FilterOptions_EventType:
		e, spec.ByType = by.EventType, true
	default:
		return w, invalidArgument("a filter without an expression")
	}
	spec.Regex, spec.Prefixes = e.GetRegex(), e.GetPrefix()
	if w.Filter, err = filter.Compile(spec); err != nil {
		return w, invalidArgument("%v", err)
	}
	window := uint64(defaultWindow)
	switch by := o.GetWindow().(type) {
	case *streams.ReadReq_Options_FilterOptions_Max:
		window = uint64(by.Max)
	case *streams.ReadReq_Options_FilterOptions_Count:
	default:
		if subscribe {
			return w, invalidArgument("a filter without a window")
		}
	}
	w.interval = window * uint64(o.GetCheckpointIntervalMultiplier())
	if subscribe && w.interval == 0 {
		return w, invalidArgument("a filter with a window or a checkpoint interval of 0")
	}
	return w, nil
}

// wants reports whether $all shows a record, as it is in the log, to the client.
func (w wanted) wants(r *eventstore.Recorded) bool { return !filter.Hidden(r) && w.Matches(r) }
