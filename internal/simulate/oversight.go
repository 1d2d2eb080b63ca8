package simulate

import (
	"context"
	"net/http"
	"slices"
	"time"

	"konto/domain"
)

// audit is an auditor's look at the books: a session that says what for, some
// accounts, now and then a copy of it all.
func (c *company) audit(ctx context.Context) error {
	for _, p := range c.people {
		if !slices.Contains(p.Roles, domain.Auditor) {
			continue
		}
		if ok, err := c.do(ctx, p.Person, "audit-access", p.ID, "OpenAuditSession", map[string]any{
			"purpose": pick(c.rng, []string{"yearly accounts", "who changed the cards", "access review"}),
			"scope":   map[string]any{"kinds": []string{"card", "billing", "collection", "admin"}, "personal": c.rng.IntN(2) == 0}, "minutes": 120,
		}); err != nil || !ok {
			return err
		}
		if err := c.look(ctx, p); err != nil {
			return err
		}
		if c.rng.IntN(2) == 0 {
			return nil // it ends by itself
		}
		_, err := c.do(ctx, p.Person, "audit-access", p.ID, "CloseAuditSession", map[string]any{})
		return err
	}
	return nil
}

func (c *company) look(ctx context.Context, auditor *person) error {
	caller, err := c.Place.As(ctx, auditor.Person)
	if err != nil {
		return err
	}
	paths := []string{"/v1/accounts/admin-" + pick(c.rng, c.people).ID + "/history"}
	if s := c.anything(); s != nil {
		paths = append(paths, "/v1/accounts/billing-"+s.id+"/history")
	}
	if len(c.cards) > 0 {
		paths = append(paths, "/v1/accounts/card-"+pick(c.rng, c.cards).id+"/history")
	}
	if c.rng.IntN(3) == 0 {
		paths = append(paths, "/v1/audit-bundle")
	}
	for _, path := range paths {
		if _, err := caller.Do(ctx, http.MethodGet, path, nil, nil); err != nil {
			if _, refused := asProblem(err); !refused {
				return err
			}
		}
	}
	return nil
}

// handOver is what becomes of a leaver's work: others look after what they
// bought, and read their account for some days.
func (c *company) handOver(ctx context.Context, leaver *person) error {
	founder := c.people[0]
	for _, s := range c.subscriptions {
		if s.buyer != leaver || s.ended || s.card.owner == leaver {
			continue
		}
		if _, err := c.do(ctx, founder.Person, offboardings, leaver.ID, "TakeOverSubscription", map[string]any{"subscriptionId": s.id}); err != nil {
			return err
		}
		s.buyer = founder
	}
	if c.rng.IntN(2) == 0 {
		return nil
	}
	grantee := pick(c.rng, c.people)
	ok, err := c.do(ctx, founder.Person, offboardings, leaver.ID, "GrantFormerUserDataAccess", map[string]any{
		"granteeId": grantee.ID, "expiresAt": c.now.Add(c.days(3, 20)).Format(time.RFC3339), "reason": "open orders of the leaver",
	})
	if err != nil || !ok || c.rng.IntN(2) == 0 {
		return err
	}
	c.at(c.now.Add(2*day), func(ctx context.Context) error {
		_, err := c.do(ctx, founder.Person, offboardings, leaver.ID, "RevokeFormerUserDataAccess", map[string]any{"granteeId": grantee.ID})
		return err
	})
	return nil
}

// offboardings is the collection of what leavers leave behind.
const offboardings = "offboardings"
