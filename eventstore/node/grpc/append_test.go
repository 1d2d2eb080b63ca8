package grpc_test

import (
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
)

func TestAppend(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("append")
	first := w.must(t, stream, eventstore.NoStream, events(2)...)
	last := w.must(t, stream, 1, events(3)...)
	if last <= first {
		t.Errorf("positions = %d, then %d, want them to grow", first, last)
	}
	response, end := w.append(t, stream, 4, events(1)...)
	success := response.GetSuccess()
	position := success.GetPosition()
	if end.code != codes.OK || success.GetCurrentRevision() != 5 || success.GetNoStream() != nil || success.GetNoPosition() != nil {
		t.Errorf("append at 4 = %v, %v, want revision 5", response, end)
	}
	if position.GetCommitPosition() <= last || position.GetPreparePosition() != position.GetCommitPosition() {
		t.Errorf("position = %v, want equal numbers after %d", position, last)
	}
	list, _ := w.read(t, options(stream, 100))
	if diff := cmp.Diff([]string{"0", "1", "2", "3", "4", "5"}, revisions(list)); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	if got := list[5].GetEvent().GetCommitPosition(); got != position.GetCommitPosition() {
		t.Errorf("position of the last event = %d, want the append's, %d", got, position.GetCommitPosition())
	}
}

func TestAppendNothing(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("nothing")
	for _, expected := range []eventstore.Revision{eventstore.Any, eventstore.NoStream} {
		response, end := w.append(t, stream, expected)
		if s := response.GetSuccess(); end.code != codes.OK || s.GetNoStream() == nil || s.GetNoPosition() == nil {
			t.Errorf("append of nothing at %v = %v, %v, want no stream and no position", expected, response, end)
		}
	}
	if list, _ := w.read(t, options(stream, 1)); describe(list[0]) != "not found" {
		t.Errorf("read = %v, want not found", revisions(list))
	}
	w.must(t, stream, eventstore.NoStream, events(3)...)
	for _, expected := range []eventstore.Revision{eventstore.Any, 2, eventstore.StreamExists} {
		response, end := w.append(t, stream, expected)
		if s := response.GetSuccess(); end.code != codes.OK || s == nil || s.GetCurrentRevision() != 2 {
			t.Errorf("append of nothing at %v = %v, %v, want revision 2", expected, response, end)
		}
	}
	for _, expected := range []eventstore.Revision{0, 5} {
		if response, end := w.append(t, stream, expected); response.GetWrongExpectedVersion() == nil {
			t.Errorf("append of nothing at %v = %v, %v, want a wrong version", expected, response, end)
		}
	}
}

func TestAppendAtWrongRevision(t *testing.T) {
	t.Parallel()
	w := start(t)
	missing, stream := name("missing"), name("three")
	w.must(t, stream, eventstore.NoStream, events(3)...)
	type wrong = streams.AppendResp_WrongExpectedVersion
	at2 := func(x *wrong) *wrong {
		x.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: 2}
		x.CurrentRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_CurrentRevision_20_6_0{CurrentRevision_20_6_0: 2}
		return x
	}
	nowhere := func(x *wrong) *wrong {
		x.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &shared.Empty{}}
		x.CurrentRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_NoStream_20_6_0{NoStream_20_6_0: &shared.Empty{}}
		return x
	}
	number := func(n uint64) *wrong {
		return &wrong{
			ExpectedRevisionOption:        &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: n},
			ExpectedRevisionOption_20_6_0: &streams.AppendResp_WrongExpectedVersion_ExpectedRevision_20_6_0{ExpectedRevision_20_6_0: n},
		}
	}
	for _, row := range []struct {
		stream   string
		expected eventstore.Revision
		want     *wrong
	}{
		{missing, 0, nowhere(number(0))},
		{missing, math.MaxInt64, nowhere(number(math.MaxInt64))},
		{missing, eventstore.StreamExists, nowhere(&wrong{
			ExpectedRevisionOption:        &streams.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &shared.Empty{}},
			ExpectedRevisionOption_20_6_0: &streams.AppendResp_WrongExpectedVersion_StreamExists_20_6_0{StreamExists_20_6_0: &shared.Empty{}},
		})},
		{stream, eventstore.NoStream, at2(&wrong{
			ExpectedRevisionOption:        &streams.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &shared.Empty{}},
			ExpectedRevisionOption_20_6_0: &streams.AppendResp_WrongExpectedVersion_ExpectedRevision_20_6_0{ExpectedRevision_20_6_0: math.MaxUint64},
		})},
		{stream, 0, at2(number(0))},
		{stream, 1, at2(number(1))},
		{stream, 3, at2(number(3))},
	} {
		response, end := w.append(t, row.stream, row.expected, events(1)...)
		want := &streams.AppendResp{Result: &streams.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: row.want}}
		if diff := cmp.Diff(want, response, protocmp.Transform()); diff != "" || end.code != codes.OK || len(end.trailers) > 0 {
			t.Errorf("append to %s at %v ends with %v (-want +got):\n%s", row.stream, row.expected, end, diff)
		}
	}
}

