package esdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"konto/eventstore"
)

// This file is the one place where the client's errors become the port's. The
// client wraps some of them and not others, and knows nine gRPC codes only; so
// they are looked for with errors.As, and the gRPC status decides where the
// client's own code says nothing.

// rpcError returns the gRPC error in err's chain, or nil.
func rpcError(err error) error {
	var rpc interface{ GRPCStatus() *status.Status }
	if errors.As(err, &rpc) {
		return rpc.GRPCStatus().Err()
	}
	return nil
}

// codeOf returns the client's code of err, and gRPC's: OK if there is none.
func codeOf(err error) (esdb.ErrorCode, codes.Code) {
	code := esdb.ErrorCodeUnknown
	if e, ok := errors.AsType[*esdb.Error](err); ok {
		code = e.Code()
	}
	return code, status.Code(rpcError(err))
}

// tooLarge is how servers say that an event or an append is over their limit.
// The client does not pass on the trailers that say it, too.
var tooLarge = regexp.MustCompile(`(?i)maximum.*size`)

// refusal returns err as the port's, if the server has said no and nothing
// was stored, and nil otherwise.
func refusal(err error) error {
	code, rpc := codeOf(err)
	switch {
	case code == esdb.ErrorCodeStreamDeleted:
		return eventstore.ErrStreamDeleted
	case rpc == codes.PermissionDenied, rpc == codes.Unauthenticated:
		// An operator can change that while this program runs.
		return fmt.Errorf("%w: the event store refuses it: %w", eventstore.ErrUnavailable, reason(err))
	case rpc == codes.Unimplemented:
		return fmt.Errorf("%w: not an event store: %w", eventstore.ErrUnavailable, reason(err))
	case rpc == codes.ResourceExhausted, rpc == codes.InvalidArgument && tooLarge.MatchString(status.Convert(rpcError(err)).Message()):
		return fmt.Errorf("%w: %w", eventstore.ErrTooLarge, reason(err))
	case rpc == codes.InvalidArgument:
		return fmt.Errorf("%w: %w", eventstore.ErrInvalid, reason(err))
	}
	return nil
}

// lost reports whether err says that the connection is of no use any more.
func lost(err error) bool {
	code, rpc := codeOf(err)
	return rpc == codes.Unavailable || code == esdb.ErrorCodeConnectionClosed
}

// notFound reports whether a read found no stream. A gRPC status with the same
// code of the client's is a node that is not the leader.
func notFound(err error) bool {
	code, _ := codeOf(err)
	return code == esdb.ErrorCodeResourceNotFound && rpcError(err) == nil
}

// outcome is what is known of an append that failed.
type outcome int

const (
	refused   outcome = iota // never stored, and trying again will not help
	notStored                // not stored; trying again may help
	unknown                  // perhaps stored
)

// judge says what became of an append whose call failed with err. Sent says
// whether the client had a connection.
//
// The client wraps what fails while it sends and leaves unwrapped what comes
// instead of an answer. A server acts on an append when the whole of it is
// there, so only the latter may have been stored.
func judge(err error, sent bool) (outcome, error) {
	e, ok := errors.AsType[*esdb.Error](err)
	answered := ok && err == error(e) //nolint:errorlint // whether it is wrapped is the question
	if !sent {
		return notStored, err
	}
	if no := refusal(err); no != nil {
		return refused, no
	}
	switch code, rpc := codeOf(err); {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return unknown, err
	case code == esdb.ErrorCodeNotLeader, rpc == codes.NotFound:
		return notStored, err
	case !answered && !errors.Is(err, errHangs) && !errors.Is(err, errPanicked):
		return notStored, err
	}
	return unknown, err
}

// cutOff reports whether the server ended an append while it was being sent.
// Real servers do that with those over their limit, and the client then loses
// what the server said.
func cutOff(err error) bool {
	return errors.Is(err, io.EOF) && rpcError(err) == nil
}

// current finds where the server saw the stream, in the text of the client's
// error: it keeps the number nowhere else. Reading the end of the stream
// instead, as the caller does if the text is another, may already see a
// later one, perhaps even the expected one.
var current = regexp.MustCompile(`but got '(no_stream|-?\d+)'`)

func currentOf(err error) (eventstore.Revision, bool) {
	m := current.FindStringSubmatch(err.Error())
	switch {
	case m == nil:
		return 0, false
	case m[1] == "no_stream":
		return eventstore.NoStream, true
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	return eventstore.Revision(n), err == nil
}
