package system_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"konto/eventstore/storetest"
	"konto/internal/demo"
	"konto/internal/httpapi"
	"konto/internal/system"
)

// A system whose event store is elsewhere starts without it, says so, goes on
// when it comes, and again after it has gone.
func TestStoreThatComesAndGoes(t *testing.T) {
	t.Parallel()
	dir, addr := t.TempDir(), freeAddr(t)
	var end func() error
	come := func() {
		var err error
		if _, end, err = storetest.Node(t.Context(), dir, addr); err != nil {
			t.Fatal(err)
		}
	}
	r := start(t, t.TempDir(), func(c *system.Config) {
		c.Store, c.OpenStore = "esdb://"+addr+"?tls=false", nil
	})
	defer func() {
		if err := r.stop(); err != nil {
			t.Errorf("stop = %v", err)
		}
		if end != nil {
			if err := end(); err != nil {
				t.Error(err)
			}
		}
	}()
	r.away()
	come()
	r.ready()
	r.seed()
	r.settled()
	for i := range 2 {
		if err := end(); err != nil {
			t.Error(err)
		}
		end = nil
		r.away()
		if status, _ := r.do(ask{as: "anna", method: http.MethodGet, path: "/v1/cards/" + demo.AnnasCard}); status != http.StatusOK {
			t.Errorf("a query = %d, want 200: read models are here", status)
		}
		come()
		r.ready()
		name, anna := strings.Repeat("A", i+2), demo.People()[1].ID
		status, problem := r.do(ask{
			as: "anna", path: "/v1/admins/" + anna + "/ChangeDisplayName", body: `{"displayName":"` + name + `"}`,
			header: map[string]string{"If-Match": r.tag("/v1/admins/" + anna)},
		})
		if status != http.StatusOK {
			t.Errorf("a command when the store is back = %d %v", status, problem)
		}
		var admin struct{ DisplayName string }
		if err := r.as("anna").Get(t.Context(), "/v1/admins/"+anna+"?after="+r.settled().String(), &admin); err != nil || admin.DisplayName != name {
			t.Errorf("admin = %+v, %v, want %s", admin, err, name)
		}
	}
	if n := bytes.Count(r.log.Bytes(), []byte("waiting for it")); n != 3 {
		t.Errorf("the log says %d times that it waits for the store, want 3:\n%s", n, r.log.Bytes())
	}
}

// away waits until the system has noticed that its store is away, and checks
// what it says.
func (r *running) away() {
	r.Helper()
	health := r.health(func(h httpapi.Health) bool { return !h.Ready && !h.Checks["store"].OK })
	if problem := health.Checks["store"].Problem; !strings.Contains(problem, "event store") {
		r.Errorf("/readyz says %q, want that the event store is missing", problem)
	}
	if status, _ := r.do(ask{method: http.MethodGet, path: "/livez"}); status != http.StatusOK {
		r.Errorf("/livez = %d, want 200", status)
	}
	for range 2 {
		req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, r.URL()+"/v1/tenants/"+demo.Norrsken+"/RegisterTenant",
			strings.NewReader(`{"name":"N","country":"SE","currency":"SEK","locale":"sv","domain":"n.example"}`))
		if err != nil {
			r.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+r.token("operator", time.Hour))
		res, err := r.client.Do(req)
		if err != nil {
			r.Fatal(err)
		}
		var problem struct{ Code string }
		err = json.NewDecoder(res.Body).Decode(&problem)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || problem.Code != "store-unavailable" {
			r.Errorf("a command = %d %+v, Retry-After %q, %v, want 503 store-unavailable and when to try again", res.StatusCode, problem, res.Header.Get("Retry-After"), err)
		}
	}
}

func (r *running) ready() {
	r.Helper()
	r.health(func(h httpapi.Health) bool { return h.Ready })
}

// health waits until /readyz says what is wanted.
func (r *running) health(wanted func(httpapi.Health) bool) httpapi.Health {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var health httpapi.Health
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL()+"/readyz", nil)
		if err != nil {
			r.Fatal(err)
		}
		res, err := r.client.Do(req)
		if err == nil {
			err = json.NewDecoder(res.Body).Decode(&health)
			_ = res.Body.Close()
		}
		if err == nil && (res.StatusCode == http.StatusOK) == health.Ready && wanted(health) {
			return health
		}
		select {
		case <-ctx.Done():
			r.Fatalf("/readyz = %+v, %v\n%s", health, err, r.log.Bytes())
		case <-tick.C:
		}
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
