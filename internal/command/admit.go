package command

import (
	"context"
	"errors"
	"fmt"

	"konto/domain"
	"konto/eventstore"
)

// admit asks whether the actor may send the command, and gathers what the rule
// may know. It notes which versions of policies that is decided under.
func (h *Handler) admit(ctx context.Context, t *task, e *entry, a domain.Attempt) ([]domain.Ruling, domain.Meta, error) {
	var meta domain.Meta
	asked, err := h.inform(ctx, &a)
	if err != nil {
		return nil, meta, err
	}
	trace, refused := h.Authorization.Rule(a)
	if refused != nil {
		t.versions = h.versions(domain.Meta{At: t.at, Facts: a.Facts}, asked, nil)
		return trace, meta, h.doubt(ctx, e, a, refused)
	}
	keys, err := h.Keys.Tenant(ctx, a.Owner)
	if err != nil {
		return trace, meta, fmt.Errorf("keys: %w", err)
	}
	meta = domain.Meta{
		ID: t.Target, Tenant: a.Owner, Actor: t.Actor, At: t.at, Command: t.ID.String(),
		Code: keys.Code, MAC: keys.MAC, Facts: a.Facts,
	}
	var wanted []domain.Need
	if n, ok := t.cmd.(domain.Needer); ok {
		meta.Facts, err = h.gather(ctx, a.Facts, func(f domain.Facts) []domain.Need {
			meta.Facts = f
			wanted = n.Needs(meta)
			return wanted
		})
	}
	t.versions = h.versions(meta, asked, wanted)
	return trace, meta, err
}

// inform adds to a the facts that the authorization asks for, and returns what
// it asked.
func (h *Handler) inform(ctx context.Context, a *domain.Attempt) (asked []domain.Need, err error) {
	a.Facts, err = h.gather(ctx, a.Facts, func(f domain.Facts) []domain.Need {
		a.Facts = f
		asked = h.Authorization.Needs(*a)
		return asked
	})
	return asked, err
}

// doubt returns refused, unless the aggregate has come to be since the state
// that it was refused by was cached. Its owner never changes after that.
func (h *Handler) doubt(ctx context.Context, e *entry, a domain.Attempt, refused error) error {
	if a.Exists {
		return refused
	}
	if err := e.lock(ctx); err != nil {
		return err
	}
	defer e.unlock()
	if err := h.load(ctx, e, true); err != nil {
		return err
	}
	if e.revision >= 0 {
		return e.moved(eventstore.NoStream)
	}
	return refused
}

// whoMay adds to a refusal who may.
func (h *Handler) whoMay(t task, m domain.Meta, refused error) error {
	rule, ok := errors.AsType[*domain.Error](refused)
	if !ok {
		return refused
	}
	return h.Authorization.Explain(domain.Attempt{
		Category: t.Category, Command: t.Command, ID: t.Target, Owner: m.Tenant, Exists: true, // or m would not know whose it is
		Actor: t.Actor, At: t.at, Facts: m.Facts,
	}, rule)
}
