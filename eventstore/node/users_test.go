package node_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	"konto/eventstore/node"
	"konto/eventstore/node/proto"
)

// failed is how a call ends, as clients tell errors apart.
type failed struct {
	code      codes.Code
	exception string
	companion string // of the trailer login-name or scavenge-id
}

func endOf(err error, trailer metadata.MD) failed {
	first := func(keys ...string) string {
		for _, key := range keys {
			if v := trailer.Get(key); len(v) > 0 {
				return v[0]
			}
		}
		return ""
	}
	return failed{status.Code(err), first("exception"), first("login-name", "scavenge-id")}
}

var (
	done            = failed{code: codes.OK}
	denied          = failed{code: codes.PermissionDenied, exception: "access-denied"}
	unauthenticated = failed{code: codes.Unauthenticated}
)

// TestAuthentication calls what everybody may, what any login may and what
// operators may, with good, bad and no credentials.
func TestAuthentication(t *testing.T) {
	t.Parallel()
	n, _ := serve(t, node.Config{Memory: true, DevTLS: true})
	conn := dial(t, n)
	calls := map[string]func(login, password string) failed{
		"gossip": func(login, password string) failed {
			var trailer metadata.MD
			_, err := gossip.NewGossipClient(conn).Read(as(t, login, password), &shared.Empty{}, rpc.Trailer(&trailer))
			return endOf(err, trailer)
		},
		"features": func(login, password string) failed {
			var trailer metadata.MD
			_, err := serverfeatures.NewServerFeaturesClient(conn).GetSupportedMethods(as(t, login, password), &shared.Empty{}, rpc.Trailer(&trailer))
			return endOf(err, trailer)
		},
		"stats": func(login, password string) failed {
			stream, err := proto.NewMonitoringClient(conn).Stats(as(t, login, password), &proto.StatsReq{RefreshTimePeriodInMs: 60_000})
			if err == nil {
				_, err = stream.Recv()
			}
			if err == nil {
				return done
			}
			return endOf(err, stream.Trailer())
		},
		"merge": func(login, password string) failed {
			var trailer metadata.MD
			_, err := proto.NewOperationsClient(conn).MergeIndexes(as(t, login, password), &shared.Empty{}, rpc.Trailer(&trailer))
			return endOf(err, trailer)
		},
	}
	if err := createUser(t, conn, "greta", "secret"); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		call, login, password string
		want                  failed
	}{
		{"gossip", "", "", done},
		{"gossip", "admin", "changeit", done},
		{"gossip", "admin", "wrong", unauthenticated},
		{"features", "", "", done},
		{"features", "nobody", "changeit", unauthenticated},
		{"stats", "", "", denied},
		{"stats", "greta", "secret", done},
		{"stats", "greta", "wrong", unauthenticated},
		{"merge", "", "", denied},
		{"merge", "greta", "secret", denied},
		{"merge", "ops", "changeit", done},
		{"merge", "admin", "changeit", done},
		{"merge", "ops", "wrong", unauthenticated},
	} {
		if got := calls[row.call](row.login, row.password); got != row.want {
			t.Errorf("%s as %q with %q ends with %v, want %v", row.call, row.login, row.password, got, row.want)
		}
	}
	twice := metadata.AppendToOutgoingContext(as(t, "admin", "changeit"), "authorization", basic("ops", "changeit"))
	if _, err := proto.NewOperationsClient(conn).MergeIndexes(twice, &shared.Empty{}); status.Code(err) != codes.Unauthenticated {
		t.Errorf("with two headers a call ends with %v, want Unauthenticated", err)
	}
}

func createUser(t *testing.T, conn *rpc.ClientConn, login, password string) error {
	t.Helper()
	_, err := proto.NewUsersClient(conn).Create(as(t, "admin", "changeit"), &proto.CreateReq{Options: &proto.CreateReq_Options{
		LoginName: login, Password: password, FullName: "Somebody", Groups: []string{"readers"},
	}})
	return err
}

