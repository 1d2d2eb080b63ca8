package simulate

import (
	"context"
	"slices"
)

// tidyCards puts backup cards in another order, or takes one away.
func (c *company) tidyCards(ctx context.Context) error {
	s := c.anything()
	if s == nil || len(c.cards) == 0 {
		return nil
	}
	caller, err := c.Place.As(ctx, c.people[0].Person)
	if err != nil {
		return err
	}
	var shown struct {
		State struct {
			Backups []struct {
				CardID string `json:"cardId"`
			} `json:"backups"`
		} `json:"state"`
	}
	err = caller.Get(ctx, "/v1/accounts/billing-"+s.id+"/state", &shown)
	if _, refused := asProblem(err); err != nil && !refused {
		return err
	}
	backups := shown.State.Backups
	switch n := len(backups); {
	case n > 1 && c.rng.IntN(2) == 0:
		ids := make([]string, 0, n)
		for _, b := range append(backups[1:n:n], backups[0]) {
			ids = append(ids, b.CardID)
		}
		_, err = c.do(ctx, c.people[0].Person, "subscriptions", s.id, "ReorderBackupCards", map[string]any{"cardIds": ids})
	case n > 1:
		_, err = c.do(ctx, c.people[0].Person, "subscriptions", s.id, "RemoveBackupCard", map[string]any{"cardId": backups[0].CardID})
	case !s.invoiced:
		k := pick(c.rng, c.cards)
		if k == s.card {
			return nil
		}
		_, err = c.do(ctx, k.owner.Person, "subscriptions", s.id, "AddBackupCard", map[string]any{"cardId": k.id})
	}
	return err
}

// countLicences is what the directory says of who has a licence.
func (c *company) countLicences(ctx context.Context) error {
	s := c.anything()
	if s == nil {
		return nil
	}
	_, err := c.do(ctx, supporter, "subscriptions", s.id, "RecordAssignedLicences", map[string]any{"licences": 1 + c.rng.IntN(3*len(c.people))})
	return err
}

// hearOfCard is what card networks tell the gateway: a card that is renewed, or
// will end soon.
func (c *company) hearOfCard(ctx context.Context) error {
	if len(c.cards) == 0 {
		return nil
	}
	k := pick(c.rng, c.cards)
	if c.rng.IntN(2) == 0 {
		return c.tellGateway(ctx, "customer.source.expiring", map[string]any{"id": k.token, "object": "card"})
	}
	k.expYear = max(k.expYear, c.now.Year()) + 3
	return c.tellGateway(ctx, "payment_method.automatically_updated", map[string]any{
		"id": k.token, "object": "payment_method", "card": map[string]any{
			"brand": k.brand, "last4": k.lastDigits, "exp_month": k.expMonth, "exp_year": k.expYear,
		},
	})
}

// contest is a cardholder's bank that takes the money of a charge back. Half
// of them give it back some weeks later.
func (c *company) contest(ctx context.Context) error {
	if c.charged == "" {
		return nil
	}
	dispute := map[string]any{
		"id": "dp_" + c.newID(c.now), "object": "dispute", "charge": c.charged, "amount": c.chargedAmount,
		"currency": c.land.currency, "reason": pick(c.rng, []string{"product_not_received", "unrecognized"}), "status": "needs_response",
	}
	c.charged = ""
	if err := c.tellGateway(ctx, "charge.dispute.created", dispute); err != nil {
		return err
	}
	c.at(c.now.Add(c.days(10, 40)), func(ctx context.Context) error {
		dispute["status"] = pick(c.rng, []string{"won", "lost"})
		return c.tellGateway(ctx, "charge.dispute.closed", dispute)
	})
	return nil
}

// payNow is somebody who pays what is owed with a card of theirs, instead of
// waiting for the next attempt. It is charged when it is due, as others are.
func (c *company) payNow(ctx context.Context, invoice string) error {
	for _, k := range c.cards {
		if k.owner != c.heir() {
			continue
		}
		_, err := c.do(ctx, k.owner.Person, "invoices", invoice, "SettleBalance", map[string]any{"cardId": k.id})
		return err
	}
	return nil
}

// anything is one of the subscriptions that run; nil if none does.
func (c *company) anything() *subscription {
	running := slices.DeleteFunc(slices.Clone(c.subscriptions), func(s *subscription) bool { return s.ended })
	if len(running) == 0 {
		return nil
	}
	return pick(c.rng, running)
}
