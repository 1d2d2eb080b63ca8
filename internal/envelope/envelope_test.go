package envelope_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/privacy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The model: a note that somebody wrote.
type note struct{ Text domain.Personal[string] }

type noted struct {
	Text domain.Personal[string] `json:"text"`
	N    int                     `json:"n"`
}

func (e noted) Evolve(n *note) { n.Text = e.Text }

var notes = domain.NewAggregate("note", "notes", domain.Records[noted]("Noted"))

const tenant = "00000001-0000-7000-8000-000000000001"

func openKeys(tb testing.TB) *privacy.Keys {
	tb.Helper()
	k, err := privacy.Open(tb.Context(), privacy.Config{Path: filepath.Join(tb.TempDir(), "keys.db"), RootKey: bytes.Repeat([]byte{7}, 32), Now: time.Now})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = k.Close() })
	return k
}

var meta = envelope.Meta{
	Correlation: "c", Causation: "cause", Tenant: tenant, Actor: domain.Actor{
		ID: "anna", Kind: domain.KindPerson, Tenant: tenant, Roles: []domain.Role{domain.GlobalAdmin, domain.Auditor},
		AuthenticatedAt: time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC), Level: 2,
	},
	Command: "00000009-0000-7000-8000-000000000001", CommandType: "Note", At: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC),
	Reason: domain.About("anna", "because of Bo"), Source: domain.About("anna", envelope.Source{Address: "192.0.2.7", Agent: "Browser"}),
	BodyMAC: "mac", PolicyVersions: map[string]int{"authorization": 2, "codes": 1},
	Refused: domain.Conflict("no", "not now").ByRule("R1").With("left", 1),
}

func sealed(t *testing.T, k *privacy.Keys) eventstore.Recorded {
	t.Helper()
	data, err := json.Marshal(noted{Text: domain.About("anna", "call Bo"), N: 7})
	if err != nil {
		t.Fatal(err)
	}
	e, err := envelope.Seal(t.Context(), k, "note-1", tenant, eventstore.Event{ID: eventstore.ID{1}, Type: "Noted", Data: data}, meta)
	if err != nil {
		t.Fatal(err)
	}
	return eventstore.Recorded{Event: e, Stream: "note-1", Revision: 3, Position: eventstore.Position{Commit: 9, Prepare: 9}, At: meta.At}
}

func TestThereAndBack(t *testing.T) {
	t.Parallel()
	k := openKeys(t)
	r := sealed(t, k)
	for _, hidden := range []string{"call Bo", "because", "192.0.2.7", "Browser"} {
		if bytes.Contains(r.Data, []byte(hidden)) || bytes.Contains(r.Meta, []byte(hidden)) {
			t.Errorf("%q is stored in clear", hidden)
		}
	}
	data, err := envelope.OpenData(t.Context(), k, r, tenant)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := envelope.OpenMeta(t.Context(), k, r, tenant)
	if err != nil {
		t.Fatal(err)
	}
	m, err := envelope.ParseMeta(opened)
	if err != nil {
		t.Fatal(err)
	}
	want := meta
	want.Refused = domain.Conflict("no", "not now").ByRule("R1").With("left", 1.0) // JSON has one kind of number
	if d := cmp.Diff(want, m); d != "" {
		t.Errorf("metadata (-want +got):\n%s", d)
	}
	got, err := envelope.Index([]domain.Contract{notes}).Decode(r, data, m)
	if err != nil {
		t.Fatal(err)
	}
	wanted := domain.Recorded[any]{
		Data: noted{Text: domain.About("anna", "call Bo"), N: 7}, ID: "1", Category: "note", Tenant: tenant,
		EventID: uuid.UUID{1}.String(), Type: "Noted", Revision: 3, Position: 9, At: meta.At, Actor: meta.Actor, Correlation: "c", PolicyVersions: meta.PolicyVersions,
	}
	if d := cmp.Diff(wanted, got); d != "" {
		t.Errorf("event (-want +got):\n%s", d)
	}
}

// Names of correlation and causation are EventStoreDB's, and what is not there
// takes no room.
func TestMetadataOnTheWire(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(envelope.Meta{Correlation: "c", Causation: "d"})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"$correlationId":"c","$causationId":"d","tenant":"","actor":{"id":"","kind":""},"command":"","commandType":"","at":"0001-01-01T00:00:00Z"}`
	if string(b) != want {
		t.Errorf("metadata = %s\nwant       %s", b, want)
	}
}

// A sealed value opens where it was sealed and nowhere else.
func TestSealedValuesStayInTheirPlace(t *testing.T) {
	t.Parallel()
	k := openKeys(t)
	for name, change := range map[string]func(*eventstore.Recorded){
		"another stream": func(r *eventstore.Recorded) { r.Stream = "note-2" },
		"another event":  func(r *eventstore.Recorded) { r.ID = eventstore.ID{2} },
		"another type":   func(r *eventstore.Recorded) { r.Type = "Forged" },
		"metadata":       func(r *eventstore.Recorded) { r.Data = r.Meta },
	} {
		r := sealed(t, k)
		change(&r)
		if data, err := envelope.OpenData(t.Context(), k, r, tenant); !errors.Is(err, privacy.ErrForged) {
			t.Errorf("%s: opened %s, %v, want %v", name, data, err, privacy.ErrForged)
		}
	}
	if data, err := envelope.OpenData(t.Context(), k, sealed(t, k), "00000001-0000-7000-8000-000000000002"); err == nil {
		t.Errorf("another tenant: opened %s", data)
	}
}

func TestWhatNoContractKnows(t *testing.T) {
	t.Parallel()
	cs := envelope.Index([]domain.Contract{notes})
	for _, r := range []eventstore.Recorded{
		{Event: eventstore.Event{Type: "Noted", Data: []byte("{}")}, Stream: "memo-1"},
		{Event: eventstore.Event{Type: "Shredded", Data: []byte("{}")}, Stream: "note-1"},
		{Event: eventstore.Event{Type: "Noted", Data: []byte("{}")}, Stream: ""},
	} {
		if _, err := cs.Decode(r, r.Data, meta); !errors.Is(err, domain.ErrUnknownType) {
			t.Errorf("%s in %q: err = %v, want %v", r.Type, r.Stream, err, domain.ErrUnknownType)
		}
	}
	if _, err := envelope.ParseMeta([]byte("{")); err == nil {
		t.Error("ParseMeta took half an object")
	}
}

func FuzzParseMeta(f *testing.F) {
	b, err := json.Marshal(meta)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"reason":{"$sealed":{}}}`))
	f.Add([]byte(`{"at":"yesterday"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := envelope.ParseMeta(b)
		if err != nil {
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			return // such as a year beyond 9999
		}
		if _, err := envelope.ParseMeta(again); err != nil {
			t.Errorf("ParseMeta(%s): %v", again, err)
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add("card-1")
	f.Add("")
	f.Add("rel-a-b")
	f.Fuzz(func(t *testing.T, stream string) {
		category, id, ok := envelope.Split(stream)
		if ok && envelope.Stream(category, id) != stream {
			t.Errorf("Split(%q) = %q, %q", stream, category, id)
		}
	})
}
