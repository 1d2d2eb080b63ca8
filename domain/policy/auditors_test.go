package policy_test

import (
	"testing"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/audit"
)

func TestAuditSessionsEnd(t *testing.T) {
	closing := []domain.Effect{domain.Dispatch{To: "eva", Command: audit.CloseAuditSession{}}}
	const expire, role, blocked = "expire-audit-session", "close-session-of-former-auditor", "close-session-of-blocked-auditor"
	run(t, []reactionCase{
		{
			name: "N20: a session ends by itself", reaction: expire,
			when: event("eva", audit.AuditAccessGranted{Session: "s", At: noon, Until: noon.Add(time.Hour)}),
			then: []domain.Effect{domain.Dispatch{To: "eva", Command: audit.ExpireAuditSession{Session: "s"}, After: time.Hour + time.Second}},
		},
		{name: "N20: who is no auditor any more has no session", reaction: role, when: event("eva", admin.RoleRemoved{Role: domain.Auditor}), then: closing},
		{name: "N20: another role is taken", reaction: role, when: event("eva", admin.RoleRemoved{Role: domain.BillingAdmin})},
		{name: "N20: a blocked auditor has no session", reaction: blocked, when: event("eva", admin.EmployeeBlocked{Roles: []domain.Role{domain.Auditor}}), then: closing},
		{name: "N20: somebody else is blocked", reaction: blocked, when: event("eva", admin.EmployeeBlocked{Roles: []domain.Role{domain.GlobalAdmin}})},
	})
}
