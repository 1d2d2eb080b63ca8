package httpapi

import (
	"encoding/json"
	"fmt"

	"konto/domain/securityinfo"
	"konto/internal/command"
	"konto/internal/identity"
)

// assertRecovery returns the assertion that goes with a completed reset, or
// "". It is made of what was recorded, once: a repeated command finds the
// recorded event and no assertion, and a dry run has completed nothing.
func (s *server) assertRecovery(req command.Request, res command.Result) (string, error) {
	const completed = "PasswordResetCompleted"
	if s.Recovery == nil || req.DryRun || res.Replayed || req.Category != securityinfo.Aggregate.Category() {
		return "", nil
	}
	for _, e := range res.Events {
		if e.Type != completed {
			continue
		}
		var done securityinfo.PasswordResetCompleted
		if err := json.Unmarshal(e.Data, &done); err != nil {
			return "", fmt.Errorf("%s: %w", completed, err)
		}
		r := identity.Recovery{
			Person: req.Target, Tenant: req.Actor.Tenant, Reset: done.Reset, Gate: string(done.Gate),
			At: done.At, ExpiresAt: done.AssertionExpiresAt,
		}
		for _, slot := range done.Methods {
			r.Methods = append(r.Methods, string(slot))
		}
		return s.Recovery.Sign(r)
	}
	return "", nil
}
