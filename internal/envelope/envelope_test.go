package envelope_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"konto/domain"
	"konto/domain/policy"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/privacy"
)

var at = time.Date(2026, 11, 22, 10, 0, 0, 123456000, time.UTC)

func metas() map[string]envelope.Meta {
	full := envelope.Meta{
		Correlation: "c1", Causation: "c2", Tenant: "t1", Command: "cmd", CommandType: "ChangeDisplayName", At: at,
		Actor: domain.Actor{
			ID: "anna", Kind: domain.KindPerson, Tenant: "t1",
			Roles: []domain.Role{domain.GlobalAdmin, domain.Auditor}, AuthenticatedAt: at.Add(-time.Hour),
		},
		Reason: domain.About("anna", "she said \"no\" \u2028 <b>\n"), Source: domain.About("anna", envelope.Source{Address: "::1", Agent: "curl/8"}),
		TraceParent: "00-01-02-03", BodyMAC: "beef",
		Refused: domain.Conflict("taken", "it is taken").With("holder", "x"),
	}
	nothing := full
	nothing.Source, nothing.Refused = domain.About("anna", envelope.Source{}), nil
	return map[string]envelope.Meta{
		"empty":   {},
		"full":    full,
		"nothing": nothing,
		"system":  {Tenant: "t1", Actor: domain.Actor{ID: "konto", Kind: domain.KindSystem}, At: at},
		"erased":  {Reason: domain.Personal[string]{Subject: "anna", Erased: true}, At: at},
		"sealed":  {Source: domain.Personal[envelope.Source]{Sealed: json.RawMessage(`{"$sealed":{"x":1}}`)}, At: at},
	}
}

func TestMetaIsTheJSONOfItsFields(t *testing.T) {
	t.Parallel()
	for name, m := range metas() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := m.Encode()
			if err != nil {
				t.Fatal(err)
			}
			std, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			var g, w any
			if err := errors.Join(json.Unmarshal(got, &g), json.Unmarshal(std, &w)); err != nil {
				t.Fatalf("%v in %s", err, got)
			}
			if d := cmp.Diff(w, g); d != "" {
				t.Errorf("Encode differs from json.Marshal (-std +ours):\n%s", d)
			}
			back, err := envelope.ParseMeta(got)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(m, back); d != "" {
				t.Errorf("ParseMeta(Encode(m)) (-want +got):\n%s", d)
			}
			head, err := envelope.ParseHead(got)
			if want := (envelope.Head{Tenant: m.Tenant, Command: m.Command}); err != nil || head != want {
				t.Errorf("ParseHead = %+v, %v, want %+v", head, err, want)
			}
		})
	}
}

