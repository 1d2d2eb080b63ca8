package relay_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"konto/eventstore"
	"konto/internal/relay"
)

func TestSubjects(t *testing.T) {
	t.Parallel()
	tests := []struct{ stream, typ, want string }{
		{"card-1", "CardAdded", "konto.events.card.CardAdded"},
		{"card-1", "CardAdded.v2", "konto.events.card.CardAdded_v2"},
		{"no dash", "a b*>\r\n", "konto.events.no_dash.a_b____"},
		{"-", "ü", "konto.events._._"},
	}
	for _, test := range tests {
		e := eventstore.Recorded{Event: eventstore.Event{Type: test.typ}, Stream: test.stream, Position: eventstore.Position{Commit: 1}}
		if got := relay.Encode(e, eventstore.Position{}, 1000).Subject; got != test.want {
			t.Errorf("subject of %q in %q = %q, want %q", test.typ, test.stream, got, test.want)
		}
	}
}

// Whatever an event holds, it comes back as it was, or as a reference.
func FuzzMessage(f *testing.F) {
	f.Add("card-1", "CardAdded", []byte(`{"n":1}`), []byte(`{"tenant":"t"}`), int64(3), uint64(7), true)
	f.Add(" x", "a\r\nInjected: header", []byte{}, []byte("\xff\n"), int64(-1), uint64(0), false)
	f.Fuzz(func(t *testing.T, stream, typ string, data, meta []byte, revision int64, previous uint64, binary bool) {
		if stream == "" || typ == "" || previous == ^uint64(0) {
			return
		}
		before := eventstore.Position{Commit: previous, Prepare: previous}
		e := eventstore.Recorded{
			Event:  eventstore.Event{ID: eventstore.ID{1, 15: 2}, Type: typ, Data: data, Meta: meta, Binary: binary},
			Stream: stream, Revision: eventstore.Revision(revision), Position: eventstore.Position{Commit: previous + 1, Prepare: previous},
			At: time.Unix(1_700_000_000, 123_456_000).UTC(),
		}
		m := relay.Encode(e, before, 1<<20)
		if strings.ContainsAny(m.Subject, " \r\n\t*>") || strings.Contains(m.Subject, "..") {
			t.Errorf("subject %q", m.Subject)
		}
		// The way over the wire.
		head, err := nats.DecodeHeadersMsg(wire(m))
		if err != nil {
			t.Fatalf("headers of %+v: %v", m, err)
		}
		got, from, whole, err := relay.Decode(&nats.Msg{Header: head, Data: m.Data})
		if err != nil || from != before {
			t.Fatalf("Decode() = from %s, %v, want from %s", from, err, before)
		}
		if len(meta) == 0 {
			e.Meta = nil
		}
		if whole && !cmp.Equal(e, got) {
			t.Errorf("Decode(Encode(e)) (-want +got):\n%s", cmp.Diff(e, got))
		}
	})
}

// FuzzDecode feeds headers that others may have written.
func FuzzDecode(f *testing.F) {
	f.Add("0190c0de-0000-7000-8000-000000000000", "C:2/P:2", "C:1/P:1", "0", "2026-01-01T00:00:00Z", "card-1", "CardAdded", "")
	f.Fuzz(func(t *testing.T, id, position, previous, revision, at, stream, typ, reference string) {
		m := &nats.Msg{Header: nats.Header{}}
		for k, v := range map[string]string{
			"Nats-Msg-Id": id, relay.HeaderPosition: position, relay.HeaderPrevious: previous, relay.HeaderRevision: revision,
			relay.HeaderAt: at, relay.HeaderStream: stream, relay.HeaderType: typ, relay.HeaderReference: reference,
		} {
			m.Header.Set(k, v)
		}
		e, from, whole, err := relay.Decode(m)
		if err == nil && whole && (e.Position.Compare(from) <= 0 || e.Stream == "" || e.Type == "") {
			t.Errorf("Decode() = %+v after %s without an error", e, from)
		}
	})
}

// wire writes the headers of m as the client does.
func wire(m *nats.Msg) []byte {
	var b strings.Builder
	b.WriteString("NATS/1.0\r\n")
	clean := strings.NewReplacer("\r", " ", "\n", " ")
	for k, vs := range m.Header {
		for _, v := range vs {
			b.WriteString(k + ": " + clean.Replace(strings.Trim(v, " \t\r\n")) + "\r\n")
		}
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}
