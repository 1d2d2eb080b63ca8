package grpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	"konto/eventstore/node/access"
	"konto/eventstore/node/engine"
	nodegrpc "konto/eventstore/node/grpc"
	groups "konto/eventstore/node/persistent"
)

// everything is all that a server can serve, so that every method does
// something, and what it complains about.
type everything struct {
	store  *engine.Store
	groups *groups.Groups
	users  *access.Control
	config nodegrpc.Config
	calls  *nodegrpc.Calls
	log    complaints
}

// complaints are what a server logs if it panics or does not know what an error
// means to clients.
type complaints struct{ first atomic.Pointer[string] }

func (c *complaints) Write(b []byte) (int, error) {
	if !strings.Contains(string(b), "call found the store unavailable") {
		c.first.CompareAndSwap(nil, new(string(b)))
	}
	return len(b), nil
}

func startEverything(tb testing.TB) *everything {
	tb.Helper()
	e := &everything{}
	var err error
	if e.store, err = engine.Open("store", engine.Config{FS: vfs.NewMem(), Indexes: true}); err != nil {
		tb.Fatal(err)
	}
	c := nodegrpc.Config{
		Store: e.store, Now: time.Now, NewID: newID, Log: zerolog.New(&e.log).Level(zerolog.WarnLevel),
		Operator: idle{e}, Stats: func() map[string]string { return map[string]string{"es-x": "1"} },
	}
	ctx := context.Background()
	if c.Access, err = access.Open(ctx, access.Config{Store: e.store, Now: c.Now, NewID: newID, Insecure: true, Iterations: 1000}); err != nil {
		tb.Fatal(err)
	}
	if c.Groups, err = groups.Open(ctx, groups.Config{Store: e.store, Now: c.Now, NewID: newID, Log: zerolog.Nop()}); err != nil {
		tb.Fatal(err)
	}
	events := []eventstore.Event{{ID: knownID(4), Type: "$>", Data: []byte("1@s")}, {ID: knownID(5), Type: "$>", Data: []byte("0@dead")}}
	_, err = e.store.Append(ctx, "links", eventstore.NoStream, events...)
	for i := range 4 {
		if err == nil {
			event := eventstore.Event{ID: knownID(i), Type: "t", Data: []byte("{}")}
			_, err = e.store.Append(ctx, "s", eventstore.Revision(i-1), event)
		}
	}
	if err == nil {
		_, err = e.store.Tombstone(ctx, "dead", eventstore.Any)
	}
	if err != nil {
		tb.Fatal(err)
	}
	e.users, e.groups, e.config, e.calls = c.Access, c.Groups, c, nodegrpc.NewCalls(c)
	for _, stream := range []string{"s", "links", ""} {
		b, err := proto.Marshal(creation(stream, func(o *persistent.CreateReq_Options) { o.Settings.ResolveLinks = stream == "links" }))
		if err == nil {
			err = e.calls.Call("/event_store.client.persistent_subscriptions.PersistentSubscriptions/Create", newTalk(ctx, "", b))
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	return e
}

// knownID is that of the event i of the stream s.
func knownID(i int) eventstore.ID { return eventstore.ID{15: byte(i + 1)} }

func (e *everything) close(tb testing.TB) {
	tb.Helper()
	if err := errors.Join(e.groups.Close(), e.users.Close(), e.store.Close()); err != nil {
		tb.Error(err)
	}
}

// idle is an operator that has nothing to do.
type idle struct{ *everything }

func (idle) StartScavenge() (string, bool) { return "scavenge", true }

func (idle) StopScavenge(_ context.Context, id string) (bool, error) { return id == "scavenge", nil }

func (idle) Shutdown() {}

func (i idle) RestartPersistent(ctx context.Context) error { return i.groups.Restart(ctx) }

// talk is a call without a connection: a client that sends some messages and
// leaves when it has heard enough.
type talk struct {
	ctx    context.Context //nolint:containedctx // what grpc asks of streams
	cancel context.CancelFunc
	method string
	sends  [][]byte
	sent   int
	ready  chan struct{} // when the client may send its second message

	sync.Mutex
	heard   int
	wrong   error
	trailer metadata.MD
}

func newTalk(ctx context.Context, method string, sends ...[]byte) *talk {
	t := &talk{method: method, sends: sends, ready: make(chan struct{})}
	t.ctx, t.cancel = context.WithTimeout(ctx, 20*time.Second)
	t.ctx = rpc.NewContextWithServerTransportStream(t.ctx, unaryTalk{t})
	if method != readGroup {
		close(t.ready)
	}
	return t
}

const (
	readGroup  = "/event_store.client.persistent_subscriptions.PersistentSubscriptions/Read"
	readStream = "/event_store.client.streams.Streams/Read"
	getStats   = "/event_store.client.monitoring.Monitoring/Stats"
)

// enough is how many answers a client waits for.
const enough = 20

func (t *talk) Context() context.Context { return t.ctx }

func (t *talk) RecvMsg(m any) error {
	if t.sent > 0 {
		select {
		case <-t.ready:
		case <-t.ctx.Done():
			return status.FromContextError(t.ctx.Err()).Err()
		}
	}
	if t.sent == len(t.sends) {
		return io.EOF
	}
	*m.(*[]byte) = slices.Clone(t.sends[t.sent]) // which the server may keep
	t.sent++
	return nil
}

func (t *talk) SendMsg(m any) error {
	if err := t.ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	t.Lock()
	defer t.Unlock()
	answer, err := answerOf(t.method)
	if err == nil {
		err = proto.Unmarshal(*m.(*[]byte), answer)
	}
	t.wrong = errors.Join(t.wrong, err)
	t.heard++
	if t.heard == 1 && t.method == readGroup {
		close(t.ready)
	}
	r, reads := answer.(*streams.ReadResp)
	if t.heard == enough || t.method == getStats || reads && r.GetCaughtUp() != nil {
		t.cancel()
	}
	return nil
}

// answerOf returns an empty message of the type that a method answers with.
func answerOf(method string) (proto.Message, error) {
	service, name, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	if service == "" {
		return &persistent.CreateResp{}, nil
	}
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil, err
	}
	m, err := protoregistry.GlobalTypes.FindMessageByName(d.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(name)).Output().FullName())
	if err != nil {
		return nil, err
	}
	return m.New().Interface(), nil
}

