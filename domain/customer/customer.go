// Package customer models what a partner keeps about a customer: the company's
// details and the billing profile. The ID is that of the customer's tenant.
//
// Guaranteed: only a partner that is the customer's active reseller when the
// command is decided changes anything (rule P1), each event names the fields
// that changed, and says what they were (P2), and an address is kept only as
// its country writes addresses (A1).
package customer

import (
	"time"

	"konto/domain"
	"konto/domain/postal"
)

// Event is a fact about a customer.
type Event = domain.Event[Customer]

// Meta is what a decision may know besides the customer and the command.
type Meta = domain.Meta

// Aggregate is the customer's contract. Wire names are for ever.
var Aggregate = domain.NewAggregate(
	"customer", "customers",
	domain.Accepts[RegisterCustomer]("RegisterCustomer",
		domain.Summary("Register a customer of your company, as a partner")),
	domain.Accepts[UpdateCustomerAccount]("UpdateCustomerAccount", domain.CallerSaw(),
		domain.Summary("Update a customer's company details and billing profile, as its reseller")),

	domain.Records[CustomerRegistered]("CustomerRegistered"),
	domain.Records[CustomerCompanyDetailsUpdated]("CustomerCompanyDetailsUpdated"),
	domain.Records[CustomerBillingInfoUpdated]("CustomerBillingInfoUpdated"),
)

// Customer is what is known of a customer.
type Customer struct {
	PartnerID                      string `json:"partnerId"` // the tenant that registered it
	CompanyName                    string `json:"companyName"`
	Country                        string `json:"country"`  // ISO 3166-1 alpha-2
	Domain                         string `json:"domain"`   // A-label
	Language                       string `json:"language"` // BCP 47
	OrganizationRegistrationNumber string `json:"organizationRegistrationNumber,omitzero"`
	// Phone is the company's, where countries ask for one (rule P7). It is in
	// E.164, or as it was written, if that was long ago.
	Phone        domain.Personal[string] `json:"phone,omitzero"`
	BillingInfo  BillingInfo             `json:"billingInfo"`
	RegisteredAt time.Time               `json:"registeredAt,omitzero"`
}

// BillingInfo is a customer's billing profile.
type BillingInfo struct {
	Contact        domain.Personal[BillingContact] `json:"contact,omitzero"`
	Culture        string                          `json:"culture,omitzero"`  // BCP 47 with a region
	Language       string                          `json:"language,omitzero"` // BCP 47
	CompanyName    string                          `json:"companyName,omitzero"`
	DefaultAddress domain.Personal[Address]        `json:"defaultAddress,omitzero"`
}

// BillingContact is who gets the bill.
type BillingContact struct {
	FirstName string `json:"firstName,omitzero"`
	LastName  string `json:"lastName,omitzero"`
	Email     string `json:"email,omitzero"` // see [MailAddress]; as it was written, if that was long ago
}

// Address is where the bill goes.
type Address struct {
	FirstName string `json:"firstName,omitzero"`
	LastName  string `json:"lastName,omitzero"`
	Phone     string `json:"phone,omitzero"` // see [PhoneNumber]; as it was written, if that was long ago
	postal.Address
}

// Relationship is the fact of how the actor's tenant and the customer stand.
// Its key is "<actor's tenant>-<customer>".
type Relationship struct {
	Type   string // "reseller" and others
	Active bool
}

// Current is the fact of what is known of the customer while facts are
// gathered: what an update adds to decides what must be known of it. Its key
// is the customer's ID.
type Current struct {
	Country string         // ISO 3166-1 alpha-2
	Address postal.Address // the default address; zero if there is none or it was erased
}

// Locale is the fact of what a language tag is. Its key is the tag.
type Locale struct {
	OK  bool   // it is a BCP 47 tag of a language that there is
	Tag string // its canonical form
}

// Country is the fact of what a country code is. Its key is the code.
type Country struct {
	OK bool // there is such a country
}

// PhoneNumber is the fact of what a phone number is. Its key is the country in
// which it is read, a space, and the number.
type PhoneNumber struct {
	Possible bool   // it could be one, by its length
	Valid    bool   // the numbering plan has it
	Number   string // E.164, then ";ext=" and the extension if there is one (RFC 3966)
	Data     string // which numbering plans said so; later ones may differ (rule F4)
}

// MailAddress is the fact of what a mail address is. Its key is the address.
type MailAddress struct {
	OK         bool
	Normalized string // the local part as written, the domain as A-label (rule E1)
	Reason     string // for people, if not OK; does not repeat the input
}

// DomainName is the fact of what an internet name is. Its key is the name.
type DomainName struct {
	OK   bool
	Name string // A-label
}

// Exists reports whether the customer was ever registered.
func (c Customer) Exists() bool { return c.PartnerID != "" }

// Rejections.
var (
	ErrNotFound = domain.NotFound("customer-not-found", "there is no such customer")
	ErrExists   = domain.Conflict("customer-exists", "the customer has been registered with other details").
			ByRule("P2").Allowed("UpdateCustomerAccount", domain.GlobalAdmin, domain.SalesAgent)
	ErrNoRelationship = domain.Forbidden("no-active-relationship", "only an active reseller of the customer may register it or update its account").
				ByRule("P1").Allowed("RequestRelationship", domain.GlobalAdmin, domain.SalesAgent)
	ErrOwnTenant = domain.Forbidden("customer-is-own-tenant", "a company is not its own partner").
			ByRule("P1").Allowed("", domain.GlobalAdmin, domain.SalesAgent)
	ErrRegistrationRequired = domain.Invalid("registration-required", "companies in this country must give their registration number and a phone number").
				ByRule("P7").Allowed("", domain.GlobalAdmin, domain.SalesAgent)
	ErrRegistrationFormat = domain.Invalid("registration-number-invalid", "registration numbers in this country have another number of digits").
				ByRule("P7").Allowed("", domain.GlobalAdmin, domain.SalesAgent)
	ErrRegistrationRefused = domain.Invalid("registration-not-asked-for", "nobody may ask companies in this country for it").
				ByRule("P7").Allowed("", domain.GlobalAdmin, domain.SalesAgent)
	ErrMeanwhile = domain.Conflict("customer-changed-meanwhile", "the customer's account was changed at the same moment; send the command again").
			ByRule("X1").Allowed("UpdateCustomerAccount", domain.GlobalAdmin, domain.SalesAgent)
	ErrField = domain.Invalid("field-invalid", "the value cannot be used").
			ByRule("P3").Allowed("", domain.GlobalAdmin, domain.SalesAgent)
)
