package access_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"konto/eventstore"
	"konto/eventstore/node/access"
	"konto/eventstore/node/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newID() eventstore.ID { return eventstore.ID(uuid.New()) }

func openStore(tb testing.TB) *engine.Store {
	tb.Helper()
	s, err := engine.Open("store", engine.Config{FS: vfs.NewMem()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() }) // what it says is not what is tested
	return s
}

func open(tb testing.TB, cfg access.Config) *access.Control {
	tb.Helper()
	if cfg.Store == nil {
		cfg.Store = openStore(tb)
	}
	cfg.Now, cfg.NewID = time.Now, newID
	if cfg.Iterations == 0 {
		cfg.Iterations = 1000
	}
	c, err := access.Open(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() }) // never fails
	return c
}

// write appends JSON to a stream, whatever is there.
func write(tb testing.TB, s *engine.Store, stream, kind, data string) {
	tb.Helper()
	event := eventstore.Event{ID: newID(), Type: kind, Data: []byte(data)}
	if _, err := s.Append(tb.Context(), stream, eventstore.Any, event); err != nil {
		tb.Fatal(err)
	}
}

func basic(login, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(login+":"+password))
}

var (
	nobody = access.Anonymous()
	admin  = access.Principal{Login: "admin", Groups: []string{"$admins"}}
	ops    = access.Principal{Login: "ops", Groups: []string{"$ops"}}
	greta  = access.Principal{Login: "greta", Groups: []string{"readers"}}
	hugo   = access.Principal{Login: "hugo"}
	chief  = access.Principal{Login: "chief", Groups: []string{"$admins"}}
)

