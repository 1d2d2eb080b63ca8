// Package history replays accounts for auditors: every event with who, why and
// when, the state that each led to, the state at a moment, and what differs
// between two moments.
//
// It reads the event store and nothing else. A state at a moment is the fold
// of what had been recorded by then, in the store's own time: an event that
// was recorded later is not in it, whatever time its content speaks of.
//
// Personal values are shown to those who may see them. For others the events
// are folded sealed, which gives the same state with the values hidden, since
// no fold needs them.
package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/google/uuid"

	"konto/domain"
	"konto/eventstore"
	"konto/internal/diff"
	"konto/internal/envelope"
	"konto/internal/privacy"
)

// Reader replays accounts. It is safe for concurrent use.
type Reader struct {
	Store     eventstore.Store
	Keys      *privacy.Keys
	Contracts envelope.Contracts
}

// Entry is one event of an account.
type Entry struct {
	Revision    int64        `json:"revision"`
	Position    string       `json:"position"`
	ID          string       `json:"id"`
	Type        string       `json:"type"`
	RecordedAt  time.Time    `json:"recordedAt"`
	Actor       domain.Actor `json:"actor"`
	Command     string       `json:"command"`     // wire name of the command that caused it
	CommandID   string       `json:"commandId"`   // ID of that command
	Causation   string       `json:"causation"`   // what caused the command: itself, or the event that a policy reacted to
	Correlation string       `json:"correlation"` // the same for all that one request led to
	// PolicyVersions are the versions of the policies that the command was decided under.
	PolicyVersions map[string]int  `json:"policyVersions,omitempty"`
	Reason         json.RawMessage `json:"reason,omitempty"`
	Source         json.RawMessage `json:"source,omitempty"`
	Refused        *domain.Error   `json:"refused,omitempty"` // the refusal that the caller got
	Data           json.RawMessage `json:"data"`
	State          json.RawMessage `json:"state"`   // that the event led to
	Changes        []diff.Change   `json:"changes"` // from the state before
}

// Snapshot is the state of an account at a moment.
type Snapshot struct {
	Stream     string          `json:"stream"`
	Revision   int64           `json:"revision"` // of the last event in it
	Position   string          `json:"position"`
	RecordedAt time.Time       `json:"recordedAt"` // of the last event in it
	State      json.RawMessage `json:"state"`
}

// Difference is what differs between two moments of an account.
type Difference struct {
	From    Snapshot      `json:"from"`
	To      Snapshot      `json:"to"`
	Changes []diff.Change `json:"changes"`
}

// Moment is a place in an account's history: the last event at or before it.
// The zero value is now.
type Moment struct {
	revision *eventstore.Revision
	time     *time.Time
}

// ParseMoment reads a revision ("12"), an RFC 3339 time, a date ("2026-03-01",
// its start in UTC), or "" for now.
func ParseMoment(s string) (Moment, error) {
	if s == "" {
		return Moment{}, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 {
		r := eventstore.Revision(n)
		return Moment{revision: &r}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly, "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return Moment{time: &t}, nil
		}
	}
	return Moment{}, domain.Malformed("malformed-moment",
		"a moment is a revision (12), a time (2026-03-01T12:00:00Z) or a date (2026-03-01)")
}

// ParseTime reads an RFC 3339 time or a date; "" is the zero time.
func ParseTime(s string) (time.Time, error) {
	m, err := ParseMoment(s)
	switch {
	case err != nil || m.revision != nil:
		return time.Time{}, domain.Malformed("malformed-moment", "want a time (2026-03-01T12:00:00Z) or a date (2026-03-01)")
	case m.time == nil:
		return time.Time{}, nil
	}
	return m.time.UTC(), nil
}

func never(eventstore.Recorded) bool { return false }

// includes reports whether r lies at or before m.
func (m Moment) includes(r eventstore.Recorded) bool {
	switch {
	case m.revision != nil:
		return r.Revision <= *m.revision
	case m.time != nil:
		return !r.At.After(*m.time)
	}
	return true
}

// ErrNoAccount says that there is no such account, or there was none at that moment.
var ErrNoAccount = domain.NotFound("account-not-found", "there is no such account, or there was none at that moment")

// Owner returns the tenant that owns the account, or [ErrNoAccount].
func (h *Reader) Owner(ctx context.Context, stream string) (string, error) {
	for r, err := range h.Store.Read(ctx, stream, eventstore.ReadStream{Limit: 1}) {
		if err != nil {
			return "", missing(err)
		}
		m, err := envelope.ParseMeta(r.Meta)
		return m.Tenant, err
	}
	return "", ErrNoAccount
}

func missing(err error) error {
	if errors.Is(err, eventstore.ErrStreamNotFound) {
		return ErrNoAccount
	}
	return fmt.Errorf("read account: %w", err)
}

// Entries yields the events of an account from a revision on, oldest first,
// each with the state that it led to.
func (h *Reader) Entries(ctx context.Context, stream string, sight domain.Sight, from eventstore.Revision) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		before := []byte("{}")
		for step, err := range h.replay(ctx, stream, sight, never) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if step.record.Revision < from-1 {
				continue
			}
			state, err := step.document()
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if step.record.Revision >= from {
				e, err := entry(step, before, state)
				if !yield(e, err) || err != nil {
					return
				}
			}
			before = state
		}
	}
}

func entry(s step, before, state []byte) (Entry, error) {
	changes, err := diff.Between(before, state)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{
		Revision: int64(s.record.Revision), Position: s.record.Position.String(),
		ID: uuid.UUID(s.record.ID).String(), Type: s.record.Type, RecordedAt: s.record.At,
		Actor: s.meta.Actor, Command: s.meta.CommandType, CommandID: s.meta.Command,
		Causation: s.meta.Causation, Correlation: s.meta.Correlation, Refused: s.meta.Refused, PolicyVersions: s.meta.PolicyVersions,
		Data: privacy.Plain(s.data), State: state, Changes: changes,
	}
	if e.Reason, err = shown(s.meta.Reason); err != nil {
		return e, err
	}
	e.Source, err = shown(s.meta.Source)
	return e, err
}

func shown[T any](p domain.Personal[T]) (json.RawMessage, error) {
	if p.IsZero() {
		return nil, nil
	}
	b, err := json.Marshal(p)
	return privacy.Plain(b), err
}

// At returns the state of an account at a moment, or [ErrNoAccount].
func (h *Reader) At(ctx context.Context, stream string, sight domain.Sight, m Moment) (Snapshot, error) {
	var last step
	beyond := func(r eventstore.Recorded) bool { return !m.includes(r) }
	for s, err := range h.replay(ctx, stream, sight, beyond) {
		if err != nil {
			return Snapshot{}, err
		}
		last = s
	}
	if last.contract == nil {
		return Snapshot{}, ErrNoAccount
	}
	state, err := last.document()
	return Snapshot{
		Stream: stream, Revision: int64(last.record.Revision), Position: last.record.Position.String(),
		RecordedAt: last.record.At, State: state,
	}, err
}

// Diff returns what differs between two moments of an account.
func (h *Reader) Diff(ctx context.Context, stream string, sight domain.Sight, from, to Moment) (Difference, error) {
	a, err := h.At(ctx, stream, sight, from)
	if err != nil {
		return Difference{}, err
	}
	b, err := h.At(ctx, stream, sight, to)
	if err != nil {
		return Difference{}, err
	}
	changes, err := diff.Between(a.State, b.State)
	return Difference{From: a, To: b, Changes: changes}, err
}
