package grpc_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	"konto/eventstore"
	"konto/eventstore/node/access"
	nodegrpc "konto/eventstore/node/grpc"
)

// join dials a server as somebody.
func join(tb testing.TB, address string, who login) *party {
	tb.Helper()
	o := []rpc.DialOption{rpc.WithTransportCredentials(insecure.NewCredentials())}
	if who != nobody {
		o = append(o, rpc.WithPerRPCCredentials(who))
	}
	w := &world{address: address}
	w.dial(tb, address, o...)
	return &party{w, persistent.NewPersistentSubscriptionsClient(w.conn)}
}

// A node that stops tells readers of groups in the words that it has for it.
func TestGroupReadersOfAStoppingNode(t *testing.T) {
	t.Parallel()
	var c nodegrpc.Config
	startParty(t, func(x *nodegrpc.Config) { c = *x })
	s := nodegrpc.New(c)
	server := rpc.NewServer(s.Options()...)
	s.Register(server)
	p := join(t, listen(t, server), nobody)
	stream := name("stopping")
	p.mustCreate(t, creation(stream))
	d := p.read(t, stream, 1).confirmed()
	s.End()
	if d := d.end().differs(groupError(codes.Canceled, "persistent-subscription-dropped", stream, "g")); d != "" {
		t.Errorf("a stop ends a reader with (-want +got):\n%s", d)
	}
}

func TestGroupAccess(t *testing.T) {
	t.Parallel()
	var control *access.Control
	w := startParty(t, func(c *nodegrpc.Config) {
		var err error
		control, err = access.Open(t.Context(), access.Config{
			Store: c.Store, Now: time.Now, NewID: newID, Log: zerolog.Nop(), Iterations: 10_000,
		})
		if err != nil {
			t.Fatal(err)
		}
		closes(t, control)
		c.Access = control
	})
	if err := control.CreateUser(t.Context(), access.User{Login: "jane"}, "secret"); err != nil {
		t.Fatal(err)
	}
	boss, operator := join(t, w.address, admin), join(t, w.address, "ops:changeit")
	boss.must(t, "closed", eventstore.NoStream, events(1)...)
	boss.must(t, "open", eventstore.NoStream, events(1)...)
	boss.must(t, "$$closed", eventstore.NoStream, jsonEvent("$metadata", `{"$acl":{"$r":"$admins"}}`))
	operator.mustCreate(t, creation("open"))
	operator.mustCreate(t, creation("closed"))
	operator.mustCreate(t, creation(""))
	reads := func(stream string) func(*party) codes.Code {
		return func(p *party) codes.Code {
			d := p.read(t, stream, 1)
			if r, err := d.call.Recv(); err == nil && r.GetSubscriptionConfirmation() != nil {
				return codes.OK
			}
			return d.end().code
		}
	}
	calls := map[string]func(*party) codes.Code{
		"create": func(p *party) codes.Code { return p.create(t, creation("open")).code },
		"update": func(p *party) codes.Code {
			_, err := p.groups.Update(within(t), update("nothing"))
			return ended(err, nil).code
		},
		"delete": func(p *party) codes.Code {
			_, err := p.groups.Delete(within(t), &persistent.DeleteReq{Options: &persistent.DeleteReq_Options{
				GroupName: "nothing", StreamOption: &persistent.DeleteReq_Options_All{All: &shared.Empty{}},
			}})
			return ended(err, nil).code
		},
		"replay": func(p *party) codes.Code { return ended(p.replay(t, "open", nil), nil).code },
		"restart": func(p *party) codes.Code {
			_, err := p.groups.RestartSubsystem(within(t), &shared.Empty{})
			return ended(err, nil).code
		},
		"list": func(p *party) codes.Code {
			_, err := p.groups.List(within(t), listing(""))
			return ended(err, nil).code
		},
		"read open":   reads("open"),
		"read closed": reads("closed"),
		"read $all":   reads(""),
	}
	const yes, no = codes.OK, codes.PermissionDenied
	for _, row := range []struct {
		who  login
		want map[string]codes.Code
	}{
		{nobody, map[string]codes.Code{
			"create": no, "update": no, "delete": no, "replay": no, "restart": no, "list": no,
			"read open": no, "read closed": no, "read $all": no,
		}},
		{jane, map[string]codes.Code{
			"create": no, "update": no, "delete": no, "replay": no, "restart": no, "list": yes,
			"read open": yes, "read closed": no, "read $all": no,
		}},
		{"ops:changeit", map[string]codes.Code{
			"create": codes.AlreadyExists, "update": codes.NotFound, "delete": codes.NotFound, "replay": yes, "restart": yes, "list": yes,
			"read open": yes, "read closed": no, "read $all": no,
		}},
		{admin, map[string]codes.Code{
			"create": codes.AlreadyExists, "update": codes.NotFound, "delete": codes.NotFound, "replay": yes, "restart": yes, "list": yes,
			"read open": yes, "read closed": yes, "read $all": yes,
		}},
	} {
		p, got := join(t, w.address, row.who), map[string]codes.Code{}
		for what, call := range calls {
			got[what] = call(p)
		}
		if d := cmp.Diff(row.want, got); d != "" {
			t.Errorf("%q may (-want +got):\n%s", row.who, d)
		}
	}
	t.Run("Revoked", func(t *testing.T) {
		d := join(t, w.address, jane).read(t, "open", 1).confirmed()
		boss.must(t, "$$open", eventstore.NoStream, jsonEvent("$metadata", `{"$acl":{"$r":"$admins"}}`))
		if end := d.end(); end.code != codes.PermissionDenied || end.trailers["exception"] != "access-denied" {
			t.Errorf("a reader who may no longer read ends with %v, want access-denied", end)
		}
	})
	t.Run("LinksLeadToWhatMayBeRead", func(t *testing.T) {
		boss.must(t, "links", eventstore.NoStream, linkTo("0@closed"))
		operator.mustCreate(t, creation("links", func(o *persistent.CreateReq_Options) { o.Settings.ResolveLinks = true }))
		d := join(t, w.address, jane).read(t, "links", 1).confirmed()
		if e := d.next(); e.GetEvent() != nil || e.GetLink() == nil {
			t.Errorf("jane got %v, want the link alone", e)
		}
		if err := d.call.CloseSend(); err != nil {
			t.Fatal(err)
		}
		d.end()
		if e := join(t, w.address, admin).read(t, "links", 1).confirmed().next(); e.GetEvent() == nil {
			t.Errorf("admin got %v, want the event", e)
		}
	})
}
