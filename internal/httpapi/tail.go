package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"konto/domain"
	"konto/domain/relationship"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/privacy"
)

// TailEvent is an event as those who follow $all see it.
type TailEvent struct {
	Position    string          `json:"position"`
	Stream      string          `json:"stream"`
	Revision    int64           `json:"revision"`
	ID          string          `json:"id"`
	Type        string          `json:"type"`
	RecordedAt  time.Time       `json:"recordedAt"`
	Tenant      string          `json:"tenant"`
	Actor       domain.Actor    `json:"actor"`
	Correlation string          `json:"correlation"`
	Data        json.RawMessage `json:"data"`
}

// tail sends events as they are recorded, as server-sent events whose ids are
// positions: those that the caller may read, personal values shown to those
// who may see them. It begins after ?after=, after Last-Event-ID, or now.
func (s *server) tail(w http.ResponseWriter, r *http.Request) {
	actor, err := s.actor(r)
	if err != nil {
		s.writeProblem(w, r, err)
		return
	}
	ctx, cancel := s.untilEnding(context.WithValue(r.Context(), actorKey, actor))
	defer cancel()
	after, err := s.tailStart(ctx, r)
	if err != nil {
		s.writeProblem(w, r, err)
		return
	}
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	if err := out.Flush(); err != nil {
		return // the caller has gone
	}
	follow := follower{server: s, sights: map[string]*domain.Sight{}}
	for batch, err := range s.Store.Subscribe(ctx, after) {
		if err != nil {
			return // the caller has gone or the store is closing: it reconnects
		}
		for _, rec := range batch {
			line, err := follow.render(ctx, rec)
			if err != nil {
				s.Log.Warn().Err(err).Str("request_id", requestID(ctx)).Msg("tail ended")
				return
			}
			if line == nil {
				continue
			}
			if _, err := fmt.Fprintf(w, "id: %s\ndata: %s\n\n", rec.Position, line); err != nil {
				return
			}
		}
		if err := out.Flush(); err != nil {
			return
		}
	}
}

func (s *server) tailStart(ctx context.Context, r *http.Request) (eventstore.Position, error) {
	text := r.URL.Query().Get("after")
	if text == "" {
		text = r.Header.Get("Last-Event-ID")
	}
	if text == "" {
		return eventstore.Head(ctx, s.Store)
	}
	p, err := eventstore.ParsePosition(text)
	if err != nil {
		return p, newProblem(http.StatusBadRequest, "malformed-position", "after takes a position such as C:120/P:120, or 0 for the beginning")
	}
	return p, nil
}

// follower remembers what its caller may see of each stream.
type follower struct {
	*server
	sights map[string]*domain.Sight // nil: nothing
}

const maxSights = 10_000 // streams; then the follower asks anew

// render returns rec as its reader sees it, or nil if the reader may not.
func (f *follower) render(ctx context.Context, rec eventstore.Recorded) ([]byte, error) {
	category, id, ok := envelope.Split(rec.Stream)
	if rec.System() || !ok {
		return nil, nil
	}
	meta, err := envelope.ParseMeta(rec.Meta)
	if err != nil {
		return nil, err
	}
	if category == relationship.Aggregate.Category() {
		clear(f.sights) // who may see a customer depends on it
	}
	sight, known := f.sights[rec.Stream]
	if !known {
		if len(f.sights) == maxSights {
			clear(f.sights)
		}
		if seen, err := f.sight(ctx, category, id, meta.Tenant); err == nil {
			sight = &seen
		} else if problemOf(err).Status != http.StatusNotFound {
			return nil, err
		}
		f.sights[rec.Stream] = sight
	}
	if sight == nil {
		return nil, nil
	}
	data := rec.Data
	if sight.Personal {
		if data, err = envelope.OpenData(ctx, f.Keys, rec, meta.Tenant); err != nil {
			return nil, err
		}
	}
	return json.Marshal(TailEvent{
		Position: rec.Position.String(), Stream: rec.Stream, Revision: int64(rec.Revision),
		ID: uuid.UUID(rec.ID).String(), Type: rec.Type, RecordedAt: rec.At, Tenant: meta.Tenant,
		Actor: meta.Actor, Correlation: meta.Correlation, Data: privacy.Plain(data),
	})
}
