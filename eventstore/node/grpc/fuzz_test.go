package grpc_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	nodegrpc "konto/eventstore/node/grpc"
)

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

// FuzzFrames sends any bytes to any method: nothing panics, and whatever the
// server answers is an answer of the protocol.
func FuzzFrames(f *testing.F) {
	var panicked atomic.Pointer[string]
	log := writer(func(b []byte) { panicked.Store(new(string(b))) })
	var config nodegrpc.Config
	w := startWith(f, func(c *nodegrpc.Config) {
		c.Log = zerolog.New(log).Level(zerolog.ErrorLevel)
		config = *c
	})
	methods := methodsOf(config)
	for _, m := range []proto.Message{
		&streams.ReadReq{Options: options("s", 3)},
		&streams.ReadReq{Options: options("", 3, backwards, fromEnd, compatible(1))},
		&streams.ReadReq{Options: options("", 0, subscribing, fromPosition(7, 7), filtered(streamsMatching("^a(b|c)"), 10, 2))},
		&streams.ReadReq{Options: options("s", 0, subscribing, fromRevision(1))},
		&streams.AppendReq{Content: &streams.AppendReq_Options_{Options: appendOptions("s", eventstore.Any)}},
		&streams.AppendReq{Content: &streams.AppendReq_Options_{Options: appendOptions("$$s", 3)}},
		&streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: proposed("t", "x")}},
		batchOf(batchOptions("s", eventstore.Any), events(2)...),
		&streams.DeleteReq{Options: &streams.DeleteReq_Options{
			StreamIdentifier:       wireName("d"),
			ExpectedStreamRevision: &streams.DeleteReq_Options_Any{Any: &shared.Empty{}},
		}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		for i := range methods {
			f.Add(byte(i), b, []byte(nil))
		}
	}
	options, err := proto.Marshal(&streams.AppendReq{Content: &streams.AppendReq_Options_{Options: appendOptions("s", eventstore.Any)}})
	if err != nil {
		f.Fatal(err)
	}
	event, err := proto.Marshal(&streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: proposed("t", "x")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(byte(slices.Index(methods, "/event_store.client.streams.Streams/Append")), options, event)
	f.Fuzz(func(t *testing.T, method byte, first, second []byte) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		call, err := w.conn.NewStream(ctx, &rpc.StreamDesc{ClientStreams: true, ServerStreams: true},
			methods[int(method)%len(methods)], rpc.ForceCodecV2(raw{}))
		if err != nil {
			t.Fatal(err)
		}
		_ = call.SendMsg(&first) // RecvMsg says what went wrong
		if second != nil {
			_ = call.SendMsg(&second)
		}
		_ = call.CloseSend()
		for range 5 { // a subscription would go on
			var answer []byte
			err = call.RecvMsg(&answer)
			if err != nil {
				break
			}
			if bytes.Contains(answer, []byte{0x42}) { // perhaps caught up: nothing need come any more
				break
			}
		}
		if err != nil && !errors.Is(err, io.EOF) && status.Code(err) == codes.DeadlineExceeded {
			t.Errorf("%s(%x, %x) does not answer", methods[int(method)%len(methods)], first, second)
		}
		if line := panicked.Load(); line != nil {
			t.Errorf("%s(%x, %x): %s", methods[int(method)%len(methods)], first, second, *line)
		}
	})
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

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) {
	w(b)
	return len(b), nil
}

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

// FuzzFilter asks for events that match any expression.
func FuzzFilter(f *testing.F) {
	w := startWith(f, func(*nodegrpc.Config) {})
	w.must(f, "account-1", eventstore.NoStream, events(3)...)
	for _, s := range []string{"", "^a", "(?i)A", "[a-z-[a]]", "(", `\d+$`, "(a*)*b", "a{1000}{1000}"} {
		f.Add(s, s, uint32(32), uint32(1), true)
	}
	f.Fuzz(func(t *testing.T, regex, prefix string, window, interval uint32, byType bool) {
		regex, prefix = strings.ToValidUTF8(regex, "?"), strings.ToValidUTF8(prefix, "?") // the client cannot send others
		e := &expression{Regex: regex, Prefix: []string{prefix}}
		o := &filterOptions{
			Window:                       &streams.ReadReq_Options_FilterOptions_Max{Max: window},
			CheckpointIntervalMultiplier: interval,
			Filter:                       &streams.ReadReq_Options_FilterOptions_StreamIdentifier{StreamIdentifier: e},
		}
		if byType {
			o.Filter = &streams.ReadReq_Options_FilterOptions_EventType{EventType: e}
		}
		r := options("", 10)
		r.FilterOption = &streams.ReadReq_Options_Filter{Filter: o}
		list, end := w.read(t, r)
		if end.code != codes.OK && end.code != codes.InvalidArgument {
			t.Errorf("read(%q, %q) = %d events, %+v, want OK or InvalidArgument", regex, prefix, len(list), end)
		}
	})
}
