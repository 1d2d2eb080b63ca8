package command_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"konto/domain"
	"konto/domain/offboarding"
	"konto/domain/subject"
	"konto/internal/command"
)

// What would keep something personal of somebody who was erased is refused by
// the rule that erased them, whichever command it is; it is no fault.
func TestNothingIsKeptAboutTheErased(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fresh(t))
	h := w.recording()
	w.must(h, alice, "admin", alice.ID, "AddEmployee", `{"signInName":"alice@acme.example","displayName":"Alice Ek","roles":["global-admin"]}`)
	w.must(h, alice, "admin", albert.ID, "AddEmployee", `{"signInName":"albert@acme.example","displayName":"Albert Ek"}`)
	w.must(h, albert, "secinfo", albert.ID, "AddPhoneMethod", `{"slot":"mobile","number":"070-174 06 05"}`)
	w.must(h, alice, "admin", albert.ID, "OffboardEmployee", `{}`)
	until := w.clock.Now().AddDate(0, 0, 9).Format(time.RFC3339)
	find := w.request(command.System, "offboard", albert.ID, "FindOrphanedItems", fmt.Sprintf(`{"offboarding":"o1","dueAt":%q}`, until))
	find.Tenant = acme
	w.handled(h, find)
	grant := fmt.Sprintf(`{"granteeId":%q,"expiresAt":%q,"reason":"handing over"}`, alice.ID, until)
	w.must(h, alice, "offboard", albert.ID, "GrantFormerUserDataAccess", grant)
	if _, err := w.keys.Destroy(t.Context(), acme, albert.ID); err != nil {
		t.Fatal(err)
	}

	before := len(w.stream("offboard-"+albert.ID)) + len(w.stream("secinfo-"+albert.ID))
	for _, c := range []struct{ category, name, body string }{
		{"offboard", "GrantFormerUserDataAccess", grant},
		{"secinfo", "AddPhoneMethod", `{"slot":"office","number":"090-740 06 05"}`},
	} {
		for _, dry := range []bool{true, false} {
			req := w.request(alice, c.category, albert.ID, c.name, c.body)
			req.DryRun = dry
			_, err := h.Handle(t.Context(), req)
			rule, ok := errors.AsType[*domain.Error](err)
			if !ok || !rule.Is(subject.ErrErased) || rule.Kind != domain.KindConflict || rule.Rule != "N4" {
				t.Errorf("N4: %s (dry run: %v) about somebody who was erased: %v, want %v", c.name, dry, err, subject.ErrErased)
			}
		}
	}
	if after := len(w.stream("offboard-"+albert.ID)) + len(w.stream("secinfo-"+albert.ID)); after != before {
		t.Errorf("N4: %d events were kept about somebody who was erased", after-before)
	}
	if t.Failed() {
		return // or it would wait for refusals that there are none of
	}
	w.rejected(acme, 2)

	// What tells nothing of them goes on.
	w.must(h, alice, "offboard", albert.ID, "RevokeFormerUserDataAccess", fmt.Sprintf(`{"granteeId":%q}`, alice.ID))
	if _, err := w.send(h, alice, "offboard", albert.ID, "RevokeFormerUserDataAccess", fmt.Sprintf(`{"granteeId":%q}`, alice.ID)); !errors.Is(err, offboarding.ErrNoGrant) {
		t.Errorf("err = %v, want %v", err, offboarding.ErrNoGrant)
	}
}
