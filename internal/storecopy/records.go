package storecopy

import (
	"context"
	"errors"
	"fmt"

	"konto/eventstore"
)

// What an [Importer] gets at once: enough that a sync is not felt, little
// enough that progress is.
const (
	importEvents = 1000
	importBytes  = 1 << 20
)

// carryRecords gives an importer what comes after a position of the source.
func (c *copier) carryRecords(ctx context.Context, after eventstore.Position) error {
	var group []eventstore.Recorded
	size := 0
	flush := func() error {
		if len(group) == 0 {
			return nil
		}
		if err := c.importer.Import(ctx, group); err != nil {
			return refused(group[0].Stream, group[0].Revision, err)
		}
		c.report.Copied += int64(len(group))
		group, size = group[:0], 0
		return nil
	}
	for r, err := range c.source(ctx, after) {
		if err != nil {
			return fmt.Errorf("source: %w", err)
		}
		c.step(Copying, r.Position)
		if kindOf(&r) == system {
			continue
		}
		group, size = append(group, r), size+bytesOf(&r)
		if len(group) == importEvents || size >= importBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

func bytesOf(r *eventstore.Recorded) int { return len(r.Type) + len(r.Data) + len(r.Meta) }

// refused says in which stream the target would not take an event.
func refused(stream string, at eventstore.Revision, err error) error {
	wrong, ok := errors.AsType[*eventstore.WrongRevisionError](err)
	switch {
	case ok:
		return fmt.Errorf("%w: stream %s is at %s and cannot take revision %d of the source", ErrOtherData, wrong.Stream, wrong.Current, at)
	case errors.Is(err, eventstore.ErrWrongRevision):
		return fmt.Errorf("%w: stream %s cannot take revision %d of the source", ErrOtherData, stream, at)
	case errors.Is(err, eventstore.ErrStreamDeleted):
		return fmt.Errorf("%w: stream %s has a tombstone", ErrOtherData, stream)
	}
	return fmt.Errorf("write %s@%d: %w", stream, at, err)
}
