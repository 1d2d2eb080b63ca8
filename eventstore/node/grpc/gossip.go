package grpc

import (
	"context"
	"net"
	"strconv"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
)

type gossipService struct {
	gossip.UnimplementedGossipServer
	*Server
}

// Read describes a cluster of one: this node, which leads.
func (s *gossipService) Read(ctx context.Context, _ *shared.Empty) (*gossip.ClusterInfo, error) {
	host, port := s.endpoint(ctx)
	return &gossip.ClusterInfo{Members: []*gossip.MemberInfo{{
		InstanceId:   structured(s.instance),
		TimeStamp:    ticks(s.config.Now()),
		State:        gossip.MemberInfo_Leader,
		IsAlive:      true,
		HttpEndPoint: &gossip.EndPoint{Address: host, Port: uint32(port)}, //nolint:gosec // a port
	}}}, nil
}

// endpoint is where the node can be reached: clients dial it again unless it is
// the very text that they have dialled, which is what they send as authority.
func (s *gossipService) endpoint(ctx context.Context) (host string, port int) {
	if s.config.Advertise != nil {
		return s.config.Advertise()
	}
	authority := metadata.ValueFromIncomingContext(ctx, ":authority")
	if len(authority) == 0 {
		return "", 0
	}
	name := strings.ToValidUTF8(authority[0], "?") // the answer can hold no other
	host, text, err := net.SplitHostPort(name)
	if err != nil {
		return name, defaultPort
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return host, defaultPort
	}
	return host, int(number)
}

// defaultPort is EventStoreDB's.
const defaultPort = 2113
