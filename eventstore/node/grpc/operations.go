package grpc

import (
	"context"

	"google.golang.org/grpc/codes"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	"konto/eventstore/node/access"
	"konto/eventstore/node/proto"
)

// Operator is what a node can be told to do, for the Operations service.
type Operator interface {
	// StartScavenge begins one and returns its name, or that of the one that
	// runs already.
	StartScavenge() (id string, started bool)
	// StopScavenge ends the one that is called id, and reports whether it ran.
	StopScavenge(ctx context.Context, id string) (ran bool, err error)
	// Shutdown begins to stop the node.
	Shutdown()
	// RestartPersistent lets all groups begin anew at their checkpoints.
	RestartPersistent(ctx context.Context) error
}

type operationsService struct {
	proto.UnimplementedOperationsServer
	*Server
}

// StartScavenge begins to give disk space back. The options are not looked at:
// a store has no chunks to start from, and uses one thread.
func (s *operationsService) StartScavenge(ctx context.Context, _ *proto.StartScavengeReq) (*proto.ScavengeResp, error) {
	operator, err := s.operator(ctx)
	if err != nil {
		return nil, err
	}
	id, started := operator.StartScavenge()
	if !started {
		return &proto.ScavengeResp{ScavengeId: id, ScavengeResult: proto.ScavengeResp_InProgress}, nil
	}
	return &proto.ScavengeResp{ScavengeId: id, ScavengeResult: proto.ScavengeResp_Started}, nil
}

// StopScavenge ends a scavenge before it is done.
func (s *operationsService) StopScavenge(ctx context.Context, r *proto.StopScavengeReq) (*proto.ScavengeResp, error) {
	operator, err := s.operator(ctx)
	if err != nil {
		return nil, err
	}
	id := r.GetOptions().GetScavengeId()
	ran, err := operator.StopScavenge(ctx, id)
	switch {
	case err != nil:
		return nil, fail(err, "")
	case !ran:
		return nil, exception(codes.NotFound, "scavenge-not-found", "No scavenge of this id is running.", "scavenge-id", id)
	}
	return &proto.ScavengeResp{ScavengeId: id, ScavengeResult: proto.ScavengeResp_Stopped}, nil
}

// Shutdown stops the node. It answers before the node has stopped.
func (s *operationsService) Shutdown(ctx context.Context, _ *shared.Empty) (*shared.Empty, error) {
	operator, err := s.operator(ctx)
	if err != nil {
		return nil, err
	}
	s.config.Log.Info().Msg("told to shut down")
	operator.Shutdown()
	return &shared.Empty{}, nil
}

// MergeIndexes has nothing to do: the store merges in the background.
func (s *operationsService) MergeIndexes(ctx context.Context, _ *shared.Empty) (*shared.Empty, error) {
	return s.nothing(ctx)
}

// ResignNode has nothing to do: nobody else could lead.
func (s *operationsService) ResignNode(ctx context.Context, _ *shared.Empty) (*shared.Empty, error) {
	return s.nothing(ctx)
}

// SetNodePriority has nothing to do: there is no election.
func (s *operationsService) SetNodePriority(ctx context.Context, _ *proto.SetNodePriorityReq) (*shared.Empty, error) {
	return s.nothing(ctx)
}

// RestartPersistentSubscriptions drops all consumers; their groups begin anew.
func (s *operationsService) RestartPersistentSubscriptions(ctx context.Context, _ *shared.Empty) (*shared.Empty, error) {
	operator, err := s.operator(ctx)
	if err != nil {
		return nil, err
	}
	if err := operator.RestartPersistent(ctx); err != nil {
		return nil, fail(err, "")
	}
	return &shared.Empty{}, nil
}

func (s *operationsService) nothing(ctx context.Context) (*shared.Empty, error) {
	if _, err := s.operator(ctx); err != nil {
		return nil, err
	}
	return &shared.Empty{}, nil
}

// operator returns whom to tell if the caller may.
func (s *operationsService) operator(ctx context.Context) (Operator, error) {
	if err := s.allow(ctx, access.Operate, ""); err != nil {
		return nil, err
	}
	if s.config.Operator == nil {
		return nil, &failure{code: codes.Unimplemented, text: "this node cannot be operated"}
	}
	return s.config.Operator, nil
}
