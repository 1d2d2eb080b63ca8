package esdb_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
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

const appendMethod = "/event_store.client.streams.Streams/Append"

// says returns a step that ends a call with a status.
func says(code codes.Code, text string) func(context.Context, *node) error {
	return func(context.Context, *node) error { return status.Error(code, text) }
}

// hangs returns nothing until the client has gone.
func hangs(ctx context.Context, _ *node) error {
	<-ctx.Done()
	return status.FromContextError(ctx.Err()).Err()
}

// breaks ends all connections.
func breaks(ctx context.Context, n *node) error {
	n.cut()
	return hangs(ctx, n)
}

// endsEmpty ends the call well, without an answer.
func endsEmpty(context.Context, *node) error { return nil }

// notLeader says that another node leads, which is this one.
func notLeader(ctx context.Context, n *node) error {
	host, port, _ := net.SplitHostPort(n.addr)
	_ = rpc.SetTrailer(ctx, metadata.Pairs("exception", "not-leader", "leader-endpoint-host", host, "leader-endpoint-port", port))
	return status.Error(codes.NotFound, "Leader info available")
}

// failures are the ways in which an append fails.
var failures = []struct {
	name string
	step func(context.Context, *node) error
	// lasting is the error if it never ends; once is whether another attempt is made.
	lasting error
	// whatever: the server cannot say this after it has stored something.
	before bool
}{
	{"unavailable", says(codes.Unavailable, "Server Is Too Busy"), eventstore.ErrUnknownOutcome, false},
	{"aborted", says(codes.Aborted, "Operation timed out"), eventstore.ErrUnknownOutcome, false},
	{"unknown", says(codes.Unknown, "Exception was thrown by handler."), eventstore.ErrUnknownOutcome, false},
	{"internal", says(codes.Internal, "stream terminated by RST_STREAM"), eventstore.ErrUnknownOutcome, false},
	{"cancelled", says(codes.Canceled, "shutting down"), eventstore.ErrUnknownOutcome, false},
	{"deadline", says(codes.DeadlineExceeded, "too late"), eventstore.ErrUnknownOutcome, false},
	{"hangs", hangs, eventstore.ErrUnknownOutcome, false},
	{"breaks", breaks, eventstore.ErrUnknownOutcome, false},
	{"ends without an answer", endsEmpty, eventstore.ErrUnknownOutcome, false},
	{"not leader", notLeader, eventstore.ErrUnavailable, true},
	{"not leader, leader unknown", says(codes.NotFound, "Leader info available"), eventstore.ErrUnavailable, true},
}

// failing makes appends fail after or before they were carried out, the first
// n of them.
func failing(n *node, count int64, stored bool, step func(context.Context, *node) error) {
	var seen atomic.Int64
	n.misbehave(func(ctx context.Context, method string, call func() error) error {
		if method != appendMethod || seen.Add(1) > count {
			return call()
		}
		if stored {
			if err := call(); err != nil {
				return err
			}
		}
		return step(ctx, n)
	})
}

func short(c *esdb.Config) { c.ConnectionString += "&defaultDeadline=300" }

// An append that fails for a moment is stored once, whether or not the first
// attempt had stored it.
func TestAppendIsRepeated(t *testing.T) {
	t.Parallel()
	for _, f := range failures {
		for _, stored := range []bool{false, true} {
			if stored && f.before {
				continue
			}
			t.Run(f.name+map[bool]string{false: ", not stored", true: ", but stored"}[stored], func(t *testing.T) {
				t.Parallel()
				n := startNode(t)
				s := n.open(short)
				for _, expected := range []eventstore.Revision{eventstore.NoStream, eventstore.Any} {
					failing(n, 2, stored, f.step)
					stream, events := eventstoretest.Stream(), eventstoretest.Events(2)
					at, err := s.Append(within(t, 10*time.Second), stream, expected, events...)
					if err != nil || at.Revision != 1 || at.Position == (eventstore.Position{}) {
						t.Errorf("Append at %s = %+v, %v, want revision 1", expected, at, err)
					}
					holds(t, s, stream, events)
				}
			})
		}
	}
}

// An append that goes on failing ends in time, and says whether it may have
// been stored.
func TestAppendGivesUp(t *testing.T) {
	t.Parallel()
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			n := startNode(t)
			s := n.open(short, patience(300*time.Millisecond))
			failing(n, 1<<40, false, f.step)
			stream, events := eventstoretest.Stream(), eventstoretest.Events(1)
			if _, err := s.Append(within(t, 10*time.Second), stream, eventstore.Any, events...); !errors.Is(err, f.lasting) {
				t.Errorf("Append = %v, want %v", err, f.lasting)
			}
			ctx := within(t, 50*time.Millisecond)
			if _, err := s.Append(ctx, stream, eventstore.Any, events...); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, f.lasting) {
				t.Errorf("Append with little time = %v, want %v or %v", err, context.DeadlineExceeded, f.lasting)
			}
			n.misbehave(nil)
			if err := s.Ready(within(t, 10*time.Second)); err != nil {
				t.Errorf("Ready = %v", err)
			}
			if _, err := s.Append(within(t, 10*time.Second), stream, eventstore.Any, events...); err != nil {
				t.Errorf("Append afterwards = %v", err)
			}
			holds(t, s, stream, events)
		})
	}
}

