package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"konto/eventstore"
)

// payloadMargin is left free below the server's limit for headers that are not
// counted one by one.
const payloadMargin = 1 << 10

// ackTimeout is how long an acknowledgement may take; usually it is a
// millisecond. None comes if the stream is deleted with messages on the way.
const ackTimeout = 2 * time.Second

// publisher sends events behind a tail, until something fails.
type publisher struct {
	relay *Relay
	tail  tail   // of what was sent
	inbox string // where acknowledgements go
	acked int

	messages, bytes int // of the chunk under way
}

// chunk is what one acknowledgement stands for.
type chunk struct {
	tail     tail
	messages int
}

// run sends what the store has and gets. It returns why it ended, and how many
// events were acknowledged.
func (p *publisher) run(ctx context.Context) (int, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The stream acknowledges in the order in which it takes messages.
	acks := make(chan *nats.Msg, 2*chunksInFlight)
	p.inbox = p.relay.Conn.NewInbox()
	sub, err := p.relay.Conn.ChanSubscribe(p.inbox, acks)
	if err != nil {
		return 0, fmt.Errorf("relay: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	chunks := make(chan chunk, chunksInFlight)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := p.confirm(ctx, chunks, acks); err != nil {
			cancel(err)
		}
	}()
	err = p.send(ctx, chunks)
	close(chunks)
	if err != nil {
		cancel(err)
	}
	<-done
	return p.acked, context.Cause(ctx)
}

// confirm waits for the acknowledgements in their order.
func (p *publisher) confirm(ctx context.Context, chunks <-chan chunk, acks <-chan *nats.Msg) error {
	timeout := time.NewTimer(ackTimeout)
	defer timeout.Stop()
	for c := range chunks {
		timeout.Reset(ackTimeout)
		select {
		case m := <-acks:
			if err := check(m, c.tail.sequence); err != nil {
				return fmt.Errorf("relay: publish: %w", err)
			}
		case <-timeout.C:
			return errors.New("relay: publish: no acknowledgement")
		case <-ctx.Done():
			return ctx.Err()
		}
		p.acked += c.messages
		p.relay.setPosition(c.tail.position)
		if p.relay.Metrics.Published != nil {
			p.relay.Metrics.Published(c.messages)
		}
	}
	return nil
}

// check reads an acknowledgement and compares it with what was expected.
func check(m *nats.Msg, sequence uint64) error {
	if len(m.Data) == 0 {
		return jetstream.ErrNoStreamResponse
	}
	var ack struct {
		jetstream.PubAck
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &ack); err != nil {
		return err
	}
	if ack.Error != nil {
		return ack.Error
	}
	if ack.Duplicate || ack.Sequence != sequence {
		return fmt.Errorf("the stream took message %d for %d", ack.Sequence, sequence)
	}
	return nil
}

func (p *publisher) send(ctx context.Context, chunks chan<- chunk) error {
	for events, err := range p.relay.Store.Subscribe(ctx, p.tail.position) {
		if err != nil {
			return fmt.Errorf("relay: %w", err)
		}
		began, sent := p.relay.Now(), 0
		// A message is held back until it is known whether another follows it
		// in its chunk: the last one asks for the acknowledgement.
		var held *nats.Msg
		for i := range events {
			if events[i].System() {
				continue
			}
			if err := p.flush(ctx, held, chunks, false); err != nil {
				return err
			}
			held = p.next(events[i])
			sent++
		}
		if err := p.flush(ctx, held, chunks, true); err != nil {
			return err
		}
		p.relay.Log.Debug().Int("events", sent).Stringer("position", p.tail.position).
			Dur("took", p.relay.Now().Sub(began)).Msg("relayed")
	}
	return ctx.Err()
}

// next makes the message of e and moves the tail there.
func (p *publisher) next(e eventstore.Recorded) *nats.Msg {
	limit := p.relay.MaxPayload
	if limit == 0 {
		limit = int(p.relay.Conn.MaxPayload())
	}
	m := encode(e, p.tail.position, p.relay.Stream.prefix(), limit-payloadMargin)
	m.Header[jetstream.ExpectedLastSeqHeader] = []string{strconv.FormatUint(p.tail.sequence, 10)}
	p.tail = tail{p.tail.sequence + 1, e.Position}
	p.messages++
	p.bytes += len(m.Data) + len(e.Meta)
	return m
}

// flush sends m, asking for an acknowledgement at the end of a chunk.
func (p *publisher) flush(ctx context.Context, m *nats.Msg, chunks chan<- chunk, last bool) error {
	if m == nil {
		return nil
	}
	ask := last || p.messages >= chunkMessages || p.bytes >= chunkBytes
	if ask {
		m.Reply = p.inbox
	}
	if err := p.relay.Conn.PublishMsg(m); err != nil {
		return fmt.Errorf("relay: publish: %w", err)
	}
	if !ask {
		return nil
	}
	c := chunk{p.tail, p.messages}
	p.messages, p.bytes = 0, 0
	select {
	case chunks <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
