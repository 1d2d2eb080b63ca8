// Package retrial replays past commands under another version of a policy and
// lists the decisions that would have been different. It changes nothing.
//
// # What is guaranteed
//
// A command is decided on what was known then: its account, and the facts of
// other accounts, are folded from the events before its own. It is decided
// twice, under the versions that were in force and under the one in question,
// with nothing else changed, so that a difference is the policy's.
//
// # What is not
//
// A command that was refused left no body behind, so what another version
// would have let pass is not found. Why: an account's events say whom the body
// that led to them is about, and the body is sealed under the keys of all of
// them, so that it goes when one of them is erased. A refused body leads to no
// event. It may be about anybody, such as the person whose address was typed
// into the wrong account, and no erasure would find it. Nor has who was refused
// a right to what the account holds, whose keys are another organization's
// perhaps. So the refusals under the policy are counted by rule instead: "none
// different" says nothing of those. The count is of what was recorded, which is
// not each of many refusals of one person within a minute.
//
// Nor is a command replayed whose body is erased, is secret or was too long;
// those are listed. A command that today's program would not decide as it was
// decided then is listed, too: what differs there is not the policy's alone.
package retrial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"konto/domain"
	"konto/domain/policy"
	"konto/domain/policyversion"
	"konto/eventstore"
	"konto/internal/command"
	"konto/internal/diff"
	"konto/internal/envelope"
	"konto/internal/privacy"
)

// Tester replays commands. It is safe for concurrent use.
type Tester struct {
	Store         eventstore.Store
	Keys          *privacy.Keys
	Contracts     envelope.Contracts
	Sources       []domain.Source
	Authorization domain.Authorization
}

// Question says which commands are decided under which rules.
type Question struct {
	Policy string
	// Version is the version in question. 0 means Rules, which nobody need
	// have published.
	Version  int
	Rules    json.RawMessage
	From, To time.Time // when the commands were recorded; zero for no bound
	Tenant   string    // whose accounts; empty for everybody's
	Limit    int       // of differences and of undecided commands that are listed; 0 means 500
}

// Report is what a back-test found.
type Report struct {
	Policy  string          `json:"policy"`
	Version int             `json:"version,omitempty"` // 0: rules that are not published
	Rules   json.RawMessage `json:"rules"`
	// Replayed is how many commands were decided under the policy and again
	// here; Same is how many of them would end as they did.
	Replayed    int `json:"replayed"`
	Same        int `json:"same"`
	Different   int `json:"different"`
	Undecidable int `json:"undecidable"`
	// RefusedNotReplayed is how many commands of the tenant's people were
	// refused under the policy, so that another version may have let them pass.
	RefusedNotReplayed int          `json:"refusedNotReplayed"`
	Refusals           []Refusal    `json:"refusals"` // those by rule, the most frequent first
	Differences        []Divergence `json:"differences"`
	Undecided          []Undecided  `json:"undecided"`
}

// Decision names a command that was carried out.
type Decision struct {
	Position string       `json:"position"` // of its first event
	Stream   string       `json:"stream"`
	Command  string       `json:"command"` // wire name
	ID       string       `json:"commandId"`
	At       time.Time    `json:"at"`
	Actor    domain.Actor `json:"actor"`
	Version  int          `json:"version"` // of the policy, that was in force
}

// Divergence is a decision that would have been another.
type Divergence struct {
	Decision
	Kind string  `json:"kind"` // "refused", "accepted", "refused-differently" or "other-events"
	Was  Outcome `json:"was"`
	Now  Outcome `json:"now"`
	// Fields are the JSON pointers into the events in which the two differ.
	Fields []string `json:"fields,omitempty"`
}

// Outcome is what came of a command. It says nothing personal.
type Outcome struct {
	Events  []string      `json:"events"`
	Refused *domain.Error `json:"refused,omitempty"`
}

// Refusal is how often a rule refused a command.
type Refusal struct {
	Command  string `json:"command"` // wire name
	Rule     string `json:"rule,omitempty"`
	Code     string `json:"code"` // of the refusal
	Commands int    `json:"commands"`
}

// Undecided is a command that cannot be decided again.
type Undecided struct {
	Decision
	Why string `json:"why"` // "erased", "not-kept" or "decided-differently-today"
}

const defaultLimit = 500

// ErrVersion says that the policy has no such version.
var ErrVersion = domain.Invalid("policy-version-not-found", "the policy has no such version").ByRule("N11")

// Run answers q. It blocks while it reads the store, from the first event that
// counts to the last. A policy or version that is not there, or rules that the
// policy cannot take, are an [*domain.Error].
func (t *Tester) Run(ctx context.Context, q Question) (Report, error) {
	declared, ok := policy.Find(q.Policy)
	if !ok {
		return Report{}, policyversion.ErrUnknown
	}
	if q.Limit == 0 {
		q.Limit = defaultLimit
	}
	w := newWorld(t)
	rules, err := w.rules(ctx, declared, q)
	if err != nil {
		return Report{}, err
	}
	r := Report{Policy: q.Policy, Version: q.Version, Rules: rules, Differences: []Divergence{}, Undecided: []Undecided{}, Refusals: []Refusal{}}
	counted := refusals{}
	for rec, err := range t.Store.ReadAll(ctx, eventstore.ReadAll{}) {
		if err != nil {
			return r, fmt.Errorf("read the store: %w", err)
		}
		if !q.To.IsZero() && !rec.At.Before(q.To) {
			break
		}
		c, ok, err := w.candidate(rec, q)
		if err != nil {
			return r, err
		}
		if !ok {
			if err := counted.add(rec, q); err != nil {
				return r, err
			}
			continue
		}
		if c.meta.Refused != nil {
			counted.replayed(c.meta.Command)
		}
		if err := w.compare(ctx, c, rules, q, &r); err != nil {
			return r, fmt.Errorf("%s of %s: %w", c.meta.CommandType, rec.Stream, err)
		}
	}
	r.Refusals, r.RefusedNotReplayed = counted.list()
	return r, nil
}

