package grpc_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	nodegrpc "konto/eventstore/node/grpc"
)

// FuzzDecodeAppend compares what the server reads of an append with what the
// generated type does.
func FuzzDecodeAppend(f *testing.F) {
	for _, m := range []*streams.AppendReq{
		{},
		{Content: &streams.AppendReq_Options_{Options: appendOptions("s", eventstore.Any)}},
		{Content: &streams.AppendReq_Options_{Options: appendOptions("s", 7)}},
		{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: proposed("t", "x")}},
		{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: &streams.AppendReq_ProposedMessage{
			Id:       &shared.UUID{Value: &shared.UUID_String_{String_: "01234567-89ab-cdef-0123-456789abcdef"}},
			Metadata: map[string]string{"other": "x", "type": "", "": "y"},
		}}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(append(b, b...)) // merged
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, gotErr := nodegrpc.DecodeAppend(b)
		want, wantErr := nodegrpc.DecodeAppendSlowly(b)
		if got != want || (gotErr == nil) != (wantErr == nil) {
			t.Errorf("DecodeAppend(%x) = %+v, %v, want %+v, %v", b, got, gotErr, want, wantErr)
		}
	})
}

// What the official client sends is decoded the quick way.
func TestDecodeQuickly(t *testing.T) {
	t.Parallel()
	for _, m := range []*streams.AppendReq{
		{Content: &streams.AppendReq_Options_{Options: appendOptions("s", eventstore.Any)}},
		{Content: &streams.AppendReq_Options_{Options: appendOptions("s", 0)}},
		{Content: &streams.AppendReq_Options_{Options: appendOptions("s", 1<<40)}},
		{Content: &streams.AppendReq_Options_{Options: appendOptions("s", eventstore.NoStream)}},
		{Content: &streams.AppendReq_Options_{Options: appendOptions("s", eventstore.StreamExists)}},
		{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: proposed("t", "x")}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := nodegrpc.DecodeAppend(b)
		want, _ := nodegrpc.DecodeAppendSlowly(b)
		if !nodegrpc.Quick(b) || got != want {
			t.Errorf("DecodeAppend(%v) = %+v, quick %v, want %+v, quick", m, got, nodegrpc.Quick(b), want)
		}
	}
}
