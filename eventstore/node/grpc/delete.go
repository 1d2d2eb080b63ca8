package grpc

import (
	"context"
	"errors"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	"konto/eventstore/node/access"
)

// Delete implements the service: it hides a stream's events.
func (s *streamsService) Delete(ctx context.Context, request *streams.DeleteReq) (*streams.DeleteResp, error) {
	o := request.GetOptions()
	p, err := s.deleted(ctx, s.config.Store.Delete, o.GetStreamIdentifier(), expectsOf(o.GetExpectedStreamRevision() != nil, o))
	if err != nil {
		return nil, err
	}
	return &streams.DeleteResp{PositionOption: &streams.DeleteResp_Position_{Position: &streams.DeleteResp_Position{
		CommitPosition: p.Commit, PreparePosition: p.Prepare,
	}}}, nil
}

// Tombstone implements the service: it ends a stream for ever.
func (s *streamsService) Tombstone(ctx context.Context, request *streams.TombstoneReq) (*streams.TombstoneResp, error) {
	o := request.GetOptions()
	p, err := s.deleted(ctx, s.config.Store.Tombstone, o.GetStreamIdentifier(), expectsOf(o.GetExpectedStreamRevision() != nil, o))
	if err != nil {
		return nil, err
	}
	return &streams.TombstoneResp{PositionOption: &streams.TombstoneResp_Position_{Position: &streams.TombstoneResp_Position{
		CommitPosition: p.Commit, PreparePosition: p.Prepare,
	}}}, nil
}

type deletion func(ctx context.Context, stream string, expected eventstore.Revision) (eventstore.Position, error)

func (s *streamsService) deleted(ctx context.Context, remove deletion, i *shared.StreamIdentifier, e expects) (eventstore.Position, error) {
	stream, err := target(i.GetStreamName(), i != nil)
	if err != nil {
		return eventstore.Position{}, err
	}
	at, err := e.revision()
	if err != nil {
		return eventstore.Position{}, err
	}
	if err := s.allow(ctx, access.DeleteStream, stream); err != nil {
		return eventstore.Position{}, fail(err, stream)
	}
	p, err := remove(ctx, stream, at)
	if errors.Is(err, eventstore.ErrInvalid) {
		err = unhandled("%w", err)
	}
	return p, fail(err, stream)
}
