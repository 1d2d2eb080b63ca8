// Package audit models how an organization's history is read by its auditors:
// only in a session that has a purpose, a scope and an end, and with a record
// of every reading and every export. The ID is the auditor's, who has one
// session at a time, so that each reading belongs to one purpose.
//
// # What is guaranteed
//
// Nothing outside a session's scope is covered, and nothing before it was
// opened or from its end on. Whoever answers a reading records it first: a
// reading that cannot be recorded is not answered. Records say what was asked
// for, as IDs, positions and times, and hold no personal data.
//
// # What is not
//
// A reading is one record, however much it returned. The same question asked
// again within a minute is not recorded again, so that paging and reloading do
// not bury what matters. That an auditor keeps to the purpose is for people to
// judge, who see the records.
package audit

import (
	"time"

	"konto/domain"
)

// Event is a fact about an auditor's access.
type Event = domain.Event[Access]

// Meta is what a decision may know besides the access and the command.
type Meta = domain.Meta

// Aggregate is the access's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"audit", "audit-access",
	domain.Accepts[OpenAuditSession]("OpenAuditSession", domain.Summary("Open a session in which the organization's history may be read: what for, how much of it, how long")),
	domain.Accepts[CloseAuditSession]("CloseAuditSession", domain.Summary("End an auditor's session before its time")),
	domain.Accepts[ExpireAuditSession]("ExpireAuditSession", domain.Summary("End a session whose time is over"), domain.Internal()),
	domain.Accepts[RecordHistoryRead]("RecordHistoryRead", domain.Summary("Record what an auditor is about to read"), domain.NoRoute()),
	domain.Accepts[ExportAuditBundle]("ExportAuditBundle", domain.Summary("Record what an auditor is about to take along"), domain.NoRoute()),

	domain.Records[AuditAccessGranted]("AuditAccessGranted"),
	domain.Records[AuditAccessEnded]("AuditAccessEnded"),
	domain.Records[AuditAccessExpired]("AuditAccessExpired"),
	domain.Records[AuditHistoryRead]("AuditHistoryRead"),
	domain.Records[AuditBundleExported]("AuditBundleExported"),
)

// Access is an auditor's access to the history.
type Access struct {
	Session Session `json:"session,omitzero"` // the latest
	Reads   int     `json:"reads"`            // recorded ones, of all sessions
	Exports int     `json:"exports"`
	Recent  []Read  `json:"recent,omitempty"` // the session's of the last minute, at most [maxRecent]
}

// Session is a time in which an auditor may read.
type Session struct {
	ID      string                  `json:"id"`
	Purpose domain.Personal[string] `json:"purpose,omitzero"` // the auditor's words
	Scope   Scope                   `json:"scope"`
	Since   time.Time               `json:"since"`
	Until   time.Time               `json:"until"`            // it covers nothing from then on
	EndedAt time.Time               `json:"endedAt,omitzero"` // closed or expired
}

// Read is a reading that was recorded.
type Read struct {
	Query Query     `json:"query"`
	At    time.Time `json:"at"`
}

// Exists reports whether the auditor ever opened a session.
func (a Access) Exists() bool { return a.Session.ID != "" }

// Open reports whether the session is open at a time.
func (s Session) Open(at time.Time) bool {
	return s.ID != "" && s.EndedAt.IsZero() && !at.Before(s.Since) && at.Before(s.Until)
}

// Covers returns why a session does not cover an account at a time, or nil if
// it does. Without a stream, everything of the organization is asked for.
func (s Session) Covers(category, stream string, at time.Time) *domain.Error {
	switch {
	case !s.Open(at):
		return ErrNoSession
	case !s.Scope.Covers(category, stream):
		return ErrOutOfScope
	}
	return nil
}

// end is shared by the ways in which a session ends.
func (a *Access) end(session string, at time.Time) {
	if a.Session.ID == session {
		a.Session.EndedAt, a.Recent = at, nil
	}
}

// Kinds is the fact of which kinds of accounts an auditor may read at all.
// There is one, with an empty key.
type Kinds struct{ Known []string }

// Rejections.
var (
	ErrNeverOpened = domain.NotFound("audit-session-not-found", "this person never opened an audit session").ByRule("N20")
	ErrNoSession   = domain.Forbidden("audit-session-required", "history is read in an audit session: open one that says what for, how much, and how long").
			ByRule("N20").Allowed("OpenAuditSession", domain.Auditor)
	ErrOutOfScope = domain.Forbidden("audit-out-of-scope", "the open audit session does not cover this").
			ByRule("N20").Allowed("CloseAuditSession", domain.Auditor)
	ErrOpen = domain.Conflict("audit-session-open", "an audit session is open: close it before you open another").
		ByRule("N20").Allowed("CloseAuditSession", domain.Auditor)
	ErrPurpose = domain.Invalid("audit-purpose-required", "say what the history is read for, in 1 to 500 characters without control characters and invisible ones").
			ByRule("N20").At("/purpose")
	ErrLength  = domain.Invalid("audit-session-too-long", "a session lasts at least a minute and no longer than the policy allows").ByRule("N20").At("/minutes")
	ErrScope   = domain.Invalid("audit-scope-invalid", "a scope is the whole organization, or at most 100 kinds and 100 accounts, each named once").ByRule("N20").At("/scope")
	ErrKind    = domain.Invalid("audit-kind-unknown", "there is no such kind of account").ByRule("N20").At("/scope/kinds")
	ErrAccount = domain.Invalid("audit-account-malformed", "an account is named by its stream, such as card-0193…").ByRule("N20").At("/scope/accounts")
	ErrQuery   = domain.Invalid("audit-query-malformed", "a reading is recorded as IDs, positions and times, and nothing else").ByRule("N20").At("/query")
	ErrBundle  = domain.Invalid("audit-bundle-malformed", "a bundle is recorded with its checkpoint, its counts and its SHA-256 in hexadecimal").ByRule("N20")
)
