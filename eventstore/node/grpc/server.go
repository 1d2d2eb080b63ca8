package grpc

import (
	"context"
	"math"
	"time"

	"github.com/rs/zerolog"
	rpc "google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // clients may compress what they send
	"google.golang.org/grpc/keepalive"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	wire "github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	"konto/eventstore/node/access"
	"konto/eventstore/node/engine"
	"konto/eventstore/node/persistent"
	"konto/eventstore/node/proto"
)

// Config says what a [Server] serves.
type Config struct {
	Store  *engine.Store        // required
	Access *access.Control      // nil: everything is allowed, nobody is asked who they are
	Now    func() time.Time     // required
	NewID  func() eventstore.ID // of subscriptions and of this process; required
	Log    zerolog.Logger

	// ReadOnly refuses every call that would change something.
	ReadOnly bool
	Operator Operator                 // nil: Operations answers Unimplemented
	Groups   *persistent.Groups       // nil: PersistentSubscriptions answers Unimplemented
	Stats    func() map[string]string // nil: Monitoring answers Unimplemented

	// Advertise says where clients reach this node. Nil: where the client that
	// asks has reached it.
	Advertise func() (host string, port int)
	Limits    Limits
	// Version is EventStoreDB's version that clients are told, three numbers.
	// "" means [Version].
	Version string
}

// Version is the version of EventStoreDB whose protocol the node speaks.
const Version = "25.0.0"

// Limits bound what one call may ask for. Zero fields have EventStoreDB's values.
type Limits struct {
	AppendBytes  int           // of the events of one append (MaxAppendSize); 0 means 1 MiB
	EventBytes   int           // of one event (MaxAppendEventSize); 0 means no limit but AppendBytes
	WriteTimeout time.Duration // how long a batch may wait at most; 0 means 2 s (Prepare- and CommitTimeout)
}

// What EventStoreDB's server accepts as one message: the Streams service nearly
// what a record may have, the others what gRPC implementations accept unasked.
const (
	maxStreamsMessage = 16<<20 - 10_000
	maxOtherMessage   = 4 << 20
)

func (l Limits) withDefaults() Limits {
	if l.AppendBytes == 0 {
		l.AppendBytes = 1 << 20
	}
	if l.EventBytes == 0 {
		l.EventBytes = math.MaxInt
	}
	if l.WriteTimeout == 0 {
		l.WriteTimeout = 2 * time.Second
	}
	return l
}

// Server answers calls. It has no goroutines of its own: those of a call end
// with the call.
type Server struct {
	config   Config
	instance eventstore.ID
	features *serverfeatures.SupportedMethods
	calls    calls
}

// New returns a server. Register it with a [rpc.Server] that was made with its
// Options.
func New(c Config) *Server {
	c.Limits = c.Limits.withDefaults()
	if c.Version == "" {
		c.Version = Version
	}
	return &Server{config: c, instance: c.NewID()}
}

// Options are what the [rpc.Server] must be made with: the protocol's limits,
// its errors and the authentication depend on them.
func (s *Server) Options() []rpc.ServerOption {
	return []rpc.ServerOption{
		rpc.ForceServerCodecV2(newCodec()),
		rpc.MaxRecvMsgSize(maxStreamsMessage),
		rpc.MaxSendMsgSize(math.MaxInt32),
		rpc.WriteBufferSize(64 << 10), // a read of small events is a system call for every 100 of them
		rpc.NumStreamWorkers(128),     // goroutines whose stacks have grown: an append costs a seventh less
		rpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
			// The official client pings every 10 s, also without a call.
			MinTime:             5 * time.Second,
			PermitWithoutStream: true,
		}),
		rpc.KeepaliveParams(keepalive.ServerParameters{Time: 10 * time.Second, Timeout: 10 * time.Second}),
		rpc.ChainUnaryInterceptor(s.answerUnary, s.authenticateUnary),
		rpc.ChainStreamInterceptor(s.answerStream, s.authenticateStream),
	}
}

// Register adds the services to r.
func (s *Server) Register(r rpc.ServiceRegistrar) {
	recorder := &recorder{ServiceRegistrar: r}
	streams.RegisterStreamsServer(recorder, &streamsService{Server: s})
	if s.config.Groups != nil {
		wire.RegisterPersistentSubscriptionsServer(recorder, &persistentService{Server: s})
	}
	gossip.RegisterGossipServer(recorder, &gossipService{Server: s})
	serverfeatures.RegisterServerFeaturesServer(recorder, &featuresService{Server: s})
	proto.RegisterUsersServer(recorder, &usersService{Server: s})
	proto.RegisterOperationsServer(recorder, &operationsService{Server: s})
	proto.RegisterMonitoringServer(recorder, &monitoringService{Server: s})
	s.features = recorder.supported(s.config.Version)
}

// allow returns nil if the caller in ctx may do op with a stream, and the
// answer to the call otherwise.
func (s *Server) allow(ctx context.Context, op access.Operation, stream string) error {
	if s.config.Access == nil {
		if stream == allStream && (op == access.WriteStream || op == access.DeleteStream) {
			return accessDenied()
		}
		return nil
	}
	return s.config.Access.Allow(ctx, access.From(ctx), op, stream)
}

// allStream names the stream of all events where a name is expected.
const allStream = "$all"
