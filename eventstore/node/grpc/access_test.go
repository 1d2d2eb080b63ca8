package grpc_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	"konto/eventstore/node/access"
	nodegrpc "konto/eventstore/node/grpc"
)

// guarded starts a node that asks who calls. as returns a connection of
// somebody's.
func guarded(t *testing.T) (as func(who login) *world) {
	t.Helper()
	var control *access.Control
	w := startWith(t, func(c *nodegrpc.Config) {
		var err error
		control, err = access.Open(t.Context(), access.Config{
			Store: c.Store, Now: time.Now, NewID: newID, Log: zerolog.Nop(), Iterations: 1000,
		})
		if err != nil {
			t.Fatal(err)
		}
		c.Access = control
	})
	closes(t, control)
	if err := control.CreateUser(t.Context(), access.User{Login: "jane"}, "secret"); err != nil {
		t.Fatal(err)
	}
	return func(who login) *world {
		o := []rpc.DialOption{rpc.WithTransportCredentials(insecure.NewCredentials())}
		if who != "" {
			o = append(o, rpc.WithPerRPCCredentials(who))
		}
		one := &world{store: w.store, address: w.address}
		one.dial(t, w.address, o...)
		return one
	}
}

const (
	admin  login = "admin:changeit"
	jane   login = "jane:secret"
	nobody login = ""
)

var denied = outcome{code: codes.PermissionDenied, trailers: map[string]string{"exception": "access-denied"}}

func TestAccess(t *testing.T) {
	t.Parallel()
	as := guarded(t)
	boss, user, anybody, stranger := as(admin), as(jane), as(nobody), as("admin:wrong")
	boss.must(t, "open", eventstore.NoStream, events(1)...)
	boss.must(t, "closed", eventstore.NoStream, events(1)...)
	closed := func() *streams.AppendReq_ProposedMessage {
		return jsonEvent("$metadata", `{"$acl":{"$r":"$admins","$w":"$admins","$d":"$admins","$mr":"$admins","$mw":"$admins"}}`)
	}
	boss.must(t, "$$closed", eventstore.NoStream, closed())
	call := map[string]func(*world) outcome{
		"read":            func(w *world) outcome { return second(w.read(t, options("open", 1))) },
		"read closed":     func(w *world) outcome { return second(w.read(t, options("closed", 1))) },
		"read metadata":   func(w *world) outcome { return second(w.read(t, options("$$closed", 1))) },
		"read system":     func(w *world) outcome { return second(w.read(t, options("$users", 1))) },
		"read $all":       func(w *world) outcome { return second(w.read(t, options("", 1))) },
		"append":          func(w *world) outcome { return second(w.append(t, name("s"), eventstore.Any, events(1)...)) },
		"append closed":   func(w *world) outcome { return second(w.append(t, "closed", eventstore.Any, events(1)...)) },
		"append metadata": func(w *world) outcome { return second(w.append(t, "$$closed", eventstore.Any, closed())) },
		"append system":   func(w *world) outcome { return second(w.append(t, "$x", eventstore.Any, events(1)...)) },
		"append $all":     func(w *world) outcome { return second(w.append(t, "$all", eventstore.Any, events(1)...)) },
		"delete $all":     func(w *world) outcome { return second(w.remove(t, "$all", eventstore.Any)) },
		"delete metadata": func(w *world) outcome { return second(w.remove(t, "$$open", eventstore.Any)) },
		"delete closed":   func(w *world) outcome { return second(w.remove(t, "closed", 7)) },
		"tombstone":       func(w *world) outcome { return second(w.end(t, "closed", 7)) },
		"gossip": func(w *world) outcome {
			_, err := gossip.NewGossipClient(w.conn).Read(within(t), &shared.Empty{})
			return ended(err, nil)
		},
		"features": func(w *world) outcome {
			_, err := serverfeatures.NewServerFeaturesClient(w.conn).GetSupportedMethods(within(t), &shared.Empty{})
			return ended(err, nil)
		},
	}
	wrong := outcome{code: codes.Unauthenticated}
	for what, want := range map[string]struct{ boss, user, anybody outcome }{
		"read":            {outcome{}, outcome{}, denied},
		"read closed":     {outcome{}, denied, denied},
		"read metadata":   {outcome{}, denied, denied},
		"read system":     {outcome{}, denied, denied},
		"read $all":       {outcome{}, denied, denied},
		"append":          {outcome{}, outcome{}, denied},
		"append closed":   {outcome{}, denied, denied},
		"append metadata": {outcome{}, denied, denied},
		"append system":   {outcome{}, denied, denied},
		"append $all":     {denied, denied, denied},
		"delete $all":     {denied, denied, denied},
		"delete metadata": {denied, denied, denied},
		"delete closed":   {wrongVersion("closed", "7", "1"), denied, denied},
		"tombstone":       {wrongVersion("closed", "7", "1"), denied, denied},
		"gossip":          {},
		"features":        {},
	} {
		for who, row := range map[string]struct {
			world *world
			want  outcome
		}{"admin": {boss, want.boss}, "jane": {user, want.user}, "nobody": {anybody, want.anybody}, "stranger": {stranger, wrong}} {
			got := call[what](row.world)
			if what == "delete closed" && who == "admin" || what == "tombstone" && who == "admin" {
				delete(got.trailers, "actual-version") // depends on what was appended before
				delete(row.want.trailers, "actual-version")
			}
			if !got.same(row.want) {
				t.Errorf("%s by %s ends with %+v, want %+v", what, who, got, row.want)
			}
		}
	}
}