func TestHeadWrittenByOthers(t *testing.T) {
	t.Parallel()
	want := envelope.Head{Tenant: "t1", Command: "c1"}
	for _, text := range []string{
		`{"tenant":"t1","actor":{},"command":"c1"}`,
		`{"command":"c1","tenant":"t1"}`,
		`{ "tenant": "t1", "command": "c1", "actor": {"id": "},\"command\":\"x"} }`,
		`{"tenant":"t1","actor":{"id":"},\"command\":\"x","roles":[]},"command":"c1"}`,
		`{"$correlationId":"a","$causationId":"b","tenant":"t1","actor":{"id":"}"},"command":"c1","x":{"command":"no"}}`,
		`{"$causationId":"b\"","tenant":"\u00741","actor":{"id":"x"},"command":"c1"}`,
		`{"x":{"tenant":"no","actor":{},"command":"no"},"tenant":"t1","command":"c1"}`,
	} {
		if got, err := envelope.ParseHead([]byte(text)); err != nil || got != want {
			t.Errorf("ParseHead(%s) = %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{``, `[]`, `{"tenant":"t1"`, `{"tenant":1}`} {
		if got, err := envelope.ParseHead([]byte(text)); err == nil {
			t.Errorf("ParseHead(%s) = %+v, want an error", text, got)
		}
	}
}

func TestMetaThatIsNotUTF8(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]envelope.Meta{
		"actor":  {Actor: domain.Actor{ID: "\xff"}},
		"reason": {Reason: domain.About("anna", "\xff")},
		"agent":  {Source: domain.About("anna", envelope.Source{Agent: "\xff"})},
	} {
		if b, err := m.Encode(); err == nil {
			t.Errorf("%s: Encode = %q, want an error", name, b)
		}
	}
}

// TestSealed takes an event there and back: nothing personal is readable in
// between, in the data or in the metadata.
func TestSealed(t *testing.T) {
	t.Parallel()
	keys, err := privacy.Open(t.Context(), privacy.Config{
		Path: filepath.Join(t.TempDir(), "keys.db"), RootKey: make([]byte, 32), Now: func() time.Time { return at },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	m := metas()["full"]
	plain := `{"displayName":{"$personal":{"subject":"anna","value":"Anna Lindqvist"}}}`
	e, err := envelope.Seal(t.Context(), keys, "admin-anna", "t1", eventstore.Event{
		ID: eventstore.ID(uuid.New()), Type: "DisplayNameChanged", Data: []byte(plain),
	}, m)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"Lindqvist", "she said", "curl"} {
		if strings.Contains(string(e.Data)+string(e.Meta), secret) {
			t.Errorf("%q is readable in %s %s", secret, e.Data, e.Meta)
		}
	}
	rec := eventstore.Recorded{Event: e, Stream: "admin-anna"}
	opened(t, "data", envelope.OpenData, keys, rec, plain)
	want, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	opened(t, "metadata", envelope.OpenMeta, keys, rec, string(want))
	if _, err := envelope.OpenData(t.Context(), keys, rec, "t2"); err == nil {
		t.Error("OpenData for another tenant = nil, want an error")
	}
}

func opened(
	t *testing.T, what string, open func(context.Context, *privacy.Keys, eventstore.Recorded, string) ([]byte, error),
	k *privacy.Keys, r eventstore.Recorded, want string,
) {
	t.Helper()
	if got, err := open(t.Context(), k, r, "t1"); err != nil || string(got) != want {
		t.Errorf("%s opened = %s, %v, want %s", what, got, err, want)
	}
}

// TestIndexMeansTheSame decodes every stored shape there has ever been both
// ways.
func TestIndexMeansTheSame(t *testing.T) {
	t.Parallel()
	index := envelope.Index(policy.Contracts)
	seen := 0
	for _, c := range policy.Contracts {
		files, err := filepath.Glob(filepath.Join("../../domain/testdata/events", c.Category(), "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			seen++
			raw := domain.Raw{Type: strings.TrimSuffix(filepath.Base(f), ".json"), Data: data}
			want, err := c.DecodeEvent(raw)
			got, gotErr := index[c.Category()].DecodeEvent(raw)
			if (err == nil) != (gotErr == nil) || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, %v, want %+v, %v", f, got, gotErr, want, err)
			}
		}
	}
	if seen == 0 {
		t.Error("there are no stored events to compare")
	}
}

func TestIndexRefusesTheSame(t *testing.T) {
	t.Parallel()
	index := envelope.Index(policy.Contracts)
	for _, c := range policy.Contracts {
		if c.Category() != "admin" {
			continue
		}
		for _, body := range []string{
			`{"displayName":"Anna"}`, `{"DisplayName":"Anna"}`, `{}`, `{"displayName":null}`, // these are taken
			`{"displayName":"Anna","x":1}`, `{"displayName":1}`, `{"displayName":"Anna"}{}`, `[]`, `{`, ``, `null`,
			`{"displayName":"A","displayName":"B"}`,
		} {
			raw := domain.Raw{Type: "ChangeDisplayName", Data: json.RawMessage(body)}
			want, err := c.DecodeCommand(raw)
			got, gotErr := index["admin"].DecodeCommand(raw)
			if (err == nil) != (gotErr == nil) || err != nil && err.Error() != gotErr.Error() || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, %v, want %+v, %v", body, got, gotErr, want, err)
			}
		}
		for _, typ := range []string{"NoSuch", ""} {
			if _, err := index["admin"].DecodeCommand(domain.Raw{Type: typ}); !errors.Is(err, domain.ErrUnknownType) {
				t.Errorf("DecodeCommand(%q) = %v, want %v", typ, err, domain.ErrUnknownType)
			}
			if _, err := index["admin"].DecodeEvent(domain.Raw{Type: typ}); !errors.Is(err, domain.ErrUnknownType) {
				t.Errorf("DecodeEvent(%q) = %v, want %v", typ, err, domain.ErrUnknownType)
			}
		}
	}
}

func BenchmarkEncodeMeta(b *testing.B) {
	m := metas()["nothing"]
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := m.Encode(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json.Marshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(m); err != nil {
				b.Fatal(err)
			}
		}
	})
}
