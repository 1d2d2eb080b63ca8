// Package tenant models an organization that has an account with Konto: its
// name, the country, currency and language it works in, and the domains that
// it has proved to be its own.
//
// The country never changes (rule S8): services, tax, currency and where data
// is kept follow from it, so another country is another account. A domain
// belongs to one organization alone, which a reservation guards. Domains are
// kept as A-labels, the form in which mail addresses are compared with them.
//
// The tenant also keeps what is true of it as a whole: the cloud that it lives
// in (S15), the partner in whose console its people are kept (S11), and who may
// be its global admins. That list is written by a process, a moment after the
// accounts change; it says where to look, and the accounts say what is so.
//
// # Lock-out
//
// With a domain of its own, an organization's accounts with a role may need
// two proofs to be recovered where one was enough (S4), and an alternate
// address in that domain counts no more (S3). A domain whose verification
// would take the last global admin who could recover their account from the
// organization waits until somebody else could (I8). That is decided from the
// accounts at that moment, and no global admin leaves at the same one: see
// [VerifyDomain.Reserves]. Nothing depends on a domain being recorded at once,
// so there is no way around it, not for Konto's own staff either.
//
// That the first days of a trial are over takes two proofs, too, and time is
// not refused. So a domain may be verified during those days, and the global
// admins are told a week before they end ([WarnOfLockout]), as they are of a
// version of the recovery policy that is to come.
//
// Whoever has a role and could not recover their account is told what is
// missing, and so are the global admins ([ReviewRecovery]). How many proofs it
// takes depends on the organization, so it is found out and remembered here.
package tenant

import (
	"slices"
	"strings"
	"time"

	"konto/domain"
)

// Event is a fact about a tenant.
type Event = domain.Event[Tenant]

// Meta is what a decision may know besides the tenant and the command.
type Meta = domain.Meta

// Aggregate is the tenant's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"tenant", "tenants",
	domain.Accepts[RegisterTenant]("RegisterTenant", domain.Summary("Open the account of an organization")),
	domain.Accepts[VerifyDomain]("VerifyDomain", domain.Summary("Record that the organization has proved a domain to be its own")),
	domain.Accepts[SetCloudVariant]("SetCloudVariant", domain.Summary("Record the cloud that the organization lives in")),
	domain.Accepts[SetManagingPartner]("SetManagingPartner", domain.Summary("Record the partner in whose console the organization's people are kept, or that there is none")),
	domain.Accepts[SeatGlobalAdmin]("SeatGlobalAdmin", domain.Summary("Note that an account may be a global admin's"), domain.Internal()),
	domain.Accepts[UnseatGlobalAdmin]("UnseatGlobalAdmin", domain.Summary("Note that an account is no global admin's"), domain.Internal()),
	domain.Accepts[WarnOfLockout]("WarnOfLockout", domain.Summary("Look whether no global admin could recover their account any more from a time on"), domain.Internal()),
	domain.Accepts[ReviewRecovery]("ReviewRecovery", domain.Summary("Look whether somebody with a role could recover their account"), domain.Internal()),

	domain.Records[TenantRegistered]("TenantRegistered"),
	domain.Records[DomainVerified]("DomainVerified"),
	domain.Records[CloudVariantSet]("CloudVariantSet"),
	domain.Records[ManagingPartnerSet]("ManagingPartnerSet"),
	domain.Records[GlobalAdminSeated]("GlobalAdminSeated"),
	domain.Records[GlobalAdminUnseated]("GlobalAdminUnseated"),
	domain.Records[LockoutForeseen]("LockoutForeseen"),
	domain.Records[RecoveryGapFound]("RecoveryGapFound"),
	domain.Records[RecoveryGapClosed]("RecoveryGapClosed"),
)

// Tenant is an organization's account.
type Tenant struct {
	Name     string   `json:"name"`
	Country  string   `json:"country"`  // ISO 3166-1 alpha-2
	Currency string   `json:"currency"` // ISO 4217
	Locale   string   `json:"locale"`   // BCP 47
	Domains  []string `json:"domains"`  // A-labels, the initial one first
	// TrialSince is when the organization began a trial; zero if it is on none.
	TrialSince time.Time `json:"trialSince,omitzero"`
	// Variant is the cloud that the tenant lives in; empty: [Worldwide].
	Variant Variant `json:"variant,omitzero"`
	// ManagedBy is the partner, a tenant's ID, in whose console the people are
	// kept; empty: there is none.
	ManagedBy string `json:"managedBy,omitzero"`
	// GlobalAdmins are accounts that may be global admins', in the order in
	// which they became it.
	GlobalAdmins []string `json:"globalAdmins,omitempty"`
	// LockoutFrom is the time of which the global admins were last told that
	// none of them could recover their account from then on; zero for never.
	LockoutFrom time.Time `json:"lockoutFrom,omitzero"`
	// RecoveryGaps are the people with a role who could not recover their
	// account, by what they were told is missing.
	RecoveryGaps map[string][]string `json:"recoveryGaps,omitempty"`
}

