package customer

import (
	"slices"

	"konto/domain"
)

// UpdateCustomerAccount changes what it names and keeps the rest. All of it is
// accepted, or nothing is.
type UpdateCustomerAccount struct {
	CompanyDetails *CompanyDetails    `json:"companyDetails,omitempty"`
	BillingInfo    *BillingInfoUpdate `json:"billingInfo,omitempty"`
}

// CompanyDetails are a company's details. Absent ones stay as they are.
type CompanyDetails struct {
	CompanyName                    *string `json:"companyName,omitempty"`
	OrganizationRegistrationNumber *string `json:"organizationRegistrationNumber,omitempty"` // empty removes it
}

// BillingInfoUpdate is a billing profile. Absent fields stay as they are.
type BillingInfoUpdate struct {
	FirstName      *string        `json:"firstName,omitempty"`
	LastName       *string        `json:"lastName,omitempty"`
	Email          *string        `json:"email,omitempty"`
	Culture        *string        `json:"culture,omitempty"`
	Language       *string        `json:"language,omitempty"`
	CompanyName    *string        `json:"companyName,omitempty"`
	DefaultAddress *AddressUpdate `json:"defaultAddress,omitempty"`
}

// AddressUpdate is an address. Absent fields stay as they are.
type AddressUpdate struct {
	FirstName  *string `json:"firstName,omitempty"`
	LastName   *string `json:"lastName,omitempty"`
	Phone      *string `json:"phone,omitempty"`
	Line1      *string `json:"line1,omitempty"`
	Line2      *string `json:"line2,omitempty"`
	City       *string `json:"city,omitempty"`
	State      *string `json:"state,omitempty"`
	PostalCode *string `json:"postalCode,omitempty"`
	Country    *string `json:"country,omitempty"`
}

// Needs implements [domain.Needer].
func (c UpdateCustomerAccount) Needs(m Meta) []domain.Need {
	return []domain.Need{domain.Of[Relationship](relationship(m))}
}

func relationship(m Meta) string { return m.Actor.Tenant + "-" + m.ID }

// CustomerCompanyDetailsUpdated records the company details that changed, as
// they are now. One that Changed names and that is empty has been removed.
type CustomerCompanyDetailsUpdated struct {
	PartnerID                      string   `json:"partnerId"` // who changed it
	Changed                        []string `json:"changed"`
	CompanyName                    string   `json:"companyName,omitzero"`
	OrganizationRegistrationNumber string   `json:"organizationRegistrationNumber,omitzero"`
}

// Evolve implements [domain.Event].
func (e CustomerCompanyDetailsUpdated) Evolve(c *Customer) {
	if slices.Contains(e.Changed, "companyName") {
		c.CompanyName = e.CompanyName
	}
	if slices.Contains(e.Changed, "organizationRegistrationNumber") {
		c.OrganizationRegistrationNumber = e.OrganizationRegistrationNumber
	}
}

// CustomerBillingInfoUpdated records the parts of the billing profile that
// changed, as they are now. Contact and address are whole if any of their
// fields changed; Changed says which ("defaultAddress.city").
type CustomerBillingInfoUpdated struct {
	PartnerID   string                          `json:"partnerId"` // who changed it
	Changed     []string                        `json:"changed"`
	Contact     domain.Personal[BillingContact] `json:"contact,omitzero"`
	Address     domain.Personal[Address]        `json:"address,omitzero"`
	Culture     string                          `json:"culture,omitzero"`
	Language    string                          `json:"language,omitzero"`
	CompanyName string                          `json:"companyName,omitzero"`
}

// Evolve implements [domain.Event].
func (e CustomerBillingInfoUpdated) Evolve(c *Customer) {
	if !e.Contact.IsZero() {
		c.BillingInfo.Contact = e.Contact
	}
	if !e.Address.IsZero() {
		c.BillingInfo.DefaultAddress = e.Address
	}
	if slices.Contains(e.Changed, "culture") {
		c.BillingInfo.Culture = e.Culture
	}
	if slices.Contains(e.Changed, "language") {
		c.BillingInfo.Language = e.Language
	}
	if slices.Contains(e.Changed, "companyName") {
		c.BillingInfo.CompanyName = e.CompanyName
	}
}

