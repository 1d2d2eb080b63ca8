package grpc

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	"konto/eventstore"
	"konto/eventstore/node/access"
	groups "konto/eventstore/node/persistent"
)

// consumer is a call that consumes messages of a group. One goroutine sends
// messages, another one receives what the client says about them.
type consumer struct {
	server  *Server
	key     groups.Key
	text    bool // UUIDs as texts
	call    persistent.PersistentSubscriptions_ReadServer
	group   *groups.Subscription
	encoder encoder
	frame   frame
	linked  links
}

// Read consumes messages of a group until the client leaves or is dropped.
func (s *persistentService) Read(call persistent.PersistentSubscriptions_ReadServer) error {
	first, err := call.Recv()
	if err != nil {
		return unhandled("no message: %w", err)
	}
	o := first.GetOptions()
	if o == nil {
		return unhandled("the first message has no options")
	}
	key, err := groupKey(o.GetStreamIdentifier(), o.GetAll() != nil, o.GetGroupName())
	if err != nil {
		return err
	}
	if o.GetUuidOption() == nil {
		return invalidArgument("the UUID option is missing")
	}
	_, text := o.GetUuidOption().GetContent().(*persistent.ReadReq_Options_UUIDOption_String_)
	ctx := call.Context()
	if err := s.allow(ctx, access.ReadPersistent, key.Stream); err != nil {
		return err
	}
	group, err := s.config.Groups.Subscribe(ctx, key, describeCaller(ctx, int(o.GetBufferSize())))
	if err != nil {
		return groupFailure(err, key)
	}
	defer group.Close()
	c := &consumer{server: s.Server, key: key, text: text, call: call, group: group}
	defer c.encoder.free()
	ctx, stop := s.whileAllowed(ctx, access.ReadPersistent, key.Stream)
	defer stop()
	return c.run(ctx)
}

// describeCaller says who consumes.
func describeCaller(ctx context.Context, slots int) groups.Consumer {
	c := groups.Consumer{Slots: slots, Username: "anonymous", ConnectionName: "<unknown>"}
	if p := access.From(ctx); p.Known() {
		c.Username = p.Login
	}
	if names := metadata.ValueFromIncomingContext(ctx, "connection-name"); len(names) > 0 {
		c.ConnectionName = names[0]
	}
	if from, ok := peer.FromContext(ctx); ok {
		c.From = from.Addr.String()
	}
	return c
}

func (c *consumer) run(ctx context.Context) error {
	err := c.call.Send(&persistent.ReadResp{Content: &persistent.ReadResp_SubscriptionConfirmation_{
		SubscriptionConfirmation: &persistent.ReadResp_SubscriptionConfirmation{SubscriptionId: c.group.ID()},
	}})
	if err != nil {
		return err //nolint:wrapcheck // it is the call's status
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { cancel(c.receive(ctx)) }() // ends with the call
	for {
		messages, err := c.group.Next(ctx)
		switch {
		case err == nil:
		case errors.Is(err, groups.ErrDropped):
			return groupFailure(err, c.key)
		default:
			return c.over(context.Cause(ctx))
		}
		for i := range messages {
			if err := c.send(ctx, &messages[i]); err != nil {
				return err
			}
		}
	}
}

// over is how the call ends if it is not the group that ends it.
func (c *consumer) over(cause error) error {
	switch {
	case errors.Is(cause, io.EOF): // the client has said all it has to say
		return nil
	case errors.Is(cause, errEnding):
		return groupFailure(groups.ErrDropped, c.key)
	}
	return groupFailure(cause, c.key)
}

// receive takes the client's answers until there are no more. It returns why.
func (c *consumer) receive(ctx context.Context) error {
	for {
		request, err := c.call.Recv()
		if err != nil {
			return err //nolint:wrapcheck // it is the call's status
		}
		switch {
		case request.GetAck() != nil:
			var ids []eventstore.ID
			if ids, err = identities(request.GetAck().GetIds()); err == nil {
				err = c.group.Ack(ctx, ids...)
			}
		case request.GetNack() != nil:
			var ids []eventstore.ID
			nack := request.GetNack()
			if ids, err = identities(nack.GetIds()); err == nil {
				err = c.group.Nack(ctx, groups.Action(nack.GetAction()), nack.GetReason(), ids...)
			}
		default:
			err = unhandled("a message that is neither an ack nor a nack")
		}
		if err != nil {
			return err
		}
	}
}

func identities(list []*shared.UUID) ([]eventstore.ID, error) {
	ids := make([]eventstore.ID, len(list))
	for i, u := range list {
		var err error
		if ids[i], err = identity(u); err != nil {
			return nil, unhandled("an answer: %w", err)
		}
	}
	return ids, nil
}

// send sends a message. What a link leads to is only sent to who may read it.
func (c *consumer) send(ctx context.Context, m *groups.Message) error {
	target := true
	if e := &m.Event; e.Link != nil {
		target = e.ID != eventstore.ID{} && c.mayFollow(ctx, e.Stream)
	}
	c.frame.message = c.encoder.message(m, target, c.text)
	return c.call.SendMsg(&c.frame) //nolint:wrapcheck // it is the call's status
}

func (c *consumer) mayFollow(ctx context.Context, stream string) bool {
	if stream == c.key.Stream {
		return true
	}
	if !c.linked.known || c.linked.stream != stream {
		c.linked = links{stream, c.server.allow(ctx, access.ReadStream, stream) == nil, true}
	}
	return c.linked.ok
}

// message encodes a ReadResp of this service. Its event is that of the Streams
// service and a number: how often it was tried. Both parts of what came through
// a link have the link's position.
func (e *encoder) message(m *groups.Message, withTarget, text bool) mem.Buffer {
	r := &m.Event
	size, position := overhead+sizeOf(r), r.Position
	if r.Link != nil {
		size, position = size+sizeOf(r.Link), r.Link.Position
	}
	end := e.begin(size)
	e.present(5, uint64(m.Retries)) //nolint:gosec // not negative
	e.present(3, position.Commit)
	if r.Link != nil {
		e.recorded(2, r.Link, text)
	}
	if withTarget {
		target := *r
		target.Position = position
		e.recorded(1, &target, text)
	}
	e.close(1, end)
	return e.shared.Slice(e.at, end)
}
