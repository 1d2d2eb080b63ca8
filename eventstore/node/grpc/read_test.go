package grpc_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
)

func TestReadStream(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream, short, missing := name("read"), name("short"), name("missing")
	w.must(t, stream, eventstore.NoStream, events(10)...)
	w.must(t, "$$"+stream, eventstore.Any, jsonEvent("$metadata", `{"$tb":4}`)) // 4 to 9 are left
	w.must(t, short, eventstore.NoStream, events(3)...)
	for _, row := range []struct {
		name    string
		options *streams.ReadReq_Options
		want    []string
	}{
		{"all", options(short, 100), []string{"0", "1", "2"}},
		{"some", options(short, 2), []string{"0", "1"}},
		{"largest count", options(short, math.MaxUint64), []string{"0", "1", "2"}},
		{"from, inclusive", options(short, 100, fromRevision(1)), []string{"1", "2"}},
		{"from the last", options(short, 100, fromRevision(2)), []string{"2"}},
		{"from after the last", options(short, 100, fromRevision(3)), []string{}},
		{"from far after the last", options(short, 100, fromRevision(math.MaxInt64)), []string{}},
		{"below the window", options(stream, 3), []string{"4", "5", "6"}},
		{"from below the window", options(stream, 2, fromRevision(1)), []string{"4", "5"}},
		{"backwards from the end", options(short, 100, backwards, fromEnd), []string{"2", "1", "0"}},
		{"backwards, some", options(short, 2, backwards, fromEnd), []string{"2", "1"}},
		{"backwards, inclusive", options(short, 100, backwards, fromRevision(1)), []string{"1", "0"}},
		{"backwards from after the last", options(short, 2, backwards, fromRevision(77)), []string{"2", "1"}},
		{"backwards from the start", options(short, 100, backwards), []string{"0"}},
		{"backwards from the start, hidden", options(stream, 100, backwards), []string{}},
		{"backwards to the window", options(stream, 100, backwards, fromRevision(5)), []string{"5", "4"}},
		{"missing", options(missing, 1), []string{"not found"}},
		{"missing backwards", options(missing, 1, backwards, fromEnd), []string{"not found"}},
		{"missing, from a revision", options(missing, 1, fromRevision(5)), []string{"not found"}},
		{"metadata only", options("$$"+short, 1), []string{"not found"}},

		{"compatible", options(short, 2, compatible(1)), []string{"0", "1", "last 2"}},
		{"compatible, backwards", options(short, 1, compatible(1), backwards, fromEnd), []string{"2", "last 2"}},
		{"compatible, after the last", options(short, 100, compatible(1), fromRevision(5)), []string{"first 0", "last 2"}},
		{"compatible, after the last, hidden ones", options(stream, 100, compatible(1), fromRevision(50)), []string{"first 4", "last 9"}},
		{"compatible, missing", options(missing, 100, compatible(1)), []string{"not found"}},
	} {
		list, end := w.read(t, row.options)
		if diff := cmp.Diff(row.want, revisions(list)); diff != "" || end.code != codes.OK || len(end.trailers) > 0 {
			if w.remote && row.name == "compatible, after the last" {
				continue // its first position depends on what was read
			}
			t.Errorf("%s: read ends with %+v (-want +got):\n%s", row.name, end, diff)
		}
	}
	list, _ := w.read(t, options(missing, 1))
	if got := list[0].GetStreamNotFound().GetStreamIdentifier().GetStreamName(); string(got) != missing {
		t.Errorf("not found: stream = %q, want %q", got, missing)
	}
}

