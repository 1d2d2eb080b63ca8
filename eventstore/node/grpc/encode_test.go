package grpc_test

import (
	"bytes"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	nodegrpc "konto/eventstore/node/grpc"
)

// generated builds the message of an event with the generated types.
func generated(r eventstore.Recorded, text bool) *streams.ReadResp {
	record := func(r eventstore.Recorded) *streams.ReadResp_ReadEvent_RecordedEvent {
		id := wireID(r.ID)
		if text {
			s := r.ID
			id = &shared.UUID{Value: &shared.UUID_String_{String_: uuidText(s)}}
		}
		content := "application/json"
		if r.Binary {
			content = "application/octet-stream"
		}
		return &streams.ReadResp_ReadEvent_RecordedEvent{
			Id: id, StreamIdentifier: wireName(r.Stream), StreamRevision: uint64(r.Revision),
			CommitPosition: r.Position.Commit, PreparePosition: r.Position.Prepare,
			Metadata: map[string]string{"type": r.Type, "created": decimal(r.At.UnixNano() / 100), "content-type": content},
			Data:     r.Data, CustomMetadata: r.Meta,
		}
	}
	e := &streams.ReadResp_ReadEvent{}
	original := r
	if r.Link != nil {
		original = *r.Link
		e.Link = record(original)
	}
	if r.ID != (eventstore.ID{}) {
		e.Event = record(r)
	}
	e.Position = &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: original.Position.Commit}
	if original.Position.Commit == math.MaxUint64 {
		e.Position = &streams.ReadResp_ReadEvent_NoPosition{NoPosition: &shared.Empty{}}
	}
	return &streams.ReadResp{Content: &streams.ReadResp_Event{Event: e}}
}

// Events are encoded without the generated types, to what these decode.
func TestEncode(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_912_300, time.UTC)
	recorded := func(change func(*eventstore.Recorded)) eventstore.Recorded {
		r := eventstore.Recorded{
			Event:  eventstore.Event{ID: newID(), Type: "happened", Data: []byte("data"), Meta: []byte("meta")},
			Stream: "stream-1", Revision: 7, Position: eventstore.Position{Commit: 1234, Prepare: 1234}, At: at,
		}
		if change != nil {
			change(&r)
		}
		return r
	}
	linked := recorded(func(r *eventstore.Recorded) { r.Type, r.Data = "$>", []byte("1@x") })
	for what, r := range map[string]eventstore.Recorded{
		"plain":          recorded(nil),
		"binary":         recorded(func(r *eventstore.Recorded) { r.Binary = true }),
		"empty":          recorded(func(r *eventstore.Recorded) { r.Data, r.Meta = nil, nil }),
		"first":          recorded(func(r *eventstore.Recorded) { r.Revision, r.Position = 0, eventstore.Position{} }),
		"tombstone":      recorded(func(r *eventstore.Recorded) { r.Revision = math.MaxInt64 }),
		"large":          recorded(func(r *eventstore.Recorded) { r.Data, r.Meta = bytes.Repeat([]byte("d"), 1<<20), make([]byte, 1<<16) }),
		"long names":     recorded(func(r *eventstore.Recorded) { r.Stream, r.Type = strings.Repeat("s", 2000), strings.Repeat("ü", 600) }),
		"no position":    recorded(func(r *eventstore.Recorded) { r.Position = eventstore.End }),
		"before 1970":    recorded(func(r *eventstore.Recorded) { r.At = time.Unix(-5, 0) }),
		"1970":           recorded(func(r *eventstore.Recorded) { r.At = time.Unix(0, 0) }),
		"halves of zero": recorded(func(r *eventstore.Recorded) { r.ID = eventstore.ID{15: 1} }),
		"link":           recorded(func(r *eventstore.Recorded) { r.Link = &linked }),
		"broken link":    {Link: &linked},
	} {
		for _, text := range []bool{false, true} {
			frames := nodegrpc.EncodeEvents(text, recorded(nil), r, recorded(nil))
			var got streams.ReadResp
			if err := proto.Unmarshal(frames[1], &got); err != nil {
				t.Errorf("%s: %v", what, err)
				continue
			}
			if want := generated(r, text); !proto.Equal(want, &got) {
				t.Errorf("%s, text %v: encoded %v, want %v", what, text, &got, want)
			}
		}
	}
}

// What a client is still reading is not written again.
func TestEncodedEventsStay(t *testing.T) {
	t.Parallel()
	var list []eventstore.Recorded
	for i := range 300 {
		list = append(list, eventstore.Recorded{
			Event:  eventstore.Event{ID: newID(), Type: "t", Data: bytes.Repeat([]byte{byte(i)}, i*7)},
			Stream: "s", Revision: eventstore.Revision(i),
		})
	}
	for i, frame := range nodegrpc.EncodeEvents(false, list...) {
		var got streams.ReadResp
		if err := proto.Unmarshal(frame, &got); err != nil {
			t.Fatal(err)
		}
		if want := generated(list[i], false); !proto.Equal(want, &got) {
			t.Fatalf("event %d: encoded %v, want %v", i, &got, want)
		}
	}
}

// Memory is used again when what was in it was sent, and not before, also while
// other calls are at work.
func TestEncodedEventsAreFreed(t *testing.T) {
	t.Parallel()
	var list []eventstore.Recorded
	for i := range 300 {
		list = append(list, eventstore.Recorded{
			Event:  eventstore.Event{ID: newID(), Type: "t", Data: bytes.Repeat([]byte{byte(i)}, i*90)},
			Stream: "s", Revision: eventstore.Revision(i),
		})
	}
	type message struct {
		i int
		b mem.Buffer
	}
	var calls sync.WaitGroup
	for range 4 {
		calls.Go(func() {
			queue := make(chan message, 40)
			calls.Go(func() {
				for m := range queue {
					var got streams.ReadResp
					if err := proto.Unmarshal(m.b.ReadOnlyData(), &got); err != nil {
						t.Error(err)
					} else if want := generated(list[m.i], false); !proto.Equal(want, &got) {
						t.Errorf("event %d: encoded %v, want %v", m.i, &got, want)
					}
					m.b.Free()
				}
			})
			nodegrpc.EncodeShared(list, func(i int, b mem.Buffer) { queue <- message{i, b} })
			close(queue)
		})
	}
	calls.Wait()
}

func FuzzEncode(f *testing.F) {
	f.Add("s", "t", []byte("data"), []byte("meta"), int64(7), uint64(9), int64(123456789), true, true)
	f.Add("", "", []byte(nil), []byte(nil), int64(0), uint64(math.MaxUint64), int64(-1), false, false)
	f.Fuzz(func(t *testing.T, stream, typ string, data, meta []byte, revision int64, position uint64, nanos int64, binary, text bool) {
		r := eventstore.Recorded{
			Event:  eventstore.Event{ID: eventstore.ID{1, 2, 3}, Type: strings.ToValidUTF8(typ, "?"), Data: data, Meta: meta, Binary: binary},
			Stream: stream, Revision: eventstore.Revision(revision), Position: eventstore.Position{Commit: position, Prepare: position},
			At: time.Unix(0, nanos),
		}
		var got streams.ReadResp
		if err := proto.Unmarshal(nodegrpc.EncodeEvents(text, r)[0], &got); err != nil {
			t.Fatal(err)
		}
		if want := generated(r, text); !proto.Equal(want, &got) {
			t.Errorf("encoded %v, want %v", &got, want)
		}
	})
}
