package policyversion

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"konto/domain"
)

// PublishPolicyVersion publishes the next version of a policy's rules.
// Publishing the same again does nothing. Rules that would lock organizations
// out are published two weeks ahead ([Notice]).
type PublishPolicyVersion struct {
	// Number is the version's: one more than the latest, so that two operators
	// cannot publish over each other.
	Number int `json:"number"`
	// EffectiveAt is when the rules come into force; at once if absent.
	EffectiveAt time.Time `json:"effectiveAt,omitzero"`
	// Rules are all values of the policy, not just those that change.
	Rules json.RawMessage `json:"rules"`
	Note  string          `json:"note"` // why, for auditors
	// Backdate allows a moment in the past. Decisions that were made stay as
	// they were; as-of answers and back-tests see the rules from then on.
	Backdate bool `json:"backdate,omitempty"`
}

// maxNote is the most characters of a note.
const maxNote = 500

// Needs implements [domain.Needer].
func (c PublishPolicyVersion) Needs(m Meta) []domain.Need {
	return append(guards(m), domain.Of[Verdict](VerdictKey(m.ID, c.Rules)))
}

// Decide implements [domain.Command].
func (c PublishPolicyVersion) Decide(p Policy, m Meta) ([]Event, error) {
	verdict := domain.Fact[Verdict](m, VerdictKey(m.ID, c.Rules))
	if !verdict.Known {
		return nil, ErrUnknown
	}
	e := PolicyVersionPublished{
		Name: m.ID, Version: c.Number, EffectiveAt: c.EffectiveAt.UTC().Truncate(time.Microsecond),
		Rules: verdict.Rules, Note: strings.TrimSpace(c.Note), PublishedBy: m.Actor.ID, PublishedAt: m.At,
	}
	if c.EffectiveAt.IsZero() {
		e.EffectiveAt = m.At
	}
	if p.has(e, c.EffectiveAt.IsZero()) {
		return nil, nil
	}
	var wrong []*domain.Error
	if verdict.Problem != "" {
		e := ErrRules.With("reason", verdict.Problem)
		e.Detail += ": " + verdict.Problem
		wrong = append(wrong, e)
	}
	if e.EffectiveAt.Before(m.At) && !c.Backdate {
		wrong = append(wrong, ErrPast)
	}
	if domain.Blank(e.Note) || !domain.Text(e.Note, maxNote) {
		wrong = append(wrong, ErrNote)
	}
	if n := locksOut(m, c.Number, verdict.Rules, e.EffectiveAt); n > 0 {
		if e.LocksOut = n; e.EffectiveAt.Before(m.At.Add(Notice)) {
			wrong = append(wrong, tooSoon(m, n))
		}
	}
	if c.Number != p.Next() {
		wrong = append(wrong, ErrOutOfOrder.With("next", p.Next()))
	}
	if err := domain.All(wrong...); err != nil {
		return nil, err
	}
	return []Event{e}, nil
}

// has reports whether e was published before: for the same moment, unless at
// once was asked for.
func (p Policy) has(e PolicyVersionPublished, atOnce bool) bool {
	return slices.ContainsFunc(p.Versions, func(v Version) bool {
		return v.Number == e.Version && v.Note == e.Note && bytes.Equal(v.Rules, e.Rules) &&
			(atOnce || v.EffectiveAt.Equal(e.EffectiveAt) || v.AnnouncedFor.Equal(e.EffectiveAt))
	})
}

// PolicyVersionPublished records that a policy has new rules from a moment on.
type PolicyVersionPublished struct {
	Name        string          `json:"name"`
	Version     int             `json:"version"`
	EffectiveAt time.Time       `json:"effectiveAt"`
	Rules       json.RawMessage `json:"rules"`
	Note        string          `json:"note"`
	PublishedBy string          `json:"publishedBy"`
	PublishedAt time.Time       `json:"publishedAt"`
	// LocksOut is how many organizations it would lock out as they were when it
	// was published.
	LocksOut int `json:"locksOut,omitzero"`
}

// Evolve implements [domain.Event].
func (e PolicyVersionPublished) Evolve(p *Policy) {
	p.Versions = append(slices.Clip(p.Versions), Version{
		Number: e.Version, EffectiveAt: e.EffectiveAt, Rules: e.Rules, Note: e.Note,
		PublishedBy: e.PublishedBy, PublishedAt: e.PublishedAt, LocksOut: e.LocksOut,
	})
}
