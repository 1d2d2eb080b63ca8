package policy

import (
	"slices"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/audit"
)

// auditReactions end audit sessions: when their time is over, and when the
// auditor is one no more.
func auditReactions() []domain.Reaction {
	return []domain.Reaction{
		domain.Whenever("expire-audit-session", func(e domain.Recorded[audit.AuditAccessGranted]) []domain.Effect {
			return []domain.Effect{domain.Dispatch{
				To: e.ID, Command: audit.ExpireAuditSession{Session: e.Data.Session}, After: e.Data.Until.Sub(e.Data.At) + late,
			}}
		}),
		domain.Whenever("close-session-of-former-auditor", func(e domain.Recorded[admin.RoleRemoved]) []domain.Effect {
			return closeSession(e.ID, e.Data.Role == au)
		}),
		domain.Whenever("close-session-of-blocked-auditor", func(e domain.Recorded[admin.EmployeeBlocked]) []domain.Effect {
			return closeSession(e.ID, slices.Contains(e.Data.Roles, au))
		}),
	}
}

func closeSession(person string, auditor bool) []domain.Effect {
	if !auditor {
		return nil
	}
	return []domain.Effect{domain.Dispatch{To: person, Command: audit.CloseAuditSession{}}}
}
