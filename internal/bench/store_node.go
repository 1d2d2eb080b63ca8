package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"math"
	"net"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"konto/eventstore"
	"konto/eventstore/node/engine"
	node "konto/eventstore/node/grpc"
)

func (s *storeBench) nodeContender() contender {
	return contender{
		kind: StoreNode, what: "node over gRPC with its indexes, official client, one connection; echo: bare unary gRPC over one connection; unstored: the same client, a server that only answers",
		append: func(ctx context.Context, dir string, _ int) (*side, error) {
			store, err := engine.Open(dir, s.nodeConfig())
			if err != nil {
				return nil, err
			}
			return s.nodeSide(ctx, store)
		},
		read: func(ctx context.Context, dir string) (*side, error) {
			store, err := s.filled(ctx, dir, s.nodeConfig())
			if err != nil {
				return nil, err
			}
			return s.nodeSide(ctx, store)
		},
		ceiling: s.grpcEcho, unstored: s.grpcUnstored, unread: s.unstoredSide,
	}
}

// nodeConfig is how a node opens its store: with indexes, which an embedded
// Konto has no use for.
func (s *storeBench) nodeConfig() engine.Config { return engine.Config{Now: s.Now, Indexes: true} }

// nodeSide serves a store over gRPC and measures it through the official
// client. Closing the side closes the store.
func (s *storeBench) nodeSide(ctx context.Context, store *engine.Store) (_ *side, err error) {
	served := node.New(node.Config{Store: store, Now: s.Now, NewID: newEventID, Log: zerolog.Nop()})
	server := rpc.NewServer(served.Options()...)
	served.Register(server)
	addr, stop, err := serve(ctx, server)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	open, err := s.clientSide(addr)
	if err != nil {
		return nil, errors.Join(err, stop(), store.Close())
	}
	closeClient := open.close
	open.close = func() error { return errors.Join(closeClient(), stop(), store.Close()) }
	return open, nil
}

// clientSide measures what listens at addr through the official client.
func (s *storeBench) clientSide(addr string) (*side, error) {
	settings, err := esdb.ParseConnectionString("esdb://" + addr + "?tls=false")
	if err != nil {
		return nil, err
	}
	settings.Logger = esdb.NoopLogging()
	client, err := esdb.NewClient(settings)
	if err != nil {
		return nil, err
	}
	all := func(stream *esdb.ReadStream, err error) (int, error) {
		if err != nil {
			return 0, err
		}
		defer stream.Close()
		for n := 0; ; n++ {
			if _, err := stream.Recv(); errors.Is(err, io.EOF) {
				return n, nil
			} else if err != nil {
				return n, err
			}
		}
	}
	stream := func(ctx context.Context, name string) (int, error) {
		return all(client.ReadStream(ctx, name, esdb.ReadStreamOptions{From: esdb.Start{}}, math.MaxUint64))
	}
	return &side{
		loop: func(w int) loop { return s.turns(w, clientAppend(client)) },
		all: func(ctx context.Context) (int, error) {
			return all(client.ReadAll(ctx, esdb.ReadAllOptions{From: esdb.Start{}}, math.MaxUint64))
		},
		stream: func(ctx context.Context) (int, error) { return stream(ctx, "long") },
		short:  func(ctx context.Context, n int) (int, error) { return stream(ctx, short(n)) },
		named:  stream,
		close:  client.Close,
	}, nil
}

// clientAppend appends through the official client.
func clientAppend(client *esdb.Client) func(ctx context.Context, stream string, expected int, e *eventstore.Event) error {
	return func(ctx context.Context, stream string, expected int, e *eventstore.Event) error {
		o := esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}
		if expected >= 0 {
			o.ExpectedRevision = esdb.Revision(uint64(expected))
		}
		_, err := client.AppendToStream(ctx, stream, o, esdb.EventData{
			EventID: uuid.UUID(e.ID), EventType: e.Type, ContentType: esdb.ContentTypeJson, Data: e.Data, Metadata: e.Meta,
		})
		return err
	}
}

func newEventID() (id eventstore.ID) {
	_, _ = rand.Read(id[:]) // never fails
	return id
}

// serve serves on loopback until stop is called.
func serve(ctx context.Context, server *rpc.Server) (addr string, stop func() error, err error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	return l.Addr().String(), func() error {
		server.Stop()
		if err := <-ended; !errors.Is(err, rpc.ErrServerStopped) {
			return err
		}
		return nil
	}, nil
}

// echoMethod is the method of the bare server. It takes as many bytes as an
// append and answers about as many as an append's answer has.
const (
	echoMethod = "/konto.bench.Echo/Echo"
	echoAnswer = 32
)

