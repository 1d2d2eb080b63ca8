package httpapi_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace/noop"

	"konto/domain"
	"konto/domain/policy"
	"konto/domain/securityinfo"
	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/callout"
	"konto/internal/command"
	"konto/internal/contact"
	"konto/internal/envelope"
	"konto/internal/httpapi"
	"konto/internal/identity"
	"konto/internal/privacy"
)

// mark is in every personal value that the world and the bodies have, so that
// one that gets out is found. It is nowhere else, and hardly in a ciphertext.
const mark = "zqxwvmrk"

// genesis is when the world begins. What callers send comes days later.
var genesis = time.Date(2026, 10, 5, 9, 0, 0, 0, time.UTC)

// world is the API over a store in memory, with accounts in all states. It is
// for one goroutine.
type world struct {
	testing.TB
	base     *memory.Store // as it is before each attempt
	store    *ledger
	keys     *privacy.Keys
	handler  *command.Handler
	api      http.Handler
	now      time.Time
	ids      int
	log      *lines
	actors   []domain.Actor
	tokens   map[string]string // by actor's ID
	bare     []string          // commands whose sample nobody has made
	samples  []sample
	targets  map[string][]string // accounts, by category
	words    map[string][]any    // values, by field
	fields   map[string][]string // by command
	memory   map[string]any      // of the reactions
	held     bool                // what follows from a command is a sample alone
	observed string              // outcome of the last command
}

// ledger is the store as the handler sees it, and what was appended since it
// was looked at.
type ledger struct {
	*memory.Store
	appended []eventstore.Recorded
}

func (l *ledger) Append(ctx context.Context, stream string, expected eventstore.Revision, events ...eventstore.Event) (eventstore.Appended, error) {
	at, err := l.Store.Append(ctx, stream, expected, events...)
	if err == nil {
		for _, e := range events {
			l.appended = append(l.appended, eventstore.Recorded{Event: e, Stream: stream})
		}
	}
	return at, err
}

func newWorld(tb testing.TB) (*world, *refusals) {
	tb.Helper()
	w := &world{
		TB: tb, base: &memory.Store{}, now: genesis, log: &lines{}, actors: people(), tokens: map[string]string{},
		memory: map[string]any{},
	}
	w.store = &ledger{Store: w.base}
	keys, err := privacy.Open(context.Background(), privacy.Config{
		Path: filepath.Join(tb.TempDir(), "keys.db"), RootKey: bytes.Repeat([]byte{7}, 32), Now: w.clock,
	})
	if err != nil {
		tb.Fatal(err)
	}
	w.keys = keys
	told := &refusals{Store: &memory.Store{}}
	rejections := command.NewRejections(told, keys, w.clock, zerolog.New(w.log))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = rejections.Run(ctx)
	}()
	tb.Cleanup(func() {
		cancel()
		<-done
		if err := keys.Close(); err != nil {
			tb.Error(err)
		}
	})
	w.handler = command.New(command.Config{
		Store: w.store, Keys: keys, Contracts: envelope.Index(policy.Contracts),
		Sources: slices.Concat(policy.Sources, contact.Sources(), callout.Sources(false)), Authorization: policy.Table,
		Now: w.clock, Log: zerolog.New(w.log), Tracer: noop.NewTracerProvider().Tracer(""),
		Preview:    func(context.Context, []domain.Recorded[any]) ([]domain.Effect, error) { return nil, nil },
		Rejections: rejections, Observe: func(o command.Observation) { w.observed = o.Outcome },
	})
	w.live()
	w.settle()
	w.api = httpapi.New(httpapi.Config{
		Commands: w.handler, Contracts: policy.Contracts, Reading: policy.Table, Store: w.store, Keys: keys,
		CustomerRequests: math.MaxInt32, // as fast as it goes
		Verifier:         w.identity(), Now: w.clock, NewID: w.newID, Log: zerolog.New(w.log), Tracer: noop.NewTracerProvider().Tracer(""),
	})
	return w, told
}

func (w *world) clock() time.Time { return w.now }

func (w *world) newID() uuid.UUID {
	w.ids++
	return uuid.MustParse(id(9, w.ids))
}

// settle makes what there is now the world that each attempt begins with.
func (w *world) settle() {
	w.samples = slices.SortedFunc(slices.Values(w.samples), func(a, b sample) int { return strings.Compare(a.name(), b.name()) })
	w.targets, w.words, w.fields = w.allTargets(), w.allWords(), w.allFields()
	w.reset()
}

// reset takes back what an attempt has done.
func (w *world) reset() {
	if w.store.Store == w.base || len(w.store.appended) > 0 {
		w.store.Store = w.base.Fork()
		w.handler.Forget()
	}
	w.store.appended, w.ids = nil, 1000
	w.log.take()
}

// identity signs tokens for all actors, and returns who checks them.
func (w *world) identity() *identity.Verifier {
	const issuer, audience = "https://login.example", "konto"
	key := jose.JSONWebKey{Key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32)), KeyID: "k", Algorithm: string(jose.EdDSA), Use: "sig"}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: key}, (&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		w.Fatal(err)
	}
	signedIn := jwt.NewNumericDate(w.now)
	for _, a := range w.actors {
		w.tokens[a.ID], err = jwt.Signed(signer).Claims(map[string]any{
			"iss": issuer, "aud": audience, "sub": a.ID, "exp": jwt.NewNumericDate(w.now.Add(time.Hour)), "auth_time": signedIn,
			"tenant": a.Tenant, "roles": a.Roles, "kind": a.Kind,
		}).Serialize()
		if err != nil {
			w.Fatal(err)
		}
	}
	at := w.now
	v, err := identity.New(identity.Config{
		Issuer: issuer, Audience: audience, JWKSURL: issuer + "/keys", Now: func() time.Time { return at },
		HTTPClient: &http.Client{Transport: keySet{jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}}},
	})
	if err != nil {
		w.Fatal(err)
	}
	return v
}

