// Package relay carries the events of the store to those who derive something
// from them: [Relay] publishes them to a JetStream stream, [Feed] gives them
// out again, every event after a position, in order, none twice and none left
// out.
//
// # What is guaranteed, and by whom
//
// The event store is the only system of record; the stream is a cache in front
// of it that many readers share. Each message carries its event's position and
// the position of the event published before it. This chain lets a reader see
// for itself whether it has missed something, whatever the stream lost,
// repeated, reordered or forgot, and what it has missed it reads from the
// store. So nothing here depends on JetStream's durability or on its sequence
// numbers, and a stream that is deleted under load costs time and no event.
//
// # Why the relay keeps no checkpoint
//
// JetStream acknowledges before it syncs, so a checkpoint could claim what a
// crash took back. The relay asks the stream which event it really holds last
// and goes on from there. Each message is accepted only right after the one
// before it (Nats-Expected-Last-Sequence); of two relays at work at the same
// time one is refused, looks again and goes on behind the other.
package relay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"konto/eventstore"
)

// Relay publishes the store's events to the stream. Any number may run; the
// stream takes each event once. Set the fields before Run.
type Relay struct {
	Store  eventstore.Store
	Conn   *nats.Conn
	Stream Stream
	// MaxPayload is the largest message, headers included, in bytes; larger
	// events travel by reference. 0 means what the connection's server takes.
	MaxPayload int
	Now        func() time.Time
	Rand       *rand.Rand // jitter of retries; only Run uses it; nil means none
	Metrics    RelayMetrics
	Log        zerolog.Logger

	mu       sync.Mutex
	position eventstore.Position
}

// RelayMetrics are told what a relay does; a nil function is not called.
type RelayMetrics struct {
	// Published: the stream has taken so many more events.
	Published func(events int)
	// Resumed: the relay looked at what the stream holds. The reason is
	// "start", "conflict", "error" or "recreated".
	Resumed func(reason string)
}

const (
	// A chunk of messages shares one acknowledgement, which its last message
	// asks for: that one is only taken if all before it were.
	chunkMessages = 256
	chunkBytes    = 1 << 20
	// chunksInFlight bounds what is sent and not acknowledged. Together with
	// chunkMessages it stays below the 10,000 messages that JetStream queues
	// for a stream before it refuses more.
	chunksInFlight = 8

	requestTimeout = 5 * time.Second
	minBackoff     = 20 * time.Millisecond
	maxBackoff     = 5 * time.Second
)

var errReconnected = errors.New("relay: connection was lost and is back")

// Position is the position of the last event that the stream is known to hold,
// zero before Run has looked.
func (r *Relay) Position() eventstore.Position {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.position
}

// Run publishes until ctx ends or the connection is closed for good, and
// returns nil or why the connection was closed. Everything else that goes
// wrong is tried again, after a growing pause, from what the stream then
// holds.
func (r *Relay) Run(ctx context.Context) error {
	back := r.Conn.StatusChanged(nats.CONNECTED)
	defer r.Conn.RemoveStatusListener(back)
	reason, backoff := "start", minBackoff
	for {
		acked, err := r.attempt(ctx, back, &reason)
		switch {
		case ctx.Err() != nil:
			return nil
		case r.Conn.IsClosed():
			return fmt.Errorf("relay: %w", nats.ErrConnectionClosed)
		}
		if acked > 0 {
			backoff = minBackoff
		}
		reason = "error"
		var refused *jetstream.APIError
		if errors.As(err, &refused) && refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
			reason = "conflict"
		}
		r.Log.Warn().Err(err).Str("reason", reason).Dur("retryIn", backoff).Msg("relay interrupted")
		if !wait(ctx, r.jitter(backoff)) {
			return nil
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// attempt looks where the stream is and publishes from there until something
// fails. It returns how many events the stream took.
func (r *Relay) attempt(ctx context.Context, back <-chan nats.Status, reason *string) (acked int, err error) {
	// What was sent before the connection broke is lost and no answer will
	// come: do not wait for one.
	ctx, cancel := context.WithCancelCause(ctx)
	watching := make(chan struct{})
	defer func() {
		cancel(nil)
		<-watching
	}()
	go func() {
		defer close(watching)
		select {
		case <-back:
			cancel(errReconnected)
		case <-ctx.Done():
		}
	}()
	js, err := jetstream.New(r.Conn)
	if err != nil {
		return 0, fmt.Errorf("relay: %w", err)
	}
	tail, err := r.resume(ctx, js, reason)
	if err != nil {
		return 0, err
	}
	r.setPosition(tail.position)
	if r.Metrics.Resumed != nil {
		r.Metrics.Resumed(*reason)
	}
	r.Log.Info().Str("reason", *reason).Stringer("position", tail.position).Uint64("sequence", tail.sequence).Msg("relay resumed")
	p := publisher{relay: r, tail: tail}
	return p.run(ctx)
}

func (r *Relay) setPosition(p eventstore.Position) {
	r.mu.Lock()
	r.position = p
	r.mu.Unlock()
}

// jitter returns between half of d and d, so that two relays part.
func (r *Relay) jitter(d time.Duration) time.Duration {
	if r.Rand == nil {
		return d
	}
	return d/2 + time.Duration(r.Rand.Int64N(int64(d/2)+1))
}

// wait waits for d and reports whether ctx still lives.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
