package grpc_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	nodegrpc "konto/eventstore/node/grpc"
)

func TestAppendSize(t *testing.T) {
	t.Parallel()
	w := start(t)
	tooLarge := map[string]string{"exception": "maximum-append-size-exceeded", "maximum-append-size": "1048576"}
	sized := func(typ string, data, meta int) *streams.AppendReq_ProposedMessage {
		e := proposed(typ, "")
		e.Data, e.CustomMetadata = make([]byte, data), make([]byte, meta)
		return e
	}
	const most = 1 << 20
	for _, row := range []struct {
		name   string
		events []*streams.AppendReq_ProposedMessage
		ok     bool
	}{
		{"largest", []*streams.AppendReq_ProposedMessage{sized("t", most-2, 0)}, true},
		{"one byte more", []*streams.AppendReq_ProposedMessage{sized("t", most-1, 0)}, false},
		{"metadata counts", []*streams.AppendReq_ProposedMessage{sized("t", most/2, most/2-1)}, false},
		{"types count twice", []*streams.AppendReq_ProposedMessage{sized("12345", most-10, 0)}, true},
		{"types count twice, one more", []*streams.AppendReq_ProposedMessage{sized("12345", most-9, 0)}, false},
		{"types count in UTF-16", []*streams.AppendReq_ProposedMessage{sized("ü\U0001F600", most-6, 0)}, true},
		{"types count in UTF-16, one more", []*streams.AppendReq_ProposedMessage{sized("ü\U0001F600", most-5, 0)}, false},
		{"the sum counts", []*streams.AppendReq_ProposedMessage{sized("t", most/2, 0), sized("t", most/2-4, 0)}, true},
		{"the sum counts, one more", []*streams.AppendReq_ProposedMessage{sized("t", most/2, 0), sized("t", most/2-3, 0)}, false},
	} {
		stream := name("size")
		response, end := w.append(t, stream, eventstore.Any, row.events...)
		switch {
		case row.ok && response.GetSuccess() == nil:
			t.Errorf("%s: append = %v, want success", row.name, end)
		case !row.ok && (end.code != codes.InvalidArgument || !cmp.Equal(end.trailers, tooLarge)):
			t.Errorf("%s: append ends with %+v, want InvalidArgument %v", row.name, end, tooLarge)
		}
		list, _ := w.read(t, options(stream, 1))
		if stored := describe(list[0]) == "0"; stored != row.ok {
			t.Errorf("%s: stored = %v, want %v", row.name, stored, row.ok)
		}
	}
}

func TestAppendEventSize(t *testing.T) {
	t.Parallel()
	w := startWith(t, func(c *nodegrpc.Config) { c.Limits.EventBytes = 100 })
	e := proposed("t", "")
	e.CustomMetadata, e.Data = nil, make([]byte, 99)
	e.Id = &shared.UUID{Value: &shared.UUID_String_{String_: "01234567-89ab-cdef-0123-456789abcdef"}}
	_, end := w.append(t, "s", eventstore.Any, e)
	want := map[string]string{
		"exception":                  "maximum-append-event-size-exceeded",
		"maximum-append-event-size":  "100",
		"event-id":                   "01234567-89ab-cdef-0123-456789abcdef",
		"proposed-append-event-size": "101",
	}
	if end.code != codes.InvalidArgument || !cmp.Equal(end.trailers, want) {
		t.Errorf("append ends with %+v, want InvalidArgument %v", end, want)
	}
	e.Data = e.Data[1:]
	w.must(t, "s", eventstore.Any, e)
}

// A client that is still sending when the append has failed learns why: the
// server reads on.
func TestAppendFailsEarly(t *testing.T) {
	t.Parallel()
	w := start(t)
	list := make([]*streams.AppendReq_ProposedMessage, 100)
	for i := range list {
		list[i] = proposed("t", strings.Repeat("x", 100_000))
	}
	_, end := w.append(t, name("early"), eventstore.Any, list...)
	if end.trailers["exception"] != "maximum-append-size-exceeded" {
		t.Errorf("append of 10 MB ends with %+v, want maximum-append-size-exceeded", end)
	}
	list[0] = proposed("", "")
	if _, end = w.append(t, name("early"), eventstore.Any, list...); end.code != codes.Unknown || end.text == "" || end.text == "EOF" {
		t.Errorf("append of 10 MB that begins with an event without a type ends with %+v, want the server's Unknown", end)
	}
}

func TestReceiveLimits(t *testing.T) {
	t.Parallel()
	w := start(t)
	e := proposed("t", "")
	e.Data = make([]byte, 16<<20-11_000)
	if _, end := w.append(t, name("limit"), eventstore.Any, e); end.trailers["exception"] != "maximum-append-size-exceeded" {
		t.Errorf("append of nearly 16 MiB ends with %+v, want maximum-append-size-exceeded", end)
	}
	e.Data = make([]byte, 16<<20)
	if _, end := w.append(t, name("limit"), eventstore.Any, e); end.code != codes.ResourceExhausted {
		t.Errorf("append of 16 MiB ends with %+v, want ResourceExhausted", end)
	}
	type unknown = shared.StreamIdentifier // a field that the other services do not have
	for size, want := range map[int]codes.Code{4<<20 - 100: codes.OK, 4 << 20: codes.ResourceExhausted} {
		var response shared.Empty
		err := w.conn.Invoke(within(t), "/event_store.client.gossip.Gossip/Read", &unknown{StreamName: make([]byte, size)}, &response)
		if end := ended(err, nil); end.code != want {
			t.Errorf("gossip with %d bytes ends with %+v, want %v", size, end, want)
		}
	}
}
