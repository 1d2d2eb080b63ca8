package simulate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"

	"konto/domain"
	"konto/domain/policy"
	"konto/internal/client"
)

// company is a tenant and its life.
type company struct {
	*simulation
	n       int
	rng     *rand.Rand
	land    land
	id      string
	begins  time.Time
	partner *company // the company before this one looks after it
	domain  string
	name    string // what it is called now
	brand   string // what of its name stays when its trade changes

	people        []*person
	settled       int // so many of the people stay as they are, the first ones
	standing      []*subscription
	cards         []*paymentCard
	subscriptions []*subscription
	tokens        map[string]string // the gateway's, of all cards that ever were, by ID
	invoices      int
	charged       string // the last charge that went well, the gateway's ID
	chargedAmount int64
	made          int       // IDs
	registered    bool      // the partner keeps an account of this company
	befriended    bool      // the partner is this company's reseller
	reserved      string    // what the partner has reserved for it
	permitted     time.Time // until when it may buy at the partner's expense
}

type person struct {
	Person
	given, family, signIn string
	mobile, email         string
	office                bool // they have a phone there
}

type paymentCard struct {
	id, token         string
	owner             *person
	expMonth, expYear int
	lastDigits, brand string
}

type subscription struct {
	id     string
	card   *paymentCard
	buyer  *person
	amount int64
	// ended and invoiced say that no card is charged for it.
	ended, invoiced bool
	certain         bool // no charge for it ever fails
}

// Konto's own people.
var (
	operator  = Person{ID: "01930000-0000-7000-8000-000000000016", Tenant: "01930000-0000-7000-8000-000000000003", Roles: []domain.Role{domain.Operator}}
	supporter = Person{ID: "01930000-0000-7000-8000-000000000017", Tenant: "01930000-0000-7000-8000-000000000003", Roles: []domain.Role{domain.BillingSupport}}
)

// securityInfo is the collection of people's contacts.
const securityInfo = "security-info"

// loginPage is the ID under which each company's login page proves who people are.
const loginPage = "01930000-0000-7000-8000-000000000018"

// newID returns a UUIDv7 (RFC 9562 section 5.7) that follows from the seed.
func (c *company) newID(at time.Time) string {
	var b uuid.UUID
	binary.BigEndian.PutUint64(b[:8], uint64(at.UnixMilli())<<16|c.rng.Uint64N(1<<16))
	binary.BigEndian.PutUint64(b[8:], c.rng.Uint64())
	b[6], b[8] = b[6]&0x0f|0x70, b[8]&0x3f|0x80
	return b.String()
}

// do sends a command of the company's own.
func (c *company) do(ctx context.Context, by Person, collection, id, name string, body any) (bool, error) {
	return c.sendOwn(ctx, by, client.Command{Collection: collection, ID: id, Name: name, Body: body})
}

// sendOwn sends cmd under the company's next key. Who replaces what they see
// says which revision they saw.
func (c *company) sendOwn(ctx context.Context, by Person, cmd client.Command) (bool, error) {
	if category, ok := c.replacing[cmd.Collection+"/"+cmd.Name]; ok {
		var err error
		if cmd.IfMatch, err = c.seen(ctx, by, category, cmd.ID); err != nil {
			return false, err
		}
	}
	c.made++
	cmd.Key = fmt.Sprintf("simulate/%d/%d/%d", c.Seed, c.n, c.made)
	return c.send(ctx, by, cmd)
}

// replacing are the commands that replace what their caller sees, by collection
// and name, and the category of what that is.
func replacing() map[string]string {
	all := map[string]string{}
	for _, contract := range policy.Contracts {
		for _, cmd := range contract.Commands() {
			if cmd.CallerSaw {
				all[contract.Collection()+"/"+cmd.Name] = contract.Category()
			}
		}
	}
	return all
}

// open founds the company and plans its years.
func (c *company) open(ctx context.Context) error {
	c.brand = pick(c.rng, c.land.company)
	c.name = c.land.called(c.brand, c.n)
	c.domain = fmt.Sprintf("%s-%d.example", strings.ToLower(ascii(c.brand)), c.n)
	if _, err := c.do(ctx, operator, "tenants", c.id, "RegisterTenant", map[string]any{
		"name": c.name, "country": c.land.country, "currency": c.land.currency,
		"locale": c.land.locale, "domain": c.domain,
	}); err != nil {
		return err
	}
	for _, roles := range [][]domain.Role{{domain.GlobalAdmin}, {domain.BillingAdmin}, {domain.GlobalAdmin}, {domain.SalesAgent}, {domain.Auditor}}[:2+c.rng.IntN(4)] {
		if err := c.hire(ctx, roles); err != nil {
			return err
		}
	}
	if err := c.introduce(ctx); err != nil {
		return err
	}
	if c.rng.IntN(3) == 0 { // it has a second domain, which staff have seen the proof of
		if _, err := c.do(ctx, operator, "tenants", c.id, "VerifyDomain", map[string]any{"domain": "shop." + c.domain}); err != nil {
			return err
		}
	}
	return c.furnish(ctx)
}

