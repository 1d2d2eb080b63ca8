package grpc_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	"konto/eventstore"
)

func TestGroupInfo(t *testing.T) {
	t.Parallel()
	p := startParty(t)
	at := p.must(t, name("other"), eventstore.NoStream, events(1)...)
	for i, row := range []struct {
		source string
		change func(*persistent.CreateReq_Options)
		want   func(*persistent.SubscriptionInfo)
	}{
		{name("s"), func(*persistent.CreateReq_Options) {}, func(*persistent.SubscriptionInfo) {}},
		{name("s"), func(o *persistent.CreateReq_Options) {
			o.GetStream().RevisionOption = &persistent.CreateReq_StreamOptions_End{End: &shared.Empty{}}
			o.Settings = &persistent.CreateReq_Settings{
				ResolveLinks: true, ExtraStatistics: true, MaxRetryCount: 1, MinCheckpointCount: 2, MaxCheckpointCount: 3,
				MaxSubscriberCount: 4, LiveBufferSize: 5, ReadBatchSize: 6, HistoryBufferSize: 7,
				MessageTimeout:        &persistent.CreateReq_Settings_MessageTimeoutTicks{MessageTimeoutTicks: 80_000},
				CheckpointAfter:       &persistent.CreateReq_Settings_CheckpointAfterTicks{CheckpointAfterTicks: 90_000},
				NamedConsumerStrategy: persistent.CreateReq_Pinned, //nolint:staticcheck // older clients say it so
			}
		}, func(i *persistent.SubscriptionInfo) {
			i.StartFrom, i.ResolveLinkTos, i.ExtraStatistics, i.MaxRetryCount, i.MinCheckPointCount, i.MaxCheckPointCount = "-1", true, true, 1, 2, 3
			i.MaxSubscriberCount, i.LiveBufferSize, i.ReadBatchSize, i.BufferSize, i.NamedConsumerStrategy = 4, 5, 6, 7, "Pinned"
			i.MessageTimeoutMilliseconds, i.CheckPointAfterMilliseconds = 8, 9
		}},
		{name("s"), func(o *persistent.CreateReq_Options) {
			o.GetStream().RevisionOption = &persistent.CreateReq_StreamOptions_Revision{Revision: 12}
			o.Settings.ConsumerStrategy = "PinnedByCorrelation"
		}, func(i *persistent.SubscriptionInfo) {
			i.StartFrom, i.NamedConsumerStrategy = "12", "PinnedByCorrelation"
		}},
		{name("s"), func(o *persistent.CreateReq_Options) { // as older clients do it
			o.StreamIdentifier, o.StreamOption = o.GetStream().GetStreamIdentifier(), nil //nolint:staticcheck // older clients say it so
			o.Settings.Revision, o.Settings.ConsumerStrategy = 7, ""                      //nolint:staticcheck // older clients say it so
		}, func(i *persistent.SubscriptionInfo) { i.StartFrom, i.NamedConsumerStrategy = "7", "DispatchToSingle" }},
		{name("s"), func(o *persistent.CreateReq_Options) {
			o.StreamIdentifier, o.StreamOption = o.GetStream().GetStreamIdentifier(), nil                                                            //nolint:staticcheck // older clients say it so
			o.Settings.Revision, o.Settings.ConsumerStrategy, o.Settings.NamedConsumerStrategy = math.MaxUint64, "", persistent.CreateReq_RoundRobin //nolint:staticcheck // older clients say it so
		}, func(i *persistent.SubscriptionInfo) { i.StartFrom = "-1" }},
		{"", func(*persistent.CreateReq_Options) {}, func(i *persistent.SubscriptionInfo) { i.StartFrom = "C:0/P:0" }},
		{"", func(o *persistent.CreateReq_Options) {
			o.GetAll().AllOption = &persistent.CreateReq_AllOptions_End{End: &shared.Empty{}}
		}, func(i *persistent.SubscriptionInfo) { i.StartFrom = "C:-1/P:-1" }},
		{"", func(o *persistent.CreateReq_Options) {
			o.GetAll().AllOption = &persistent.CreateReq_AllOptions_Position{Position: &persistent.CreateReq_Position{CommitPosition: at, PreparePosition: at}}
		}, func(i *persistent.SubscriptionInfo) { i.StartFrom = fmt.Sprintf("C:%d/P:%d", at, at) }},
	} {
		group := name("g")
		p.mustCreate(t, creation(row.source, row.change, func(o *persistent.CreateReq_Options) { o.GroupName = group }))
		want := &persistent.SubscriptionInfo{
			EventSource: row.source, GroupName: group, StartFrom: "0", MessageTimeoutMilliseconds: 30_000, MaxRetryCount: 10,
			LiveBufferSize: 500, BufferSize: 500, ReadBatchSize: 20, CheckPointAfterMilliseconds: 2_000,
			MinCheckPointCount: 10, MaxCheckPointCount: 1000, NamedConsumerStrategy: "RoundRobin",
		}
		if row.source == "" {
			want.EventSource = "$all"
		}
		row.want(want)
		o := &persistent.GetInfoReq_Options{GroupName: group, StreamOption: &persistent.GetInfoReq_Options_StreamIdentifier{StreamIdentifier: wireName(row.source)}}
		if row.source == "" {
			o.StreamOption = &persistent.GetInfoReq_Options_All{All: &shared.Empty{}}
		}
		got, err := p.groups.GetInfo(within(t), &persistent.GetInfoReq{Options: o})
		if err != nil {
			t.Fatal(err)
		}
		i2 := got.GetSubscriptionInfo()
		if s := i2.GetStatus(); s != "Live" && s != "Behind" {
			t.Errorf("row %d: status = %q", i, s)
		}
		changing := protocmp.IgnoreFields(i2, "status", "read_buffer_count", "live_buffer_count", "last_known_event_position")
		if d := cmp.Diff(want, i2, protocmp.Transform(), changing); d != "" {
			t.Errorf("row %d (-want +got):\n%s", i, d)
		}
	}
}

