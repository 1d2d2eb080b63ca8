package grpc

import (
	"time"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"konto/eventstore/node/access"
	"konto/eventstore/node/proto"
)

// How often statistics are sent: never so often that sending is the load.
const (
	minPeriod = 100 * time.Millisecond
	maxPeriod = 24 * time.Hour
)

type monitoringService struct {
	proto.UnimplementedMonitoringServer
	*Server
}

// Stats sends statistics at once and then each time the period is over.
func (s *monitoringService) Stats(r *proto.StatsReq, stream rpc.ServerStreamingServer[proto.StatsResp]) error {
	ctx := stream.Context()
	if err := s.allow(ctx, access.Monitor, ""); err != nil {
		return err
	}
	if s.config.Stats == nil {
		return &failure{code: codes.Unimplemented, text: "this node has no statistics"}
	}
	ms := min(r.GetRefreshTimePeriodInMs(), uint64(maxPeriod/time.Millisecond))
	ticker := time.NewTicker(max(minPeriod, time.Duration(ms)*time.Millisecond))
	defer ticker.Stop()
	for {
		if err := stream.Send(&proto.StatsResp{Stats: s.config.Stats()}); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
