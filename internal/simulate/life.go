package simulate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"konto/domain"
	"konto/internal/client"
)

const day = 24 * time.Hour

// live plans what happens from now on: a charge for each subscription every
// month, and the changes of everyday life now and then.
func (c *company) live() {
	for _, s := range slices.Concat(c.standing, c.subscriptions) {
		c.at(c.now.Add(time.Duration(1+c.rng.IntN(27))*day), func(ctx context.Context) error { return c.bill(ctx, s) })
	}
	for _, e := range []struct {
		everyDays int
		do        func(context.Context) error
	}{
		{90, c.changeContact},
		{120, c.editCard},
		{150, c.replaceCard},
		{200, c.addAlias},
		{240, c.updateCustomer},
		{300, c.changeRoles},
		{330, c.hireAnother},
		{170, c.resetPassword},
		{210, c.cancel},
		{220, c.permit},
		{260, c.leave},
		{280, c.askForInvoice},
		{180, c.tidyProfile},
		{190, c.rename},
		{130, c.changePhone},
		{310, c.changeMailbox},
		{140, c.sayWhether},
		{230, c.tidyCards},
		{160, c.countLicences},
		{250, c.hearOfCard},
		{400, c.contest},
		{180, c.audit},
		{500, c.part},
		{320, c.litigate},
	} {
		c.again(e.everyDays, e.do)
	}
}

// again plans do about every so many days.
func (c *company) again(days int, do func(context.Context) error) {
	wait := time.Duration(1+c.rng.IntN(2*days*24))*time.Hour + time.Duration(c.rng.IntN(3600))*time.Second
	c.at(c.now.Add(wait), func(ctx context.Context) error {
		if err := do(ctx); err != nil {
			return err
		}
		c.again(days, do)
		return nil
	})
}

// bill has the gateway charge a subscription's card, and the next month again.
func (c *company) bill(ctx context.Context, s *subscription) error {
	c.at(c.now.AddDate(0, 1, 0), func(ctx context.Context) error { return c.bill(ctx, s) })
	if s.ended || s.invoiced {
		return nil
	}
	c.invoices++
	risk := 7
	if s.certain {
		risk = 0
	}
	failed, err := c.charge(ctx, attempt{
		subscription: s.id, token: s.card.token, amount: s.amount, invoice: fmt.Sprintf("in_sim_%d_%d_%d", c.Seed, c.n, c.invoices),
	}, risk)
	if err == nil && failed {
		c.at(c.now.Add(day), func(ctx context.Context) error { return c.collect(ctx, s, 45) })
	}
	return err
}

// collect carries out the charges that are due for a subscription, day by day,
// for a while. One admin in eight does not wait for them.
func (c *company) collect(ctx context.Context, s *subscription, days int) error {
	caller, err := c.Place.As(ctx, c.people[0].Person)
	if err != nil {
		return err
	}
	var due struct {
		Items []struct {
			RequestID      string `json:"requestId"`
			InvoiceID      string `json:"invoiceId"`
			SubscriptionID string `json:"subscriptionId"`
			CardID         string `json:"cardId"`
			AmountMinor    int64  `json:"amountMinor"`
		} `json:"items"`
	}
	if err := caller.Get(ctx, "/v1/due-charges", &due); err != nil {
		return err
	}
	for _, asked := range due.Items {
		token, ok := c.tokens[asked.CardID]
		if !ok || asked.SubscriptionID != s.id {
			continue
		}
		failed, err := c.charge(ctx, attempt{
			subscription: s.id, token: token, amount: asked.AmountMinor, invoice: "in_" + asked.InvoiceID,
			requestID: asked.RequestID, invoiceID: asked.InvoiceID,
		}, 55)
		if err != nil || !failed {
			return err
		}
		if c.rng.IntN(8) == 0 {
			if err := c.payNow(ctx, asked.InvoiceID); err != nil {
				return err
			}
		}
	}
	if days > 0 {
		c.at(c.now.Add(day), func(ctx context.Context) error { return c.collect(ctx, s, days-1) })
	}
	return nil
}

// attempt is what a gateway charges a card for.
type attempt struct {
	subscription, token  string
	amount               int64
	invoice              string // as the gateway calls it
	requestID, invoiceID string // as Konto does, where it asked for the charge
}

// charge carries an attempt out, which fails in so many of a hundred cases.
func (c *company) charge(ctx context.Context, a attempt, of100 int) (failed bool, err error) {
	failed = c.rng.IntN(100) < of100
	kind, outcome := "charge.succeeded", "succeeded"
	metadata := map[string]string{"konto_subscription": a.subscription}
	if a.requestID != "" {
		metadata["konto_request"], metadata["konto_invoice"] = a.requestID, a.invoiceID
	}
	object := map[string]any{
		"id": "ch_" + c.newID(c.now), "object": "charge", "amount": a.amount, "currency": c.land.currency,
		"created": c.now.Unix(), "payment_method": a.token, "invoice": a.invoice, "metadata": metadata,
	}
	if failed {
		kind, outcome = "charge.failed", declineCode(c.rng)
		object["failure_code"] = "card_declined"
		object["outcome"] = map[string]any{"reason": outcome, "network_status": "declined_by_network"}
	} else {
		c.charged, c.chargedAmount = object["id"].(string), a.amount
	}
	c.report.Charges[outcome]++
	return failed, c.tellGateway(ctx, kind, object)
}