// An append that expects Any is refused at most for a part of it that was there before.
func TestAppendAnyWrong(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream, e := name("any"), events(3)
	w.must(t, stream, eventstore.Any, e[0], e[1])
	response, _ := w.append(t, stream, eventstore.Any, e[1], e[2])
	wrong := response.GetWrongExpectedVersion()
	if wrong.GetExpectedAny() == nil || wrong.GetAny_20_6_0() == nil || wrong.GetCurrentRevision() != 1 {
		t.Errorf("append of old and new events = %v, want a wrong version: any, 1", response)
	}
}

func TestAppendKeepsWhatItWasGiven(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("kept")
	for _, row := range []struct {
		name, typ, content, data, meta string
		extra                          map[string]string
		want                           string // content type
	}{
		{name: "json", typ: "a", content: "application/json", data: `{"a":1}`, meta: `{"m":1}`, want: "application/json"},
		{name: "no json at all", typ: "b", content: "application/json", data: "\x00\xff", want: "application/json"},
		{name: "octets", typ: "c", content: "application/octet-stream", data: "\x00\xff", meta: "\x01", want: "application/octet-stream"},
		{name: "other", typ: "d", content: "text/plain", data: "d", want: "application/octet-stream"},
		{name: "json with more", typ: "e", content: "application/json; charset=utf-8", data: "{}", want: "application/octet-stream"},
		{name: "no content type but a key", typ: "f", content: "", data: "", want: "application/octet-stream"},
		{name: "other keys", typ: "ü", content: "application/json", extra: map[string]string{"x": "y", "created": "7"}, want: "application/json"},
	} {
		id := newID()
		m := map[string]string{"type": row.typ, "content-type": row.content}
		maps.Copy(m, row.extra)
		before := w.must(t, stream, eventstore.Any, &streams.AppendReq_ProposedMessage{
			Id: wireID(id), Metadata: m, Data: []byte(row.data), CustomMetadata: []byte(row.meta),
		})
		list, end := w.read(t, options(stream, 1, backwards, fromEnd))
		if len(list) != 1 {
			t.Fatalf("%s: read = %v, %v, want one event", row.name, list, end)
		}
		got := list[0].GetEvent()
		if got.GetCommitPosition() != before || got.GetNoPosition() != nil {
			t.Errorf("%s: position = %v, want %d", row.name, got.GetPosition(), before)
		}
		event := got.GetEvent()
		created := event.GetMetadata()["created"]
		delete(event.GetMetadata(), "created")
		want := &streams.ReadResp_ReadEvent_RecordedEvent{
			Id: wireID(id), StreamIdentifier: wireName(stream), StreamRevision: event.GetStreamRevision(),
			PreparePosition: before, CommitPosition: before,
			Metadata: map[string]string{"type": row.typ, "content-type": row.want},
			Data:     []byte(row.data), CustomMetadata: []byte(row.meta),
		}
		if diff := cmp.Diff(want, event, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
		if strings.Trim(created, "0123456789") != "" || len(created) != 17 { // hundreds of nanoseconds, in this and the next century
			t.Errorf("%s: created = %q, want ticks since 1970", row.name, created)
		}
	}
}

func TestAppendIDsAsText(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream, id := name("text"), "01234567-89AB-cdef-0123-456789abcdef"
	e := proposed("t", "")
	e.Id = &shared.UUID{Value: &shared.UUID_String_{String_: id}}
	w.must(t, stream, eventstore.NoStream, e)
	list, _ := w.read(t, options(stream, 1, asText))
	if got := list[0].GetEvent().GetEvent().GetId().GetString_(); got != strings.ToLower(id) {
		t.Errorf("ID as text = %q, want %q", got, strings.ToLower(id))
	}
	list, _ = w.read(t, options(stream, 1))
	got := list[0].GetEvent().GetEvent().GetId().GetStructured()
	if got.GetMostSignificantBits() != 0x0123456789abcdef || got.GetLeastSignificantBits() != 0x0123456789abcdef {
		t.Errorf("ID = %v, want its halves, big endian", got)
	}
}

func asText(o *streams.ReadReq_Options) {
	o.UuidOption.Content = &streams.ReadReq_Options_UUIDOption_String_{String_: &shared.Empty{}}
}

func TestAppendMalformed(t *testing.T) {
	t.Parallel()
	w := start(t)
	o := func(change func(*streams.AppendReq_Options)) *streams.AppendReq {
		x := appendOptions(name("bad"), eventstore.Any)
		if change != nil {
			change(x)
		}
		return &streams.AppendReq{Content: &streams.AppendReq_Options_{Options: x}}
	}
	e := func(change func(*streams.AppendReq_ProposedMessage)) *streams.AppendReq {
		x := proposed("bad", "")
		if change != nil {
			change(x)
		}
		return &streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: x}}
	}
	missing := map[string]string{
		"exception":                    "missing-required-metadata-property",
		"required-metadata-properties": "type,content-type",
	}
	type list = []*streams.AppendReq
	for _, row := range []struct {
		name     string
		messages list
		code     codes.Code
		trailers map[string]string
	}{
		{"no message", nil, codes.Unknown, nil},
		{"empty message", list{{}}, codes.Unknown, nil},
		{"no options", list{e(nil)}, codes.Unknown, nil},
		{"options twice", list{o(nil), o(nil)}, codes.Unknown, nil},
		{"empty event message", list{o(nil), {}}, codes.Unknown, nil},
		{"empty stream", list{o(func(x *streams.AppendReq_Options) { x.StreamIdentifier = wireName("") }), e(nil)}, codes.Unknown, nil},
		{"stream $$", list{o(func(x *streams.AppendReq_Options) { x.StreamIdentifier = wireName("$$") }), e(nil)}, codes.Unknown, nil},
		{"no expected revision", list{o(func(x *streams.AppendReq_Options) { x.ExpectedStreamRevision = nil }), e(nil)}, codes.Unknown, nil},
		{"revision 2^63", list{o(func(x *streams.AppendReq_Options) {
			x.ExpectedStreamRevision = &streams.AppendReq_Options_Revision{Revision: 1 << 63}
		}), e(nil)}, codes.Unknown, nil},
		{"no ID", list{o(nil), e(func(x *streams.AppendReq_ProposedMessage) { x.Id = nil })}, codes.Unknown, nil},
		{"zero ID", list{o(nil), e(func(x *streams.AppendReq_ProposedMessage) { x.Id = wireID(eventstore.ID{}) })}, codes.Unknown, nil},
		{"ID that is none", list{o(nil), e(func(x *streams.AppendReq_ProposedMessage) {
			x.Id = &shared.UUID{Value: &shared.UUID_String_{String_: "x"}}
		})}, codes.Unknown, nil},
		{"empty type", list{o(nil), e(func(x *streams.AppendReq_ProposedMessage) { x.Metadata["type"] = "" })}, codes.Unknown, nil},
		{"no type", list{o(nil), e(func(x *streams.AppendReq_ProposedMessage) { delete(x.Metadata, "type") })}, codes.InvalidArgument, missing},
		{"no content type", list{o(nil), e(func(x *streams.AppendReq_ProposedMessage) { delete(x.Metadata, "content-type") })}, codes.InvalidArgument, missing},
		{"no metadata", list{o(nil), e(func(x *streams.AppendReq_ProposedMessage) { x.Metadata = nil })}, codes.InvalidArgument, missing},
	} {
		if _, end := w.sendAppend(t, row.messages...); end.code != row.code || !cmp.Equal(end.trailers, row.trailers, orEmpty) {
			t.Errorf("%s: append ends with %+v, want %v %v", row.name, end, row.code, row.trailers)
		}
	}
	w.embedded(t)
	bad := appendOptions("", eventstore.Any)
	bad.StreamIdentifier.StreamName = []byte("bad-\xff")
	if _, end := w.sendAppend(t, &streams.AppendReq{Content: &streams.AppendReq_Options_{Options: bad}}, e(nil)); end.code != codes.InvalidArgument {
		t.Errorf("append to a name that is not UTF-8 ends with %+v, want InvalidArgument", end)
	}
}

