package esdb_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"konto/eventstore"
	"konto/eventstore/esdb"
	"konto/eventstore/eventstoretest"
)

// This is how the client alone hangs for ever: a node names a leader that is
// not there; the next call looks for a node, in vain; the client's goroutine
// ends, and all calls that have queued up behind that one stay, whatever
// becomes of their contexts. Here none has a deadline, and all go well.
func TestCallsThatHangInTheClient(t *testing.T) {
	t.Parallel()
	if detecting {
		t.Skip("calls that hang are freed by closing what they send to, which the race detector takes for a mistake")
	}
	if !alone(t) {
		return
	}
	for range 5 { // the search may come before the calls that it holds up
		if searches := callsThatHang(t); searches >= 3 {
			return
		}
	}
	t.Error("no second search failed and was followed by a third: nothing was tested")
}

// callsThatHang returns how many times the client looked for a node.
func callsThatHang(t *testing.T) int64 {
	t.Helper()
	n := startNode(t)
	_, port, _ := net.SplitHostPort(freeAddr(t))
	var named atomic.Bool
	var searches atomic.Int64
	n.misbehave(func(ctx context.Context, method string, call func() error) error {
		switch {
		case method == appendMethod && named.CompareAndSwap(false, true):
			_ = rpc.SetTrailer(ctx, metadata.Pairs("exception", "not-leader", "leader-endpoint-host", "127.0.0.1", "leader-endpoint-port", port))
			return status.Error(codes.NotFound, "Leader info available")
		case strings.HasSuffix(method, "/GetSupportedMethods") && searches.Add(1) == 2:
			<-ctx.Done() // the search in the client that has lost its leader
			return status.FromContextError(ctx.Err()).Err()
		}
		return call()
	})
	s := n.open(patience(20*time.Second), func(c *esdb.Config) { c.ConnectionString += "&gossipTimeout=1" })
	if err := s.Ready(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var writers sync.WaitGroup
	for range 32 {
		writers.Go(func() {
			stream, events := eventstoretest.Stream(), eventstoretest.Events(1)
			if _, err := s.Append(t.Context(), stream, eventstore.NoStream, events...); err != nil {
				t.Errorf("Append = %v", err)
			}
			holds(t, s, stream, events)
		})
	}
	writers.Wait()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the calls took %s, want little more than the search's second", took)
	}
	return searches.Load()
}

// A full queue stops who fills it.
func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		size int // of an event
		most int // events
	}{{"events", 10, 3000}, {"bytes", 1 << 20, 8}} {
		q := esdb.NewQueue()
		put := 0
		for ; put <= test.most; put++ {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			ok := q.Put(ctx, eventstore.Recorded{Event: eventstore.Event{Data: make([]byte, test.size)}})
			cancel()
			if !ok {
				break
			}
		}
		if put > test.most {
			t.Errorf("%s: a queue that nobody empties takes more than %d", test.name, test.most)
		}
		events, err := q.Take(t.Context(), nil)
		if err != nil || len(events) != put {
			t.Errorf("%s: Take = %d events, %v, want the %d that were put", test.name, len(events), err, put)
		}
		if !q.Put(t.Context(), eventstore.Recorded{}) {
			t.Errorf("%s: Put into an empty queue = false", test.name)
		}
	}
}
