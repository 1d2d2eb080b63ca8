package node_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"os"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"konto/eventstore"
	"konto/eventstore/node"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

func newID() eventstore.ID { return eventstore.ID(uuid.New()) }

// config fills in what a test does not care about.
func config(tb testing.TB, cfg node.Config) node.Config {
	tb.Helper()
	cfg.Now, cfg.NewID, cfg.Addr, cfg.PasswordIterations = time.Now, newID, "127.0.0.1:0", 1000
	if os.Getenv("KONTO_TEST_LOG") != "" {
		cfg.Log = zerolog.New(zerolog.NewTestWriter(tb))
	}
	return cfg
}

// serve runs a node until the test ends, or until stop is called.
func serve(tb testing.TB, cfg node.Config) (n *node.Node, stop func()) {
	tb.Helper()
	n, err := node.Open(tb.Context(), config(tb, cfg))
	if err != nil {
		tb.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- n.Serve() }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		if err := n.Close(context.Background()); err != nil {
			tb.Errorf("Close() = %v, want nil", err)
		}
		if err := <-served; err != nil {
			tb.Errorf("Serve() = %v, want nil", err)
		}
	}
	tb.Cleanup(stop)
	return n, stop
}

// client is the official one.
func client(tb testing.TB, connection string) *esdb.Client {
	tb.Helper()
	c, err := esdb.ParseConnectionString(connection)
	if err != nil {
		tb.Fatal(err)
	}
	c.Logger = func(esdb.LogLevel, string, ...any) {}
	db, err := esdb.NewClient(c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() }) // it was used, and is not needed any more
	return db
}

// dial is gRPC without the official client, for what that cannot do.
func dial(t *testing.T, n *node.Node) *rpc.ClientConn {
	t.Helper()
	transport := insecure.NewCredentials()
	if n.CertFile() != "" {
		transport = credentials.NewTLS(trusting(t, n))
	}
	conn, err := rpc.NewClient(n.Addr().String(), rpc.WithTransportCredentials(transport))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // it was used, and is not needed any more
	return conn
}

// trusting trusts the node's own certificate and no other.
func trusting(t *testing.T, n *node.Node) *tls.Config {
	t.Helper()
	cert, err := os.ReadFile(n.CertFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(cert) {
		t.Fatalf("%s holds no certificate", n.CertFile())
	}
	return &tls.Config{RootCAs: pool}
}

func basic(login, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(login+":"+password))
}

// as returns a context that calls as somebody; as nobody if login is empty.
func as(t *testing.T, login, password string) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	if login == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", basic(login, password))
}

func event() esdb.EventData {
	return esdb.EventData{EventID: uuid.New(), EventType: "Happened", ContentType: esdb.ContentTypeJson, Data: []byte(`{}`)}
}
