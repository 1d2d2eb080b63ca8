package esdb_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"konto/eventstore"
	"konto/eventstore/esdb"
	"konto/eventstore/eventstoretest"
)

// Another node leads: writes go there, also those that are under way.
func TestFollowsTheLeader(t *testing.T) {
	t.Parallel()
	follower, leader := startNode(t), startNode(t)
	host, port, _ := net.SplitHostPort(leader.addr)
	follower.misbehave(func(ctx context.Context, method string, call func() error) error {
		if method != appendMethod {
			return call()
		}
		_ = rpc.SetTrailer(ctx, metadata.Pairs("exception", "not-leader", "leader-endpoint-host", host, "leader-endpoint-port", port))
		return status.Error(codes.NotFound, "Leader info available")
	})
	s := follower.open()
	var writers sync.WaitGroup
	for range 16 {
		writers.Go(func() {
			stream, events := eventstoretest.Stream(), eventstoretest.Events(2)
			if _, err := s.Append(within(t, 10*time.Second), stream, eventstore.NoStream, events...); err != nil {
				t.Errorf("Append = %v", err)
			}
			holds(t, leader.store, stream, events)
		})
	}
	writers.Wait()
	leader.stop() // and the follower takes its place
	follower.misbehave(nil)
	stream, events := eventstoretest.Stream(), eventstoretest.Events(2)
	if _, err := s.Append(within(t, 10*time.Second), stream, eventstore.NoStream, events...); err != nil {
		t.Errorf("Append after the leader has gone = %v", err)
	}
	holds(t, follower.store, stream, events)
}

// The leader that a node names is not there, and then the node goes, too.
func TestNoLeader(t *testing.T) {
	t.Parallel()
	if detecting {
		t.Skip("as for TestCallsThatHangInTheClient")
	}
	if !alone(t) {
		return
	}
	n := startNode(t)
	_, port, _ := net.SplitHostPort(freeAddr(t))
	n.misbehave(func(ctx context.Context, method string, call func() error) error {
		if method != appendMethod {
			return call()
		}
		_ = rpc.SetTrailer(ctx, metadata.Pairs("exception", "not-leader", "leader-endpoint-host", "127.0.0.1", "leader-endpoint-port", port))
		return status.Error(codes.NotFound, "Leader info available")
	})
	s := n.open(patience(100 * time.Millisecond))
	var callers sync.WaitGroup
	for range 32 {
		callers.Go(func() {
			began := time.Now()
			ctx := within(t, time.Second)
			for ctx.Err() == nil {
				for name, call := range calls(s, "s") {
					err := call(ctx)
					if err != nil && ctx.Err() == nil && !errors.Is(err, eventstore.ErrUnavailable) && !errors.Is(err, eventstore.ErrUnknownOutcome) && !errors.Is(err, eventstore.ErrStreamNotFound) {
						t.Errorf("%s = %v", name, err)
					}
				}
			}
			if took := time.Since(began); took > 4*time.Second {
				t.Errorf("calls with a second's time end after %s", took)
			}
		})
	}
	n.stop()
	callers.Wait()
	n.misbehave(nil)
	n.start()
	if err := s.Ready(within(t, 10*time.Second)); err != nil {
		t.Errorf("Ready when the node is back = %v", err)
	}
	if _, err := s.Append(within(t, 10*time.Second), eventstoretest.Stream(), eventstore.NoStream, eventstoretest.Events(1)...); err != nil {
		t.Errorf("Append when the node is back = %v", err)
	}
}

// Several names, of which some are of no use, find the node all the same.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	dead := freeAddr(t)
	for _, connection := range []string{
		"esdb://" + dead + "," + n.addr + "," + dead + "?tls=false",
		"esdb+discover://" + n.addr + "?tls=false&nodePreference=random",
	} {
		s := open(t, esdb.Config{ConnectionString: connection, Now: time.Now, Log: zerolog.Nop()})
		for range 2 {
			stream, events := eventstoretest.Stream(), eventstoretest.Events(2)
			if _, err := s.Append(within(t, 10*time.Second), stream, eventstore.NoStream, events...); err != nil {
				t.Errorf("%s: Append = %v", connection, err)
			}
			holds(t, s, stream, events)
			n.cut()
		}
	}
}
