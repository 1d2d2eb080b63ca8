package relay

import (
	"github.com/nats-io/nats.go"

	"konto/eventstore"
)

// Encode and Decode are a message's way out and in.
func Encode(e eventstore.Recorded, previous eventstore.Position, limit int) *nats.Msg {
	return encode(e, previous, "konto.events", limit)
}

// Decode returns the event, or false if m is only a reference to it.
func Decode(m *nats.Msg) (e eventstore.Recorded, previous eventstore.Position, whole bool, err error) {
	x, err := decode(m.Header, m.Data)
	return x.event, x.previous, !x.reference, err
}
