package outlook_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/goleak"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/policy"
	"konto/domain/recovery"
	"konto/domain/securityinfo"
	"konto/domain/tenant"
	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/command"
	"konto/internal/contact"
	"konto/internal/envelope"
	. "konto/internal/outlook"
	"konto/internal/privacy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func id(kind, n int) string { return fmt.Sprintf("%08d-0000-7000-8000-%012d", kind, n) }

// The organization, and its people: alice and bob are global admins, carl has
// no role.
var (
	acme, borg       = id(1, 1), id(1, 2)
	alice, bob, carl = id(2, 1), id(2, 2), id(2, 3)
)

// world is a handler on a store in memory, with keys and a clock.
type world struct {
	*testing.T
	h    *command.Handler
	mu   sync.Mutex
	now  time.Time
	sent int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	keys, err := privacy.Open(t.Context(), privacy.Config{Path: filepath.Join(t.TempDir(), "keys.db"), RootKey: bytes.Repeat([]byte{7}, 32), Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	store := memory.New()
	t.Cleanup(func() { _ = store.Close() })
	w.h = command.New(command.Config{
		Store: store, Keys: keys, Contracts: envelope.Index(policy.Contracts), Sources: slices.Concat(policy.Sources, contact.Sources()),
		Authorization: policy.Table, Now: w.clock, Log: zerolog.Nop(), Tracer: noop.NewTracerProvider().Tracer(""),
	})
	w.send("tenant", acme, "RegisterTenant", tenant.RegisterTenant{Name: "Acme", Country: "SE", Currency: "SEK", Locale: "sv-SE", Domain: "acme.example"})
	w.send("tenant", acme, "VerifyDomain", tenant.VerifyDomain{Domain: "acme.se"})
	for person, roles := range map[string][]domain.Role{alice: {domain.GlobalAdmin}, bob: {domain.GlobalAdmin}, carl: nil} {
		w.send("admin", person, "AddEmployee", admin.AddEmployee{SignInName: "p" + person[30:] + "@acme.se", DisplayName: "P", Roles: roles})
		if len(roles) > 0 {
			w.send("tenant", acme, "SeatGlobalAdmin", tenant.SeatGlobalAdmin{AdminID: person})
		}
	}
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

func (w *world) send(category, target, name string, body any) {
	w.Helper()
	w.sendBy(command.System, category, target, name, body)
}

func (w *world) sendBy(by domain.Actor, category, target, name string, body any) {
	w.Helper()
	w.sent++
	data, err := json.Marshal(body)
	if err != nil {
		w.Fatal(err)
	}
	_, err = w.h.Handle(w.Context(), command.Request{
		ID: uuid.MustParse(id(9, w.sent)), Category: category, Target: target, Command: name,
		Body: data, Actor: by, Tenant: acme,
	})
	if err != nil {
		w.Fatalf("%s: %v", name, err)
	}
}

// reach verifies a person's contacts.
func (w *world) reach(person string, c securityinfo.UpdateSecurityInfo) {
	w.Helper()
	self := domain.Actor{ID: person, Kind: domain.KindPerson, Tenant: acme, AuthenticatedAt: w.clock()}
	w.sendBy(self, "secinfo", person, "UpdateSecurityInfo", c)
	keys, err := w.h.Keys.Tenant(w.Context(), acme)
	if err != nil {
		w.Fatal(err)
	}
	codes := map[securityinfo.Slot]string{}
	err = w.h.View(w.Context(), "secinfo", person, func(state any, _ eventstore.Revision, _ string) {
		s := state.(*securityinfo.SecurityInfo)
		for slot, v := range map[securityinfo.Slot]string{
			securityinfo.SlotMobile: s.Mobile.Verification, securityinfo.SlotAlternateEmail: s.AlternateEmail.Verification,
		} {
			if v != "" {
				codes[slot] = keys.Code(v)
			}
		}
	})
	if err != nil {
		w.Fatal(err)
	}
	for slot, code := range codes {
		w.sendBy(self, "secinfo", person, "ConfirmContactVerification", securityinfo.ConfirmContactVerification{Slot: slot, Code: code})
	}
}

func both(n string) securityinfo.UpdateSecurityInfo {
	return securityinfo.UpdateSecurityInfo{Mobile: new("+46 70 174 06 " + n), AlternateEmail: new("p" + n + "@home.example")}
}

func mobile(n string) securityinfo.UpdateSecurityInfo {
	return securityinfo.UpdateSecurityInfo{Mobile: new("+46 70 174 06 " + n)}
}

// An expectation is an answer in short.
type expectation struct {
	Now, After             bool
	Missing                []string // after the change
	Recoverable, Remaining int
	LocksOut               bool
	Refused                []string
}

func short(a Answer) expectation {
	e := expectation{
		Now: a.Now.Ready, Missing: a.Now.Missing, Recoverable: a.RecoverableNow, Remaining: a.RecoverableAfter, LocksOut: a.LocksOut(),
	}
	if a.After != nil {
		e.After, e.Missing = a.After.Ready, a.After.Missing
	}
	for _, r := range a.Refusals {
		e.Refused = append(e.Refused, r.Rule+" "+r.Code)
	}
	return e
}

func TestOutlook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.reach(alice, both("05"))
	w.reach(carl, mobile("06"))
	w.sleep(25 * time.Hour)
	strict, lenient := recovery.Policy.First, recovery.Policy.First
	strict.OneGateWithoutDomain, lenient.TrialDays = false, 90
	o := Outlook{w.h, w.clock}
	all := []securityinfo.Slot{securityinfo.SlotMobile, securityinfo.SlotAlternateEmail}
	none := []string{}
	for name, c := range map[string]struct {
		person string
		change Change
		want   expectation
	}{
		"N7: ready now":                 {alice, Change{}, expectation{Now: true, Missing: none, Recoverable: 1, Remaining: 1}},
		"N7: not ready now":             {bob, Change{}, expectation{Missing: []string{"phone", "email"}, Recoverable: 1, Remaining: 1}},
		"N7: one contact without roles": {carl, Change{}, expectation{Now: true, Missing: none, Recoverable: 1, Remaining: 1}},
		"N7, I1: the address goes": {alice, Change{Remove: all[1:]}, expectation{
			Now: true, Missing: []string{"email"}, Recoverable: 1, LocksOut: true, Refused: []string{"I1 last-recovery-method"},
		}},
		"N7, I1: both go": {alice, Change{Remove: all}, expectation{
			Now: true, Missing: []string{"phone", "email"}, Recoverable: 1, LocksOut: true, Refused: []string{"I1 last-recovery-method"},
		}},
		"N7: a contact that is not there goes": {alice, Change{Remove: []securityinfo.Slot{securityinfo.SlotOffice}}, expectation{
			Now: true, After: true, Missing: none, Recoverable: 1, Remaining: 1,
		}},
		"N7, I8: the last recoverable global admin is one no more": {alice, Change{RemoveRole: domain.GlobalAdmin}, expectation{
			Now: true, After: true, Missing: none, Recoverable: 1, LocksOut: true, Refused: []string{"I8 last-recoverable-global-admin"},
		}},
		"N7, I8: the last recoverable global admin leaves": {alice, Change{Offboard: true}, expectation{
			Now: true, Missing: none, Recoverable: 1, LocksOut: true, Refused: []string{"I8 last-recoverable-global-admin"},
		}},
		"N7: the other global admin leaves": {bob, Change{Offboard: true}, expectation{
			Missing: []string{"phone", "email"}, Recoverable: 1, Remaining: 1,
		}},
		"N7: a role asks for a second gate": {carl, Change{AssignRole: domain.Auditor}, expectation{
			Now: true, Missing: []string{"email"}, Recoverable: 1, Remaining: 1,
		}},
		"N7: a role that is none": {carl, Change{AssignRole: "king"}, expectation{
			Now: true, Missing: []string{"email"}, Recoverable: 1, Remaining: 1, Refused: []string{"S12 role-unknown"},
		}},
		"N7: a version that changes nothing here": {alice, Change{Terms: &lenient}, expectation{Now: true, After: true, Missing: none, Recoverable: 1, Remaining: 1}},
		"N7: a version and a role":                {carl, Change{Terms: &strict, AssignRole: domain.GlobalAdmin}, expectation{Now: true, Missing: []string{"email"}, Recoverable: 1, Remaining: 1}},
	} {
		got, err := o.Of(t.Context(), acme, c.person, c.change)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(c.want, short(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	for name, c := range map[string][2]string{"N7: nobody": {acme, id(2, 9)}, "N7: somebody of another organization": {borg, alice}} {
		if _, err := o.Of(t.Context(), c[0], c[1], Change{}); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("%s: %v, want %v", name, err, sql.ErrNoRows)
		}
	}
}

// TestAnOutlookChangesNothing asks for everything, twice, and looks whether
// anything was written.
func TestAnOutlookChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.reach(alice, both("05"))
	revisions := func() (all []eventstore.Revision) {
		for _, c := range []string{"admin", "secinfo"} {
			_ = w.h.View(t.Context(), c, alice, func(_ any, at eventstore.Revision, _ string) { all = append(all, at) })
		}
		return all
	}
	before := revisions()
	o := Outlook{w.h, w.clock}
	everything := Change{Remove: []securityinfo.Slot{securityinfo.SlotMobile}, AssignRole: domain.Auditor, RemoveRole: domain.GlobalAdmin, Offboard: true}
	first, err := o.Of(t.Context(), acme, alice, everything)
	if err != nil {
		t.Fatal(err)
	}
	second, err := o.Of(t.Context(), acme, alice, everything)
	if err != nil || cmp.Diff(first, second) != "" || cmp.Diff(before, revisions()) != "" {
		t.Errorf("N7: asked twice: %v, %v, %s, streams from %v to %v", err, second.Refusals, cmp.Diff(first, second), before, revisions())
	}
	// I7: a contact in its cool-down recovers nothing yet, but the guard counts it.
	if first.Now.Ready || len(first.Now.CoolingDown) != 2 || first.RecoverableNow != 1 {
		t.Errorf("N7, I7: %+v, want contacts that are cooling down and count for the guard", first)
	}
}
