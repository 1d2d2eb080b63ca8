package grpc_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
)

func (w *world) remove(tb testing.TB, stream string, expected eventstore.Revision) (uint64, outcome) {
	tb.Helper()
	o := &streams.DeleteReq_Options{StreamIdentifier: wireName(stream)}
	switch expected {
	case eventstore.Any:
		o.ExpectedStreamRevision = &streams.DeleteReq_Options_Any{Any: &shared.Empty{}}
	case eventstore.NoStream:
		o.ExpectedStreamRevision = &streams.DeleteReq_Options_NoStream{NoStream: &shared.Empty{}}
	case eventstore.StreamExists:
		o.ExpectedStreamRevision = &streams.DeleteReq_Options_StreamExists{StreamExists: &shared.Empty{}}
	default:
		o.ExpectedStreamRevision = &streams.DeleteReq_Options_Revision{Revision: uint64(expected)}
	}
	var trailer metadata.MD
	response, err := w.streams.Delete(within(tb), &streams.DeleteReq{Options: o}, rpc.Trailer(&trailer))
	if p := response.GetPosition(); p.GetCommitPosition() != p.GetPreparePosition() {
		tb.Errorf("delete of %s: position = %v, want equal numbers", stream, p)
	}
	return response.GetPosition().GetCommitPosition(), ended(err, trailer)
}

func (w *world) end(tb testing.TB, stream string, expected eventstore.Revision) (uint64, outcome) {
	tb.Helper()
	o := &streams.TombstoneReq_Options{StreamIdentifier: wireName(stream)}
	switch expected {
	case eventstore.Any:
		o.ExpectedStreamRevision = &streams.TombstoneReq_Options_Any{Any: &shared.Empty{}}
	case eventstore.NoStream:
		o.ExpectedStreamRevision = &streams.TombstoneReq_Options_NoStream{NoStream: &shared.Empty{}}
	case eventstore.StreamExists:
		o.ExpectedStreamRevision = &streams.TombstoneReq_Options_StreamExists{StreamExists: &shared.Empty{}}
	default:
		o.ExpectedStreamRevision = &streams.TombstoneReq_Options_Revision{Revision: uint64(expected)}
	}
	var trailer metadata.MD
	response, err := w.streams.Tombstone(within(tb), &streams.TombstoneReq{Options: o}, rpc.Trailer(&trailer))
	return response.GetPosition().GetCommitPosition(), ended(err, trailer)
}

func wrongVersion(stream, expected, actual string) outcome {
	return outcome{code: codes.FailedPrecondition, trailers: map[string]string{
		"exception": "wrong-expected-version", "stream-name": stream, "expected-version": expected, "actual-version": actual,
	}}
}

func deleted(stream string) outcome {
	return outcome{code: codes.FailedPrecondition, trailers: map[string]string{"exception": "stream-deleted", "stream-name": stream}}
}

// same compares but for the text, which is not part of the protocol.
func (o outcome) same(want outcome) bool {
	return o.code == want.code && cmp.Equal(o.trailers, want.trailers, orEmpty)
}

func TestDeleteAndTombstoneRevisions(t *testing.T) {
	t.Parallel()
	w := start(t)
	for name2, act := range map[string]func(testing.TB, string, eventstore.Revision) (uint64, outcome){"delete": w.remove, "tombstone": w.end} {
		three, missing := name("three"), name("missing")
		w.must(t, three, eventstore.NoStream, events(3)...)
		for _, row := range []struct {
			stream   string
			expected eventstore.Revision
			want     outcome
		}{
			{three, eventstore.NoStream, wrongVersion(three, "-1", "2")},
			{three, 1, wrongVersion(three, "1", "2")},
			{three, 3, wrongVersion(three, "3", "2")},
			{missing, 0, wrongVersion(missing, "0", "-1")},
			{missing, eventstore.StreamExists, wrongVersion(missing, "-4", "-1")},
			{three, 2, outcome{}},
		} {
			p, end := act(t, row.stream, row.expected)
			if !end.same(row.want) || (end.code == codes.OK) != (p > 0) {
				t.Errorf("%s of %s at %v = %d, %+v, want %+v", name2, row.stream, row.expected, p, end, row.want)
			}
		}
	}
	missing := name("missing")
	if _, end := w.remove(t, missing, eventstore.Any); !end.same(wrongVersion(missing, "-2", "-1")) {
		t.Errorf("delete of a missing stream ends with %+v, want wrong-expected-version", end)
	}
}

