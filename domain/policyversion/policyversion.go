// Package policyversion models the published versions of a policy: a set of
// rules that are data because they change over the years. The aggregate's ID
// is the policy's name.
//
// Version 1 is what the program declares ([domain.Policy]) and is in force
// from the beginning; here are versions 2 and later. A version never changes
// and never goes: whoever replays a decision of some day finds the rules of
// that day. What a policy's rules look like is known where policies are
// listed, so the rules come as JSON and a fact ([Verdict]) says whether the
// policy can take them.
//
// Policies are the same for all tenants, so they belong to none ([Tenant]).
//
// # Lock-out
//
// One policy says how many proofs it takes to recover an account. A version of
// it that would take the last global admin who could recover their account
// from an organization is not published at once (I8), and saying that it is
// meant does not help: the refusal says how many organizations it is about and
// the first day that is possible. Published for that day or later, it gives
// them the time in which their global admins, who are told, can add a proof. It
// is looked at again an hour before it comes into force, and put off by a week,
// as often as it takes, while it would still lock one out. Whoever does not
// want to wait publishes the next version: one that spares those that are left.
//
// Guaranteed is that no version comes into force that would lock out an
// organization which the registers (package exposure) knew of then. They know
// what the accounts said some seconds ago. Whoever ceases to be a global admin
// after a version was published leaves somebody behind who passes it, so of a
// version for later nothing is missed, unless reactions stand still for longer
// than [RecheckLead]. Not guaranteed is that a version for now spares an
// organization that became exposed in those seconds, nor one that verified its
// first contact after the last look: its global admins are told.
package policyversion

import (
	"encoding/json"
	"time"

	"konto/domain"
)

// Event is a fact about a policy.
type Event = domain.Event[Policy]

// Meta is what a decision may know besides the policy and the command.
type Meta = domain.Meta

// Tenant stands for no tenant in the metadata of a policy's events: the nil
// UUID (RFC 9562 section 5.9).
const Tenant = "00000000-0000-0000-0000-000000000000"

// Aggregate is the policy's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"policy", "policies",
	domain.Accepts[PublishPolicyVersion]("PublishPolicyVersion", domain.Summary("Publish the next version of a policy's rules")),
	domain.Accepts[RecheckPolicyVersion]("RecheckPolicyVersion", domain.Summary("Look whether a version that is to come would lock an organization out, and put it off"), domain.Internal()),

	domain.Records[PolicyVersionPublished]("PolicyVersionPublished"),
	domain.Records[PolicyVersionPostponed]("PolicyVersionPostponed"),
)

// Policy is what was published of a policy. The zero value is one of which
// version 1 alone exists.
type Policy struct {
	Versions []Version `json:"versions"` // 2 and later, in the order of their numbers
}

// Version is a published version of a policy's rules.
type Version struct {
	Number      int       `json:"number"` // from 2
	EffectiveAt time.Time `json:"effectiveAt"`
	// AnnouncedFor is when it was to come into force before it was put off;
	// zero if it was not.
	AnnouncedFor time.Time `json:"announcedFor,omitzero"`
	// LocksOut is how many organizations it would lock out, as of the last look.
	LocksOut    int             `json:"locksOut,omitzero"`
	Rules       json.RawMessage `json:"rules"`
	Note        string          `json:"note"`
	PublishedBy string          `json:"publishedBy"` // ID of the operator
	PublishedAt time.Time       `json:"publishedAt"`
}

// Next is the number of the version that can be published next.
func (p Policy) Next() int { return len(p.Versions) + 2 }

// Verdict is what the list of policies says of rules that somebody wants to
// publish. Its key is [VerdictKey].
type Verdict struct {
	Known   bool   // there is such a policy
	Problem string // why it cannot take the rules; empty if it can
	// Rules are the rules as they are stored: complete, and in one way of
	// writing.
	Rules json.RawMessage
}

// VerdictKey names the [Verdict] on rules for the policy name.
func VerdictKey(name string, rules json.RawMessage) string { return name + "\x00" + string(rules) }

// Rejections.
var (
	ErrUnknown    = domain.NotFound("policy-not-found", "there is no such policy")
	ErrRules      = domain.Invalid("policy-rules-invalid", "the policy cannot take these rules").ByRule("N11").At("/rules")
	ErrOutOfOrder = domain.Conflict("policy-version-out-of-order", "versions are published in the order of their numbers, none twice").ByRule("N11").At("/number")
	ErrPast       = domain.Invalid("policy-effective-in-the-past", "the version would change what past decisions should have been; say backdate if that is meant").ByRule("N11").At("/effectiveAt")
	// ErrLocksOut also holds for whoever says that it is meant.
	ErrLocksOut = domain.Conflict("policy-would-lock-out", "would be left without a global admin who could recover their account: publish the version for a later day, so that they are told and can verify a second contact until then, or spare them in the rules").ByRule("I8").At("/effectiveAt").Allowed("PublishPolicyVersion", domain.Operator)
	ErrNote     = domain.Invalid("policy-note-invalid", "the note says in 1 to 500 characters why the rules change").ByRule("N11").At("/note")
)
