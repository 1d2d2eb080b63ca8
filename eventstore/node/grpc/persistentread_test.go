package grpc_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
)

func linkTo(data string) *streams.AppendReq_ProposedMessage {
	m := proposed("$>", data)
	m.Metadata["content-type"] = "application/octet-stream"
	return m
}

func TestGroupEvents(t *testing.T) {
	t.Parallel()
	p := startParty(t)
	target, links := name("target"), name("links")
	e := events(1)
	targetAt := p.must(t, target, eventstore.NoStream, e...)
	p.must(t, links, eventstore.NoStream, linkTo("0@"+target), linkTo("9@"+target))
	p.mustCreate(t, creation(links, func(o *persistent.CreateReq_Options) { o.Settings.ResolveLinks = true }))
	for _, text := range []bool{false, true} {
		d := p.read(t, links, 10, func(o *persistent.ReadReq_Options) {
			if text {
				o.UuidOption.Content = &persistent.ReadReq_Options_UUIDOption_String_{String_: &shared.Empty{}}
			}
		})
		first, err := d.call.Recv()
		if got := first.GetSubscriptionConfirmation().GetSubscriptionId(); err != nil || got != links+"::g" {
			t.Errorf("confirmation = %v, %v, want %s::g", first, err, links)
		}
		one, two := d.next(), d.next()
		at := one.GetCommitPosition()
		if one.GetLink().GetCommitPosition() != at || one.GetEvent().GetCommitPosition() != at || one.GetEvent().GetPreparePosition() != at || at <= targetAt {
			t.Errorf("positions = %d, %d, %d, want the link's three times", at, one.GetLink().GetCommitPosition(), one.GetEvent().GetCommitPosition())
		}
		if got := one.GetEvent(); string(got.GetStreamIdentifier().GetStreamName()) != target || got.GetStreamRevision() != 0 ||
			string(got.GetData()) != `{"n":0}` || string(got.GetCustomMetadata()) != `m:{"n":0}` ||
			got.GetMetadata()["type"] != "happened" || got.GetMetadata()["content-type"] != "application/json" || got.GetMetadata()["created"] == "" {
			t.Errorf("event = %v, want what was appended", got)
		}
		if _, is := one.GetEvent().GetId().GetValue().(*shared.UUID_String_); is != text {
			t.Errorf("id = %v, want text %v", one.GetEvent().GetId(), text)
		}
		if two.GetEvent() != nil || two.GetLink().GetStreamRevision() != 1 {
			t.Errorf("link to nothing = %v, want the link alone", two)
		}
		want := int32(0)
		if text {
			want = 1 // the first reader has lost it
		}
		if got := one.GetRetryCount(); one.GetCount() == nil || got != want {
			t.Errorf("retry count = %v, want %d", one.GetCount(), want)
		}
		if err := d.call.CloseSend(); err != nil {
			t.Error(err)
		}
		if end := d.end(); end.code != codes.OK {
			t.Errorf("end of a reader that has said all = %v, want OK", end)
		}
	}
}

func TestGroupAnswers(t *testing.T) {
	t.Parallel()
	p := startParty(t)
	stream := name("answers")
	p.must(t, stream, eventstore.NoStream, events(6)...)
	p.mustCreate(t, creation(stream))
	d := p.read(t, stream, 1).confirmed()
	next := func(want uint64, retries int32) *persistent.ReadResp_ReadEvent {
		t.Helper()
		e := d.next()
		if e.GetEvent().GetStreamRevision() != want || e.GetRetryCount() != retries {
			t.Fatalf("next = %d, tried %d times, want %d, %d times", e.GetEvent().GetStreamRevision(), e.GetRetryCount(), want, retries)
		}
		return e
	}
	d.ack(next(0, 0))
	d.nack(persistent.ReadReq_Nack_Retry, next(1, 0))
	d.nack(persistent.ReadReq_Nack_Unknown, next(1, 1))
	d.nack(persistent.ReadReq_Nack_Skip, next(1, 2))
	d.nack(persistent.ReadReq_Nack_Stop, next(2, 0))
	d.nack(persistent.ReadReq_Nack_Park, next(3, 0))
	d.nack(persistent.ReadReq_Nack_Park, next(4, 0))
	d.ack(next(5, 0))
	parked := "$persistentsubscription-" + stream + "::g-parked"
	for len(p.readStream(t, parked)) < 2 {
		continue // it is written beside
	}
	stop := int64(-1)
	var trailer metadata.MD
	err := p.replay(t, stream, &stop, rpc.Trailer(&trailer))
	if invalid := ended(err, trailer); invalid.code != codes.Internal || invalid.trailers["exception"] != "persistent-subscription-failed" {
		t.Errorf("replay to a negative version = %v, want a failure", invalid)
	}
	stop = 1
	if err := p.replay(t, stream, &stop); err != nil {
		t.Fatal(err)
	}
	d.ack(next(3, 0))
	if err := p.replay(t, stream, nil); err != nil {
		t.Fatal(err)
	}
	last := next(4, 0)
	if l := last.GetLink(); string(l.GetStreamIdentifier().GetStreamName()) != parked || string(l.GetData()) != "4@"+stream {
		t.Errorf("replayed through %v, want the parked link", l)
	}
	d.ack(last)
	for len(p.readStream(t, parked)) > 0 {
		continue // it is truncated beside
	}
}

