package projections

import (
	"context"
	_ "embed"
	"encoding/json"
	"time"

	"konto/domain"
	"konto/domain/audit"
)

//go:embed audit_access.sql
var auditAccessSQL string

// AuditAccess is who may read the history as an auditor, and who read what.
var AuditAccess = Projection{
	Name: "audit_access", Version: 1,
	Tables:   []string{"audit_sessions", "audit_reads"},
	Schema:   auditAccessSQL,
	Handlers: []Handler{On(auditGranted), On(auditEnded), On(auditExpired), On(auditRead), On(auditExported)},
}

func auditGranted(ctx context.Context, tx Tx, e domain.Recorded[audit.AuditAccessGranted]) error {
	d := e.Data
	scope, err := json.Marshal(d.Scope)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO audit_sessions
		(tenant, session, auditor, purpose, scope, since, until, ended_at, ended_by, readings, exports, position, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '', 0, 0, $8, $9) ON CONFLICT (tenant, session) DO NOTHING`,
		e.Tenant, d.Session, d.Auditor, seal(d.Purpose), string(scope), at(d.At), at(d.Until), e.Position, e.Revision)
	return err
}

func auditEnded(ctx context.Context, tx Tx, e domain.Recorded[audit.AuditAccessEnded]) error {
	return endAudit(ctx, tx, e.Tenant, e.Data.Session, e.Data.EndedBy, e.Data.At, e.Revision)
}

func auditExpired(ctx context.Context, tx Tx, e domain.Recorded[audit.AuditAccessExpired]) error {
	return endAudit(ctx, tx, e.Tenant, e.Data.Session, "", e.Data.At, e.Revision)
}

func endAudit(ctx context.Context, tx Tx, tenant, session, by string, when time.Time, revision int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE audit_sessions SET ended_at = $3, ended_by = $4, revision = $5
		WHERE tenant = $1 AND session = $2 AND revision < $5`, tenant, session, at(when), by, revision)
	return err
}

func auditRead(ctx context.Context, tx Tx, e domain.Recorded[audit.AuditHistoryRead]) error {
	d := e.Data
	if _, err := tx.ExecContext(ctx, `UPDATE audit_sessions SET readings = readings + 1, revision = $3
		WHERE tenant = $1 AND session = $2 AND revision < $3`, e.Tenant, d.Session, e.Revision); err != nil {
		return err
	}
	return addRead(ctx, tx, e.Tenant, AuditRead{
		Session: d.Session, Auditor: d.Auditor, Kind: string(d.Query.Kind), Account: d.Query.Account, From: d.Query.From,
		To: d.Query.To, Type: d.Query.Type, Checkpoint: d.Checkpoint, At: d.At, Position: e.Position,
	})
}

func auditExported(ctx context.Context, tx Tx, e domain.Recorded[audit.AuditBundleExported]) error {
	d := e.Data
	if _, err := tx.ExecContext(ctx, `UPDATE audit_sessions SET exports = exports + 1, revision = $3
		WHERE tenant = $1 AND session = $2 AND revision < $3`, e.Tenant, d.Session, e.Revision); err != nil {
		return err
	}
	return addRead(ctx, tx, e.Tenant, AuditRead{
		Session: d.Session, Auditor: d.Auditor, Kind: "export", Checkpoint: d.Checkpoint, Events: d.Events, Digest: d.Digest,
		At: d.At, Position: e.Position,
	})
}

