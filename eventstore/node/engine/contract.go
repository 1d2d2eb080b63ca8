package engine

import (
	"context"
	"errors"

	"konto/eventstore"
)

// This file is what the engine offers beyond the port, for the node's protocol.

var errSoon = errors.New("soon")

// Delete hides all events of a stream (soft delete). It returns the position of the metadata event it writes.
func (s *Store) Delete(ctx context.Context, stream string, expected eventstore.Revision) (eventstore.Position, error) {
	return eventstore.Position{}, errSoon
}

// Tombstone ends a stream for ever. It returns the position of the tombstone.
func (s *Store) Tombstone(ctx context.Context, stream string, expected eventstore.Revision) (eventstore.Position, error) {
	return eventstore.Position{}, errSoon
}

// Scavenged says what a scavenge reclaimed.
type Scavenged struct {
	Events, Bytes int64 // removed
	Streams       int   // looked at because something of them is hidden
}

// Scavenge removes from disk what truncation, deletion and expiry hid. It runs
// beside readers and writers; one runs at a time. It ends early with ctx's error.
func (s *Store) Scavenge(ctx context.Context, progress func(done, of uint64)) (Scavenged, error) {
	return Scavenged{}, errSoon
}