// furnish gives the company cards and something to pay for, and lets it live.
func (c *company) furnish(ctx context.Context) error {
	for _, p := range c.staff()[:min(2, len(c.staff()))] {
		if err := c.addCard(ctx, p); err != nil {
			return err
		}
	}
	for range 1 + c.rng.IntN(3) {
		if err := c.subscribe(ctx); err != nil {
			return err
		}
	}
	if c.partner != nil && len(c.partner.people) > 0 && !c.befriended {
		if err := c.befriend(ctx); err != nil {
			return err
		}
	}
	c.live()
	return nil
}

// introduce saves what the company says of itself.
func (c *company) introduce(ctx context.Context) error {
	founder := c.people[0]
	ok, err := c.do(ctx, founder.Person, "organizations", c.id, "UpdateOrganizationProfile", map[string]any{
		"name": c.name, "phone": founder.mobile, "technicalContact": "it@" + c.domain, "preferredLanguage": c.land.locale[:2],
		"address": c.address(),
	})
	if err != nil || !ok {
		return err
	}
	_, err = c.do(ctx, founder.Person, "organizations", c.id, "ChangeOrganizationContactEmail", map[string]any{"email": "billing@" + c.domain})
	return err
}

// address is an address in the company's country.
func (c *company) address() map[string]any {
	at := pick(c.rng, c.land.places)
	return map[string]any{
		"line1": fmt.Sprintf("%s %d", pick(c.rng, c.land.streets), 1+c.rng.IntN(80)), "city": at.city,
		"postalCode": at.postalCode, "country": c.land.country,
	}
}

// hire adds a person, who proves how their account can be recovered.
func (c *company) hire(ctx context.Context, roles []domain.Role) error {
	p := &person{given: pick(c.rng, c.land.given), family: pick(c.rng, c.land.family)}
	p.Person = Person{ID: c.newID(c.now), Tenant: c.id, Roles: roles}
	p.signIn = fmt.Sprintf("%s.%s%d@%s", strings.ToLower(ascii(p.given)), strings.ToLower(ascii(p.family)), len(c.people), c.domain)
	by := p.Person
	if len(c.people) > 0 {
		by = c.people[0].Person
	}
	ok, err := c.do(ctx, by, "admins", p.ID, "AddEmployee", map[string]any{
		"signInName": p.signIn, "displayName": p.given + " " + p.family, "locale": c.land.locale, "roles": roles,
	})
	if err != nil || !ok {
		return err
	}
	c.people = append(c.people, p)
	c.report.People++
	p.mobile = c.land.phone(c.n*11 + len(c.people))
	p.email = fmt.Sprintf("%s.%d.%d@privat.example", strings.ToLower(ascii(p.given)), c.n, len(c.people))
	return c.prove(ctx, p, map[string]any{"mobile": p.mobile, "alternateEmail": p.email})
}

// prove changes contacts and confirms them with the codes that were sent.
func (c *company) prove(ctx context.Context, p *person, contacts map[string]any) error {
	ok, err := c.do(ctx, p.Person, securityInfo, p.ID, "UpdateSecurityInfo", contacts)
	if err != nil || !ok {
		return err
	}
	for _, slot := range []string{"mobile", "alternateEmail"} {
		contact, changed := contacts[slot].(string)
		if !changed {
			continue
		}
		if slot == "mobile" {
			contact = digits(contact)
		}
		if err := c.confirm(ctx, p, slot, contact); err != nil {
			return err
		}
	}
	return nil
}

