package grpc_test

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
)

type (
	filterOptions = streams.ReadReq_Options_FilterOptions
	expression    = streams.ReadReq_Options_FilterOptions_Expression
)

// filtered has a window, or -1 for none, and a checkpoint interval in windows.
func filtered(change func(*filterOptions), window int, interval uint32) func(*streams.ReadReq_Options) {
	return func(o *streams.ReadReq_Options) {
		f := &filterOptions{CheckpointIntervalMultiplier: interval}
		if window < 0 {
			f.Window = &streams.ReadReq_Options_FilterOptions_Count{Count: &shared.Empty{}}
		} else {
			f.Window = &streams.ReadReq_Options_FilterOptions_Max{Max: uint32(window)}
		}
		if change != nil {
			change(f)
		}
		o.FilterOption = &streams.ReadReq_Options_Filter{Filter: f}
	}
}

func streamsStarting(prefixes ...string) func(*filterOptions) {
	return func(f *filterOptions) {
		f.Filter = &streams.ReadReq_Options_FilterOptions_StreamIdentifier{StreamIdentifier: &expression{Prefix: prefixes}}
	}
}

func streamsMatching(regex string) func(*filterOptions) {
	return func(f *filterOptions) {
		f.Filter = &streams.ReadReq_Options_FilterOptions_StreamIdentifier{StreamIdentifier: &expression{Regex: regex}}
	}
}

func typesStarting(prefixes ...string) func(*filterOptions) {
	return func(f *filterOptions) {
		f.Filter = &streams.ReadReq_Options_FilterOptions_EventType{EventType: &expression{Prefix: prefixes}}
	}
}

func typesMatching(regex string) func(*filterOptions) {
	return func(f *filterOptions) {
		f.Filter = &streams.ReadReq_Options_FilterOptions_EventType{EventType: &expression{Regex: regex}}
	}
}

// numbered appends n events of one append each and returns their positions.
func (w *world) numbered(tb testing.TB, stream, typ string, n int) (positions []uint64) {
	tb.Helper()
	for i := range n {
		positions = append(positions, w.must(tb, stream, eventstore.Any, proposed(typ, strconv.Itoa(i))))
	}
	return positions
}

func TestFilteredRead(t *testing.T) {
	t.Parallel()
	w := start(t)
	tag := name("f")
	start := w.must(t, tag+"-a", eventstore.Any, proposed(tag+".x", ""))
	w.must(t, tag+"-b", eventstore.Any, proposed(tag+".y", ""))
	w.must(t, tag+"-a", eventstore.Any, proposed(tag+".y", ""), proposed(tag+".x", ""))
	w.must(t, "other-"+tag, eventstore.Any, proposed("other", ""))
	w.must(t, tag+"-b", eventstore.Any, proposed(tag+".z", ""))
	for _, row := range []struct {
		name   string
		filter func(*filterOptions)
		count  uint64
		want   []string
	}{
		{"stream prefix", streamsStarting(tag + "-b"), 10, []string{"0", "1"}},
		{"stream prefixes", streamsStarting(tag+"-b", tag+"-a"), 10, []string{"0", "0", "1", "2", "1"}},
		{"count is of matches", streamsStarting(tag + "-a"), 2, []string{"0", "1"}},
		{"stream regex searches", streamsMatching(tag), 10, []string{"0", "0", "1", "2", "0", "1"}},
		{"stream regex anchored", streamsMatching("^" + tag + "-.$"), 10, []string{"0", "0", "1", "2", "1"}},
		{"type prefix", typesStarting(tag + ".x"), 10, []string{"0", "2"}},
		{"type regex", typesMatching(tag + `\.[yz]`), 10, []string{"0", "1", "1"}},
		{"regex is case-sensitive", streamsMatching("(?-i)^F-"), 10, []string{}},
		{"flags inside", streamsMatching("(?i)^" + tag + "-B$"), 10, []string{"0", "1"}},
		{"regex wins", func(f *filterOptions) {
			f.Filter = &streams.ReadReq_Options_FilterOptions_StreamIdentifier{StreamIdentifier: &expression{Regex: tag + "-b", Prefix: []string{tag + "-a"}}}
		}, 10, []string{"0", "1"}},
	} {
		list, end := w.read(t, options("", row.count, fromPosition(start, start), filtered(row.filter, 32, 1)))
		if diff := cmp.Diff(row.want, revisions(list)); diff != "" {
			t.Errorf("%s: read ends with %+v (-want +got):\n%s", row.name, end, diff)
		}
	}
	list, _ := w.read(t, options("", 10, backwards, fromEnd, filtered(streamsStarting(tag+"-b"), 32, 1)))
	if diff := cmp.Diff([]string{"1", "0"}, revisions(list)); diff != "" {
		t.Errorf("backwards (-want +got):\n%s", diff)
	}
}

