package command

import (
	"context"
	"fmt"
	"maps"
	"reflect"

	"konto/domain"
	"konto/eventstore"
)

func indexSources(sources []domain.Source) map[reflect.Type]domain.Source {
	index := make(map[reflect.Type]domain.Source, len(sources))
	for _, s := range sources {
		index[s.Type] = s
	}
	return index
}

// gather adds to known what needs asks for, until it asks for nothing new.
// Nobody may hold the lock of an entry, since a fact may be about any stream.
func (h *Handler) gather(ctx context.Context, known domain.Facts, needs func(domain.Facts) []domain.Need) (domain.Facts, error) {
	for {
		missing := unknown(known, needs(known))
		if len(missing) == 0 {
			return known, nil
		}
		for _, n := range missing {
			fact, err := h.lookUp(ctx, n)
			if err != nil {
				return known, fmt.Errorf("fact %v: %w", n.Type, err)
			}
			known = known.Knows(n, fact)
		}
	}
}

// versions returns the versions of the policies that a decision is made under:
// the authorization's, and those among what it and the command asked for.
func (h *Handler) versions(m domain.Meta, asked, wanted []domain.Need) map[string]int {
	name, version := h.Authorization.InForce(m.At)
	in := map[string]int{name: version}
	maps.Copy(in, m.Facts.Versions(asked, m.At))
	maps.Copy(in, m.Facts.Versions(wanted, m.At))
	return in
}

// Look decides who may read an aggregate's account, with the facts that r asks for.
func (h *Handler) Look(ctx context.Context, r domain.Reading, l domain.Look) (domain.Sight, error) {
	facts, err := h.gather(ctx, domain.Facts{}, func(f domain.Facts) []domain.Need {
		l.Facts = f
		return r.ReadNeeds(l)
	})
	if err != nil {
		return domain.Sight{}, err
	}
	l.Facts = facts
	return r.Read(l)
}

func unknown(known domain.Facts, needs []domain.Need) []domain.Need {
	var missing []domain.Need
	for _, n := range needs {
		if !known.Has(n) {
			missing = append(missing, n)
		}
	}
	return missing
}

func (h *Handler) lookUp(ctx context.Context, n domain.Need) (any, error) {
	s, ok := h.sources[n.Type]
	switch {
	case !ok:
		return nil, fmt.Errorf("no source: %w", domain.ErrUnknownType)
	case s.Contract == nil:
		return s.Input(n.Key), nil
	}
	var fact any
	err := h.View(ctx, s.Contract.Category(), n.Key, func(state any, _ eventstore.Revision, _ string) {
		fact = s.State(n.Key, state)
	})
	return fact, err
}
