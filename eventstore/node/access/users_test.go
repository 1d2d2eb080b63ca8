package access_test

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"konto/eventstore"
	"konto/eventstore/node/access"
)

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	c := open(t, access.Config{})
	user := access.User{Login: "gréta", FullName: "Gréta", Groups: []string{"readers"}}
	if err := c.CreateUser(t.Context(), user, "pass:wörd"); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, header string
		want         access.Principal
		err          error
	}{
		{"nothing is nobody", "", access.Anonymous(), nil},
		{"admin", basic("admin", "changeit"), admin, nil},
		{"ops", basic("ops", "changeit"), ops, nil},
		{"a password with a colon", basic("gréta", "pass:wörd"), access.Principal{Login: "gréta", Groups: []string{"readers"}}, nil},
		{"a scheme in small letters", strings.Replace(basic("admin", "changeit"), "Basic", "basic", 1), admin, nil},
		{"a wrong password", basic("admin", "changeit "), access.Principal{}, access.ErrBadCredentials},
		{"no password", basic("admin", ""), access.Principal{}, access.ErrBadCredentials},
		{"an unknown login", basic("nobody", "changeit"), access.Principal{}, access.ErrBadCredentials},
		{"another's password", basic("gréta", "changeit"), access.Principal{}, access.ErrBadCredentials},
		{"case counts", basic("Admin", "changeit"), access.Principal{}, access.ErrBadCredentials},
		{"no login", basic("", "changeit"), access.Principal{}, access.ErrBadCredentials},
		{"no colon", "Basic " + base64.StdEncoding.EncodeToString([]byte("admin")), access.Principal{}, access.ErrBadCredentials},
		{"not base64", "Basic admin:changeit", access.Principal{}, access.ErrBadCredentials},
		{"another scheme", "Bearer abc", access.Principal{}, access.ErrBadCredentials},
		{"a login that is a stream", basic("$admins", "changeit"), access.Principal{}, access.ErrBadCredentials},
		{"not a text", "Basic " + base64.StdEncoding.EncodeToString([]byte("\xff\xfe:x")), access.Principal{}, access.ErrBadCredentials},
		{"too long", basic("admin", strings.Repeat("x", 5000)), access.Principal{}, access.ErrBadCredentials},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for range 2 { // verified, and remembered
				got, err := c.Authenticate(t.Context(), row.header)
				if !errors.Is(err, row.err) || diff(row.want, got) != "" {
					t.Errorf("Authenticate() = %v, %v, want %v, %v", got, err, row.want, row.err)
				}
			}
		})
	}
}

// TestUsers leads one user through everything.
func TestUsers(t *testing.T) {
	t.Parallel()
	c := open(t, access.Config{})
	ctx := t.Context()
	can := func(password string, want error) {
		t.Helper()
		if _, err := c.Authenticate(ctx, basic("greta", password)); !errors.Is(err, want) {
			t.Errorf("Authenticate(greta, %q) = %v, want %v", password, err, want)
		}
	}
	is := func(what string, got, want error) {
		t.Helper()
		if !errors.Is(got, want) {
			t.Errorf("%s = %v, want %v", what, got, want)
		}
	}
	user := access.User{Login: "greta", FullName: "Greta", Groups: []string{"readers"}}
	can("first", access.ErrBadCredentials) // remembered, and forgotten when she comes
	is("CreateUser", c.CreateUser(ctx, user, "first"), nil)
	can("first", nil)
	is("the same again", c.CreateUser(ctx, user, "first"), nil)
	is("a login that is taken", c.CreateUser(ctx, user, "other"), access.ErrUserConflict)

	is("UpdateUser", c.UpdateUser(ctx, "greta", "Greta B", []string{"writers"}), nil)
	p, err := c.Authenticate(ctx, basic("greta", "first"))
	if err != nil || !p.Has("writers") || p.Has("readers") {
		t.Errorf("after an update Authenticate() = %v, %v, want the new groups", p, err)
	}
	is("SetPassword", c.SetPassword(ctx, "greta", "second"), nil)
	can("first", access.ErrBadCredentials)
	can("second", nil)
	is("ChangePassword, not knowing it", c.ChangePassword(ctx, "greta", "first", "third"), access.ErrDenied)
	is("ChangePassword", c.ChangePassword(ctx, "greta", "second", "third"), nil)
	can("second", access.ErrBadCredentials)
	can("third", nil)
	is("disable", c.EnableUser(ctx, "greta", false), nil)
	can("third", access.ErrBadCredentials)
	got, err := c.User(ctx, "greta")
	want := access.User{Login: "greta", FullName: "Greta B", Groups: []string{"writers"}, Disabled: true, Updated: time.Now()}
	if err != nil || diff(want, got) != "" {
		t.Errorf("User() = %v, %v, want %v", got, err, want)
	}
	is("enable", c.EnableUser(ctx, "greta", true), nil)
	can("third", nil)

	is("DeleteUser", c.DeleteUser(ctx, "greta"), nil)
	can("third", access.ErrBadCredentials)
	is("delete again", c.DeleteUser(ctx, "greta"), access.ErrUserNotFound)
	is("update who is gone", c.UpdateUser(ctx, "greta", "", nil), access.ErrUserNotFound)
	is("enable who is gone", c.EnableUser(ctx, "greta", true), access.ErrUserNotFound)
	is("password of who is gone", c.SetPassword(ctx, "greta", "x"), access.ErrUserNotFound)
	_, err = c.User(ctx, "greta")
	is("look at who is gone", err, access.ErrUserNotFound)
	is("the login is free", c.CreateUser(ctx, user, "fourth"), nil)
	can("fourth", nil)

	users, err := c.Users(ctx)
	var logins []string
	for _, u := range users {
		logins = append(logins, u.Login)
	}
	if err != nil || diff([]string{"admin", "greta", "ops"}, logins) != "" {
		t.Errorf("Users() = %v, %v, want admin, greta and ops, each once", logins, err)
	}
}

