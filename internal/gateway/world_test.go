package gateway_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"github.com/stripe/stripe-go/v85/webhook"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/goleak"

	"konto/domain"
	"konto/domain/card"
	"konto/domain/policy"
	"konto/domain/tenant"
	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/command"
	"konto/internal/contact"
	"konto/internal/envelope"
	"konto/internal/gateway"
	"konto/internal/privacy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// IDs of the world: a company with a card that pays for one subscription.
const (
	company      = "00000001-0000-7000-8000-000000000001"
	anna         = "00000002-0000-7000-8000-000000000001"
	visa         = "00000003-0000-7000-8000-000000000001"
	subscription = "00000004-0000-7000-8000-000000000001"
	token        = "pm_visa"
	secret       = "whsec_new"
	oldSecret    = "whsec_old"
)

type world struct {
	*testing.T
	store  *memory.Store
	stripe *gateway.Stripe
	send   func(by domain.Actor, category, target, name string, body any)
	down   atomic.Bool // the store refuses appends
	log    bytes.Buffer
	seen   []string // what Observe heard
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t}
	w.store = &memory.Store{Fault: func(string, bool) error {
		if w.down.Load() {
			return eventstore.ErrUnavailable
		}
		return nil
	}}
	keys, err := privacy.Open(t.Context(), privacy.Config{
		Path: filepath.Join(t.TempDir(), "keys.db"), RootKey: bytes.Repeat([]byte{7}, 32), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	commands := command.New(command.Config{
		Store: w.store, Keys: keys, Contracts: envelope.Index(policy.Contracts), Sources: slices.Concat(policy.Sources, contact.Sources()),
		Authorization: policy.Table, Now: time.Now, Log: zerolog.Nop(), Tracer: noop.NewTracerProvider().Tracer(""),
	})
	w.stripe = &gateway.Stripe{
		Commands: commands, Secrets: []string{secret, oldSecret}, NewID: uuid.New, Log: zerolog.New(&w.log),
		Observe: func(eventType, outcome string) { w.seen = append(w.seen, eventType+" "+outcome) },
		Problem: func(rw http.ResponseWriter, _ *http.Request, status int, code, _ string) {
			rw.WriteHeader(status)
			_, _ = rw.Write([]byte(code))
		},
	}
	w.send = func(by domain.Actor, category, target, name string, body any) {
		t.Helper()
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		_, err = commands.Handle(t.Context(), command.Request{
			ID: uuid.New(), Category: category, Target: target, Command: name, Body: b, Actor: by, Tenant: company,
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	w.send(command.System, "tenant", company, "RegisterTenant", tenant.RegisterTenant{Name: "N", Country: "SE", Currency: "SEK", Locale: "sv", Domain: "n.example"})
	w.addCard(visa, token)
	w.subscribe(subscription, visa)
	return w
}

var owner = domain.Actor{ID: anna, Kind: domain.KindPerson, Tenant: company, Roles: []domain.Role{domain.GlobalAdmin}}

func (w *world) addCard(id, token string) {
	w.Helper()
	w.send(owner, "card", id, "AddCard", card.AddCard{
		GatewayToken: token, Brand: "visa", Last4: "4242", ExpMonth: 9, ExpYear: time.Now().Year() + 3, IssuerCountry: "SE",
		Fingerprint: "fp_" + token, HolderName: "Anna", BillTo: card.Address{Line1: "S 1", City: "Umeå", PostalCode: "903 26", Country: "SE"},
	})
}

// subscribe lets a card pay for a new subscription.
func (w *world) subscribe(id, cardID string) {
	w.Helper()
	w.send(owner, "billing", id, "RegisterSubscription", map[string]string{"product": "P", "cardId": cardID})
	w.send(command.System, "card", cardID, "AttachCard", card.AttachCard{SubscriptionID: id})
}

// event is the body of a webhook about a charge.
func event(id, kind string, object map[string]any) []byte {
	b, err := json.Marshal(map[string]any{
		"id": id, "object": "event", "type": kind, "created": time.Now().Unix(), "data": map[string]any{"object": object},
	})
	if err != nil {
		panic(err) // maps of strings and numbers marshal
	}
	return b
}

func charge(more map[string]any) map[string]any {
	c := map[string]any{"id": "ch_1", "amount": 14900, "currency": "sek", "created": 1_790_000_000, "payment_method": token}
	maps.Copy(c, more)
	return c
}

func sign(body []byte, secret string, at time.Time) string {
	return webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: secret, Timestamp: at}).Header
}

// post delivers a webhook and returns its answer.
func (w *world) post(body []byte, signature string) (int, string) {
	w.Helper()
	req := httptest.NewRequestWithContext(w.Context(), http.MethodPost, "/", bytes.NewReader(body))
	if signature != "" {
		req.Header.Set("Stripe-Signature", signature)
	}
	rec := httptest.NewRecorder()
	w.stripe.ServeHTTP(rec, req)
	return rec.Code, rec.Body.String()
}

func (w *world) deliver(body []byte) (int, gateway.Receipt) {
	w.Helper()
	status, text := w.post(body, sign(body, secret, time.Now()))
	var r gateway.Receipt
	if status == http.StatusOK {
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			w.Fatal(err)
		}
	}
	return status, r
}

func (w *world) head() eventstore.Position {
	w.Helper()
	p, err := eventstore.Head(w.Context(), w.store)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// find returns the events of a type.
func find[E any](w *world, kind string) (all []E) {
	w.Helper()
	for r, err := range w.store.ReadAll(w.Context(), eventstore.ReadAll{}) {
		if err != nil {
			w.Fatal(err)
		}
		if r.Type != kind {
			continue
		}
		var e E
		if err := json.Unmarshal(r.Data, &e); err != nil {
			w.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// invoiceOf returns the ID of the aggregate that recorded the first event of a type.
func (w *world) invoiceOf(kind string) string {
	w.Helper()
	for r, err := range w.store.ReadAll(w.Context(), eventstore.ReadAll{}) {
		if err != nil {
			w.Fatal(err)
		}
		if r.Type == kind {
			_, id, _ := strings.Cut(r.Stream, "-")
			return id
		}
	}
	w.Fatalf("no %s", kind)
	return ""
}
