package command

import (
	"context"
	"fmt"

	"konto/domain"
	"konto/eventstore"
)

// Foresee returns how an aggregate's rules would decide about a command if
// Konto itself sent it now: the events, and the refusal, an [*domain.Error],
// or nil. It asks the rules alone. Nobody's permission is looked at, no key is
// reserved, nothing is written, recorded or counted. Other errors are faults.
func (h *Handler) Foresee(ctx context.Context, req Request) (events []any, refused, fault error) {
	req.Actor = System
	t, err := h.understand(req, h.Now())
	if err != nil {
		return nil, nil, err
	}
	a := domain.Attempt{Category: t.Category, Command: t.Command, ID: t.Target, Actor: t.Actor, At: t.at}
	if err := h.own(ctx, t, &a); err != nil {
		return nil, nil, err
	}
	if !a.Exists {
		a.Owner = t.Tenant
	}
	keys, err := h.Keys.Tenant(ctx, a.Owner)
	if err != nil {
		return nil, nil, fmt.Errorf("keys: %w", err)
	}
	m := domain.Meta{
		ID: t.Target, Tenant: a.Owner, Actor: t.Actor, At: t.at, Command: t.ID.String(), Code: keys.Code, MAC: keys.MAC,
	}
	if n, ok := t.cmd.(domain.Needer); ok {
		m.Facts, err = h.gather(ctx, domain.Facts{}, func(f domain.Facts) []domain.Need {
			m.Facts = f
			return n.Needs(m)
		})
		if err != nil {
			return nil, nil, err
		}
	}
	err = h.View(ctx, t.Category, t.Target, func(state any, _ eventstore.Revision, _ string) {
		events, refused = t.contract.Decide(state, t.cmd, m)
	})
	return events, refused, err
}

// Learn returns the facts that needs name, as a decision would be given them.
func (h *Handler) Learn(ctx context.Context, needs ...domain.Need) (domain.Facts, error) {
	return h.gather(ctx, domain.Facts{}, func(domain.Facts) []domain.Need { return needs })
}
