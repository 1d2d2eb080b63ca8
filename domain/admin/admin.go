// Package admin models the account of a person who works for a tenant: the
// name they sign in with, the name they are shown as, their other mail
// addresses, their language and their roles, and how the account ends when
// they leave. How the account is recovered is package securityinfo's, what a
// leaver leaves behind is package offboarding's.
//
// Names and addresses are personal and sealed under the account's own ID.
// Within a tenant an address belongs to one account for ever, which a
// reservation guards that nothing releases: an old address that another person
// could take over would let them receive what was meant for the first (S11).
// So no command takes an address away, and the old name of a renamed account
// stays with it as an alias.
//
// # What is guaranteed
//
// No sequence of these commands leaves a tenant without a global admin who can
// sign in (I8), nor take from it the last one who could recover their account:
// an organization none of whose global admins has got that far yet loses
// nothing and is not stopped. The tenant's stream lists who may be one, the decision looks at
// the accounts themselves, and of two global admins who leave at the same
// moment one is told to try again: see [RemoveRole.Reserves].
//
// # What is not
//
// Blocking and the end of sessions are recorded here. Konto's own API takes no
// token of theirs from then on (package session); other services carry it out
// when they hear of it, which takes its time: the events say how long at most. Where a tenant's names are kept in the console of the partner that it
// was bought from, they are refused here and changed there (S11).
package admin

import (
	"slices"
	"strings"
	"time"

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
	domain.Accepts[ChangeUserName]("ChangeUserName", domain.Summary("Change the name that a person signs in with; the old one stays as an alias"), domain.CallerSaw()),
	domain.Accepts[SetPrimaryEmail]("SetPrimaryEmail", domain.Summary("Choose which of an account's addresses its mail goes to"), domain.CallerSaw()),
	domain.Accepts[AssignRole]("AssignRole", domain.Summary("Let an account do what a role may do")),
	domain.Accepts[RemoveRole]("RemoveRole", domain.Summary("Take a role from an account")),
	domain.Accepts[ChangeDisplayName]("ChangeDisplayName", domain.Summary("Change the name that an account is shown under"), domain.CallerSaw()),
	domain.Accepts[SwitchLanguage]("SwitchLanguage", domain.Summary("Choose the language that a person is written to in; the organization's stays")),
	domain.Accepts[OffboardEmployee]("OffboardEmployee", domain.Summary("Let a person's account end: no sign-in, no sessions, data kept for a while")),
	domain.Accepts[CompleteOffboarding]("CompleteOffboarding", domain.Summary("Note that what a leaver leaves behind is known"), domain.Internal()),
	domain.Accepts[RestoreEmployee]("RestoreEmployee", domain.Summary("Give a former employee's account back while its data is kept")),
	domain.Accepts[ExpireRetention]("ExpireRetention", domain.Summary("End the time for which a former employee's data is kept"), domain.Internal()),

	domain.Records[EmployeeAdded]("EmployeeAdded"),
	domain.Records[EmailAliasAdded]("EmailAliasAdded"),
	domain.Records[UserNameChanged]("UserNameChanged"),
	domain.Records[PrimaryEmailChanged]("PrimaryEmailChanged"),
	domain.Records[RoleAssigned]("RoleAssigned"),
	domain.Records[RoleRemoved]("RoleRemoved"),
	domain.Records[DisplayNameChanged]("DisplayNameChanged"),
	domain.Records[LanguageSwitched]("LanguageSwitched"),
	domain.Records[EmployeeBlocked]("EmployeeBlocked"),
	domain.Records[SessionsRevoked]("SessionsRevoked"),
	domain.Records[EmployeeOffboarded]("EmployeeOffboarded"),
	domain.Records[EmployeeRestored]("EmployeeRestored"),
	domain.Records[EmployeeDataRetentionExpired]("EmployeeDataRetentionExpired"),
)

// Admin is a person's account.
type Admin struct {
	Tenant      string                    `json:"tenant"`
	SignInName  domain.Personal[string]   `json:"signInName,omitzero"` // a mail address
	DisplayName domain.Personal[string]   `json:"displayName,omitzero"`
	Aliases     []domain.Personal[string] `json:"aliases,omitempty"` // mail addresses
	// Primary is where mail goes; zero: to the sign-in name, whatever it is.
	Primary domain.Personal[string] `json:"primary,omitzero"`
	Locale  string                  `json:"locale,omitempty"` // BCP 47; empty: the organization's
	Roles   []domain.Role           `json:"roles,omitempty"`  // kept while the account is off-boarded, and of no use then
	Status  Status                  `json:"status,omitzero"`
	Leaving Leaving                 `json:"leaving,omitzero"` // of an account that is not active
	// SessionsRevokedAt is since when no earlier session counts.
	SessionsRevokedAt time.Time `json:"sessionsRevokedAt,omitzero"`
}

// Status is where an account is in its life.
type Status string

