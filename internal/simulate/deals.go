package simulate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"konto/domain"
	"konto/domain/relationship"
)

// days is a whole number of days, from least on, and fewer than least+spread.
func (c *company) days(least, spread int) time.Duration {
	return time.Duration(least+c.rng.IntN(spread)) * day
}

// cancel ends a subscription. Two of three are missed within weeks, and come back.
func (c *company) cancel(ctx context.Context) error {
	running := slices.DeleteFunc(slices.Clone(c.subscriptions), func(s *subscription) bool { return s.ended })
	if len(running) == 0 {
		return nil
	}
	s := pick(c.rng, running)
	ok, err := c.do(ctx, c.people[0].Person, "subscriptions", s.id, "CancelSubscription", map[string]any{
		"reason": pick(c.rng, []string{"too expensive", "we need it no more", "we take another product"}), "customDomainRemoved": true,
	})
	if err != nil || !ok {
		return err
	}
	s.ended = true
	if c.rng.IntN(3) == 0 {
		return nil
	}
	c.at(c.now.Add(c.days(3, 40)), func(ctx context.Context) error {
		ok, err := c.do(ctx, c.people[0].Person, "subscriptions", s.id, "ReactivateSubscription", map[string]any{})
		s.ended = s.ended && !ok
		return err
	})
	return nil
}

// askForInvoice is a company that has grown: it asks to pay by invoice, and
// billing support looks at it some days later.
func (c *company) askForInvoice(ctx context.Context) error {
	i := slices.IndexFunc(c.subscriptions, func(s *subscription) bool { return !s.ended && !s.invoiced })
	if i < 0 {
		return nil
	}
	s, p := c.subscriptions[i], c.people[0]
	id := c.newID(c.now)
	ok, err := c.do(ctx, p.Person, "invoice-switch-cases", id, "RequestSwitchToInvoice", map[string]any{
		"subscriptionId": s.id, "reason": "amount-rises", "amountMinor": int64(4_000_00 + 1_000_00*c.rng.IntN(12)), "currency": c.land.currency,
		"name": c.name, "phone": p.mobile, "address": c.address(),
	})
	if err != nil || !ok {
		return err
	}
	good := c.rng.IntN(5) > 0
	c.at(c.now.Add(c.days(1, 4)), func(ctx context.Context) error { return c.decideInvoice(ctx, s, id, good) })
	return nil
}

func (c *company) decideInvoice(ctx context.Context, s *subscription, id string, good bool) error {
	const cases = "invoice-switch-cases"
	if ok, err := c.do(ctx, supporter, cases, id, "RecordSupportCase", map[string]any{"caseRef": fmt.Sprintf("CASE-%d-%d", c.n, c.made)}); err != nil || !ok {
		return err
	}
	if _, err := c.do(ctx, supporter, cases, id, "RecordCreditCheck", map[string]any{"passed": good, "reference": fmt.Sprintf("CR-%d-%d", c.n, c.made)}); err != nil {
		return err
	}
	if good {
		ok, err := c.do(ctx, supporter, cases, id, "ApproveSwitchToInvoice", map[string]any{})
		if s.invoiced = ok; ok && c.rng.IntN(3) == 0 { // some want the card back, which support has to refuse
			c.at(c.now.Add(c.days(20, 60)), func(ctx context.Context) error {
				_, err := c.do(ctx, c.people[0].Person, cases, id, "RequestSwitchToCard", map[string]any{})
				return err
			})
		}
		if ok || err != nil {
			return err
		}
	}
	_, err := c.do(ctx, supporter, cases, id, "DenySwitchToInvoice", map[string]any{"why": "credit-check"})
	return err
}

// relationships is the collection of what partners and customers have with
// each other.
const relationships = "relationships"

// What customers buy at their partners' expense.
const (
	permitted = "azure-reserved-instances"
	action    = "purchase"
)