// A checkpoint comes after as many events as the client asked for, wanted or
// not, and never before an event that was delivered is behind it.
func TestCheckpoints(t *testing.T) {
	t.Parallel()
	w := start(t)
	tag := name("c")
	before := w.must(t, tag+"-begin", eventstore.Any, events(1)...)
	for i := range 120 {
		typ := "unwanted"
		if i%50 == 7 {
			typ = tag
		}
		w.must(t, tag, eventstore.Any, proposed(typ, ""))
	}
	subscription := w.subscribe(t, options("", 0, subscribing, fromPosition(before, before), filtered(typesStarting(tag), 10, 2)))
	subscription.want(t, "confirmation")
	var events, checkpoints int
	last := before
	for r := subscription.next(t); r.GetCaughtUp() == nil; r = subscription.next(t) {
		switch c := r.Content.(type) {
		case *streams.ReadResp_Event:
			events++
			if at := c.Event.GetCommitPosition(); at <= last {
				t.Errorf("event at %d after a checkpoint at %d", at, last)
			}
		case *streams.ReadResp_Checkpoint_:
			checkpoints++
			if c.Checkpoint.GetCommitPosition() <= last || c.Checkpoint.GetCommitPosition() != c.Checkpoint.GetPreparePosition() {
				t.Errorf("checkpoint %v after %d, want a later one, equal numbers", c.Checkpoint, last)
			}
			last = c.Checkpoint.GetCommitPosition()
		}
	}
	if events != 3 || checkpoints < 5 {
		t.Errorf("catch-up = %d events, %d checkpoints, want 3 and at least one for each 20 of 120 events", events, checkpoints)
	}
	end := w.must(t, tag+"-end", eventstore.Any, proposed("unwanted", ""))
	again := w.subscribe(t, options("", 0, subscribing, fromPosition(last, last), filtered(typesStarting(tag), 10, 2)))
	again.want(t, "confirmation")
	for {
		r := again.next(t)
		if r.GetEvent() != nil {
			t.Errorf("after the last checkpoint comes %v again", r)
		}
		if r.GetCheckpoint().GetCommitPosition() >= end || w.remote && r.GetCaughtUp() != nil {
			break
		}
	}
}

func TestLiveCheckpoints(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.embedded(t) // nobody else writes: the numbers are exact
	for _, row := range []struct {
		window   int
		interval uint32
		every    int
	}{{10, 1, 10}, {3, 2, 6}, {-1, 1, 32}, {1, 1, 1}} {
		subscription := w.subscribe(t, options("", 0, subscribing, fromEnd, filtered(typesStarting("wanted"), row.window, row.interval)))
		subscription.want(t, "confirmation", "caught up")
		positions := w.numbered(t, "s", "unwanted", 2*row.every)
		for _, want := range []uint64{positions[row.every-1], positions[2*row.every-1]} {
			got := subscription.next(t)
			for got.GetCaughtUp() != nil || got.GetCheckpoint().GetCommitPosition() < want { // if it fell behind
				got = subscription.next(t)
			}
			if c := got.GetCheckpoint(); c.GetCommitPosition() != want || c.GetPreparePosition() != want {
				t.Errorf("window %d, interval %d: checkpoint %v, want one at %d", row.window, row.interval, got, want)
			}
		}
		subscription.cancel()
	}
}

// The event at a checkpoint comes before it.
func TestCheckpointAfterItsEvent(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.embedded(t)
	w.numbered(t, "s", "unwanted", 3)
	w.numbered(t, "s", "wanted", 1)
	w.numbered(t, "s", "unwanted", 2)
	subscription := w.subscribe(t, options("", 0, subscribing, filtered(typesStarting("wanted"), 4, 1)))
	subscription.want(t, "confirmation", "3", "checkpoint", "checkpoint", "caught up")
}

// No filter, no checkpoints.
func TestNoCheckpoints(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.embedded(t)
	w.numbered(t, "s", "e", 40)
	subscription := w.subscribe(t, options("", 0, subscribing))
	subscription.want(t, "confirmation")
	for i := range 40 {
		subscription.want(t, strconv.Itoa(i))
	}
	subscription.want(t, "caught up")
}

// What the server writes about itself is not in $all.
func TestHidden(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.embedded(t)
	for i, stream := range []string{
		"a", "$epoch-information", "$persistentsubscription-$all::g-checkpoint", "$persistentsubscription-$all::g-parked",
		"$persistentsubscription-s::g-checkpoint", "$settings", "b",
	} {
		w.must(t, stream, eventstore.Any, proposed(strconv.Itoa(i), ""))
	}
	want := []string{"0", "4", "5", "6"}
	types := func(list []*streams.ReadResp) (out []string) {
		for _, r := range list {
			out = append(out, r.GetEvent().GetEvent().GetMetadata()["type"])
		}
		return out
	}
	for what, o := range map[string]*streams.ReadReq_Options{
		"all":                options("", 100),
		"as many as visible": options("", 4),
		"filtered":           options("", 100, filtered(typesMatching("."), 32, 1)),
	} {
		list, _ := w.read(t, o)
		if diff := cmp.Diff(want, types(list)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	list, _ := w.read(t, options("", 3, backwards, fromEnd))
	if diff := cmp.Diff([]string{"6", "5", "4"}, types(list)); diff != "" {
		t.Errorf("backwards (-want +got):\n%s", diff)
	}
	subscription := w.subscribe(t, options("", 0, subscribing))
	subscription.want(t, "confirmation")
	for _, typ := range want {
		if got := subscription.next(t).GetEvent().GetEvent().GetMetadata()["type"]; got != typ {
			t.Errorf("subscription: type = %s, want %s", got, typ)
		}
	}
	if list, _ := w.read(t, options("$epoch-information", 1)); describe(list[0]) != "0" {
		t.Errorf("read of the stream itself = %v, want its event", revisions(list))
	}
}
