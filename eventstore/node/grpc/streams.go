package grpc

import (
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

type streamsService struct {
	streams.UnimplementedStreamsServer
	*Server
}
