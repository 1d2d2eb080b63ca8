package customer

import (
	"time"

	"konto/domain"
)

// RegisterCustomer registers a customer with the caller's company as partner,
// which is its reseller: no other partner settles what no command changes later,
// such as the country.
type RegisterCustomer struct {
	CompanyName string `json:"companyName"`
	Country     string `json:"country"`
	Domain      string `json:"domain"`
	Language    string `json:"language"`
	// OrganizationRegistrationNumber and Phone are for countries that ask for
	// them; see [RegistrationNumbers].
	OrganizationRegistrationNumber string `json:"organizationRegistrationNumber,omitzero"`
	Phone                          string `json:"phone,omitzero"`
}

// Needs implements [domain.Needer].
func (c RegisterCustomer) Needs(m Meta) []domain.Need {
	needs := []domain.Need{
		domain.Of[Relationship](relationship(m)), RegistrationNumbers.Need(), domain.Of[Country](c.Country), domain.Of[Locale](c.Language), domain.Of[DomainName](c.Domain),
	}
	if c.Phone != "" {
		needs = append(needs, domain.Of[PhoneNumber](c.Country+" "+c.Phone))
	}
	return needs
}

// CustomerRegistered records that a partner has a customer.
type CustomerRegistered struct {
	PartnerID   string    `json:"partnerId"`
	CompanyName string    `json:"companyName"`
	Country     string    `json:"country"`
	Domain      string    `json:"domain"`
	Language    string    `json:"language"`
	At          time.Time `json:"at"`

	OrganizationRegistrationNumber string                  `json:"organizationRegistrationNumber,omitzero"`
	Phone                          domain.Personal[string] `json:"phone,omitzero"`
	PhoneData                      string                  `json:"phoneData,omitzero"` // which numbering plans it was read by
}

// Evolve implements [domain.Event].
func (e CustomerRegistered) Evolve(c *Customer) {
	*c = Customer{
		PartnerID: e.PartnerID, CompanyName: e.CompanyName, Country: e.Country, Domain: e.Domain,
		Language: e.Language, RegisteredAt: e.At,
		OrganizationRegistrationNumber: e.OrganizationRegistrationNumber, Phone: e.Phone,
	}
}

// Decide implements [domain.Command].
func (c RegisterCustomer) Decide(s Customer, m Meta) ([]Event, error) {
	partner := m.Actor.Tenant
	switch {
	case partner == m.ID || partner == "":
		return nil, ErrOwnTenant
	case !resold(m):
		return nil, ErrNoRelationship
	}
	if err := c.check(m); err != nil {
		return nil, err
	}
	e := CustomerRegistered{
		PartnerID: partner, CompanyName: c.CompanyName, Country: c.Country, Domain: domain.Fact[DomainName](m, c.Domain).Name,
		Language: domain.Fact[Locale](m, c.Language).Tag, At: m.At,
		OrganizationRegistrationNumber: c.OrganizationRegistrationNumber,
	}
	if c.Phone != "" {
		number := domain.Fact[PhoneNumber](m, c.Country+" "+c.Phone)
		e.Phone, e.PhoneData = domain.About(m.ID, number.Number), number.Data
	}
	switch {
	case !s.Exists():
		return []Event{e}, nil
	case !e.made(s, c.Phone):
		return nil, ErrExists
	}
	return nil, nil
}

// made reports whether e says what s still says. The phone number may be there
// as it was written: once, numbers were kept so.
func (e CustomerRegistered) made(s Customer, wrote string) bool {
	return s.PartnerID == e.PartnerID && s.CompanyName == e.CompanyName && s.Country == e.Country &&
		s.Domain == e.Domain && s.Language == e.Language &&
		s.OrganizationRegistrationNumber == e.OrganizationRegistrationNumber &&
		(s.Phone.Value == e.Phone.Value || s.Phone.Value == wrote || s.Phone.Erased)
}

func (c RegisterCustomer) check(m Meta) error {
	errs := []*domain.Error{required(c.CompanyName, "/companyName")}
	_, err := domainName(m)(c.Domain, "/domain")
	errs = append(errs, err)
	_, err = language(m)(c.Language, "/language")
	errs = append(errs, err)
	if !domain.Fact[Country](m, c.Country).OK {
		return domain.All(append(errs, field("/country", "it must be an ISO 3166-1 alpha-2 code, such as SE"))...)
	}
	with := company{
		country: c.Country, number: c.OrganizationRegistrationNumber, phone: c.Phone, called: c.Phone != "",
		newNumber: true, newPhone: true,
	}
	return domain.All(append(errs, with.obligations(m, "")...)...)
}
