package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"konto/eventstore"
)

// Feed gives out events. It is safe for concurrent use once its fields are
// set.
//
// While events come fast, a batch waits a little for more: one transaction
// for many events is the largest single gain of the whole pipeline. The wait
// grows with the rate, from none below 500 events/s to Linger at 4,000/s, so
// that an idle system answers at once.
type Feed struct {
	Store  eventstore.Store
	Conn   *nats.Conn // nil: the store alone, through its own subscription
	Stream Stream
	// Max bounds a batch, in events; 0 means 1000.
	Max int
	// Idle is how long the bus may be silent until the feed looks into the
	// store itself; 0 means 500 ms. So long an event may be late if the bus is
	// down.
	Idle time.Duration
	// Linger is the longest wait for more while events come fast; 0 means
	// 20 ms, negative never waits.
	Linger time.Duration
	Now    func() time.Time
	Log    zerolog.Logger
}

const (
	slowRate   = 500   // events/s below which a batch never waits
	fullRate   = 4_000 // events/s from which on it waits for Linger
	rateWindow = 100 * time.Millisecond
	// buffered is how many messages may wait for a reader. What comes on top
	// is dropped and read from the store, which is faster for so many anyway.
	buffered = 4096
)

// errStop: the reader of a feed wants no more.
var errStop = errors.New("relay: reader stopped")

// From yields every event after a position that is not the store's own, in
// order, none twice and none left out, until ctx ends. A batch is the
// reader's to keep. One empty batch says that all that the store held when
// the feed began is out. Errors are the store's; after one nothing follows.
// When ctx ends, so does the feed, without an error.
func (f *Feed) From(ctx context.Context, after eventstore.Position) iter.Seq2[[]eventstore.Recorded, error] {
	return func(yield func([]eventstore.Recorded, error) bool) {
		c := cursor{Feed: f, last: after, yield: yield, at: f.Now()}
		if err := c.run(ctx); err != nil && !errors.Is(err, errStop) && ctx.Err() == nil {
			yield(nil, fmt.Errorf("feed: %w", err))
		}
	}
}

// cursor is one reader's place.
type cursor struct {
	*Feed
	last  eventstore.Position // all events up to here are out
	yield func([]eventstore.Recorded, error) bool
	batch []eventstore.Recorded
	level float64 // events in the last rateWindow, older ones fading
	at    time.Time
	// refused counts the attempts to attach to the bus since the last success.
	refused int
}

