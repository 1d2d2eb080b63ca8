package grpc

import (
	"context"
	"errors"
	"io"
	"math"

	rpc "google.golang.org/grpc"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	"konto/eventstore/node/access"
)

// proposal is what a client wants to append.
type proposal struct {
	stream   string
	expected eventstore.Revision
	events   []eventstore.Event
	size     int
}

// Append implements the service. The client is sending while it is answered:
// an early failure waits until it has sent all, because official clients that
// are interrupted lose the reason.
func (s *streamsService) Append(in streams.Streams_AppendServer) error {
	ctx := in.Context()
	p, err := s.receive(ctx, in)
	if err != nil {
		drain(in)
		return err
	}
	appended, err := s.write(ctx, p)
	var wrong *eventstore.WrongRevisionError
	switch {
	case errors.As(err, &wrong):
		return in.SendAndClose(refused(wrong))
	case err != nil:
		return err
	}
	return in.SendAndClose(accepted(appended))
}

// receive reads the options and the events of an append.
func (s *streamsService) receive(ctx context.Context, in rpc.ServerStream) (*proposal, error) {
	var m appendMessage
	switch err := in.RecvMsg(&m); {
	case errors.Is(err, io.EOF):
		return nil, unhandled("an append without a message")
	case err != nil:
		return nil, err
	case !m.hasOptions:
		return nil, unhandled("an append that does not begin with options")
	}
	stream, err := target(m.stream, m.identified)
	if err != nil {
		return nil, err
	}
	p := &proposal{stream: stream}
	if p.expected, err = m.expects.revision(); err != nil {
		return nil, err
	}
	if err := s.allow(ctx, access.WriteStream, stream); err != nil {
		return nil, fail(err, stream)
	}
	for {
		err := in.RecvMsg(&m)
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err == nil && !m.proposed {
			err = unhandled("an append with options twice, or an empty message")
		}
		if err == nil {
			err = p.extend(&m.event, s.config.Limits)
		}
		if err != nil {
			return nil, err
		}
	}
}

// extend checks an event and the size of the append so far. The size is counted as
// EventStoreDB does, which keeps names in two bytes for each UTF-16 unit.
func (p *proposal) extend(e *event, l Limits) error {
	switch {
	case !e.hasType:
		return metadataMissing(keyType)
	case !e.hasContent:
		return metadataMissing(keyContentType)
	case e.typ == "":
		return unhandled("an event without a type")
	}
	if e.wrongID != nil || e.id == (eventstore.ID{}) {
		return unhandled("an event without an ID")
	}
	size := len(e.data) + len(e.meta) + 2*utf16Len(e.typ)
	if size > l.EventBytes {
		return eventTooLarge(l.EventBytes, text(e.id), size)
	}
	if p.size += size; p.size > l.AppendBytes {
		return appendTooLarge(l.AppendBytes)
	}
	p.events = append(p.events, eventstore.Event{
		ID: e.id, Type: e.typ, Data: e.data, Meta: e.meta, Binary: !e.json,
	})
	return nil
}

func utf16Len(s string) (n int) {
	for _, r := range s {
		if n++; r > math.MaxUint16 {
			n++
		}
	}
	return n
}

// write appends. Its errors are failures, but that of a wrong revision, which
// is none.
func (s *Server) write(ctx context.Context, p *proposal) (a eventstore.Appended, err error) {
	if len(p.events) == 0 {
		a, err = s.config.Store.Check(ctx, p.stream, p.expected)
	} else {
		a, err = s.config.Store.Append(ctx, p.stream, p.expected, p.events...)
	}
	switch {
	case errors.Is(err, eventstore.ErrWrongRevision):
		return a, err
	case errors.Is(err, eventstore.ErrTooLarge):
		return a, appendTooLarge(s.config.Limits.AppendBytes)
	case errors.Is(err, eventstore.ErrInvalid):
		return a, unhandled("%w", err).with(&shared.BadRequest{Message: err.Error()})
	}
	return a, fail(err, p.stream)
}

// drainBytes bounds what is read after an early failure.
const drainBytes = 64 << 20

// drain reads what the client still sends, and forgets it.
func drain(in rpc.ServerStream) {
	var d discarded
	for d.size < drainBytes && in.RecvMsg(&d) == nil {
	}
}

func accepted(a eventstore.Appended) *streams.AppendResp {
	success := &streams.AppendResp_Success{
		CurrentRevisionOption: &streams.AppendResp_Success_CurrentRevision{CurrentRevision: uint64(a.Revision)}, //nolint:gosec // replaced if negative
		PositionOption: &streams.AppendResp_Success_Position{Position: &streams.AppendResp_Position{
			CommitPosition: a.Position.Commit, PreparePosition: a.Position.Prepare,
		}},
	}
	if a.Revision < 0 {
		success.CurrentRevisionOption = &streams.AppendResp_Success_NoStream{NoStream: &shared.Empty{}}
	}
	if a.Position == (eventstore.Position{}) {
		success.PositionOption = &streams.AppendResp_Success_NoPosition{NoPosition: &shared.Empty{}}
	}
	return &streams.AppendResp{Result: &streams.AppendResp_Success_{Success: success}}
}

// refused is the answer to an append at a wrong revision: the call succeeds.
// Everything is said twice, the second time for clients older than 20.6.1, to
// whom "no stream" is the largest revision.
func refused(e *eventstore.WrongRevisionError) *streams.AppendResp {
	wrong := &streams.AppendResp_WrongExpectedVersion{}
	if e.Current < 0 {
		wrong.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &shared.Empty{}}
		wrong.CurrentRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_NoStream_20_6_0{NoStream_20_6_0: &shared.Empty{}}
	} else {
		current := uint64(e.Current)
		wrong.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: current}
		wrong.CurrentRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_CurrentRevision_20_6_0{CurrentRevision_20_6_0: current}
	}
	switch e.Expected {
	case eventstore.Any:
		wrong.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedAny{ExpectedAny: &shared.Empty{}}
		wrong.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_Any_20_6_0{Any_20_6_0: &shared.Empty{}}
	case eventstore.StreamExists:
		wrong.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &shared.Empty{}}
		wrong.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_StreamExists_20_6_0{StreamExists_20_6_0: &shared.Empty{}}
	case eventstore.NoStream:
		wrong.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &shared.Empty{}}
		wrong.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision_20_6_0{ExpectedRevision_20_6_0: math.MaxUint64}
	default:
		expected := uint64(e.Expected) //nolint:gosec // not negative
		wrong.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: expected}
		wrong.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision_20_6_0{ExpectedRevision_20_6_0: expected}
	}
	return &streams.AppendResp{Result: &streams.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: wrong}}
}
