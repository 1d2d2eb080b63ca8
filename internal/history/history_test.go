package history_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/goleak"

	"konto/domain"
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

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	company = "00000001-0000-7000-8000-000000000001"
	annaID  = "00000002-0000-7000-8000-000000000001"
	card    = "00000003-0000-7000-8000-000000000001"
	stream  = "card-" + card
)

var (
	anna   = domain.Actor{ID: annaID, Kind: domain.KindPerson, Tenant: company, Roles: []domain.Role{domain.GlobalAdmin}}
	opened = domain.Sight{Personal: true}
	masked = domain.Sight{}
)

// world is anna's card: added on 1 March, its holder changed on 2 March, its
// expiry on 3 March, each at noon; and her account.
type world struct {
	*testing.T
	now    time.Time
	store  *memory.Store
	keys   *privacy.Keys
	reader *history.Reader
	send   func(category, target, name, body string, seen int) error
}

func day(n int) time.Time { return time.Date(2026, 3, n, 12, 0, 0, 0, time.UTC) }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: day(1)}
	now := func() time.Time { return w.now }
	w.store = &memory.Store{Now: now}
	var err error
	w.keys, err = privacy.Open(t.Context(), privacy.Config{Path: filepath.Join(t.TempDir(), "keys.db"), RootKey: bytes.Repeat([]byte{7}, 32), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.keys.Close() })
	contracts := envelope.Index(policy.Contracts)
	w.reader = &history.Reader{Store: w.store, Keys: w.keys, Contracts: contracts}
	commands := command.New(command.Config{
		Store: w.store, Keys: w.keys, Contracts: contracts, Sources: slices.Concat(policy.Sources, contact.Sources()),
		Authorization: policy.Table, Now: now, Log: zerolog.Nop(), Tracer: noop.NewTracerProvider().Tracer(""),
	})
	n := 0
	w.send = func(category, target, name, body string, seen int) error {
		n++
		req := command.Request{
			ID: uuid.NewSHA1(uuid.Nil, fmt.Append(nil, n)), Category: category, Target: target, Command: name, Body: json.RawMessage(body), Actor: anna,
			Correlation: fmt.Sprintf("correlation-%d", n), Reason: fmt.Sprintf("reason %d", n), Source: envelope.Source{Address: "192.0.2.7", Agent: "Browser"},
		}
		req.Actor.AuthenticatedAt = w.now
		if seen >= 0 {
			r := eventstore.Revision(seen)
			req.Expected = &r
		}
		_, err := commands.Handle(t.Context(), req)
		return err
	}
	body, err := json.Marshal(tenant.RegisterTenant{Name: "N", Country: "SE", Currency: "SEK", Locale: "sv", Domain: "n.example"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := commands.Handle(t.Context(), command.Request{ID: uuid.New(), Category: "tenant", Target: company, Command: "RegisterTenant", Body: body, Actor: command.System, Tenant: company}); err != nil {
		t.Fatal(err)
	}
	w.must("card", card, "AddCard", `{"gatewayToken":"pm_1","brand":"visa","last4":"4242","expMonth":9,"expYear":2029,"issuerCountry":"SE",
		"fingerprint":"fp","holderName":"Anna Lindqvist","billTo":{"line1":"Storgatan 1","city":"Umeå","postalCode":"903 26","country":"SE"}}`, -1)
	w.now = day(2)
	w.must("card", card, "UpdateCardDetails", `{"holderName":"A. Lindqvist"}`, 0)
	w.now = day(3)
	w.must("card", card, "UpdateCardDetails", `{"expYear":2030}`, 1)
	return w
}

func (w *world) must(category, target, name, body string, seen int) {
	w.Helper()
	if err := w.send(category, target, name, body, seen); err != nil {
		w.Fatalf("%s: %v", name, err)
	}
}

func (w *world) entries(stream string, sight domain.Sight, from int) []history.Entry {
	w.Helper()
	var all []history.Entry
	for e, err := range w.reader.Entries(w.Context(), stream, sight, eventstore.Revision(from)) {
		if err != nil {
			w.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func (w *world) at(moment string, sight domain.Sight) (history.Snapshot, error) {
	w.Helper()
	m, err := history.ParseMoment(moment)
	if err != nil {
		w.Fatal(err)
	}
	return w.reader.At(w.Context(), stream, sight, m)
}

func TestEntries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := w.entries(stream, opened, 0)
	if len(all) != 3 {
		t.Fatalf("%d entries, want 3", len(all))
	}
	for i, e := range all {
		if e.Revision != int64(i) || !e.RecordedAt.Equal(day(i+1)) || e.Actor.ID != annaID || e.CommandID == "" || e.Causation != e.CommandID {
			t.Errorf("entry %d = %+v", i, e)
		}
		if want := fmt.Sprintf(`"reason %d"`, i+1); string(e.Reason) != want || e.Correlation != fmt.Sprintf("correlation-%d", i+1) {
			t.Errorf("entry %d: reason = %s, correlation = %s, want %s", i, e.Reason, e.Correlation, want)
		}
		if !strings.Contains(string(e.Source), "192.0.2.7") {
			t.Errorf("entry %d: source = %s", i, e.Source)
		}
	}
	if all[1].Type != "CardDetailsUpdated" || all[1].Command != "UpdateCardDetails" {
		t.Errorf("entry 1 = %s by %s", all[1].Type, all[1].Command)
	}
	c := all[1].Changes
	if len(c) != 1 || c[0].Field != "/holder" || string(c[0].Before) != `"Anna Lindqvist"` || string(c[0].After) != `"A. Lindqvist"` {
		t.Errorf("changes = %+v, want the holder's name", c)
	}
	if rest := w.entries(stream, opened, 2); len(rest) != 1 || rest[0].Revision != 2 || len(rest[0].Changes) != 1 || rest[0].Changes[0].Field != "/expYear" {
		t.Errorf("from 2 = %+v, want the change of the year alone", rest)
	}
}

// Who may not see personal values sees that there are some, and everything else.
func TestMaskedEntries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc, err := json.Marshal(w.entries(stream, masked, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{"Lindqvist", "Storgatan", "192.0.2.7", "Browser", "reason 1", "$sealed"} {
		if bytes.Contains(doc, []byte(hidden)) {
			t.Errorf("%q is shown", hidden)
		}
	}
	for _, shown := range []string{"[sealed]", "4242", "2030", annaID} {
		if !bytes.Contains(doc, []byte(shown)) {
			t.Errorf("%q is not shown", shown)
		}
	}
	a, err := w.at("", opened)
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.at("", masked)
	if err != nil {
		t.Fatal(err)
	}
	var open, shut map[string]any
	if err := errors.Join(json.Unmarshal(a.State, &open), json.Unmarshal(b.State, &shut)); err != nil {
		t.Fatal(err)
	}
	if open["holder"] != "A. Lindqvist" || shut["holder"] != "[sealed]" {
		t.Errorf("holder = %v and %v", open["holder"], shut["holder"])
	}
	for _, personal := range []string{"holder", "billTo"} {
		delete(open, personal)
		delete(shut, personal)
	}
	if fmt.Sprint(open) != fmt.Sprint(shut) {
		t.Errorf("masked = %v\nopened = %v", shut, open)
	}
}

func TestErasedSubject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.keys.Destroy(t.Context(), company, annaID); err != nil {
		t.Fatal(err)
	}
	doc, err := json.Marshal(w.entries(stream, opened, 0))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(doc, []byte("Lindqvist")) || !bytes.Contains(doc, []byte("[erased]")) || !bytes.Contains(doc, []byte("2030")) {
		t.Errorf("after the erasure: %s", doc)
	}
}

func TestRefusalIsInTheHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must("admin", annaID, "AddEmployee", `{"signInName":"anna@n.example","displayName":"Anna"}`, -1)
	w.must("secinfo", annaID, "UpdateSecurityInfo", `{"mobile":"070-174 06 05"}`, -1)
	if err := w.send("secinfo", annaID, "ConfirmContactVerification", `{"slot":"mobile","code":"000000"}`, -1); err == nil {
		t.Fatal("a wrong code was taken")
	}
	all := w.entries("secinfo-"+annaID, opened, 0)
	last := all[len(all)-1]
	if last.Type != "ContactVerificationFailed" || last.Refused == nil || last.Refused.Code != "wrong-code" {
		t.Errorf("last = %s, refused %v, want wrong-code", last.Type, last.Refused)
	}
}

func TestStateAtAMoment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		moment   string
		revision int64 // -1: there was none
	}{
		{"", 2},
		{"0", 0},
		{"1", 1},
		{"99", 2},
		{"2026-03-01", -1}, // its start
		{"2026-03-02", 0},
		{"2026-03-03", 1},
		{"2026-03-04", 2},
		{"2026-03-01T11:59:59Z", -1},
		{"2026-03-01T12:00:00Z", 0},
		{"2026-03-02T12:59:59+01:00", 0},
		{"2026-03-02T13:00:00+01:00", 1},
		{"2026-03-02T12:00", 1},
	} {
		s, err := w.at(c.moment, opened)
		if c.revision < 0 {
			if !errors.Is(err, history.ErrNoAccount) {
				t.Errorf("at %q: err = %v, want %v", c.moment, err, history.ErrNoAccount)
			}
			continue
		}
		if err != nil || s.Revision != c.revision || !s.RecordedAt.Equal(day(int(c.revision)+1)) || s.Stream != stream {
			t.Errorf("at %q = revision %d of %s, %v, want %d", c.moment, s.Revision, s.RecordedAt, err, c.revision)
			continue
		}
		if got, want := string(s.State), string(w.entries(stream, opened, 0)[c.revision].State); got != want {
			t.Errorf("at %q = %s, want %s", c.moment, got, want)
		}
	}
	for _, bad := range []string{"-1", "yesterday", "2026-13-01", "2026-03-01T25:00:00Z", "1.5", "revision 1"} {
		if _, err := history.ParseMoment(bad); err == nil {
			t.Errorf("ParseMoment(%q) = nil error", bad)
		}
	}
}

