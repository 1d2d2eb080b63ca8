package envelope_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/privacy"
)

// kept returns an event with a command's body in its metadata.
func kept(t *testing.T, k *privacy.Keys, body string, subjects ...string) eventstore.Recorded {
	t.Helper()
	e := eventstore.Event{ID: eventstore.ID{1}, Type: "Noted", Data: []byte(`{"n":7}`)}
	m := meta
	var err error
	if m.Body, err = envelope.CloseBody(t.Context(), k, "note-1", tenant, e, subjects, []byte(body)); err != nil {
		t.Fatal(err)
	}
	if e, err = envelope.Seal(t.Context(), k, "note-1", tenant, e, m); err != nil {
		t.Fatal(err)
	}
	return eventstore.Recorded{Event: e, Stream: "note-1"}
}

func TestBodyThereAndBack(t *testing.T) {
	t.Parallel()
	k := openKeys(t)
	for _, body := range []string{`{"text":"call Bo"}`, `{}`, `{"body":{"$sealed":{}}}`, `"+"`, "{\"text\":\"line\\u2028 \\\"quoted\\\" åäö\"}"} {
		for _, subjects := range [][]string{{"bo"}, {"bo", "anna"}, {"bo", "anna", "cid"}} {
			r := kept(t, k, body, subjects...)
			if bytes.Contains(r.Meta, []byte("call Bo")) {
				t.Errorf("%s is stored in clear", body)
			}
			got, err := envelope.OpenBody(t.Context(), k, r)
			if err != nil || string(got) != body {
				t.Errorf("for %v: body = %s, %v, want %s", subjects, got, err, body)
			}
		}
	}
}

// Destroying the keys of any of the people that a body is about makes it
// unreadable.
func TestBodyGoesWithAnyOfItsSubjects(t *testing.T) {
	t.Parallel()
	subjects := []string{"bo", "anna", "cid"}
	for _, s := range subjects {
		k := openKeys(t)
		r := kept(t, k, `{"text":"call Bo"}`, subjects...)
		if _, err := k.Destroy(t.Context(), tenant, s); err != nil {
			t.Fatal(err)
		}
		if body, err := envelope.OpenBody(t.Context(), k, r); !errors.Is(err, envelope.ErrErasedBody) {
			t.Errorf("without the keys of %s: %s, %v, want %v", s, body, err, envelope.ErrErasedBody)
		}
		if _, err := envelope.CloseBody(t.Context(), k, "note-1", tenant, r.Event, subjects, []byte(`{}`)); !errors.Is(err, privacy.ErrErased) {
			t.Errorf("closing without the keys of %s: %v, want %v", s, err, privacy.ErrErased)
		}
	}
}

func TestBodyStaysInItsPlace(t *testing.T) {
	t.Parallel()
	k := openKeys(t)
	r := kept(t, k, `{}`, "bo", "anna")
	r.Stream = "note-2"
	if body, err := envelope.OpenBody(t.Context(), k, r); !errors.Is(err, privacy.ErrForged) {
		t.Errorf("in another stream: %s, %v, want %v", body, err, privacy.ErrForged)
	}
}

func TestBodyThatIsNotKept(t *testing.T) {
	t.Parallel()
	k := openKeys(t)
	if _, err := envelope.OpenBody(t.Context(), k, sealed(t, k)); !errors.Is(err, envelope.ErrNoBody) {
		t.Errorf("without a body: %v, want %v", err, envelope.ErrNoBody)
	}
	long := `"` + strings.Repeat("x", envelope.MaxBody) + `"`
	for name, err := range map[string]error{
		"too long":  second(envelope.CloseBody(t.Context(), k, "note-1", tenant, eventstore.Event{}, []string{"bo"}, []byte(long))),
		"of nobody": second(envelope.CloseBody(t.Context(), k, "note-1", tenant, eventstore.Event{}, nil, []byte(`{}`))),
	} {
		if !errors.Is(err, envelope.ErrNoBody) {
			t.Errorf("%s: %v, want %v", name, err, envelope.ErrNoBody)
		}
	}
}

func second(_ domain.Personal[string], err error) error { return err }

func BenchmarkBody(b *testing.B) {
	k := openKeys(b)
	e := eventstore.Event{ID: eventstore.ID{1}, Type: "Noted", Data: []byte(`{"n":7}`)}
	body := []byte(`{"holderName":"Anna Ek","expMonth":11,"expYear":2030,"phone":"+46701740605"}`)
	for _, c := range []struct {
		name     string
		subjects []string
	}{{"none", nil}, {"subjects=1", []string{"bo"}}, {"subjects=2", []string{"bo", "anna"}}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m := meta
				if c.subjects != nil {
					var err error
					if m.Body, err = envelope.CloseBody(b.Context(), k, "note-1", tenant, e, c.subjects, body); err != nil {
						b.Fatal(err)
					}
				}
				sealed, err := envelope.Seal(b.Context(), k, "note-1", tenant, e, m)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(sealed.Meta)), "B/metadata")
			}
		})
	}
}
