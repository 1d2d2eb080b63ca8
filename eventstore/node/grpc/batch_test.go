package grpc_test

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	nodegrpc "konto/eventstore/node/grpc"
	limits "konto/eventstore/node/proto"
)

type (
	batchReq  = streams.BatchAppendReq
	batchResp = streams.BatchAppendResp
	batchOpts = streams.BatchAppendReq_Options
)

func batchOptions(stream string, expected eventstore.Revision) *batchOpts {
	o := &batchOpts{StreamIdentifier: wireName(stream)}
	switch expected {
	case eventstore.Any:
		o.ExpectedStreamPosition = &streams.BatchAppendReq_Options_Any{Any: &emptypb.Empty{}}
	case eventstore.NoStream:
		o.ExpectedStreamPosition = &streams.BatchAppendReq_Options_NoStream{NoStream: &emptypb.Empty{}}
	case eventstore.StreamExists:
		o.ExpectedStreamPosition = &streams.BatchAppendReq_Options_StreamExists{StreamExists: &emptypb.Empty{}}
	default:
		o.ExpectedStreamPosition = &streams.BatchAppendReq_Options_StreamPosition{StreamPosition: uint64(expected)}
	}
	return o
}

func batchOf(o *batchOpts, list ...*streams.AppendReq_ProposedMessage) *batchReq {
	r := &batchReq{CorrelationId: wireID(newID()), Options: o, IsFinal: true}
	for _, e := range list {
		r.ProposedMessages = append(r.ProposedMessages, &streams.BatchAppendReq_ProposedMessage{
			Id: e.Id, Metadata: e.Metadata, CustomMetadata: e.CustomMetadata, Data: e.Data,
		})
	}
	return r
}

// batches sends requests in one call and returns as many answers, by correlation.
func (w *world) batches(tb testing.TB, answers int, requests ...*batchReq) map[string]*batchResp {
	tb.Helper()
	call, err := w.streams.BatchAppend(within(tb))
	if err != nil {
		tb.Fatal(err)
	}
	go func() {
		for _, r := range requests {
			if call.Send(r) != nil {
				break // Recv says why
			}
		}
		_ = call.CloseSend() // the same
	}()
	got := map[string]*batchResp{}
	for {
		r, err := call.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			tb.Fatalf("batches end with %v", err)
		}
		key := r.GetCorrelationId().String()
		if got[key] != nil {
			tb.Errorf("correlation %s is answered twice", key)
		}
		got[key] = r
	}
	if len(got) != answers {
		tb.Fatalf("%d answers, want %d", len(got), answers)
	}
	return got
}

func (w *world) batch(tb testing.TB, r *batchReq) *batchResp {
	tb.Helper()
	return w.batches(tb, 1, r)[r.GetCorrelationId().String()]
}

func TestBatchAppend(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream := name("batch")
	r := batchOf(batchOptions(stream, eventstore.NoStream), events(3)...)
	got := w.batch(t, r)
	p := got.GetSuccess().GetPosition()
	want := &batchResp{
		CorrelationId: r.CorrelationId, StreamIdentifier: wireName(stream),
		Result: &streams.BatchAppendResp_Success_{Success: &streams.BatchAppendResp_Success{
			CurrentRevisionOption: &streams.BatchAppendResp_Success_CurrentRevision{CurrentRevision: 2},
			PositionOption:        &streams.BatchAppendResp_Success_Position{Position: p},
		}},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" || p.GetCommitPosition() == 0 || p.GetCommitPosition() != p.GetPreparePosition() {
		t.Errorf("batch at %v (-want +got):\n%s", p, diff)
	}
	got = w.batch(t, batchOf(batchOptions(stream, 2), events(1)...))
	if got.GetSuccess().GetCurrentRevision() != 3 {
		t.Errorf("batch at 2 = %v, want revision 3", got)
	}
	got = w.batch(t, batchOf(batchOptions(name("none"), eventstore.Any)))
	if s := got.GetSuccess(); s.GetNoStream() == nil || s.GetNoPosition() == nil {
		t.Errorf("batch of nothing = %v, want no stream and no position", got)
	}
	again := batchOf(batchOptions(stream, eventstore.Any), events(2)...)
	first := w.batch(t, again)
	second := w.batch(t, again)
	if diff := cmp.Diff(first, second, protocmp.Transform()); diff != "" {
		t.Errorf("batch again (-first +second):\n%s", diff)
	}
}