// tellGateway is an event of the payment gateway about an object of its own.
func (c *company) tellGateway(ctx context.Context, kind string, object map[string]any) error {
	body, err := json.Marshal(map[string]any{
		"id": "evt_" + c.newID(c.now), "object": "event", "type": kind, "created": c.now.Unix(),
		"api_version": "2025-01-27", "data": map[string]any{"object": object},
	})
	if err != nil {
		return err
	}
	return c.Place.Webhook(ctx, body)
}

func (c *company) changeContact(ctx context.Context) error {
	p := c.anybody()
	if p == nil {
		return nil
	}
	p.mobile = c.land.phone(c.rng.IntN(95))
	return c.prove(ctx, p, map[string]any{"mobile": p.mobile})
}

func (c *company) editCard(ctx context.Context) error {
	if len(c.cards) == 0 {
		return nil
	}
	k := pick(c.rng, c.cards)
	k.expYear++
	_, err := c.sendOwn(ctx, k.owner.Person, client.Command{
		Collection: "cards", ID: k.id, Name: "UpdateCardDetails", Body: map[string]any{"expYear": k.expYear},
		Reason: "a new card with the same number",
	})
	return err
}

// replaceCard is a lost card: a new one takes over everything.
func (c *company) replaceCard(ctx context.Context) error {
	if len(c.cards) == 0 {
		return nil
	}
	old, owned := c.cards[0], len(c.cards)
	if err := c.addCard(ctx, old.owner); err != nil || len(c.cards) == owned {
		return err
	}
	fresh := c.cards[owned]
	ok, err := c.do(ctx, old.owner.Person, "cards", old.id, "ReplaceCard", map[string]any{"newCardId": fresh.id, "scope": "all"})
	if err != nil || !ok {
		return err
	}
	c.cards = append([]*paymentCard{fresh}, c.cards[1:owned]...)
	for _, s := range c.subscriptions {
		if s.card == old {
			s.card = fresh
		}
	}
	c.at(c.now.Add(day), func(ctx context.Context) error {
		_, err := c.do(ctx, old.owner.Person, "cards", old.id, "RemoveCard", map[string]any{})
		return err
	})
	return nil
}

func (c *company) addAlias(ctx context.Context) error {
	p := c.anybody()
	if p == nil {
		return nil
	}
	c.made++
	alias := fmt.Sprintf("kontakt%d@%s", c.made, c.domain)
	_, err := c.do(ctx, c.people[0].Person, "admins", p.ID, "AddAlias", map[string]any{"email": alias})
	return err
}

func (c *company) changeRoles(ctx context.Context) error {
	p := c.anybody()
	if p == nil {
		return nil
	}
	name := pick(c.rng, []string{"AssignRole", "RemoveRole"})
	role := pick(c.rng, []domain.Role{domain.BillingAdmin, domain.Auditor, domain.InvoiceManager})
	_, err := c.do(ctx, c.people[0].Person, "admins", p.ID, name, map[string]any{"role": role})
	return err
}

func (c *company) hireAnother(ctx context.Context) error {
	if len(c.people) > 12 {
		return nil
	}
	return c.hire(ctx, []domain.Role{pick(c.rng, []domain.Role{domain.BillingAdmin, domain.Auditor, domain.SalesAgent})})
}

// updateCustomer is what the partner changes: where the company wants its bills
// or, unless it was there before all this, its name, since it does other work.
func (c *company) updateCustomer(ctx context.Context) error {
	if !c.befriended || len(c.partner.people) == 0 {
		return nil
	}
	agent := c.partner.agent(domain.SalesAgent)
	body := map[string]any{"billingInfo": map[string]any{"email": fmt.Sprintf("faktura%d@%s", c.made%9, c.domain)}}
	if c.settled == 0 && c.made%2 == 0 {
		c.name = c.land.called(c.brand, c.n+c.made)
		body = map[string]any{"companyDetails": map[string]any{"companyName": c.name}}
	}
	_, err := c.sendOwn(ctx, agent, client.Command{
		Collection: "customers", ID: c.id, Name: "UpdateCustomerAccount", Merge: true,
		Body:   body,
		Reason: "as the customer asked",
	})
	return err
}

// seen is the revision of an account as a person sees it; nil if they see none.
func (c *company) seen(ctx context.Context, by Person, category, id string) (*int64, error) {
	caller, err := c.Place.As(ctx, by)
	if err != nil {
		return nil, err
	}
	var state struct {
		Revision int64 `json:"revision"`
	}
	err = caller.Get(ctx, "/v1/accounts/"+category+"-"+id+"/state", &state)
	if p, ok := asProblem(err); ok && p.Status < 500 {
		return nil, nil //nolint:nilnil // nothing is there to be seen
	}
	return &state.Revision, err
}