func TestDeleteMalformed(t *testing.T) {
	t.Parallel()
	w := start(t)
	for name2, r := range map[string]*streams.DeleteReq{
		"nothing":           {},
		"no expected":       {Options: &streams.DeleteReq_Options{StreamIdentifier: wireName("s")}},
		"no stream":         {Options: &streams.DeleteReq_Options{ExpectedStreamRevision: &streams.DeleteReq_Options_Any{Any: &shared.Empty{}}}},
		"empty stream":      {Options: &streams.DeleteReq_Options{StreamIdentifier: wireName(""), ExpectedStreamRevision: &streams.DeleteReq_Options_Any{Any: &shared.Empty{}}}},
		"impossible number": {Options: &streams.DeleteReq_Options{StreamIdentifier: wireName("s"), ExpectedStreamRevision: &streams.DeleteReq_Options_Revision{Revision: 1 << 63}}},
	} {
		_, err := w.streams.Delete(within(t), r)
		if end := ended(err, nil); end.code != codes.Unknown && end.code != codes.InvalidArgument {
			t.Errorf("%s: delete ends with %+v, want Unknown or InvalidArgument", name2, end)
		}
	}
}

func TestSoftDelete(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("soft")
	w.must(t, stream, eventstore.NoStream, events(3)...)
	w.must(t, "$$"+stream, eventstore.Any, jsonEvent("$metadata", `{"$maxCount":7,"custom":"x"}`))
	position, end := w.remove(t, stream, 2)
	if end.code != codes.OK || position == 0 {
		t.Fatalf("delete = %d, %+v, want a position", position, end)
	}
	list, _ := w.read(t, options(stream, 10))
	if diff := cmp.Diff([]string{"not found"}, revisions(list)); diff != "" {
		t.Errorf("read of the deleted stream (-want +got):\n%s", diff)
	}
	list, _ = w.read(t, options(stream, 10, backwards, fromEnd))
	if diff := cmp.Diff([]string{"not found"}, revisions(list)); diff != "" {
		t.Errorf("read backwards (-want +got):\n%s", diff)
	}
	list, _ = w.read(t, options("$$"+stream, 10))
	if len(list) != 1 || string(list[0].GetEvent().GetEvent().GetData()) != `{"$tb":9223372036854775807}` {
		t.Fatalf("metadata = %v, want {\"$tb\":9223372036854775807} and nothing else", list)
	}
	if e := list[0].GetEvent(); e.GetCommitPosition() != position || e.GetEvent().GetMetadata()["type"] != "$metadata" ||
		e.GetEvent().GetMetadata()["content-type"] != "application/json" {
		t.Errorf("metadata event = %v, want $metadata, JSON, at %d", e, position)
	}
	if _, end := w.append(t, stream, eventstore.StreamExists, events(1)...); !end.same(deleted(stream)) {
		t.Errorf("append where the stream must exist ends with %+v, want stream-deleted", end)
	}
	if response, end := w.append(t, stream, 1, events(1)...); response.GetWrongExpectedVersion() == nil {
		t.Errorf("append at an older revision = %v, %+v, want a wrong version", response, end)
	}
	if _, end := w.remove(t, stream, eventstore.StreamExists); !end.same(deleted(stream)) {
		t.Errorf("delete where the stream must exist ends with %+v, want stream-deleted", end)
	}
	if again, end := w.remove(t, stream, eventstore.Any); end.code != codes.OK || again <= position {
		t.Errorf("delete again = %d, %+v, want another position", again, end)
	}
}

// After a soft delete a stream goes on where it was, and says so in its metadata.
func TestAppendAfterSoftDelete(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, row := range []struct {
		name     string
		expected eventstore.Revision
	}{{"any", eventstore.Any}, {"no stream", eventstore.NoStream}, {"last revision", 2}} {
		stream := name("revived")
		w.must(t, stream, eventstore.NoStream, events(3)...)
		w.remove(t, stream, eventstore.Any)
		response, end := w.append(t, stream, row.expected, events(2)...)
		if got := response.GetSuccess(); got == nil || got.GetCurrentRevision() != 4 {
			t.Errorf("%s: append = %v, %+v, want revision 4", row.name, response, end)
			continue
		}
		for read, o := range map[string]*streams.ReadReq_Options{
			"start": options(stream, 10), "old revision": options(stream, 10, fromRevision(1)),
		} {
			if list, _ := w.read(t, o); !cmp.Equal(revisions(list), []string{"3", "4"}) {
				t.Errorf("%s: read from %s = %v, want 3, 4", row.name, read, revisions(list))
			}
		}
		if list, _ := w.read(t, options(stream, 10, backwards, fromEnd)); !cmp.Equal(revisions(list), []string{"4", "3"}) {
			t.Errorf("%s: read backwards = %v, want 4, 3", row.name, revisions(list))
		}
		if list, _ := w.read(t, options("$$"+stream, 1)); string(list[0].GetEvent().GetEvent().GetData()) != `{"$tb":3}` {
			t.Errorf("%s: metadata = %s, want {\"$tb\":3}", row.name, list[0].GetEvent().GetEvent().GetData())
		}
		if list, _ := w.read(t, options(stream, 10, backwards, func(o *streams.ReadReq_Options) {})); len(list) != 0 {
			t.Errorf("%s: read backwards from the start = %v, want nothing", row.name, revisions(list))
		}
	}
}