func TestInvalidUsers(t *testing.T) {
	t.Parallel()
	c := open(t, access.Config{})
	good := access.User{Login: "greta", Groups: []string{"readers"}}
	for name, row := range map[string]struct {
		spoil    func(*access.User)
		password string
	}{
		"no login":          {func(u *access.User) { u.Login = "" }, "x"},
		"a role's login":    {func(u *access.User) { u.Login = "$admins" }, "x"},
		"a login's colon":   {func(u *access.User) { u.Login = "a:b" }, "x"},
		"a login's newline": {func(u *access.User) { u.Login = "a\nb" }, "x"},
		"a long login":      {func(u *access.User) { u.Login = strings.Repeat("x", 101) }, "x"},
		"no password":       {func(*access.User) {}, ""},
		"a long password":   {func(*access.User) {}, strings.Repeat("x", 1001)},
		"a long name":       {func(u *access.User) { u.FullName = strings.Repeat("x", 501) }, "x"},
		"an empty group":    {func(u *access.User) { u.Groups = []string{""} }, "x"},
		"many groups":       {func(u *access.User) { u.Groups = strings.Split(strings.Repeat("x,", 101), ",") }, "x"},
	} {
		user := good
		row.spoil(&user)
		if err := c.CreateUser(t.Context(), user, row.password); !errors.Is(err, access.ErrInvalid) {
			t.Errorf("%s: CreateUser() = %v, want ErrInvalid", name, err)
		}
	}
	if users, err := c.Users(t.Context()); err != nil || len(users) != 2 {
		t.Errorf("Users() = %v, %v, want the two of the beginning", users, err)
	}
}

// TestSecrets checks whose passwords count: EventStoreDB's own hashes do, what
// cannot be read does not.
func TestSecrets(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := open(t, access.Config{Store: s})
	salt := []byte("0123456789abcdef")
	key, err := pbkdf2.Key(sha1.New, "secret", salt, 1000, 20)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.StdEncoding.EncodeToString
	record := func(more string) string {
		return fmt.Sprintf(`{"loginName":"greta","fullName":"Greta","groups":["readers"],"salt":%q,"hash":%q%s}`, text(salt), text(key), more)
	}
	for _, row := range []struct {
		name, data string
		want       error
	}{
		{"EventStoreDB's", record(`,"disabled":false`), nil},
		{"disabled", record(`,"disabled":true`), access.ErrBadCredentials},
		{"another's record", strings.Replace(record(""), "greta", "hugo", 1), access.ErrBadCredentials},
		{"an unknown algorithm", record(`,"algorithm":"rot13"`), access.ErrBadCredentials},
		{"no iterations", record(`,"algorithm":"pbkdf2-sha256"`), access.ErrBadCredentials},
		{"endless iterations", record(`,"algorithm":"pbkdf2-sha256","iterations":9000000000`), access.ErrBadCredentials},
		{"no hash", `{"loginName":"greta","salt":"","hash":""}`, access.ErrBadCredentials},
		{"not base64", `{"loginName":"greta","salt":"§","hash":"§"}`, access.ErrBadCredentials},
		{"not JSON", `greta`, access.ErrBadCredentials},
	} {
		write(t, s, "$user-greta", "$UserUpdated", row.data)
		if _, err := c.Authenticate(t.Context(), basic("greta", "secret")); !errors.Is(err, row.want) {
			t.Errorf("%s: Authenticate() = %v, want %v", row.name, err, row.want)
		}
	}
	if err := c.SetPassword(t.Context(), "greta", "another"); err != nil {
		t.Errorf("SetPassword over a record that cannot be read = %v, want nil", err)
	}
}