// What an event says of an earlier time was not known before it was recorded.
func TestOnlyWhatHadBeenRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before, err := w.at("2026-03-04", opened)
	if err != nil {
		t.Fatal(err)
	}
	w.now = day(9)
	w.must("card", card, "UpdateCardDetails", `{"phone":"070-174 06 05"}`, 2)
	after, err := w.at("2026-03-04", opened)
	if err != nil || string(after.State) != string(before.State) || after.Revision != before.Revision {
		t.Errorf("the past changed to %s, %v\nfrom %s", after.State, err, before.State)
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	diff := func(from, to string) (history.Difference, error) {
		a, err := history.ParseMoment(from)
		if err != nil {
			t.Fatal(err)
		}
		b, err := history.ParseMoment(to)
		if err != nil {
			t.Fatal(err)
		}
		return w.reader.Diff(t.Context(), stream, opened, a, b)
	}
	d, err := diff("2026-03-02", "")
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, c := range d.Changes {
		fields = append(fields, c.Field+" "+string(c.Before)+" "+string(c.After))
	}
	if want := []string{`/expYear 2029 2030`, `/holder "Anna Lindqvist" "A. Lindqvist"`}; !slices.Equal(fields, want) || d.From.Revision != 0 || d.To.Revision != 2 {
		t.Errorf("diff = %v from %d to %d, want %v from 0 to 2", fields, d.From.Revision, d.To.Revision, want)
	}
	back, err := diff("2", "0")
	if err != nil || len(back.Changes) != 2 || string(back.Changes[0].After) != "2029" {
		t.Errorf("backwards = %+v, %v", back.Changes, err)
	}
	if same, err := diff("1", "1"); err != nil || len(same.Changes) != 0 {
		t.Errorf("same moment = %+v, %v, want no change", same.Changes, err)
	}
	if _, err := diff("2026-03-01", ""); !errors.Is(err, history.ErrNoAccount) {
		t.Errorf("from before the account: err = %v, want %v", err, history.ErrNoAccount)
	}
}

func TestNoSuchAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"card-" + annaID, "nothing-1", "card", ""} {
		_, err := w.reader.At(t.Context(), name, opened, history.Moment{})
		if !errors.Is(err, history.ErrNoAccount) {
			t.Errorf("At(%q): err = %v, want %v", name, err, history.ErrNoAccount)
		}
		for _, err := range w.reader.Entries(t.Context(), name, opened, 0) {
			if !errors.Is(err, history.ErrNoAccount) {
				t.Errorf("Entries(%q): err = %v, want %v", name, err, history.ErrNoAccount)
			}
		}
	}
	if owner, err := w.reader.Owner(t.Context(), stream); owner != company || err != nil {
		t.Errorf("Owner = %s, %v, want %s", owner, err, company)
	}
}

// N4: a copy for a person holds what is about them and what they did, and
// nothing about others.
func TestAbout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var types []string
	var all []byte
	for m, err := range w.reader.About(t.Context(), company, annaID) {
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, m.Type)
		all = append(all, m.Data...)
		if m.Own != (m.By == annaID) {
			t.Errorf("%s: own = %v by %s", m.Type, m.Own, m.By)
		}
		if m.Own && (m.Why == nil || m.From == nil) && m.Stream == stream {
			t.Errorf("%s: no reason or no source in %+v", m.Type, m)
		}
	}
	for _, want := range []string{"CardAdded", "CardDetailsUpdated"} {
		if !slices.Contains(types, want) {
			t.Errorf("About has %v, want %s among them", types, want)
		}
	}
	if !bytes.Contains(all, []byte("Lindqvist")) {
		t.Errorf("About shows nothing of the person: %s", all)
	}
	other := "00000002-0000-7000-8000-000000000009"
	for m, err := range w.reader.About(t.Context(), company, other) {
		t.Errorf("About somebody else = %+v, %v, want nothing", m, err)
	}
	for m, err := range w.reader.About(t.Context(), "00000001-0000-7000-8000-000000000009", annaID) {
		t.Errorf("About in another tenant = %+v, %v, want nothing", m, err)
	}
	if _, err := w.keys.Destroy(t.Context(), company, annaID); err != nil {
		t.Fatal(err)
	}
	erased := false
	for m, err := range w.reader.About(t.Context(), company, annaID) {
		if err != nil || bytes.Contains(m.Data, []byte("Lindqvist")) || string(m.Why) != `"[erased]"` {
			t.Errorf("About after the erasure = %+v, %v", m, err)
		}
		erased = erased || m.Erased
	}
	if !erased {
		t.Error("About after the erasure: nothing is marked as erased")
	}
}
