package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"konto/domain"
	"konto/domain/audit"
	"konto/domain/policy"
	"konto/eventstore"
	"konto/internal/command"
	"konto/internal/envelope"
)

// origin is where a query comes from, for what is recorded of it.
type origin struct {
	source      envelope.Source
	correlation string
}

func originOf(ctx context.Context) origin {
	o, _ := ctx.Value(originKey).(origin)
	return o
}

// identified returns r's context with who sent it.
func identified(ctx context.Context, a domain.Actor, r *http.Request) context.Context {
	return context.WithValue(context.WithValue(ctx, actorKey, a), originKey, origin{Source(r), correlation(r)})
}

// past asks whether the caller may read the history of l, and how much of it.
// What an audit session alone lets the caller see is recorded as q before past
// returns; if it cannot be recorded, the caller sees nothing. What a session
// could cover but does not is recorded as a refusal.
func (s *server) past(ctx context.Context, l domain.Look, q audit.Query) (domain.Sight, error) {
	sight, err := s.lookBack(ctx, l)
	if sight.Session == "" && !errors.Is(err, audit.ErrNoSession) && !errors.Is(err, audit.ErrOutOfScope) {
		return sight, err
	}
	if refused := s.recordRead(ctx, sight.Session, q); refused != nil {
		return domain.Sight{}, refused
	}
	return sight, err
}

// lookBack is past without a record.
func (s *server) lookBack(ctx context.Context, l domain.Look) (domain.Sight, error) {
	l.Past, l.Actor, l.At = true, actorOf(ctx), s.Now()
	return s.Commands.Look(ctx, s.Reading, l)
}

// pastOfAll is past for everything of a tenant at once: for those who may read
// each kind of account there.
func (s *server) pastOfAll(ctx context.Context, tenant string, q audit.Query) (domain.Sight, error) {
	all := domain.Sight{Personal: true}
	for _, kind := range policy.Kinds() {
		sight, err := s.lookBack(ctx, domain.Look{Category: kind, Owner: tenant})
		if err != nil {
			if errors.Is(err, audit.ErrNoSession) || errors.Is(err, audit.ErrOutOfScope) {
				return s.past(ctx, domain.Look{Category: kind, Owner: tenant}, q)
			}
			return domain.Sight{}, err
		}
		all.Personal = all.Personal && sight.Personal
		if sight.Session != "" {
			all.Session, all.Until = sight.Session, sight.Until
		}
	}
	if all.Session == "" {
		return all, nil
	}
	return all, s.recordRead(ctx, all.Session, q)
}

// recordRead records what the caller is about to read.
func (s *server) recordRead(ctx context.Context, session string, q audit.Query) error {
	head, err := eventstore.Head(ctx, s.Store)
	if err != nil {
		return fmt.Errorf("reading not recorded: %w", err)
	}
	return s.audited(ctx, audit.RecordHistoryRead{Session: session, Query: q, Checkpoint: head.String()})
}

// audited sends a command of the caller's audit session.
func (s *server) audited(ctx context.Context, cmd any) error {
	raw, err := audit.Aggregate.Encode(cmd)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	actor, from := actorOf(ctx), originOf(ctx)
	if !isID(audit.Aggregate.Category(), actor.ID) {
		return audit.ErrNoSession
	}
	_, err = s.Commands.Handle(ctx, command.Request{
		ID: s.NewID(), Category: audit.Aggregate.Category(), Target: actor.ID, Command: raw.Type, Body: raw.Data,
		Actor: actor, Source: from.source, Correlation: from.correlation,
	})
	return err
}