func (t *talk) SetHeader(metadata.MD) error { return nil }

func (t *talk) SendHeader(metadata.MD) error { return nil }

func (t *talk) SetTrailer(md metadata.MD) {
	t.Lock()
	defer t.Unlock()
	t.trailer = metadata.Join(t.trailer, md)
}

type unaryTalk struct{ *talk }

func (t unaryTalk) Method() string { return t.method }

func (t unaryTalk) SetTrailer(md metadata.MD) error {
	t.talk.SetTrailer(md)
	return nil
}

// talk calls a method and says what is wrong with what comes back.
func (e *everything) talk(authority, method string, sends ...[]byte) error {
	ctx := metadata.NewIncomingContext(context.Background(), metadata.Pairs(":authority", authority, "connection-name", authority))
	t := newTalk(ctx, method, sends...)
	defer t.cancel()
	err := e.calls.Call(method, t)
	hangs := errors.Is(t.ctx.Err(), context.DeadlineExceeded)
	t.cancel()
	t.Lock()
	defer t.Unlock()
	wrong := t.wrong
	if hangs {
		wrong = errors.Join(wrong, errors.New("no end"))
	}
	s, ok := status.FromError(err)
	if !ok || s.Code() == codes.Internal && t.trailer["exception"] == nil && !strings.HasPrefix(s.Message(), "grpc: error unmarshalling request") {
		wrong = errors.Join(wrong, fmt.Errorf("no answer of the protocol: %w", err))
	}
	for key, values := range t.trailer {
		for _, text := range append(values, key) {
			if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
				wrong = errors.Join(wrong, fmt.Errorf("a trailer %q", text))
			}
		}
	}
	return errors.Join(wrong, e.complaint())
}

func (e *everything) complaint() error {
	if line := e.log.first.Load(); line != nil {
		return errors.New(*line)
	}
	return nil
}

// panicking is an operator that panics.
type panicking struct{ idle }

func (panicking) Shutdown() { panic("pressed") }

// A panic in a method is noticed by what the fuzz tests look at.
func TestPanicsAreNoticed(t *testing.T) {
	t.Parallel()
	e := startEverything(t)
	defer e.close(t)
	const method = "/event_store.client.operations.Operations/Shutdown"
	if err := e.talk("h", method, nil); err != nil {
		t.Errorf("Shutdown = %v, want nil", err)
	}
	e.config.Operator = panicking{}
	e.calls = nodegrpc.NewCalls(e.config)
	if err := e.talk("h", method, nil); err == nil || !strings.Contains(err.Error(), "pressed") {
		t.Errorf("Shutdown that panics = %v, want the panic", err)
	}
}
