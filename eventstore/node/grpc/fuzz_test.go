package grpc_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	nodegrpc "konto/eventstore/node/grpc"
	wire "konto/eventstore/node/proto"
)

// renewAfter bounds what one store of a fuzz test holds.
const renewAfter = 2000

// FuzzMethods calls any method with any bytes: nothing panics, every call ends,
// and whatever is answered is an answer of the protocol.
func FuzzMethods(f *testing.F) {
	fuzzCalls(f, func(string) bool { return true })
}

// FuzzGroups does it with the methods of persistent subscriptions.
func FuzzGroups(f *testing.F) {
	fuzzCalls(f, func(method string) bool { return strings.HasPrefix(method, "/"+groupService) })
}

func fuzzCalls(f *testing.F, include func(method string) bool) {
	f.Helper()
	e := startEverything(f)
	f.Cleanup(func() { e.close(f) })
	methods := slices.DeleteFunc(methodsOf(e.config), func(m string) bool { return !include(m) })
	for i, m := range methods {
		f.Add(byte(i), m, byte(0), []byte(nil), []byte(nil), []byte(nil))
	}
	for _, c := range conversations() {
		if !include(c.method) {
			continue
		}
		b := [3][]byte{}
		for i, m := range c.sends {
			b[i] = encoded(f, m)
		}
		f.Add(byte(slices.Index(methods, c.method)), "[::1]:65536", byte(len(c.sends)-1), b[0], b[1], b[2])
	}
	calls := 0
	f.Fuzz(func(t *testing.T, method byte, authority string, count byte, first, second, third []byte) {
		if calls++; calls%renewAfter == 0 {
			e.close(t)
			e = startEverything(t)
		}
		name := methods[int(method)%len(methods)]
		if err := e.talk(authority, name, [][]byte{first, second, third}[:1+count%3]...); err != nil {
			t.Errorf("%s(%x, %x, %x): %v", name, first, second, third, err)
		}
	})
}

// requests are some for each service that fuzz tests begin with.
func requests() map[string][]proto.Message {
	source, empty := wireName("s"), &shared.Empty{}
	user := func(name string) *wire.CreateReq {
		return &wire.CreateReq{Options: &wire.CreateReq_Options{LoginName: name, Password: "secret", FullName: "N", Groups: []string{"$ops"}}}
	}
	return map[string][]proto.Message{
		"event_store.client.streams.Streams/Read": {
			&streams.ReadReq{Options: options("s", 3)},
			&streams.ReadReq{Options: options("", 3, backwards, fromEnd, compatible(1))},
			&streams.ReadReq{Options: options("", 9, filtered(streamsMatching("^a(b|c)|s"), 10, 2))},
			&streams.ReadReq{Options: options("", 0, subscribing, fromPosition(7, 7), filtered(streamsMatching("^a(b|c)"), 10, 2))},
			&streams.ReadReq{Options: options("s", 0, subscribing, fromRevision(1))},
			&streams.ReadReq{Options: options("s", 9, fromRevision(9), compatible(1))},
			&streams.ReadReq{Options: options("links", 9, resolving)},
			&streams.ReadReq{Options: options("dead", 1)},
		},
		"event_store.client.streams.Streams/Delete": {&streams.DeleteReq{Options: &streams.DeleteReq_Options{
			StreamIdentifier: wireName("gone"), ExpectedStreamRevision: &streams.DeleteReq_Options_Any{Any: empty},
		}}},
		"event_store.client.streams.Streams/Tombstone": {&streams.TombstoneReq{Options: &streams.TombstoneReq_Options{
			StreamIdentifier: wireName("d"), ExpectedStreamRevision: &streams.TombstoneReq_Options_NoStream{NoStream: empty},
		}}},
		groupService + "Create": {creation("s"), creation("t"), creation("", filteredGroup)},
		groupService + "Update": {update("s")},
		groupService + "List":   {listing("s"), listing("")},
		groupService + "GetInfo": {&persistent.GetInfoReq{Options: &persistent.GetInfoReq_Options{
			GroupName: "g", StreamOption: &persistent.GetInfoReq_Options_StreamIdentifier{StreamIdentifier: source},
		}}},
		groupService + "Delete": {&persistent.DeleteReq{Options: &persistent.DeleteReq_Options{
			GroupName: "g", StreamOption: &persistent.DeleteReq_Options_StreamIdentifier{StreamIdentifier: wireName("t")},
		}}},
		groupService + "ReplayParked": {&persistent.ReplayParkedReq{Options: &persistent.ReplayParkedReq_Options{
			GroupName: "g", StopAtOption: &persistent.ReplayParkedReq_Options_StopAt{StopAt: 1},
			StreamOption: &persistent.ReplayParkedReq_Options_StreamIdentifier{StreamIdentifier: source},
		}}},
		userService + "Create":        {user("greta"), user("admin")},
		userService + "Update":        {user("admin")},
		userService + "Enable":        {&wire.EnableReq{Options: &wire.EnableReq_Options{LoginName: "admin"}}},
		userService + "Disable":       {&wire.DisableReq{Options: &wire.DisableReq_Options{LoginName: "admin"}}},
		userService + "Details":       {&wire.DetailsReq{Options: &wire.DetailsReq_Options{LoginName: "admin"}}},
		userService + "ResetPassword": {user("ops")},
		userService + "ChangePassword": {&wire.ChangePasswordReq{Options: &wire.ChangePasswordReq_Options{
			LoginName: "admin", CurrentPassword: "changeit", NewPassword: "x",
		}}},
		"event_store.client.monitoring.Monitoring/Stats": {&wire.StatsReq{RefreshTimePeriodInMs: 1}},
		"event_store.client.operations.Operations/StopScavenge": {&wire.StopScavengeReq{
			Options: &wire.StopScavengeReq_Options{ScavengeId: "scavenge"},
		}},
	}
}