func TestMetadataAfterSoftDelete(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("emptied")
	w.must(t, stream, eventstore.NoStream, events(3)...)
	w.remove(t, stream, eventstore.Any)
	w.must(t, "$$"+stream, eventstore.Any, jsonEvent("$metadata", `{"custom":"kept"}`))
	if list, end := w.read(t, options(stream, 10)); len(list) != 0 || end.code != codes.OK {
		t.Errorf("read = %v, %+v, want nothing: the stream is there and empty", revisions(list), end)
	}
	list, _ := w.read(t, options("$$"+stream, 1))
	if got := string(list[0].GetEvent().GetEvent().GetData()); got != `{"$tb":3,"custom":"kept"}` && got != `{"custom":"kept","$tb":3}` {
		t.Errorf("metadata = %s, want it with $tb 3", got)
	}
}

func TestTombstone(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("hard")
	e := events(3)
	w.must(t, stream, eventstore.NoStream, e...)
	sub := w.subscribe(t, options(stream, 0, subscribing, fromEnd))
	sub.want(t, "confirmation", "caught up")
	position, end := w.end(t, stream, 2)
	if end.code != codes.OK || position == 0 {
		t.Fatalf("tombstone = %d, %+v, want a position", position, end)
	}
	r := sub.next(t)
	if got := r.GetEvent().GetEvent(); got.GetMetadata()["type"] != "$streamDeleted" || got.GetStreamRevision() != math.MaxInt64 || got.GetCommitPosition() != position {
		t.Errorf("a live subscription gets %v, want $streamDeleted, revision 2^63-1, at %d", r, position)
	}
	if end := sub.end(t); !end.same(deleted(stream)) {
		t.Errorf("a live subscription ends with %+v, want stream-deleted", end)
	}
	for what, end := range map[string]outcome{
		"read":            second(w.read(t, options(stream, 1))),
		"read backwards":  second(w.read(t, options(stream, 1, backwards, fromEnd))),
		"append":          second(w.append(t, stream, eventstore.Any, events(1)...)),
		"append exact":    second(w.append(t, stream, 2, events(1)...)),
		"append again":    second(w.append(t, stream, eventstore.NoStream, e...)),
		"append nothing":  second(w.append(t, stream, eventstore.Any)),
		"append existing": second(w.append(t, stream, eventstore.StreamExists, events(1)...)),
		"delete":          second(w.remove(t, stream, eventstore.Any)),
		"tombstone":       second(w.end(t, stream, eventstore.Any)),
		"subscribe":       w.subscribe(t, options(stream, 0, subscribing)).end(t),
	} {
		if !end.same(deleted(stream)) {
			t.Errorf("%s ends with %+v, want stream-deleted", what, end)
		}
	}
	if end := second(w.read(t, options("$$"+stream, 1))); !end.same(deleted("$$" + stream)) {
		t.Errorf("read of the metadata ends with %+v, want stream-deleted", end)
	}
	if end := second(w.append(t, "$$"+stream, eventstore.Any, jsonEvent("$metadata", "{}"))); !end.same(deleted("$$" + stream)) {
		t.Errorf("append of metadata ends with %+v, want stream-deleted", end)
	}
	list, _ := w.read(t, options("", 1, fromPosition(position, position)))
	if got := list[0].GetEvent().GetEvent(); got.GetMetadata()["type"] != "$streamDeleted" || string(got.GetStreamIdentifier().GetStreamName()) != stream {
		t.Errorf("$all at %d = %v, want the tombstone", position, list)
	}
}

// What a soft delete hides stays in $all.
func TestDeleteLeavesAll(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("left")
	first := w.must(t, stream, eventstore.NoStream, events(1)...)
	w.remove(t, stream, eventstore.Any)
	if list, _ := w.read(t, options("", 1, fromPosition(first, first))); len(list) != 1 || string(list[0].GetEvent().GetEvent().GetStreamIdentifier().GetStreamName()) != stream {
		t.Errorf("$all at %d = %v, want the deleted stream's event", first, list)
	}
}

func second[T any](_ T, end outcome) outcome { return end }

func jsonEvent(typ, data string) *streams.AppendReq_ProposedMessage {
	e := proposed(typ, data)
	e.CustomMetadata = nil
	return e
}