// Metadata hides what is too old or too much; the stream is there all the same.
func TestReadHiddenByMetadata(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, row := range []struct {
		metadata string
		want     []string
	}{
		{`{"$maxCount":2}`, []string{"3", "4"}},
		{`{"$maxCount":0}`, []string{"0", "1", "2", "3", "4"}},
		{`{"$tb":3}`, []string{"3", "4"}},
		{`{"$tb":1,"$maxCount":2}`, []string{"3", "4"}},
		{`{"$tb":4,"$maxCount":2}`, []string{"4"}},
		{`{"$tb":5}`, []string{}},
		{`{"$maxAge":3600}`, []string{"0", "1", "2", "3", "4"}},
		{`{"$maxCount":`, []string{"0", "1", "2", "3", "4"}},
	} {
		stream := name("hidden")
		w.must(t, stream, eventstore.NoStream, events(5)...)
		w.must(t, "$$"+stream, eventstore.Any, jsonEvent("$metadata", row.metadata))
		list, end := w.read(t, options(stream, 100))
		if diff := cmp.Diff(row.want, revisions(list)); diff != "" || end.code != codes.OK {
			t.Errorf("%s: read ends with %+v (-want +got):\n%s", row.metadata, end, diff)
		}
		list, _ = w.read(t, options("$$"+stream, 100))
		if len(list) != 1 || string(list[0].GetEvent().GetEvent().GetData()) != row.metadata {
			t.Errorf("%s: metadata = %v, want the bytes that were written", row.metadata, list)
		}
	}
	stream := name("old")
	w.must(t, stream, eventstore.NoStream, events(2)...)
	w.must(t, "$$"+stream, eventstore.Any, jsonEvent("$metadata", `{"$maxAge":1}`))
	for limit := time.Now().Add(10 * time.Second); ; {
		list, end := w.read(t, options(stream, 10))
		if len(list) == 0 && end.code == codes.OK {
			break
		}
		if time.Now().After(limit) || describe(list[0]) == "not found" {
			t.Fatalf("read of expired events = %v, want nothing, and not not found", revisions(list))
		}
	}
}

// Of a metadata stream only the newest event is to be seen.
func TestReadMetadataStream(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("meta")
	for i := range 3 {
		w.must(t, "$$"+stream, eventstore.Any, jsonEvent("$metadata", fmt.Sprintf(`{"n":%d}`, i)))
	}
	for what, o := range map[string]*streams.ReadReq_Options{
		"forwards": options("$$"+stream, 1), "backwards": options("$$"+stream, 10, backwards, fromEnd),
	} {
		if list, _ := w.read(t, o); !cmp.Equal(revisions(list), []string{"2"}) {
			t.Errorf("%s: metadata = %v, want 2", what, revisions(list))
		}
	}
	if response, _ := w.append(t, stream, eventstore.StreamExists, events(1)...); response.GetSuccess().GetCurrentRevision() != 0 || response.GetSuccess() == nil {
		t.Errorf("append where the stream must exist and has only metadata = %v, want success", response)
	}
}

func TestReadAll(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("all")
	p := w.numbered(t, stream, "e", 4)
	at := func(i int) func(*streams.ReadReq_Options) { return fromPosition(p[i], p[i]) }
	mine := func(list []*streams.ReadResp) (out []*streams.ReadResp) {
		for _, r := range list {
			if string(r.GetEvent().GetEvent().GetStreamIdentifier().GetStreamName()) == stream {
				out = append(out, r)
			}
		}
		return out
	}
	for _, row := range []struct {
		name    string
		options *streams.ReadReq_Options
		want    []string
	}{
		{"forwards from the start", options("", 1e6), []string{"0", "1", "2", "3"}},
		{"forwards, inclusive", options("", 1e6, at(1)), []string{"1", "2", "3"}},
		{"forwards, one", options("", 1, at(1)), []string{"1"}},
		{"forwards from the end", options("", 1e6, fromEnd), []string{}},
		{"forwards from the end, as a number", options("", 1e6, fromPosition(math.MaxUint64, math.MaxUint64)), []string{}},
		{"forwards from zero", options("", 1e6, fromPosition(0, 0)), []string{"0", "1", "2", "3"}},
		{"backwards, exclusive", options("", 1e6, backwards, at(2)), []string{"1", "0"}},
		{"backwards from the end", options("", 1e6, backwards, fromEnd), []string{"3", "2", "1", "0"}},
		{"backwards from the end, as a number", options("", 1e6, backwards, fromPosition(math.MaxUint64, math.MaxUint64)), []string{"3", "2", "1", "0"}},
		{"backwards from the start", options("", 1e6, backwards), []string{}},
		{"compatible", options("", 1, at(1), compatible(1)), []string{"1"}},
	} {
		list, end := w.read(t, row.options)
		got := mine(list)
		if diff := cmp.Diff(row.want, revisions(got)); diff != "" || end.code != codes.OK {
			t.Errorf("%s: read ends with %+v (-want +got):\n%s", row.name, end, diff)
		}
		for _, r := range got {
			want := p[r.GetEvent().GetEvent().GetStreamRevision()]
			if r.GetEvent().GetCommitPosition() != want || r.GetEvent().GetEvent().GetPreparePosition() != want {
				t.Errorf("%s: event %s is at %d, want %d", row.name, describe(r), r.GetEvent().GetCommitPosition(), want)
			}
		}
	}
}

