package engine_test

import (
	"testing"

	"go.uber.org/goleak"

	"konto/eventstore"
	"konto/eventstore/eventstoretest"
	"konto/eventstore/node/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	t.Parallel()
	eventstoretest.Run(t, func(t *testing.T) eventstore.Store {
		t.Helper()
		return open(t, t.TempDir(), engine.Config{})
	})
}

func open(t testing.TB, dir string, c engine.Config) *engine.Store {
	t.Helper()
	s, err := engine.Open(dir, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
