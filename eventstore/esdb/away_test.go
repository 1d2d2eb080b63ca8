package esdb_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"konto/eventstore"
	"konto/eventstore/esdb"
	"konto/eventstore/eventstoretest"
)

// The store is opened before there is one: calls wait a little, then fail at
// once, and go well as soon as it is there.
func TestNotThereAtTheStart(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	var log lines
	s := n.open(patience(200*time.Millisecond), func(c *esdb.Config) { c.Log = zerolog.New(&log) })
	stream, events := eventstoretest.Stream(), eventstoretest.Events(1)
	if _, err := s.Append(t.Context(), stream, eventstore.NoStream, events...); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("Append = %v, want %v", err, eventstore.ErrUnavailable)
	}
	for name, call := range calls(s, stream) {
		began := time.Now()
		err := call(t.Context())
		if took := time.Since(began); !errors.Is(err, eventstore.ErrUnavailable) || took > 100*time.Millisecond {
			t.Errorf("%s of a store that is away = %v after %s, want %v at once", name, err, took, eventstore.ErrUnavailable)
		}
	}
	if err := s.Ready(within(t, 50*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Ready = %v, want %v", err, context.DeadlineExceeded)
	}
	got := make(chan error, 1)
	go func() {
		for batch, err := range s.Subscribe(t.Context(), eventstore.Position{}) {
			if err == nil && batch[len(batch)-1].ID != events[0].ID {
				err = fmt.Errorf("got %v", batch)
			}
			got <- err
			return
		}
	}()
	n.start()
	if err := s.Ready(within(t, 10*time.Second)); err != nil {
		t.Fatalf("Ready = %v", err)
	}
	if _, err := s.Append(t.Context(), stream, eventstore.NoStream, events...); err != nil {
		t.Errorf("Append = %v", err)
	}
	if err := <-got; err != nil {
		t.Errorf("Subscribe = %v", err)
	}
	if text := log.String(); strings.Count(text, "waiting for it") != 1 || strings.Count(text, "connected") != 1 || !strings.Contains(text, n.addr) {
		t.Errorf("log = %s, want one line that it waits for %s, and one that it is connected", text, n.addr)
	}
}

// calls are those that end.
func calls(s eventstore.Store, stream string) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Append": func(ctx context.Context) error {
			_, err := s.Append(ctx, stream, eventstore.Any, eventstoretest.Events(1)...)
			return err
		},
		"Read": func(ctx context.Context) error {
			for _, err := range s.Read(ctx, stream, eventstore.ReadStream{}) {
				return err
			}
			return nil
		},
		"Head": func(ctx context.Context) error {
			_, err := eventstore.Head(ctx, s)
			return err
		},
	}
}

// lines is a log that a test reads.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Something listens and never answers: nothing hangs, not even Close.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	l := listen(t, "127.0.0.1:0")
	defer func() { _ = l.Close() }()
	s := open(t, esdb.Config{
		ConnectionString: "esdb://" + l.Addr().String() + "?tls=false&gossipTimeout=1", Patience: 200 * time.Millisecond, Now: time.Now, Log: zerolog.Nop(),
	})
	for name, call := range calls(s, "s") {
		began := time.Now()
		err := call(within(t, 100*time.Millisecond))
		if took := time.Since(began); took > time.Second || !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("%s = %v after %s", name, err, took)
		}
	}
	began := time.Now()
	if err := s.Close(); err != nil || time.Since(began) > 2*time.Second {
		t.Errorf("Close = %v after %s", err, time.Since(began))
	}
}

// restarts are ways in which a node goes and comes back.
var restarts = map[string]func(*node){
	"killed": func(n *node) {
		n.stop()
		n.start()
	},
	"told to stop": func(n *node) {
		go n.cutSoon()
		n.leave()
		n.start()
	},
	"connections broken": (*node).cut,
}

// cutSoon ends what would keep a graceful stop waiting: subscriptions.
func (n *node) cutSoon() {
	timer := time.NewTimer(30 * time.Millisecond)
	defer timer.Stop()
	<-timer.C
	n.cut()
}