// TestAllow has a row for each rule, and for each rule one that it does not
// let through.
func TestAllow(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := open(t, access.Config{Store: s})
	write(t, s, "$$own", "$metadata", `{"$acl":{"$r":"readers","$w":["hugo","readers"],"$d":"$ops","$mr":"greta","$mw":[]}}`)
	write(t, s, "$$partly", "$metadata", `{"$acl":{"$w":"hugo"}}`)
	write(t, s, "$$everybody", "$metadata", `{"$acl":{"$r":"$all"}}`)
	write(t, s, "$$$open", "$metadata", `{"$acl":{"$r":["hugo"],"$mr":"hugo"}}`)
	write(t, s, "$$broken", "$metadata", `{"$acl":{"$r":"readers"},"$maxCount":"many"}`)
	write(t, s, "$$limits", "$metadata", `{"$maxCount":3}`)

	for _, row := range []struct {
		name   string
		who    access.Principal
		op     access.Operation
		stream string
		want   error
	}{
		{"user streams are everybody's who signed in", greta, access.ReadStream, "any", nil},
		{"also to write", greta, access.WriteStream, "any", nil},
		{"also to delete", greta, access.DeleteStream, "any", nil},
		{"also their metadata", greta, access.WriteMetadata, "any", nil},
		{"but not nobody's", nobody, access.ReadStream, "any", access.ErrDenied},
		{"nobody writes", nobody, access.WriteStream, "any", access.ErrDenied},
		{"system streams are the admins'", admin, access.ReadStream, "$users", nil},
		{"and nobody else's", greta, access.ReadStream, "$users", access.ErrDenied},
		{"not of operators either", ops, access.ReadStream, "$users", access.ErrDenied},
		{"an admin by group", chief, access.ReadStream, "$users", nil},
		{"indexes are system streams", greta, access.ReadStream, "$ce-any", access.ErrDenied},

		{"$all is a system stream", greta, access.ReadStream, "$all", access.ErrDenied},
		{"by its other name", greta, access.ReadAll, "", access.ErrDenied},
		{"no stream is $all", greta, access.ReadStream, "", access.ErrDenied},
		{"admins read $all", admin, access.ReadAll, "", nil},
		{"nobody writes to $all", admin, access.WriteStream, "$all", access.ErrDenied},
		{"nobody deletes $all", admin, access.DeleteStream, "$all", access.ErrDenied},
		{"admins describe $all", admin, access.WriteStream, "$$$all", nil},

		{"a role that is a group", greta, access.ReadStream, "own", nil},
		{"or not", hugo, access.ReadStream, "own", access.ErrDenied},
		{"a role that is a login", hugo, access.WriteStream, "own", nil},
		{"one of several", greta, access.WriteStream, "own", nil},
		{"or none", ops, access.WriteStream, "own", access.ErrDenied},
		{"operators have roles, too", ops, access.DeleteStream, "own", nil},
		{"delete is not write", hugo, access.DeleteStream, "own", access.ErrDenied},
		{"metadata is not the stream", hugo, access.ReadMetadata, "own", access.ErrDenied},
		{"metadata of whom it names", greta, access.ReadMetadata, "own", nil},
		{"an empty list names nobody", greta, access.WriteMetadata, "own", access.ErrDenied},
		{"but admins", admin, access.WriteMetadata, "own", nil},
		{"admins pass all lists", admin, access.ReadStream, "own", nil},

		{"$$s is read by $mr of s", greta, access.ReadStream, "$$own", nil},
		{"and by nobody else", hugo, access.ReadStream, "$$own", access.ErrDenied},
		{"$$s is written by $mw of s", greta, access.WriteStream, "$$own", access.ErrDenied},
		{"as anybody by default", greta, access.WriteStream, "$$any", nil},
		{"nobody deletes $$s", admin, access.DeleteStream, "$$any", access.ErrDenied},
		{"$$ of a system stream", greta, access.ReadStream, "$$$users", access.ErrDenied},

		{"what a list leaves out is by default", greta, access.ReadStream, "partly", nil},
		{"what it has is not", greta, access.WriteStream, "partly", access.ErrDenied},
		{"what it has lets through", hugo, access.WriteStream, "partly", nil},
		{"metadata without a list", greta, access.ReadStream, "limits", nil},
		{"metadata that cannot be read is none", hugo, access.ReadStream, "broken", nil},
		{"a system stream with a list", hugo, access.ReadStream, "$open", nil},
		{"and its metadata", hugo, access.ReadStream, "$$$open", nil},
		{"what it leaves out is the admins'", hugo, access.WriteStream, "$open", access.ErrDenied},
		{"$all is everybody who signed in", hugo, access.ReadStream, "everybody", nil},
		{"and nobody else", nobody, access.ReadStream, "everybody", access.ErrDenied},

		{"groups are managed by operators", ops, access.ManagePersistent, "any", nil},
		{"and admins", chief, access.ManagePersistent, "any", nil},
		{"and nobody else", greta, access.ManagePersistent, "any", access.ErrDenied},
		{"groups are shown to any login", greta, access.InspectPersistent, "own", nil},
		{"not to nobody", nobody, access.InspectPersistent, "own", access.ErrDenied},
		{"groups are read by who reads the stream", greta, access.ReadPersistent, "own", nil},
		{"and nobody else", hugo, access.ReadPersistent, "own", access.ErrDenied},
		{"without a login by nobody", nobody, access.ReadPersistent, "everybody", access.ErrDenied},

		{"operators operate", ops, access.Operate, "", nil},
		{"admins, too", admin, access.Operate, "", nil},
		{"nobody else", greta, access.Operate, "", access.ErrDenied},
		{"admins manage users", chief, access.ManageUsers, "greta", nil},
		{"operators do not", ops, access.ManageUsers, "greta", access.ErrDenied},
		{"oneself one may look at", greta, access.ReadUser, "greta", nil},
		{"others not", greta, access.ReadUser, "hugo", access.ErrDenied},
		{"but admins do", admin, access.ReadUser, "hugo", nil},
		{"nobody is no user", nobody, access.ReadUser, "", access.ErrDenied},
		{"one's own password", greta, access.ChangePassword, "greta", nil},
		{"not another's", admin, access.ChangePassword, "greta", access.ErrDenied},
		{"nobody has no password", nobody, access.ChangePassword, "", access.ErrDenied},
		{"statistics for any login", hugo, access.Monitor, "", nil},
		{"not for nobody", nobody, access.Monitor, "", access.ErrDenied},
		{"gossip for everybody", nobody, access.ReadGossip, "", nil},
		{"features for everybody", nobody, access.ReadServerFeatures, "", nil},
		{"what is no operation", admin, access.Operation(0), "any", access.ErrDenied},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for range 2 { // looked up, and remembered
				if got := c.Allow(t.Context(), row.who, row.op, row.stream); !errors.Is(got, row.want) {
					t.Errorf("Allow(%q, %d, %q) = %v, want %v", row.who.Login, row.op, row.stream, got, row.want)
				}
			}
		})
	}
}

