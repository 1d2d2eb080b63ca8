package eventstoretest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"konto/eventstore"
)

// follow collects the events of some streams until it has n of them or
// something is wrong. It checks that positions only grow.
func follow(ctx context.Context, s eventstore.Store, after eventstore.Position, n int, streams map[string]bool, each func()) ([]eventstore.Recorded, error) {
	var got []eventstore.Recorded
	if n == 0 {
		return nil, nil
	}
	last := after
	for batch, err := range s.Subscribe(ctx, after) {
		if err != nil {
			return got, err
		}
		if len(batch) == 0 {
			return got, errors.New("a step without events")
		}
		for _, r := range batch {
			if r.Position.Compare(last) <= 0 {
				return got, errors.New("an event at " + r.Position.String() + " follows one at " + last.String())
			}
			last = r.Position
			if streams[r.Stream] {
				got = append(got, r)
			}
		}
		if len(got) >= n {
			return got, nil
		}
		each()
	}
	return got, errors.New("the subscription ended without an error")
}

func nothing() {}

func testSubscribeFrom(t *testing.T, s eventstore.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	stream := Stream()
	mine := map[string]bool{stream: true}
	events := Events(5)
	mustAppend(t, s, stream, eventstore.NoStream, events...)
	old := readAll(t, s, eventstore.ReadAll{}, stream)
	head, err := eventstore.Head(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	more := Events(3)
	for _, test := range []struct {
		name  string
		after eventstore.Position
		want  []eventstore.Event
	}{
		{"zero", eventstore.Position{}, append(append([]eventstore.Event{}, events...), more...)},
		{"middle", old[2].Position, append(append([]eventstore.Event{}, events[3:]...), more...)},
		{"end", head, more},
	} {
		t.Run(test.name, func(t *testing.T) {
			var wg sync.WaitGroup
			wg.Go(func() {
				got, err := follow(ctx, s, test.after, len(test.want), mine, nothing)
				if err != nil {
					t.Errorf("Subscribe = %v", err)
				}
				diff(t, "events", ids(got), wantIDs(test.want))
			})
			// The first of these appends, the others find it done.
			mustAppend(t, s, stream, 4, more...)
			wg.Wait()
		})
	}
}

func testSubscribeWhileWriting(t *testing.T, s eventstore.Store) {
	t.Helper()
	const writers, subscribers, appends = 16, 12, 40
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	streams := map[string]bool{}
	var names []string
	for range writers {
		names = append(names, Stream())
		streams[names[len(names)-1]] = true
	}
	start, err := eventstore.Head(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for i := range appends {
		total += writers * (1 + i%3)
	}
	got := make([][]eventstore.Recorded, subscribers)
	var wg sync.WaitGroup
	subscribe := func(i int) {
		wg.Go(func() {
			var err error
			if got[i], err = follow(ctx, s, start, total, streams, nothing); err != nil {
				t.Errorf("subscriber %d: %v after %d of %d events", i, err, len(got[i]), total)
			}
		})
	}
	for i := range subscribers / 2 {
		subscribe(i)
	}
	var half sync.WaitGroup
	half.Add(writers)
	for _, stream := range names {
		wg.Go(func() {
			for i := range appends {
				if i == appends/2 {
					half.Done()
				}
				if _, err := s.Append(ctx, stream, eventstore.Any, Events(1+i%3)...); err != nil {
					t.Errorf("Append = %v", err)
				}
			}
		})
	}
	half.Wait()
	for i := subscribers / 2; i < subscribers; i++ {
		subscribe(i)
	}
	wg.Wait()
	var all []eventstore.Recorded
	for r, err := range s.ReadAll(t.Context(), eventstore.ReadAll{From: start}) {
		if err != nil {
			t.Fatal(err)
		}
		if streams[r.Stream] {
			all = append(all, r)
		}
	}
	if len(all) != total {
		t.Fatalf("$all has %d events, want %d", len(all), total)
	}
	for i := range got {
		diff(t, "a subscriber's events against $all", ids(got[i]), ids(all))
	}
}

func testSubscribeEnds(t *testing.T, s eventstore.Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	mustAppend(t, s, Stream(), eventstore.NoStream, Events(1)...)
	var last error
	for batch, err := range s.Subscribe(ctx, eventstore.Position{}) {
		if err == nil && len(batch) > 0 {
			cancel()
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("Subscribe ends with %v when its context is cancelled", last)
	}
	for _, err := range s.Subscribe(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Error(err)
		}
		break // a subscriber may leave
	}
}

// testSubscribeSlow checks that writers do not wait for a subscriber that
// stands still, and that it misses nothing.
func testSubscribeSlow(t *testing.T, s eventstore.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	stream := Stream()
	start, err := eventstore.Head(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	events := Events(3)
	for i := range events {
		events[i].Data = make([]byte, 256<<10)
		events[i].Binary = true
	}
	first := Events(1)
	mustAppend(t, s, stream, eventstore.NoStream, first...)
	want := wantIDs(first)
	written := make(chan struct{})
	go func() {
		defer close(written)
		for i := range 20 { // 15 MiB
			more := append([]eventstore.Event{}, events...)
			for j := range more {
				more[j].ID[0], more[j].ID[1] = byte(i), byte(j)
			}
			if _, err := s.Append(ctx, stream, eventstore.Any, more...); err != nil {
				t.Errorf("Append = %v", err)
			}
			want = append(want, wantIDs(more)...)
		}
	}()
	got, err := follow(ctx, s, start, 1+60, map[string]bool{stream: true}, func() { <-written })
	if err != nil {
		t.Errorf("Subscribe = %v after %d events", err, len(got))
	}
	<-written
	diff(t, "events", ids(got), want)
}

func testClose(t *testing.T, s eventstore.Store) {
	t.Helper()
	stream := Stream()
	mustAppend(t, s, stream, eventstore.NoStream, Events(3)...)
	head, err := eventstore.Head(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var last error
			for _, last = range s.Subscribe(t.Context(), head) {
				continue
			}
			if !errors.Is(last, eventstore.ErrClosed) {
				t.Errorf("Subscribe of a store that closes ends with %v, want ErrClosed", last)
			}
		})
		wg.Go(func() {
			for {
				_, err := s.Append(t.Context(), stream, eventstore.Any, Events(1)...)
				if errors.Is(err, eventstore.ErrClosed) || errors.Is(err, eventstore.ErrUnknownOutcome) {
					return
				}
				if err != nil {
					t.Errorf("Append to a store that closes = %v", err)
					return
				}
			}
		})
	}
	n := 0
	for _, err := range s.Read(t.Context(), stream, eventstore.ReadStream{}) {
		if n++; n == 1 {
			if err := s.Close(); err != nil {
				t.Errorf("Close = %v", err)
			}
		} else if err != nil && !errors.Is(err, eventstore.ErrClosed) {
			t.Errorf("Read of a store that closes = %v", err)
		}
	}
	wg.Wait()
	for name, err := range map[string]error{
		"Append": second(s.Append(t.Context(), stream, eventstore.Any, Events(1)...)),
		"Head":   second(eventstore.Head(t.Context(), s)),
	} {
		if !errors.Is(err, eventstore.ErrClosed) {
			t.Errorf("%s after Close = %v, want ErrClosed", name, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close = %v", err)
	}
}

func second[T any](_ T, err error) error { return err }