func TestBatchAppendInParts(t *testing.T) {
	t.Parallel()
	w := start(t)
	one, two := name("one"), name("two")
	a, b := batchOf(batchOptions(one, eventstore.NoStream), events(2)...), batchOf(batchOptions(two, eventstore.NoStream), events(1)...)
	a.IsFinal, b.IsFinal = false, false
	more := func(r *batchReq, n int, final bool) *batchReq {
		x := batchOf(nil, events(n)...)
		x.CorrelationId, x.IsFinal = r.CorrelationId, final
		return x
	}
	got := w.batches(t, 2, a, b, more(a, 3, false), more(b, 1, true), more(a, 0, true))
	if r := got[a.CorrelationId.String()].GetSuccess(); r.GetCurrentRevision() != 4 {
		t.Errorf("first batch = %v, want revision 4", r)
	}
	if r := got[b.CorrelationId.String()].GetSuccess(); r.GetCurrentRevision() != 1 {
		t.Errorf("second batch = %v, want revision 1", r)
	}
}

// Batches of one stream are written in the order they were sent.
func TestBatchAppendOrder(t *testing.T) {
	t.Parallel()
	w := start(t)
	stream, other := name("ordered"), name("beside")
	var requests []*batchReq
	for i := range 100 {
		expected := eventstore.Revision(i - 1)
		requests = append(requests, batchOf(batchOptions(stream, expected), proposed("e", strconv.Itoa(i))),
			batchOf(batchOptions(fmt.Sprint(other, i), eventstore.Any), proposed("e", "")))
	}
	for _, r := range w.batches(t, len(requests), requests...) {
		if r.GetSuccess() == nil {
			t.Fatalf("batch = %v, want success", r)
		}
	}
	list, _ := w.read(t, options(stream, 1000))
	for i, r := range list {
		if got := string(r.GetEvent().GetEvent().GetData()); got != strconv.Itoa(i) {
			t.Errorf("event %d = %s, want the one that was sent there", i, got)
		}
	}
}

