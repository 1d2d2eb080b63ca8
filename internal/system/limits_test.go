package system_test

import (
	"cmp"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"konto/internal/demo"
	"konto/internal/identity"
	"konto/internal/system"
)

// handClock is a clock that tests move.
type handClock struct{ offset atomic.Int64 }

func (c *handClock) now() time.Time {
	return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC).Add(time.Duration(c.offset.Load()))
}

// send is do with the answer's headers, and with a token of the test's clock.
func (r *running) send(a ask) (int, http.Header) {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), a.method, r.URL()+a.path, strings.NewReader(a.body))
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token(a.as, time.Hour))
	for name, value := range a.header {
		req.Header.Set(name, value)
	}
	res, err := r.client.Do(req)
	if err != nil {
		r.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode, res.Header
}

func limitedSystem(t *testing.T, perMinute int) (*running, *handClock) {
	t.Helper()
	clock := &handClock{}
	r := start(t, t.TempDir(), func(c *system.Config) {
		c.Now, c.Limits.CustomerRequests = clock.now, perMinute
	})
	r.seed()
	clock.offset.Add(int64(time.Minute)) // what the demo company was made with is there again
	return r, clock
}

// Every way to the customer resource is counted, and nothing else is.
func TestCustomerRequestsAreCounted(t *testing.T) {
	t.Parallel()
	r, clock := limitedSystem(t, 3)
	relate := "/v1/relationships/" + demo.Relationship + "/RequestRelationship"
	for _, c := range []struct {
		name    string
		ask     ask
		status  int // of the first, when there is room
		counted bool
	}{
		{"P12: the list of customers", ask{method: "GET", path: "/v1/customers"}, 200, true},
		{"P12: a customer", ask{method: "GET", path: "/v1/customers/" + demo.Norrsken}, 200, true},
		{"P12: a customer that is not there", ask{method: "GET", path: "/v1/customers/" + demo.Staff}, 404, true},
		{"P12: relationships", ask{method: "GET", path: "/v1/relationships", as: "bo"}, 200, true},
		{"P12: purchase permissions", ask{method: "GET", path: "/v1/purchase-permissions", as: "bo"}, 200, true},
		{"P12: a customer's history", ask{method: "GET", path: "/v1/accounts/customer-" + demo.Norrsken + "/history"}, 200, true},
		{"P12: a customer's state", ask{method: "GET", path: "/v1/accounts/customer-" + demo.Norrsken + "/state"}, 200, true},
		{"P12: a command that is refused", ask{method: "POST", path: "/v1/customers/" + demo.Norrsken + "/UpdateCustomerAccount"}, 428, true},
		{"P12: a command to no account", ask{method: "POST", path: "/v1/customers/x/UpdateCustomerAccount"}, 404, true},
		{"P12: a dry run", ask{method: "POST", path: "/v1/customers/" + demo.Norrsken + "/UpdateCustomerAccount?dry-run=true"}, 428, true},
		{"P12: the same command with the same key", ask{
			method: "POST", path: relate, body: `{"type":"reseller"}`,
			header: map[string]string{"Idempotency-Key": "demo/relationships/" + demo.Relationship + "/RequestRelationship"},
		}, 200, true},
		{"P12: who somebody is has no quota", ask{method: "GET", path: "/v1/whoami"}, 200, false},
		{"P12: an own account's history has no quota", ask{method: "GET", path: "/v1/accounts/tenant-" + demo.Nordvind + "/history"}, 404, false},
	} {
		c.ask.as = cmp.Or(c.ask.as, "saga")
		for i := range 5 {
			status, header := r.send(c.ask)
			switch want := c.status; {
			case c.counted && i >= 3:
				if status != http.StatusTooManyRequests || header.Get("Retry-After") != "20" || header.Get("RateLimit") != `"customers";r=0;t=60` {
					t.Errorf("%s: request %d: %d %v, want 429 and when to come again", c.name, i+1, status, header)
				}
			case status != want:
				t.Errorf("%s: request %d: %d, want %d", c.name, i+1, status, want)
			case c.counted && header.Get("RateLimit-Policy") != `"customers";q=3;w=60`, !c.counted && header.Get("RateLimit-Policy") != "":
				t.Errorf("%s: request %d: headers %v", c.name, i+1, header)
			}
		}
		if status, header := r.send(ask{method: "GET", path: "/v1/customers", as: "anna"}); status != 200 || header.Get("RateLimit") != `"customers";r=2;t=20` {
			t.Errorf("%s: another tenant: %d %v, want all of its own quota", c.name, status, header)
		}
		clock.offset.Add(int64(time.Minute))
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
}

// The refusal says which rule it is, and when to come again.
func TestP12_RefusalNamesTheRule(t *testing.T) {
	t.Parallel()
	r, clock := limitedSystem(t, 2)
	a := ask{method: "GET", path: "/v1/customers", as: "saga"}
	for range 2 {
		if status, problem := r.do(a); status != 200 {
			t.Fatalf("the first two: %d %v", status, problem)
		}
	}
	status, problem := r.do(a)
	if status != http.StatusTooManyRequests || problem["code"] != "quota-exceeded" || problem["rule"] != "P12" || problem["because"] == nil {
		t.Errorf("the third: %d %v, want 429 quota-exceeded by P12", status, problem)
	}
	if names, _ := problem["violated-policies"].([]any); len(names) != 1 || names[0] != "customers" {
		t.Errorf("violated-policies = %v, want customers", problem["violated-policies"])
	}
	if status, problem := r.do(ask{method: "GET", path: a.path}); status != http.StatusUnauthorized {
		t.Errorf("without a token: %d %v, want 401", status, problem)
	}
	clock.offset.Add(int64(time.Minute))
	if status, problem := r.do(a); status != 200 {
		t.Errorf("after a minute: %d %v, want 200", status, problem)
	}
}

// A tenant gets no more by asking on many connections and as several people.
func TestP12_ManyConnections(t *testing.T) {
	t.Parallel()
	r, _ := limitedSystem(t, 50)
	var passed, refused atomic.Int64
	var all sync.WaitGroup
	tokens := []string{r.token("saga", time.Hour), r.token("bo", time.Hour)}
	for n := range 8 {
		all.Go(func() {
			for range 10 {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL()+"/v1/customers", nil)
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+tokens[n%2])
				res, err := r.client.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				_ = res.Body.Close()
				switch res.StatusCode {
				case http.StatusOK:
					passed.Add(1)
				case http.StatusTooManyRequests:
					refused.Add(1)
				}
			}
		})
	}
	all.Wait()
	if passed.Load() != 50 || refused.Load() != 30 {
		t.Errorf("%d passed and %d were refused, want 50 and 30", passed.Load(), refused.Load())
	}
}

// Five hundred is what a system has that nobody configured.
func TestP12_Default(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	token, err := r.Issuer().Mint(identity.Person{ID: "somebody", Tenant: demo.Nordvind}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL()+"/v1/customers", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if got, want := res.Header.Get("RateLimit-Policy"), `"customers";q=500;w=60`; got != want {
		t.Errorf("RateLimit-Policy = %s, want %s", got, want)
	}
	cfg := system.Config{Data: t.TempDir(), Dev: true, Now: time.Now, Limits: system.Limits{CustomerRequests: -1}}
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "limits.customer-requests") {
		t.Errorf("Validate = %v, want one that names the setting", err)
	}
}
