package grpc_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	"konto/eventstore/node/engine"
	nodegrpc "konto/eventstore/node/grpc"
)

// The tests of the protocol run against the embedded node, or against the
// server that this variable names by a connection string
// (esdb://admin:changeit@localhost:2113?tls=false), to see that both agree.
const remoteVariable = "KONTO_TEST_ESDB"

func TestMain(m *testing.M) {
	if at := os.Getenv(remoteVariable); at != "" {
		fmt.Fprintln(os.Stderr, "testing the server at", remoteVariable, "- rows that need the embedded node are skipped")
	}
	goleak.VerifyTestMain(m)
}

// world is a node and a connection to it.
type world struct {
	streams streams.StreamsClient
	conn    *rpc.ClientConn
	store   *engine.Store // nil if the node is not the embedded one
	address string
	remote  bool
}

func start(tb testing.TB) *world {
	tb.Helper()
	return startWith(tb, nil)
}

// closes c at the end.
func closes(tb testing.TB, c io.Closer) {
	tb.Helper()
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Errorf("Close = %v, want nil", err)
		}
	})
}

// startWith starts an embedded node. A change of its configuration cannot be
// made with another server, so the test is skipped then.
func startWith(tb testing.TB, change func(*nodegrpc.Config)) *world {
	tb.Helper()
	if at := os.Getenv(remoteVariable); at != "" {
		if change != nil {
			tb.Skipf("SKIPPED: %s is set and this needs a node of its own configuration", remoteVariable)
		}
		return dialRemote(tb, at)
	}
	store, err := engine.Open("store", engine.Config{FS: vfs.NewMem(), Indexes: true})
	if err != nil {
		tb.Fatal(err)
	}
	closes(tb, store)
	c := nodegrpc.Config{Store: store, Now: time.Now, NewID: newID, Log: zerolog.Nop()}
	if change != nil {
		change(&c)
	}
	address := serve(tb, c)
	w := &world{store: store, address: address}
	w.dial(tb, address, rpc.WithTransportCredentials(insecure.NewCredentials()))
	return w
}

func serve(tb testing.TB, c nodegrpc.Config) (address string) {
	tb.Helper()
	s := nodegrpc.New(c)
	server := rpc.NewServer(s.Options()...)
	s.Register(server)
	return listen(tb, server)
}

func listen(tb testing.TB, server *rpc.Server) (address string) {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); err != nil {
			tb.Errorf("Serve = %v, want nil", err)
		}
	}()
	tb.Cleanup(func() {
		server.Stop()
		<-done
	})
	return listener.Addr().String()
}

func (w *world) dial(tb testing.TB, address string, o ...rpc.DialOption) {
	tb.Helper()
	conn, err := rpc.NewClient(address, append(o, rpc.WithDefaultCallOptions(rpc.MaxCallRecvMsgSize(17<<20)))...)
	if err != nil {
		tb.Fatal(err)
	}
	closes(tb, conn)
	w.conn, w.streams = conn, streams.NewStreamsClient(conn)
}

func dialRemote(tb testing.TB, at string) *world {
	tb.Helper()
	c, err := esdb.ParseConnectionString(at)
	if err != nil {
		tb.Fatal(err)
	}
	w := &world{remote: true, address: c.Address}
	transport := insecure.NewCredentials()
	if !c.DisableTLS {
		transport = credentials.NewTLS(&tls.Config{RootCAs: c.RootCAs, InsecureSkipVerify: c.SkipCertificateVerification})
	}
	w.dial(tb, c.Address, rpc.WithTransportCredentials(transport), rpc.WithPerRPCCredentials(login(c.Username+":"+c.Password)))
	return w
}

type login string

func (l login) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(l))}, nil
}

func (login) RequireTransportSecurity() bool { return false }

// embedded skips a row that looks into the node.
func (w *world) embedded(tb testing.TB) {
	tb.Helper()
	if w.remote {
		tb.Skipf("SKIPPED: %s is set and this needs the embedded node", remoteVariable)
	}
}

// client returns the official client.
func (w *world) client(tb testing.TB) *esdb.Client {
	tb.Helper()
	at := os.Getenv(remoteVariable)
	if at == "" {
		at = "esdb://" + w.address + "?tls=false&keepAliveInterval=-1"
	}
	c, err := esdb.ParseConnectionString(at)
	if err != nil {
		tb.Fatal(err)
	}
	c.Logger = esdb.NoopLogging()
	client, err := esdb.NewClient(c)
	if err != nil {
		tb.Fatal(err)
	}
	closes(tb, client)
	return client
}

func newID() (id eventstore.ID) {
	rand.Read(id[:])
	return id
}

