package grpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	"konto/eventstore"
	"konto/eventstore/node/engine"
	nodegrpc "konto/eventstore/node/grpc"
)

// The benchmarks measure the node through the official client, both in one
// process on the same processors. BenchmarkEcho is what gRPC itself can do: run
// it in the same run and compare.

// eventBytes is the size of the data of an event: Konto's sealed ones.
const eventBytes = 600

// disk starts a node on the disk with n events in streams of 100.
func disk(b *testing.B, n int) *world {
	b.Helper()
	store, err := engine.Open(b.TempDir(), engine.Config{})
	if err != nil {
		b.Fatal(err)
	}
	closes(b, store)
	data := make([]byte, eventBytes)
	for i := range n / 100 {
		list := make([]eventstore.Event, 100)
		for j := range list {
			list[j] = eventstore.Event{ID: newID(), Type: "account.deposited", Data: data}
		}
		if _, err := store.Append(b.Context(), fmt.Sprintf("account-%d", i), eventstore.NoStream, list...); err != nil {
			b.Fatal(err)
		}
	}
	w := &world{store: store}
	w.address = serve(b, nodegrpc.Config{Store: store, Now: time.Now, NewID: newID, Log: zerolog.Nop()})
	return w
}

func BenchmarkReadAll(b *testing.B) {
	const events = 200_000
	w := disk(b, events)
	c := w.client(b)
	b.ReportAllocs()
	before := processor()
	for b.Loop() {
		read, err := c.ReadAll(b.Context(), esdb.ReadAllOptions{}, events)
		if err != nil {
			b.Fatal(err)
		}
		drainRead(b, read, events)
	}
	measured(b, events, "event", before)
}

func BenchmarkReadLongStream(b *testing.B) {
	const events = 100_000
	w := disk(b, 0)
	data := make([]byte, eventBytes)
	for range events / 100 {
		list := make([]eventstore.Event, 100)
		for j := range list {
			list[j] = eventstore.Event{ID: newID(), Type: "account.deposited", Data: data}
		}
		if _, err := w.store.Append(b.Context(), "long", eventstore.Any, list...); err != nil {
			b.Fatal(err)
		}
	}
	c := w.client(b)
	b.ReportAllocs()
	before := processor()
	for b.Loop() {
		read, err := c.ReadStream(b.Context(), "long", esdb.ReadStreamOptions{}, events)
		if err != nil {
			b.Fatal(err)
		}
		drainRead(b, read, events)
	}
	measured(b, events, "event", before)
}

// BenchmarkReadShortStream reads streams of 100 events, one caller after another.
func BenchmarkReadShortStream(b *testing.B) {
	w := disk(b, 100_000)
	c := w.client(b)
	b.ReportAllocs()
	before, i := processor(), 0
	for b.Loop() {
		read, err := c.ReadStream(b.Context(), fmt.Sprintf("account-%d", i%1000), esdb.ReadStreamOptions{}, 100)
		if err != nil {
			b.Fatal(err)
		}
		drainRead(b, read, 100)
		i++
	}
	measured(b, 100, "event", before)
}

func BenchmarkSubscribeAll(b *testing.B) {
	const events = 200_000
	w := disk(b, events)
	c := w.client(b)
	b.ReportAllocs()
	before := processor()
	for b.Loop() {
		sub, err := c.SubscribeToAll(b.Context(), esdb.SubscribeToAllOptions{From: esdb.Start{}})
		if err != nil {
			b.Fatal(err)
		}
		for n := 0; n < events; {
			switch e := sub.Recv(); {
			case e.EventAppeared != nil:
				n++
			case e.SubscriptionDropped != nil:
				b.Fatal(e.SubscriptionDropped.Error)
			}
		}
		if err := sub.Close(); err != nil {
			b.Fatal(err)
		}
	}
	measured(b, events, "event", before)
}

func drainRead(b *testing.B, read *esdb.ReadStream, want int) {
	b.Helper()
	n := 0
	for {
		_, err := read.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	if n != want {
		b.Fatalf("read %d events, want %d", n, want)
	}
}

// processor returns what the process has used of the processors.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measured reports a rate, and what an event took of the processors, client
// included: the rate that can be had is their number divided by this.
func measured(b *testing.B, each int, what string, before time.Duration) {
	b.Helper()
	n := float64(b.N * each)
	b.ReportMetric(n/b.Elapsed().Seconds(), what+"s/s")
	b.ReportMetric(float64(processor()-before)/n, "cpu-ns/"+what)
}

// BenchmarkAppend appends one event of 600 bytes to a stream of each caller's.
func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 16, 128} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			w := disk(b, 0)
			c := w.client(b)
			data := make([]byte, eventBytes)
			together(b, callers, func(ctx context.Context, caller int) error {
				_, err := c.AppendToStream(ctx, fmt.Sprintf("account-%d", caller), esdb.AppendToStreamOptions{},
					esdb.EventData{EventID: uuid.New(), EventType: "account.deposited", Data: data})
				return err
			})
		})
	}
}

// BenchmarkEcho calls a method that does nothing, with the append's payload.
func BenchmarkEcho(b *testing.B) {
	for _, callers := range []int{1, 16, 128} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			server := rpc.NewServer()
			server.RegisterService(&echoService, nil)
			address := listen(b, server)
			conn, err := rpc.NewClient(address, rpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				b.Fatal(err)
			}
			closes(b, conn)
			request := &serverfeatures.SupportedMethods{EventStoreServerVersion: string(make([]byte, eventBytes))}
			together(b, callers, func(ctx context.Context, _ int) error {
				return conn.Invoke(ctx, "/echo/Echo", request, new(shared.Empty))
			})
		})
	}
}

var echoService = rpc.ServiceDesc{ServiceName: "echo", HandlerType: (*any)(nil), Methods: []rpc.MethodDesc{{
	MethodName: "Echo",
	Handler: func(_ any, _ context.Context, decode func(any) error, _ rpc.UnaryServerInterceptor) (any, error) {
		return new(shared.Empty), decode(new(serverfeatures.SupportedMethods))
	},
}}}

func together(b *testing.B, callers int, call func(ctx context.Context, caller int) error) {
	b.Helper()
	if err := call(b.Context(), 0); err != nil {
		b.Fatal(err)
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	b.ReportAllocs()
	before := processor()
	b.ResetTimer()
	for i := range callers {
		wait.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := call(b.Context(), i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	measured(b, 1, "call", before)
}
