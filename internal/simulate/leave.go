package simulate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"konto/domain"
)

// leave lets somebody go. One in three comes back within the month; of the
// others, most ask for their data to be erased, with or without a dispute that
// keeps it for a while.
func (c *company) leave(ctx context.Context) error {
	stay := max(1, c.settled) // the founder at least
	if len(c.people) < stay+2 {
		return nil
	}
	i := stay + c.rng.IntN(len(c.people)-stay)
	p, founder := c.people[i], c.people[0].Person
	ok, err := c.do(ctx, founder, "admins", p.ID, "OffboardEmployee", map[string]any{})
	if err != nil || !ok {
		return err
	}
	c.people = slices.Delete(c.people, i, i+1)
	if err := c.inherit(ctx, p); err != nil {
		return err
	}
	c.at(c.now.Add(c.days(1, 3)), func(ctx context.Context) error { return c.handOver(ctx, p) })
	after := c.days(4, 20)
	if c.rng.IntN(3) == 0 {
		c.at(c.now.Add(after), func(ctx context.Context) error { return c.comeBack(ctx, p) })
		return nil
	}
	if c.rng.IntN(3) > 0 {
		c.at(c.now.Add(after), func(ctx context.Context) error { return c.erase(ctx, p) })
	}
	return nil
}

// inherit gives the company a card again when the leaver's were all it had.
// That one pays for what the leaver's did from then on, or steps in once
// that is declined.
func (c *company) inherit(ctx context.Context, leaver *person) error {
	theirs := func(k *paymentCard) bool { return k.owner == leaver }
	left := slices.Clone(c.cards)
	c.cards = slices.DeleteFunc(c.cards, theirs)
	left = slices.DeleteFunc(left, func(k *paymentCard) bool { return !theirs(k) })
	if len(c.cards) == 0 {
		if err := c.addCard(ctx, c.heir()); err != nil || len(c.cards) == 0 {
			return err
		}
	}
	next, now := c.cards[0], c.rng.IntN(2) == 0
	for _, s := range c.subscriptions {
		if s.ended || s.invoiced || !slices.Contains(left, s.card) {
			continue
		}
		collection, id, name, body := "subscriptions", s.id, "AddBackupCard", map[string]any{"cardId": next.id}
		if now {
			collection, id, name = "cards", s.card.id, "ReplaceCard"
			body = map[string]any{"newCardId": next.id, "scope": "subscription", "subscriptionId": s.id}
		}
		ok, err := c.do(ctx, next.owner.Person, collection, id, name, body)
		if err != nil {
			return err
		}
		if ok && now {
			s.card = next
		}
	}
	return nil
}

func (c *company) comeBack(ctx context.Context, p *person) error {
	ok, err := c.do(ctx, c.people[0].Person, "admins", p.ID, "RestoreEmployee", map[string]any{})
	if ok {
		c.people = append(c.people, p)
	}
	return err
}

// erase asks for a leaver's data to be made unreadable. A third of them are in
// a dispute first, which stands in the way until it is over; some think better
// of it, and some want to see what there is before it goes.
func (c *company) erase(ctx context.Context, p *person) error {
	founder := c.people[0].Person
	request := func(ctx context.Context) error {
		_, err := c.do(ctx, founder, subjects, p.ID, "RequestErasure", map[string]any{})
		return err
	}
	if c.rng.IntN(3) == 0 {
		return c.dispute(ctx, p, request)
	}
	if c.rng.IntN(3) == 0 {
		if _, err := c.do(ctx, founder, subjects, p.ID, "ExportSubjectData", map[string]any{}); err != nil {
			return err
		}
	}
	if err := request(ctx); err != nil || c.rng.IntN(5) > 0 {
		return err
	}
	c.at(c.now.Add(c.days(1, 6)), func(ctx context.Context) error {
		_, err := c.do(ctx, founder, subjects, p.ID, "WithdrawErasure", map[string]any{})
		return err
	})
	return nil
}

// subjects is the collection of what is known of people's data.
const subjects = "subjects"

// dispute keeps a leaver's data for a legal case. Erasure is asked for all the
// same, and waits until the case is over.
func (c *company) dispute(ctx context.Context, p *person, request func(context.Context) error) error {
	if err := c.hold(ctx, p); err != nil {
		return err
	}
	c.at(c.now.Add(c.days(2, 10)), request)
	return nil
}

// litigate is a case about somebody who works on.
func (c *company) litigate(ctx context.Context) error {
	if p := c.anybody(); p != nil {
		return c.hold(ctx, p)
	}
	return nil
}

// hold keeps somebody's data for a legal case of some weeks. The end of one in
// three is known when it begins.
func (c *company) hold(ctx context.Context, p *person) error {
	reference, over := fmt.Sprintf("T-%d-%d/%d", 100+c.n, c.made+1, c.now.Year()), c.now.Add(c.days(30, 60))
	body, bounded := map[string]any{"reference": reference}, c.rng.IntN(3) == 0
	if bounded {
		body["until"] = over
	}
	ok, err := c.do(ctx, c.people[0].Person, subjects, p.ID, "PlaceLegalHold", body)
	if err != nil || !ok || bounded {
		return err
	}
	c.at(over, func(ctx context.Context) error {
		_, err := c.do(ctx, c.people[0].Person, subjects, p.ID, "ReleaseLegalHold", map[string]any{"reference": reference})
		return err
	})
	return nil
}

// resetPassword is somebody who cannot sign in any more, and proves who they
// are to the login page with the codes that they get.
func (c *company) resetPassword(ctx context.Context) error {
	p := c.anybody()
	if p == nil {
		return nil
	}
	login := Person{ID: loginPage, Tenant: c.id, Kind: domain.KindIdentity}
	ok, err := c.do(ctx, login, securityInfo, p.ID, "StartPasswordReset", map[string]any{})
	if err != nil || !ok {
		return err
	}
	for _, slot := range []string{"mobile", "alternateEmail"} {
		contact := digits(p.mobile)
		if slot == "alternateEmail" {
			contact = p.email
		}
		code, err := c.Place.Code(ctx, contact)
		if errors.Is(err, ErrNoCode) {
			continue // a contact that does not count yet gets none
		}
		if err != nil {
			return fmt.Errorf("recovery code for %s: %w", slot, err)
		}
		if _, err := c.do(ctx, login, securityInfo, p.ID, "SubmitRecoveryCode", map[string]any{"slot": slot, "code": code}); err != nil {
			return err
		}
		// Where one proof is enough, the second contact got no code.
		if ok, err := c.do(ctx, login, securityInfo, p.ID, "CompletePasswordReset", map[string]any{}); err != nil || ok {
			return err
		}
	}
	return nil
}