func addRead(ctx context.Context, tx Tx, tenant string, r AuditRead) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO audit_reads
		(tenant, position, session, auditor, kind, account, bound_from, bound_to, event_type, checkpoint, events, digest, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (tenant, position) DO NOTHING`,
		tenant, r.Position, r.Session, r.Auditor, r.Kind, r.Account, r.From, r.To, r.Type, r.Checkpoint, r.Events, r.Digest, at(r.At))
	return err
}

// AuditSession is a session of an auditor.
type AuditSession struct {
	Session string                  `json:"session"`
	Auditor string                  `json:"auditor"` // an admin's ID
	Purpose domain.Personal[string] `json:"purpose,omitzero"`
	Scope   audit.Scope             `json:"scope"`
	Since   time.Time               `json:"since"`
	Until   time.Time               `json:"until"` // when it ends by itself
	Open    bool                    `json:"open"`
	EndedAt time.Time               `json:"endedAt,omitzero"`
	EndedBy string                  `json:"endedBy,omitzero"` // who closed it; absent if it ended by itself
	Reads   int64                   `json:"reads"`            // that were recorded
	Exports int64                   `json:"exports"`          // bundles that were taken along
	// Position is of the session's beginning in $all.
	Position uint64 `json:"position"`
}

// AuditSessions returns the tenant's audit sessions, of one auditor or, with an
// empty ID, of all, newest first, and the cursor of the next page or "". A
// cursor that is not one is an [ErrCursor].
func AuditSessions(ctx context.Context, db DB, tenant, auditor string, now time.Time, cursor string, limit int) ([]AuditSession, string, error) {
	position, err := before(cursor)
	if err != nil {
		return nil, "", err
	}
	scan := func(row scanner) (AuditSession, error) { return scanSession(row, now) }
	return list(ctx, db, limit, scan, func(s AuditSession) []string { return positionKey(s.Position) },
		`SELECT session, auditor, purpose, scope, since, until, ended_at, ended_by, readings, exports, position FROM audit_sessions
		WHERE tenant = $1 AND ($2 = '' OR auditor = $2) AND position < $3 ORDER BY position DESC LIMIT $4`, tenant, auditor, position)
}

func scanSession(row scanner, now time.Time) (s AuditSession, err error) {
	var scope string
	err = row.Scan(&s.Session, &s.Auditor, sealed[string]{&s.Purpose}, &scope, instant{&s.Since}, instant{&s.Until},
		instant{&s.EndedAt}, &s.EndedBy, &s.Reads, &s.Exports, &s.Position)
	if err != nil {
		return s, err
	}
	s.Open = s.EndedAt.IsZero() && now.Before(s.Until)
	return s, json.Unmarshal([]byte(scope), &s.Scope)
}

// AuditRead is a recorded reading, or a bundle that was taken along.
type AuditRead struct {
	Session    string    `json:"session"`
	Auditor    string    `json:"auditor"`
	Kind       string    `json:"kind"`             // an [audit.QueryKind], or "export"
	Account    string    `json:"account,omitzero"` // the stream; absent for all that the session covers
	From       string    `json:"from,omitzero"`    // a revision, a position or a time
	To         string    `json:"to,omitzero"`
	Type       string    `json:"type,omitzero"`   // the only type of events
	Checkpoint string    `json:"checkpoint"`      // the position that the log had reached
	Events     int64     `json:"events,omitzero"` // of an export
	Digest     string    `json:"digest,omitzero"` // of an export: SHA-256 in hexadecimal
	At         time.Time `json:"at"`
	Position   uint64    `json:"position"` // of the record in $all
}

// AuditReadFilter narrows [AuditReads]; empty fields do not.
type AuditReadFilter struct{ Session, Auditor, Account string }

// AuditReads returns what the tenant's auditors read and took along, newest
// first, and the cursor of the next page or "". A cursor that is not one is an
// [ErrCursor].
func AuditReads(ctx context.Context, db DB, tenant string, f AuditReadFilter, cursor string, limit int) ([]AuditRead, string, error) {
	position, err := before(cursor)
	if err != nil {
		return nil, "", err
	}
	return list(ctx, db, limit, scanAuditRead, func(r AuditRead) []string { return positionKey(r.Position) },
		`SELECT session, auditor, kind, account, bound_from, bound_to, event_type, checkpoint, events, digest, at, position FROM audit_reads
		WHERE tenant = $1 AND ($2 = '' OR session = $2) AND ($3 = '' OR auditor = $3) AND ($4 = '' OR account = $4) AND position < $5
		ORDER BY position DESC LIMIT $6`, tenant, f.Session, f.Auditor, f.Account, position)
}

func scanAuditRead(row scanner) (r AuditRead, err error) {
	err = row.Scan(&r.Session, &r.Auditor, &r.Kind, &r.Account, &r.From, &r.To, &r.Type, &r.Checkpoint, &r.Events, &r.Digest,
		instant{&r.At}, &r.Position)
	return r, err
}
