package engine_test

import (
	"testing"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// TestLinkAfterLongRead follows links after reads that have filled pages, whose
// memory is used again.
func TestLinkAfterLongRead(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), engine.Config{})
	defer func() { _ = s.Close() }()
	add := func(stream string, id byte, typ string, data []byte) {
		e := eventstore.Event{ID: eventstore.ID{id, byte(len(stream))}, Type: typ, Data: data, Binary: true}
		if _, err := s.Append(t.Context(), stream, eventstore.Any, e); err != nil {
			t.Fatal(err)
		}
	}
	for id := range byte(8) {
		add("long", id+1, "T", make([]byte, 256<<10))
	}
	add("links", 1, "$>", []byte("7@long"))
	// Pages are freed while they are full: of both reads, since following a
	// link takes two.
	peek := func(then func()) {
		for _, err := range s.Read(t.Context(), "long", eventstore.ReadStream{}) {
			if err != nil {
				t.Fatal(err)
			}
			then()
			return
		}
	}
	for range 100 {
		peek(func() { peek(func() {}) })
		for r, err := range s.Read(t.Context(), "links", eventstore.ReadStream{ResolveLinks: true}) {
			if err != nil || r.Link == nil || r.Stream != "long" || r.Revision != 7 {
				t.Fatalf("link leads to %s@%d, %v, want long@7", r.Stream, r.Revision, err)
			}
		}
	}
}