func (c *cursor) run(ctx context.Context) error {
	if _, err := c.catchUp(ctx); err != nil {
		return err
	}
	if !c.yield(nil, nil) {
		return errStop
	}
	if c.Conn == nil {
		return c.subscribe(ctx)
	}
	js, err := jetstream.New(c.Conn)
	if err != nil {
		return err
	}
	back := c.Conn.StatusChanged(nats.CONNECTED)
	defer c.Conn.RemoveStatusListener(back)
	for ctx.Err() == nil {
		if err := c.live(ctx, js, back); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// live follows the bus until it must be attached anew. It returns an error
// only if the feed must end.
func (c *cursor) live(ctx context.Context, js jetstream.JetStream, back <-chan nats.Status) error {
	messages := make(chan *nats.Msg, buffered)
	detach, err := c.attach(ctx, js, messages)
	if err != nil {
		c.Log.Debug().Err(err).Msg("bus cannot be read, reading the store")
		// At first often: at a start the relay is about to make the stream.
		c.refused++
		if !wait(ctx, min(c.idle(), 5*time.Millisecond<<min(c.refused, 10))) {
			return ctx.Err()
		}
		_, err := c.catchUp(ctx)
		return err
	}
	defer detach()
	c.refused = 0
	idle := time.NewTimer(c.idle())
	defer idle.Stop()
	for {
		select {
		case m := <-messages:
			before := c.last
			if err := c.take(ctx, m, messages); err != nil {
				return err
			}
			// Messages that say nothing new, as when the stream is filled
			// again, are silence too.
			if c.last != before {
				idle.Reset(c.idle())
			}
		case <-back:
			return nil
		case <-idle.C:
			late, err := c.catchUp(ctx)
			if err != nil {
				return err
			}
			if late > 0 {
				c.Log.Debug().Int("events", late).Msg("bus is silent, read the store")
				return nil
			}
			idle.Reset(c.idle())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// attach starts delivery with the last message that the stream holds: whatever
// came between the store's end, as the cursor saw it, and that message shows
// as a gap.
func (c *cursor) attach(ctx context.Context, js jetstream.JetStream, messages chan *nats.Msg) (detach func(), err error) {
	inbox := c.Conn.NewInbox()
	sub, err := c.Conn.ChanSubscribe(inbox, messages)
	if err != nil {
		return nil, err
	}
	// Not longer than a silence: meanwhile nothing is read.
	ctx, cancel := context.WithTimeout(ctx, 2*c.idle())
	defer cancel()
	// The chain in the headers does what flow control and acknowledgements
	// would; the server drops the consumer when nobody listens.
	_, err = js.CreatePushConsumer(ctx, c.Stream.name(), jetstream.ConsumerConfig{
		DeliverSubject:    inbox,
		DeliverPolicy:     jetstream.DeliverLastPolicy,
		AckPolicy:         jetstream.AckNonePolicy,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: requestTimeout,
	})
	if err != nil {
		_ = sub.Unsubscribe()
		return nil, err
	}
	return func() { _ = sub.Unsubscribe() }, nil
}

// take makes a batch of first and of what waits behind it.
func (c *cursor) take(ctx context.Context, first *nats.Msg, messages <-chan *nats.Msg) error {
	if err := c.add(ctx, first); err != nil {
		return err
	}
	if d := c.linger(); d > 0 && len(messages) < c.max() && !wait(ctx, d) {
		return ctx.Err()
	}
	for len(c.batch) < c.max() {
		select {
		case m := <-messages:
			if err := c.add(ctx, m); err != nil {
				return err
			}
			continue
		default:
		}
		break
	}
	return c.flush()
}

// add puts the event of m into the batch, if it comes next.
func (c *cursor) add(ctx context.Context, msg *nats.Msg) error {
	m, err := decode(msg.Header, msg.Data)
	switch {
	case err != nil:
		c.Log.Warn().Err(err).Str("subject", msg.Subject).Msg("message ignored")
		return nil
	case m.position.Compare(c.last) <= 0:
		return nil
	case m.reference || m.previous.Compare(c.last) > 0:
		n, err := c.catchUp(ctx)
		c.Log.Debug().Int("events", n).Bool("reference", m.reference).Msg("gap filled from the store")
		return err
	}
	c.batch = append(c.batch, m.event)
	c.last = m.position
	return nil
}

// catchUp yields what the batch holds and what the store has after that. It
// returns how many events the store gave.
func (c *cursor) catchUp(ctx context.Context) (n int, err error) {
	for e, err := range c.Store.ReadAll(ctx, eventstore.ReadAll{From: c.last}) {
		if err != nil {
			return n, err
		}
		c.last = e.Position
		if e.System() {
			continue
		}
		n++
		c.batch = append(c.batch, e)
		if len(c.batch) >= c.max() {
			if err := c.flush(); err != nil {
				return n, err
			}
		}
	}
	return n, c.flush()
}

// subscribe follows the store itself.
func (c *cursor) subscribe(ctx context.Context) error {
	for events, err := range c.Store.Subscribe(ctx, c.last) {
		if err != nil {
			return err
		}
		for _, e := range events {
			c.last = e.Position
			if e.System() {
				continue
			}
			c.batch = append(c.batch, e)
			if len(c.batch) >= c.max() {
				if err := c.flush(); err != nil {
					return err
				}
			}
		}
		if err := c.flush(); err != nil {
			return err
		}
		// What comes during the wait is in the subscription's next step.
		if d := c.linger(); d > 0 && !wait(ctx, d) {
			return ctx.Err()
		}
	}
	return ctx.Err()
}

func (c *cursor) flush() error {
	if len(c.batch) == 0 {
		return nil
	}
	c.fade()
	c.level += float64(len(c.batch))
	batch := c.batch
	c.batch = nil
	if !c.yield(batch, nil) {
		return errStop
	}
	return nil
}

// fade lets the count of recent events decay to now.
func (c *cursor) fade() {
	now := c.Now()
	c.level *= math.Exp(-float64(now.Sub(c.at)) / float64(rateWindow))
	c.at = now
}

// linger returns how long to wait for more.
func (c *cursor) linger() time.Duration {
	c.fade()
	rate := c.level / rateWindow.Seconds()
	if c.Linger < 0 || rate < slowRate {
		return 0
	}
	longest := cmp.Or(c.Linger, 20*time.Millisecond)
	return time.Duration(float64(longest) * min(1, rate/fullRate))
}

func (c *cursor) max() int            { return cmp.Or(c.Max, 1000) }
func (c *cursor) idle() time.Duration { return cmp.Or(c.Idle, 500*time.Millisecond) }

// Behind counts the events that are not the store's own after a position, up
// to limit, and returns when the first of them was stored.
func Behind(ctx context.Context, s eventstore.Store, after eventstore.Position, limit int) (n int, first time.Time, err error) {
	for e, err := range s.ReadAll(ctx, eventstore.ReadAll{From: after}) {
		if err != nil {
			return n, first, fmt.Errorf("lag: %w", err)
		}
		if e.System() {
			continue
		}
		if n == 0 {
			first = e.At
		}
		if n++; n >= limit {
			break
		}
	}
	return n, first, nil
}