// keySet answers with the issuer's keys.
type keySet struct{ jose.JSONWebKeySet }

func (k keySet) RoundTrip(r *http.Request) (*http.Response, error) {
	b, err := json.Marshal(k)
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(b)), Request: r,
	}, err
}

// do sends a command on behalf of the world's history; what follows at once
// from it follows. What follows later, or is held back, becomes a sample.
func (w *world) do(by, category, target, name, body string) {
	w.Helper()
	w.now = w.now.Add(30 * time.Second)
	if err := w.send(w.actor(by), category, target, name, w.fill(body), true); err != nil {
		w.Fatalf("%s of %s by %s: %v", name, target, by, err)
	}
}

func (w *world) actor(name string) domain.Actor {
	i := slices.IndexFunc(w.actors, func(a domain.Actor) bool { return a.ID == name })
	if i < 0 {
		return command.System
	}
	a := w.actors[i]
	a.AuthenticatedAt = w.now
	return a
}

func (w *world) send(by domain.Actor, category, target, name, body string, follow bool) error {
	req := command.Request{
		ID: w.newID(), Category: category, Target: target, Command: name, Body: json.RawMessage(body), Actor: by, Correlation: w.newID().String(),
	}
	if by.Kind == domain.KindSystem {
		req.Tenant = w.tenantOf(category, target)
	} else if by.Kind != domain.KindPerson {
		req.Tenant = by.Tenant
	}
	contract := w.handler.Contracts[category]
	if i := slices.IndexFunc(contract.Commands(), func(c domain.CommandInfo) bool { return c.Name == name }); contract.Commands()[i].CallerSaw {
		if saw := w.revision(category, target); saw >= 0 {
			req.Expected = &saw
		}
	}
	res, err := w.handler.Handle(context.Background(), req)
	if err != nil || !follow {
		return err
	}
	for i, e := range res.Events {
		data, err := contract.DecodeEvent(domain.Raw{Type: e.Type, Data: e.Data})
		if err != nil {
			return err
		}
		w.react(domain.Recorded[any]{
			Data: data, ID: target, Category: category, Tenant: cmp.Or(w.tenantOf(category, target), by.Tenant), EventID: e.ID.String(), Type: e.Type,
			Revision: int64(res.Revision) - int64(len(res.Events)-1-i), At: w.now, Actor: by, Correlation: req.Correlation,
		})
	}
	return nil
}

func (w *world) revision(category, target string) (at eventstore.Revision) {
	err := w.handler.View(context.Background(), category, target, func(_ any, r eventstore.Revision, _ string) { at = r })
	if err != nil {
		w.Fatal(err)
	}
	return at
}

func (w *world) tenantOf(category, target string) (owner string) {
	err := w.handler.View(context.Background(), category, target, func(_ any, _ eventstore.Revision, tenant string) { owner = tenant })
	if err != nil {
		w.Fatal(err)
	}
	return cmp.Or(owner, home)
}

// react sends on what the reactions ask for. What they ask for later is a
// sample of its command.
func (w *world) react(e domain.Recorded[any]) {
	for _, r := range policy.Reactions {
		step, ok := r.Steps[reflect.TypeOf(e.Data)]
		if !ok {
			continue
		}
		key := r.Name + "/" + step.Key(e)
		if _, ok := w.memory[key]; !ok || step.Key(e) == "" {
			w.memory[key] = step.New()
		}
		for _, effect := range step.Then(w.memory[key], e) {
			d, ok := effect.(domain.Dispatch)
			if !ok {
				continue
			}
			for _, c := range policy.Contracts {
				raw, err := c.Encode(d.Command)
				if err != nil {
					continue
				}
				w.samples = slices.DeleteFunc(w.samples, func(s sample) bool { return s.name() == c.Category()+"/"+raw.Type })
				w.samples = append(w.samples, sample{"", c.Category(), d.To, raw.Type, string(raw.Data), w.now.Add(d.After)})
				if d.After == 0 && !w.held {
					_ = w.send(command.System, c.Category(), d.To, raw.Type, string(raw.Data), true) // a refusal is final
				}
			}
		}
	}
}

// code returns the one-time code that waits in a slot.
func (w *world) code(person string, slot securityinfo.Slot) string {
	var s securityinfo.SecurityInfo
	w.see("secinfo", person, &s)
	pending := map[securityinfo.Slot]string{
		securityinfo.SlotMobile: s.Mobile.Verification, securityinfo.SlotOffice: s.Office.Verification,
		securityinfo.SlotAlternateMobile: s.AlternateMobile.Verification, securityinfo.SlotAlternateEmail: s.AlternateEmail.Verification,
	}[slot]
	return w.tenantKeys().Code(pending)
}

func (w *world) tenantKeys() *privacy.Tenant {
	keys, err := w.keys.Tenant(context.Background(), home)
	if err != nil {
		w.Fatal(err)
	}
	return keys
}

// see copies the state of an account.
func (w *world) see(category, id string, state any) {
	w.Helper()
	err := w.handler.View(context.Background(), category, id, func(s any, _ eventstore.Revision, _ string) {
		reflect.ValueOf(state).Elem().Set(reflect.ValueOf(s).Elem())
	})
	if err != nil {
		w.Fatal(err)
	}
}

// call sends a request to the API as a caller would.
func (w *world) call(r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	w.api.ServeHTTP(answer, r)
	return answer
}