// TestStored checks what is in the store: no password, and what clients expect
// there.
func TestStored(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := open(t, access.Config{Store: s, Iterations: 1234})
	if err := c.CreateUser(t.Context(), access.User{Login: "greta"}, "very secret"); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for e, err := range s.ReadAll(t.Context(), eventstore.ReadAll{}) {
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, e.Stream+" "+e.Type)
		if strings.Contains(string(e.Data), "very secret") {
			t.Errorf("%s holds the password", e.Stream)
		}
		if e.Stream == "$user-greta" {
			var r struct {
				Algorithm  string
				Iterations int
			}
			if err := json.Unmarshal(e.Data, &r); err != nil || r.Algorithm != "pbkdf2-sha256" || r.Iterations != 1234 {
				t.Errorf("%s has %+v, %v, want pbkdf2-sha256 and 1234", e.Stream, r, err)
			}
		}
	}
	want := []string{
		"$users $User", "$user-admin $UserCreated", "$users $User", "$user-ops $UserCreated",
		"$settings update-default-acl", "$users $User", "$user-greta $UserCreated",
	}
	if d := diff(want, kinds); d != "" {
		t.Errorf("the store differs (-want +got):\n%s", d)
	}
}

// TestOnce checks that a store that was in use gets nothing anew: a default
// user who was deleted stays away.
func TestOnce(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := open(t, access.Config{Store: s})
	if err := c.DeleteUser(t.Context(), "ops"); err != nil {
		t.Fatal(err)
	}
	before := s.Head()
	again := open(t, access.Config{Store: s})
	if s.Head() != before {
		t.Errorf("a second Open wrote something: %v, want %v", s.Head(), before)
	}
	if _, err := again.Authenticate(t.Context(), basic("ops", "changeit")); !errors.Is(err, access.ErrBadCredentials) {
		t.Errorf("Authenticate(ops) = %v, want ErrBadCredentials", err)
	}
}

// TestTogether creates one user from many goroutines: one wins, and the others
// learn that.
func TestTogether(t *testing.T) {
	t.Parallel()
	c := open(t, access.Config{})
	var all sync.WaitGroup
	results := make([]error, 8)
	for i := range results {
		all.Go(func() {
			results[i] = c.CreateUser(t.Context(), access.User{Login: "greta"}, fmt.Sprint("password", i))
		})
	}
	all.Wait()
	winners := 0
	for i, err := range results {
		_, can := c.Authenticate(t.Context(), basic("greta", fmt.Sprint("password", i)))
		if (err == nil) != (can == nil) || err != nil && !errors.Is(err, access.ErrUserConflict) {
			t.Errorf("CreateUser %d = %v, but Authenticate = %v", i, err, can)
		}
		if err == nil {
			winners++
		}
	}
	if winners != 1 {
		t.Errorf("%d succeeded, want 1", winners)
	}
}

// TestUnavailable checks that a store that is closed lets nobody in.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := open(t, access.Config{Store: s})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if p, err := c.Authenticate(t.Context(), basic("admin", "changeit")); !errors.Is(err, eventstore.ErrClosed) || p.Known() {
		t.Errorf("Authenticate() = %v, %v, want ErrClosed", p, err)
	}
	if err := c.Allow(t.Context(), greta, access.ReadStream, "any"); !errors.Is(err, eventstore.ErrClosed) {
		t.Errorf("Allow() = %v, want ErrClosed", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c = open(t, access.Config{})
	if _, err := c.Authenticate(ctx, basic("admin", "changeit")); !errors.Is(err, context.Canceled) {
		t.Errorf("Authenticate(cancelled) = %v, want context.Canceled", err)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	c := open(b, access.Config{})
	header := basic("admin", "changeit")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Authenticate(b.Context(), header); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	s := openStore(b)
	c := open(b, access.Config{Store: s, Iterations: 600_000})
	if err := c.CreateUser(b.Context(), access.User{Login: "greta"}, "very secret"); err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		i++
		if _, err := c.Authenticate(b.Context(), basic("greta", strconv.Itoa(i))); !errors.Is(err, access.ErrBadCredentials) {
			b.Fatal(err)
		}
	}
}

func BenchmarkAllow(b *testing.B) {
	s := openStore(b)
	c := open(b, access.Config{Store: s})
	write(b, s, "$$own", "$metadata", `{"$acl":{"$r":"readers"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Allow(b.Context(), greta, access.ReadStream, "own"); err != nil {
			b.Fatal(err)
		}
	}
}
