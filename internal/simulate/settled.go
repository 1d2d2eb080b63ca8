package simulate

import (
	"context"
	"fmt"
	"slices"

	"konto/domain"
)

// settle makes c the company that is there already.
func (c *company) settle(settled Settled, partner *company) error {
	i := slices.IndexFunc(lands(), func(l land) bool { return l.country == settled.Country })
	if i < 0 || len(settled.People) == 0 {
		return fmt.Errorf("simulate: company %s: want people, and a country of SE, DK and NL", settled.ID)
	}
	c.land, c.id, c.name, c.domain = lands()[i], settled.ID, settled.Name, settled.Domain
	c.partner, c.settled = partner, len(settled.People)
	c.befriended, c.registered = partner != nil, partner != nil
	for _, p := range settled.People {
		c.people = append(c.people, &person{Person: p, mobile: c.land.phone(c.n)})
	}
	for _, s := range settled.Standing {
		c.standing = append(c.standing, &subscription{
			id: s.SubscriptionID, card: &paymentCard{token: s.CardToken, owner: c.people[0]}, amount: s.AmountMinor, certain: true,
		})
	}
	return nil
}

// settleIn is what a settled company does first: it grows.
func (c *company) settleIn(ctx context.Context) error {
	if err := c.introduce(ctx); err != nil {
		return err
	}
	for _, roles := range [][]domain.Role{{domain.BillingAdmin}, {domain.GlobalAdmin}, {domain.SalesAgent}, {domain.Auditor}} {
		if err := c.hire(ctx, roles); err != nil {
			return err
		}
	}
	return c.furnish(ctx)
}

// staff are the people that things happen to.
func (c *company) staff() []*person { return c.people[c.settled:] }

// anybody is one of them; nil if there are none.
func (c *company) anybody() *person {
	if len(c.staff()) == 0 {
		return nil
	}
	return pick(c.rng, c.staff())
}

// heir is who looks after what somebody else leaves behind.
func (c *company) heir() *person {
	for _, p := range c.staff() {
		if slices.Contains(p.Roles, domain.GlobalAdmin) || slices.Contains(p.Roles, domain.BillingAdmin) {
			return p
		}
	}
	return c.people[0]
}

// agent is who at the company does what takes one of some roles.
func (c *company) agent(roles ...domain.Role) Person {
	for _, p := range c.people {
		if slices.ContainsFunc(roles, func(r domain.Role) bool { return slices.Contains(p.Roles, r) }) {
			return p.Person
		}
	}
	return c.people[0].Person
}