func TestBatchAccess(t *testing.T) {
	t.Parallel()
	as := guarded(t)
	user := as(jane)
	if got := user.batch(t, batchOf(batchOptions("s", eventstore.Any), events(1)...)); got.GetSuccess() == nil {
		t.Errorf("batch to a user's stream = %v, want success", got)
	}
	got := user.batch(t, batchOf(batchOptions("$x", eventstore.Any), events(1)...)).GetError()
	if want := batchError(7, "AccessDenied", &shared.AccessDenied{}); got.String() != want.String() {
		t.Errorf("batch to a system stream = %v, want %v", got, want)
	}
}

// A subscription ends when its caller loses the right to read.
func TestSubscriptionLosesAccess(t *testing.T) {
	t.Parallel()
	as := guarded(t)
	boss, user := as(admin), as(jane)
	boss.must(t, "s", eventstore.NoStream, events(1)...)
	subscription := user.subscribe(t, options("s", 0, subscribing))
	subscription.want(t, "confirmation", "0", "caught up")
	boss.must(t, "$$s", eventstore.Any, jsonEvent("$metadata", `{"$maxCount":5}`))
	boss.must(t, "s", 0, events(1)...)
	subscription.want(t, "1")
	boss.must(t, "$$s", eventstore.Any, jsonEvent("$metadata", `{"$acl":{"$r":"$admins"}}`))
	if end := subscription.end(t); !end.same(denied) {
		t.Errorf("subscription ends with %+v, want access-denied", end)
	}
}

// Whoever may write links may not read what they lead to.
func TestLinksDoNotOpenStreams(t *testing.T) {
	t.Parallel()
	as := guarded(t)
	boss, user := as(admin), as(jane)
	boss.must(t, "mine", eventstore.NoStream, events(1)...)
	boss.must(t, "links", eventstore.NoStream, link(0, "$users"), link(0, "mine"), link(0, "$users"))
	for _, row := range []struct {
		who  *world
		want []string
	}{{boss, []string{"0->0", "1->0", "2->0"}}, {user, []string{"0->?", "1->0", "2->?"}}} {
		list, _ := row.who.read(t, options("links", 10, resolving))
		if diff := cmp.Diff(row.want, revisions(list)); diff != "" {
			t.Errorf("links (-want +got):\n%s", diff)
		}
	}
}

// Without access control nobody is asked, but $all is still no stream.
func TestInsecure(t *testing.T) {
	t.Parallel()
	w := startWith(t, func(*nodegrpc.Config) {})
	w.must(t, "$x", eventstore.Any, events(1)...)
	if end := second(w.append(t, "$all", eventstore.Any, events(1)...)); !end.same(denied) {
		t.Errorf("append to $all ends with %+v, want access-denied", end)
	}
	if end := second(w.remove(t, "$all", eventstore.Any)); !end.same(denied) {
		t.Errorf("delete of $all ends with %+v, want access-denied", end)
	}
}

// A store that cannot be used makes the node unavailable: clients look for
// another one, and come again.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	w := startWith(t, func(*nodegrpc.Config) {})
	live := w.subscribe(t, options("s", 0, subscribing))
	live.want(t, "confirmation", "caught up")
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	want := outcome{code: codes.Unavailable}
	for what, end := range map[string]outcome{
		"read":         second(w.read(t, options("s", 1))),
		"read $all":    second(w.read(t, options("", 1))),
		"subscribe":    w.subscribe(t, options("s", 0, subscribing)).end(t),
		"subscription": live.end(t),
		"append":       second(w.append(t, "s", eventstore.Any, events(1)...)),
		"delete":       second(w.remove(t, "s", eventstore.Any)),
	} {
		if !end.same(want) || end.text != "Server Is Not Ready" {
			t.Errorf("%s ends with %+v, want Unavailable: Server Is Not Ready", what, end)
		}
	}
	got := w.batch(t, batchOf(batchOptions("s", eventstore.Any), events(1)...)).GetError()
	if got.GetCode() != 0 || got.GetMessage() != "Server Is Not Ready" || len(got.GetDetails()) != 1 || got.Details[0].TypeUrl != "type.googleapis.com/google.protobuf.Empty" {
		t.Errorf("batch = %v, want no code, Empty", got)
	}
}

// Names that are no header are percent-encoded in trailers.
func TestTrailersOfStrangeNames(t *testing.T) {
	t.Parallel()
	w := startWith(t, func(*nodegrpc.Config) {})
	for stream, want := range map[string]string{
		"ü":    "%C3%BC",
		"a\nb": "a%0Ab",
		"5 %":  "5 %",
		"5 %é": "5 %25%C3%A9",
	} {
		w.must(t, stream, eventstore.NoStream, events(1)...)
		w.end(t, stream, eventstore.Any)
		if _, end := w.read(t, options(stream, 1)); end.trailers["stream-name"] != want {
			t.Errorf("trailer of %q = %q, want %q", stream, end.trailers["stream-name"], want)
		}
	}
}

// A call that its client has left ends.
func TestCancelled(t *testing.T) {
	t.Parallel()
	w := start(t)
	ctx, cancel := context.WithCancel(within(t))
	var trailer metadata.MD
	call, err := w.streams.Read(ctx, &streams.ReadReq{Options: options(name("s"), 0, subscribing)}, rpc.Trailer(&trailer))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := call.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if _, err := call.Recv(); ended(err, trailer).code != codes.Canceled {
		t.Errorf("Recv = %v, want Canceled", err)
	}
	short, stop := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer stop()
	if call, err = w.streams.Read(short, &streams.ReadReq{Options: options(name("s"), 0, subscribing)}); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = call.Recv()
	}
	if ended(err, nil).code != codes.DeadlineExceeded || errors.Is(err, context.Canceled) {
		t.Errorf("Recv = %v, want DeadlineExceeded", err)
	}
}
