package engine

import (
	"context"
	"errors"
)

// This file is what the engine offers beyond the port, for the node's protocol.

var errSoon = errors.New("soon")

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
