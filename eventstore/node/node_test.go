package node_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"konto/eventstore"
	"konto/eventstore/node"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newID() eventstore.ID { return eventstore.ID(uuid.New()) }

// serve runs a node until the test ends.
func serve(t *testing.T, cfg node.Config) *node.Node {
	t.Helper()
	cfg.Now, cfg.NewID, cfg.Addr = time.Now, newID, "127.0.0.1:0"
	cfg.Log = zerolog.New(zerolog.NewTestWriter(t))
	n, err := node.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- n.Serve() }()
	t.Cleanup(func() {
		if err := n.Close(context.Background()); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve() = %v, want nil", err)
		}
	})
	return n
}

func client(t *testing.T, connection string) *esdb.Client {
	t.Helper()
	c, err := esdb.ParseConnectionString(connection)
	if err != nil {
		t.Fatal(err)
	}
	c.Logger = func(esdb.LogLevel, string, ...any) {}
	db, err := esdb.NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestSmoke(t *testing.T) {
	n := serve(t, node.Config{Memory: true, Insecure: true})
	t.Log(n.ConnectionString())
	res, err := http.Get("http://" + n.Addr().String() + "/health/live")
	if err != nil || res.StatusCode != 204 {
		t.Fatal(res, err)
	}
	res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	db := client(t, n.ConnectionString())
	out, err := db.AppendToStream(t.Context(), "a", esdb.AppendToStreamOptions{}, esdb.EventData{EventType: "x", ContentType: esdb.ContentTypeJson, Data: []byte("{}")})
	t.Log(out, err)
	if err != nil {
		t.Fatal(err)
	}
}
