package esdb

import (
	"context"
	"fmt"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"

	"konto/eventstore"
)

// Tombstone ends a stream for ever and returns the position of the tombstone.
// It is no part of the port: Konto ends no streams, but copies histories in
// which somebody did. It is tried once. Errors are those of Append, but a wrong
// revision is not told from other refusals.
func (s *Store) Tombstone(ctx context.Context, stream string, expected eventstore.Revision) (eventstore.Position, error) {
	revision, err := toExpected(expected)
	if err == nil {
		err = s.ended(ctx)
	}
	if err != nil {
		return eventstore.Position{}, fmt.Errorf("tombstone %s: %w", stream, err)
	}
	ctx, cancel := s.during(ctx)
	defer cancel()
	x, err := s.enter(ctx, false)
	if err != nil {
		return eventstore.Position{}, fmt.Errorf("tombstone %s: %w", stream, err)
	}
	c := x.of
	res, err := do(x, func(ctx context.Context) (*esdb.DeleteResult, error) {
		return c.client.TombstoneStream(ctx, stream, esdb.TombstoneStreamOptions{ExpectedRevision: revision, Deadline: &s.deadline})
	})
	switch {
	case err == nil:
		return eventstore.Position{Commit: res.Position.Commit, Prepare: res.Position.Prepare}, nil
	case lost(err):
		c.retire()
	}
	// Unlike those of an append, all errors of this call are wrapped.
	if no := refusal(err); no != nil {
		err = no
	} else if _, rpc := codeOf(err); x.sent() && rpc != codes.FailedPrecondition && rpc != codes.NotFound {
		err = fmt.Errorf("%w: %w", eventstore.ErrUnknownOutcome, err)
	}
	return eventstore.Position{}, fmt.Errorf("tombstone %s: %w", stream, err)
}
