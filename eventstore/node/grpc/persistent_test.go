package grpc_test

import (
	"errors"
	"io"
	"math"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	nodegrpc "konto/eventstore/node/grpc"
	groups "konto/eventstore/node/persistent"
)

// party is a world with persistent subscriptions.
type party struct {
	*world
	groups persistent.PersistentSubscriptionsClient
}

func startParty(tb testing.TB, change ...func(*nodegrpc.Config)) *party {
	tb.Helper()
	var w *world
	if os.Getenv(remoteVariable) != "" && len(change) == 0 {
		w = start(tb)
	} else {
		var g *groups.Groups
		w = startWith(tb, func(c *nodegrpc.Config) {
			var err error
			g, err = groups.Open(tb.Context(), groups.Config{Store: c.Store, Now: c.Now, NewID: c.NewID, Log: zerolog.Nop()})
			if err != nil {
				tb.Fatal(err)
			}
			c.Groups = g
			for _, f := range change {
				f(c)
			}
		})
		tb.Cleanup(func() {
			if err := g.Close(); err != nil {
				tb.Error(err)
			}
		})
	}
	return &party{w, persistent.NewPersistentSubscriptionsClient(w.conn)}
}

func usualSettings() *persistent.CreateReq_Settings {
	return &persistent.CreateReq_Settings{
		MaxRetryCount: 10, MinCheckpointCount: 10, MaxCheckpointCount: 1000,
		LiveBufferSize: 500, ReadBatchSize: 20, HistoryBufferSize: 500,
		MessageTimeout:   &persistent.CreateReq_Settings_MessageTimeoutMs{MessageTimeoutMs: 30_000},
		CheckpointAfter:  &persistent.CreateReq_Settings_CheckpointAfterMs{CheckpointAfterMs: 2_000},
		ConsumerStrategy: "RoundRobin",
	}
}

// creation is a request for the group g of a stream, or of $all if it is "",
// from the start.
func creation(stream string, change ...func(*persistent.CreateReq_Options)) *persistent.CreateReq {
	o := &persistent.CreateReq_Options{GroupName: "g", Settings: usualSettings()}
	if stream == "" {
		o.StreamOption = &persistent.CreateReq_Options_All{All: &persistent.CreateReq_AllOptions{
			AllOption:    &persistent.CreateReq_AllOptions_Start{Start: &shared.Empty{}},
			FilterOption: &persistent.CreateReq_AllOptions_NoFilter{NoFilter: &shared.Empty{}},
		}}
	} else {
		o.StreamOption = &persistent.CreateReq_Options_Stream{Stream: &persistent.CreateReq_StreamOptions{
			StreamIdentifier: wireName(stream),
			RevisionOption:   &persistent.CreateReq_StreamOptions_Start{Start: &shared.Empty{}},
		}}
	}
	for _, c := range change {
		c(o)
	}
	return &persistent.CreateReq{Options: o}
}

func (p *party) create(tb testing.TB, r *persistent.CreateReq) outcome {
	tb.Helper()
	var trailer metadata.MD
	_, err := p.groups.Create(within(tb), r, rpc.Trailer(&trailer))
	return ended(err, trailer)
}

func (p *party) mustCreate(tb testing.TB, r *persistent.CreateReq) {
	tb.Helper()
	if end := p.create(tb, r); end.code != codes.OK {
		tb.Fatalf("Create = %v", end)
	}
}

func (p *party) info(tb testing.TB, stream string) *persistent.SubscriptionInfo {
	tb.Helper()
	o := &persistent.GetInfoReq_Options{GroupName: "g", StreamOption: &persistent.GetInfoReq_Options_StreamIdentifier{StreamIdentifier: wireName(stream)}}
	if stream == "" {
		o.StreamOption = &persistent.GetInfoReq_Options_All{All: &shared.Empty{}}
	}
	r, err := p.groups.GetInfo(within(tb), &persistent.GetInfoReq{Options: o})
	if err != nil {
		tb.Fatalf("GetInfo = %v", err)
	}
	return r.GetSubscriptionInfo()
}

// drinker consumes messages of a group.
type drinker struct {
	t    testing.TB
	call persistent.PersistentSubscriptions_ReadClient
}

func (p *party) read(tb testing.TB, stream string, slots int32, change ...func(*persistent.ReadReq_Options)) *drinker {
	tb.Helper()
	o := &persistent.ReadReq_Options{
		GroupName: "g", BufferSize: slots,
		StreamOption: &persistent.ReadReq_Options_StreamIdentifier{StreamIdentifier: wireName(stream)},
		UuidOption:   &persistent.ReadReq_Options_UUIDOption{Content: &persistent.ReadReq_Options_UUIDOption_Structured{Structured: &shared.Empty{}}},
	}
	if stream == "" {
		o.StreamOption = &persistent.ReadReq_Options_All{All: &shared.Empty{}}
	}
	for _, c := range change {
		c(o)
	}
	return p.talk(tb, &persistent.ReadReq{Content: &persistent.ReadReq_Options_{Options: o}})
}