const (
	groupService = "event_store.client.persistent_subscriptions.PersistentSubscriptions/"
	userService  = "event_store.client.users.Users/"
)

// filteredGroup is a group g2 of $all with a filter.
func filteredGroup(o *persistent.CreateReq_Options) {
	o.GroupName = "g2"
	o.GetAll().FilterOption = &persistent.CreateReq_AllOptions_Filter{Filter: groupFilterOf("^a", []string{"b"}, true)}
}

func consuming(stream string) *persistent.ReadReq {
	o := &persistent.ReadReq_Options{
		GroupName: "g", BufferSize: 2,
		UuidOption: &persistent.ReadReq_Options_UUIDOption{Content: &persistent.ReadReq_Options_UUIDOption_Structured{Structured: &shared.Empty{}}},
	}
	o.StreamOption = &persistent.ReadReq_Options_StreamIdentifier{StreamIdentifier: wireName(stream)}
	if stream == "" {
		o.StreamOption = &persistent.ReadReq_Options_All{All: &shared.Empty{}}
	}
	return &persistent.ReadReq{Content: &persistent.ReadReq_Options_{Options: o}}
}

// conversation is a call with its messages.
type conversation struct {
	method string
	sends  []proto.Message
}

func conversations() (list []conversation) {
	all := requests()
	for _, method := range slices.Sorted(maps.Keys(all)) {
		for _, m := range all[method] {
			list = append(list, conversation{"/" + method, []proto.Message{m}})
		}
	}
	known := []*shared.UUID{wireID(knownID(0)), wireID(knownID(1)), wireID(newID())}
	for _, stream := range []string{"s", "links", ""} {
		list = append(list,
			conversation{readGroup, []proto.Message{consuming(stream)}},
			conversation{readGroup, []proto.Message{consuming(stream), &persistent.ReadReq{Content: &persistent.ReadReq_Ack_{Ack: &persistent.ReadReq_Ack{Ids: known}}}}})
		for action := range persistent.ReadReq_Nack_Action(6) {
			nack := &persistent.ReadReq{Content: &persistent.ReadReq_Nack_{Nack: &persistent.ReadReq_Nack{Ids: known[:1], Action: action, Reason: "r"}}}
			list = append(list, conversation{readGroup, []proto.Message{consuming(stream), nack, nack}})
		}
	}
	event := &streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: proposed("t", "x")}}
	metadata := &streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: proposed("$metadata", `{"$maxCount":1,"$acl":{"$r":"a"}}`)}}
	unusual := &streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: &streams.AppendReq_ProposedMessage{
		Id:       &shared.UUID{Value: &shared.UUID_String_{String_: "01234567-89ab-cdef-0123-456789abcdef"}},
		Metadata: map[string]string{"other": "x", "type": "t", "content-type": "application/octet-stream"},
	}}}
	nameless := &streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: &streams.AppendReq_ProposedMessage{Id: wireID(newID())}}}
	to := func(stream string, expected eventstore.Revision) proto.Message {
		return &streams.AppendReq{Content: &streams.AppendReq_Options_{Options: appendOptions(stream, expected)}}
	}
	const batches = "/event_store.client.streams.Streams/BatchAppend"
	open := batchOf(batchOptions("s", eventstore.Any), events(1)...)
	open.IsFinal = false
	return append(list,
		conversation{appends, []proto.Message{to("s", eventstore.Any), event, event}},
		conversation{appends, []proto.Message{to("s", 7), event}},
		conversation{appends, []proto.Message{to("dead", eventstore.NoStream), unusual}},
		conversation{appends, []proto.Message{to("s", eventstore.StreamExists), nameless}},
		conversation{appends, []proto.Message{to("$$s", eventstore.Any), metadata}},
		conversation{appends, []proto.Message{event, event}},
		conversation{batches, []proto.Message{open, open}},
		conversation{batches, []proto.Message{batchOf(batchOptions("dead", eventstore.NoStream), events(1)...), batchOf(&batchOpts{})}},
		conversation{batches, []proto.Message{batchOf(batchOptions("s", 3), events(1)...), batchOf(batchOptions("s", 4), events(1)...)}},
	)
}

