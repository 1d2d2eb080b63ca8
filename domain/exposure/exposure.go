// Package exposure models the register of the organizations that a stricter
// recovery policy could lock out (I8): those that have a global admin who has
// verified one kind of contact, and none who has verified both. Whoever
// publishes a version of the policy is told from it how many would be left
// without anybody who could recover their account.
//
// An organization is written down when it becomes exposed and crossed out when
// it is covered, which few events of its life change; so the register stays
// small and cool however many organizations there are and whatever they do. It
// is split into [recovery.Shards], by the tenant's ID, so that no stream holds
// all of them. It names organizations and nobody in them.
//
// # What is guaranteed
//
// An entry is what the accounts themselves said at the moment of its event: a
// reaction says which organization to look at, and the decision reads the
// streams. Looking twice, late or in another order does no harm.
//
// # What is not
//
// The register follows the accounts by as long as reactions take: seconds, as
// a rule. So a version may be published that locks an organization out which
// was exposed in those seconds. A version for later is looked at again an hour
// before it comes into force, and put off; package policyversion says how. For
// one that is in force at once that is too late: the organization's global
// admins are told what to do, and can still sign in and do it.
//
// The register belongs to no organization. Staff may read it, to ask those
// organizations to add a proof.
package exposure

import (
	"time"

	"konto/domain"
	"konto/domain/recovery"
)

// Event is a fact about a register.
type Event = domain.Event[Register]

// Meta is what a decision may know besides the register and the command.
type Meta = domain.Meta

// Aggregate is the register's contract, whose IDs are [recovery.Shards]. Wire
// names are for ever.
var Aggregate = domain.NewAggregate(
	"exposure", "exposures",
	domain.Accepts[ReviewOrganization]("ReviewOrganization", domain.Summary("Look whether an organization has one proof between it and being locked out"), domain.Internal()),
	domain.Accepts[ForeseeLockouts]("ForeseeLockouts", domain.Summary("Find the organizations that a version of the recovery policy would lock out"), domain.Internal()),

	domain.Records[OrganizationExposed]("OrganizationExposed"),
	domain.Records[OrganizationCovered]("OrganizationCovered"),
	domain.Records[LockoutsForeseen]("LockoutsForeseen"),
)

// Register is the organizations of one shard that are exposed.
type Register struct {
	Tenants map[string]Entry `json:"tenants,omitempty"`
}

// Entry is what an exposed organization's gate depends on.
type Entry struct {
	CustomDomain bool      `json:"customDomain,omitempty"` // it has a domain besides the initial one
	TrialSince   time.Time `json:"trialSince,omitzero"`    // zero if it is on no trial
}

// Standing is e as the recovery policy asks for it.
func (e Entry) Standing() recovery.Standing {
	s := recovery.Standing{Domains: 1, TrialSince: e.TrialSince}
	if e.CustomDomain {
		s.Domains = 2
	}
	return s
}

// ExposuresOf is the view of a register that [recovery.Exposures] is. It shares
// nothing with the state.
func ExposuresOf(_ string, r Register) recovery.Exposures {
	of := make(map[string]recovery.Standing, len(r.Tenants))
	for tenant, e := range r.Tenants {
		of[tenant] = e.Standing()
	}
	return recovery.Exposures{Of: of}
}

// Organization is the fact of an organization. Its key is the tenant's ID.
type Organization struct {
	Exists       bool
	CustomDomain bool
	TrialSince   time.Time // zero if it is on no trial
	GlobalAdmins []string  // who may be global admins: their accounts say whether they are
}

// GlobalAdmin is the fact of whether an account is a global admin's who can
// sign in, and whose. Its key is the account's ID.
type GlobalAdmin struct {
	Tenant string
	Is     bool
}

// Rejections.
var (
	ErrShard   = domain.Invalid("shard-of-another", "the organization is in another register").ByRule("I8").At("/tenantId")
	ErrUnknown = domain.NotFound("exposure-not-found", "there is no such register")
)
