package command

import (
	"context"
	"errors"
	"fmt"

	"konto/domain"
	"konto/internal/envelope"
)

// Permission says whether somebody may send a command to an aggregate.
type Permission struct {
	Allowed bool
	// Exists says that there is such an aggregate for the actor. A command
	// that makes none is refused without one.
	Exists  bool
	Refused *domain.Error // if not allowed
	Trace   []domain.Ruling
	// Versions of the policies that it was decided under.
	Versions map[string]int
}

// CanI asks the authorization, and nothing else: whether the aggregate's own
// rules let the command pass depends on what it says. Nothing is written.
// Errors: [domain.ErrUnknownType] for a category or a command that no contract
// has, and the store's.
func (h *Handler) CanI(ctx context.Context, actor domain.Actor, category, target, name string) (Permission, error) {
	contract, ok := h.Contracts[category]
	if _, known := h.infos[category][name]; !ok || !known {
		return Permission{}, fmt.Errorf("%s of %s: %w", name, category, domain.ErrUnknownType)
	}
	t := task{Request: Request{Category: category, Target: target, Command: name, Actor: actor}, contract: contract}
	t.at = h.Now().UTC()
	a := domain.Attempt{Category: category, Command: name, ID: target, Actor: actor, At: t.at}
	if err := h.own(ctx, t, &a); err != nil {
		return Permission{}, err
	}
	var asked []domain.Need
	facts, err := h.gather(ctx, a.Facts, func(f domain.Facts) []domain.Need {
		a.Facts = f
		asked = h.Authorization.Needs(a)
		return asked
	})
	if err != nil {
		return Permission{}, err
	}
	a.Facts = facts
	trace, err := h.Authorization.Rule(a)
	p := Permission{Allowed: err == nil, Exists: a.Exists, Trace: trace, Versions: h.versions(domain.Meta{At: t.at, Facts: facts}, asked, nil)}
	if err == nil {
		return p, nil
	}
	if p.Refused, ok = errors.AsType[*domain.Error](err); !ok {
		return p, err
	}
	p.Exists = p.Exists && p.Refused.Kind != domain.KindNotFound
	return p, nil
}

// own sets which tenant owns the aggregate, or would.
func (h *Handler) own(ctx context.Context, t task, a *domain.Attempt) error {
	e := h.states.entry(t.contract, t.Target)
	if err := e.lock(ctx); err != nil {
		return err
	}
	defer e.unlock()
	if err := h.load(ctx, e, true); err != nil {
		return fmt.Errorf("%s: %w", envelope.Stream(t.Category, t.Target), err)
	}
	a.Owner, a.Exists = e.tenant, e.revision >= 0
	if !a.Exists {
		a.Owner = h.Authorization.Owner(t.Category, t.Target, t.Actor)
	}
	return nil
}