func TestReadAllOfNothing(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.embedded(t)
	for what, o := range map[string]*streams.ReadReq_Options{
		"forwards": options("", 10), "backwards": options("", 10, backwards, fromEnd),
	} {
		if list, end := w.read(t, o); len(list) != 0 || end.code != codes.OK {
			t.Errorf("%s: read of an empty $all = %v, %+v, want nothing", what, list, end)
		}
	}
	w.subscribe(t, options("", 0, subscribing)).want(t, "confirmation", "caught up")
	w.subscribe(t, options("", 0, subscribing, filtered(streamsStarting("a"), 32, 1))).want(t, "confirmation", "caught up")
}

// Nothing is at position 0: it means the start.
func TestPositionsBeginAfterZero(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.embedded(t)
	if p := w.must(t, "s", eventstore.NoStream, events(1)...); p == 0 {
		t.Error("the first event is at 0, want after it")
	}
}

func TestReadMalformed(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("s")
	at := w.must(t, stream, eventstore.NoStream, events(1)...)
	w.must(t, stream, 0, events(1)...)
	type o = streams.ReadReq_Options
	for _, row := range []struct {
		name    string
		options *o
		code    codes.Code
	}{
		{"no options", nil, codes.Unknown},
		{"count of 0", options(stream, 0), codes.Unknown},
		{"$all, count of 0", options("", 0), codes.Unknown},
		{"forwards from the end", options(stream, 1, fromEnd), codes.Unknown},
		{"no boundary", options("", 1, fromPosition(at+1, at+1)), codes.Unknown},
		{"no boundary, backwards", options("", 1, backwards, fromPosition(at+1, at+1)), codes.Unknown},
		{"commit before prepare", options("", 1, fromPosition(at, at+1)), codes.Unknown},
		{"no UUID option", options(stream, 1, func(o *o) { o.UuidOption = nil }), codes.InvalidArgument},
		{"no filter option", options(stream, 1, func(o *o) { o.FilterOption = nil }), codes.InvalidArgument},
		{"no stream option", options(stream, 1, func(o *o) { o.StreamOption = nil }), codes.InvalidArgument},
		{"no count option", options(stream, 1, func(o *o) { o.CountOption = nil }), codes.InvalidArgument},
		{"filtered stream", options(stream, 1, filtered(streamsStarting("s"), 32, 1)), codes.InvalidArgument},
	} {
		if list, end := w.read(t, row.options); end.code != row.code || len(end.trailers) > 0 || len(list) > 0 {
			t.Errorf("%s: read = %v, %+v, want %v without trailers", row.name, list, end, row.code)
		}
	}
	w.embedded(t)
	for _, row := range []struct {
		name    string
		options *o
		code    codes.Code
	}{
		{"unknown direction", options(stream, 1, func(o *o) { o.ReadDirection = 7 }), codes.InvalidArgument},
		{"empty stream", options("x", 1, func(o *o) { o.GetStream().StreamIdentifier = &shared.StreamIdentifier{} }), codes.Unknown},
		{"no stream", options("x", 1, func(o *o) { o.GetStream().StreamIdentifier = nil }), codes.InvalidArgument},
		{"look-ahead", options("", 1, filtered(streamsMatching("(?=a)"), 32, 1)), codes.InvalidArgument},
		{"back-reference", options("", 1, filtered(typesMatching(`(a)\1`), 32, 1)), codes.InvalidArgument},
		{"class subtraction", options("", 1, filtered(typesMatching(`[a-z-[m]]`), 32, 1)), codes.InvalidArgument},
	} {
		if _, end := w.read(t, row.options); end.code != row.code {
			t.Errorf("%s: read ends with %+v, want %v", row.name, end, row.code)
		}
	}
}