// readStream returns the revisions of what is to be seen of a stream.
func (p *party) readStream(tb testing.TB, stream string) (list []string) {
	tb.Helper()
	all, end := p.world.read(tb, options(stream, 100))
	if end.code != codes.OK {
		tb.Fatalf("read %s = %v", stream, end)
	}
	for _, r := range all {
		if r.GetEvent() != nil {
			list = append(list, strconv.FormatUint(r.GetEvent().GetEvent().GetStreamRevision(), 10))
		}
	}
	return list
}

func TestGroupRefusals(t *testing.T) {
	t.Parallel()
	p := startParty(t)
	stream := name("full")
	p.mustCreate(t, creation(stream, func(o *persistent.CreateReq_Options) { o.Settings.MaxSubscriberCount = 1 }))
	p.read(t, stream, 1).confirmed()
	if d := p.read(t, stream, 1).end().differs(groupError(codes.FailedPrecondition, "maximum-subscribers-reached", stream, "g")); d != "" {
		t.Errorf("second reader (-want +got):\n%s", d)
	}
	if end := p.read(t, stream, 1, func(o *persistent.ReadReq_Options) { o.UuidOption = nil }).end(); end.code != codes.InvalidArgument {
		t.Errorf("read without a UUID option = %v, want InvalidArgument", end)
	}
	if end := p.talk(t, &persistent.ReadReq{Content: &persistent.ReadReq_Ack_{Ack: &persistent.ReadReq_Ack{}}}).end(); end.code != codes.Unknown {
		t.Errorf("read that begins with an ack = %v, want Unknown", end)
	}
	other := name("other")
	p.mustCreate(t, creation(other))
	if end := p.read(t, other, 0).end(); end.code == codes.OK {
		t.Errorf("read without a buffer = %v, want a failure", end)
	}
	d := p.read(t, other, 1).confirmed()
	d.say(&persistent.ReadReq{Content: &persistent.ReadReq_Ack_{Ack: &persistent.ReadReq_Ack{Ids: []*shared.UUID{{}}}}})
	if end := d.end(); end.code != codes.Unknown {
		t.Errorf("ack of no UUID = %v, want Unknown", end)
	}
}

func TestGroupDropsReaders(t *testing.T) {
	t.Parallel()
	p := startParty(t)
	for what, act := range map[string]func(stream string) error{
		"update": func(stream string) error {
			_, err := p.groups.Update(within(t), update(stream))
			return err
		},
		"delete": func(stream string) error {
			_, err := p.groups.Delete(within(t), &persistent.DeleteReq{Options: &persistent.DeleteReq_Options{
				GroupName: "g", StreamOption: &persistent.DeleteReq_Options_StreamIdentifier{StreamIdentifier: wireName(stream)},
			}})
			return err
		},
		"restart": func(string) error {
			_, err := p.groups.RestartSubsystem(within(t), &shared.Empty{})
			return err
		},
	} {
		if what == "restart" && p.remote {
			continue // others use that server
		}
		stream := name("dropped")
		p.mustCreate(t, creation(stream))
		d := p.read(t, stream, 1).confirmed()
		if err := act(stream); err != nil {
			t.Errorf("%s = %v", what, err)
		}
		if d := d.end().differs(groupError(codes.Canceled, "persistent-subscription-dropped", stream, "g")); d != "" {
			t.Errorf("%s ends a reader with (-want +got):\n%s", what, d)
		}
		if what == "update" {
			if i := p.info(t, stream); i.GetNamedConsumerStrategy() != "Pinned" || i.GetMessageTimeoutMilliseconds() != 10 || i.GetCheckPointAfterMilliseconds() != 20 {
				t.Errorf("after an update: %v", i)
			}
		}
	}
}