var orEmpty = cmp.Transformer("orEmpty", func(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
})

// Revision 2^64-1 is what clients of 20.6 send for no stream.
func TestAppendLargestRevision(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("largest")
	o := appendOptions(stream, 0)
	o.ExpectedStreamRevision = &streams.AppendReq_Options_Revision{Revision: math.MaxUint64}
	message := &streams.AppendReq{Content: &streams.AppendReq_Options_{Options: o}}
	e := &streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: proposed("e", "")}}
	if response, end := w.sendAppend(t, message, e); response.GetSuccess() == nil {
		t.Errorf("append at 2^64-1 = %v, %v, want success", response, end)
	}
	e = &streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: proposed("e", "")}}
	if response, _ := w.sendAppend(t, message, e); response.GetWrongExpectedVersion().GetExpectedNoStream() == nil {
		t.Errorf("second append at 2^64-1 = %v, want a wrong version: no stream", response)
	}
}

func TestAppendAtomic(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("atomic")
	list := events(10)
	list[9].Metadata["type"] = ""
	if _, end := w.append(t, stream, eventstore.Any, list...); end.code != codes.Unknown {
		t.Errorf("append with a bad last event ends with %+v, want Unknown", end)
	}
	if got, _ := w.read(t, options(stream, 100)); describe(got[0]) != "not found" {
		t.Errorf("read = %v, want not found", revisions(got))
	}
}
