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
	if len(c.people) < 3 {
		return nil
	}
	i := 1 + c.rng.IntN(len(c.people)-1) // the founder stays
	p, founder := c.people[i], c.people[0].Person
	ok, err := c.do(ctx, founder, "admins", p.ID, "OffboardEmployee", map[string]any{})
	if err != nil || !ok {
		return err
	}
	c.people = slices.Delete(c.people, i, i+1)
	if err := c.inherit(ctx, p); err != nil {
		return err
	}
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
// What those pay for goes on, until somebody replaces them.
func (c *company) inherit(ctx context.Context, leaver *person) error {
	c.cards = slices.DeleteFunc(c.cards, func(k *paymentCard) bool { return k.owner == leaver })
	if len(c.cards) > 0 {
		return nil
	}
	if err := c.addCard(ctx, c.people[0]); err != nil || len(c.cards) == 0 {
		return err
	}
	for _, s := range c.subscriptions {
		if s.ended || s.invoiced {
			continue
		}
		if _, err := c.do(ctx, c.people[0].Person, "subscriptions", s.id, "AddBackupCard", map[string]any{"cardId": c.cards[0].id}); err != nil {
			return err
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
// a dispute first, which stands in the way until it is over.
func (c *company) erase(ctx context.Context, p *person) error {
	founder := c.people[0].Person
	if c.rng.IntN(3) == 0 {
		hold := map[string]any{"reference": fmt.Sprintf("T %d-%d", 100+c.n, c.made+1)}
		if ok, err := c.do(ctx, founder, "subjects", p.ID, "PlaceLegalHold", hold); err != nil || !ok {
			return err
		}
		c.at(c.now.Add(c.days(30, 60)), func(ctx context.Context) error {
			if _, err := c.do(ctx, founder, "subjects", p.ID, "ReleaseLegalHold", hold); err != nil {
				return err
			}
			_, err := c.do(ctx, founder, "subjects", p.ID, "RequestErasure", map[string]any{})
			return err
		})
	}
	_, err := c.do(ctx, founder, "subjects", p.ID, "RequestErasure", map[string]any{})
	return err
}

// resetPassword is somebody who cannot sign in any more, and proves who they
// are to the login page with the codes that they get.
func (c *company) resetPassword(ctx context.Context) error {
	p := pick(c.rng, c.people)
	login := Person{ID: loginPage, Tenant: c.id, Kind: domain.KindIdentity}
	ok, err := c.do(ctx, login, "security-info", p.ID, "StartPasswordReset", map[string]any{})
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
		if _, err := c.do(ctx, login, "security-info", p.ID, "SubmitRecoveryCode", map[string]any{"slot": slot, "code": code}); err != nil {
			return err
		}
		// Where one proof is enough, the second contact got no code.
		if ok, err := c.do(ctx, login, "security-info", p.ID, "CompletePasswordReset", map[string]any{}); err != nil || ok {
			return err
		}
	}
	return nil
}
