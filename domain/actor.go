package domain

import (
	"slices"
	"time"
)

// Actor is who asks, as the caller's credential says.
type Actor struct {
	ID     string    `json:"id"`
	Kind   ActorKind `json:"kind"`
	Tenant string    `json:"tenant,omitempty"` // the tenant that the actor belongs to
	Roles  []Role    `json:"roles,omitempty"`
	// AuthenticatedAt is when the actor last proved who they are; zero if unknown.
	AuthenticatedAt time.Time `json:"authenticatedAt,omitzero"`
	// Level is how surely they proved it then.
	Level Level `json:"level,omitzero"`
}

// Level is how surely somebody proved who they are: the authentication
// assurance levels of NIST SP 800-63B-4 §2, 1 to 3. 1 is one proof, such as a
// password; 2 is two of different kinds; 3 is two, one of which is a device
// that gives no key away. 0 is unknown.
type Level int

// MaxLevel is the highest [Level].
const MaxLevel Level = 3

// Has reports whether a has one of roles.
func (a Actor) Has(roles ...Role) bool {
	return slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(a.Roles, r) })
}

// ActorKind is what kind of party an actor is.
type ActorKind string

// The kinds of actor.
const (
	KindPerson  ActorKind = "person"  // somebody who signed in
	KindGateway ActorKind = "gateway" // a payment gateway's signed call
	KindSystem  ActorKind = "system"  // Konto itself: a policy or a process
	// KindIdentity is the service of the tenant's identity provider. It speaks
	// for people who cannot sign in, and may do nothing else.
	KindIdentity ActorKind = "identity-provider"
)

// Role is a code for what an actor may do. Help pages translate role names;
// codes never change with the language.
type Role string

// The roles. A partner's people have the same roles in the partner's tenant;
// what they may do for a customer also asks for a relationship.
const (
	GlobalAdmin         Role = "global-admin"
	BillingAdmin        Role = "billing-admin"
	AuthAdmin           Role = "auth-admin"            // edits security info of people who are no admins
	PrivilegedAuthAdmin Role = "privileged-auth-admin" // edits security info of admins, too
	ProfileOwner        Role = "profile-owner"         // of the tenant's billing profile
	ProfileContributor  Role = "profile-contributor"
	InvoiceManager      Role = "invoice-manager" // pays, changes nothing
	ProfileReader       Role = "profile-reader"  // sees what is paid for and how, changes nothing
	SalesAgent          Role = "sales-agent"
	AdminAgent          Role = "admin-agent"
	HelpdeskAgent       Role = "helpdesk-agent"
	BillingSupport      Role = "billing-support"
	Auditor             Role = "auditor"
	Operator            Role = "operator"
)

// Who could do something is not always a role: a refusal may also name whoever
// stands to the account so. Nobody has these as a role.
const (
	WhoSelf    Role = "self"             // the person whose account it is
	WhoOwner   Role = "owner"            // whoever added the card
	WhoPartner Role = "managing-partner" // the partner that the organization was bought from
)

// Roles are all roles.
func Roles() []Role {
	return []Role{
		GlobalAdmin, BillingAdmin, AuthAdmin, PrivilegedAuthAdmin, ProfileOwner, ProfileContributor, InvoiceManager, ProfileReader,
		SalesAgent, AdminAgent, HelpdeskAgent, BillingSupport, Auditor, Operator,
	}
}
