package storecopy_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"konto/eventstore"
	"konto/eventstore/node/engine"
	"konto/internal/storecopy"
)

// TestInterrupted ends the context at some moment, again and again, before
// something is stored and after it. The copy is as if nothing had happened.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, exact := range []bool{true, false} {
		t.Run(fmt.Sprintf("exact=%t", exact), func(t *testing.T) {
			t.Parallel()
			from, to := openEngine(t), openEngine(t)
			write(t, from, 3, 300)
			live(t, from)
			write(t, from, 4, 300)
			runs := 0
			for done := false; !done; runs++ {
				ctx, cancel := context.WithCancel(t.Context())
				f := &failing{Store: to, left: 10 + 17*runs, before: runs%2 == 0, broken: cancel}
				cfg := storecopy.Config{From: from, To: f}
				if exact {
					f.left = runs // an import is many events
					cfg.To = failingImporter{f}
				}
				report, err := storecopy.Run(ctx, cfg)
				cancel()
				switch {
				case err == nil && !report.Same():
					t.Fatalf("report %+v", report)
				case err != nil && !errors.Is(err, context.Canceled):
					t.Fatalf("Run = %v, want it to be cancelled", err)
				}
				done = err == nil
			}
			if runs < 2 {
				t.Error("nothing was interrupted")
			}
			straight := openEngine(t)
			if exact {
				run(t, storecopy.Config{From: from, To: straight})
			} else {
				run(t, storecopy.Config{From: from, To: port{straight, straight}})
			}
			if diff := cmp.Diff(named(all(t, straight)), named(all(t, to))); diff != "" {
				t.Errorf("the copy differs from one without interruptions (-want +got):\n%s", diff)
			}
		})
	}
}

// named is what a store holds, without what it makes up itself.
func named(all []eventstore.Recorded) (out []string) {
	for _, r := range all {
		id := fmt.Sprintf("%x", r.ID)
		if r.Type == "$metadata" || r.Type == "$streamDeleted" {
			id = ""
		}
		out = append(out, fmt.Sprintf("%s@%d %s %s %s", r.Stream, r.Revision, id, r.Type, r.Data))
	}
	return out
}

// failing is a store that takes so many changes and then ends the context,
// before the change or after it.
type failing struct {
	*engine.Store
	left   int
	before bool
	broken func()
}

func (f *failing) try(ctx context.Context, change func() error) error {
	f.left--
	switch {
	case f.left < 0 && f.before:
		f.broken()
		return ctx.Err()
	case f.left < 0:
		err := change()
		f.broken()
		return errors.Join(err, ctx.Err())
	}
	return change()
}

func (f *failing) Append(ctx context.Context, stream string, expected eventstore.Revision, events ...eventstore.Event) (at eventstore.Appended, err error) {
	err = f.try(ctx, func() error {
		at, err = f.Store.Append(ctx, stream, expected, events...)
		return err
	})
	return at, err
}

func (f *failing) Tombstone(ctx context.Context, stream string, expected eventstore.Revision) (at eventstore.Position, err error) {
	err = f.try(ctx, func() error {
		at, err = f.Store.Tombstone(ctx, stream, expected)
		return err
	})
	return at, err
}

// Import hides the store's: it takes no arguments, so that a copy does not see it.
func (f *failing) Import() {}

type failingImporter struct{ *failing }

func (f failingImporter) Import(ctx context.Context, records []eventstore.Recorded) error {
	return f.try(ctx, func() error { return f.Store.Import(ctx, records) })
}
