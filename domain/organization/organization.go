// Package organization models what an organization says of itself: its name,
// its address and phone, whom to write to about the service, and in which
// language. Its ID is the tenant's. The address is the sold-to address of its
// bills (S9).
//
// # What is guaranteed
//
// A profile that was saved once has everything that is starred on its page,
// for ever. The country is the tenant's and never changes (S8): services, tax,
// currency and where data is kept follow from it. An address is one of its
// country (A1), and one for which there is a better spelling is kept only if
// the caller said that it is meant so (A2).
//
// # What is not
//
// Another language counts for messages that are written from then on; what was
// sent stays as it was.
package organization

import (
	"konto/domain"
	"konto/domain/postal"
)

// Event is a fact about an organization's profile.
type Event = domain.Event[Profile]

// Meta is what a decision may know besides the profile and the command.
type Meta = domain.Meta

// Aggregate is the profile's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"org", "organizations",
	domain.Accepts[UpdateOrganizationProfile]("UpdateOrganizationProfile", domain.Summary("Save the organization's profile page"), domain.CallerSaw()),
	domain.Accepts[ChangeSoldToAddress]("ChangeSoldToAddress", domain.Summary("Change the organization's address, which is the sold-to address of its bills"), domain.CallerSaw()),
	domain.Accepts[ChangeTechnicalContact]("ChangeTechnicalContact", domain.Summary("Change who is written to about the state of the service"), domain.CallerSaw()),
	domain.Accepts[ChangePreferredLanguage]("ChangePreferredLanguage", domain.Summary("Change the language of messages to come; people keep their own"), domain.CallerSaw()),
	domain.Accepts[ChangeOrganizationContactEmail]("ChangeOrganizationContactEmail", domain.Summary("Change or remove the address that gets billing messages for the organization"), domain.CallerSaw()),
	domain.Accepts[SetInvoiceAttachment]("SetInvoiceAttachment", domain.Summary("Attach invoices to billing messages, or not"), domain.CallerSaw()),

	domain.Records[OrganizationProfileUpdated]("OrganizationProfileUpdated"),
	domain.Records[SoldToAddressChanged]("SoldToAddressChanged"),
	domain.Records[TechnicalContactChanged]("TechnicalContactChanged"),
	domain.Records[PreferredLanguageChanged]("PreferredLanguageChanged"),
	domain.Records[OrganizationContactEmailChanged]("OrganizationContactEmailChanged"),
	domain.Records[InvoiceAttachmentSet]("InvoiceAttachmentSet"),
)

// Profile is what an organization says of itself. Addresses, numbers and
// mailboxes may be a person's, and are sealed under the organization's ID.
type Profile struct {
	Name             string                          `json:"name"`
	Address          domain.Personal[postal.Address] `json:"address,omitzero"`
	AddressChecked   postal.Checked                  `json:"addressChecked,omitzero"`
	Phone            domain.Personal[string]         `json:"phone,omitzero"`            // see [Phone]
	TechnicalContact domain.Personal[string]         `json:"technicalContact,omitzero"` // a mail address
	ContactEmail     domain.Personal[string]         `json:"contactEmail,omitzero"`     // a mail address
	Language         string                          `json:"language,omitzero"`         // BCP 47
	InvoicesAttached bool                            `json:"invoicesAttached,omitzero"`
}

// Exists reports whether the profile was ever saved.
func (p Profile) Exists() bool { return p.Name != "" }

// Tenant is the fact of the organization itself. Its key is its ID.
type Tenant struct {
	Exists  bool
	Country string // ISO 3166-1 alpha-2
}

// MailAddress is what the rules of mail addresses say of an input.
type MailAddress struct {
	OK         bool
	Normalized string
	Reason     string // for people, if not OK; does not repeat the input
}

// Phone is what the numbering plans say of a number. Its key is the country
// that it is read in (ISO 3166-1 alpha-2), a space, and the number.
type Phone struct {
	OK     bool
	Number string // E.164, then ";ext=" and the extension if there is one (RFC 3966)
	Data   string // which numbering plans said so; later ones may differ (rule F4)
}

// Locale is what the language registry says of a tag.
type Locale struct {
	OK  bool
	Tag string // canonical
}

// Rejections.
var (
	ErrNotFound = domain.NotFound("organization-profile-not-found", "the organization's profile was never saved").ByRule("S8").Allowed("UpdateOrganizationProfile", domain.GlobalAdmin)
	ErrTenant   = domain.NotFound("organization-not-found", "there is no such organization").ByRule("S8")
	ErrRequired = domain.Invalid("field-required", "the field is starred: it must be filled in").ByRule("S8")
	ErrName     = domain.Invalid("organization-name-invalid", "the name must have 1 to 256 characters, none of them a control character or an invisible one").ByRule("S8").At("/name")
	ErrCountry  = domain.Conflict("country-immutable", "the country of an organization never changes: services, tax, currency and where data is kept follow from it. Register an organization of the other country, buy its subscriptions anew and let the old ones end").
			ByRule("S8").At("/address/country").Allowed("RegisterTenant", domain.Operator)
	ErrPhone    = domain.Invalid("phone-invalid", "the number is not one that can be called").ByRule("S8").At("/phone")
	ErrMail     = domain.Invalid("mail-address-invalid", "the address is not a valid mail address").ByRule("S8")
	ErrLanguage = domain.Invalid("locale-invalid", "the language must be a BCP 47 tag, such as sv-SE").ByRule("S8")
)

func nameable(name string) bool {
	return !domain.Blank(name) && domain.Line(name, 256)
}

// mailbox returns raw as an address of the organization.
func mailbox(m Meta, raw, pointer string) (domain.Personal[string], *domain.Error) {
	a := domain.Fact[MailAddress](m, raw)
	if !a.OK {
		return domain.Personal[string]{}, ErrMail.At(pointer).With("reason", a.Reason)
	}
	return domain.About(m.ID, a.Normalized), nil
}

func same[T comparable](a, b domain.Personal[T]) bool {
	return a.IsZero() && b.IsZero() || a.Readable() && b.Readable() && a.Value == b.Value
}
