package grpc

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	"konto/eventstore"
	"konto/eventstore/node/access"
	limits "konto/eventstore/node/proto"
)

// A failure is how a call ends: a status and, for clients to tell errors of the
// same code apart, trailers. The keys and values are EventStoreDB's, byte for
// byte; the texts are not, and clients show them only.
type failure struct {
	code     codes.Code
	text     string
	trailers []string      // key, value, key, value...
	detail   proto.Message // what an append in a batch is told instead, if there is a message for it
	cause    error
}

func (f *failure) Error() string {
	if f.cause != nil {
		return f.text + ": " + f.cause.Error()
	}
	return f.text
}

func (f *failure) Unwrap() error { return f.cause }

// GRPCStatus makes a failure readable for the grpc packages.
func (f *failure) GRPCStatus() *status.Status { return status.New(f.code, f.text) }

// exception returns a failure that names itself in the trailer `exception`.
func exception(code codes.Code, name, text string, companions ...string) *failure {
	return &failure{code: code, text: text, trailers: append([]string{"exception", name}, companions...)}
}

// with adds what an append in a batch is told.
func (f *failure) with(detail proto.Message) *failure {
	f.detail = detail
	return f
}

// unhandled is how EventStoreDB answers what it did not think of, for example
// a request without a part that must be there.
func unhandled(format string, a ...any) *failure {
	return &failure{code: codes.Unknown, text: "Exception was thrown by handler.", cause: fmt.Errorf(format, a...)}
}

func invalidArgument(format string, a ...any) *failure {
	return &failure{code: codes.InvalidArgument, text: fmt.Sprintf(format, a...)}
}

func accessDenied() *failure {
	return exception(codes.PermissionDenied, "access-denied", "Access Denied").with(&shared.AccessDenied{})
}

func streamDeleted(stream string) *failure {
	return exception(codes.FailedPrecondition, "stream-deleted",
		fmt.Sprintf("The stream '%s' is deleted.", stream), "stream-name", stream).
		with(&shared.StreamDeleted{StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(stream)}})
}

// wrongVersion is the answer to a delete; that to an append is no failure.
func wrongVersion(e *eventstore.WrongRevisionError) *failure {
	return exception(codes.FailedPrecondition, "wrong-expected-version",
		fmt.Sprintf("The stream '%s' is at version %d, not at %d.", e.Stream, e.Current, e.Expected),
		"stream-name", e.Stream,
		"expected-version", strconv.FormatInt(int64(e.Expected), 10),
		"actual-version", strconv.FormatInt(int64(e.Current), 10)).with(wrongDetail(e))
}

func appendTooLarge(limit int) *failure {
	return exception(codes.InvalidArgument, "maximum-append-size-exceeded",
		fmt.Sprintf("The append is larger than %d bytes.", limit),
		"maximum-append-size", strconv.Itoa(limit)).
		with(&shared.MaximumAppendSizeExceeded{MaxAppendSize: uint32(limit)}) //nolint:gosec // some megabytes
}

func eventTooLarge(limit int, id string, size int) *failure {
	return exception(codes.InvalidArgument, "maximum-append-event-size-exceeded",
		fmt.Sprintf("The event %s has %d bytes, more than %d.", id, size, limit),
		"maximum-append-event-size", strconv.Itoa(limit),
		"event-id", id,
		"proposed-append-event-size", strconv.Itoa(size)).
		with(&limits.MaximumAppendEventSizeExceeded{
			EventId: id, ProposedEventSize: uint32(size), MaxAppendEventSize: uint32(limit), //nolint:gosec // some megabytes
		})
}

func metadataMissing(key string) *failure {
	return exception(codes.InvalidArgument, "missing-required-metadata-property",
		fmt.Sprintf("The metadata property '%s' is missing.", key),
		"required-metadata-properties", "type,content-type")
}

func notReady(cause error) *failure {
	return &failure{code: codes.Unavailable, text: "Server Is Not Ready", cause: cause}
}

// timedOut is the answer if a write may or may not have happened.
func timedOut(cause error) *failure {
	return &failure{code: codes.Aborted, text: "Operation timed out: the outcome is unknown", detail: &shared.Timeout{}, cause: cause}
}

