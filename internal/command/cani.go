package command

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"konto/domain"
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

// Question is whether an actor may send a command.
type Question struct {
	Category string // of the aggregate
	Target   string // the aggregate's ID
	Command  string // wire name
	// About is the ID of what a new aggregate would be about; see
	// [domain.Concerner]. Without one, it is of the actor's own tenant.
	About string
	Actor domain.Actor
}

// errNoConcern: the question names what the command could not.
var errNoConcern = domain.Invalid("about-nothing", "what this command makes is about nothing else").ByRule("N10")

// CanI asks the authorization, with the facts and the policies that its
// conditions look at, such as whose the card is. It asks nothing else: whether
// the aggregate's own rules let the command pass also depends on what it says.
// Only where there is no such aggregate, they are asked whether the command
// makes one. Nothing is written.
// Errors: [domain.ErrUnknownType] for a category or a command that no contract
// has, an [*domain.Error] for a command that is about nothing, and the store's.
func (h *Handler) CanI(ctx context.Context, q Question) (Permission, error) {
	info, ok := h.infos[q.Category][q.Command]
	if !ok {
		return Permission{}, fmt.Errorf("%s of %s: %w", q.Command, q.Category, domain.ErrUnknownType)
	}
	t := task{Request: Request{Category: q.Category, Target: q.Target, Command: q.Command, Actor: q.Actor}, at: h.Now().UTC()}
	a := domain.Attempt{Category: q.Category, Command: q.Command, ID: q.Target, Actor: q.Actor, At: t.at}
	if err := h.own(ctx, t, &a); err != nil {
		return Permission{}, err
	}
	if q.About != "" {
		concern, ok := concernOf(info, q.About)
		if !ok {
			return Permission{}, errNoConcern
		}
		if !a.Exists {
			if err := h.concern(ctx, concern, &a); err != nil {
				return Permission{}, err
			}
		}
	}
	asked, err := h.inform(ctx, &a)
	if err != nil {
		return Permission{}, err
	}
	trace, err := h.Authorization.Rule(a)
	p := Permission{Allowed: err == nil, Exists: a.Exists, Trace: trace, Versions: h.versions(domain.Meta{At: t.at, Facts: a.Facts}, asked, nil)}
	if err == nil && !a.Exists {
		err = h.opens(ctx, t, info, a)
		p.Allowed = err == nil
	}
	if err == nil {
		return p, nil
	}
	if p.Refused, ok = errors.AsType[*domain.Error](err); !ok {
		return p, err
	}
	p.Exists = p.Exists && p.Refused.Kind != domain.KindNotFound
	return p, nil
}

// opens returns the refusal of a command to an aggregate that is not there,
// unless the command makes one, whatever it says. Its rule knows: asked about
// nothing at all, it finds that there is no such aggregate, or else that what
// the command says is wrong.
func (h *Handler) opens(ctx context.Context, t task, info domain.CommandInfo, a domain.Attempt) error {
	t.contract, t.info, t.cmd = h.Contracts[t.Category], info, reflect.New(info.Type).Elem().Interface()
	_, meta, err := h.admit(ctx, &t, h.states.entry(t.contract, t.Target), a)
	if err != nil {
		return err
	}
	_, err = t.contract.Decide(t.contract.New(), t.cmd, meta)
	refused, ok := errors.AsType[*domain.Error](err)
	if !ok || refused.Kind != domain.KindNotFound || refused.Pointer != "" { // a pointer is to something else that is not there
		return nil
	}
	return h.whoMay(t, meta, refused)
}