// The states of an account's life.
const (
	Active     Status = ""            // can be used
	Blocked    Status = "blocked"     // no sign-in; what is left behind is being looked for
	Offboarded Status = "off-boarded" // as blocked; the data is kept until a time
	Gone       Status = "gone"        // the data is no longer kept
)

// Leaving is how an account ends.
type Leaving struct {
	Offboarding   string    `json:"offboarding"` // ID of this end; another one has another
	At            time.Time `json:"at"`          // of the block
	RetainedUntil time.Time `json:"retainedUntil,omitzero"`
}

// Exists reports whether the account was opened.
func (a Admin) Exists() bool { return a.Tenant != "" }

// CanSignIn reports whether the account can be used.
func (a Admin) CanSignIn() bool { return a.Exists() && a.Status == Active }

// Has reports whether the account has role and can use it.
func (a Admin) Has(role domain.Role) bool { return a.CanSignIn() && slices.Contains(a.Roles, role) }

// Mail is where the account's mail goes.
func (a Admin) Mail() domain.Personal[string] {
	if a.Primary.IsZero() {
		return a.SignInName
	}
	return a.Primary
}

// Answers reports whether address is the account's sign-in name or one of
// its aliases. Letter case makes no difference.
func (a Admin) Answers(address string) bool {
	_, ok := a.own(address)
	return ok
}

// own returns address as the account has it.
func (a Admin) own(address string) (domain.Personal[string], bool) {
	for _, p := range append([]domain.Personal[string]{a.SignInName}, a.Aliases...) {
		if is(p, address) {
			return p, true
		}
	}
	return domain.Personal[string]{}, false
}

func is(p domain.Personal[string], address string) bool {
	return p.Readable() && strings.EqualFold(p.Value, address)
}

