package grpc

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"konto/eventstore"
	"konto/eventstore/node/access"
)

// One call of BatchAppend carries many appends, each in one or more messages
// with a correlation ID. They are answered in any order, each once; those of one
// stream are written in the order in which they were complete.

// What one call may have under way. Batches that are being written make the
// client wait; those that it has begun and not ended cannot, and are refused.
const (
	maxBatchWriters = 256
	maxOpenBatches  = 1024
	maxOpenBytes    = 64 << 20
)

// batch is an append that is coming in.
type batch struct {
	proposal
	correlation *shared.UUID
	identifier  *shared.StreamIdentifier
	timeout     time.Duration
	answered    bool
}

// batches is one call.
type batches struct {
	server *Server
	out    rpc.ServerStream
	abort  context.CancelCauseFunc

	open     map[eventstore.ID]*batch
	openSize int

	running sync.WaitGroup
	tokens  chan struct{} // one for each writer
	order   order

	sending sync.Mutex
}

// BatchAppend implements the service.
func (s *streamsService) BatchAppend(in streams.Streams_BatchAppendServer) error {
	ctx, abort := context.WithCancelCause(in.Context())
	defer abort(nil)
	b := &batches{
		server: s.Server, out: in, abort: abort,
		open:   make(map[eventstore.ID]*batch),
		tokens: make(chan struct{}, maxBatchWriters),
		order:  order{last: make(map[string]chan struct{})},
	}
	err := b.receive(ctx, in)
	if err != nil {
		abort(err)
	}
	b.running.Wait()
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

func (b *batches) receive(ctx context.Context, in streams.Streams_BatchAppendServer) error {
	for {
		request, err := in.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		id, err := identity(request.GetCorrelationId())
		if err != nil {
			return unhandled("a batch without a correlation ID: %w", err) // no answer would find its way
		}
		if err := b.take(ctx, id, request); err != nil {
			return err
		}
	}
}

// take adds a message to its batch, and starts to write it if it is complete.
// An error ends the call.
func (b *batches) take(ctx context.Context, id eventstore.ID, request *streams.BatchAppendReq) error {
	one, known := b.open[id]
	if !known {
		if len(b.open) >= maxOpenBatches {
			return &failure{code: codes.ResourceExhausted, text: "too many batches were begun and not ended"}
		}
		one = &batch{correlation: request.GetCorrelationId(), identifier: request.GetOptions().GetStreamIdentifier()}
		b.open[id] = one
		if err := b.begin(ctx, one, request.GetOptions()); err != nil {
			b.refuse(one, err)
		}
	}
	b.openSize -= one.size
	if err := b.add(one, request.GetProposedMessages()); err != nil {
		b.refuse(one, err)
	}
	if !request.GetIsFinal() {
		b.openSize += one.size
		return nil
	}
	delete(b.open, id)
	if one.answered {
		return nil
	}
	select {
	case b.tokens <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	wait, done := b.order.queue(one.stream)
	b.running.Go(func() {
		defer func() {
			if p := recover(); p != nil { // of a call, not of the node
				b.abort(b.server.panicked(p))
			}
			done()
			<-b.tokens
		}()
		wait()
		b.write(ctx, one)
	})
	return nil
}

// begin reads the options of a batch.
func (b *batches) begin(ctx context.Context, one *batch, o *streams.BatchAppendReq_Options) (err error) {
	if o == nil {
		return invalidArgument("the options are missing")
	}
	if one.stream, err = target(o.GetStreamIdentifier().GetStreamName(), o.GetStreamIdentifier() != nil); err != nil {
		return err
	}
	if one.expected, err = expectedPosition(o); err != nil {
		return err
	}
	one.timeout = b.timeout(o)
	return fail(b.server.allow(ctx, access.WriteStream, one.stream), one.stream)
}

func expectedPosition(o *streams.BatchAppendReq_Options) (eventstore.Revision, error) {
	switch at := o.GetExpectedStreamPosition().(type) {
	case *streams.BatchAppendReq_Options_Any:
		return eventstore.Any, nil
	case *streams.BatchAppendReq_Options_NoStream:
		return eventstore.NoStream, nil
	case *streams.BatchAppendReq_Options_StreamExists:
		return eventstore.StreamExists, nil
	case *streams.BatchAppendReq_Options_StreamPosition:
		return revision(at.StreamPosition, eventstore.NoStream)
	}
	return 0, invalidArgument("the expected position is missing")
}

// timeout is how long the client waits, at most as long as the server does.
func (b *batches) timeout(o *streams.BatchAppendReq_Options) time.Duration {
	most := b.server.config.Limits.WriteTimeout
	switch d := o.GetDeadlineOption().(type) {
	case *streams.BatchAppendReq_Options_Deadline:
		return min(most, d.Deadline.AsDuration())
	case *streams.BatchAppendReq_Options_Deadline_21_10_0:
		return min(most, d.Deadline_21_10_0.AsTime().Sub(b.server.config.Now()))
	}
	return most
}

func (b *batches) add(one *batch, messages []*streams.BatchAppendReq_ProposedMessage) error {
	for _, m := range messages {
		if one.answered {
			return nil
		}
		e := eventOf(m.GetId(), m)
		if err := one.extend(&e, b.server.config.Limits); err != nil {
			return err
		}
		if b.openSize+one.size > maxOpenBytes {
			return &failure{code: codes.Unavailable, text: "Server Is Too Busy"}
		}
	}
	return nil
}

func (b *batches) write(ctx context.Context, one *batch) {
	ctx, cancel := context.WithTimeout(ctx, one.timeout)
	defer cancel()
	appended, err := eventstore.Appended{}, ctx.Err()
	if err == nil {
		appended, err = b.server.write(ctx, &one.proposal)
	}
	if err == nil {
		b.answer(succeeded(one, appended))
		return
	}
	b.answer(failed(one, fail(err, one.stream), &shared.Unknown{}))
}

// refuse answers a batch that cannot be written. What still comes of it is
// forgotten.
func (b *batches) refuse(one *batch, err error) {
	if one.answered {
		return
	}
	one.answered = true
	b.openSize -= one.size
	one.proposal = proposal{stream: one.stream}
	b.answer(failed(one, err, &shared.BadRequest{Message: err.Error()}))
}

func (b *batches) answer(response *streams.BatchAppendResp) {
	b.sending.Lock()
	defer b.sending.Unlock()
	if err := b.out.SendMsg(response); err != nil {
		b.abort(err)
	}
}

// order makes batches of one stream wait for each other.
type order struct {
	sync.Mutex
	last map[string]chan struct{}
}

// queue returns what to wait for and what to call when done.
func (o *order) queue(stream string) (wait, done func()) {
	o.Lock()
	defer o.Unlock()
	before, waits := o.last[stream]
	mine := make(chan struct{})
	o.last[stream] = mine
	wait = func() {
		if waits {
			<-before
		}
	}
	return wait, func() {
		o.Lock()
		defer o.Unlock()
		close(mine)
		if o.last[stream] == mine {
			delete(o.last, stream)
		}
	}
}
