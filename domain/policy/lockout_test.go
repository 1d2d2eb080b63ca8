package policy_test

import (
	"testing"
	"time"

	"konto/domain"
	"konto/domain/admin"
	"konto/domain/exposure"
	"konto/domain/policyversion"
	"konto/domain/recovery"
	"konto/domain/securityinfo"
	"konto/domain/tenant"
)

func TestExposureIsReviewed(t *testing.T) {
	const name = "review-exposure"
	look := []domain.Effect{domain.Dispatch{
		To: recovery.ShardOf(own), Command: exposure.ReviewOrganization{TenantID: own}, Tenant: policyversion.Tenant,
	}}
	seated := []domain.Recorded[any]{event(own, tenant.GlobalAdminSeated{AdminID: "ann"})}
	left := append(seated[:1:1], event(own, tenant.GlobalAdminUnseated{AdminID: "ann"}))
	const phone, address = securityinfo.SlotMobile, securityinfo.SlotAlternateEmail
	added := event("ann", verified(phone, about("+46701"), domain.Personal[string]{}))
	run(t, []reactionCase{
		{name: "I8: a global admin is seated", reaction: name, when: seated[0], then: look},
		{name: "I8: a global admin leaves the seat", reaction: name, given: seated, when: left[1], then: look},
		{name: "I8: a domain is verified", reaction: name, when: event(own, tenant.DomainVerified{Domain: "contoso.se"}), then: look},
		{name: "I8: a global admin's contact is verified", reaction: name, given: seated, when: added, then: look},
		{name: "I8: a global admin's contact comes back", reaction: name, given: seated, when: event("ann", securityinfo.ContactChangeUndone{Slot: phone, At: noon}), then: look},
		{name: "I8: a global admin's phone is removed", reaction: name, given: seated, when: event("ann", securityinfo.PhoneMethodRemoved{Slot: phone, At: noon}), then: look},
		{name: "I8: a global admin's address is removed", reaction: name, given: seated, when: event("ann", securityinfo.AlternateEmailRemoved{At: noon}), then: look},
		{name: "I8: a global admin's address is no longer valid", reaction: name, given: seated, when: event("ann", securityinfo.AlternateEmailInvalidated{At: noon}), then: look},
		{name: "I8: somebody else's contacts make no difference", reaction: name, given: seated, when: event("bo", verified(address, about("b@home.example"), domain.Personal[string]{}))},
		{name: "I8: contacts of who has left the seat make none either", reaction: name, given: left, when: added},
	})
}

func TestWhoWouldBeLockedOutIsTold(t *testing.T) {
	ends := noon.AddDate(0, 0, 30)
	warned := func(id string, from time.Time, after time.Duration) domain.Effect {
		return domain.Dispatch{To: id, Command: tenant.WarnOfLockout{From: from}, After: after, Tenant: id}
	}
	staff := []domain.Recorded[any]{
		event("ann", admin.EmployeeAdded{Roles: []domain.Role{domain.GlobalAdmin}}),
		event("bea", admin.EmployeeAdded{Roles: []domain.Role{domain.BillingAdmin}}),
		event("gus", admin.RoleAssigned{Role: domain.GlobalAdmin}),
		event("zoe", admin.EmployeeAdded{Roles: []domain.Role{domain.GlobalAdmin}}),
		event("zoe", admin.EmployeeBlocked{Roles: []domain.Role{domain.GlobalAdmin}}),
	}
	exposed := func(from time.Time) domain.Recorded[any] {
		return event("0", exposure.OrganizationExposed{TenantID: own, TwoProofsFrom: from})
	}
	run(t, []reactionCase{
		{name: "I8: a trial: looked at a week before its first days end", reaction: "warn-before-trial-ends", when: exposed(ends), then: []domain.Effect{warned(own, ends, 23*24*time.Hour)}},
		{name: "I8: a trial: its first days end within a week", reaction: "warn-before-trial-ends", when: exposed(noon.AddDate(0, 0, 3)), then: []domain.Effect{warned(own, noon.AddDate(0, 0, 3), 0)}},
		{name: "I8: no trial: no time does anything", reaction: "warn-before-trial-ends", when: exposed(time.Time{})},
		{
			name: "I8: a version: each organization is looked at", reaction: "warn-of-lockouts",
			when: event("0", exposure.LockoutsForeseen{Version: 2, Lockouts: []recovery.Lockout{{Tenant: own, At: ends}, {Tenant: other, At: noon}}}),
			then: []domain.Effect{warned(own, ends, 0), warned(other, noon, 0)},
		},
		{
			name: "I8: all global admins are told, and nobody else", reaction: "tell-of-lockout", given: staff,
			when: event(own, tenant.LockoutForeseen{From: ends}), then: mail("lockout_foreseen", object{"dueAt": ends}, "ann", "gus"),
		},
	})
}

func TestTheRecoveryPolicyIsLookedAhead(t *testing.T) {
	const name = "look-ahead-of-recovery-policy"
	look := func(again ...time.Duration) []domain.Effect {
		var effects []domain.Effect
		for _, shard := range recovery.Shards() {
			effects = append(effects, domain.Dispatch{To: shard, Command: exposure.ForeseeLockouts{Version: 2}, After: time.Minute})
		}
		for _, after := range again {
			effects = append(effects, domain.Dispatch{To: "account-recovery", Command: policyversion.RecheckPolicyVersion{Version: 2}, After: after})
		}
		return effects
	}
	published := func(policy string, ahead time.Duration) domain.Recorded[any] {
		return event(policy, policyversion.PolicyVersionPublished{Name: policy, Version: 2, EffectiveAt: noon.Add(ahead), PublishedAt: noon})
	}
	const week = 7 * 24 * time.Hour
	run(t, []reactionCase{
		{name: "I8: a version for later is looked at an hour before", reaction: name, when: published("account-recovery", 2*week), then: look(2*week - time.Hour)},
		{name: "I8: a version for soon is looked at half-way", reaction: name, when: published("account-recovery", time.Hour), then: look(30 * time.Minute)},
		{name: "I8: a version for now: those who slipped through are told", reaction: name, when: published("account-recovery", 0), then: look()},
		{name: "I8: a version that is dated back", reaction: name, when: published("account-recovery", -week), then: look()},
		{name: "I8: another policy", reaction: name, when: published("erasure", 2*week)},
		{
			name: "I8: a version that was put off is looked at and told of again", reaction: name,
			when: event("account-recovery", policyversion.PolicyVersionPostponed{Name: "account-recovery", Version: 2, EffectiveAt: noon.Add(week), PostponedAt: noon}),
			then: look(week - time.Hour),
		},
	})
}
