package grpc

import (
	"context"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	"konto/eventstore/node/filter"
)

// EncodeEvents encodes events one after another, as one call does.
func EncodeEvents(text bool, list ...eventstore.Recorded) (frames [][]byte) {
	var e encoder
	for i := range list {
		frames = append(frames, e.event(&list[i], list[i].ID != eventstore.ID{}, text).ReadOnlyData())
	}
	return frames
}

// EncodeShared encodes events one after another, as one call does, and calls
// sent with each, which is to free it, also later.
func EncodeShared(list []eventstore.Recorded, sent func(i int, message mem.Buffer)) {
	var e encoder
	defer e.free()
	for i := range list {
		sent(i, e.event(&list[i], true, false))
	}
}

// Appending is what the server finds in an AppendReq.
type Appending struct {
	Options, Identified bool
	Stream              string
	Expects             int
	Number              uint64
	Event               bool
	ID                  eventstore.ID
	WrongID             bool
	Type                string
	HasType, HasContent bool
	JSON                bool
	Data, Meta          string
}

// DecodeAppend decodes an AppendReq as the server does.
func DecodeAppend(b []byte) (Appending, error) {
	var m appendMessage
	if err := newCodec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(b)}, &m); err != nil {
		return Appending{}, err
	}
	return appending(m), nil
}

// DecodeAppendSlowly decodes it with the generated type.
func DecodeAppendSlowly(b []byte) (Appending, error) {
	var m appendMessage
	if err := m.slow(b); err != nil {
		return Appending{}, err
	}
	return appending(m), nil
}

func appending(m appendMessage) Appending {
	a := Appending{
		Options: m.hasOptions, Identified: m.identified, Stream: string(m.stream), Expects: int(m.expects.kind), Number: m.expects.number,
		Event: m.proposed, WrongID: m.proposed && m.event.wrongID != nil,
		Type: m.event.typ, HasType: m.event.hasType, HasContent: m.event.hasContent, JSON: m.event.json,
		Data: string(m.event.data), Meta: string(m.event.meta),
	}
	if !a.WrongID {
		a.ID = m.event.id
	}
	return a
}

// Quick reports whether the server reads b without the generated type.
func Quick(b []byte) bool {
	var m appendMessage
	return m.quick(b)
}

// Calls are the methods of a server as gRPC calls them, without a connection.
type Calls struct {
	server  *Server
	methods map[string]called
}

// called is a method and what implements it: one of unary and stream.
type called struct {
	service any
	unary   rpc.MethodHandler
	stream  rpc.StreamDesc
}

// NewCalls returns the methods of a server, by their full names.
func NewCalls(c Config) *Calls {
	all := &Calls{server: New(c), methods: make(map[string]called)}
	all.server.Register(all)
	return all
}

// RegisterService implements [rpc.ServiceRegistrar].
func (c *Calls) RegisterService(d *rpc.ServiceDesc, service any) {
	for _, m := range d.Methods {
		c.methods["/"+d.ServiceName+"/"+m.MethodName] = called{service: service, unary: m.Handler}
	}
	for _, m := range d.Streams {
		c.methods["/"+d.ServiceName+"/"+m.StreamName] = called{service: service, stream: m}
	}
}

// Call calls a method with the server's codec and interceptors. Stream is the
// connection's end of it: what it receives and sends is a *[]byte.
func (c *Calls) Call(method string, stream rpc.ServerStream) error {
	m := c.methods[method]
	through := decoding{stream}
	if m.unary == nil {
		info := &rpc.StreamServerInfo{FullMethod: method, IsClientStream: m.stream.ClientStreams, IsServerStream: m.stream.ServerStreams}
		return c.server.answerStream(m.service, through, info, func(service any, stream rpc.ServerStream) error {
			return c.server.authenticateStream(service, stream, info, m.stream.Handler)
		})
	}
	response, err := m.unary(m.service, stream.Context(), through.RecvMsg,
		func(ctx context.Context, request any, info *rpc.UnaryServerInfo, next rpc.UnaryHandler) (any, error) {
			return c.server.answerUnary(ctx, request, info, func(ctx context.Context, request any) (any, error) {
				return c.server.authenticateUnary(ctx, request, info, next)
			})
		})
	if err != nil {
		return err
	}
	return through.SendMsg(response)
}

// decoding puts the server's codec between a method and bytes.
type decoding struct{ rpc.ServerStream }

func (d decoding) RecvMsg(m any) error {
	var b []byte
	if err := d.ServerStream.RecvMsg(&b); err != nil {
		return err
	}
	if err := newCodec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(b)}, m); err != nil {
		return status.Errorf(codes.Internal, "grpc: error unmarshalling request: %v", err)
	}
	return nil
}

func (d decoding) SendMsg(m any) error {
	out, err := newCodec().Marshal(m)
	if err != nil {
		return status.Errorf(codes.Internal, "grpc: error while marshaling: %v", err)
	}
	b := out.Materialize()
	return d.ServerStream.SendMsg(&b)
}

// Wanted is what the server makes of a filter.
type Wanted struct {
	wanted
	Interval uint64
}

// ParseFilter reads the filter of a read or a subscription.
func ParseFilter(o *streams.ReadReq_Options_FilterOptions, subscribe bool) (Wanted, error) {
	w, err := parseFilter(o, subscribe)
	return Wanted{w, w.interval}, err
}

// Wants reports whether $all shows r to the client.
func (w Wanted) Wants(r *eventstore.Recorded) bool { return w.wants(r) }

// ParseGroupFilter reads the filter of a group of $all.
func ParseGroupFilter(o *persistent.CreateReq_AllOptions_FilterOptions) (*filter.Spec, error) {
	return parseGroupFilter(o)
}