func echoService() *rpc.ServiceDesc {
	return &rpc.ServiceDesc{
		ServiceName: "konto.bench.Echo", HandlerType: (*any)(nil),
		Methods: []rpc.MethodDesc{{
			MethodName: "Echo",
			Handler: func(_ any, _ context.Context, decode func(any) error, _ rpc.UnaryServerInterceptor) (any, error) {
				var in wrapperspb.BytesValue
				if err := decode(&in); err != nil {
					return nil, err
				}
				return &wrapperspb.BytesValue{Value: in.GetValue()[:min(echoAnswer, len(in.GetValue()))]}, nil
			},
		}},
	}
}

// grpcEcho is the ceiling of everything behind unary gRPC: a server that stores
// nothing, in this process as the node is, with as many callers on one connection.
func (s *storeBench) grpcEcho(ctx context.Context, callers int) (_ Rate, err error) {
	server := rpc.NewServer()
	server.RegisterService(echoService(), struct{}{})
	addr, stop, err := serve(ctx, server)
	if err != nil {
		return Rate{}, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	conn, err := rpc.NewClient(addr, rpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return Rate{}, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	loops := make([]loop, callers)
	for i := range loops {
		in, out := &wrapperspb.BytesValue{Value: record}, &wrapperspb.BytesValue{}
		loops[i] = func(ctx context.Context) (time.Duration, error) {
			began := s.Now()
			err := conn.Invoke(ctx, echoMethod, in, out)
			return s.Now().Sub(began), err
		}
	}
	return s.bench.closed(ctx, s.Duration, loops)
}

// grpcUnstored is the ceiling of every node behind the official client, whose
// append is a stream of two messages and an answer: the same appends to a
// server that reads them and answers, one connection.
func (s *storeBench) grpcUnstored(ctx context.Context, callers int) (_ Rate, err error) {
	open, err := s.unstoredSide(ctx, 0)
	if err != nil {
		return Rate{}, err
	}
	defer func() { err = errors.Join(err, open.close()) }()
	return s.bench.closed(ctx, s.Duration, loops(open, callers))
}

// unstoredSide is the official client with a server that keeps nothing and has
// so many events to read.
func (s *storeBench) unstoredSide(ctx context.Context, events int) (*side, error) {
	server := rpc.NewServer()
	streams.RegisterStreamsServer(server, answering{events: events})
	serverfeatures.RegisterServerFeaturesServer(server, features{})
	addr, stop, err := serve(ctx, server)
	if err != nil {
		return nil, err
	}
	open, err := s.clientSide(addr)
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	closeClient := open.close
	open.close = func() error { return errors.Join(closeClient(), stop()) }
	return open, nil
}

// answering accepts every append and forgets it, and answers every read with so
// many times the same event.
type answering struct {
	streams.UnimplementedStreamsServer
	events int
}

func (answering) Append(in streams.Streams_AppendServer) error {
	for {
		switch _, err := in.Recv(); {
		case errors.Is(err, io.EOF):
			return in.SendAndClose(&streams.AppendResp{Result: &streams.AppendResp_Success_{Success: &streams.AppendResp_Success{
				CurrentRevisionOption: &streams.AppendResp_Success_CurrentRevision{CurrentRevision: 1},
				PositionOption:        &streams.AppendResp_Success_Position{Position: &streams.AppendResp_Position{CommitPosition: 1, PreparePosition: 1}},
			}}})
		case err != nil:
			return err
		}
	}
}

// Read sends an event that was encoded once: what it costs is gRPC's share and
// the client's.
func (a answering) Read(_ *streams.ReadReq, out streams.Streams_ReadServer) error {
	var message rpc.PreparedMsg
	if err := message.Encode(out, unstoredEvent()); err != nil {
		return err
	}
	for range a.events {
		if err := out.SendMsg(&message); err != nil {
			return err
		}
	}
	return nil
}

// unstoredEvent is the benchmark's event as a node sends it.
func unstoredEvent() *streams.ReadResp {
	id := newEventID()
	return &streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
		Event: &streams.ReadResp_ReadEvent_RecordedEvent{
			Id:               &shared.UUID{Value: &shared.UUID_String_{String_: uuid.UUID(id).String()}},
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte("bench-0-0")},
			StreamRevision:   1, PreparePosition: 1_000_000, CommitPosition: 1_000_000,
			Metadata: map[string]string{"type": "bench.appended", "content-type": "application/json", "created": "17000000000000000"},
			Data:     record,
		},
		Position: &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: 1_000_000},
	}}}
}

// features is what the client asks for before its first append.
type features struct {
	serverfeatures.UnimplementedServerFeaturesServer
}

func (features) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	return &serverfeatures.SupportedMethods{EventStoreServerVersion: node.Version}, nil
}