// What the server refuses is not sent again, unless the client misses the
// answer because it was still sending.
func TestAppendIsRefused(t *testing.T) {
	t.Parallel()
	deleted := func(ctx context.Context, _ *node) error {
		_ = rpc.SetTrailer(ctx, metadata.Pairs("exception", "stream-deleted", "stream-name", "s"))
		return status.Error(codes.FailedPrecondition, "Event stream 's' is deleted.")
	}
	for _, test := range []struct {
		name string
		step func(context.Context, *node) error
		want error
	}{
		{"deleted", deleted, eventstore.ErrStreamDeleted},
		{"no access", says(codes.PermissionDenied, "Access Denied"), eventstore.ErrUnavailable},
		{"bad credentials", says(codes.Unauthenticated, "Unauthenticated"), eventstore.ErrUnavailable},
		{"invalid", says(codes.InvalidArgument, "Missing Required Properties"), eventstore.ErrInvalid},
		{"append too large", says(codes.InvalidArgument, "Maximum Append Size of 1048576 Exceeded."), eventstore.ErrTooLarge},
		{"message too large", says(codes.ResourceExhausted, "grpc: received message larger than max"), eventstore.ErrTooLarge},
		{"another service", says(codes.Unimplemented, "unknown service"), eventstore.ErrUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := startNode(t)
			s := n.open()
			var calls atomic.Int64
			failing(n, 1<<40, false, func(ctx context.Context, n *node) error {
				calls.Add(1)
				return test.step(ctx, n)
			})
			_, err := s.Append(within(t, 10*time.Second), eventstoretest.Stream(), eventstore.Any, eventstoretest.Events(1)...)
			if !errors.Is(err, test.want) || calls.Load() > 10 {
				t.Errorf("Append = %v after %d calls, want %v after one", err, calls.Load(), test.want)
			}
		})
	}
}

// The first attempt is stored, its answer is lost, and then the server refuses:
// nothing was promised.
func TestRefusalAfterDoubt(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	s := n.open()
	var calls atomic.Int64
	n.misbehave(func(_ context.Context, method string, call func() error) error {
		if method != appendMethod {
			return call()
		}
		if calls.Add(1) > 1 {
			return status.Error(codes.PermissionDenied, "Access Denied")
		}
		_ = call()
		return status.Error(codes.Aborted, "Operation timed out")
	})
	_, err := s.Append(within(t, 10*time.Second), eventstoretest.Stream(), eventstore.Any, eventstoretest.Events(1)...)
	if !errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("Append = %v, want %v", err, eventstore.ErrUnknownOutcome)
	}
}

// An append is lost, and before it is repeated somebody else writes.
func TestBeatenAfterDoubt(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	s, other := n.open(), n.open()
	stream := eventstoretest.Stream()
	var calls atomic.Int64
	n.misbehave(func(ctx context.Context, method string, call func() error) error {
		if method != appendMethod || calls.Add(1) > 1 {
			return call()
		}
		if _, err := other.Append(ctx, stream, eventstore.NoStream, eventstoretest.Events(3)...); err != nil {
			t.Error(err)
		}
		return status.Error(codes.Aborted, "Operation timed out")
	})
	_, err := s.Append(within(t, 10*time.Second), stream, eventstore.NoStream, eventstoretest.Events(1)...)
	var wrong *eventstore.WrongRevisionError
	if !errors.As(err, &wrong) || *wrong != (eventstore.WrongRevisionError{Stream: stream, Expected: eventstore.NoStream, Current: 2}) {
		t.Errorf("Append = %v, want a wrong revision, at 2", err)
	}
}

// Servers that are over their limit may stop listening in the middle.
func TestCutOffWhileSending(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	s := n.open()
	failing(n, 1<<40, false, says(codes.InvalidArgument, "Maximum Append Size of 1048576 Exceeded."))
	events := eventstoretest.Events(40)
	for i := range events {
		events[i].Data = []byte(strconv.Quote(strings.Repeat("x", 100<<10)))
	}
	_, err := s.Append(within(t, 10*time.Second), eventstoretest.Stream(), eventstore.Any, events...)
	if !errors.Is(err, eventstore.ErrTooLarge) {
		t.Errorf("Append of 4 MB = %v, want %v", err, eventstore.ErrTooLarge)
	}
}

// holds checks that a stream has these events and no others.
func holds(t *testing.T, s eventstore.Store, stream string, want []eventstore.Event) {
	t.Helper()
	var got []eventstore.ID
	for r, err := range s.Read(within(t, 10*time.Second), stream, eventstore.ReadStream{}) {
		if err != nil {
			t.Fatalf("Read = %v", err)
		}
		got = append(got, r.ID)
	}
	if len(got) != len(want) {
		t.Fatalf("the stream has %d events, want %d", len(got), len(want))
	}
	for i, e := range want {
		if got[i] != e.ID {
			t.Errorf("event %d is %x, want %x", i, got[i], e.ID)
		}
	}
}