// Writers, readers and subscribers go on while the node comes and goes: each
// event is stored once, and each subscriber gets each once.
func TestComesAndGoes(t *testing.T) {
	t.Parallel()
	for name, restart := range restarts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := startNode(t)
			s := n.open(patience(10 * time.Second))
			start, err := eventstore.Head(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			ctx := within(t, 20*time.Second)
			const writers, each, subscribers = 6, 40, 3
			var work sync.WaitGroup
			streams := map[string]bool{}
			for range writers {
				stream := eventstoretest.Stream()
				streams[stream] = true
				work.Go(func() { write(ctx, t, s, stream, each) })
			}
			got := make([][]eventstore.Recorded, subscribers)
			for i := range got {
				work.Go(func() { got[i] = collect(ctx, t, s, start, streams, writers*each) })
			}
			done := make(chan struct{})
			go func() {
				work.Wait()
				close(done)
			}()
			for range 6 {
				timer := time.NewTimer(time.Duration(20+rand.IntN(60)) * time.Millisecond)
				<-timer.C
				restart(n)
			}
			<-done
			var want []eventstore.ID
			for r, err := range n.store.ReadAll(t.Context(), eventstore.ReadAll{From: start}) {
				if err != nil {
					t.Fatal(err)
				}
				if streams[r.Stream] {
					want = append(want, r.ID)
				}
			}
			if len(want) != writers*each {
				t.Errorf("the node has %d events, want %d", len(want), writers*each)
			}
			for i, events := range got {
				if len(events) != len(want) {
					t.Errorf("subscriber %d got %d events, want %d", i, len(events), len(want))
					continue
				}
				for j, r := range events {
					if r.ID != want[j] {
						t.Errorf("event %d of subscriber %d is at %s, want another", j, i, r.Position)
						break
					}
				}
			}
		})
	}
}

// write appends one event after another and reads the stream in between.
func write(ctx context.Context, t *testing.T, s eventstore.Store, stream string, n int) {
	t.Helper()
	at := eventstore.NoStream
	for range n {
		done, err := s.Append(ctx, stream, at, eventstoretest.Events(1)...)
		if err != nil || done.Revision != at+1 {
			t.Errorf("Append at %s = %+v, %v", at, done, err)
			return
		}
		at = done.Revision
		next := eventstore.Revision(0)
		for r, err := range s.Read(ctx, stream, eventstore.ReadStream{}) {
			if err != nil || r.Revision != next {
				t.Errorf("Read = revision %d, %v, want %d", r.Revision, err, next)
				return
			}
			next++
		}
		if next != at+1 {
			t.Errorf("Read = %d events, want %d", next, at+1)
		}
	}
}

func collect(ctx context.Context, t *testing.T, s eventstore.Store, after eventstore.Position, streams map[string]bool, n int) (got []eventstore.Recorded) {
	t.Helper()
	for batch, err := range s.Subscribe(ctx, after) {
		if err != nil {
			t.Errorf("Subscribe = %v after %d events", err, len(got))
			return got
		}
		for _, r := range batch {
			if streams[r.Stream] {
				got = append(got, r)
			}
		}
		if len(got) >= n {
			return got
		}
	}
	return got
}

// A long read goes on where its connection was lost.
func TestReadGoesOn(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	s := n.open()
	stream, events := eventstoretest.Stream(), eventstoretest.Events(80)
	for i := range events {
		events[i].Data = bytes.Repeat([]byte{'x'}, 100<<10)
		events[i].Binary = true
	}
	for i := 0; i < len(events); i += 10 {
		if _, err := s.Append(t.Context(), stream, eventstore.Any, events[i:i+10]...); err != nil {
			t.Fatal(err)
		}
	}
	for name, read := range map[string]func(yield func(eventstore.Recorded, error) bool){
		"Read":             s.Read(t.Context(), stream, eventstore.ReadStream{}),
		"Read backward":    s.Read(t.Context(), stream, eventstore.ReadStream{From: eventstore.Last, Direction: eventstore.Backward}),
		"Read with limit":  s.Read(t.Context(), stream, eventstore.ReadStream{Limit: 80}),
		"ReadAll":          s.ReadAll(t.Context(), eventstore.ReadAll{}),
		"ReadAll backward": s.ReadAll(t.Context(), eventstore.ReadAll{From: eventstore.End, Direction: eventstore.Backward}),
	} {
		i := 0
		for r, err := range read {
			if err != nil {
				t.Fatalf("%s = %v after %d events", name, err, i)
			}
			if i%30 == 10 {
				n.cut()
			}
			want := i
			if strings.Contains(name, "backward") {
				want = len(events) - 1 - i
			}
			if r.ID != events[want].ID {
				t.Fatalf("%s: event %d is %s@%d, want revision %d", name, i, r.Stream, r.Revision, want)
			}
			i++
		}
		if i != len(events) {
			t.Errorf("%s = %d events, want %d", name, i, len(events))
		}
	}
}
