package command_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/goleak"

	"konto/domain"
	"konto/domain/card"
	"konto/domain/policy"
	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/eventstore/storetest"
	"konto/internal/command"
	"konto/internal/contact"
	"konto/internal/envelope"
	"konto/internal/privacy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// id returns a UUID that says what it is for.
func id(kind, n int) string { return fmt.Sprintf("%08d-0000-7000-8000-%012d", kind, n) }

// Two tenants and their people.
var (
	acme   = id(1, 1) // in Sweden
	borg   = id(1, 2) // in Sweden, too
	alice  = person(id(2, 1), acme, domain.GlobalAdmin)
	albert = person(id(2, 2), acme, domain.BillingAdmin)
	bob    = person(id(2, 3), borg, domain.GlobalAdmin)
	staff  = person(id(2, 9), id(1, 9), domain.Operator)
)

func person(id, tenant string, roles ...domain.Role) domain.Actor {
	return domain.Actor{ID: id, Kind: domain.KindPerson, Tenant: tenant, Roles: roles}
}

// world is a store with keys and a clock, and any number of handlers on it.
type world struct {
	*testing.T
	store eventstore.Store
	keys  *privacy.Keys
	clock *clock
	next  atomic.Int64 // of command IDs
}

// clock goes on by a second whenever it is asked.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { return c.advance(time.Second) }

func (c *clock) advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

func newWorld(t *testing.T, store eventstore.Store) *world {
	t.Helper()
	w := &world{T: t, store: store, clock: &clock{now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}}
	keys, err := privacy.Open(t.Context(), privacy.Config{
		Path: filepath.Join(t.TempDir(), "keys.db"), RootKey: bytes.Repeat([]byte{7}, 32), Now: w.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := keys.Close(); err != nil {
			t.Error(err)
		}
	})
	w.keys = keys
	h := w.handler(0)
	w.must(h, staff, "tenant", acme, "RegisterTenant", `{"name":"Acme","country":"SE","currency":"SEK","locale":"sv-SE","domain":"acme.example"}`)
	w.must(h, staff, "tenant", borg, "RegisterTenant", `{"name":"Borg","country":"SE","currency":"SEK","locale":"sv-SE","domain":"borg.example"}`)
	return w
}

// handler returns a handler with a cache of its own; size 0 is the default.
func (w *world) handler(size int) *command.Handler {
	return w.tuned(func(c *command.Config) { c.CacheStates = size })
}

func (w *world) tuned(tune func(*command.Config)) *command.Handler {
	cfg := command.Config{
		Store: w.store, Keys: w.keys, Contracts: envelope.Index(policy.Contracts),
		Sources: slices.Concat(policy.Sources, contact.Sources()), Authorization: policy.Table,
		Now: w.clock.Now, Log: zerolog.Nop(), Tracer: noop.NewTracerProvider().Tracer(""),
	}
	tune(&cfg)
	return command.New(cfg)
}

// request returns a request that nobody has sent before.
func (w *world) request(by domain.Actor, category, target, name, body string) command.Request {
	n := w.next.Add(1)
	if by.Kind == domain.KindPerson && by.AuthenticatedAt.IsZero() {
		by.AuthenticatedAt = w.clock.Now()
	}
	return command.Request{
		ID: uuid.MustParse(id(9, int(n))), Category: category, Target: target, Command: name,
		Body: json.RawMessage(body), Actor: by, Correlation: id(8, int(n)),
	}
}

func (w *world) send(h *command.Handler, by domain.Actor, category, target, name, body string) (command.Result, error) {
	return h.Handle(w.Context(), w.request(by, category, target, name, body))
}

func (w *world) must(h *command.Handler, by domain.Actor, category, target, name, body string) command.Result {
	w.Helper()
	return w.handled(h, w.request(by, category, target, name, body))
}

// handled carries req out and fails the test if it is refused.
func (w *world) handled(h *command.Handler, req command.Request) command.Result {
	w.Helper()
	res, err := h.Handle(w.Context(), req)
	if err != nil {
		w.Fatalf("%s: %v", req.Command, err)
	}
	return res
}

// revision says that the caller saw n.
func seeing(req command.Request, n int) command.Request {
	r := eventstore.Revision(n)
	req.Expected = &r
	return req
}

// newCard is the body of AddCard for card number n.
func newCard(n int) string {
	b, err := json.Marshal(card.AddCard{
		GatewayToken: fmt.Sprintf("pm_%d", n), Brand: "visa", Last4: "4242", ExpMonth: 9, ExpYear: 2029, Funding: "credit",
		IssuerCountry: "SE", Fingerprint: fmt.Sprintf("fp_%d", n), HolderName: "Alice Ek",
		BillTo: card.Address{Line1: "Storgatan 1", City: "Umeå", PostalCode: "903 26", Country: "SE"},
	})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// stream returns what the store holds of a stream.
func (w *world) stream(name string) []eventstore.Recorded {
	w.Helper()
	var all []eventstore.Recorded
	for r, err := range w.store.Read(w.Context(), name, eventstore.ReadStream{}) {
		if err != nil {
			w.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func (w *world) types(name string) []string {
	w.Helper()
	var types []string
	for _, r := range w.stream(name) {
		types = append(types, r.Type)
	}
	return types
}

func (w *world) head() eventstore.Position {
	w.Helper()
	p, err := eventstore.Head(w.Context(), w.store)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// state returns an account as a handler without any cached state sees it.
func (w *world) state(category, target string) string {
	w.Helper()
	return w.seen(w.handler(1), category, target)
}

// seen returns an account as h sees it.
func (w *world) seen(h *command.Handler, category, target string) string {
	w.Helper()
	var doc string
	err := h.View(w.Context(), category, target, func(state any, at eventstore.Revision, tenant string) {
		b, err := json.Marshal(state)
		if err != nil {
			w.Error(err)
		}
		doc = fmt.Sprintf("%d %s %s", at, tenant, b)
	})
	if err != nil {
		w.Fatal(err)
	}
	return doc
}

// fresh returns an empty store: one in memory, unless tests are to run on
// another kind.
func fresh(t *testing.T) eventstore.Store {
	t.Helper()
	if storetest.Embedded() {
		return memory.New()
	}
	return storetest.Must(t, t.TempDir())
}

// onEach runs a test on a store in memory and on the one that
// KONTO_TEST_STORE names.
func onEach(t *testing.T, test func(*world)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(newWorld(t, memory.New()))
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		test(newWorld(t, storetest.Must(t, t.TempDir())))
	})
}
