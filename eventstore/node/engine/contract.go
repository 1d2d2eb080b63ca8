package engine

import (
	"context"
	"errors"
	"iter"
	"time"

	"konto/eventstore"
)

// This file is what the engine offers beyond the port, for the node's protocol.

// Info says where a stream begins and ends, by durable events.
type Info struct {
	First      eventstore.Revision // the oldest event a reader may see; NoStream if none
	Last       eventstore.Revision // the newest event, seen or not; NoStream if none was ever written
	Deleted    bool                // soft-deleted: nothing was written since
	Tombstoned bool
}

// Metadata is what the newest event of a stream's metadata stream says. Zero
// values mean: not set.
type Metadata struct {
	Revision       eventstore.Revision // of the metadata event; NoStream if there is none
	MaxAge         time.Duration
	MaxCount       int64
	TruncateBefore eventstore.Revision
	CacheControl   time.Duration
	ACL            *ACL
}

// ACL lists who may do what with a stream. A nil list is not set: the default applies.
type ACL struct{ Read, Write, Delete, MetaRead, MetaWrite []string }

// Step is what a follower gets at once.
type Step struct {
	Events []eventstore.Recorded // may be empty if Live
	Live   bool                  // the follower has seen everything durable and begins to wait
}

// Follow says what to follow. Both starts are exclusive.
type Follow struct {
	Stream       string              // "" is $all
	After        eventstore.Revision // of a stream; NoStream is the beginning, Last is the end
	AfterAll     eventstore.Position // of $all; End is the end
	ResolveLinks bool
}

var errSoon = errors.New("soon")

// Follow yields what is there and then what comes, until ctx ends. A step with
// Live is yielded each time the follower has caught up and begins to wait.
// A tombstoned stream ends with [eventstore.ErrStreamDeleted], after the
// tombstone itself if the follower was there before it.
func (s *Store) Follow(ctx context.Context, f Follow) iter.Seq2[Step, error] {
	return func(yield func(Step, error) bool) { yield(Step{}, errSoon) }
}

// Stream describes a stream. One that never was is no error.
func (s *Store) Stream(ctx context.Context, stream string) (Info, error) { return Info{}, errSoon }

// Metadata returns what applies to a stream. Metadata that cannot be parsed is none.
func (s *Store) Metadata(ctx context.Context, stream string) (Metadata, error) {
	return Metadata{}, errSoon
}

// Check does what an append of no events does: it compares revisions.
func (s *Store) Check(ctx context.Context, stream string, expected eventstore.Revision) (eventstore.Appended, error) {
	return eventstore.Appended{}, errSoon
}

// Delete hides all events of a stream (soft delete). It returns the position of the metadata event it writes.
func (s *Store) Delete(ctx context.Context, stream string, expected eventstore.Revision) (eventstore.Position, error) {
	return eventstore.Position{}, errSoon
}

// Tombstone ends a stream for ever. It returns the position of the tombstone.
func (s *Store) Tombstone(ctx context.Context, stream string, expected eventstore.Revision) (eventstore.Position, error) {
	return eventstore.Position{}, errSoon
}

// IsBoundary reports whether a record begins at p, or did before a scavenge.
func (s *Store) IsBoundary(ctx context.Context, p eventstore.Position) (bool, error) {
	return false, errSoon
}

// Head is the position of the newest durable event, zero if there is none.
func (s *Store) Head() eventstore.Position {
	n := s.durable.Load()
	return eventstore.Position{Commit: n, Prepare: n}
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