const appends = "/event_store.client.streams.Streams/Append"

func encoded(tb testing.TB, m proto.Message) []byte {
	tb.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// methodsOf lists what a server offers, in order.
func methodsOf(c nodegrpc.Config) (methods []string) {
	server := rpc.NewServer()
	nodegrpc.New(c).Register(server)
	for service, info := range server.GetServiceInfo() {
		for _, m := range info.Methods {
			methods = append(methods, "/"+service+"/"+m.Name)
		}
	}
	slices.Sort(methods)
	return methods
}

// raw sends and receives bytes as they are.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// served is a server of everything behind a connection in memory.
type served struct {
	*everything
	server   *rpc.Server
	listener *bufconn.Listener
	done     chan error
	conn     *rpc.ClientConn
}

func serveEverything(tb testing.TB, o ...rpc.ServerOption) *served {
	tb.Helper()
	e := startEverything(tb)
	s := nodegrpc.New(e.config)
	w := &served{everything: e, server: rpc.NewServer(append(s.Options(), o...)...), listener: bufconn.Listen(64 << 10), done: make(chan error, 1)}
	s.Register(w.server)
	go func() { w.done <- w.server.Serve(w.listener) }()
	var err error
	w.conn, err = rpc.NewClient("passthrough:///node", rpc.WithTransportCredentials(insecure.NewCredentials()),
		rpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return w.listener.DialContext(ctx) }))
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

func (w *served) close(tb testing.TB) {
	tb.Helper()
	if err := w.conn.Close(); err != nil {
		tb.Error(err)
	}
	w.server.Stop()
	if err := <-w.done; err != nil {
		tb.Error(err)
	}
	w.everything.close(tb)
}

// FuzzFrames sends any messages to any method through gRPC's own client and
// server: nothing panics, and every call ends.
func FuzzFrames(f *testing.F) {
	w := serveEverything(f)
	f.Cleanup(func() { w.close(f) })
	methods := methodsOf(w.config)
	for i := range methods {
		f.Add(byte(i), []byte(nil), []byte(nil))
	}
	for _, c := range conversations() {
		second := []byte(nil)
		if len(c.sends) > 1 {
			second = encoded(f, c.sends[1])
		}
		f.Add(byte(slices.Index(methods, c.method)), encoded(f, c.sends[0]), second)
	}
	calls := 0
	f.Fuzz(func(t *testing.T, method byte, first, second []byte) {
		if calls++; calls%renewAfter == 0 {
			w.close(t)
			w = serveEverything(t)
		}
		name := methods[int(method)%len(methods)]
		if code, err := w.exchange(name, first, second); err != nil || code == codes.DeadlineExceeded {
			t.Errorf("%s(%x, %x) = %v, %v", name, first, second, code, err)
		}
	})
}

// exchange sends messages, of which second may be nil, and reads what comes of
// them until there is no more or enough of it.
func (w *served) exchange(method string, first, second []byte) (codes.Code, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	call, err := w.conn.NewStream(ctx, &rpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method, rpc.ForceCodecV2(raw{}))
	if err != nil {
		return codes.OK, err
	}
	_ = call.SendMsg(&first) // RecvMsg says what went wrong
	if second != nil {
		_ = call.SendMsg(&second)
	}
	_ = call.CloseSend()
	for range enough {
		var answer []byte
		if err = call.RecvMsg(&answer); err != nil {
			break
		}
		caughtUp := method == readStream && bytes.Contains(answer, []byte{0x42}) // perhaps: nothing need come any more
		if caughtUp || method == getStats {
			break
		}
	}
	if err == nil || errors.Is(err, io.EOF) {
		return codes.OK, w.complaint()
	}
	return status.Code(err), w.complaint()
}
