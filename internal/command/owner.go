package command

import (
	"cmp"
	"context"
	"fmt"
	"reflect"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/envelope"
)

// own sets which tenant owns the aggregate, or would.
func (h *Handler) own(ctx context.Context, t task, a *domain.Attempt) error {
	var err error
	if a.Owner, a.Exists, err = h.owner(ctx, t.Category, t.Target); err != nil || a.Exists {
		return err
	}
	return h.attribute(ctx, t, a)
}

// attribute sets which tenant would own an aggregate that is not there yet:
// the owner of what it is about, if it is about something, whoever asks.
// Nobody may hold the lock of an entry, since that may be any stream.
func (h *Handler) attribute(ctx context.Context, t task, a *domain.Attempt) error {
	c, about := t.cmd.(domain.Concerner)
	switch {
	case a.Exists:
		return nil
	case about:
		concern := c.Concern()
		return h.concern(ctx, concern, a)
	case t.Actor.Kind == domain.KindPerson:
		a.Owner = h.Authorization.Owner(t.Category, t.Target, t.Actor)
	default:
		a.Owner = cmp.Or(t.Tenant, t.Actor.Tenant) // a gateway's own token says whose it is
	}
	return nil
}

// concern looks up who owns what c names. Nobody does if it has no history.
func (h *Handler) concern(ctx context.Context, c domain.Concern, a *domain.Attempt) error {
	s, ok := h.sources[c.Fact.Type]
	if !ok || s.Contract == nil {
		return fmt.Errorf("%v is no aggregate's: %w", c.Fact.Type, domain.ErrUnknownType)
	}
	owner, _, err := h.owner(ctx, s.Contract.Category(), c.Fact.Key)
	a.Owner, a.Concern = owner, &c
	return err
}

// owner returns the tenant that owns an aggregate, and whether there is one.
func (h *Handler) owner(ctx context.Context, category, id string) (tenant string, exists bool, err error) {
	err = h.View(ctx, category, id, func(_ any, at eventstore.Revision, of string) { tenant, exists = of, at >= 0 })
	if err != nil {
		err = fmt.Errorf("%s: %w", envelope.Stream(category, id), err)
	}
	return tenant, exists, err
}

// concernOf returns what a new aggregate would be about if the command named
// id as that. Other commands are about nothing.
func concernOf(info domain.CommandInfo, id string) (domain.Concern, bool) {
	c, ok := reflect.TypeAssert[domain.Concerner](reflect.New(info.Type).Elem())
	if !ok {
		return domain.Concern{}, false
	}
	concern := c.Concern()
	concern.Fact.Key = id
	return concern, true
}