// Exists reports whether the tenant was registered.
func (t Tenant) Exists() bool { return t.Country != "" }

// Has reports whether name, an A-label, is one of the tenant's domains.
func (t Tenant) Has(name string) bool { return slices.Contains(t.Domains, name) }

// Cloud is the variant that the tenant lives in.
func (t Tenant) Cloud() Variant {
	if t.Variant == "" {
		return Worldwide
	}
	return t.Variant
}

// Country is what the list of countries says of a code.
type Country struct {
	OK   bool
	Code string // upper case
}

// Currency is what the list of currencies says of a code.
type Currency struct {
	OK   bool
	Code string // upper case
}

// Locale is what the language registry says of a tag.
type Locale struct {
	OK  bool
	Tag string // canonical
}

// DomainName is what the rules of internationalized names say of a domain.
type DomainName struct {
	OK     bool
	Name   string // A-label, lower case, no final dot
	Reason string // for people, if not OK
}

// Rejections.
var (
	ErrNotFound         = domain.NotFound("tenant-not-found", "there is no such organization")
	ErrRegistered       = domain.Conflict("tenant-already-registered", "the organization is registered with other details").ByRule("S8")
	ErrCountryImmutable = domain.Conflict("country-immutable", "the country of an organization never changes; services, tax, currency and where data is kept follow from it. Register an organization of the other country, buy its subscriptions anew and let the old ones end").ByRule("S8").At("/country").Allowed("RegisterTenant", domain.Operator)
	ErrName             = domain.Invalid("tenant-name-invalid", "the name must have 1 to 256 characters, none of them a control character or an invisible one").ByRule("S8").At("/name")
	ErrCountry          = domain.Invalid("country-invalid", "the country must be an ISO 3166-1 code of two letters, such as SE").ByRule("S8").At("/country")
	ErrCurrency         = domain.Invalid("currency-invalid", "the currency must be the ISO 4217 code of money in use, such as SEK").ByRule("S8").At("/currency")
	ErrLocale           = domain.Invalid("locale-invalid", "the locale must be a BCP 47 tag, such as sv-SE").ByRule("S8").At("/locale")
	ErrDomain           = domain.Invalid("domain-invalid", "the domain is not a valid internet name of two labels or more").ByRule("S3").At("/domain")
	ErrVariant          = domain.Invalid("cloud-variant-unknown", "the cloud must be worldwide, 21vianet or germany").ByRule("S15").At("/variant")
	ErrOwnPartner       = domain.Invalid("partner-is-own-tenant", "an organization is not its own partner").ByRule("S11").At("/partnerId")
	ErrNobody           = domain.Invalid("admin-unnamed", "an account has an ID").ByRule("I8").At("/adminId")
	ErrLocksOut         = domain.Conflict("domain-would-lock-out", "with this domain no global admin of the organization could recover their account any more: let one verify a phone and an alternate address outside the domain first; a new contact counts at once").ByRule("I8").At("/domain").Allowed("UpdateSecurityInfo", domain.GlobalAdmin)
	ErrLeaving          = domain.Conflict("global-admin-leaving", "a global admin has just ceased to be one; try again in a minute").ByRule("I8")
	ErrDomainTaken      = domain.Conflict("domain-taken", "another organization has proved this domain to be its own").ByRule("S3").At("/domain")
)

// reserve claims a domain for one organization alone. The refusal does not
// say whose it is: tenants do not see each other.
func reserve(m Meta, raw string) []domain.Reservation {
	name := strings.ToLower(strings.TrimSpace(raw))
	if m.Facts.Has(domain.Of[DomainName](raw)) {
		name = domain.Fact[DomainName](m, raw).Name
	}
	return []domain.Reservation{{
		Kind: "domain", Key: name,
		Taken: func(string) *domain.Error { return ErrDomainTaken },
	}}
}
