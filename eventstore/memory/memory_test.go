package memory_test

import (
	"errors"
	"testing"

	"konto/eventstore"
	"konto/eventstore/memory"
)

func TestFault(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, stored := range []bool{false, true} {
		s := &memory.Store{Fault: func(_ string, after bool) error {
			if after == stored {
				return broken
			}
			return nil
		}}
		e := eventstore.Event{ID: eventstore.ID{1}, Type: "Opened"}
		if _, err := s.Append(t.Context(), "a-1", eventstore.NoStream, e); !errors.Is(err, broken) {
			t.Errorf("Append with a fault = %v, want %v", err, broken)
		}
		head, err := eventstore.Head(t.Context(), s)
		if got := head != (eventstore.Position{}); err != nil || got != stored {
			t.Errorf("stored after a fault with stored=%t = %t, %v", stored, got, err)
		}
	}
}
