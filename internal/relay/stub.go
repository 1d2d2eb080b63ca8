package relay

import (
	"context"
	"errors"
	"iter"

	"konto/eventstore"
)

// Run publishes until ctx ends.
func (r *Relay) Run(ctx context.Context) error { return errors.New("relay: not there yet") }

// Position is the position of the last event that the stream is known to hold.
func (r *Relay) Position() eventstore.Position { return eventstore.Position{} }

// From yields every event after a position that is not the store's own, in
// order, none twice and none left out, until ctx ends. An empty batch says
// that all that the store held at that moment is out.
func (f *Feed) From(ctx context.Context, after eventstore.Position) iter.Seq2[[]eventstore.Recorded, error] {
	return func(yield func([]eventstore.Recorded, error) bool) {}
}
