package grpc

import (
	"context"
	"errors"
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"

	"konto/eventstore/node/access"
	groups "konto/eventstore/node/persistent"
)

// GetInfo describes a group.
func (s *persistentService) GetInfo(ctx context.Context, r *persistent.GetInfoReq) (*persistent.GetInfoResp, error) {
	o := r.GetOptions()
	key, err := groupKey(o.GetStreamIdentifier(), o.GetAll() != nil, o.GetGroupName())
	if err != nil {
		return nil, err
	}
	if err := s.allow(ctx, access.InspectPersistent, key.Stream); err != nil {
		return nil, err
	}
	info, err := s.config.Groups.Info(ctx, key)
	if err != nil {
		return nil, inspectFailure(err, key)
	}
	return &persistent.GetInfoResp{SubscriptionInfo: wireInfo(&info)}, nil
}

// List describes all groups, or those of a stream.
func (s *persistentService) List(ctx context.Context, r *persistent.ListReq) (*persistent.ListResp, error) {
	o := r.GetOptions()
	var key groups.Key
	switch o.GetListOption().(type) {
	case *persistent.ListReq_Options_ListAllSubscriptions:
	case *persistent.ListReq_Options_ListForStream:
		var err error
		if key, err = groupKey(o.GetListForStream().GetStream(), o.GetListForStream().GetAll() != nil, ""); err != nil {
			return nil, err
		}
	default:
		return nil, unhandled("neither a stream nor all subscriptions")
	}
	if err := s.allow(ctx, access.InspectPersistent, key.Stream); err != nil {
		return nil, err
	}
	list, err := s.config.Groups.List(ctx, key.Stream)
	if err != nil {
		return nil, inspectFailure(err, key)
	}
	answer := &persistent.ListResp{}
	for i := range list {
		answer.Subscriptions = append(answer.Subscriptions, wireInfo(&list[i]))
	}
	return answer, nil
}

// inspectFailure differs from groupFailure for groups that are not ready.
func inspectFailure(err error, key groups.Key) error {
	if errors.Is(err, groups.ErrNotReady) {
		return notReady(err)
	}
	return groupFailure(err, key)
}

func wireInfo(i *groups.Info) *persistent.SubscriptionInfo {
	s := i.Settings
	timeout, after := s.Milliseconds()
	w := &persistent.SubscriptionInfo{
		EventSource: i.Stream, GroupName: i.Group, Status: i.Status,
		AveragePerSecond: i.AveragePerSecond, TotalItems: i.TotalItems, CountSinceLastMeasurement: i.SinceMeasured,
		LastCheckpointedEventPosition: i.LastCheckpointed, LastKnownEventPosition: i.LastKnown,
		ResolveLinkTos: s.ResolveLinks, StartFrom: i.StartFrom,
		MessageTimeoutMilliseconds: timeout, CheckPointAfterMilliseconds: after,
		ExtraStatistics: s.ExtraStatistics, MaxRetryCount: count32(s.MaxRetryCount),
		LiveBufferSize: count32(s.LiveBufferSize), BufferSize: count32(s.HistoryBufferSize), ReadBatchSize: count32(s.ReadBatchSize),
		MinCheckPointCount: count32(s.MinCheckpointCount), MaxCheckPointCount: count32(s.MaxCheckpointCount),
		NamedConsumerStrategy: s.Strategy, MaxSubscriberCount: count32(s.MaxSubscriberCount),
		ReadBufferCount: count32(i.ReadBuffer), LiveBufferCount: int64(i.LiveBuffer), RetryBufferCount: count32(i.RetryBuffer),
		TotalInFlightMessages: count32(i.InFlight), OutstandingMessagesCount: count32(i.Outstanding), ParkedMessageCount: i.Parked,
	}
	for _, c := range i.Connections {
		connection := &persistent.SubscriptionInfo_ConnectionInfo{
			From: c.From, Username: c.Username, ConnectionName: c.ConnectionName,
			AverageItemsPerSecond: c.AveragePerSecond, TotalItems: c.TotalItems, CountSinceLastMeasurement: c.SinceMeasured,
			AvailableSlots: count32(c.AvailableSlots), InFlightMessages: count32(c.InFlight),
		}
		for _, m := range c.Measurements {
			connection.ObservedMeasurements = append(connection.ObservedMeasurements,
				&persistent.SubscriptionInfo_Measurement{Key: m.Key, Value: m.Value})
		}
		w.Connections = append(w.Connections, connection)
	}
	return w
}

func count32(n int) int32 { return int32(min(n, math.MaxInt32)) } //nolint:gosec // bounded
