package policy

import (
	"slices"

	"konto/domain"
	"konto/domain/customer"
)

func customerReactions() []domain.Reaction {
	return []domain.Reaction{
		domain.Process("tell-of-customer-change", knowing(func(c *client) *team { return &c.team },
			domain.On(tenantOf[customer.CustomerRegistered], noteName),
			domain.On(tenantOf[customer.CustomerCompanyDetailsUpdated], tellOfDetails),
			domain.On(tenantOf[customer.CustomerBillingInfoUpdated], tellOfBillingInfo),
		)...),
	}
}

// client is what tell-of-customer-change remembers of a customer.
type client struct {
	team
	CompanyName string `json:"companyName,omitempty"`
}

// customerChange is what customer_account_changed shows: which fields changed,
// never what they say.
type customerChange struct {
	Changed     []string `json:"changed"`
	CompanyName string   `json:"companyName"`
	PartnerID   string   `json:"partnerId"`
	CustomerID  string   `json:"customerId"`
}

func noteName(c *client, e domain.Recorded[customer.CustomerRegistered]) []domain.Effect {
	c.CompanyName = e.Data.CompanyName
	return nil
}

func tellOfDetails(c *client, e domain.Recorded[customer.CustomerCompanyDetailsUpdated]) []domain.Effect {
	if slices.Contains(e.Data.Changed, "companyName") {
		c.CompanyName = e.Data.CompanyName
	}
	return c.tell(e.ID, e.Actor, customerChange{e.Data.Changed, c.CompanyName, e.Data.PartnerID, e.ID})
}

func tellOfBillingInfo(c *client, e domain.Recorded[customer.CustomerBillingInfoUpdated]) []domain.Effect {
	return c.tell(e.ID, e.Actor, customerChange{e.Data.Changed, c.CompanyName, e.Data.PartnerID, e.ID})
}

// tell tells the customer's team, and the partner's person who did it.
func (c *client) tell(tenant string, by domain.Actor, change customerChange) []domain.Effect {
	effects := tell(c.and(), customerAccountChanged, func(string) any { return change })
	if by.Kind != domain.KindPerson || by.Tenant == tenant {
		return effects
	}
	return append(effects, domain.Notice{
		To: by.ID, Tenant: by.Tenant, Channel: domain.Mail, Template: customerAccountChanged, Data: change,
	})
}
