package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/cockroachdb/pebble/v2/vfs"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// An operation on one stream, whose state is the IDs of its events in order.
type operation struct {
	expected eventstore.Revision // of an append; Last means a read
	id       byte
}

type outcome struct {
	refused bool                // wrong revision
	at      eventstore.Revision // of an accepted append
	current eventstore.Revision // told to a refused one
	read    string              // IDs a read has seen
}

func streamModel(broken bool) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return "" },
		Step: func(state, input, output any) (bool, any) {
			ids, op, out := state.(string), input.(operation), output.(outcome)
			current := eventstore.Revision(len(ids) - 1)
			if op.expected == eventstore.Last {
				return out.read == ids, ids
			}
			fits := op.expected == eventstore.Any || op.expected == current
			switch {
			case out.refused:
				return !fits && out.current == current, ids
			case broken && out.at%7 == 3: // a planted lost write
				return fits && out.at == current+1, ids
			}
			return fits && out.at == current+1, ids + string(rune(op.id))
		},
	}
}

// TestLinearizable records what eight clients see who append to one stream and
// read it, and looks for an order of their operations that explains it.
func TestLinearizable(t *testing.T) {
	t.Parallel()
	for i := range 6 {
		history := clients(t, uint64(i))
		if porcupine.CheckOperationsTimeout(streamModel(false), history, 20*time.Second) != porcupine.Ok {
			t.Errorf("history %d of %d operations is not linearizable", i, len(history))
		}
		if porcupine.CheckOperationsTimeout(streamModel(true), history, 20*time.Second) != porcupine.Illegal {
			t.Errorf("history %d fits a store that loses writes, too", i)
		}
	}
}

func clients(t *testing.T, seed uint64) []porcupine.Operation {
	t.Helper()
	s, err := engine.Open("store", engine.Config{FS: vfs.NewMem(), CachedHeads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var mu sync.Mutex
	var history []porcupine.Operation
	start := time.Now()
	var wg sync.WaitGroup
	for c := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(c)))
			known := eventstore.NoStream
			for n := range 12 {
				op := operation{expected: known, id: byte(1 + c*12 + n)}
				switch rng.IntN(4) {
				case 0:
					op.expected = eventstore.Last
				case 1:
					op.expected = eventstore.Any
				}
				call := time.Since(start).Nanoseconds()
				out := perform(t.Context(), t, s, op)
				end := time.Since(start).Nanoseconds()
				switch {
				case op.expected == eventstore.Last:
					known = eventstore.Revision(len(out.read) - 1)
				case out.refused:
					known = out.current
				default:
					known = out.at
				}
				mu.Lock()
				history = append(history, porcupine.Operation{ClientId: c, Input: op, Call: call, Output: out, Return: end})
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return history
}

func perform(ctx context.Context, t *testing.T, s eventstore.Store, op operation) (out outcome) {
	t.Helper()
	if op.expected == eventstore.Last {
		for r, err := range s.Read(ctx, "s", eventstore.ReadStream{}) {
			switch {
			case errors.Is(err, eventstore.ErrStreamNotFound):
			case err != nil:
				t.Errorf("Read = %v", err)
			default:
				out.read += string(rune(r.ID[0]))
			}
		}
		return out
	}
	done, err := s.Append(ctx, "s", op.expected, eventstore.Event{ID: eventstore.ID{op.id}, Type: "T", Data: fmt.Append(nil, op.id)})
	var wrong *eventstore.WrongRevisionError
	switch {
	case errors.As(err, &wrong):
		return outcome{refused: true, current: wrong.Current}
	case err != nil:
		t.Errorf("Append = %v", err)
	}
	return outcome{at: done.Revision}
}
