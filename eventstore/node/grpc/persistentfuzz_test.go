package grpc_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	rpc "google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	nodegrpc "konto/eventstore/node/grpc"
)

// FuzzGroups sends any bytes to any method of persistent subscriptions:
// nothing panics, and groups that are there go on.
func FuzzGroups(f *testing.F) {
	var panicked atomic.Pointer[string]
	log := writer(func(b []byte) { panicked.Store(new(string(b))) })
	p := startParty(f, func(c *nodegrpc.Config) { c.Log = zerolog.New(log).Level(zerolog.ErrorLevel) })
	var methods []string
	for _, m := range persistent.PersistentSubscriptions_ServiceDesc.Methods {
		methods = append(methods, m.MethodName)
	}
	methods = append(methods, "Read")
	for _, m := range []proto.Message{
		creation("s"), creation(""), update("s"), listing("s"), listing(""),
		&persistent.DeleteReq{Options: &persistent.DeleteReq_Options{GroupName: "g", StreamOption: &persistent.DeleteReq_Options_All{All: &shared.Empty{}}}},
		&persistent.ReplayParkedReq{Options: &persistent.ReplayParkedReq_Options{
			GroupName: "g", StopAtOption: &persistent.ReplayParkedReq_Options_StopAt{StopAt: 1},
			StreamOption: &persistent.ReplayParkedReq_Options_StreamIdentifier{StreamIdentifier: wireName("s")},
		}},
		&persistent.ReadReq{Content: &persistent.ReadReq_Options_{Options: &persistent.ReadReq_Options{
			GroupName: "g", BufferSize: 1, StreamOption: &persistent.ReadReq_Options_StreamIdentifier{StreamIdentifier: wireName("s")},
			UuidOption: &persistent.ReadReq_Options_UUIDOption{Content: &persistent.ReadReq_Options_UUIDOption_Structured{Structured: &shared.Empty{}}},
		}}},
		&persistent.ReadReq{Content: &persistent.ReadReq_Nack_{Nack: &persistent.ReadReq_Nack{Ids: []*shared.UUID{wireID(newID())}, Action: 7}}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		for i := range methods {
			f.Add(byte(i), b, b)
		}
	}
	f.Fuzz(func(t *testing.T, method byte, first, second []byte) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		name := "/" + persistent.PersistentSubscriptions_ServiceDesc.ServiceName + "/" + methods[int(method)%len(methods)]
		call, err := p.conn.NewStream(ctx, &rpc.StreamDesc{ClientStreams: true, ServerStreams: true}, name, rpc.ForceCodecV2(raw{}))
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{first, second} {
			if len(b) > 0 && call.SendMsg(&b) != nil {
				break // the reason comes with the answer
			}
		}
		_ = call.CloseSend()
		for {
			var answer []byte
			if err = call.RecvMsg(&answer); err != nil {
				break
			}
		}
		if ctx.Err() != nil {
			t.Errorf("%s does not answer", name)
		}
		if what := panicked.Load(); what != nil {
			t.Fatalf("%s panicked: %s", name, *what)
		}
	})
}
