package system_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/eventstore/node/engine"
	"konto/internal/client"
	"konto/internal/demo"
	"konto/internal/system"
	"konto/internal/testclock"
)

// shared is a store that two systems have open; it outlives both.
type shared struct{ eventstore.Store }

func (shared) Close() error { return nil }

// beside starts a second system on the store and the key file of a first, and
// with its issuer: two processes of one deployment.
func (r *running) beside(store eventstore.Store, now func() time.Time, tune ...func(*system.Config)) *running {
	r.Helper()
	data := r.TempDir()
	for _, name := range []string{"keys.db", "root.key"} {
		if err := os.Symlink(filepath.Join(r.data, name), filepath.Join(data, name)); err != nil {
			r.Fatal(err)
		}
	}
	return start(r.T, data, func(c *system.Config) {
		on(store)(c)
		c.Dev, c.Now = false, now
		c.Keys.RootFile = filepath.Join(r.data, "root.key")
		c.Identity = system.Identity{Issuer: r.URL() + "/dev/issuer"}
		c.Mail = system.Mail{
			Addr: r.Mailbox().Addr(), TLS: "none", From: "Konto <konto@konto.localhost>",
			SMSDomain: "sms.konto.localhost", VoiceDomain: "voice.konto.localhost",
		}
		for _, more := range tune {
			more(c)
		}
	})
}

// on has a system use a store that stays open when the system stops.
func on(store eventstore.Store) func(*system.Config) {
	return func(c *system.Config) {
		c.Store, c.OpenStore = "", func(context.Context) (eventstore.Store, error) { return shared{store}, nil }
	}
}

// whoami asks a system who a token is, until it answers as is wanted: what
// another process did it hears of with the next events.
func (r *running) whoami(token string, want int) {
	r.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	for {
		got, _ := r.do(ask{token: token, method: http.MethodGet, path: "/v1/whoami"})
		if got == want {
			return
		}
		select {
		case <-deadline.C:
			r.Errorf("S13: whoami = %d, want %d", got, want)
			return
		default:
		}
	}
}

// TestALeaversTokenIsRefusedEverywhere off-boards somebody in one process and
// has their token tried in another.
func TestALeaversTokenIsRefusedEverywhere(t *testing.T) {
	store := memory.New()
	defer func() { _ = store.Close() }()
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	first := start(t, t.TempDir(), func(c *system.Config) {
		on(store)(c)
		c.Now = now
	})
	first.seed()
	first.settled()
	second := first.beside(store, now)
	mikkel := demo.People()[1]
	token := first.token(mikkel.Name, time.Hour)
	first.whoami(token, http.StatusOK)
	second.whoami(token, http.StatusOK)
	if status, problem := first.do(ask{as: "anna", path: "/v1/admins/" + mikkel.ID + "/OffboardEmployee"}); status != http.StatusOK {
		t.Fatalf("OffboardEmployee = %d %v", status, problem)
	}
	if status, problem := first.do(ask{as: "mikkel", method: http.MethodGet, path: "/v1/whoami"}); status != http.StatusUnauthorized || problem["code"] != "session-ended" {
		t.Errorf("S13: the next request = %d %v, want 401 session-ended at once", status, problem)
	}
	second.whoami(token, http.StatusUnauthorized)
	if status, problem := first.do(ask{as: "anna", path: "/v1/admins/" + mikkel.ID + "/RestoreEmployee"}); status != http.StatusOK {
		t.Fatalf("RestoreEmployee = %d %v", status, problem)
	}
	first.whoami(token, http.StatusUnauthorized)
	second.whoami(token, http.StatusUnauthorized)
	// A token says in whole seconds when it was issued.
	ahead.Store(int64(2 * time.Second))
	later := first.token(mikkel.Name, time.Hour)
	first.whoami(later, http.StatusOK)
	second.whoami(later, http.StatusOK)
}

// TestErasedPeopleAreForgottenEverywhere erases somebody in one process and
// reads them in another, whose clock stands still: what it remembers does not
// run out by itself, and it carries out no erasure of its own.
func TestErasedPeopleAreForgottenEverywhere(t *testing.T) {
	clock, err := testclock.Open(filepath.Join(t.TempDir(), "clock"), time.Now(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	store, err := engine.Open(filepath.Join(t.TempDir(), "events"), engine.Config{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	first := start(t, t.TempDir(), func(c *system.Config) {
		on(store)(c)
		c.Now, c.Clock = clock.Now, clock
	})
	first.seed()
	first.settled()
	began := clock.Now()
	second := first.beside(store, func() time.Time { return began }, func(c *system.Config) { c.WriteOnly = true })
	mikkel, token := demo.People()[1], first.token("anna", time.Hour)
	name := func() (readable bool) {
		t.Helper()
		var state struct{ State json.RawMessage }
		c := &client.Client{Base: second.URL(), Token: token, HTTP: second.client}
		if err := c.Get(t.Context(), "/v1/accounts/admin-"+mikkel.ID+"/state", &state); err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(state.State, []byte("Mikkel"))
	}
	if !name() {
		t.Fatal("N4: the name cannot be read before")
	}
	for _, path := range []string{"/v1/admins/" + mikkel.ID + "/OffboardEmployee", "/v1/subjects/" + mikkel.ID + "/RequestErasure"} {
		if status, problem := first.do(ask{as: "anna", path: path}); status != http.StatusOK {
			t.Fatalf("%s = %d %v", path, status, problem)
		}
	}
	if _, err := first.AdvanceTo(t.Context(), clock.Now().AddDate(0, 0, 9)); err != nil {
		t.Fatal(err)
	}
	if status, problem := first.do(ask{as: "anna", path: "/v1/admins/" + mikkel.ID + "/RestoreEmployee"}); status != http.StatusConflict || problem["code"] != "admin-data-erased" {
		t.Errorf("N4, S13: RestoreEmployee = %d %v, want admin-data-erased", status, problem)
	}
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	for name() {
		select {
		case <-deadline.C:
			t.Fatal("N4: the other process still reads the name after the erasure was certified")
		default:
		}
	}
}
