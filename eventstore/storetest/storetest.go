// Package storetest gives tests the event store that KONTO_TEST_STORE names,
// so that one set of tests runs on each kind:
//
//   - "engine" or nothing: the embedded store, in process;
//   - "node": the embedded node in the test's process, through the official
//     client, over loopback;
//   - a connection string: the EventStoreDB there, also through the client.
//
// A server that all tests share keeps what they write, and they write to
// streams of the same names. So each test has a part of it to itself: its
// streams have a prefix there, and it sees no others.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/esdb"
	"konto/eventstore/node"
	"konto/eventstore/node/engine"
)

// Variable says on which store tests run.
const Variable = "KONTO_TEST_STORE"

// Embedded reports whether tests run on the store in process, of which some
// look at the files.
func Embedded() bool {
	mode := os.Getenv(Variable)
	return mode == "" || mode == "engine"
}

// Open opens the store that is kept in dir, or in the part of a server that
// dir stands for. Opening it again, after it was closed, finds what was there.
func Open(ctx context.Context, dir string) (eventstore.Store, error) {
	switch mode := os.Getenv(Variable); mode {
	case "", "engine":
		return engine.Open(dir, engine.Config{})
	case "node":
		return openNode(ctx, dir)
	default:
		return openPart(ctx, mode, dir)
	}
}

// Must is Open for a test, which closes the store at its end.
func Must(tb testing.TB, dir string) eventstore.Store {
	tb.Helper()
	s, err := Open(tb.Context(), dir)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() }) // the test looks at the error where it matters
	return s
}

// Opener is Open as a system takes it; nil for the store in process, which the
// system opens by itself.
func Opener(dir string) func(context.Context) (eventstore.Store, error) {
	if Embedded() {
		return nil
	}
	return func(ctx context.Context) (eventstore.Store, error) { return Open(ctx, dir) }
}

// whole is a client with the node that it is for.
type whole struct {
	*esdb.Store
	end     func() error
	closing sync.Once
	closed  error
}

// Node serves the store in dir at a loopback address, in plain text. It
// returns how to connect, and how to end it.
func Node(ctx context.Context, dir, addr string) (connection string, end func() error, err error) {
	n, err := node.Open(ctx, node.Config{
		Dir: dir, Addr: addr, Insecure: true, Now: time.Now, //nolint:forbidigo // tests have the real clock
		NewID: func() eventstore.ID { return eventstore.ID(uuid.New()) }, //nolint:forbidigo // and real IDs
		Log:   zerolog.Nop(),
	})
	if err != nil {
		return "", nil, err
	}
	served := make(chan error, 1)
	go func() { served <- n.Serve() }()
	return n.ConnectionString(), func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return errors.Join(n.Close(ctx), <-served)
	}, nil
}

func openNode(ctx context.Context, dir string) (eventstore.Store, error) {
	connection, end, err := Node(ctx, dir, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s, err := connect(ctx, connection)
	if err != nil {
		return nil, errors.Join(err, end())
	}
	return &whole{Store: s, end: end}, nil
}

func connect(ctx context.Context, connection string) (*esdb.Store, error) {
	s, err := esdb.Open(esdb.Config{ConnectionString: connection, Now: time.Now, Log: zerolog.Nop()}) //nolint:forbidigo // as above
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("the store of %s is not there: %w", Variable, err), s.Close())
	}
	return s, nil
}

// Close implements [eventstore.Store].
func (w *whole) Close() error {
	w.closing.Do(func() { w.closed = errors.Join(w.Store.Close(), w.end()) })
	return w.closed
}

func openPart(ctx context.Context, connection, dir string) (eventstore.Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	name := dir + "/part"
	prefix, err := os.ReadFile(name) //nolint:gosec // the test's own directory
	if errors.Is(err, os.ErrNotExist) {
		prefix = []byte("kontotest" + strings.ReplaceAll(uuid.NewString(), "-", "") + ".") //nolint:forbidigo // as above
		err = os.WriteFile(name, prefix, 0o600)
	}
	if err != nil {
		return nil, err
	}
	s, err := connect(ctx, connection)
	if err != nil {
		return nil, err
	}
	return &part{Store: s, prefix: string(prefix)}, nil
}
