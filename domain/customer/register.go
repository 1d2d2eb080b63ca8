package customer

import (
	"time"

	"konto/domain"
)

// RegisterCustomer registers a customer with the caller's company as partner.
type RegisterCustomer struct {
	CompanyName string `json:"companyName"`
	Country     string `json:"country"`
	Domain      string `json:"domain"`
	Language    string `json:"language"`
}

// CustomerRegistered records that a partner has a customer.
type CustomerRegistered struct {
	PartnerID   string    `json:"partnerId"`
	CompanyName string    `json:"companyName"`
	Country     string    `json:"country"`
	Domain      string    `json:"domain"`
	Language    string    `json:"language"`
	At          time.Time `json:"at"`
}

// Evolve implements [domain.Event].
func (e CustomerRegistered) Evolve(c *Customer) {
	*c = Customer{
		PartnerID: e.PartnerID, CompanyName: e.CompanyName, Country: e.Country, Domain: e.Domain,
		Language: e.Language, RegisteredAt: e.At,
	}
}

// Decide implements [domain.Command].
func (c RegisterCustomer) Decide(s Customer, m Meta) ([]Event, error) {
	err := domain.All(
		required(c.CompanyName, "/companyName"),
		country(c.Country, "/country"),
		domainName(c.Domain, "/domain"),
		language(c.Language, "/language"),
	)
	partner := m.Actor.Tenant
	switch {
	case err != nil:
		return nil, err
	case partner == m.ID || partner == "":
		return nil, ErrOwnTenant
	case !s.Exists():
		return []Event{CustomerRegistered{partner, c.CompanyName, c.Country, c.Domain, c.Language, m.At}}, nil
	case s.PartnerID != partner || s.CompanyName != c.CompanyName || s.Country != c.Country ||
		s.Domain != c.Domain || s.Language != c.Language:
		return nil, ErrExists
	}
	return nil, nil
}
