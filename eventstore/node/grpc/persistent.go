package grpc

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	"konto/eventstore"
	"konto/eventstore/node/access"
	groups "konto/eventstore/node/persistent"
)

type persistentService struct {
	persistent.UnimplementedPersistentSubscriptionsServer
	*Server
}

// groupFailure translates what can go wrong with a group.
func groupFailure(err error, key groups.Key) error {
	named := func(code codes.Code, name, text string, companions ...string) error {
		return exception(code, name, text, append([]string{"stream-name", key.Stream, "group-name", key.Group}, companions...)...)
	}
	failed := func(reason string) error {
		return named(codes.Internal, "persistent-subscription-failed",
			"Subscription group "+key.Group+" on stream "+key.Stream+" failed: "+reason, "reason", reason)
	}
	var invalid *groups.InvalidError
	switch {
	case errors.Is(err, groups.ErrNotFound):
		return named(codes.NotFound, "persistent-subscription-does-not-exist",
			"Subscription group "+key.Group+" on stream "+key.Stream+" does not exist.")
	case errors.Is(err, groups.ErrExists):
		return named(codes.AlreadyExists, "persistent-subscription-exists",
			"Subscription group "+key.Group+" on stream "+key.Stream+" exists.")
	case errors.Is(err, groups.ErrSubscriberLimit):
		return named(codes.FailedPrecondition, "maximum-subscribers-reached",
			"Maximum subscriptions reached for subscription group "+key.Group+" on stream "+key.Stream+".")
	case errors.Is(err, groups.ErrDropped):
		return named(codes.Canceled, "persistent-subscription-dropped",
			"Subscription group "+key.Group+" on stream "+key.Stream+" was dropped.")
	case errors.Is(err, groups.ErrNotReady):
		return failed("the persistent subscriptions are not ready")
	case errors.As(err, &invalid):
		return failed(invalid.Reason)
	}
	return fail(err, key.Stream)
}

// groupKey names a group. all says that it is one of $all.
func groupKey(i *shared.StreamIdentifier, all bool, group string) (groups.Key, error) {
	if all {
		return groups.Key{Stream: groups.All, Group: group}, nil
	}
	stream, err := streamName(i)
	return groups.Key{Stream: stream, Group: group}, err
}

// Create makes a group.
func (s *persistentService) Create(ctx context.Context, r *persistent.CreateReq) (*persistent.CreateResp, error) {
	d, err := parseCreate(r.GetOptions())
	if err != nil {
		return nil, err
	}
	if err := s.allow(ctx, access.ManagePersistent, d.Stream); err != nil {
		return nil, err
	}
	if err := s.config.Groups.Create(ctx, d); err != nil {
		return nil, groupFailure(err, d.Key)
	}
	return &persistent.CreateResp{}, nil
}

// Update changes a group and drops its consumers.
func (s *persistentService) Update(ctx context.Context, r *persistent.UpdateReq) (*persistent.UpdateResp, error) {
	d, err := parseUpdate(r.GetOptions())
	if err != nil {
		return nil, err
	}
	if err := s.allow(ctx, access.ManagePersistent, d.Stream); err != nil {
		return nil, err
	}
	if err := s.config.Groups.Update(ctx, d); err != nil {
		return nil, groupFailure(err, d.Key)
	}
	return &persistent.UpdateResp{}, nil
}

// Delete ends a group.
func (s *persistentService) Delete(ctx context.Context, r *persistent.DeleteReq) (*persistent.DeleteResp, error) {
	o := r.GetOptions()
	key, err := groupKey(o.GetStreamIdentifier(), o.GetAll() != nil, o.GetGroupName())
	if err != nil {
		return nil, err
	}
	if err := s.allow(ctx, access.ManagePersistent, key.Stream); err != nil {
		return nil, err
	}
	if err := s.config.Groups.Delete(ctx, key); err != nil {
		return nil, groupFailure(err, key)
	}
	return &persistent.DeleteResp{}, nil
}

// ReplayParked brings parked messages back. It answers before they are.
func (s *persistentService) ReplayParked(ctx context.Context, r *persistent.ReplayParkedReq) (*persistent.ReplayParkedResp, error) {
	o := r.GetOptions()
	key, err := groupKey(o.GetStreamIdentifier(), o.GetAll() != nil, o.GetGroupName())
	if err != nil {
		return nil, err
	}
	if err := s.allow(ctx, access.ManagePersistent, key.Stream); err != nil {
		return nil, err
	}
	stopAt := eventstore.Last
	if stop, ok := o.GetStopAtOption().(*persistent.ReplayParkedReq_Options_StopAt); ok {
		stopAt = eventstore.Revision(stop.StopAt)
	}
	if err := s.config.Groups.ReplayParked(ctx, key, stopAt); err != nil {
		return nil, groupFailure(err, key)
	}
	return &persistent.ReplayParkedResp{}, nil
}

// RestartSubsystem drops all consumers and loads all groups anew.
func (s *persistentService) RestartSubsystem(ctx context.Context, _ *shared.Empty) (*shared.Empty, error) {
	if err := s.allow(ctx, access.ManagePersistent, ""); err != nil {
		return nil, err
	}
	if err := s.config.Groups.Restart(ctx); err != nil {
		return nil, fail(err, "")
	}
	return &shared.Empty{}, nil
}
