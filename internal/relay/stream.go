package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"konto/eventstore"
)

// StreamName is the JetStream stream's name where [Stream] leaves it empty.
const StreamName = "KONTO"

// duplicateWindow is how long the server remembers message IDs. They are for
// readers elsewhere; against our own repetition the expected sequence helps,
// and each ID remembered costs the server some 150 bytes.
const duplicateWindow = time.Second

// Stream describes the JetStream stream. The zero value works.
type Stream struct {
	Name string // empty means [StreamName]
	// Prefix of the subjects, <prefix>.<category>.<EventType>; empty means
	// "konto.events". Whoever may publish under it is trusted: its messages
	// are taken for events.
	Prefix string
	// MaxBytes and MaxAge bound what the stream keeps; the oldest goes first. 0
	// means no bound.
	MaxBytes int64
	MaxAge   time.Duration
	Replicas int // 0 means 1
}

func (s Stream) name() string   { return cmp.Or(s.Name, StreamName) }
func (s Stream) prefix() string { return cmp.Or(s.Prefix, "konto.events") }

func (s Stream) config() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        s.name(),
		Description: "a copy of the event store, refilled from it",
		Subjects:    []string{s.prefix() + ".>"},
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardOld,
		Storage:     jetstream.FileStorage,
		MaxBytes:    cmp.Or(s.MaxBytes, -1),
		MaxAge:      s.MaxAge,
		Replicas:    max(s.Replicas, 1),
		Duplicates:  duplicateWindow,
	}
}

// tail is the end of the stream.
type tail struct {
	sequence uint64              // of the last message
	position eventstore.Position // of the last event
}

// resume returns where the stream really ends. A stream that is gone, empty
// though it once was not, or the copy of another store is made anew.
func (r *Relay) resume(ctx context.Context, js jetstream.JetStream, reason *string) (tail, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	s, err := js.CreateOrUpdateStream(ctx, r.Stream.config())
	if refused := (*jetstream.APIError)(nil); errors.As(err, &refused) {
		r.Log.Warn().Err(err).Msg("stream cannot be used as it is")
		return r.recreate(ctx, js, reason)
	}
	if err != nil {
		return tail{}, fmt.Errorf("relay: open stream: %w", err)
	}
	state := s.CachedInfo().State
	if state.LastSeq == 0 {
		return tail{}, nil
	}
	// The last message may have been deleted: take the last that is left.
	last, err := s.GetLastMsgForSubject(ctx, r.Stream.prefix()+".>")
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return r.recreate(ctx, js, reason)
	}
	if err != nil {
		return tail{}, fmt.Errorf("relay: last message: %w", err)
	}
	m, err := decode(last.Header, last.Data)
	if err == nil {
		err = r.verify(ctx, m)
	}
	if errors.Is(err, errForeign) {
		r.Log.Warn().Err(err).Msg("stream is not a copy of this store")
		return r.recreate(ctx, js, reason)
	}
	return tail{max(state.LastSeq, last.Sequence), m.position}, err
}

func (r *Relay) recreate(ctx context.Context, js jetstream.JetStream, reason *string) (tail, error) {
	*reason = "recreated"
	if err := js.DeleteStream(ctx, r.Stream.name()); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return tail{}, fmt.Errorf("relay: delete stream: %w", err)
	}
	// Another relay may be faster; this one then starts behind its messages.
	if _, err := js.CreateStream(ctx, r.Stream.config()); err != nil {
		return tail{}, fmt.Errorf("relay: create stream: %w", err)
	}
	return tail{}, nil
}

// verify checks that m's event is where m says: the first one after the one
// before it. Positions alone would not tell one store from another.
func (r *Relay) verify(ctx context.Context, m message) error {
	for e, err := range r.Store.ReadAll(ctx, eventstore.ReadAll{From: m.previous}) {
		switch {
		case err != nil:
			return fmt.Errorf("relay: verify: %w", err)
		case e.System():
			continue
		case e.Position != m.position || e.ID != m.id:
			return fmt.Errorf("%w: the store has another event at %s", errForeign, e.Position)
		}
		return nil
	}
	return fmt.Errorf("%w: the store ends before %s", errForeign, m.position)
}
