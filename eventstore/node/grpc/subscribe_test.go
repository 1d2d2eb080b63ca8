package grpc_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
)

// sub is a subscription under test.
type sub struct {
	call    streams.Streams_ReadClient
	trailer metadata.MD
	cancel  context.CancelFunc
}

func (w *world) subscribe(tb testing.TB, o *streams.ReadReq_Options) *sub {
	tb.Helper()
	ctx, cancel := context.WithCancel(within(tb))
	s := &sub{cancel: cancel}
	tb.Cleanup(cancel)
	var err error
	if s.call, err = w.streams.Read(ctx, &streams.ReadReq{Options: o}, rpc.Trailer(&s.trailer)); err != nil {
		tb.Fatal(err)
	}
	return s
}

func (s *sub) next(tb testing.TB) *streams.ReadResp {
	tb.Helper()
	r, err := s.call.Recv()
	if err != nil {
		tb.Fatalf("subscription ends with %v, want it to go on", err)
	}
	return r
}

// want receives these answers.
func (s *sub) want(tb testing.TB, want ...string) {
	tb.Helper()
	var got []string
	for range want {
		got = append(got, describe(s.next(tb)))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Fatalf("subscription (-want +got):\n%s", diff)
	}
}

// end receives what is left, and returns how it ended.
func (s *sub) end(tb testing.TB) outcome {
	tb.Helper()
	for {
		r, err := s.call.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return outcome{}
		case err != nil:
			return ended(err, s.trailer)
		}
		tb.Errorf("subscription goes on with %v, want it to end", r)
	}
}

func TestSubscribeToStream(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("followed")
	w.must(t, stream, eventstore.NoStream, events(3)...)
	for _, row := range []struct {
		name string
		from func(*streams.ReadReq_Options)
		want []string
	}{
		{"start", func(*streams.ReadReq_Options) {}, []string{"confirmation", "0", "1", "2", "caught up", "3"}},
		{"revision, exclusive", fromRevision(0), []string{"confirmation", "1", "2", "caught up", "3"}},
		{"last revision", fromRevision(2), []string{"confirmation", "caught up", "3"}},
		{"end", fromEnd, []string{"confirmation", "caught up", "3"}},
		{"in future", fromRevision(3), []string{"confirmation", "caught up", "4"}},
	} {
		subscription := w.subscribe(t, options(stream, 0, subscribing, row.from))
		subscription.want(t, row.want[:len(row.want)-1]...)
		w.must(t, stream, eventstore.Any, events(2)...)
		subscription.want(t, row.want[len(row.want)-1])
		subscription.cancel()

		stream = name("followed")
		w.must(t, stream, eventstore.NoStream, events(3)...)
	}
}

func TestSubscribeIDs(t *testing.T) {
	t.Parallel()
	w := start(t)
	seen := map[string]bool{}
	for range 3 {
		r := w.subscribe(t, options(name("id"), 0, subscribing)).next(t)
		id := r.GetConfirmation().GetSubscriptionId()
		if len(id) != 36 || seen[id] {
			t.Errorf("subscription ID = %q, want a UUID of its own", id)
		}
		seen[id] = true
	}
}

func TestSubscribeToNothing(t *testing.T) {
	t.Parallel()
	w := start(t)
	missing, gone := name("missing"), name("gone")
	w.must(t, gone, eventstore.NoStream, events(3)...)
	w.remove(t, gone, eventstore.Any)
	for stream, want := range map[string]string{missing: "0", gone: "3"} {
		subscription := w.subscribe(t, options(stream, 0, subscribing))
		subscription.want(t, "confirmation", "caught up")
		w.must(t, stream, eventstore.Any, events(1)...)
		subscription.want(t, want)
	}
}

// Many events at once are more than a subscription is kept for: it falls behind
// and is told when it has caught up.
func TestSubscribeCatchesUpAgain(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("busy")
	subscription := w.subscribe(t, options(stream, 0, subscribing))
	subscription.want(t, "confirmation", "caught up")
	w.must(t, stream, eventstore.NoStream, events(1)...)
	subscription.want(t, "0")
	w.must(t, stream, 0, events(2)...)
	subscription.want(t, "1", "2") // and no "caught up" for each
	w.embedded(t)
	w.must(t, stream, 2, events(200)...)
	for range 200 {
		subscription.next(t)
	}
	subscription.want(t, "caught up")
}