func TestBatchAppendErrors(t *testing.T) {
	t.Parallel()
	w := start(t)
	missing, three, dead := name("missing"), name("three"), name("dead")
	w.must(t, three, eventstore.NoStream, events(3)...)
	w.must(t, dead, eventstore.NoStream, events(1)...)
	w.end(t, dead, eventstore.Any)
	wrong := func(d *shared.WrongExpectedVersion) *status.Status { return batchError(6, "WrongExpectedVersion", d) }
	at2, nowhere := &shared.WrongExpectedVersion_CurrentStreamRevision{CurrentStreamRevision: 2}, &shared.WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &emptypb.Empty{}}
	huge := proposed("t", "")
	huge.Data = make([]byte, 1<<20)
	timeout := batchError(4, "Timeout", &shared.Timeout{})
	for _, row := range []struct {
		name    string
		options *batchOpts
		events  []*streams.AppendReq_ProposedMessage
		want    *status.Status
	}{
		{"wrong revision", batchOptions(three, 1), events(1), wrong(&shared.WrongExpectedVersion{
			CurrentStreamRevisionOption:  at2,
			ExpectedStreamPositionOption: &shared.WrongExpectedVersion_ExpectedStreamPosition{ExpectedStreamPosition: 1},
		})},
		{"no stream expected", batchOptions(three, eventstore.NoStream), events(1), wrong(&shared.WrongExpectedVersion{
			CurrentStreamRevisionOption:  at2,
			ExpectedStreamPositionOption: &shared.WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &emptypb.Empty{}},
		})},
		{"stream expected", batchOptions(missing, eventstore.StreamExists), events(1), wrong(&shared.WrongExpectedVersion{
			CurrentStreamRevisionOption:  nowhere,
			ExpectedStreamPositionOption: &shared.WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &emptypb.Empty{}},
		})},
		{"revision expected, no stream", batchOptions(missing, 7), events(1), wrong(&shared.WrongExpectedVersion{
			CurrentStreamRevisionOption:  nowhere,
			ExpectedStreamPositionOption: &shared.WrongExpectedVersion_ExpectedStreamPosition{ExpectedStreamPosition: 7},
		})},
		{"tombstoned", batchOptions(dead, eventstore.Any), events(1), batchError(5, "StreamDeleted", &shared.StreamDeleted{StreamIdentifier: wireName(dead)})},
		{"too large", batchOptions(missing, eventstore.Any), []*streams.AppendReq_ProposedMessage{huge}, batchError(3, "MaximumAppendSizeExceeded", &shared.MaximumAppendSizeExceeded{MaxAppendSize: 1 << 20})},
		{"deadline of 0", deadline(batchOptions(missing, eventstore.Any), 0), events(1), timeout},
		{"deadline that has passed", instant(batchOptions(missing, eventstore.Any), time.Now().Add(-time.Minute)), events(1), timeout},
	} {
		r := batchOf(row.options, row.events...)
		want := &batchResp{CorrelationId: r.CorrelationId, StreamIdentifier: row.options.StreamIdentifier, Result: &streams.BatchAppendResp_Error{Error: row.want}}
		if diff := cmp.Diff(want, w.batch(t, r), protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
	for what, o := range map[string]*batchOpts{
		"in an hour, as a time":     instant(batchOptions(missing, eventstore.Any), time.Now().Add(time.Hour)),
		"in an hour, as a duration": deadline(batchOptions(missing, eventstore.Any), time.Hour),
	} {
		if got := w.batch(t, batchOf(o, events(1)...)); got.GetSuccess() == nil {
			t.Errorf("deadline %s: batch = %v, want success", what, got)
		}
	}
}

func batchError(code int32, text string, detail proto.Message) *status.Status {
	a, err := anypb.New(detail)
	if err != nil {
		panic(err)
	}
	return &status.Status{Code: code, Message: text, Details: []*anypb.Any{a}}
}

func deadline(o *batchOpts, d time.Duration) *batchOpts {
	o.DeadlineOption = &streams.BatchAppendReq_Options_Deadline{Deadline: durationpb.New(d)}
	return o
}

func instant(o *batchOpts, at time.Time) *batchOpts {
	o.DeadlineOption = &streams.BatchAppendReq_Options_Deadline_21_10_0{Deadline_21_10_0: timestamppb.New(at)}
	return o
}

// What makes no sense is answered with BadRequest, once, also if more of it comes.
func TestBatchAppendMalformed(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.embedded(t) // EventStoreDB fails the whole call for some of these
	type change = func(*batchReq)
	for what, c := range map[string]change{
		"no options":     func(r *batchReq) { r.Options = nil },
		"no stream":      func(r *batchReq) { r.Options.StreamIdentifier = nil },
		"empty stream":   func(r *batchReq) { r.Options.StreamIdentifier = wireName("") },
		"no expectation": func(r *batchReq) { r.Options.ExpectedStreamPosition = nil },
		"no ID":          func(r *batchReq) { r.ProposedMessages[0].Id = nil },
		"no type":        func(r *batchReq) { delete(r.ProposedMessages[0].Metadata, "type") },
		"empty type":     func(r *batchReq) { r.ProposedMessages[0].Metadata["type"] = "" },
	} {
		r := batchOf(batchOptions("s", eventstore.Any), events(2)...)
		c(r)
		rest := batchOf(nil, events(2)...)
		rest.CorrelationId, rest.IsFinal, r.IsFinal = r.CorrelationId, true, false
		got := w.batches(t, 1, r, rest)[r.CorrelationId.String()].GetError()
		var detail shared.BadRequest
		if got.GetCode() != 3 || got.GetMessage() != "BadRequest" || len(got.GetDetails()) != 1 || got.Details[0].UnmarshalTo(&detail) != nil || detail.GetMessage() == "" {
			t.Errorf("%s: batch = %v, want BadRequest with a message", what, got)
		}
	}
	if list, _ := w.read(t, options("s", 1)); describe(list[0]) != "not found" {
		t.Errorf("read = %v, want not found", revisions(list))
	}
	for what, c := range map[string]change{
		"no correlation":      func(r *batchReq) { r.CorrelationId = nil },
		"correlation of junk": func(r *batchReq) { r.CorrelationId = &shared.UUID{Value: &shared.UUID_String_{String_: "x"}} },
	} {
		r := batchOf(batchOptions("s", eventstore.Any))
		c(r)
		call, err := w.streams.BatchAppend(within(t))
		if err != nil {
			t.Fatal(err)
		}
		_ = call.Send(r) // the same
		if answer, err := call.Recv(); ended(err, nil).code != codes.Unknown {
			t.Errorf("%s: batch = %v, %v, want the call to fail with Unknown", what, answer, err)
		}
	}
}

func TestBatchAppendEventSize(t *testing.T) {
	t.Parallel()
	w := startWith(t, func(c *nodegrpc.Config) { c.Limits.EventBytes = 100 })
	e := proposed("t", "")
	e.CustomMetadata, e.Data = nil, make([]byte, 99)
	e.Id = &shared.UUID{Value: &shared.UUID_String_{String_: "01234567-89ab-cdef-0123-456789abcdef"}}
	want := batchError(3, "MaximumAppendEventSizeExceeded", &limits.MaximumAppendEventSizeExceeded{
		EventId: "01234567-89ab-cdef-0123-456789abcdef", ProposedEventSize: 101, MaxAppendEventSize: 100,
	})
	if diff := cmp.Diff(want, w.batch(t, batchOf(batchOptions("s", eventstore.Any), e)).GetError(), protocmp.Transform()); diff != "" {
		t.Errorf("batch (-want +got):\n%s", diff)
	}
}

// The correlation comes back in the form it came in.
func TestBatchAppendCorrelationAsText(t *testing.T) {
	t.Parallel()
	w := start(t)
	r := batchOf(batchOptions(name("text"), eventstore.Any), events(1)...)
	r.CorrelationId = &shared.UUID{Value: &shared.UUID_String_{String_: "01234567-89ab-cdef-0123-456789abcdef"}}
	if got := w.batch(t, r); got.GetSuccess() == nil || got.GetCorrelationId().GetString_() != r.CorrelationId.GetString_() && got.GetCorrelationId().GetStructured() == nil {
		t.Errorf("batch = %v, want the same correlation", got)
	}
}

// What a client begins and does not end is bounded.
func TestBatchAppendOpen(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.embedded(t)
	call, err := w.streams.BatchAppend(within(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 1025 {
		r := batchOf(batchOptions("s", eventstore.Any), events(1)...)
		r.IsFinal = false
		if call.Send(r) != nil {
			break
		}
	}
	if answer, err := call.Recv(); ended(err, nil).code != codes.ResourceExhausted {
		t.Errorf("1025 open batches = %v, %v, want ResourceExhausted", answer, err)
	}
	call, err = w.streams.BatchAppend(within(t))
	if err != nil {
		t.Fatal(err)
	}
	e := proposed("t", "")
	e.Data = make([]byte, 1_000_000)
	for range 68 {
		r := batchOf(batchOptions("s", eventstore.Any), e)
		r.IsFinal = false
		if err := call.Send(r); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := call.Recv()
	want := batchError(0, "Server Is Too Busy", &emptypb.Empty{})
	if diff := cmp.Diff(want, answer.GetError(), protocmp.Transform()); err != nil || diff != "" {
		t.Errorf("68 MB of open batches = %v (-want +got):\n%s", err, diff)
	}
}