// rules returns the rules in question.
func (w *world) rules(ctx context.Context, d policy.Declared, q Question) (json.RawMessage, error) {
	switch q.Version {
	case 0:
		rules, err := d.Check(q.Rules)
		if err != nil {
			return nil, policyversion.ErrRules.With("reason", err.Error())
		}
		return rules, nil
	case 1:
		return d.First, nil
	}
	a, err := w.at(ctx, policyversion.Aggregate.Category(), d.Name, latest)
	if err != nil {
		return nil, err
	}
	for _, v := range a.state.(*policyversion.Policy).Versions {
		if v.Number == q.Version {
			return v.Rules, nil
		}
	}
	return nil, ErrVersion
}

// candidate is a recorded command that was decided under the policy.
type candidate struct {
	first    eventstore.Recorded
	meta     envelope.Meta
	category string
	id       string
}

// candidate returns the command whose first event rec is, if it counts.
func (w *world) candidate(rec eventstore.Recorded, q Question) (c candidate, ok bool, err error) {
	category, account, known := envelope.Split(rec.Stream)
	if _, ours := w.Contracts[category]; !known || !ours || rec.System() || rec.At.Before(q.From) ||
		!bytes.Contains(rec.Meta, []byte(`"`+q.Policy+`":`)) {
		return c, false, nil
	}
	m, err := envelope.ParseMeta(rec.Meta)
	if err != nil {
		return c, false, err
	}
	id, err := uuid.Parse(m.Command)
	if err != nil || uuid.UUID(rec.ID) != command.EventID(id, 0) || m.PolicyVersions[q.Policy] == 0 || q.Tenant != "" && m.Tenant != q.Tenant {
		return c, false, nil //nolint:nilerr // not a command of ours
	}
	return candidate{rec, m, category, account}, true, nil
}

func (c candidate) decision(policy string) Decision {
	return Decision{
		Position: c.first.Position.String(), Stream: c.first.Stream, Command: c.meta.CommandType, ID: c.meta.Command,
		At: c.meta.At, Actor: c.meta.Actor, Version: c.meta.PolicyVersions[policy],
	}
}

// compare decides c under both versions and notes what came of it.
func (w *world) compare(ctx context.Context, c candidate, rules json.RawMessage, q Question, r *Report) error {
	undecided := func(why string) {
		if r.Undecidable++; len(r.Undecided) < q.Limit {
			r.Undecided = append(r.Undecided, Undecided{c.decision(q.Policy), why})
		}
	}
	body, err := envelope.OpenBody(ctx, w.Keys, c.first)
	switch {
	case errors.Is(err, envelope.ErrErasedBody):
		undecided("erased")
		return nil
	case errors.Is(err, envelope.ErrNoBody):
		undecided("not-kept")
		return nil
	case err != nil:
		return err
	}
	was, err := w.decide(ctx, c, body, forced{})
	if err != nil {
		return err
	}
	if faithful, err := w.faithful(ctx, c, was); err != nil || !faithful {
		if err == nil {
			undecided("decided-differently-today")
		}
		return err
	}
	now, err := w.decide(ctx, c, body, forced{q.Policy, rules})
	if err != nil {
		return err
	}
	r.Replayed++
	d, err := difference(was, now)
	if err != nil {
		return err
	}
	if d.Kind == "" {
		r.Same++
		return nil
	}
	if r.Different++; len(r.Differences) < q.Limit {
		d.Decision = c.decision(q.Policy)
		r.Differences = append(r.Differences, d)
	}
	return nil
}

// outcome is what came of a command, with what its events say.
type outcome struct {
	events  []domain.Raw
	refused *domain.Error
}

func (o outcome) shown() Outcome {
	s := Outcome{Events: []string{}, Refused: o.refused}
	for _, e := range o.events {
		s.Events = append(s.Events, e.Type)
	}
	return s
}

// difference returns in what now is another outcome than was. Its kind is
// empty if it is none.
func difference(was, now outcome) (Divergence, error) {
	d := Divergence{Was: was.shown(), Now: now.shown()}
	switch {
	case was.refused == nil && now.refused != nil:
		d.Kind = "refused"
	case was.refused != nil && now.refused == nil:
		d.Kind = "accepted"
	case was.refused != nil && (was.refused.Code != now.refused.Code || was.refused.Rule != now.refused.Rule):
		d.Kind = "refused-differently"
	case !slices.Equal(d.Was.Events, d.Now.Events):
		d.Kind = "other-events"
	default:
		for i, e := range was.events {
			changes, err := diff.Between(e.Data, now.events[i].Data)
			if err != nil {
				return d, err
			}
			for _, c := range changes {
				d.Kind, d.Fields = "other-events", append(d.Fields, e.Type+c.Field)
			}
		}
	}
	return d, nil
}