// Decide implements [domain.Command].
func (c UpdateCustomerAccount) Decide(s Customer, m Meta) ([]Event, error) {
	// Who has no relationship is not told whether there is such a customer.
	r := domain.Fact[Relationship](m, relationship(m))
	switch {
	case !r.Active || r.Type != "reseller":
		return nil, ErrNoRelationship
	case !s.Exists():
		return nil, ErrNotFound
	}
	var events []Event
	var errs []*domain.Error
	if c.CompanyDetails != nil {
		e, bad := c.CompanyDetails.decide(s, m)
		errs = append(errs, bad...)
		if e.Changed != nil {
			events = append(events, e)
		}
	}
	if c.BillingInfo != nil {
		e, bad := c.BillingInfo.decide(s, m)
		errs = append(errs, bad...)
		if e.Changed != nil {
			events = append(events, e)
		}
	}
	if err := domain.All(errs...); err != nil {
		return nil, err
	}
	return events, nil
}

func (c CompanyDetails) decide(s Customer, m Meta) (CustomerCompanyDetailsUpdated, []*domain.Error) {
	var d diff
	d.set(&s.CompanyName, c.CompanyName, "companyName", "/companyDetails", required)
	d.set(&s.OrganizationRegistrationNumber, c.OrganizationRegistrationNumber, "organizationRegistrationNumber", "/companyDetails", line)
	e := CustomerCompanyDetailsUpdated{PartnerID: m.Actor.Tenant, Changed: d.changed}
	if d.has("companyName") {
		e.CompanyName = s.CompanyName
	}
	if d.has("organizationRegistrationNumber") {
		e.OrganizationRegistrationNumber = s.OrganizationRegistrationNumber
	}
	return e, d.errs
}

func (c BillingInfoUpdate) decide(s Customer, m Meta) (CustomerBillingInfoUpdated, []*domain.Error) {
	const at = "/billingInfo"
	b := s.BillingInfo
	contact := b.Contact.Value
	var d diff
	d.set(&contact.FirstName, c.FirstName, "firstName", at, line)
	d.set(&contact.LastName, c.LastName, "lastName", at, line)
	d.set(&contact.Email, c.Email, "email", at, email)
	e := CustomerBillingInfoUpdated{PartnerID: m.Actor.Tenant}
	if d.changed != nil {
		e.Contact = domain.About(m.ID, contact)
	}
	d.set(&b.Culture, c.Culture, "culture", at, culture)
	d.set(&b.Language, c.Language, "language", at, language)
	d.set(&b.CompanyName, c.CompanyName, "companyName", at, required)
	if d.has("culture") {
		e.Culture = b.Culture
	}
	if d.has("language") {
		e.Language = b.Language
	}
	if d.has("companyName") {
		e.CompanyName = b.CompanyName
	}
	if c.DefaultAddress != nil {
		before := len(d.changed)
		address := c.DefaultAddress.decide(b.DefaultAddress.Value, &d)
		if len(d.changed) > before {
			e.Address = domain.About(m.ID, address)
		}
	}
	e.Changed = d.changed
	return e, d.errs
}

func (c AddressUpdate) decide(a Address, d *diff) Address {
	const at = "/billingInfo/defaultAddress"
	for _, f := range []struct {
		field *string
		to    *string
		name  string
		check check
	}{
		{&a.FirstName, c.FirstName, "firstName", line},
		{&a.LastName, c.LastName, "lastName", line},
		{&a.Phone, c.Phone, "phone", phone},
		{&a.Line1, c.Line1, "line1", required},
		{&a.Line2, c.Line2, "line2", line},
		{&a.City, c.City, "city", line},
		{&a.State, c.State, "state", line},
		{&a.PostalCode, c.PostalCode, "postalCode", line},
		{&a.Country, c.Country, "country", country},
	} {
		d.setIn("defaultAddress.", f.field, f.to, f.name, at, f.check)
	}
	if a != (Address{}) {
		d.need(a.Line1, at+"/line1")
		d.need(a.Country, at+"/country")
	}
	return a
}
