package storecopy_test

import (
	"testing"

	"konto/eventstore"
	"konto/eventstore/memory"
	"konto/internal/storecopy"
)

// TestGrown copies up to where the source was at the start, and says that it has
// gone on.
func TestGrown(t *testing.T) {
	t.Parallel()
	for name, open := range targets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := openEngine(t), open(t)
			write(t, from, 12, 100)
			want, grown := len(carried(all(t, from))), false
			cfg := storecopy.Config{From: from, To: to, Progress: func(p storecopy.Progress) {
				if p.Phase == storecopy.Copying && !grown {
					grown = true
					write(t, from, 13, 10)
				}
			}}
			r := run(t, cfg)
			if !r.Grown || !r.Same() || r.Events != int64(want) || len(all(t, to)) != want {
				t.Errorf("report %+v, %d events in the target, want %d and that the source has grown", r, len(all(t, to)), want)
			}
			check := run(t, storecopy.Config{From: from, To: to, CheckOnly: true})
			more := int64(len(carried(all(t, from))) - want)
			if check.Same() || check.Different < more || check.Events != int64(want)+more {
				t.Errorf("report %+v, want %d events missing", check, more)
			}
			if r := run(t, storecopy.Config{From: from, To: to}); !r.Same() || r.Grown || r.Copied < more {
				t.Errorf("report %+v, want %d events copied", r, more)
			}
		})
	}
}

// TestHoleInside copies a stream that lacks an event in the middle.
func TestHoleInside(t *testing.T) {
	t.Parallel()
	from, to := memory.New(), openEngine(t)
	for n := range 6 {
		if _, err := from.Append(t.Context(), "s", eventstore.Revision(n-1), event(uint64(n+1), "Happened", "{}")); err != nil {
			t.Fatal(err)
		}
	}
	source := altered{from, func(r *eventstore.Recorded) bool { return r.Revision == 2 }}
	if r := run(t, storecopy.Config{From: source, To: plain{to}}); !r.Same() || r.Fillers != 1 || r.Events != 5 {
		t.Errorf("report %+v, want 5 events and a filler", r)
	}
	if got := all(t, to); len(got) != 6 || got[2].Type != storecopy.Filler || got[3].Revision != 3 {
		t.Errorf("the target holds %d events, want 6, the third a filler", len(got))
	}
}
