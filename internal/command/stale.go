package command

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/diff"
	"konto/internal/envelope"
	"konto/internal/privacy"
)

// StaleError says that the aggregate has moved on since the revision that the
// caller saw, and what has changed.
type StaleError struct {
	Stream  string
	Seen    eventstore.Revision
	Current eventstore.Revision
	Changes []FieldChange // since Seen, sorted by field
	// disjoint says that the command would have been accepted at Seen, and
	// that none of what it changes, then or now, has been changed since.
	disjoint bool
}

// FieldChange is a field that somebody changed after the caller looked.
type FieldChange struct {
	diff.Change
	// Yours is what the command would have made of the field; empty if it
	// would have left it alone.
	Yours json.RawMessage `json:"yours,omitempty"`
	// Conflict says that the command and the change are about the same field.
	Conflict bool                `json:"conflict"`
	By       string              `json:"by"` // ID of the actor who changed it last
	At       time.Time           `json:"at"`
	Revision eventstore.Revision `json:"revision"`
	Event    string              `json:"event"`
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("%s has moved from %s to %s", e.Stream, e.Seen, e.Current)
}

// match compares what the caller saw with what there is. An account that is not
// there is for the rule to refuse, as it would be without an expectation: the
// answer for it must be the one for an account that is somebody else's.
//
// Where the caller lets it, a command that touches nothing that has changed
// since is matched, and what has changed is returned (rule X1).
func (h *Handler) match(ctx context.Context, t task, e *entry, m domain.Meta) (merged []FieldChange, err error) {
	if t.Expected == nil {
		if !t.info.CallerSaw || e.revision < 0 || t.Actor.Kind != domain.KindPerson {
			return nil, nil
		}
		if err := h.believe(ctx, e); err != nil {
			return nil, err
		}
		return nil, ErrMustMatch.With("revision", int64(e.revision))
	}
	if *t.Expected == e.revision {
		return nil, nil
	}
	if err := h.believe(ctx, e); err != nil {
		return nil, err
	}
	if e.revision < 0 {
		if events, refused := e.contract.Decide(e.state, t.cmd, m); refused != nil && len(events) == 0 {
			return nil, refused
		}
	}
	stale, err := h.explain(ctx, t, e, m)
	switch {
	case err != nil:
		return nil, fmt.Errorf("compare %s: %w", e.stream, err)
	case t.Merge && stale.disjoint:
		return stale.Changes, nil
	}
	return nil, stale
}

// explain folds the stream once more to find what changed after the revision
// that the caller saw, who changed it, and whether the command would have
// changed the same.
func (h *Handler) explain(ctx context.Context, t task, e *entry, m domain.Meta) (*StaleError, error) {
	stale := &StaleError{Stream: e.stream, Seen: *t.Expected, Current: e.revision}
	if stale.Seen > stale.Current || stale.Seen < 0 {
		return stale, nil // the caller never saw that
	}
	var seen, last []byte
	var yours []diff.Change
	changes := map[string]FieldChange{}
	again := &entry{stream: e.stream, contract: e.contract}
	again.restart()
	for r, err := range h.Store.Read(ctx, e.stream, eventstore.ReadStream{}) {
		if err == nil {
			err = h.fold(ctx, again, r)
		}
		if err != nil {
			return nil, err
		}
		switch {
		case r.Revision < stale.Seen:
			continue
		case r.Revision == stale.Seen:
			if seen, err = document(again.state); err != nil {
				return nil, err
			}
			if yours, stale.disjoint, err = h.would(ctx, t, again, m, seen); err != nil {
				return nil, err
			}
			last = seen
			continue
		}
		if last, err = credit(changes, again.state, last, r); err != nil {
			return nil, err
		}
	}
	net, err := diff.Between(seen, last)
	if err != nil {
		return nil, err
	}
	// A form sends all its fields. One that the caller left as it was would now
	// undo what somebody else made of it.
	undone, _, err := h.would(ctx, t, again, m, last)
	if err != nil {
		return nil, err
	}
	yours = append(undone, yours...)
	for _, c := range net {
		f := latest(changes, c.Field)
		f.Change = c
		f.against(yours, t.info.Approves)
		stale.disjoint = stale.disjoint && !f.Conflict
		stale.Changes = append(stale.Changes, f)
	}
	stale.Current = again.revision
	return stale, nil
}

// against notes whether yours are in the way of f, or f of them. What approves
// an object is about all of it, whichever of its fields it changes.
func (f *FieldChange) against(yours []diff.Change, approves bool) {
	for _, y := range yours {
		whole := y.Field[:max(0, strings.LastIndexByte(y.Field, '/'))]
		switch {
		case overlap(y.Field, f.Field):
			f.Conflict, f.Yours = true, y.After
		case approves && overlap(whole, f.Field):
			f.Conflict = true
		}
	}
}

// overlap reports whether two JSON pointers are about the same, or one about a
// part of the other.
func overlap(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}

// latest returns the newest change of field, of a part of it or of what it is
// a part of: a list that came, grew and went is three fields along the way.
func latest(changes map[string]FieldChange, field string) FieldChange {
	last := changes[field]
	for at, c := range changes {
		if c.Revision > last.Revision && overlap(at, field) {
			last = c
		}
	}
	return last
}

// credit notes r as what last changed each field that it changed.
func credit(changes map[string]FieldChange, state any, before []byte, r eventstore.Recorded) ([]byte, error) {
	after, err := document(state)
	if err != nil {
		return nil, err
	}
	meta, err := envelope.ParseMeta(r.Meta)
	if err != nil {
		return nil, err
	}
	fields, err := diff.Between(before, after)
	for _, c := range fields {
		changes[c.Field] = FieldChange{By: meta.Actor.ID, At: meta.At, Revision: r.Revision, Event: r.Type}
	}
	return after, err
}

// would returns what the command would have changed in the state that the
// caller saw, and whether it would have been accepted: a refusal has no fields
// of its own. It folds a copy.
func (h *Handler) would(ctx context.Context, t task, at *entry, m domain.Meta, seen []byte) (yours []diff.Change, accepted bool, err error) {
	events, refused := at.contract.Decide(at.state, t.cmd, m)
	if refused != nil {
		return nil, false, nil
	}
	after := &entry{stream: at.stream, contract: at.contract}
	after.restart()
	for r, err := range h.Store.Read(ctx, at.stream, eventstore.ReadStream{Limit: int(at.revision) + 1}) {
		if err == nil {
			err = h.fold(ctx, after, r)
		}
		if err != nil {
			return nil, false, err
		}
	}
	for _, event := range events {
		if err := after.contract.Evolve(after.state, event); err != nil {
			return nil, false, err
		}
	}
	doc, err := document(after.state)
	if err != nil {
		return nil, false, err
	}
	yours, err = diff.Between(seen, doc)
	return yours, true, err
}

// document is a state as people see it.
func document(state any) ([]byte, error) {
	b, err := json.Marshal(state)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	return privacy.Plain(b), nil
}

// Conflicts returns the names of the fields that the command and somebody
// else's change are both about.
func (e *StaleError) Conflicts() []string {
	fields := map[string]struct{}{}
	for _, c := range e.Changes {
		if c.Conflict {
			fields[c.Field] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(fields))
}