func TestAllowAnonymous(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := open(t, access.Config{Store: s, AllowAnonymous: true})
	write(t, s, "$$own", "$metadata", `{"$acl":{"$r":["readers"]}}`)
	for _, row := range []struct {
		op     access.Operation
		stream string
		want   error
	}{
		{access.ReadStream, "any", nil},
		{access.WriteStream, "any", nil},
		{access.ReadStream, "own", access.ErrDenied},
		{access.ReadStream, "$all", access.ErrDenied},
		{access.ReadPersistent, "any", access.ErrDenied},
		{access.Operate, "", access.ErrDenied},
		{access.ManageUsers, "", access.ErrDenied},
		{access.Monitor, "", access.ErrDenied},
	} {
		if got := c.Allow(t.Context(), nobody, row.op, row.stream); !errors.Is(got, row.want) {
			t.Errorf("Allow(nobody, %d, %q) = %v, want %v", row.op, row.stream, got, row.want)
		}
	}
}

func TestInsecure(t *testing.T) {
	t.Parallel()
	c := open(t, access.Config{Insecure: true})
	if p, err := c.Authenticate(t.Context(), basic("admin", "wrong")); p.Known() || err != nil {
		t.Errorf("Authenticate(wrong password) = %v, %v, want nobody", p, err)
	}
	for _, op := range []access.Operation{access.ReadStream, access.Operate, access.ManageUsers} {
		if err := c.Allow(t.Context(), nobody, op, "$users"); err != nil {
			t.Errorf("Allow(nobody, %d) = %v, want nil", op, err)
		}
	}
	users, err := c.Users(t.Context())
	if err != nil || len(users) != 2 {
		t.Errorf("Users() = %v, %v, want admin and ops", users, err)
	}
}

// TestDefaults checks what `$settings` changes, and that a change counts for
// the next call.
func TestDefaults(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := open(t, access.Config{Store: s})
	write(t, s, "$$own", "$metadata", `{"$acl":{"$r":"hugo"}}`)
	for _, row := range []struct {
		settings    string
		user        error // greta reads a user stream
		system      error // a system stream
		writes, own error // writes a user stream; reads one with a list of its own
	}{
		{`{"$userStreamAcl":{"$r":["readers"]}}`, nil, access.ErrDenied, nil, access.ErrDenied},
		{`{"$userStreamAcl":{"$r":"hugo","$w":"hugo"}}`, access.ErrDenied, access.ErrDenied, access.ErrDenied, access.ErrDenied},
		{`{"$userStreamAcl":{"$r":[]}}`, access.ErrDenied, access.ErrDenied, nil, access.ErrDenied},
		{`{"$systemStreamAcl":{"$r":["$admins","readers"]}}`, nil, nil, nil, access.ErrDenied},
		{`{"$userStreamAcl":{"$r":null}}`, nil, access.ErrDenied, nil, access.ErrDenied},
		{`{}`, nil, access.ErrDenied, nil, access.ErrDenied},
		{`{"$SYSTEMstreamACL":{"$r":"readers"},"$userStreamAcl":{"$R":"hugo"}}`, nil, access.ErrDenied, nil, access.ErrDenied},
		{`{"$userStreamAcl":{"$r":7}}`, access.ErrDenied, access.ErrDenied, access.ErrDenied, access.ErrDenied},
		{`nothing`, access.ErrDenied, access.ErrDenied, access.ErrDenied, access.ErrDenied},
	} {
		write(t, s, "$settings", "update-default-acl", row.settings)
		for _, want := range []struct {
			op     access.Operation
			stream string
			want   error
		}{
			{access.ReadStream, "any", row.user},
			{access.ReadStream, "$any", row.system},
			{access.WriteStream, "any", row.writes},
			{access.ReadStream, "own", row.own},
		} {
			if got := c.Allow(t.Context(), greta, want.op, want.stream); !errors.Is(got, want.want) {
				t.Errorf("with %s: Allow(greta, %d, %q) = %v, want %v", row.settings, want.op, want.stream, got, want.want)
			}
		}
		if err := c.Allow(t.Context(), admin, access.ReadStream, "$any"); err != nil {
			t.Errorf("with %s: Allow(admin) = %v, want nil", row.settings, err)
		}
	}
}