func TestGroupOfAll(t *testing.T) {
	t.Parallel()
	p := startParty(t)
	prefix := name("wanted")
	p.mustCreate(t, creation("", func(o *persistent.CreateReq_Options) {
		o.GroupName = prefix
		o.GetAll().FilterOption = &persistent.CreateReq_AllOptions_Filter{Filter: &persistent.CreateReq_AllOptions_FilterOptions{
			Filter: &persistent.CreateReq_AllOptions_FilterOptions_StreamIdentifier{
				StreamIdentifier: &persistent.CreateReq_AllOptions_FilterOptions_Expression{Prefix: []string{prefix}},
			},
		}}
	}))
	p.must(t, name("other"), eventstore.NoStream, events(3)...)
	at := p.must(t, prefix+"-1", eventstore.NoStream, events(1)...)
	d := p.read(t, "", 1, func(o *persistent.ReadReq_Options) { o.GroupName = prefix }).confirmed()
	e := d.next()
	if e.GetCommitPosition() != at || string(e.GetEvent().GetStreamIdentifier().GetStreamName()) != prefix+"-1" {
		t.Errorf("next = %v, want the event at %d", e, at)
	}
}

// The official client sees all of it.
func TestOfficialClientWithGroups(t *testing.T) {
	t.Parallel()
	p := startParty(t)
	c := p.client(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream := name("official")
	p.must(t, stream, eventstore.NoStream, events(3)...)
	set := esdb.SubscriptionSettingsDefault()
	set.ConsumerStrategyName = esdb.ConsumerStrategyPinned
	if err := c.CreatePersistentSubscription(ctx, stream, "g", esdb.PersistentStreamSubscriptionOptions{StartFrom: esdb.Start{}, Settings: &set}); err != nil {
		t.Fatal(err)
	}
	sub, err := c.SubscribeToPersistentSubscription(ctx, stream, "g", esdb.SubscribeToPersistentSubscriptionOptions{BufferSize: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Close() })
	next := func() *esdb.EventAppeared {
		t.Helper()
		e := sub.Recv()
		if e.EventAppeared == nil {
			t.Fatalf("Recv = %+v, want an event", e.SubscriptionDropped)
		}
		return e.EventAppeared
	}
	var got []string
	see := func(e *esdb.EventAppeared) *esdb.ResolvedEvent {
		got = append(got, fmt.Sprint(string(e.Event.Event.Data), " ", e.RetryCount))
		return e.Event
	}
	first, second, third := see(next()), see(next()), see(next())
	if err := sub.Ack(first); err != nil {
		t.Fatal(err)
	}
	if err := sub.Nack("later", esdb.NackActionRetry, second); err != nil {
		t.Fatal(err)
	}
	if err := sub.Ack(see(next())); err != nil {
		t.Fatal(err)
	}
	if err := sub.Nack("never", esdb.NackActionPark, third); err != nil {
		t.Fatal(err)
	}
	for {
		info, err := c.GetPersistentSubscriptionInfo(ctx, stream, "g", esdb.GetPersistentSubscriptionOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if info.Stats.ParkedMessagesCount == 1 {
			break
		}
	}
	if err := c.ReplayParkedMessages(ctx, stream, "g", esdb.ReplayParkedMessagesOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := sub.Ack(see(next())); err != nil {
		t.Fatal(err)
	}
	want := []string{`{"n":0} 0`, `{"n":1} 0`, `{"n":2} 0`, `{"n":1} 1`, `{"n":2} 0`}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("received (-want +got):\n%s", d)
	}
	list, err := c.ListPersistentSubscriptionsForStream(ctx, stream, esdb.ListPersistentSubscriptionsOptions{})
	if err != nil || len(list) != 1 || list[0].Settings.ConsumerStrategyName != esdb.ConsumerStrategyPinned {
		t.Errorf("list = %+v, %v, want the group", list, err)
	}
	if err := c.DeletePersistentSubscription(ctx, stream, "g", esdb.DeletePersistentSubscriptionOptions{}); err != nil {
		t.Fatal(err)
	}
	if e := sub.Recv(); e.SubscriptionDropped == nil {
		t.Errorf("Recv after the group was deleted = %+v, want a drop", e)
	}
	if err := c.UpdatePersistentSubscription(ctx, stream, "g", esdb.PersistentStreamSubscriptionOptions{}); err == nil {
		t.Error("Update of a deleted group = nil")
	}
}
