package grpc

import (
	"math"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	"konto/eventstore"
	"konto/eventstore/node/filter"
	groups "konto/eventstore/node/persistent"
)

// source is where a group reads, as a request says it.
type source struct {
	all      bool
	stream   *shared.StreamIdentifier
	revision uint64 // of a stream
	commit   uint64 // of $all
	prepare  uint64
	end      bool
}

// define fills in what a group reads and from where.
func (s source) define(d *groups.Definition) (err error) {
	if d.Key, err = groupKey(s.stream, s.all, d.Group); err != nil {
		return err
	}
	switch {
	case s.end || !s.all && s.revision == math.MaxUint64: // as older clients write the end
		d.Start.End = true
	case s.all:
		d.Start.Position = eventstore.Position{Commit: s.commit, Prepare: s.prepare}
	case d.Stream == allStream:
		return groupFailure(&groups.InvalidError{Reason: "a group of $all must be made as one"}, d.Key)
	case s.revision > math.MaxInt64:
		return groupFailure(&groups.InvalidError{Reason: "bad start revision"}, d.Key)
	default:
		d.Start.Revision = eventstore.Revision(s.revision)
	}
	return nil
}

// parseCreate reads the definition of a group. What the groups refuse themselves
// is not looked at here.
func parseCreate(o *persistent.CreateReq_Options) (d groups.Definition, err error) {
	s := o.GetSettings()
	if s == nil {
		return d, unhandled("no settings")
	}
	d.Group, d.Settings = o.GetGroupName(), parseSettings(s)
	if d.Settings.Strategy = s.GetConsumerStrategy(); d.Settings.Strategy == "" {
		d.Settings.Strategy = s.GetNamedConsumerStrategy().String() //nolint:staticcheck // older clients say it so
	}
	switch _, ticks := s.GetMessageTimeout().(*persistent.CreateReq_Settings_MessageTimeoutTicks); {
	case ticks:
		d.Settings.MessageTimeout = fromTicks(s.GetMessageTimeoutTicks())
	default:
		d.Settings.MessageTimeout = fromMillis(s.GetMessageTimeoutMs())
	}
	switch _, ticks := s.GetCheckpointAfter().(*persistent.CreateReq_Settings_CheckpointAfterTicks); {
	case ticks:
		d.Settings.CheckpointAfter = fromTicks(s.GetCheckpointAfterTicks())
	default:
		d.Settings.CheckpointAfter = fromMillis(s.GetCheckpointAfterMs())
	}
	switch from := o.GetStreamOption().(type) {
	case *persistent.CreateReq_Options_All:
		if d.Filter, err = parseGroupFilter(from.All.GetFilter()); err != nil {
			return d, err
		}
		p := from.All.GetPosition()
		err = source{all: true, commit: p.GetCommitPosition(), prepare: p.GetPreparePosition(), end: from.All.GetEnd() != nil}.define(&d)
	case *persistent.CreateReq_Options_Stream:
		x := from.Stream
		err = source{stream: x.GetStreamIdentifier(), revision: x.GetRevision(), end: x.GetEnd() != nil}.define(&d)
	default:
		err = source{stream: o.GetStreamIdentifier(), revision: s.GetRevision()}.define(&d) //nolint:staticcheck // older clients say it so
	}
	return d, err
}

// parseUpdate is parseCreate for a group that there is.
func parseUpdate(o *persistent.UpdateReq_Options) (d groups.Definition, err error) {
	s := o.GetSettings()
	if s == nil {
		return d, unhandled("no settings")
	}
	d.Group, d.Settings = o.GetGroupName(), parseSettings(s)
	d.Settings.Strategy = s.GetNamedConsumerStrategy().String()
	switch _, ticks := s.GetMessageTimeout().(*persistent.UpdateReq_Settings_MessageTimeoutTicks); {
	case ticks:
		d.Settings.MessageTimeout = fromTicks(s.GetMessageTimeoutTicks())
	default:
		d.Settings.MessageTimeout = fromMillis(s.GetMessageTimeoutMs())
	}
	switch _, ticks := s.GetCheckpointAfter().(*persistent.UpdateReq_Settings_CheckpointAfterTicks); {
	case ticks:
		d.Settings.CheckpointAfter = fromTicks(s.GetCheckpointAfterTicks())
	default:
		d.Settings.CheckpointAfter = fromMillis(s.GetCheckpointAfterMs())
	}
	switch from := o.GetStreamOption().(type) {
	case *persistent.UpdateReq_Options_All:
		p := from.All.GetPosition()
		err = source{all: true, commit: p.GetCommitPosition(), prepare: p.GetPreparePosition(), end: from.All.GetEnd() != nil}.define(&d)
	case *persistent.UpdateReq_Options_Stream:
		x := from.Stream
		err = source{stream: x.GetStreamIdentifier(), revision: x.GetRevision(), end: x.GetEnd() != nil}.define(&d)
	default:
		err = source{stream: o.GetStreamIdentifier(), revision: s.GetRevision()}.define(&d) //nolint:staticcheck // older clients say it so
	}
	return d, err
}

// parseSettings reads what is the same in both requests.
func parseSettings(s interface {
	GetResolveLinks() bool
	GetExtraStatistics() bool
	GetMaxRetryCount() int32
	GetMinCheckpointCount() int32
	GetMaxCheckpointCount() int32
	GetMaxSubscriberCount() int32
	GetLiveBufferSize() int32
	GetReadBatchSize() int32
	GetHistoryBufferSize() int32
},
) groups.Settings {
	return groups.Settings{
		ResolveLinks: s.GetResolveLinks(), ExtraStatistics: s.GetExtraStatistics(),
		MaxRetryCount:      int(s.GetMaxRetryCount()),
		MinCheckpointCount: int(s.GetMinCheckpointCount()), MaxCheckpointCount: int(s.GetMaxCheckpointCount()),
		MaxSubscriberCount: int(s.GetMaxSubscriberCount()), LiveBufferSize: int(s.GetLiveBufferSize()),
		ReadBatchSize: int(s.GetReadBatchSize()), HistoryBufferSize: int(s.GetHistoryBufferSize()),
	}
}

// fromTicks reads hundreds of nanoseconds.
func fromTicks(n int64) time.Duration {
	const most = math.MaxInt64 / 100
	return time.Duration(max(min(n, most), -1)) * 100
}

func fromMillis(n int32) time.Duration { return time.Duration(n) * time.Millisecond }

// parseGroupFilter reads the filter of a group of $all. Windows and intervals
// mean nothing here: a group writes its checkpoints by its own settings.
func parseGroupFilter(o *persistent.CreateReq_AllOptions_FilterOptions) (*filter.Spec, error) {
	if o == nil {
		return nil, nil
	}
	var (
		spec filter.Spec
		e    *persistent.CreateReq_AllOptions_FilterOptions_Expression
	)
	switch by := o.GetFilter().(type) {
	case *persistent.CreateReq_AllOptions_FilterOptions_StreamIdentifier:
		e = by.StreamIdentifier
	case *persistent.CreateReq_AllOptions_FilterOptions_EventType:
		e, spec.ByType = by.EventType, true
	default:
		return nil, invalidArgument("a filter without an expression")
	}
	spec.Regex, spec.Prefixes = e.GetRegex(), e.GetPrefix()
	if _, err := filter.Compile(spec); err != nil {
		return nil, invalidArgument("%v", err)
	}
	return &spec, nil
}
