package storecopy

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/google/uuid"

	"konto/eventstore"
)

// carrier copies over the port: one append at a time, in the order of $all.
type carrier struct {
	*copier
	pull   func() (eventstore.Recorded, error, bool)
	window []eventstore.Recorded // what comes next
	ended  bool                  // the source has no more than the window
	before extras                // of the target when the copy began
}

// Bounds of an append: well within EventStoreDB's default limit of 1 MiB.
const (
	appendEvents = 500
	appendBytes  = 512 << 10
)

// carryEvents appends what found has not.
func (c *copier) carryEvents(ctx context.Context, found *comparison) error {
	pull, stop := iter.Pull2(c.source(ctx, found.upTo))
	defer stop()
	x := &carrier{copier: c, pull: pull, before: found.there}
	for {
		if err := x.see(1); err != nil {
			return err
		}
		if len(x.window) == 0 {
			return nil
		}
		n, err := x.carry(ctx)
		if err != nil {
			return err
		}
		for _, r := range x.window[:n] {
			c.step(Copying, r.Position)
		}
		x.window = x.window[n:]
	}
}

// see fills the window to n events, if there are so many.
func (x *carrier) see(n int) error {
	for len(x.window) < n && !x.ended {
		r, err, ok := x.pull()
		switch {
		case err != nil:
			return fmt.Errorf("source: %w", err)
		case !ok:
			x.ended = true
		default:
			x.window = append(x.window, r)
		}
	}
	return nil
}

// carry copies the window's first event, or several, and returns how many.
func (x *carrier) carry(ctx context.Context) (int, error) {
	r := &x.window[0]
	switch kindOf(r) {
	case system:
		return 1, nil
	case metadata:
		return 1, x.metadata(ctx, r)
	case tombstone:
		return 1, x.tombstone(ctx, r)
	case ordinary, filler:
	}
	n, err := x.run()
	if err != nil {
		return 0, err
	}
	events := make([]eventstore.Event, n)
	for i := range events {
		events[i] = x.window[i].Event
	}
	if err := x.put(ctx, x.window[0].Stream, x.window[0].Revision-1, events); err != nil {
		return 0, refused(x.window[0].Stream, x.window[0].Revision, err)
	}
	x.report.Copied += int64(n)
	return n, nil
}

// run returns how many events of the window can share an append.
func (x *carrier) run() (int, error) {
	n, size := 1, bytesOf(&x.window[0])
	for ; n < appendEvents; n++ {
		if err := x.see(n + 1); err != nil {
			return 0, err
		}
		if n == len(x.window) {
			break
		}
		r, last := &x.window[n], &x.window[n-1]
		if r.Stream != last.Stream || r.Revision != last.Revision+1 || kindOf(r) == tombstone {
			break
		}
		if size += bytesOf(r); size > appendBytes {
			break
		}
	}
	return n, nil
}

// metadata carries a stream's metadata. When a deleted stream lives again, with
// an event or with metadata, the target writes metadata itself, as the source
// did: what comes from the source then finds its place taken by the same.
func (x *carrier) metadata(ctx context.Context, r *eventstore.Recorded) error {
	err := x.put(ctx, r.Stream, r.Revision-1, []eventstore.Event{r.Event})
	wrong, taken := errors.AsType[*eventstore.WrongRevisionError](err)
	switch {
	case err == nil:
		x.report.Copied++
		return nil
	case errors.Is(err, eventstore.ErrStreamDeleted) && x.before.deleted[strings.TrimPrefix(r.Stream, "$$")]:
		return nil // an earlier run was here and further
	case !taken:
		return refused(r.Stream, r.Revision, err)
	case wrong.Current > r.Revision && x.before.metadata[r.Stream] != nil:
		x.report.Rewritten++ // so was it here; the check looks at the newest
		return nil
	}
	for have, e := range x.To.Read(ctx, r.Stream, eventstore.ReadStream{From: eventstore.Last, Direction: eventstore.Backward, Limit: 1}) {
		if e == nil && have.Revision == r.Revision && sameMetadata(have.Data, r.Data) {
			x.report.Rewritten++
			return nil
		}
	}
	return refused(r.Stream, r.Revision, err)
}

func (x *carrier) tombstone(ctx context.Context, r *eventstore.Recorded) error {
	t, ok := x.To.(Tombstoner)
	if !ok {
		return fmt.Errorf("%w: stream %s has a tombstone", ErrCannotCarry, r.Stream)
	}
	switch _, err := t.Tombstone(ctx, r.Stream, eventstore.Any); {
	case errors.Is(err, eventstore.ErrStreamDeleted): // by an earlier run
	case err != nil:
		return fmt.Errorf("end stream %s: %w", r.Stream, err)
	default:
		x.report.Copied++
	}
	return nil
}

// put appends at an exact revision. It fills what a scavenge removed before
// it, splits what is too much at once, and repeats what may not have arrived.
func (x *carrier) put(ctx context.Context, stream string, expected eventstore.Revision, events []eventstore.Event) error {
	err := x.insist(ctx, stream, expected, events)
	wrong, ok := errors.AsType[*eventstore.WrongRevisionError](err)
	switch {
	case ok && wrong.Current < expected && wrong.Current >= eventstore.NoStream:
		hole := int(expected - wrong.Current)
		take := min(hole, appendEvents)
		fill := make([]eventstore.Event, 0, take+len(events))
		for i := range take {
			fill = append(fill, fillerAt(stream, wrong.Current+1+eventstore.Revision(i)))
		}
		if take < hole {
			if err := x.insist(ctx, stream, wrong.Current, fill); err != nil {
				return err
			}
			return x.put(ctx, stream, expected, events)
		}
		return x.insist(ctx, stream, wrong.Current, append(fill, events...))
	case errors.Is(err, eventstore.ErrTooLarge) && len(events) > 1:
		half := len(events) / 2
		if err := x.put(ctx, stream, expected, events[:half]); err != nil {
			return err
		}
		return x.put(ctx, stream, expected+eventstore.Revision(half), events[half:])
	}
	return err
}

// fillerAt is the event that stands for a scavenged one. Its ID follows from
// its place, so that a repeated copy writes it once.
func fillerAt(stream string, at eventstore.Revision) eventstore.Event {
	space := uuid.MustParse("0193f3a0-5b1e-7c44-9d0e-6f1f8a6b2c11") // drawn once, for ever
	id := uuid.NewSHA1(space, fmt.Appendf(nil, "%d@%s", int64(at), stream))
	return eventstore.Event{ID: eventstore.ID(id), Type: Filler, Data: []byte("{}")}
}

// How often and how long an append is repeated whose outcome is unknown, or
// that a store cannot take now.
const (
	attempts     = 6
	firstBackoff = 100 * time.Millisecond
)

// insist repeats an append. The IDs and the exact revision make that safe.
func (x *carrier) insist(ctx context.Context, stream string, expected eventstore.Revision, events []eventstore.Event) error {
	for n, backoff := 1, firstBackoff; ; n, backoff = n+1, 2*backoff {
		_, err := x.To.Append(ctx, stream, expected, events...)
		again := errors.Is(err, eventstore.ErrUnavailable) || errors.Is(err, eventstore.ErrUnknownOutcome)
		if !again || n == attempts || ctx.Err() != nil {
			return err
		}
		t := time.NewTimer(backoff)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return err
		}
	}
}
