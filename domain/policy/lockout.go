package policy

import (
	"time"

	"konto/domain"
	"konto/domain/exposure"
	"konto/domain/policyversion"
	"konto/domain/recovery"
	"konto/domain/securityinfo"
	"konto/domain/tenant"
)

// trialWarning is how long before the first days of a trial end the global
// admins are told what it takes from then on.
const trialWarning = 7 * 24 * time.Hour

// afterPublishing is how long after a version was published its organizations
// are looked up: what was decided just before is in the registers by then.
const afterPublishing = time.Minute

// lockoutReactions keep the registers of organizations that stricter terms of
// recovery could lock out, and tell those that are about to be.
func lockoutReactions() []domain.Reaction {
	return []domain.Reaction{
		domain.Process("review-exposure",
			domain.On(tenantOf[tenant.GlobalAdminSeated], func(o *officers, e domain.Recorded[tenant.GlobalAdminSeated]) []domain.Effect {
				put(&o.Seated, e.Data.AdminID, true)
				return review(e.Tenant)
			}),
			domain.On(tenantOf[tenant.GlobalAdminUnseated], func(o *officers, e domain.Recorded[tenant.GlobalAdminUnseated]) []domain.Effect {
				delete(o.Seated, e.Data.AdminID)
				return review(e.Tenant)
			}),
			domain.On(tenantOf[tenant.DomainVerified], func(_ *officers, e domain.Recorded[tenant.DomainVerified]) []domain.Effect {
				return review(e.Tenant)
			}),
			domain.On(tenantOf[securityinfo.ContactVerified], reviewOf[securityinfo.ContactVerified]),
			domain.On(tenantOf[securityinfo.ContactChangeUndone], reviewOf[securityinfo.ContactChangeUndone]),
			domain.On(tenantOf[securityinfo.PhoneMethodRemoved], reviewOf[securityinfo.PhoneMethodRemoved]),
			domain.On(tenantOf[securityinfo.AlternateEmailRemoved], reviewOf[securityinfo.AlternateEmailRemoved]),
			domain.On(tenantOf[securityinfo.AlternateEmailInvalidated], reviewOf[securityinfo.AlternateEmailInvalidated]),
		),
		domain.Whenever("warn-before-trial-ends", warnBeforeTrialEnds),
		domain.Whenever("warn-of-lockouts", func(e domain.Recorded[exposure.LockoutsForeseen]) []domain.Effect {
			var effects []domain.Effect
			for _, l := range e.Data.Lockouts {
				effects = append(effects, warn(l.Tenant, l.At, 0))
			}
			return effects
		}),
		domain.Process("look-ahead-of-recovery-policy",
			domain.On(forgetful[policyversion.PolicyVersionPublished], func(_ *nothing, e domain.Recorded[policyversion.PolicyVersionPublished]) []domain.Effect {
				return lookAhead(e.Data.Name, e.Data.Version, e.Data.EffectiveAt.Sub(e.Data.PublishedAt))
			}),
			domain.On(forgetful[policyversion.PolicyVersionPostponed], func(_ *nothing, e domain.Recorded[policyversion.PolicyVersionPostponed]) []domain.Effect {
				return lookAhead(e.Data.Name, e.Data.Version, e.Data.EffectiveAt.Sub(e.Data.PostponedAt))
			}),
		),
		domain.Process("tell-of-lockout", following(func(r *roster) staffed { return r },
			domain.On(tenantOf[tenant.LockoutForeseen], func(r *roster, e domain.Recorded[tenant.LockoutForeseen]) []domain.Effect {
				return tell(r.with(domain.GlobalAdmin), lockoutForeseen, func(string) any {
					return struct {
						DueAt time.Time `json:"dueAt"`
					}{e.Data.From}
				})
			}))...),
	}
}

// officers is what review-exposure remembers of a tenant: who may be its global
// admins. Nobody else's contacts make a difference.
type officers struct {
	Seated map[string]bool `json:"seated,omitempty"`
}

func reviewOf[E any](o *officers, e domain.Recorded[E]) []domain.Effect {
	if !o.Seated[e.ID] {
		return nil
	}
	return review(e.Tenant)
}

func review(org string) []domain.Effect {
	return []domain.Effect{domain.Dispatch{
		To: recovery.ShardOf(org), Command: exposure.ReviewOrganization{TenantID: org}, Tenant: policyversion.Tenant,
	}}
}

// warnBeforeTrialEnds looks at an exposed organization on a trial a week before
// it needs two proofs: by then it may be covered.
func warnBeforeTrialEnds(e domain.Recorded[exposure.OrganizationExposed]) []domain.Effect {
	if e.Data.TwoProofsFrom.IsZero() {
		return nil
	}
	return []domain.Effect{warn(e.Data.TenantID, e.Data.TwoProofsFrom, e.Data.TwoProofsFrom.Sub(e.At)-trialWarning)}
}

func warn(org string, from time.Time, after time.Duration) domain.Effect {
	return domain.Dispatch{To: org, Command: tenant.WarnOfLockout{From: from}, After: max(after, 0), Tenant: org}
}

// lookAhead finds whom a version of the recovery policy would lock out, to tell
// them, and has it looked at again before it comes into force. A version for
// now is looked at, too: somebody may have become exposed while it was
// published.
func lookAhead(name string, version int, ahead time.Duration) []domain.Effect {
	if name != recovery.Policy.Name {
		return nil
	}
	var effects []domain.Effect
	for _, shard := range recovery.Shards() {
		effects = append(effects, domain.Dispatch{To: shard, Command: exposure.ForeseeLockouts{Version: version}, After: afterPublishing})
	}
	if ahead > 0 {
		effects = append(effects, domain.Dispatch{
			To: name, Command: policyversion.RecheckPolicyVersion{Version: version}, After: ahead - min(policyversion.RecheckLead, ahead/2),
		})
	}
	return effects
}