// confirm enters the code that was sent to a contact. One in ten mistypes it
// first, and one in ten loses it and asks for another a little later.
func (c *company) confirm(ctx context.Context, p *person, slot, contact string) error {
	if c.rng.IntN(10) == 0 {
		if _, err := c.do(ctx, p.Person, securityInfo, p.ID, "ConfirmContactVerification", map[string]any{"slot": slot, "code": "000000"}); err != nil {
			return err
		}
	}
	if c.rng.IntN(10) > 0 {
		return c.enter(ctx, p, slot, contact)
	}
	c.at(c.now.Add(10*time.Minute), func(ctx context.Context) error {
		if ok, err := c.do(ctx, p.Person, securityInfo, p.ID, "RequestContactVerification", map[string]any{"slot": slot}); err != nil || !ok {
			return err
		}
		return c.enter(ctx, p, slot, contact)
	})
	return nil
}

// enter enters the newest code that a contact got. One that too many codes went
// to lately gets none, and waits.
func (c *company) enter(ctx context.Context, p *person, slot, contact string) error {
	code, err := c.Place.Code(ctx, contact)
	if errors.Is(err, ErrNoCode) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("code for %s: %w", slot, err)
	}
	_, err = c.do(ctx, p.Person, securityInfo, p.ID, "ConfirmContactVerification", map[string]any{"slot": slot, "code": code})
	return err
}

func (c *company) addCard(ctx context.Context, p *person) error {
	k := &paymentCard{
		id: c.newID(c.now), owner: p, expMonth: 1 + c.rng.IntN(12), expYear: c.now.Year() + 1 + c.rng.IntN(4),
		lastDigits: fmt.Sprintf("%04d", c.rng.IntN(10_000)), brand: pick(c.rng, []string{"visa", "mastercard", "amex"}),
	}
	k.token = "pm_sim_" + strings.ReplaceAll(k.id, "-", "")
	ok, err := c.do(ctx, p.Person, "cards", k.id, "AddCard", map[string]any{
		"gatewayToken": k.token, "brand": k.brand, "last4": k.lastDigits, "expMonth": k.expMonth, "expYear": k.expYear,
		"funding": pick(c.rng, []string{"credit", "debit"}), "issuerCountry": c.land.country, "fingerprint": "fp_" + k.token,
		"holderName": p.given + " " + p.family,
		"billTo":     c.address(),
	})
	if ok {
		c.cards = append(c.cards, k)
		c.tokens[k.id] = k.token
	}
	return err
}

func (c *company) subscribe(ctx context.Context) error {
	if len(c.cards) == 0 {
		return nil
	}
	s := &subscription{id: c.newID(c.now), card: c.cards[0], buyer: c.cards[0].owner, amount: int64(99_00 + 50_00*c.rng.IntN(40))}
	ok, err := c.do(ctx, s.card.owner.Person, "subscriptions", s.id, "RegisterSubscription", map[string]any{
		"product": pick(c.rng, []string{"Business Basic", "Business Standard", "Business Premium"}), "cardId": s.card.id,
	})
	if err != nil || !ok {
		return err
	}
	c.subscriptions = append(c.subscriptions, s)
	if len(c.cards) > 1 && c.rng.IntN(2) == 0 {
		_, err = c.do(ctx, c.cards[1].owner.Person, "subscriptions", s.id, "AddBackupCard", map[string]any{"cardId": c.cards[1].id})
	}
	return err
}

// befriend makes the partner this company's reseller. One that was before knows
// the company already.
func (c *company) befriend(ctx context.Context) error {
	agent, id := c.partner.agent(domain.SalesAgent), c.partner.id+"-"+c.id
	if ok, err := c.do(ctx, agent, relationships, id, "RequestRelationship", map[string]any{"type": "reseller"}); err != nil || !ok {
		return err
	}
	ok, err := c.do(ctx, c.people[0].Person, relationships, id, "AcceptRelationship", map[string]any{})
	if c.befriended = ok; err != nil || !ok || c.registered {
		return err
	}
	c.registered, err = c.do(ctx, agent, "customers", c.id, "RegisterCustomer", map[string]any{
		"companyName": c.name, "country": c.land.country, "domain": c.domain, "language": c.land.locale[:2],
	})
	return err
}

// ascii is how a name is written in an address.
func ascii(s string) string {
	return strings.NewReplacer("å", "a", "ä", "a", "ö", "o", "ø", "o", "æ", "ae", "Å", "A", "Ä", "A", "Ö", "O", "Ø", "O", "Æ", "Ae", " ", "", ".", "").Replace(s)
}

// digits are the last digits of a phone number, which a recipient is found by.
func digits(phone string) string {
	var b strings.Builder
	for _, r := range strings.TrimPrefix(phone, "0") {
		if r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	return b.String()
}
