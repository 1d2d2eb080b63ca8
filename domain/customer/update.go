package customer

import (
	"slices"

	"konto/domain"
	"konto/domain/postal"
)

// UpdateCustomerAccount changes what it names and keeps the rest. All of it is
// accepted, or nothing is.
type UpdateCustomerAccount struct {
	CompanyDetails *CompanyDetails    `json:"companyDetails,omitempty"`
	BillingInfo    *BillingInfoUpdate `json:"billingInfo,omitempty"`
	// ConfirmAddress says that the default address is meant as it is, although
	// there may be a better spelling of it.
	ConfirmAddress bool `json:"confirmAddress,omitzero"`
}

// CompanyDetails are a company's details. Absent ones stay as they are.
type CompanyDetails struct {
	CompanyName                    *string `json:"companyName,omitempty"`
	OrganizationRegistrationNumber *string `json:"organizationRegistrationNumber,omitempty"` // empty removes it
	Phone                          *string `json:"phone,omitempty"`                          // empty removes it
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
	FirstName         *string `json:"firstName,omitempty"`
	LastName          *string `json:"lastName,omitempty"`
	Phone             *string `json:"phone,omitempty"`
	Line1             *string `json:"line1,omitempty"`
	Line2             *string `json:"line2,omitempty"`
	DependentLocality *string `json:"dependentLocality,omitempty"`
	City              *string `json:"city,omitempty"`
	State             *string `json:"state,omitempty"`
	PostalCode        *string `json:"postalCode,omitempty"`
	Country           *string `json:"country,omitempty"`
}

// Needs implements [domain.Needer]. What must be known of the address and of
// phone numbers depends on what the update adds to.
func (c UpdateCustomerAccount) Needs(m Meta) []domain.Need {
	current := domain.Of[Current](m.ID)
	needs := []domain.Need{domain.Of[Relationship](relationship(m)), RegistrationNumbers.Need(), current}
	if b := c.BillingInfo; b != nil {
		for _, tag := range []*string{b.Culture, b.Language} {
			if tag != nil {
				needs = append(needs, domain.Of[Locale](*tag))
			}
		}
		if b.Email != nil {
			needs = append(needs, domain.Of[MailAddress](*b.Email))
		}
	}
	if !m.Facts.Has(current) {
		return needs
	}
	now := domain.Fact[Current](m, m.ID)
	if d := c.CompanyDetails; d != nil && d.Phone != nil && *d.Phone != "" {
		needs = append(needs, domain.Of[PhoneNumber](now.Country+" "+*d.Phone))
	}
	if b := c.BillingInfo; b != nil && b.DefaultAddress != nil {
		needs = append(needs, b.DefaultAddress.needs(now.Address)...)
	}
	return needs
}

func (c AddressUpdate) needs(now postal.Address) []domain.Need {
	moved := c.onto(now)
	needs := []domain.Need{moved.Need()}
	if c.Phone != nil && *c.Phone != "" {
		needs = append(needs, domain.Of[PhoneNumber](moved.Country+" "+*c.Phone))
	}
	return needs
}

// onto returns a with the fields that c names as c has them.
func (c AddressUpdate) onto(a postal.Address) postal.Address {
	for f, to := range map[postal.Field]*string{
		postal.Line1: c.Line1, postal.Line2: c.Line2, postal.DependentLocality: c.DependentLocality, postal.City: c.City,
		postal.State: c.State, postal.PostalCode: c.PostalCode, postal.Country: c.Country,
	} {
		if to != nil {
			a = a.With(f, *to)
		}
	}
	return a
}

func relationship(m Meta) string { return m.Actor.Tenant + "-" + m.ID }

// resold reports whether the actor's tenant is the customer's active reseller.
func resold(m Meta) bool {
	r := domain.Fact[Relationship](m, relationship(m))
	return r.Active && r.Type == "reseller"
}

// CustomerCompanyDetailsUpdated records the company details that changed, as
// they are now. One that Changed names and that is empty has been removed.
type CustomerCompanyDetailsUpdated struct {
	PartnerID                      string   `json:"partnerId"` // who changed it
	Changed                        []string `json:"changed"`
	CompanyName                    string   `json:"companyName,omitzero"`
	OrganizationRegistrationNumber string   `json:"organizationRegistrationNumber,omitzero"`

	Phone  domain.Personal[string] `json:"phone,omitzero"`
	Before CompanyBefore           `json:"before,omitzero"` // what the changed ones were
	// PhoneData says which numbering plans the phone was read by.
	PhoneData string `json:"phoneData,omitzero"`
}

// CompanyBefore is what company details were before they changed. The others
// are left out.
type CompanyBefore struct {
	CompanyName                    string                  `json:"companyName,omitzero"`
	OrganizationRegistrationNumber string                  `json:"organizationRegistrationNumber,omitzero"`
	Phone                          domain.Personal[string] `json:"phone,omitzero"`
}

// Evolve implements [domain.Event].
func (e CustomerCompanyDetailsUpdated) Evolve(c *Customer) {
	if slices.Contains(e.Changed, "companyName") {
		c.CompanyName = e.CompanyName
	}
	if slices.Contains(e.Changed, "organizationRegistrationNumber") {
		c.OrganizationRegistrationNumber = e.OrganizationRegistrationNumber
	}
	if slices.Contains(e.Changed, "phone") {
		c.Phone = e.Phone
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

	AddressChecked postal.Checked `json:"addressChecked,omitzero"`
	Before         BillingInfo    `json:"before,omitzero"` // what the changed parts were; the others are left out
	// PhoneData says which numbering plans the address's phone was read by, if
	// it changed.
	PhoneData string `json:"phoneData,omitzero"`
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
	switch {
	case !resold(m):
		return nil, ErrNoRelationship
	case !s.Exists():
		return nil, ErrNotFound
	case !c.informed(s, m):
		return nil, ErrMeanwhile
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
		e, bad := c.BillingInfo.decide(s, m, c.ConfirmAddress)
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

// informed reports whether the facts were gathered for the customer as it is.
func (c UpdateCustomerAccount) informed(s Customer, m Meta) bool {
	if (c.BillingInfo == nil || c.BillingInfo.DefaultAddress == nil) && (c.CompanyDetails == nil || c.CompanyDetails.Phone == nil) {
		return true
	}
	now := domain.Fact[Current](m, m.ID)
	return now.Country == s.Country && now.Address == s.BillingInfo.DefaultAddress.Value.Address
}
