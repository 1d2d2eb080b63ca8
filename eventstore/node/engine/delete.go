package engine

import (
	"context"
	"fmt"
	"strings"

	"konto/eventstore"
)

// tombstoneType is the type of the event that ends a stream.
const tombstoneType = "$streamDeleted"

// Delete hides all events of a stream (soft delete): it replaces the stream's
// metadata by one that truncates everything. It returns the position of the
// event that says so. An append brings the stream back, beginning with its
// first event; the numbers go on. The events stay in $all.
//
// A stream that does not exist cannot be deleted, unless it has metadata. A
// delete is never taken for the repetition of another one. Errors are those of
// Append; a metadata stream is [eventstore.ErrInvalid].
func (s *Store) Delete(ctx context.Context, stream string, expected eventstore.Revision) (eventstore.Position, error) {
	e := eventstore.Event{ID: s.config.NewID(), Type: metadataType, Data: fmt.Appendf(nil, `{%q:%d}`, truncated, int64(deleted))}
	return s.end(ctx, deletes, stream, metadataPrefix+stream, expected, e)
}

// Tombstone ends a stream for ever. It returns the position of the tombstone,
// an event with the revision 2^63-1 in the stream. A stream that does not exist
// can be ended too. Errors as for Delete.
func (s *Store) Tombstone(ctx context.Context, stream string, expected eventstore.Revision) (eventstore.Position, error) {
	e := eventstore.Event{ID: s.config.NewID(), Type: tombstoneType, Binary: true}
	return s.end(ctx, tombstones, stream, stream, expected, e)
}

func (s *Store) end(ctx context.Context, k kind, stream, into string, expected eventstore.Revision, e eventstore.Event) (eventstore.Position, error) {
	if err := ctx.Err(); err != nil {
		return eventstore.Position{}, err
	}
	if err := validTarget(stream, expected); err != nil {
		return eventstore.Position{}, err
	}
	if strings.HasPrefix(stream, metadataPrefix) || len(into) > maxStreamBytes {
		return eventstore.Position{}, fmt.Errorf("%w: %v %s", eventstore.ErrInvalid, k, stream)
	}
	done, err := s.submit(ctx, newRequest(k, stream, expected, newPart(into, []eventstore.Event{e})))
	return done.Position, err
}
