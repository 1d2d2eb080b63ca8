package grpc

import (
	"errors"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	limits "konto/eventstore/node/proto"
)

func succeeded(b *batch, a eventstore.Appended) *streams.BatchAppendResp {
	success := &streams.BatchAppendResp_Success{
		CurrentRevisionOption: &streams.BatchAppendResp_Success_CurrentRevision{CurrentRevision: uint64(a.Revision)}, //nolint:gosec // replaced if negative
		PositionOption: &streams.BatchAppendResp_Success_Position{Position: &shared.AllStreamPosition{
			CommitPosition: a.Position.Commit, PreparePosition: a.Position.Prepare,
		}},
	}
	if a.Revision < 0 {
		success.CurrentRevisionOption = &streams.BatchAppendResp_Success_NoStream{NoStream: &emptypb.Empty{}}
	}
	if a.Position == (eventstore.Position{}) {
		success.PositionOption = &streams.BatchAppendResp_Success_NoPosition{NoPosition: &emptypb.Empty{}}
	}
	return &streams.BatchAppendResp{
		CorrelationId: b.correlation, StreamIdentifier: b.identifier,
		Result: &streams.BatchAppendResp_Success_{Success: success},
	}
}

// failed says why a batch was not written. otherwise is the detail if err has none.
func failed(b *batch, err error, otherwise proto.Message) *streams.BatchAppendResp {
	return &streams.BatchAppendResp{
		CorrelationId: b.correlation, StreamIdentifier: b.identifier,
		Result: &streams.BatchAppendResp_Error{Error: batchStatus(err, otherwise)},
	}
}

// batchStatus makes a status as batches have them: the codes are not those of
// the other calls, and the one detail tells clients what it is.
func batchStatus(err error, otherwise proto.Message) *status.Status {
	detail := otherwise
	if f, ok := errors.AsType[*failure](err); ok {
		if f.code == codes.Unavailable {
			return packed(code.Code_OK, f.text, &emptypb.Empty{})
		}
		if f.detail != nil {
			detail = f.detail
		}
	}
	c := code.Code_UNKNOWN
	switch detail.(type) {
	case *shared.WrongExpectedVersion:
		c = code.Code_ALREADY_EXISTS
	case *shared.StreamDeleted:
		c = code.Code_NOT_FOUND
	case *shared.AccessDenied:
		c = code.Code_PERMISSION_DENIED
	case *shared.Timeout:
		c = code.Code_DEADLINE_EXCEEDED
	case *shared.MaximumAppendSizeExceeded, *limits.MaximumAppendEventSizeExceeded, *shared.BadRequest:
		c = code.Code_INVALID_ARGUMENT
	}
	return packed(c, string(detail.ProtoReflect().Descriptor().Name()), detail)
}

func packed(c code.Code, text string, detail proto.Message) *status.Status {
	s := &status.Status{Code: int32(c), Message: text}
	if a, err := anypb.New(detail); err == nil { // only invalid UTF-8 can go wrong, and then the code says enough
		s.Details = []*anypb.Any{a}
	}
	return s
}

// wrongDetail says in a batch's way where a stream is and where it should be.
func wrongDetail(e *eventstore.WrongRevisionError) *shared.WrongExpectedVersion {
	d := &shared.WrongExpectedVersion{}
	if e.Current < 0 {
		d.CurrentStreamRevisionOption = &shared.WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &emptypb.Empty{}}
	} else {
		d.CurrentStreamRevisionOption = &shared.WrongExpectedVersion_CurrentStreamRevision{CurrentStreamRevision: uint64(e.Current)}
	}
	switch e.Expected {
	case eventstore.Any:
		d.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedAny{ExpectedAny: &emptypb.Empty{}}
	case eventstore.StreamExists:
		d.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &emptypb.Empty{}}
	case eventstore.NoStream:
		d.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &emptypb.Empty{}}
	default:
		d.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedStreamPosition{ExpectedStreamPosition: uint64(e.Expected)} //nolint:gosec // not negative
	}
	return d
}
