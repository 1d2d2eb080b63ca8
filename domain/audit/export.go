package audit

import (
	"maps"
	"time"
)

// ExportAuditBundle records what an auditor is about to take along: all that
// the session covers, up to a checkpoint. It comes before the first byte, so
// that there is no bundle that nobody recorded.
type ExportAuditBundle struct {
	Checkpoint string           `json:"checkpoint"` // the position of the bundle's end
	Events     int64            `json:"events"`
	Kinds      map[string]int64 `json:"kinds"`  // events by kind of account
	Digest     string           `json:"digest"` // SHA-256 of the bundle's lines before its last, in hexadecimal
}

// Decide implements [domain.Command].
func (c ExportAuditBundle) Decide(a Access, m Meta) ([]Event, error) {
	if !a.Session.Open(m.At) {
		return nil, ErrNoSession
	}
	var sum int64
	for _, n := range c.Kinds {
		sum += n
	}
	if !isPosition(c.Checkpoint) || c.Events < 0 || sum != c.Events || len(c.Digest) != 64 || !consistsOf(c.Digest, "0123456789abcdef") {
		return nil, ErrBundle
	}
	return []Event{AuditBundleExported{
		Session: a.Session.ID, Auditor: m.ID, Scope: a.Session.Scope, Checkpoint: c.Checkpoint,
		Events: c.Events, Kinds: maps.Clone(c.Kinds), Digest: c.Digest, At: m.At,
	}}, nil
}

// AuditBundleExported records what an auditor took along.
type AuditBundleExported struct {
	Session    string           `json:"session"`
	Auditor    string           `json:"auditor"`
	Scope      Scope            `json:"scope"`
	Checkpoint string           `json:"checkpoint"`
	Events     int64            `json:"events"`
	Kinds      map[string]int64 `json:"kinds,omitempty"`
	Digest     string           `json:"digest"` // of the bundle; whoever has it can compare
	At         time.Time        `json:"at"`
}

// Evolve implements [domain.Event].
func (e AuditBundleExported) Evolve(a *Access) { a.Exports++ }
