package conformance_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/node"
)

// server is a node that runs until the test ends.
type server struct {
	*node.Node
	address string // host and port, as clients should dial it
}

// startNode runs an empty node in memory: in plain text and open to everybody,
// or with the certificate in the directory certs and the default users.
func startNode(t *testing.T, address, certs string, plain bool) server {
	t.Helper()
	c := node.Config{
		Memory: true, Addr: address, Insecure: plain, Now: time.Now, NewID: newID,
		Log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel),
	}
	if !plain {
		c.CertFile, c.KeyFile = filepath.Join(certs, filepath.FromSlash(nodeCert)), filepath.Join(certs, filepath.FromSlash(nodeKey))
	}
	n, err := node.Open(t.Context(), c)
	if errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("%s is in use, perhaps by a konto node or an EventStoreDB: end it, because the client's suite dials this port and no other (%v)", address, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- n.Serve() }()
	t.Cleanup(func() {
		if err := n.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("close the node: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	_, port, err := net.SplitHostPort(n.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return server{n, net.JoinHostPort("localhost", port)}
}

// seed writes the part of the vendor's data set that tests need by its name
// and length alone.
func seed(t *testing.T, s server) {
	t.Helper()
	const stream, count, step = "dataset20M-0", 6_000, 500
	for range count / step {
		events := make([]eventstore.Event, step)
		for i := range events {
			events[i] = eventstore.Event{ID: newID(), Type: "Seeded", Data: []byte(`{}`)}
		}
		if _, err := s.Store().Append(t.Context(), stream, eventstore.Any, events...); err != nil {
			t.Fatal(err)
		}
	}
}

func newID() eventstore.ID { return eventstore.ID(uuid.New()) }
