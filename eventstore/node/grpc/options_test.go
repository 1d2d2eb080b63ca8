package grpc_test

import (
	"fmt"
	"strconv"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// options of a read of a stream, or of $all if it is "", forwards from the start.
func options(stream string, count uint64, change ...func(*streams.ReadReq_Options)) *streams.ReadReq_Options {
	o := &streams.ReadReq_Options{
		CountOption:  &streams.ReadReq_Options_Count{Count: count},
		FilterOption: &streams.ReadReq_Options_NoFilter{NoFilter: &shared.Empty{}},
		UuidOption:   &streams.ReadReq_Options_UUIDOption{Content: &streams.ReadReq_Options_UUIDOption_Structured{Structured: &shared.Empty{}}},
	}
	if stream == "" {
		o.StreamOption = &streams.ReadReq_Options_All{All: &streams.ReadReq_Options_AllOptions{
			AllOption: &streams.ReadReq_Options_AllOptions_Start{Start: &shared.Empty{}},
		}}
	} else {
		o.StreamOption = &streams.ReadReq_Options_Stream{Stream: &streams.ReadReq_Options_StreamOptions{
			StreamIdentifier: wireName(stream),
			RevisionOption:   &streams.ReadReq_Options_StreamOptions_Start{Start: &shared.Empty{}},
		}}
	}
	for _, c := range change {
		c(o)
	}
	return o
}

func backwards(o *streams.ReadReq_Options) {
	o.ReadDirection = streams.ReadReq_Options_Backwards
}

func resolving(o *streams.ReadReq_Options) { o.ResolveLinks = true }

func subscribing(o *streams.ReadReq_Options) {
	o.CountOption = &streams.ReadReq_Options_Subscription{Subscription: &streams.ReadReq_Options_SubscriptionOptions{}}
}

func fromEnd(o *streams.ReadReq_Options) {
	switch s := o.StreamOption.(type) {
	case *streams.ReadReq_Options_Stream:
		s.Stream.RevisionOption = &streams.ReadReq_Options_StreamOptions_End{End: &shared.Empty{}}
	case *streams.ReadReq_Options_All:
		s.All.AllOption = &streams.ReadReq_Options_AllOptions_End{End: &shared.Empty{}}
	}
}

func fromRevision(n uint64) func(*streams.ReadReq_Options) {
	return func(o *streams.ReadReq_Options) {
		o.GetStream().RevisionOption = &streams.ReadReq_Options_StreamOptions_Revision{Revision: n}
	}
}

func fromPosition(commit, prepare uint64) func(*streams.ReadReq_Options) {
	return func(o *streams.ReadReq_Options) {
		o.GetAll().AllOption = &streams.ReadReq_Options_AllOptions_Position{
			Position: &streams.ReadReq_Options_Position{CommitPosition: commit, PreparePosition: prepare},
		}
	}
}

func compatible(level uint32) func(*streams.ReadReq_Options) {
	return func(o *streams.ReadReq_Options) {
		o.ControlOption = &streams.ReadReq_Options_ControlOption{Compatibility: level}
	}
}

// revisions lists the answers: events by revision, others by what they are.
func revisions(list []*streams.ReadResp) []string {
	out := []string{}
	for _, r := range list {
		out = append(out, describe(r))
	}
	return out
}

func describe(r *streams.ReadResp) string {
	switch c := r.Content.(type) {
	case *streams.ReadResp_Event:
		e := c.Event.GetEvent()
		switch {
		case c.Event.GetLink() == nil:
			return strconv.FormatUint(e.GetStreamRevision(), 10)
		case e == nil:
			return fmt.Sprintf("%d->?", c.Event.GetLink().GetStreamRevision())
		}
		return fmt.Sprintf("%d->%d", c.Event.GetLink().GetStreamRevision(), e.GetStreamRevision())
	case *streams.ReadResp_StreamNotFound_:
		return "not found"
	case *streams.ReadResp_FirstStreamPosition:
		return fmt.Sprint("first ", c.FirstStreamPosition)
	case *streams.ReadResp_LastStreamPosition:
		return fmt.Sprint("last ", c.LastStreamPosition)
	case *streams.ReadResp_Confirmation:
		return "confirmation"
	case *streams.ReadResp_CaughtUp_:
		return "caught up"
	case *streams.ReadResp_Checkpoint_:
		return "checkpoint"
	}
	return fmt.Sprintf("%T", r.Content)
}