func (p *party) talk(tb testing.TB, first *persistent.ReadReq) *drinker {
	tb.Helper()
	call, err := p.groups.Read(within(tb))
	if err != nil {
		tb.Fatal(err)
	}
	d := &drinker{t: tb, call: call}
	if first != nil {
		d.say(first)
	}
	return d
}

func (d *drinker) say(r *persistent.ReadReq) {
	d.t.Helper()
	if err := d.call.Send(r); err != nil {
		d.t.Fatalf("Send = %v", err)
	}
}

// confirmed receives the confirmation.
func (d *drinker) confirmed() *drinker {
	d.t.Helper()
	r, err := d.call.Recv()
	if err != nil || r.GetSubscriptionConfirmation() == nil {
		d.t.Fatalf("first answer = %v, %v, want the confirmation", r, err)
	}
	return d
}

func (d *drinker) next() *persistent.ReadResp_ReadEvent {
	d.t.Helper()
	r, err := d.call.Recv()
	if err != nil || r.GetEvent() == nil {
		d.t.Fatalf("answer = %v, %v, %v, want an event", r, err, d.call.Trailer())
	}
	return r.GetEvent()
}

// end receives how the call ended.
func (d *drinker) end() outcome {
	d.t.Helper()
	for {
		if _, err := d.call.Recv(); errors.Is(err, io.EOF) {
			return ended(nil, d.call.Trailer())
		} else if err != nil {
			return ended(err, d.call.Trailer())
		}
	}
}

func idOf(e *persistent.ReadResp_ReadEvent) *shared.UUID {
	if l := e.GetLink(); l != nil {
		return l.GetId()
	}
	return e.GetEvent().GetId()
}

func (d *drinker) ack(list ...*persistent.ReadResp_ReadEvent) {
	d.t.Helper()
	a := &persistent.ReadReq_Ack{Id: []byte("anything")}
	for _, e := range list {
		a.Ids = append(a.Ids, idOf(e))
	}
	d.say(&persistent.ReadReq{Content: &persistent.ReadReq_Ack_{Ack: a}})
}

func (d *drinker) nack(action persistent.ReadReq_Nack_Action, list ...*persistent.ReadResp_ReadEvent) {
	d.t.Helper()
	a := &persistent.ReadReq_Nack{Id: []byte("anything"), Action: action, Reason: "because"}
	for _, e := range list {
		a.Ids = append(a.Ids, idOf(e))
	}
	d.say(&persistent.ReadReq{Content: &persistent.ReadReq_Nack_{Nack: a}})
}

// groupError is an outcome that names the group g of a stream.
func groupError(code codes.Code, exception, stream, group string) outcome {
	return outcome{code: code, trailers: map[string]string{"exception": exception, "stream-name": stream, "group-name": group}}
}

func (o outcome) differs(want outcome) string {
	o.text, want.text = "", ""
	return cmp.Diff(want, o, cmp.AllowUnexported(outcome{}))
}

func TestGroupCreate(t *testing.T) {
	t.Parallel()
	p := startParty(t)
	stream := name("source")
	p.mustCreate(t, creation(stream)) // it need not exist
	if d := p.create(t, creation(stream)).differs(groupError(codes.AlreadyExists, "persistent-subscription-exists", stream, "g")); d != "" {
		t.Errorf("second Create (-want +got):\n%s", d)
	}
	for _, row := range []struct {
		name   string
		source string
		change func(*persistent.CreateReq_Options)
	}{
		{"batch as large as the buffer", name("s"), func(o *persistent.CreateReq_Options) { o.Settings.ReadBatchSize = 500 }},
		{"unknown strategy", name("s"), func(o *persistent.CreateReq_Options) { o.Settings.ConsumerStrategy = "Whoever" }},
		{"$all by name", "$all", func(*persistent.CreateReq_Options) {}},
		{"within an event", "", func(o *persistent.CreateReq_Options) {
			o.GetAll().AllOption = &persistent.CreateReq_AllOptions_Position{Position: &persistent.CreateReq_Position{CommitPosition: math.MaxInt64, PreparePosition: math.MaxInt64}}
		}},
		{"revision beyond all", name("s"), func(o *persistent.CreateReq_Options) {
			o.GetStream().RevisionOption = &persistent.CreateReq_StreamOptions_Revision{Revision: 1 << 63}
		}},
	} {
		end := p.create(t, creation(row.source, row.change))
		if end.code != codes.Internal || end.trailers["exception"] != "persistent-subscription-failed" || end.trailers["reason"] == "" ||
			end.trailers["group-name"] != "g" || (row.source != "" && end.trailers["stream-name"] != row.source) {
			t.Errorf("%s: Create = %+v, want Internal and a failure with a reason", row.name, end)
		}
	}
	if end := p.create(t, creation("", func(o *persistent.CreateReq_Options) {
		o.GetAll().FilterOption = &persistent.CreateReq_AllOptions_Filter{Filter: &persistent.CreateReq_AllOptions_FilterOptions{
			Filter: &persistent.CreateReq_AllOptions_FilterOptions_EventType{EventType: &persistent.CreateReq_AllOptions_FilterOptions_Expression{Regex: "(?=a)"}},
		}}
	})); !p.remote && end.code != codes.InvalidArgument {
		t.Errorf("Create with an expression that cannot be used = %v, want InvalidArgument", end)
	}
	if end := p.create(t, &persistent.CreateReq{}); end.code != codes.Unknown {
		t.Errorf("Create without options = %v, want Unknown", end)
	}
}

