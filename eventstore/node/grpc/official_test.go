package grpc_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// The official client meets everything of the protocol that it would panic or
// end the process about.
func TestOfficialClient(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.client(t)
	ctx := within(t)
	stream := name("official")
	for i := range 3 {
		result, err := c.AppendToStream(ctx, stream, esdb.AppendToStreamOptions{}, esdb.EventData{
			EventType: "happened", ContentType: esdb.ContentTypeJson, Data: fmt.Appendf(nil, `{"n":%d}`, i), Metadata: []byte("meta"),
		})
		if err != nil || result.NextExpectedVersion != uint64(i) || result.CommitPosition == 0 {
			t.Fatalf("AppendToStream = %+v, %v, want version %d", result, err, i)
		}
	}
	_, err := c.AppendToStream(ctx, stream, esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}, esdb.EventData{EventType: "happened"})
	var failure *esdb.Error
	if !errors.As(err, &failure) || failure.Code() != esdb.ErrorCodeWrongExpectedVersion {
		t.Fatalf("AppendToStream at no stream = %v, want a wrong version", err)
	}
	read, err := c.ReadStream(ctx, stream, esdb.ReadStreamOptions{From: esdb.End{}, Direction: esdb.Backwards}, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	for want := uint64(2); ; want-- {
		e, err := read.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || e.Event.EventNumber != want || e.Event.EventType != "happened" || string(e.Event.Data) != fmt.Sprintf(`{"n":%d}`, want) {
			t.Fatalf("Recv = %+v, %v, want revision %d", e, err, want)
		}
	}
	sub, err := c.SubscribeToStream(ctx, stream, esdb.SubscribeToStreamOptions{From: esdb.Revision(0)})
	if err != nil {
		t.Fatal(err)
	}
	closes(t, sub)
	for _, want := range []uint64{1, 2} {
		if e := sub.Recv(); e.EventAppeared == nil || e.EventAppeared.Event.EventNumber != want {
			t.Fatalf("Recv = %+v, want revision %d", e, want)
		}
	}
	if e := sub.Recv(); e.CaughtUp == nil {
		t.Fatalf("Recv = %+v, want caught up", e)
	}
	missing, err := c.ReadStream(ctx, name("missing"), esdb.ReadStreamOptions{}, 1)
	if err == nil {
		_, err = missing.Recv()
	}
	if !errors.As(err, &failure) || failure.Code() != esdb.ErrorCodeResourceNotFound {
		t.Fatalf("read of a missing stream = %v, want not found", err)
	}
}
