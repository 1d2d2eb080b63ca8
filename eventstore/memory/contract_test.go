package memory_test

import (
	"testing"

	"go.uber.org/goleak"

	"konto/eventstore"
	"konto/eventstore/eventstoretest"
	"konto/eventstore/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	t.Parallel()
	eventstoretest.Run(t, func(*testing.T) eventstore.Store { return memory.New() })
}
