// Package admin models the account of a person who works for a tenant: the
// name they sign in with, the name they are shown as, their other mail
// addresses, their language and their roles. How the account is recovered is
// package securityinfo's, in a stream of its own.
//
// Names and addresses are personal and sealed under the account's own ID.
// Within a tenant an address belongs to one account for ever, which a
// reservation guards: an old address that another person could take over
// would let them receive what was meant for the first (S11).
package admin

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"konto/domain"
)

// Event is a fact about an account.
type Event = domain.Event[Admin]

// Meta is what a decision may know besides the account and the command.
type Meta = domain.Meta

// Aggregate is the account's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"admin", "admins",
	domain.Accepts[AddEmployee]("AddEmployee", domain.Summary("Open an account for a person who works for the organization")),
	domain.Accepts[AddAlias]("AddAlias", domain.Summary("Give an account another mail address")),
	domain.Accepts[AssignRole]("AssignRole", domain.Summary("Let an account do what a role may do")),
	domain.Accepts[RemoveRole]("RemoveRole", domain.Summary("Take a role from an account")),
	domain.Accepts[ChangeDisplayName]("ChangeDisplayName", domain.Summary("Change the name that an account is shown under"), domain.CallerSaw()),

	domain.Records[EmployeeAdded]("EmployeeAdded"),
	domain.Records[EmailAliasAdded]("EmailAliasAdded"),
	domain.Records[RoleAssigned]("RoleAssigned"),
	domain.Records[RoleRemoved]("RoleRemoved"),
	domain.Records[DisplayNameChanged]("DisplayNameChanged"),
)

// Admin is a person's account.
type Admin struct {
	Tenant      string                    `json:"tenant"`
	SignInName  domain.Personal[string]   `json:"signInName,omitzero"` // a mail address
	DisplayName domain.Personal[string]   `json:"displayName,omitzero"`
	Aliases     []domain.Personal[string] `json:"aliases,omitempty"` // mail addresses
	Locale      string                    `json:"locale,omitempty"`  // BCP 47; empty: the organization's
	Roles       []domain.Role             `json:"roles,omitempty"`
}

// Exists reports whether the account was opened.
func (a Admin) Exists() bool { return a.Tenant != "" }

// Answers reports whether address is the account's sign-in name or one of
// its aliases. Letter case makes no difference.
func (a Admin) Answers(address string) bool {
	same := func(p domain.Personal[string]) bool { return p.Readable() && strings.EqualFold(p.Value, address) }
	return same(a.SignInName) || slices.ContainsFunc(a.Aliases, same)
}

// Address is what the rules of mail addresses say of an input.
type Address struct {
	OK         bool
	Normalized string // domain as A-label; the local part keeps its case
	Domain     string // A-label
	Reason     string // for people, if not OK; does not repeat the input
}

// Locale is what the language registry says of a tag.
type Locale struct {
	OK  bool
	Tag string // canonical
}

// Rejections.
var (
	ErrNotFound     = domain.NotFound("admin-not-found", "there is no such account")
	ErrAdded        = domain.Conflict("admin-already-added", "the account exists with other details").ByRule("S12").Allowed("ChangeDisplayName", domain.GlobalAdmin)
	ErrSignInName   = domain.Invalid("sign-in-name-invalid", "the sign-in name is not a mail address that can be signed in with").ByRule("S11").At("/signInName")
	ErrAlias        = domain.Invalid("mail-address-invalid", "the address is not a valid mail address").ByRule("S11").At("/email")
	ErrAddressTaken = domain.Conflict("address-taken", "another account of the organization has or had this address").ByRule("S11")
	ErrDisplayName  = domain.Invalid("display-name-invalid", "the display name must have 1 to 256 characters, none of them a control character").ByRule("S11").At("/displayName")
	ErrLocale       = domain.Invalid("locale-invalid", "the locale must be a BCP 47 tag, such as sv-SE").ByRule("S8").At("/locale")
	ErrUnknownRole  = domain.Invalid("role-unknown", "there is no such role").ByRule("S12")
	ErrOperatorRole = domain.Forbidden("role-not-assignable", "the roles of Konto's own staff are given by an operator only").ByRule("S12").Allowed("", domain.Operator)
)

// reserve claims a mail address for one account of the tenant, for ever.
func reserve(m Meta, raw, pointer string) []domain.Reservation {
	address := strings.TrimSpace(raw)
	if m.Facts.Has(domain.Of[Address](raw)) {
		address = domain.Fact[Address](m, raw).Normalized
	}
	return []domain.Reservation{{
		Kind: "mail-address", Scope: m.Tenant, Key: m.MAC("mail-address", strings.ToLower(address)),
		Taken: func(string) *domain.Error { return ErrAddressTaken.At(pointer) },
	}}
}

// displayable returns name without surrounding space, and whether it can be
// shown to people.
func displayable(name string) (string, bool) {
	name = strings.TrimSpace(name)
	n := utf8.RuneCountInString(name)
	return name, n > 0 && n <= 256 && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl)
}

// assignable returns why the actor may not give role, or nil.
func assignable(m Meta, role domain.Role, pointer string) *domain.Error {
	switch {
	case !slices.Contains(domain.Roles(), role):
		return ErrUnknownRole.At(pointer)
	case (role == domain.Operator || role == domain.BillingSupport) &&
		m.Actor.Kind == domain.KindPerson && !m.Actor.Has(domain.Operator):
		// Staff see all tenants, so no tenant's own admin makes them.
		return ErrOperatorRole.At(pointer)
	}
	return nil
}
