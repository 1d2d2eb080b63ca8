package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"konto/domain"
	"konto/domain/audit"
	"konto/domain/relationship"
	"konto/eventstore"
	"konto/internal/envelope"
	"konto/internal/privacy"
	"konto/internal/session"
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
// who may see them. It begins after ?after=, after Last-Event-ID, or now. As a
// file (?format=) it begins at the beginning, and ends with what there is.
func (s *server) tail(w http.ResponseWriter, r *http.Request) {
	actor, err := s.actor(r)
	if err != nil {
		s.writeProblem(w, r, err)
		return
	}
	ctx, cancel := s.untilEnding(identified(r.Context(), actor, r))
	defer cancel()
	after, form, err := s.askedOfLog(ctx, r)
	if err == nil && form != "" {
		err = s.copyLog(ctx, w, form, after)
	}
	switch {
	case err != nil:
		s.writeProblem(w, r, err)
	case form == "":
		s.follow(ctx, w, r, after)
	}
}

// follow sends events until the caller goes or the system ends.
func (s *server) follow(ctx context.Context, w http.ResponseWriter, r *http.Request, after eventstore.Position) {
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	if err := out.Flush(); err != nil {
		return // the caller has gone
	}
	follow := follower{server: s, after: after, sights: map[string]*domain.Sight{}}
	for batch, err := range s.Store.Subscribe(ctx, after) {
		if err != nil {
			return // the caller has gone or the store is closing: it reconnects
		}
		if _, err := s.actor(r); errors.Is(err, session.ErrEnded) {
			return // and is refused when it reconnects
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

// askedOfLog returns from where the caller wants the log, and in which form; ""
// is to follow it.
func (s *server) askedOfLog(ctx context.Context, r *http.Request) (after eventstore.Position, form string, err error) {
	if form, err = logForm(r); err != nil {
		return after, form, err
	}
	if after, err = s.tailStart(ctx, r, form != ""); err != nil {
		return after, form, err
	}
	return after, form, s.mayFollow(ctx, after)
}

func (s *server) tailStart(ctx context.Context, r *http.Request, file bool) (eventstore.Position, error) {
	text := r.URL.Query().Get("after")
	if text == "" {
		text = r.Header.Get("Last-Event-ID")
	}
	switch {
	case text == "" && file:
		return eventstore.Position{}, nil
	case text == "":
		return eventstore.Head(ctx, s.Store)
	}
	p, err := eventstore.ParsePosition(text)
	if err != nil {
		return p, newProblem(http.StatusBadRequest, "malformed-position", "after takes a position such as C:120/P:120, or 0 for the beginning")
	}
	return p, nil
}

// mayFollow refuses an auditor who has no session before they wait for events
// that they will not get.
func (s *server) mayFollow(ctx context.Context, after eventstore.Position) error {
	tenant := actorOf(ctx).Tenant
	_, err := s.lookBack(ctx, domain.Look{Category: "tenant", ID: tenant, Owner: tenant})
	if errors.Is(err, audit.ErrNoSession) {
		return s.recordRead(ctx, "", audit.Query{Kind: audit.ReadEvents, From: after.String()})
	}
	return nil
}

// follower remembers what its caller may see of each stream.
type follower struct {
	*server
	after   eventstore.Position
	sights  map[string]*domain.Sight // nil: nothing
	session string                   // the audit session in which the reading was recorded
	only    *audit.Scope             // if not nil: nothing but what an audit session of this scope covers
}

const maxSights = 10_000 // streams; then the follower asks anew

// sightOf returns how much of rec its reader sees, or nil for nothing. The first
// event that an audit session alone lets the reader see is the moment at which
// the reading is recorded.
func (f *follower) sightOf(ctx context.Context, rec eventstore.Recorded, tenant string) (*domain.Sight, error) {
	category, id, _ := envelope.Split(rec.Stream)
	if category == relationship.Aggregate.Category() || category == audit.Aggregate.Category() && id == actorOf(ctx).ID {
		clear(f.sights) // who may see what depends on it
	}
	sight, known := f.sights[rec.Stream]
	if !known {
		if len(f.sights) == maxSights {
			clear(f.sights)
		}
		seen, err := f.lookBack(ctx, domain.Look{Category: category, ID: id, Owner: tenant})
		switch {
		case err == nil:
			sight = &seen
		case errors.Is(err, audit.ErrNoSession) && f.session != "":
			return nil, err // it has ended meanwhile
		case problemOf(err).Status != http.StatusNotFound && problemOf(err).Status != http.StatusForbidden:
			return nil, err
		}
		f.sights[rec.Stream] = sight
	}
	if sight == nil || sight.Session == "" {
		return sight, nil
	}
	if !f.Now().Before(sight.Until) {
		return nil, audit.ErrNoSession
	}
	if sight.Session != f.session {
		if f.only != nil {
			return nil, audit.ErrNoSession // it was closed, and another is open
		}
		if err := f.recordRead(ctx, sight.Session, audit.Query{Kind: audit.ReadEvents, From: f.after.String()}); err != nil {
			return nil, err
		}
		f.session = sight.Session
	}
	return sight, nil
}

// render returns rec as its reader sees it, or nil if the reader may not.
func (f *follower) render(ctx context.Context, rec eventstore.Recorded) ([]byte, error) {
	if _, _, ok := envelope.Split(rec.Stream); rec.System() || !ok {
		return nil, nil
	}
	meta, err := envelope.ParseMeta(rec.Meta)
	if err != nil {
		return nil, err
	}
	sight, err := f.sightOf(ctx, rec, meta.Tenant)
	if err != nil || sight == nil {
		return nil, err
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
