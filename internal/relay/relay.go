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
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"konto/eventstore"
)

// StreamName is the JetStream stream's name where Config leaves it empty.
const StreamName = "KONTO"

// Stream describes the JetStream stream. The zero value works.
type Stream struct {
	Name string // empty means [StreamName]
	// Prefix of the subjects, <prefix>.<category>.<EventType>; empty means
	// "konto.events".
	Prefix string
	// MaxBytes and MaxAge bound what the stream keeps; the oldest goes first. 0
	// means no bound.
	MaxBytes int64
	MaxAge   time.Duration
	Replicas int // 0 means 1
}

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
}

// RelayMetrics are told what a relay does; a nil function is not called.
type RelayMetrics struct {
	Published func(events int, last eventstore.Position)
	Resumed   func(reason string) // "start", "conflict", "lost", "recreated", "error"
}

// Feed gives out events. It is safe for concurrent use once its fields are
// set.
type Feed struct {
	Store  eventstore.Store
	Conn   *nats.Conn // nil: the store alone, followed by its subscription
	Stream Stream
	// Max bounds a batch, in events; 0 means 1000.
	Max int
	// Idle is how long the bus may be silent until the feed looks into the
	// store itself; 0 means 500 ms.
	Idle time.Duration
	// Linger is the longest wait for more while events come fast; 0 means
	// 20 ms, negative never waits.
	Linger time.Duration
	Now    func() time.Time
	Log    zerolog.Logger
}

var _ = context.Background
