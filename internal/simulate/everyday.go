package simulate

import (
	"context"
	"fmt"
	"strings"
)

// tidyProfile keeps what the company says of itself up to date.
func (c *company) tidyProfile(ctx context.Context) error {
	var (
		name string
		body map[string]any
	)
	switch c.rng.IntN(5) {
	case 0:
		return c.moveOut(ctx)
	case 1:
		name, body = "ChangeTechnicalContact", map[string]any{"email": fmt.Sprintf("drift%d@%s", c.rng.IntN(9), c.domain)}
	case 2:
		name, body = "ChangePreferredLanguage", map[string]any{"language": pick(c.rng, []string{"en", c.land.locale[:2]})}
	case 3:
		name, body = "SetInvoiceAttachment", map[string]any{"on": c.rng.IntN(3) > 0}
	default:
		name, body = "ChangeOrganizationContactEmail", map[string]any{"email": pick(c.rng, []string{"billing@", "faktura@", "accounts@"}) + c.domain}
	}
	_, err := c.do(ctx, c.people[0].Person, "organizations", c.id, name, body)
	return err
}

// moveOut is a company that moves: its own address, and where it uses what it
// has subscribed to.
func (c *company) moveOut(ctx context.Context) error {
	founder, to := c.people[0].Person, c.address()
	ok, err := c.do(ctx, founder, "organizations", c.id, "ChangeSoldToAddress", map[string]any{"address": to})
	if err != nil || !ok {
		return err
	}
	for _, s := range c.subscriptions {
		if s.ended {
			continue
		}
		if _, err := c.do(ctx, founder, "subscriptions", s.id, "ChangeServiceUsageAddress", map[string]any{"address": to}); err != nil {
			return err
		}
		if !s.invoiced {
			continue
		}
		if _, err := c.do(ctx, founder, "subscriptions", s.id, "ChangeBillToAddress", map[string]any{"name": c.name, "address": to}); err != nil {
			return err
		}
	}
	return nil
}

// rename is somebody who marries, or wants to be written to in another language.
func (c *company) rename(ctx context.Context) error {
	p, founder := c.anybody(), c.people[0].Person
	if p == nil {
		return nil
	}
	if c.rng.IntN(2) == 0 {
		_, err := c.do(ctx, p.Person, "admins", p.ID, "SwitchLanguage", map[string]any{"locale": pick(c.rng, []string{"en-GB", "sv-SE", "da-DK", "nl-NL"})})
		return err
	}
	family := pick(c.rng, c.land.family)
	signIn := fmt.Sprintf("%s.%s%d@%s", strings.ToLower(ascii(p.given)), strings.ToLower(ascii(family)), c.made, c.domain)
	if ok, err := c.do(ctx, founder, "admins", p.ID, "ChangeDisplayName", map[string]any{"displayName": p.given + " " + family}); err != nil || !ok {
		return err
	}
	p.family = family
	if ok, err := c.do(ctx, founder, "admins", p.ID, "ChangeUserName", map[string]any{"userName": signIn}); err != nil || !ok {
		return err
	}
	p.signIn = signIn
	_, err := c.do(ctx, founder, "admins", p.ID, "SetPrimaryEmail", map[string]any{"email": signIn})
	return err
}

// changePhone is a phone at the office that comes, changes and goes, and the
// yearly look at all of somebody's contacts.
func (c *company) changePhone(ctx context.Context) error {
	p := c.anybody()
	if p == nil {
		return nil
	}
	by := p.Person
	if c.rng.IntN(3) == 0 {
		_, err := c.do(ctx, by, securityInfo, p.ID, "ReconfirmSecurityInfo", map[string]any{})
		return err
	}
	number := c.land.phone(c.rng.IntN(95))
	phone := map[string]any{"slot": "office", "number": number}
	if !p.office {
		ok, err := c.do(ctx, by, securityInfo, p.ID, "AddPhoneMethod", phone)
		if p.office = ok; err != nil || !ok {
			return err
		}
		return c.confirm(ctx, p, "office", digits(number))
	}
	if c.rng.IntN(2) == 0 {
		ok, err := c.do(ctx, by, securityInfo, p.ID, "RemovePhoneMethod", map[string]any{"slot": "office"})
		p.office = p.office && !ok
		return err
	}
	ok, err := c.do(ctx, by, securityInfo, p.ID, "ChangePhoneMethod", phone)
	if err != nil || !ok {
		return err
	}
	return c.confirm(ctx, p, "office", digits(number))
}

// changeMailbox is another private mail address, now and then after a while
// with none.
func (c *company) changeMailbox(ctx context.Context) error {
	p := c.anybody()
	if p == nil {
		return nil
	}
	c.made++
	email := fmt.Sprintf("%s.%d.%d@privat.example", strings.ToLower(ascii(p.given)), c.n, c.made)
	set := func(name string) func(context.Context) error {
		return func(ctx context.Context) error {
			if ok, err := c.do(ctx, p.Person, securityInfo, p.ID, name, map[string]any{"email": email}); err != nil || !ok {
				return err
			}
			p.email = email
			return c.confirm(ctx, p, "alternateEmail", email)
		}
	}
	if c.rng.IntN(2) == 0 {
		return set("ChangeAlternateEmail")(ctx)
	}
	ok, err := c.do(ctx, p.Person, securityInfo, p.ID, "RemoveAlternateEmail", map[string]any{})
	if ok {
		c.at(c.now.Add(c.days(1, 10)), set("AddAlternateEmail"))
	}
	return err
}

// sayWhether is what somebody says of a page.
func (c *company) sayWhether(ctx context.Context) error {
	helpful := c.rng.IntN(3) > 0
	body := map[string]any{"helpful": helpful}
	if !helpful {
		body["text"] = pick(c.rng, []string{"I did not find where to change the card.", "It does not say what happens to our data.", "Too long."})
	}
	_, err := c.do(ctx, pick(c.rng, c.people).Person, "feedback", c.newID(c.now), "SubmitFeedback", body)
	return err
}