func TestGroupCounters(t *testing.T) {
	t.Parallel()
	p := startParty(t)
	stream := name("counted")
	p.must(t, stream, eventstore.NoStream, events(8)...)
	p.mustCreate(t, creation(stream, func(o *persistent.CreateReq_Options) {
		o.Settings.ExtraStatistics, o.Settings.MaxCheckpointCount, o.Settings.MinCheckpointCount = true, 2, 1
	}))
	d := p.read(t, stream, 5).confirmed()
	var list []*persistent.ReadResp_ReadEvent
	for range 5 {
		list = append(list, d.next())
	}
	d.ack(list[:2]...)
	d.nack(persistent.ReadReq_Nack_Park, list[2])
	for range 3 {
		d.next()
	}
	var got *persistent.SubscriptionInfo
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if got = p.info(t, stream); got.GetLastCheckpointedEventPosition() != "" && got.GetParkedMessageCount() == 1 && got.GetStatus() == "Live" {
			break
		}
	}
	want := &persistent.SubscriptionInfo{
		Status: "Live", TotalItems: 8, LastCheckpointedEventPosition: got.GetLastCheckpointedEventPosition(), LastKnownEventPosition: "7",
		TotalInFlightMessages: 5, OutstandingMessagesCount: 5, ParkedMessageCount: 1,
	}
	if c := got.GetLastCheckpointedEventPosition(); c != "1" && c != "2" {
		t.Errorf("last checkpoint = %q, want 1 or 2", c)
	}
	counters := protocmp.FilterField(&persistent.SubscriptionInfo{}, "connections", cmp.Ignore())
	settings := protocmp.IgnoreFields(got, "event_source", "group_name", "start_from", "message_timeout_milliseconds", "max_retry_count",
		"live_buffer_size", "buffer_size", "read_batch_size", "check_point_after_milliseconds", "min_check_point_count", "max_check_point_count",
		"named_consumer_strategy", "extra_statistics", "average_per_second", "count_since_last_measurement")
	if d := cmp.Diff(want, got, protocmp.Transform(), counters, settings); d != "" {
		t.Errorf("counters (-want +got):\n%s", d)
	}
	if len(got.GetConnections()) != 1 {
		t.Fatalf("connections = %v, want one", got.GetConnections())
	}
	c := got.GetConnections()[0]
	if c.GetFrom() == "" || c.GetUsername() == "" || c.GetConnectionName() != "<unknown>" || c.GetAvailableSlots() != 0 ||
		c.GetInFlightMessages() != 5 || c.GetTotalItems() != 8 || len(c.GetObservedMeasurements()) == 0 {
		t.Errorf("connection = %v, want 5 of 8 in flight and measurements", c)
	}
}
