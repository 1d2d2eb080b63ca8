package retrial_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/goleak"

	"konto/domain"
	"konto/domain/policy"
	"konto/domain/policyversion"
	"konto/eventstore"
	"konto/eventstore/node/engine"
	"konto/internal/command"
	"konto/internal/contact"
	"konto/internal/envelope"
	"konto/internal/privacy"
	"konto/internal/retrial"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func id(kind, n int) string { return fmt.Sprintf("%08d-0000-7000-8000-%012d", kind, n) }

// The people: a customer's admin, and a partner's.
var (
	acme    = id(1, 1)
	borg    = id(1, 2)
	alice   = domain.Actor{ID: id(2, 1), Kind: domain.KindPerson, Tenant: acme, Roles: []domain.Role{domain.GlobalAdmin}}
	bob     = domain.Actor{ID: id(2, 2), Kind: domain.KindPerson, Tenant: borg, Roles: []domain.Role{domain.GlobalAdmin}}
	seller  = domain.Actor{ID: id(2, 3), Kind: domain.KindPerson, Tenant: borg, Roles: []domain.Role{domain.SalesAgent}}
	olga    = domain.Actor{ID: id(2, 9), Kind: domain.KindPerson, Tenant: id(1, 9), Roles: []domain.Role{domain.Operator}}
	start   = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	noSales = json.RawMessage(`{"roles":["global-admin"]}`)
)

// world is a real store with keys, a clock and whatever was carried out.
type world struct {
	*testing.T
	store eventstore.Store
	keys  *privacy.Keys
	h     *command.Handler
	mu    sync.Mutex
	now   time.Time
	sent  int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: start}
	store, err := engine.Open(filepath.Join(t.TempDir(), "store"), engine.Config{Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w.store = store
	w.keys, err = privacy.Open(t.Context(), privacy.Config{Path: filepath.Join(t.TempDir(), "keys.db"), RootKey: bytes.Repeat([]byte{7}, 32), Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.keys.Close() })
	w.h = command.New(command.Config{
		Store: store, Keys: w.keys, Contracts: envelope.Index(policy.Contracts), Sources: slices.Concat(policy.Sources, contact.Sources()),
		Authorization: policy.Table, Now: w.clock, Log: zerolog.Nop(), Tracer: noop.NewTracerProvider().Tracer(""),
	})
	rel := borg + "-" + acme
	w.send(olga, "tenant", acme, "RegisterTenant", `{"name":"Acme","country":"SE","currency":"SEK","locale":"sv-SE","domain":"acme.example"}`)
	w.send(bob, "rel", rel, "RequestRelationship", `{"type":"reseller"}`)
	w.send(alice, "rel", rel, "AcceptRelationship", `{}`)
	w.send(bob, "customer", acme, "RegisterCustomer", `{"companyName":"Acme AB","country":"SE","domain":"acme.example","language":"sv"}`)
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(time.Second)
	return w.now
}

func (w *world) sleep(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) send(by domain.Actor, category, target, name, body string) {
	w.Helper()
	w.sent++
	req := command.Request{
		ID: uuid.MustParse(id(9, w.sent)), Category: category, Target: target, Command: name,
		Body: json.RawMessage(body), Actor: by, Correlation: id(8, w.sent),
	}
	err := w.h.View(w.Context(), category, target, func(_ any, at eventstore.Revision, _ string) {
		if at >= 0 && (name == "UpdateCustomerAccount" || name == "AcceptRelationship") {
			req.Expected = &at
		}
	})
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.h.Handle(w.Context(), req); err != nil {
		w.Fatalf("%s: %v", name, err)
	}
}

func (w *world) rename(by domain.Actor, name string) {
	w.Helper()
	w.send(by, "customer", acme, "UpdateCustomerAccount", `{"companyDetails":{"companyName":"`+name+`"}}`)
}

func (w *world) test(q retrial.Question) retrial.Report {
	w.Helper()
	r, err := w.tester().Run(w.Context(), q)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func (w *world) tester() *retrial.Tester {
	return &retrial.Tester{
		Store: w.store, Keys: w.keys, Contracts: envelope.Index(policy.Contracts),
		Sources: slices.Concat(policy.Sources, contact.Sources()), Authorization: policy.Table,
	}
}

func TestDecisionsThatWouldDiffer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rename(bob, "One")
	w.rename(seller, "Two")
	w.rename(bob, "Three")
	head, _ := eventstore.Head(t.Context(), w.store)

	r := w.test(retrial.Question{Policy: "customer-editors", Rules: noSales})
	if r.Replayed != 3 || r.Same != 2 || r.Different != 1 || r.Undecidable != 0 {
		t.Fatalf("N11: report = %+v, want 1 of 3 to differ", r)
	}
	d := r.Differences[0]
	if d.Kind != "refused" || d.Actor.ID != seller.ID || d.Command != "UpdateCustomerAccount" || d.Version != 1 ||
		d.Now.Refused == nil || d.Now.Refused.Rule != "P1" || len(d.Was.Events) != 1 {
		t.Errorf("N11: difference = %+v, want that the sales agent is refused by P1", d)
	}
	if r := w.test(retrial.Question{Policy: "customer-editors", Version: 1}); r.Replayed != 3 || r.Different != 0 {
		t.Errorf("N11: under the same version: %+v, want no difference", r)
	}
	if after, _ := eventstore.Head(t.Context(), w.store); after != head {
		t.Errorf("N11: the store went from %v to %v, want nothing to be written", head, after)
	}
}

// What counts is what was known then: a relationship that has ended since does
// not refuse the commands from before.
func TestFactsAreThoseOfTheirTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rename(seller, "One")
	w.send(alice, "rel", borg+"-"+acme, "EndRelationship", `{}`)
	if r := w.test(retrial.Question{Policy: "customer-editors", Version: 1}); r.Replayed != 1 || r.Same != 1 {
		t.Errorf("N11: report = %+v, want the command to be decided as it was", r)
	}
}

func TestPublishedVersionsAreOfTheirTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rename(seller, "One")
	w.send(olga, "policy", "customer-editors", "PublishPolicyVersion", `{"number":2,"rules":`+string(noSales)+`,"note":"Admins alone."}`)
	w.sleep(time.Hour)
	w.rename(bob, "Two")
	r := w.test(retrial.Question{Policy: "customer-editors", Version: 2})
	if r.Replayed != 2 || r.Different != 1 || r.Differences[0].Actor.ID != seller.ID || r.Differences[0].Version != 1 {
		t.Errorf("N11: under version 2: %+v, want the first command to be refused", r)
	}
	if r := w.test(retrial.Question{Policy: "customer-editors", Version: 1}); r.Replayed != 2 || r.Different != 0 {
		t.Errorf("N11: under version 1: %+v, want no difference", r)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rename(seller, "One")
	w.sleep(time.Hour)
	noon := w.clock()
	w.sleep(time.Hour)
	w.rename(seller, "Two")
	for name, c := range map[string]struct {
		q    retrial.Question
		want int
	}{
		"N11: all":              {retrial.Question{}, 2},
		"N11: from noon":        {retrial.Question{From: noon}, 1},
		"N11: until noon":       {retrial.Question{To: noon}, 1},
		"N11: of the tenant":    {retrial.Question{Tenant: acme}, 2},
		"N11: of another":       {retrial.Question{Tenant: borg}, 0},
		"N11: no more than one": {retrial.Question{Limit: 1}, 2},
	} {
		c.q.Policy, c.q.Rules = "customer-editors", noSales
		r := w.test(c.q)
		if r.Different != c.want || len(r.Differences) != c.want && c.q.Limit == 0 || c.q.Limit == 1 && len(r.Differences) != 1 {
			t.Errorf("%s: report = %+v, want %d differences", name, r, c.want)
		}
	}
}

// A command about somebody who was erased cannot be decided again, and is said
// to be so.
func TestErasedBodyIsNotDecidable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rename(bob, "One")
	if _, err := w.keys.Destroy(t.Context(), acme, acme); err != nil {
		t.Fatal(err)
	}
	r := w.test(retrial.Question{Policy: "customer-editors", Rules: noSales})
	if r.Replayed != 0 || r.Undecidable != 1 || r.Undecided[0].Why != "erased" || r.Undecided[0].Command != "UpdateCustomerAccount" {
		t.Errorf("N11: report = %+v, want one command that is erased", r)
	}
}

func TestQuestionsThatCannotBeAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		q    retrial.Question
		want error
	}{
		"N11: no such policy":         {retrial.Question{Policy: "weather", Version: 1}, policyversion.ErrUnknown},
		"N11: no such version":        {retrial.Question{Policy: "customer-editors", Version: 2}, retrial.ErrVersion},
		"N11: rules it cannot take":   {retrial.Question{Policy: "customer-editors", Rules: json.RawMessage(`{}`)}, policyversion.ErrRules},
		"N11: neither version, rules": {retrial.Question{Policy: "customer-editors"}, policyversion.ErrRules},
	} {
		if _, err := w.tester().Run(t.Context(), c.q); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
