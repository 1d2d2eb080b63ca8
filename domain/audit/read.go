package audit

import (
	"slices"
	"strings"
	"time"

	"konto/domain"
)

// Query is what an auditor asks for: which history, how, and from where to
// where. It holds IDs, positions, revisions and times, and nothing else.
type Query struct {
	Kind QueryKind `json:"kind"`
	// Account is the stream that is read; empty for all of them.
	Account string `json:"account,omitzero"`
	From    string `json:"from,omitzero"` // a revision, a position or a time
	To      string `json:"to,omitzero"`
	Type    string `json:"type,omitzero"` // the only type of events, if one was named
}

// QueryKind is a way of reading.
type QueryKind string

// The ways of reading.
const (
	ReadHistory  QueryKind = "history"  // the events of an account
	ReadState    QueryKind = "state"    // an account at a moment
	ReadDiff     QueryKind = "diff"     // what differs between two moments
	ReadTimeline QueryKind = "timeline" // what happened in all accounts
	ReadEvents   QueryKind = "events"   // events in the order of the log, as they come or as a file
	ReadBacktest QueryKind = "backtest" // how past decisions would have ended
)

var queryKinds = []QueryKind{ReadHistory, ReadState, ReadDiff, ReadTimeline, ReadEvents, ReadBacktest}

const maxBound = 40 // bytes of a time, a revision or a position

// Category is the kind of the account that q asks for; empty for all of them.
func (q Query) Category() string {
	category, _, _ := strings.Cut(q.Account, "-")
	return category
}

// problem says that q holds something else than it may.
func (q Query) problem(kinds []string) *domain.Error {
	for _, bound := range []string{q.From, q.To} {
		if bound != "" && (len(bound) > maxBound || !consistsOf(bound, "0123456789-+:./TZCP")) {
			return ErrQuery
		}
	}
	switch {
	case !slices.Contains(queryKinds, q.Kind),
		q.Account != "" && !isStream(q.Account, kinds),
		q.Type != "" && (len(q.Type) > maxBound || !consistsOf(q.Type, letters)):
		return ErrQuery
	}
	return nil
}

// letters are those of event types and of policies' names.
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"

// RecordHistoryRead records what an auditor is about to read. It is refused
// for what the session does not cover, and then nothing is read. The same
// question within a minute is not recorded again.
type RecordHistoryRead struct {
	Session    string `json:"session,omitzero"` // whose scope was looked at, if it was
	Query      Query  `json:"query"`
	Checkpoint string `json:"checkpoint"` // the position that the log had reached
}

// sameRead is how long the same question is not recorded again.
const sameRead = time.Minute

// maxRecent bounds the readings that are told apart within a minute. More than
// those are recorded each.
const maxRecent = 64

// Needs implements [domain.Needer].
func (RecordHistoryRead) Needs(Meta) []domain.Need { return []domain.Need{domain.Of[Kinds]("")} }

// Decide implements [domain.Command].
func (c RecordHistoryRead) Decide(a Access, m Meta) ([]Event, error) {
	if !a.Session.Open(m.At) || c.Session != "" && c.Session != a.Session.ID {
		return nil, ErrNoSession
	}
	// Of the log, a reader gets what the session covers, whatever was asked for.
	if c.Query.Kind != ReadEvents && !a.Session.Scope.Covers(c.Query.Category(), c.Query.Account) {
		return nil, ErrOutOfScope
	}
	if wrong := c.Query.problem(domain.Fact[Kinds](m, "").Known); wrong != nil {
		return nil, wrong
	}
	if !isPosition(c.Checkpoint) {
		return nil, ErrQuery
	}
	for _, r := range a.Recent {
		if r.Query == c.Query && m.At.Before(r.At.Add(sameRead)) {
			return nil, nil
		}
	}
	return []Event{AuditHistoryRead{Session: a.Session.ID, Auditor: m.ID, Query: c.Query, Checkpoint: c.Checkpoint, At: m.At}}, nil
}

func isPosition(s string) bool { return len(s) <= maxBound && consistsOf(s, "0123456789:/CP") }

// AuditHistoryRead records what an auditor read.
type AuditHistoryRead struct {
	Session    string    `json:"session"`
	Auditor    string    `json:"auditor"`
	Query      Query     `json:"query"`
	Checkpoint string    `json:"checkpoint"` // the position that the log had reached
	At         time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e AuditHistoryRead) Evolve(a *Access) {
	a.Reads++
	recent := make([]Read, 0, len(a.Recent)+1)
	for _, r := range a.Recent {
		if e.At.Before(r.At.Add(sameRead)) {
			recent = append(recent, r)
		}
	}
	recent = append(recent, Read{e.Query, e.At})
	a.Recent = recent[max(0, len(recent)-maxRecent):]
}