// permit lets this company buy at its partner's expense for a year, with a
// limit. Where the partner has two people for it, the second approves.
func (c *company) permit(ctx context.Context) error {
	if !c.befriended || c.permitted.After(c.now) {
		return nil
	}
	agents, err := c.partner.adminAgents(ctx)
	if err != nil || len(agents) == 0 {
		return err
	}
	rel, first := c.partner.id+"-"+c.id, agents[0].Person
	if _, err := c.do(ctx, first, relationships, rel, "RecordPartnerSubscription", map[string]any{
		"subscriptionId": fmt.Sprintf("sub-%d", c.n), "active": true, "ownerRole": true,
	}); err != nil {
		return err
	}
	if c.reserved == "" && c.rng.IntN(2) == 0 {
		c.reserved = fmt.Sprintf("res-%d-%d", c.n, c.made)
		if _, err := c.do(ctx, first, relationships, rel, "RecordPartnerReservation", map[string]any{"reservationId": c.reserved, "open": true}); err != nil {
			return err
		}
	}
	until := c.now.AddDate(0, 6, 0)
	ok, err := c.do(ctx, first, relationships, rel, "GrantPurchasePermission", map[string]any{
		"resource": permitted, "action": action, "capMinor": 1_000_000, "currency": c.land.currency, "expiresAt": until,
		"secondPerson": len(agents) > 1, "acknowledge": relationship.Consequences(),
	})
	if err != nil || !ok {
		return err
	}
	if len(agents) > 1 {
		if _, err := c.do(ctx, agents[1].Person, relationships, rel, "ApprovePurchasePermission", map[string]any{"resource": permitted, "action": action}); err != nil {
			return err
		}
	}
	c.permitted = until
	c.at(c.now.Add(c.days(2, 20)), func(ctx context.Context) error { return c.buy(ctx, 1+c.rng.IntN(5)) })
	return nil
}

// buy is some purchases under the permission, one every few weeks. The last is
// now and then followed by the partner's second thoughts.
func (c *company) buy(ctx context.Context, times int) error {
	if len(c.partner.people) == 0 {
		return nil
	}
	agent, rel := c.partner.agent(domain.AdminAgent), c.partner.id+"-"+c.id
	if _, err := c.do(ctx, agent, relationships, rel, "RecordCustomerPurchase", map[string]any{
		"purchaseId": fmt.Sprintf("pur-%d-%d", c.n, c.made), "resource": permitted, "action": action,
		"product": pick(c.rng, []string{"reservation-1y", "reservation-3y"}), "amountMinor": int64(500_00 + 100_00*c.rng.IntN(30)), "currency": c.land.currency,
	}); err != nil {
		return err
	}
	switch {
	case times > 1:
		c.at(c.now.Add(c.days(5, 25)), func(ctx context.Context) error { return c.buy(ctx, times-1) })
	case c.rng.IntN(3) == 0:
		_, err := c.do(ctx, agent, relationships, rel, "RevokePurchasePermission", map[string]any{"resource": permitted, "action": action})
		return err
	}
	return nil
}

// adminAgents are the one or two people who let customers buy at the company's
// expense.
func (c *company) adminAgents(ctx context.Context) ([]*person, error) {
	if c.settled > 0 {
		return slices.DeleteFunc(slices.Clone(c.people[:c.settled]), func(p *person) bool { return !slices.Contains(p.Roles, domain.AdminAgent) }), nil
	}
	agents := c.people[:min(2, len(c.people))]
	for _, a := range agents {
		if err := c.enrol(ctx, a, domain.AdminAgent); err != nil {
			return nil, err
		}
	}
	return agents, nil
}

// enrol gives somebody a role that they do not have.
func (c *company) enrol(ctx context.Context, p *person, role domain.Role) error {
	if slices.Contains(p.Roles, role) {
		return nil
	}
	ok, err := c.do(ctx, c.people[0].Person, "admins", p.ID, "AssignRole", map[string]any{"role": role})
	if ok {
		p.Roles = append(slices.Clone(p.Roles), role)
	}
	return err
}

// part ends what the company has with its partner, which comes back with an
// offer some weeks later. What the partner still runs for the company has to
// end first.
func (c *company) part(ctx context.Context) error {
	if !c.befriended || c.settled > 0 || len(c.partner.people) == 0 {
		return nil
	}
	agent, rel := c.partner.agent(domain.GlobalAdmin), c.partner.id+"-"+c.id
	if c.reserved != "" || !c.permitted.IsZero() {
		if c.reserved != "" {
			if _, err := c.do(ctx, agent, relationships, rel, "RecordPartnerReservation", map[string]any{"reservationId": c.reserved, "open": false}); err != nil {
				return err
			}
			c.reserved = ""
		}
		if _, err := c.do(ctx, agent, relationships, rel, "RecordPartnerSubscription", map[string]any{"subscriptionId": fmt.Sprintf("sub-%d", c.n), "active": false}); err != nil {
			return err
		}
	}
	by, reason := pick(c.rng, []Person{agent, c.people[0].Person}), pick(c.rng, []string{"we buy directly now", "another partner", "no business any more"})
	ok, err := c.do(ctx, by, relationships, rel, "EndRelationship", map[string]any{"reason": reason})
	if err != nil || !ok {
		return err
	}
	c.befriended, c.permitted = false, time.Time{}
	c.at(c.now.Add(c.days(20, 60)), func(ctx context.Context) error { return c.befriend(ctx) })
	return nil
}