// TestChangesCount changes a list many times: each counts for the next call.
func TestChangesCount(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := open(t, access.Config{Store: s})
	for i := range 200 {
		login, want := "greta", error(nil)
		if i%2 == 1 {
			login, want = "hugo", access.ErrDenied
		}
		write(t, s, "$$own", "$metadata", `{"$acl":{"$r":"`+login+`"}}`)
		if got := c.Allow(t.Context(), greta, access.ReadStream, "own"); !errors.Is(got, want) {
			t.Fatalf("change %d: Allow(greta) = %v, want %v", i, got, want)
		}
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := open(t, access.Config{Store: s})
	own, stop := c.Watch("own")
	defer stop()
	other, stopOther := c.Watch("$$other")
	defer stopOther()
	gone, stopGone := c.Watch("own")
	stopGone()
	expect := func(what string, ch <-chan struct{}) {
		t.Helper()
		select {
		case <-ch:
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: no token came", what)
		}
	}
	write(t, s, "own", "Happened", `{}`)
	write(t, s, "$$other", "$metadata", `{}`) // a token for other says that own's event was seen
	expect("metadata", other)
	if len(own) != 0 {
		t.Error("an event in the stream gave a token, want none")
	}
	write(t, s, "$$own", "$metadata", `{"$acl":{"$r":"hugo"}}`)
	expect("metadata", own)
	write(t, s, "$settings", "update-default-acl", `{}`)
	expect("settings", own)
	expect("settings", other)
	if _, err := s.Delete(t.Context(), "own", eventstore.Any); err != nil {
		t.Fatal(err)
	}
	expect("soft deletion", own)
	if len(gone) != 0 {
		t.Error("a watch that was stopped has a token")
	}
}

func TestOpenNeeds(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	good := access.Config{Store: s, Now: time.Now, NewID: newID, Iterations: 1000}
	for name, spoil := range map[string]func(*access.Config){
		"no store":       func(c *access.Config) { c.Store = nil },
		"no clock":       func(c *access.Config) { c.Now = nil },
		"no ids":         func(c *access.Config) { c.NewID = nil },
		"few iterations": func(c *access.Config) { c.Iterations = 999 },
	} {
		cfg := good
		spoil(&cfg)
		if c, err := access.Open(t.Context(), cfg); err == nil {
			_ = c.Close()
			t.Errorf("%s: Open() = nil, want an error", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := access.Open(ctx, good); !errors.Is(err, context.Canceled) {
		t.Errorf("Open(cancelled) = %v, want context.Canceled", err)
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	if p := access.From(t.Context()); p.Known() {
		t.Errorf("From(empty) = %v, want nobody", p)
	}
	if p := access.From(access.With(t.Context(), greta)); !p.Has("readers") || !p.Has("greta") || p.Has("hugo") {
		t.Errorf("From(With(greta)) = %v, want greta", p)
	}
	if nobody.Has("") {
		t.Error("nobody has a role")
	}
}

// TestWarning checks that the log says so as long as a default password is in
// use, and does not name who is nobody's business.
func TestWarning(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	start := func() (string, *access.Control) {
		var log bytes.Buffer
		c := open(t, access.Config{Store: s, Log: zerolog.New(&log), Iterations: 2000})
		return log.String(), c
	}
	log, c := start()
	if strings.Count(log, "default password") != 2 || !c.HasDefaults() {
		t.Errorf("a new store logs %q, want two warnings", log)
	}
	if err := c.SetPassword(t.Context(), "admin", "something better"); err != nil {
		t.Fatal(err)
	}
	log, c = start()
	if strings.Count(log, "default password") != 1 || !strings.Contains(log, `"ops"`) || c.HasDefaults() {
		t.Errorf("with ops' default password the log has %q, want one warning", log)
	}
	if err := c.SetPassword(t.Context(), "admin", "changeit"); err != nil {
		t.Fatal(err)
	}
	if err := c.EnableUser(t.Context(), "ops", false); err != nil {
		t.Fatal(err)
	}
	if log, _ = start(); strings.Count(log, "default password") != 1 || !strings.Contains(log, `"admin"`) {
		t.Errorf("with admin's default password again the log has %q, want one warning", log)
	}
}

func diff(want, got any) string {
	return cmp.Diff(want, got, cmpopts.EquateApproxTime(time.Minute), cmpopts.EquateEmpty())
}