// fail translates an error of the store or of the access control. stream names
// the stream that was asked for.
func fail(err error, stream string) error {
	var (
		done  *failure
		wrong *eventstore.WrongRevisionError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &done):
		return done
	case errors.As(err, &wrong):
		return wrongVersion(wrong)
	case errors.Is(err, eventstore.ErrStreamDeleted):
		return streamDeleted(stream)
	case errors.Is(err, access.ErrDenied):
		return accessDenied()
	case errors.Is(err, access.ErrBadCredentials):
		return &failure{code: codes.Unauthenticated, text: "Unauthenticated"}
	case errors.Is(err, eventstore.ErrUnknownOutcome):
		return timedOut(err)
	case errors.Is(err, eventstore.ErrUnavailable), errors.Is(err, eventstore.ErrClosed):
		return notReady(err)
	case errors.Is(err, context.Canceled):
		return &failure{code: codes.Canceled, text: "the call was cancelled"}
	case errors.Is(err, context.DeadlineExceeded):
		return &failure{code: codes.DeadlineExceeded, text: "the call took longer than it was given", detail: &shared.Timeout{}}
	}
	return err
}

// answerUnary and answerStream end calls: they are the outermost interceptors.
func (s *Server) answerUnary(ctx context.Context, request any, info *rpc.UnaryServerInfo, next rpc.UnaryHandler) (response any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = s.panicked(p)
		}
		err = s.answer(info.FullMethod, err, func(md metadata.MD) { _ = rpc.SetTrailer(ctx, md) }) // fails outside of a call only
	}()
	if err := withinLimit(info.FullMethod, request); err != nil {
		return nil, err
	}
	return next(ctx, request)
}

func (s *Server) answerStream(service any, stream rpc.ServerStream, info *rpc.StreamServerInfo, next rpc.StreamHandler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = s.panicked(p)
		}
		err = s.answer(info.FullMethod, err, stream.SetTrailer)
	}()
	if !isStreams(info.FullMethod) {
		stream = limitedStream{ServerStream: stream, method: info.FullMethod}
	}
	if !info.IsClientStream {
		stream = oneMessage{stream}
	}
	return next(service, stream)
}

// oneMessage is a call in which the client sends one message. If something
// broken follows it, gRPC returns an error without a status.
type oneMessage struct{ rpc.ServerStream }

// RecvMsg receives the message.
func (s oneMessage) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if _, ok := status.FromError(err); !ok {
		return status.Error(codes.Internal, err.Error())
	}
	return err
}

// answer makes a status of what a handler returned.
func (s *Server) answer(method string, err error, trailer func(metadata.MD)) error {
	if err == nil {
		return nil
	}
	var f *failure
	if err = fail(err, ""); !errors.As(err, &f) {
		if _, ok := status.FromError(err); ok {
			return err
		}
		s.config.Log.Warn().Err(err).Str("method", method).Msg("call failed")
		f = unhandled("%w", err)
	} else if f.code == codes.Unavailable {
		s.config.Log.Warn().Err(f.cause).Str("method", method).Msg("call found the store unavailable")
	}
	if len(f.trailers) > 0 {
		md := make(metadata.MD, len(f.trailers)/2)
		for i := 0; i < len(f.trailers); i += 2 {
			md.Set(f.trailers[i], printable(f.trailers[i+1]))
		}
		trailer(md)
	}
	return f.GRPCStatus().Err()
}

func (s *Server) panicked(p any) error {
	s.config.Log.Error().Any("panic", p).Bytes("stack", debug.Stack()).Msg("call panicked")
	return unhandled("panic")
}

// printable makes a header of a text. HTTP/2 has no place for control characters,
// and clients disagree about those beyond ASCII: a text with any of them is
// percent-encoded, others are sent as they are.
func printable(s string) string {
	ok := func(c byte) bool { return ' ' <= c && c <= '~' }
	i := 0
	for i < len(s) && ok(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if ok(s[i]) && s[i] != '%' {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
	}
	return b.String()
}
