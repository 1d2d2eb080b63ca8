package grpc

import (
	"context"
	"errors"
	"sync"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"konto/eventstore/node/access"
)

// authenticateUnary and authenticateStream put who calls into the context.
// Wrong credentials fail any call, also one that everybody may make: whoever
// sends some means to be somebody.
func (s *Server) authenticateUnary(ctx context.Context, request any, info *rpc.UnaryServerInfo, next rpc.UnaryHandler) (any, error) {
	ctx, err := s.authenticate(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return next(ctx, request)
}

func (s *Server) authenticateStream(service any, stream rpc.ServerStream, info *rpc.StreamServerInfo, next rpc.StreamHandler) error {
	ctx, err := s.authenticate(stream.Context(), info.FullMethod)
	if err != nil {
		if info.IsClientStream && !info.IsServerStream {
			drain(stream) // see Append
		}
		return err
	}
	if !endless(info) {
		return next(service, callerStream{stream, ctx})
	}
	ctx, done := s.calls.begin(ctx)
	defer done()
	err = next(service, callerStream{stream, ctx})
	var f *failure
	hasReason := errors.As(err, &f) && len(f.trailers) > 0 // the service's own words for it
	if err != nil && !hasReason && errors.Is(context.Cause(ctx), errEnding) {
		return notReady(errEnding)
	}
	return err
}

func (s *Server) authenticate(ctx context.Context, method string) (context.Context, error) {
	if s.config.ReadOnly && !reads(method) {
		return nil, accessDenied()
	}
	if s.config.Access == nil {
		return ctx, nil
	}
	header := ""
	switch values := metadata.ValueFromIncomingContext(ctx, "authorization"); len(values) {
	case 0:
	case 1:
		header = values[0]
	default:
		return nil, fail(access.ErrBadCredentials, "")
	}
	p, err := s.config.Access.Authenticate(ctx, header)
	switch {
	case err == nil:
		return access.With(ctx, p), nil
	case errors.Is(err, access.ErrBadCredentials), ctx.Err() != nil:
		return nil, fail(err, "")
	default:
		return nil, notReady(err)
	}
}

// callerStream is a stream whose context says who calls.
type callerStream struct {
	rpc.ServerStream
	ctx context.Context //nolint:containedctx // what grpc asks of streams
}

// Context implements [rpc.ServerStream].
func (s callerStream) Context() context.Context { return s.ctx }

// reads reports whether a method only reads. What is not known writes.
func reads(method string) bool {
	switch method {
	case "/event_store.client.streams.Streams/Read",
		"/event_store.client.gossip.Gossip/Read",
		"/event_store.client.server_features.ServerFeatures/GetSupportedMethods",
		"/event_store.client.monitoring.Monitoring/Stats",
		"/event_store.client.users.Users/Details":
		return true
	}
	return false
}

// endless reports whether a call may go on for ever while its client says
// nothing: an append ends with what the client sends.
func endless(info *rpc.StreamServerInfo) bool {
	return info.IsServerStream && info.FullMethod != "/event_store.client.streams.Streams/BatchAppend"
}

var errEnding = errors.New("the node is stopping")

// calls are those that may go on for ever.
type calls struct {
	sync.Mutex
	ended  bool
	cancel map[*context.CancelCauseFunc]struct{}
}

func (c *calls) begin(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	c.Lock()
	defer c.Unlock()
	if c.ended {
		cancel(errEnding)
		return ctx, func() {}
	}
	if c.cancel == nil {
		c.cancel = make(map[*context.CancelCauseFunc]struct{})
	}
	c.cancel[&cancel] = struct{}{}
	return ctx, func() {
		c.Lock()
		delete(c.cancel, &cancel)
		c.Unlock()
		cancel(nil)
	}
}

// End ends reads and subscriptions, also those that begin later, with the
// status Unavailable, which makes clients connect anew. Appends
// go on; stop the [rpc.Server] after it.
func (s *Server) End() {
	s.calls.Lock()
	defer s.calls.Unlock()
	s.calls.ended = true
	for cancel := range s.calls.cancel {
		(*cancel)(errEnding)
	}
}
