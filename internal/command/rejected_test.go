package command_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"konto/domain"
	"konto/domain/rejection"
	"konto/eventstore"
	"konto/internal/command"
	"konto/internal/envelope"
)

// recording returns a handler whose refusals are recorded while the test runs.
func (w *world) recording() *command.Handler {
	r := command.NewRejections(w.store, w.keys, w.clock.Now, zerolog.Nop())
	ctx, cancel := context.WithCancel(w.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = r.Run(ctx) }()
	w.Cleanup(func() { cancel(); <-done })
	return w.tuned(func(c *command.Config) { c.Rejections = r })
}

// rejected waits until a tenant has n rejections.
func (w *world) rejected(tenant string, n int) []eventstore.Recorded {
	w.Helper()
	var all []eventstore.Recorded
	for batch, err := range w.store.Subscribe(w.Context(), eventstore.Position{}) {
		if err != nil {
			w.Fatal(err)
		}
		for _, r := range batch {
			if r.Stream == "rejections-"+tenant {
				all = append(all, r)
			}
		}
		if len(all) >= n {
			return all
		}
	}
	return all
}

func TestRefusalsAreRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h := w.recording()
	req := w.request(albert, "tenant", acme, "VerifyDomain", `{"domain":"secret.example"}`)
	if _, err := h.Handle(t.Context(), req); err == nil {
		t.Fatal("a billing admin verified a domain")
	}
	r := w.rejected(acme, 1)[0]
	var got rejection.CommandRejected
	if err := json.Unmarshal(r.Data, &got); err != nil {
		t.Fatal(err)
	}
	want := rejection.CommandRejected{Category: "tenant", CommandType: "VerifyDomain", RuleID: "S3", ProblemType: "not-allowed"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("N10: rejection (-want +got):\n%s", d)
	}
	m, err := envelope.ParseMeta(r.Meta)
	if err != nil {
		t.Fatal(err)
	}
	if m.PolicyVersions["authorization"] == 0 {
		t.Errorf("N11: versions = %v, want the authorization's among them", m.PolicyVersions)
	}
	if m.Actor.ID != albert.ID || m.Command != req.ID.String() || strings.Contains(string(r.Data)+string(r.Meta), "secret") {
		t.Errorf("N10: metadata = %+v, want who and which command, not what it said", m)
	}
}

func TestWhatIsNotRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h := w.recording()
	refused := func(req command.Request) {
		t.Helper()
		if _, err := h.Handle(t.Context(), req); err == nil {
			t.Fatalf("%s was accepted", req.Command)
		}
	}
	malformed := w.request(albert, "tenant", acme, "VerifyDomain", `{"nonsense":1}`)
	dry := w.request(albert, "tenant", acme, "VerifyDomain", `{"domain":"a.example"}`)
	dry.DryRun = true
	system := w.request(domain.Actor{ID: "konto", Kind: domain.KindSystem, Tenant: acme}, "card", id(3, 1), "AddCard", newCard(1))
	for _, req := range []command.Request{malformed, dry, system} {
		refused(req)
	}
	// One that is recorded comes after those that are not.
	refused(w.request(albert, "tenant", acme, "VerifyDomain", `{"domain":"b.example"}`))
	if got := w.rejected(acme, 1); len(got) != 1 {
		t.Errorf("N10: %d rejections, want the last alone", len(got))
	}
}

func TestRejectionsOfOneActorAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	at := w.clock.Now()
	h := w.tuned(func(c *command.Config) { c.Now = func() time.Time { return at } }) // they all come in one minute
	r := command.NewRejections(w.store, w.keys, w.clock.Now, zerolog.Nop())
	h.Rejections = r
	for range 40 {
		_, _ = w.send(h, albert, "tenant", acme, "VerifyDomain", `{"domain":"b.example"}`)
	}
	_, _ = w.send(h, bob, "tenant", acme, "VerifyDomain", `{"domain":"b.example"}`)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = r.Run(ctx) }()
	w.rejected(borg, 1) // the last that waits
	cancel()
	<-done
	if got := len(w.stream("rejections-" + acme)); got != 30 {
		t.Errorf("N10: %d rejections, want 30 in a minute", got)
	}
}

func TestCanI(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h := w.handler(0)
	w.must(h, alice, "card", id(3, 1), "AddCard", newCard(1))
	before := w.head()
	for _, c := range []struct {
		name         string
		by           domain.Actor
		card, what   string
		allowed      bool
		exists       bool
		code, whoMay string
	}{
		{"N10: her own tenant's card", alice, id(3, 1), "UpdateCardDetails", true, true, "", ""},
		{"N10: without a role for it", person(id(2, 5), acme, domain.Auditor), id(3, 1), "UpdateCardDetails", false, true, "not-allowed", "owner"},
		{"C4: another admin's card, without saying what of it", albert, id(3, 1), "UpdateCardDetails", false, true, "card-owned-by-other-admin", ""},
		{"C4: another admin's card is not removed", albert, id(3, 1), "RemoveCard", false, true, "card-owned-by-other-admin", ""},
		{"C6: another admin's card is replaced", albert, id(3, 1), "ReplaceCard", true, true, "", ""},
		{"N10: another tenant's card is none", bob, id(3, 1), "UpdateCardDetails", false, false, "card-not-found", ""},
		{"N10: a card that is not there", alice, id(3, 2), "UpdateCardDetails", false, false, "card-not-found", ""},
		{"N10: a new card", alice, id(3, 2), "AddCard", true, false, "", ""},
	} {
		p, err := h.CanI(t.Context(), command.Question{Category: "card", Target: c.card, Command: c.what, Actor: c.by})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case p.Allowed != c.allowed || p.Exists != c.exists || p.Allowed != (p.Refused == nil) || len(p.Trace) == 0 || p.Versions["authorization"] == 0:
			t.Errorf("%s: %+v, want allowed = %v", c.name, p, c.allowed)
		case !c.allowed && p.Refused.Code != c.code:
			t.Errorf("%s: refused with %v, want %s", c.name, p.Refused, c.code)
		case c.whoMay != "" && string(p.Refused.WhoMay[0]) != c.whoMay:
			t.Errorf("%s: who may = %v, want %s", c.name, p.Refused.WhoMay, c.whoMay)
		}
	}
	if w.head() != before {
		t.Error("N10: asking wrote something")
	}
	if _, err := h.CanI(t.Context(), command.Question{Category: "card", Target: id(3, 1), Command: "StealCard", Actor: alice}); err == nil {
		t.Error("N10: a command that is not there was answered")
	}
}