// usable returns why nothing about the account may be changed, or nil.
func (a Admin) usable() error {
	switch {
	case !a.Exists():
		return ErrNotFound
	case a.Status == Gone:
		return ErrGone
	case a.Status != Active:
		return ErrOffboarded
	}
	return nil
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

// Phone is what the numbering plans say of a number. Its key is the country
// that it is read in (ISO 3166-1 alpha-2), a space, and the number.
type Phone struct {
	OK     bool
	Number string // E.164, then ";ext=" and the extension if there is one (RFC 3966)
	Data   string // which numbering plans said so; later ones may differ (rule F4)
}

// Organization is the fact of the account's tenant. Its key is the tenant's ID.
type Organization struct {
	Country      string    // ISO 3166-1 alpha-2
	Domains      []string  // A-labels
	ManagedBy    string    // the partner in whose console its people are kept, if there is one
	TrialSince   time.Time // when the organization began a trial; zero if it is on none
	GlobalAdmins []string  // who may be global admins: their accounts say whether they are
}

// Colleague is the fact of another account. Its key is the account's ID.
type Colleague struct {
	Tenant      string
	GlobalAdmin bool // and can sign in
}

// Alternate is the fact of an account's alternate address, if it is verified
// and can be read. Its key is the account's ID.
type Alternate struct {
	Email domain.Personal[string]
}

// Erasure is the fact of whether what is kept of the person goes or has gone.
// Its key is the account's ID.
type Erasure struct {
	Begun bool // there is no way back but a legal hold's
}

// Rejections.
var (
	ErrNotFound     = domain.NotFound("admin-not-found", "there is no such account")
	ErrAdded        = domain.Conflict("admin-already-added", "the account exists with other details").ByRule("S12").Allowed("ChangeDisplayName", domain.GlobalAdmin)
	ErrSignInName   = domain.Invalid("sign-in-name-invalid", "the sign-in name is not a mail address that can be signed in with").ByRule("S11").At("/signInName")
	ErrAlias        = domain.Invalid("mail-address-invalid", "the address is not a valid mail address").ByRule("S11").At("/email")
	ErrNotOwn       = domain.Conflict("address-not-own", "mail goes only to an address that the account has; give it the address first").ByRule("S11").At("/email").Allowed("AddAlias", domain.GlobalAdmin)
	ErrAddressTaken = domain.Conflict("address-taken", "another account of the organization has or had this address").ByRule("S11")
	ErrDisplayName  = domain.Invalid("display-name-invalid", "the display name must have 1 to 256 characters, none of them a control character or an invisible one").ByRule("S11").At("/displayName")
	ErrLocale       = domain.Invalid("locale-invalid", "the locale must be a BCP 47 tag, such as sv-SE").ByRule("S8").At("/locale")
	ErrUnknownRole  = domain.Invalid("role-unknown", "there is no such role").ByRule("S12")
	ErrProfileRole  = domain.Forbidden("role-not-of-the-profile", "who owns the billing profile gives and takes the roles on it, and no others").ByRule("S12").Allowed("", domain.GlobalAdmin)
	ErrOperatorRole = domain.Forbidden("role-not-assignable", "the roles of Konto's own staff are given by an operator only").ByRule("S12").Allowed("", domain.Operator)
	ErrManaged      = domain.Forbidden("managed-by-partner", "the organization was bought from a partner that keeps names and addresses in a console of its own; change them there").ByRule("S11").For(domain.WhoPartner)
	ErrLast         = domain.Conflict("last-global-admin", "nobody else of the organization is a global admin who can sign in; make somebody one first").ByRule("I8").Allowed("AssignRole", domain.GlobalAdmin, domain.Operator)
	// ErrLastRecoverable also holds for an operator: whoever is to go later can
	// be followed by somebody who verifies their contacts today.
	ErrLastRecoverable = domain.Conflict("last-recoverable-global-admin", "no other global admin of the organization could recover their account: let one verify a phone and an alternate address first, or a contact of either kind where one is enough; a new contact counts at once").ByRule("I8").Allowed("UpdateSecurityInfo", domain.GlobalAdmin)
	ErrLastProof       = domain.Conflict("last-recovery-proof", "this is the alternate address by which the last global admin of the organization could recover their account, and an address of the account itself recovers nothing: let them take another alternate address first, or another global admin verify theirs").ByRule("I8").Allowed("ChangeAlternateEmail", domain.GlobalAdmin)
	ErrLeaving         = domain.Conflict("global-admin-leaving", "another global admin has just ceased to be one, or the organization has just come to need more for a recovery; try again in a minute").ByRule("I8")
	ErrOffboarded      = domain.Conflict("admin-off-boarded", "the account is off-boarded; restore it first").ByRule("S13").Allowed("RestoreEmployee", domain.GlobalAdmin)
	ErrErased          = domain.Conflict("admin-data-erased", "the person's data was erased, or is about to be: nothing is left to restore; open a new account").ByRule("S13").Allowed("AddEmployee", domain.GlobalAdmin)
	ErrGone            = domain.Conflict("admin-data-gone", "the account's data is no longer kept; open a new account").ByRule("S13").Allowed("AddEmployee", domain.GlobalAdmin)
)

// Addresses is the kind of reservation that guards mail addresses.
const Addresses = "mail-address"

// reserve claims a mail address for one account of the tenant, for ever.
func reserve(m Meta, raw, pointer string) []domain.Reservation {
	address := strings.TrimSpace(raw)
	if m.Facts.Has(domain.Of[Address](raw)) {
		address = domain.Fact[Address](m, raw).Normalized
	}
	return []domain.Reservation{{
		Kind: Addresses, Scope: m.Tenant, Key: m.MAC(Addresses, strings.ToLower(address)),
		Taken: func(string) *domain.Error { return ErrAddressTaken.At(pointer) },
	}}
}

// managed returns why names and addresses are not changed here, or nil. Konto
// itself may, for it is how a partner's console tells of a change.
func managed(m Meta) error {
	if err := Managed(m); err != nil {
		return err
	}
	return nil
}

// NameNeeds is what [Managed] asks for.
func NameNeeds(m Meta) []domain.Need { return []domain.Need{domain.Of[Organization](m.Tenant)} }

// Managed returns why nobody changes the names and addresses of the
// organization's accounts here, or nil.
func Managed(m Meta) *domain.Error {
	if m.Actor.Kind == domain.KindSystem || domain.Fact[Organization](m, m.Tenant).ManagedBy == "" {
		return nil
	}
	return ErrManaged
}

// displayable returns name without surrounding space, and whether it can be
// shown to people.
func displayable(name string) (string, bool) {
	name = strings.TrimSpace(name)
	return name, !domain.Blank(name) && domain.Line(name, 256)
}

// profileRoles are those on the billing profile, which its owner gives and takes.
var profileRoles = []domain.Role{domain.ProfileOwner, domain.ProfileContributor, domain.InvoiceManager, domain.ProfileReader}

// assignable returns why the actor may not give role, or nil.
func assignable(m Meta, role domain.Role, pointer string) *domain.Error {
	switch {
	case !slices.Contains(domain.Roles(), role):
		return ErrUnknownRole.At(pointer)
	case (role == domain.Operator || role == domain.BillingSupport) &&
		m.Actor.Kind == domain.KindPerson && !m.Actor.Has(domain.Operator):
		// Staff see all tenants, so no tenant's own admin makes them.
		return ErrOperatorRole.At(pointer)
	case !dealsWith(m, role):
		return ErrProfileRole.At(pointer)
	}
	return nil
}

// dealsWith reports whether role is one that the actor deals with: who owns the
// billing profile gives and takes the roles on it, and no others.
func dealsWith(m Meta, role domain.Role) bool {
	return !m.Actor.Has(domain.ProfileOwner) || m.Actor.Has(domain.GlobalAdmin, domain.Operator) || slices.Contains(profileRoles, role)
}
