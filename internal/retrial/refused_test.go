package retrial_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/command"
	"konto/internal/retrial"
)

// refused sends a command that is refused.
func (w *world) refused(by domain.Actor, category, target, name, body string) {
	w.Helper()
	w.sent++
	req := command.Request{
		ID: uuid.MustParse(id(9, w.sent)), Category: category, Target: target, Command: name,
		Body: json.RawMessage(body), Actor: by, Correlation: id(8, w.sent),
	}
	var at eventstore.Revision
	if err := w.h.View(w.Context(), category, target, func(_ any, r eventstore.Revision, _ string) { at = r }); err != nil {
		w.Fatal(err)
	}
	req.Expected = &at
	if _, err := w.h.Handle(w.Context(), req); err == nil {
		w.Fatalf("%s was accepted", name)
	}
}

// recorded waits until n refusals are in the store.
func (w *world) recorded(n int) {
	w.Helper()
	for batch, err := range w.store.Subscribe(w.Context(), eventstore.Position{}) {
		if err != nil {
			w.Fatal(err)
		}
		for _, r := range batch {
			if r.Type == "CommandRejected" {
				n--
			}
		}
		if n <= 0 {
			return
		}
	}
}

// What was refused under the policy cannot be replayed, and is counted by rule
// so that nobody takes "none different" for an answer about it.
func TestRefusalsAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rejections := command.NewRejections(w.store, w.keys, w.clock, zerolog.Nop())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = rejections.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	w.h.Rejections = rejections

	w.send(olga, "policy", "customer-editors", "PublishPolicyVersion", `{"number":2,"rules":`+string(noSales)+`,"note":"Admins alone."}`)
	w.sleep(time.Hour)
	const rename = `{"companyDetails":{"companyName":"Two"}}`
	w.refused(seller, "customer", acme, "UpdateCustomerAccount", rename)
	w.refused(alice, "tenant", acme, "VerifyDomain", `{"domain":"acme.example"}`) // has nothing to do with the policy
	w.recorded(2)
	w.sleep(time.Hour)
	noon := w.clock()
	w.sleep(time.Hour)
	w.refused(seller, "customer", acme, "UpdateCustomerAccount", rename)
	w.refused(bob, "customer", acme, "UpdateCustomerAccount", `{"companyDetails":{"companyName":""}}`) // may, but not this
	w.rename(bob, "Three")
	w.recorded(4)

	stranger := retrial.Refusal{Command: "UpdateCustomerAccount", Rule: "P1", Code: "not-allowed", Commands: 2}
	empty := retrial.Refusal{Command: "UpdateCustomerAccount", Rule: "P3", Code: "field-invalid", Commands: 1}
	once := stranger
	once.Commands = 1
	for name, c := range map[string]struct {
		q    retrial.Question
		want []retrial.Refusal
	}{
		"N11: all":                     {retrial.Question{}, []retrial.Refusal{stranger, empty}},
		"N11: until noon":              {retrial.Question{To: noon}, []retrial.Refusal{once}},
		"N11: from noon":               {retrial.Question{From: noon}, []retrial.Refusal{once, empty}},
		"N11: of who was refused":      {retrial.Question{Tenant: borg}, []retrial.Refusal{stranger, empty}},
		"N11: not of whose account is": {retrial.Question{Tenant: acme}, []retrial.Refusal{}},
	} {
		c.q.Policy, c.q.Version = "customer-editors", 1
		r := w.test(c.q)
		total := 0
		for _, f := range c.want {
			total += f.Commands
		}
		if d := cmp.Diff(c.want, r.Refusals); d != "" || r.RefusedNotReplayed != total || r.Different != 0 {
			t.Errorf("%s: %d of %+v (-want +got):\n%s", name, r.RefusedNotReplayed, r, d)
		}
	}
	if r := w.test(retrial.Question{Policy: "customer-editors", Version: 1}); r.Replayed != 1 {
		t.Errorf("N11: %d replayed, want what was accepted alone", r.Replayed)
	}
	if r := w.test(retrial.Question{Policy: "dunning", Version: 1}); r.RefusedNotReplayed != 0 {
		t.Errorf("N11: %+v is not under this policy", r.Refusals)
	}
}