func TestNoSuchGroup(t *testing.T) {
	t.Parallel()
	p := startParty(t)
	stream := name("nothing")
	source := wireName(stream)
	call := map[string]func(...rpc.CallOption) error{
		"update": func(o ...rpc.CallOption) error {
			_, err := p.groups.Update(within(t), update(stream), o...)
			return err
		},
		"delete": func(o ...rpc.CallOption) error {
			_, err := p.groups.Delete(within(t), &persistent.DeleteReq{Options: &persistent.DeleteReq_Options{
				GroupName: "g", StreamOption: &persistent.DeleteReq_Options_StreamIdentifier{StreamIdentifier: source},
			}}, o...)
			return err
		},
		"info": func(o ...rpc.CallOption) error {
			_, err := p.groups.GetInfo(within(t), &persistent.GetInfoReq{Options: &persistent.GetInfoReq_Options{
				GroupName: "g", StreamOption: &persistent.GetInfoReq_Options_StreamIdentifier{StreamIdentifier: source},
			}}, o...)
			return err
		},
		"replay": func(o ...rpc.CallOption) error { return p.replay(t, stream, nil, o...) },
	}
	for what, f := range call {
		var trailer metadata.MD
		end := ended(f(rpc.Trailer(&trailer)), trailer)
		if d := end.differs(groupError(codes.NotFound, "persistent-subscription-does-not-exist", stream, "g")); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
	if d := p.read(t, stream, 1).end().differs(groupError(codes.NotFound, "persistent-subscription-does-not-exist", stream, "g")); d != "" {
		t.Errorf("read (-want +got):\n%s", d)
	}
	var trailer metadata.MD
	_, err := p.groups.List(within(t), listing(stream), rpc.Trailer(&trailer))
	if end := ended(err, trailer); end.code != codes.NotFound || end.trailers["exception"] != "persistent-subscription-does-not-exist" || end.trailers["stream-name"] != stream {
		t.Errorf("list = %+v, want NotFound", end)
	}
	if !p.remote {
		if list, err := p.groups.List(within(t), listing("")); err != nil || len(list.GetSubscriptions()) > 0 {
			t.Errorf("list of all = %v, %v, want none", list, err)
		}
	}
}

func update(stream string, change ...func(*persistent.UpdateReq_Options)) *persistent.UpdateReq {
	o := &persistent.UpdateReq_Options{
		GroupName: "g",
		StreamOption: &persistent.UpdateReq_Options_Stream{Stream: &persistent.UpdateReq_StreamOptions{
			StreamIdentifier: wireName(stream),
			RevisionOption:   &persistent.UpdateReq_StreamOptions_Start{Start: &shared.Empty{}},
		}},
		Settings: &persistent.UpdateReq_Settings{
			MaxRetryCount: 10, MinCheckpointCount: 10, MaxCheckpointCount: 1000, LiveBufferSize: 500, ReadBatchSize: 20, HistoryBufferSize: 500,
			MessageTimeout:        &persistent.UpdateReq_Settings_MessageTimeoutTicks{MessageTimeoutTicks: 100_000},
			CheckpointAfter:       &persistent.UpdateReq_Settings_CheckpointAfterTicks{CheckpointAfterTicks: 200_000},
			NamedConsumerStrategy: persistent.UpdateReq_Pinned,
		},
	}
	for _, c := range change {
		c(o)
	}
	return &persistent.UpdateReq{Options: o}
}

// listing asks for the groups of a stream, or for all if it is "".
func listing(stream string) *persistent.ListReq {
	o := &persistent.ListReq_Options{ListOption: &persistent.ListReq_Options_ListAllSubscriptions{ListAllSubscriptions: &shared.Empty{}}}
	if stream != "" {
		o.ListOption = &persistent.ListReq_Options_ListForStream{ListForStream: &persistent.ListReq_StreamOption{
			StreamOption: &persistent.ListReq_StreamOption_Stream{Stream: wireName(stream)},
		}}
	}
	return &persistent.ListReq{Options: o}
}

func (p *party) replay(tb testing.TB, stream string, stopAt *int64, o ...rpc.CallOption) error {
	tb.Helper()
	r := &persistent.ReplayParkedReq_Options{
		GroupName: "g", StreamOption: &persistent.ReplayParkedReq_Options_StreamIdentifier{StreamIdentifier: wireName(stream)},
		StopAtOption: &persistent.ReplayParkedReq_Options_NoLimit{NoLimit: &shared.Empty{}},
	}
	if stopAt != nil {
		r.StopAtOption = &persistent.ReplayParkedReq_Options_StopAt{StopAt: *stopAt}
	}
	_, err := p.groups.ReplayParked(within(tb), &persistent.ReplayParkedReq{Options: r}, o...)
	return err
}
