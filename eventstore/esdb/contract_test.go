package esdb_test

import (
	"os"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/esdb"
	"konto/eventstore/eventstoretest"
	"konto/eventstore/node/engine"
)

func TestContract(t *testing.T) {
	t.Parallel()
	eventstoretest.Run(t, func(t *testing.T) eventstore.Store {
		t.Helper()
		return startNode(t).open()
	})
}

// remote names the EventStoreDB that the contract is checked with, too, by a
// connection string such as esdb://admin:changeit@localhost:2113?tlsVerifyCert=false.
const remote = "KONTO_TEST_ESDB"

func TestContractElsewhere(t *testing.T) {
	t.Parallel()
	connection := os.Getenv(remote)
	if connection == "" {
		t.Skipf("NOT TESTED WITH A REAL EventStoreDB: %s is not set to a connection string", remote)
	}
	eventstoretest.Run(t, func(t *testing.T) eventstore.Store {
		t.Helper()
		return open(t, esdb.Config{ConnectionString: connection, Now: time.Now, Log: zerolog.Nop()})
	})
}

func TestReopen(t *testing.T) {
	t.Parallel()
	eventstoretest.RunReopen(t, (*testing.T).TempDir, func(t *testing.T, dir string) eventstore.Store {
		t.Helper()
		store, err := engine.Open(dir, engine.Config{})
		if err != nil {
			t.Fatal(err)
		}
		n := &node{TB: t, store: store, addr: freeAddr(t)}
		n.start()
		return &whole{n.open(), n}
	})
}

// whole is a store that ends its node, too.
type whole struct {
	*esdb.Store
	node *node
}

func (w *whole) Close() error {
	err := w.Store.Close()
	w.node.stop()
	if closed := w.node.store.Close(); err == nil {
		err = closed
	}
	return err
}
