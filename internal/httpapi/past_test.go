package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
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
	"go.opentelemetry.io/otel/trace/noop"

	"konto/domain"
	"konto/domain/audit"
	"konto/domain/policy"
	"konto/domain/tenant"
	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/command"
	"konto/internal/contact"
	"konto/internal/envelope"
	"konto/internal/history"
	"konto/internal/privacy"
)

const (
	company = "00000001-0000-7000-8000-000000000001"
	annaID  = "00000002-0000-7000-8000-000000000001"
	evaID   = "00000002-0000-7000-8000-000000000002"
	cardID  = "00000003-0000-7000-8000-000000000001"
)

// stuck is a store that takes nothing while full is set.
type stuck struct {
	eventstore.Store
	full atomic.Bool
}

func (s *stuck) Append(ctx context.Context, stream string, expected eventstore.Revision, events ...eventstore.Event) (eventstore.Appended, error) {
	if s.full.Load() {
		return eventstore.Appended{}, eventstore.ErrUnavailable
	}
	return s.Store.Append(ctx, stream, expected, events...)
}

// office is a company with anna, its global admin, anna's card, and eva, its
// auditor.
type office struct {
	*testing.T
	*server
	store *stuck
	now   time.Time
	anna  context.Context //nolint:containedctx // a caller
	eva   context.Context //nolint:containedctx // a caller
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{T: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	now := func() time.Time { return o.now }
	o.store = &stuck{Store: &memory.Store{Now: now}}
	keys, err := privacy.Open(t.Context(), privacy.Config{Path: filepath.Join(t.TempDir(), "keys.db"), RootKey: bytes.Repeat([]byte{7}, 32), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	contracts := envelope.Index(policy.Contracts)
	o.server = &server{
		Config: Config{
			Commands: command.New(command.Config{
				Store: o.store, Keys: keys, Contracts: contracts, Sources: slices.Concat(policy.Sources, contact.Sources()),
				Authorization: policy.Table, Now: now, Log: zerolog.Nop(), Tracer: noop.NewTracerProvider().Tracer(""),
			}),
			Reading: policy.Table, Store: o.store, Keys: keys, Now: now, NewID: uuid.New, Log: zerolog.Nop(),
		},
		history: &history.Reader{Store: o.store, Keys: keys, Contracts: contracts},
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	person := func(id string, role domain.Role) context.Context {
		return identified(t.Context(), domain.Actor{ID: id, Kind: domain.KindPerson, Tenant: company, Roles: []domain.Role{role}, AuthenticatedAt: o.now}, r)
	}
	o.anna, o.eva = person(annaID, domain.GlobalAdmin), person(evaID, domain.Auditor)
	system := context.WithValue(t.Context(), actorKey, command.System)
	o.do(system, "tenant", company, tenant.Aggregate, tenant.RegisterTenant{Name: "N", Country: "SE", Currency: "SEK", Locale: "sv", Domain: "n.example"})
	o.send(o.anna, "card", cardID, "AddCard", json.RawMessage(`{"gatewayToken":"pm_1","brand":"visa","last4":"4242","expMonth":9,"expYear":2029,
		"issuerCountry":"SE","fingerprint":"fp","holderName":"Anna Lindqvist","billTo":{"line1":"Storgatan 1","city":"Umeå","postalCode":"903 26","country":"SE"}}`))
	return o
}

func (o *office) do(ctx context.Context, category, target string, c domain.Contract, cmd any) {
	o.Helper()
	raw, err := c.Encode(cmd)
	if err != nil {
		o.Fatal(err)
	}
	o.send(ctx, category, target, raw.Type, raw.Data)
}

func (o *office) send(ctx context.Context, category, target, name string, body json.RawMessage) {
	o.Helper()
	req := command.Request{ID: o.NewID(), Category: category, Target: target, Command: name, Body: body, Actor: actorOf(ctx)}
	if req.Actor.Kind == domain.KindSystem {
		req.Tenant = company
	}
	if _, err := o.Commands.Handle(o.Context(), req); err != nil {
		o.Fatalf("%s: %v", name, err)
	}
}

func (o *office) open(s audit.Scope) {
	o.Helper()
	o.do(o.eva, "audit", evaID, audit.Aggregate, audit.OpenAuditSession{Purpose: "cards", Scope: s, Minutes: 60})
}

// recorded returns the types of what was recorded of eva's reading.
func (o *office) recorded() (types []string) {
	o.Helper()
	for r, err := range o.Store.Read(o.Context(), "audit-"+evaID, eventstore.ReadStream{}) {
		if err != nil {
			return nil
		}
		types = append(types, r.Type)
	}
	return types
}

func (o *office) history(ctx context.Context) ([]history.Entry, error) {
	a, err := o.accountHistory(ctx, &historyQuery{Account: Account{Stream: "card-" + cardID}, Limit: 10})
	return a.body.Events, err
}

func TestN20_WhatCannotBeRecordedIsNotAnswered(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.open(audit.Scope{Whole: true})
	o.store.full.Store(true)
	if events, err := o.history(o.eva); !errors.Is(err, eventstore.ErrUnavailable) || events != nil {
		t.Errorf("history = %v, %v, want none, since nothing can be recorded", events, err)
	}
	if events, err := o.history(o.anna); err != nil || len(events) != 1 {
		t.Errorf("an admin's reading = %d events, %v: it needs no record", len(events), err)
	}
	f := &follower{server: o.server, sights: map[string]*domain.Sight{}}
	head, err := eventstore.Head(t.Context(), o.Store)
	if err != nil {
		t.Fatal(err)
	}
	for l, err := range f.lines(o.eva, eventstore.Position{}, head) {
		if !errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("of the log: %v, %v, want nothing", l, err)
		}
	}
	o.store.full.Store(false)
	if events, err := o.history(o.eva); err != nil || len(events) != 1 {
		t.Errorf("history = %d events, %v", len(events), err)
	}
	if got := o.recorded(); !slices.Equal(got, []string{"AuditAccessGranted", "AuditHistoryRead"}) {
		t.Errorf("recorded %v", got)
	}
}

// The log is read once, however many events come, and only while it may be.
func TestN20_FollowingEndsWithTheSession(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.open(audit.Scope{Kinds: []string{"card"}})
	f := &follower{server: o.server, sights: map[string]*domain.Sight{}}
	var all []eventstore.Recorded
	for r, err := range o.Store.ReadAll(t.Context(), eventstore.ReadAll{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	seen := 0
	for _, r := range all {
		line, err := f.render(o.eva, r)
		if err != nil {
			t.Fatal(err)
		}
		if line != nil && strings.HasPrefix(r.Stream, "card-") {
			seen++
		}
	}
	if got := o.recorded(); seen != 1 || !slices.Equal(got, []string{"AuditAccessGranted", "AuditHistoryRead"}) {
		t.Errorf("%d events of the card, recorded %v", seen, got)
	}
	o.now = o.now.Add(time.Hour)
	for _, r := range all {
		if !strings.HasPrefix(r.Stream, "card-") {
			continue
		}
		if line, err := f.render(o.eva, r); !errors.Is(err, audit.ErrNoSession) {
			t.Errorf("after the end: %s, %v", line, err)
		}
	}
}

func TestN20_BundleIsWhatItSays(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if _, err := o.packer(o.eva); !errors.Is(err, audit.ErrNoSession) {
		t.Errorf("without a session: %v", err)
	}
	if _, err := o.packer(o.anna); err == nil {
		t.Error("an admin is no auditor")
	}
	o.open(audit.Scope{Kinds: []string{"card"}, Personal: true})
	p, err := o.packer(o.eva)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	end, err := p.pack(o.eva, &b)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(b.Bytes()); end.SHA256 != hex.EncodeToString(sum[:]) || end.Events != 1 || end.Kinds["card"] != 1 {
		t.Errorf("end = %+v of\n%s", end, b.String())
	}
	if !strings.Contains(b.String(), "Anna Lindqvist") || strings.Contains(b.String(), "TenantRegistered") {
		t.Errorf("the bundle holds\n%s", b.String())
	}
	if again, err := p.pack(o.eva, io.Discard); err != nil || again.SHA256 != end.SHA256 {
		t.Errorf("once more: %+v, %v", again, err)
	}
	if _, err := o.Keys.Destroy(t.Context(), company, annaID); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	if after, err := p.pack(o.eva, &b); err != nil || after.SHA256 == end.SHA256 || strings.Contains(b.String(), "Lindqvist") {
		t.Errorf("after an erasure: %+v, %v", after, err)
	}
	o.now = o.now.Add(time.Hour)
	if _, err := p.pack(o.eva, io.Discard); !errors.Is(err, audit.ErrNoSession) {
		t.Errorf("after the session's end: %v", err)
	}
}

// Without personal values in the session there are commitments.
func TestN20_BundleHidesWhatTheSessionDoes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.open(audit.Scope{Accounts: []string{"card-" + cardID}})
	p, err := o.packer(o.eva)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := p.pack(o.eva, &b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "Lindqvist") || strings.Count(b.String(), `{"$commitment":"`) != 2 || strings.Contains(b.String(), "$sealed") {
		t.Errorf("the bundle holds\n%s", b.String())
	}
}

func TestLogForm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ query, accept, want string }{
		{"", "", ""},
		{"", "text/event-stream", ""},
		{"?format=csv", "", "csv"},
		{"?format=jsonl", "text/csv", "jsonl"},
		{"", "text/csv", "csv"},
		{"", "application/x-ndjson", "jsonl"},
		{"", "application/jsonl;q=0.9, */*", "jsonl"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/events"+c.query, nil)
		r.Header.Set("Accept", c.accept)
		if got, err := logForm(r); err != nil || got != c.want {
			t.Errorf("P10: %s, Accept %s: %q, %v, want %q", c.query, c.accept, got, err, c.want)
		}
	}
	if _, err := logForm(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/events?format=xml", nil)); err == nil {
		t.Error("P10: xml is no form of the log")
	}
}