func TestSubscribeToAll(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("all")
	first := w.must(t, stream, eventstore.NoStream, events(1)...)
	last := w.must(t, stream, 0, events(2)...)
	mine := func(s *sub, n int) (list []string) {
		for len(list) < n {
			switch r := s.next(t); {
			case r.GetEvent() == nil:
				list = append(list, describe(r))
			case string(r.GetEvent().GetEvent().GetStreamIdentifier().GetStreamName()) == stream:
				list = append(list, describe(r))
			}
		}
		return list
	}
	if got := mine(w.subscribe(t, options("", 0, subscribing, fromPosition(first, first))), 4); !cmp.Equal(got, []string{"confirmation", "1", "2", "caught up"}) {
		t.Errorf("from the first event = %v, want the others", got)
	}
	if got := mine(w.subscribe(t, options("", 0, subscribing)), 4); !cmp.Equal(got, []string{"confirmation", "0", "1", "2"}) {
		t.Errorf("from the start = %v, want all", got)
	}
	live := w.subscribe(t, options("", 0, subscribing, fromEnd))
	live.want(t, "confirmation", "caught up")
	after := w.subscribe(t, options("", 0, subscribing, fromPosition(last, last)))
	after.want(t, "confirmation")
	w.must(t, stream, 2, events(2)...)
	if got := mine(live, 2); got[0] != "3" || got[1] != "4" {
		t.Errorf("live = %v, want 3, 4", got)
	}
}

func TestSubscribeToAllInFuture(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.embedded(t)
	at := w.must(t, "s", eventstore.NoStream, events(1)...) + 10_000_000
	subscription := w.subscribe(t, options("", 0, subscribing, fromPosition(at, at)))
	subscription.want(t, "confirmation", "caught up")
	w.must(t, "s", 0, events(1)...)
	w.must(t, "s", 1, events(1)...)
	list, _ := w.read(t, options("", 10))
	if got := list[2].GetEvent().GetCommitPosition(); got >= at {
		t.Fatalf("the events are at %d already, want them before %d", got, at)
	}
	w.end(t, "s", eventstore.Any) // would come, too
	subscription.cancel()
	if r, err := subscription.call.Recv(); err == nil {
		t.Errorf("subscription from a position in future gets %v, want nothing", r)
	}
}

func TestSubscribeMalformed(t *testing.T) {
	t.Parallel()
	w := start(t)
	at := w.must(t, name("s"), eventstore.NoStream, events(2)...)
	w.must(t, name("s"), eventstore.NoStream, events(1)...)
	for what, o := range map[string]*streams.ReadReq_Options{
		"backwards":                     options("s", 0, subscribing, backwards),
		"$all backwards":                options("", 0, subscribing, backwards),
		"filtered stream":               options("s", 0, subscribing, filtered(streamsStarting("s"), 32, 1)),
		"no boundary":                   options("", 0, subscribing, fromPosition(at+1, at+1)),
		"commit before prepare":         options("", 0, subscribing, fromPosition(at, at+1)),
		"checkpoint interval of 0":      options("", 0, subscribing, filtered(streamsStarting("s"), 32, 0)),
		"filter without an expression":  options("", 0, subscribing, filtered(nil, 32, 1)),
		"no position":                   options("", 0, subscribing, func(o *streams.ReadReq_Options) { o.GetAll().AllOption = nil }),
		"no revision":                   options("s", 0, subscribing, func(o *streams.ReadReq_Options) { o.GetStream().RevisionOption = nil }),
		"expression that RE2 hasn't":    options("", 0, subscribing, filtered(streamsMatching("(?!a)"), 32, 1)),
		"neither subscription nor read": options("s", 0, func(o *streams.ReadReq_Options) { o.CountOption = nil }),
	} {
		if end := w.subscribe(t, o).end(t); end.code != codes.InvalidArgument || len(end.trailers) > 0 {
			if what == "expression that RE2 hasn't" && w.remote {
				continue
			}
			t.Errorf("%s: subscription ends with %+v, want InvalidArgument without trailers", what, end)
		}
	}
}

// A subscriber that does not read for a while misses nothing, and nobody waits
// for it: what it has not taken is read from disk again.
func TestSlowSubscriber(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("slow")
	slow := w.subscribe(t, options(stream, 0, subscribing))
	slow.want(t, "confirmation", "caught up")
	const appends, each = 16, 10
	for range appends { // 13 MB, more than the store keeps in memory
		list := events(each)
		for _, e := range list {
			e.Data = make([]byte, 80_000)
		}
		w.must(t, stream, eventstore.Any, list...)
	}
	for i := range appends * each {
		r := slow.next(t)
		if r.GetCaughtUp() != nil {
			r = slow.next(t)
		}
		if got := r.GetEvent().GetEvent(); got.GetStreamRevision() != uint64(i) || len(got.GetData()) != 80_000 {
			t.Fatalf("event %d = %v, want it", i, describe(r))
		}
	}
}
