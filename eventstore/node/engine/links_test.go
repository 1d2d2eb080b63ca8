package engine_test

import (
	"testing"

	"konto/eventstore"
	"konto/eventstore/node/engine"
)

// TestLinksToHidden: a link to what a reader may not see leads nowhere.
func TestLinksToHidden(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		hide   func(s *engine.Store) error
		hidden bool
	}{
		{"seen", func(*engine.Store) error { return nil }, false},
		{"truncated", setMetadata(t, `{"$tb":2}`), true},
		{"not truncated", setMetadata(t, `{"$tb":1}`), false},
		{"counted out", setMetadata(t, `{"$maxCount":1}`), true},
		{"expired", setMetadata(t, `{"$maxAge":10}`), true},
		{"not expired", setMetadata(t, `{"$maxAge":100}`), false},
		{"deleted", func(s *engine.Store) error { _, err := s.Delete(t.Context(), "a-1", eventstore.Any); return err }, true},
		{"tombstoned", func(s *engine.Store) error { _, err := s.Tombstone(t.Context(), "a-1", eventstore.Any); return err }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			now := newClock()
			s := open(t, t.TempDir(), engine.Config{Now: now.Now})
			defer func() { _ = s.Close() }()
			events := three(t, s, "a-1")
			link := eventstore.Event{ID: randomID(), Type: eventstore.LinkType, Data: []byte("1@a-1"), Binary: true}
			must(t)(s.Append(t.Context(), "links", eventstore.Any, link))
			now.pass(20)
			if err := test.hide(s); err != nil {
				t.Fatal(err)
			}
			check := func(how string, r eventstore.Recorded) {
				if r.Link == nil || r.Link.ID != link.ID || (r.ID == eventstore.ID{}) != test.hidden || !test.hidden && r.ID != events[1].ID {
					t.Errorf("%s: %+v, want hidden %t", how, r, test.hidden)
				}
			}
			for _, r := range collect(t, s.Read(t.Context(), "links", eventstore.ReadStream{ResolveLinks: true})) {
				check("Read", r)
			}
			for _, f := range []engine.Follow{
				{Stream: "links", After: eventstore.NoStream, ResolveLinks: true},
				{AfterAll: eventstore.Position{Commit: s.Head().Commit - 200}, ResolveLinks: true},
			} {
				for step, err := range s.Follow(t.Context(), f) {
					if err != nil {
						t.Fatal(err)
					}
					for _, r := range step.Events {
						if r.Link != nil {
							check("Follow", r)
						}
					}
					if step.Live {
						break
					}
				}
			}
		})
	}
}

func setMetadata(t *testing.T, data string) func(*engine.Store) error {
	t.Helper()
	return func(s *engine.Store) error {
		_, err := s.Append(t.Context(), "$$a-1", eventstore.Any, metadata(data))
		return err
	}
}
