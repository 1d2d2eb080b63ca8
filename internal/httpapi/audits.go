package httpapi

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"konto/domain/audit"
	"konto/projections"
)

// audits registers what an organization sees of its auditors' reading.
func (s *server) audits(api huma.API) {
	get(s, api, "/v1/audit-sessions", "Who may or might read the history as an auditor: what for, how much, how long", "audit-access", s.auditSessions, "audit_access")
	get(s, api, "/v1/audit-reads", "What auditors read and took along, newest first", "audit-access", s.auditReads, "audit_access")
}

type auditSessionsQuery struct {
	ListQuery
	Auditor string `query:"auditor" doc:"only sessions of this person"`
}

func (s *server) auditSessions(ctx context.Context, q *auditSessionsQuery) (answer[Page[projections.AuditSession]], error) {
	return many(s, ctx, audit.Aggregate.Category(), &q.ListQuery, func(tenant string) ([]projections.AuditSession, string, error) {
		return projections.AuditSessions(ctx, s.Read, tenant, q.Auditor, s.Now(), q.Cursor, q.Limit)
	})
}

type auditReadsQuery struct {
	ListQuery
	Session string `query:"session" doc:"only what was read in this session"`
	Auditor string `query:"auditor" doc:"only what this person read"`
	Account string `query:"account" doc:"only what was read of this account, by its stream"`
}

func (s *server) auditReads(ctx context.Context, q *auditReadsQuery) (answer[Page[projections.AuditRead]], error) {
	return many(s, ctx, audit.Aggregate.Category(), &q.ListQuery, func(tenant string) ([]projections.AuditRead, string, error) {
		f := projections.AuditReadFilter{Session: q.Session, Auditor: q.Auditor, Account: q.Account}
		return projections.AuditReads(ctx, s.Read, tenant, f, q.Cursor, q.Limit)
	})
}