// TestUsersService leads a user through all methods, as admin, as herself and
// as somebody else.
func TestUsersService(t *testing.T) {
	t.Parallel()
	n, _ := serve(t, node.Config{Memory: true, DevTLS: true})
	conn := dial(t, n)
	users := proto.NewUsersClient(conn)
	var trailer metadata.MD
	end := rpc.Trailer(&trailer)
	expect := func(what string, err error, want failed) {
		t.Helper()
		if got := endOf(err, trailer); got != want {
			t.Errorf("%s ends with %v (%v), want %v", what, got, err, want)
		}
		trailer = nil
	}
	for _, login := range []string{"greta", "hugo"} {
		if err := createUser(t, conn, login, "secret"); err != nil {
			t.Fatal(err)
		}
	}
	admin, greta, hugo := as(t, "admin", "changeit"), as(t, "greta", "secret"), as(t, "hugo", "secret")
	missing := failed{codes.NotFound, "user-not-found", "nobody"}
	conflict := failed{codes.FailedPrecondition, "user-conflict", "greta"}
	invalid := failed{code: codes.InvalidArgument}

	create := func(login, password string) *proto.CreateReq {
		return &proto.CreateReq{Options: &proto.CreateReq_Options{LoginName: login, Password: password}}
	}
	_, err := users.Create(hugo, create("x", "x"), end)
	expect("Create by hugo", err, denied)
	_, err = users.Create(admin, create("greta", "secret"), end)
	expect("Create again", err, done)
	_, err = users.Create(admin, create("greta", "other"), end)
	expect("Create with another password", err, conflict)
	_, err = users.Create(admin, create("$admins", "x"), end)
	expect("Create of a role", err, invalid)
	_, err = users.Create(admin, &proto.CreateReq{}, end)
	expect("Create of nothing", err, invalid)

	update := func(login string) *proto.UpdateReq {
		return &proto.UpdateReq{Options: &proto.UpdateReq_Options{LoginName: login, FullName: "Greta", Groups: []string{"writers"}, Password: "ignored"}}
	}
	_, err = users.Update(greta, update("greta"), end)
	expect("Update by herself", err, denied)
	_, err = users.Update(admin, update("greta"), end)
	expect("Update", err, done)
	_, err = users.Update(admin, update("nobody"), end)
	expect("Update of nobody", err, missing)

	change := func(login, current string) *proto.ChangePasswordReq {
		return &proto.ChangePasswordReq{Options: &proto.ChangePasswordReq_Options{LoginName: login, CurrentPassword: current, NewPassword: "new"}}
	}
	_, err = users.ChangePassword(hugo, change("greta", "secret"), end)
	expect("ChangePassword by hugo", err, denied)
	_, err = users.ChangePassword(admin, change("greta", "secret"), end)
	expect("ChangePassword by admin", err, denied)
	_, err = users.ChangePassword(greta, change("greta", "wrong"), end)
	expect("ChangePassword without knowing it", err, denied)
	_, err = users.ChangePassword(greta, change("greta", "secret"), end)
	expect("ChangePassword", err, done)
	_, err = users.ChangePassword(greta, change("greta", "new"), end)
	expect("a call with the old password", err, unauthenticated)
	greta = as(t, "greta", "new")

	reset := func(login string) *proto.ResetPasswordReq {
		return &proto.ResetPasswordReq{Options: &proto.ResetPasswordReq_Options{LoginName: login, NewPassword: "newer"}}
	}
	_, err = users.ResetPassword(greta, reset("greta"), end)
	expect("ResetPassword by herself", err, denied)
	_, err = users.ResetPassword(admin, reset("nobody"), end)
	expect("ResetPassword of nobody", err, missing)
	_, err = users.ResetPassword(admin, reset("greta"), end)
	expect("ResetPassword", err, done)
	greta = as(t, "greta", "newer")

	_, err = users.Disable(hugo, &proto.DisableReq{Options: &proto.DisableReq_Options{LoginName: "greta"}}, end)
	expect("Disable by hugo", err, denied)
	_, err = users.Disable(admin, &proto.DisableReq{Options: &proto.DisableReq_Options{LoginName: "greta"}}, end)
	expect("Disable", err, done)
	expect("a call of who is disabled", read(users.Details(greta, details("greta"))), unauthenticated)
	_, err = users.Enable(admin, &proto.EnableReq{Options: &proto.EnableReq_Options{LoginName: "greta"}}, end)
	expect("Enable", err, done)
	_, err = users.Enable(admin, &proto.EnableReq{Options: &proto.EnableReq_Options{LoginName: "nobody"}}, end)
	expect("Enable of nobody", err, missing)

	if got, err := list(users.Details(greta, details("greta"))); err != nil || len(got) != 1 || !recent(got[0]) {
		t.Errorf("Details of herself = %v, %v, want her, just updated", got, err)
	} else if d := cmp.Diff("greta Greta [writers] false", words(got[0])); d != "" {
		t.Errorf("Details of herself differs (-want +got):\n%s", d)
	}
	_, err = list(users.Details(hugo, details("greta")))
	expect("Details of another", err, failed{code: codes.PermissionDenied})
	_, err = list(users.Details(greta, details("")))
	expect("Details of all by greta", err, failed{code: codes.PermissionDenied})
	_, err = list(users.Details(admin, details("nobody")))
	expect("Details of nobody", err, failed{code: codes.NotFound})
	all, err := list(users.Details(admin, details("")))
	expect("Details of all", err, done)
	var logins []string
	for _, u := range all {
		logins = append(logins, u.GetLoginName())
	}
	if d := cmp.Diff([]string{"admin", "greta", "hugo", "ops"}, logins); d != "" {
		t.Errorf("Details of all differs (-want +got):\n%s", d)
	}

	_, err = users.Delete(hugo, &proto.DeleteReq{Options: &proto.DeleteReq_Options{LoginName: "greta"}}, end)
	expect("Delete by hugo", err, denied)
	_, err = users.Delete(admin, &proto.DeleteReq{Options: &proto.DeleteReq_Options{LoginName: "greta"}}, end)
	expect("Delete", err, done)
	_, err = users.Delete(admin, &proto.DeleteReq{Options: &proto.DeleteReq_Options{LoginName: "nobody"}}, end)
	expect("Delete of nobody", err, missing)
	expect("a call of who is gone", read(users.Details(greta, details("greta"))), unauthenticated)
}

func details(login string) *proto.DetailsReq {
	return &proto.DetailsReq{Options: &proto.DetailsReq_Options{LoginName: login}}
}

func words(u *proto.DetailsResp_UserDetails) string {
	disabled := "false"
	if u.GetDisabled() {
		disabled = "true"
	}
	return u.GetLoginName() + " " + u.GetFullName() + " [" + strings.Join(u.GetGroups(), " ") + "] " + disabled
}

func recent(u *proto.DetailsResp_UserDetails) bool {
	at := time.Unix(0, u.GetLastUpdated().GetTicksSinceEpoch()*100)
	return time.Since(at).Abs() < time.Minute
}

type detailsStream = rpc.ServerStreamingClient[proto.DetailsResp]

func list(stream detailsStream, err error) ([]*proto.DetailsResp_UserDetails, error) {
	var all []*proto.DetailsResp_UserDetails
	for err == nil {
		var r *proto.DetailsResp
		if r, err = stream.Recv(); err == nil {
			all = append(all, r.GetUserDetails())
		}
	}
	if errors.Is(err, io.EOF) {
		return all, nil
	}
	return nil, err
}

func read(stream detailsStream, err error) error {
	_, err = list(stream, err)
	return err
}