// name returns a name that no other test uses.
func name(prefix string) string {
	id := newID()
	return prefix + "-" + hex.EncodeToString(id[:6])
}

func wireID(id eventstore.ID) *shared.UUID {
	return &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{
		MostSignificantBits:  int64(binary.BigEndian.Uint64(id[:8])),
		LeastSignificantBits: int64(binary.BigEndian.Uint64(id[8:])),
	}}}
}

func wireName(stream string) *shared.StreamIdentifier {
	return &shared.StreamIdentifier{StreamName: []byte(stream)}
}

func proposed(typ, data string) *streams.AppendReq_ProposedMessage {
	return &streams.AppendReq_ProposedMessage{
		Id: wireID(newID()), Data: []byte(data), CustomMetadata: []byte("m:" + data),
		Metadata: map[string]string{"type": typ, "content-type": "application/json"},
	}
}

func events(n int) []*streams.AppendReq_ProposedMessage {
	list := make([]*streams.AppendReq_ProposedMessage, n)
	for i := range list {
		list[i] = proposed("happened", fmt.Sprintf(`{"n":%d}`, i))
	}
	return list
}

// appendOptions has an expected revision, which may be -1, -2 or -4.
func appendOptions(stream string, expected eventstore.Revision) *streams.AppendReq_Options {
	o := &streams.AppendReq_Options{StreamIdentifier: wireName(stream)}
	switch expected {
	case eventstore.Any:
		o.ExpectedStreamRevision = &streams.AppendReq_Options_Any{Any: &shared.Empty{}}
	case eventstore.NoStream:
		o.ExpectedStreamRevision = &streams.AppendReq_Options_NoStream{NoStream: &shared.Empty{}}
	case eventstore.StreamExists:
		o.ExpectedStreamRevision = &streams.AppendReq_Options_StreamExists{StreamExists: &shared.Empty{}}
	default:
		o.ExpectedStreamRevision = &streams.AppendReq_Options_Revision{Revision: uint64(expected)}
	}
	return o
}

func (w *world) append(tb testing.TB, stream string, expected eventstore.Revision, list ...*streams.AppendReq_ProposedMessage) (*streams.AppendResp, outcome) {
	tb.Helper()
	messages := []*streams.AppendReq{{Content: &streams.AppendReq_Options_{Options: appendOptions(stream, expected)}}}
	for _, e := range list {
		messages = append(messages, &streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: e}})
	}
	return w.sendAppend(tb, messages...)
}

func (w *world) sendAppend(tb testing.TB, messages ...*streams.AppendReq) (*streams.AppendResp, outcome) {
	tb.Helper()
	var trailer metadata.MD
	call, err := w.streams.Append(within(tb), rpc.Trailer(&trailer))
	if err != nil {
		tb.Fatal(err)
	}
	for _, m := range messages {
		if err := call.Send(m); err != nil {
			break // the reason comes with the answer
		}
	}
	response, err := call.CloseAndRecv()
	return response, ended(err, trailer)
}

// must appends and returns the position of the last event.
func (w *world) must(tb testing.TB, stream string, expected eventstore.Revision, list ...*streams.AppendReq_ProposedMessage) uint64 {
	tb.Helper()
	response, end := w.append(tb, stream, expected, list...)
	if end.code != codes.OK || response.GetSuccess() == nil {
		tb.Fatalf("append to %s at %v = %v, %v, want success", stream, expected, response, end)
	}
	return response.GetSuccess().GetPosition().GetCommitPosition()
}

// outcome is how a call ended.
type outcome struct {
	code     codes.Code
	text     string
	trailers map[string]string
}

func ended(err error, trailer metadata.MD) outcome {
	s, _ := status.FromError(err)
	o := outcome{code: s.Code(), text: s.Message(), trailers: map[string]string{}}
	for key, values := range trailer {
		if key != "content-type" && key != "date" && key != "server" {
			o.trailers[key] = values[0]
		}
	}
	return o
}

// within is a context that no working call outlives.
func within(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	tb.Cleanup(cancel)
	return ctx
}

// read returns all that is answered.
func (w *world) read(tb testing.TB, o *streams.ReadReq_Options) ([]*streams.ReadResp, outcome) {
	tb.Helper()
	var trailer metadata.MD
	call, err := w.streams.Read(within(tb), &streams.ReadReq{Options: o}, rpc.Trailer(&trailer))
	if err != nil {
		tb.Fatal(err)
	}
	var list []*streams.ReadResp
	for {
		r, err := call.Recv()
		if errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			list = append(list, r)
			continue
		}
		return list, ended(err, trailer)
	}
}

func uuidText(id eventstore.ID) string { return uuid.UUID(id).String() }

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
